//! Tickets in Redis: issued by one process, used on another, once.

use super::Link;
use crate::{
    hex::Hex,
    store::{StoreResult, TicketStore},
};
use bytes::Bytes;
use fred::{interfaces::KeysInterface as _, types::Expiration};
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct RedisTickets(Link);

impl RedisTickets {
    /// Creates the store.
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    fn key(&self, ticket: [u8; 32]) -> String {
        self.0.key(&format!("ticket:{}", Hex(&ticket)))
    }
}

impl TicketStore for RedisTickets {
    fn put(&self, ticket: [u8; 32], value: Bytes, lasts: Duration, _: u64) -> StoreResult<'_, ()> {
        Box::pin(async move {
            let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
            let expiry = Some(Expiration::PX(lasts));
            let set = self
                .0
                .client()
                .set(self.key(ticket), value, expiry, None, false);
            self.0.call(set).await
        })
    }

    fn take(&self, ticket: [u8; 32], _: u64) -> StoreResult<'_, Option<Bytes>> {
        Box::pin(async move { self.0.call(self.0.client().getdel(self.key(ticket))).await })
    }
}
