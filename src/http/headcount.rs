//! Headcount: how many of something each client has, up to a limit.

use crate::actors::rate_limiter::Client;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// See the module. Cheap to clone. Clients that have none take no memory.
#[derive(Clone)]
pub(super) struct Headcount {
    most: usize,
    counts: Arc<Mutex<HashMap<Client, usize>>>,
}

/// One that a client has. Given back when dropped.
pub(super) struct Counted {
    of: Headcount,
    client: Client,
}

impl Headcount {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    /// Counts one more; `None` when the client has as many as it may.
    pub(super) fn take(&self, client: Client) -> Option<Counted> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counted {
            of: self.clone(),
            client,
        })
    }

    /// Returns whether nobody has any.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.counts.lock().unwrap().is_empty()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let counts = &self.of.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}
