//! Tickets: what a browser connects with, because it cannot send a header with a WebSocket. Short-lived, and good once,
//! on any process that shares Redis.

use super::{Holder, keys};
use crate::store::{
    StoreError, TicketStore,
    redis::{Link, RedisTickets},
    tickets::HeldTickets,
};
use std::{sync::Arc, time::Duration};

/// How long a ticket waits to be used.
const LASTS: Duration = Duration::from_secs(30);
/// How a ticket begins, so that nobody takes it for a key.
const PREFIX: &str = "qt_";

/// See the module.
pub(in crate::http) struct Tickets(Arc<dyn TicketStore>);

/// A new ticket.
pub(in crate::http) struct Ticket {
    pub(in crate::http) text: String,
    /// In milliseconds since the Unix epoch.
    pub(in crate::http) expires_at: u64,
}

impl Tickets {
    pub(in crate::http) fn new(redis: Option<Link>) -> Self {
        Self(match redis {
            Some(link) => Arc::new(RedisTickets::new(link)),
            None => Arc::new(HeldTickets::default()),
        })
    }

    /// Makes a ticket for a holder. `now` is in milliseconds since the Unix epoch.
    pub(in crate::http) async fn issue(
        &self,
        holder: &Holder,
        now: u64,
    ) -> Result<Ticket, StoreError> {
        let text = keys::secret(PREFIX);
        let json = serde_json::to_vec(holder).expect("a holder is plain data");
        // Nobody who can read the store can use what is in it.
        let hash = keys::hash(&text);
        self.0.put(hash, json.into(), LASTS, now).await?;
        let lasts = u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX);
        Ok(Ticket {
            text,
            expires_at: now.saturating_add(lasts),
        })
    }

    /// Returns whom a ticket is for, the first time.
    pub(super) async fn take(&self, ticket: &str, now: u64) -> Result<Option<Holder>, StoreError> {
        let json = self.0.take(keys::hash(ticket), now).await?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}
