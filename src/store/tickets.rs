//! Tickets of a process that is alone: in its memory, because they do not outlive it anyway.

use super::{StoreError, StoreResult, TicketStore};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Most tickets that wait to be used.
const MAX_TICKETS: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct HeldTickets(Mutex<HashMap<[u8; 32], Held>>);

#[derive(Debug)]
struct Held {
    value: Bytes,
    expires_at: u64,
}

impl HeldTickets {
    fn held(&self) -> MutexGuard<'_, HashMap<[u8; 32], Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TicketStore for HeldTickets {
    fn put(
        &self,
        ticket: [u8; 32],
        value: Bytes,
        lasts: Duration,
        now: u64,
    ) -> StoreResult<'_, ()> {
        Box::pin(async move {
            let mut held = self.held();
            if held.len() >= MAX_TICKETS {
                held.retain(|_, held| held.expires_at > now);
            }
            if held.len() >= MAX_TICKETS {
                return Err(StoreError::Full);
            }
            let lasts = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
            let expires_at = now.saturating_add(lasts);
            held.insert(ticket, Held { value, expires_at });
            Ok(())
        })
    }

    fn take(&self, ticket: [u8; 32], now: u64) -> StoreResult<'_, Option<Bytes>> {
        Box::pin(async move {
            let held = self.held().remove(&ticket);
            Ok(held
                .filter(|held| held.expires_at > now)
                .map(|held| held.value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const LASTS: Duration = Duration::from_secs(30);

    fn name(number: usize) -> [u8; 32] {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        name
    }

    fn put(tickets: &HeldTickets, number: usize, now: u64) -> Result<(), StoreError> {
        let put = tickets.put(name(number), Bytes::from_static(b"anna"), LASTS, now);
        put.now_or_never().unwrap()
    }

    fn take(tickets: &HeldTickets, number: usize, now: u64) -> Option<Bytes> {
        let taken = tickets.take(name(number), now).now_or_never().unwrap();
        taken.unwrap()
    }

    #[test]
    fn a_ticket_is_good_once_and_for_a_while() {
        let tickets = HeldTickets::default();
        put(&tickets, 1, 0).unwrap();
        put(&tickets, 2, 0).unwrap();
        assert_eq!(take(&tickets, 1, 29_999).as_deref(), Some(&b"anna"[..]));
        assert_eq!(take(&tickets, 1, 29_999), None);
        assert_eq!(take(&tickets, 2, 30_000), None);
        assert_eq!(take(&tickets, 3, 0), None);
    }

    #[test]
    fn so_many_may_wait() {
        let tickets = HeldTickets::default();
        for number in 0..MAX_TICKETS {
            put(&tickets, number, 0).unwrap();
        }
        assert_eq!(put(&tickets, MAX_TICKETS, 0), Err(StoreError::Full));
        put(&tickets, MAX_TICKETS, 30_000).unwrap();
        assert_eq!(tickets.held().len(), 1, "old ones are forgotten");
    }
}
