//! What one page may use, what it has used, and which hosts it could not reach.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// Most hosts whose fault is remembered: the page's own is among the first.
const MAX_FAULTS: usize = 64;

/// Most that a page may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes, in both directions together, as they are on the wire.
    pub bytes: u64,
    /// Connections, and requests that can be told apart on them.
    pub connections: u32,
}

/// Why a host was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It may not be visited.
    Blocked,
    /// It only measures, and was left out.
    Tracker,
    /// Its name is not known.
    Dns,
    /// Nobody listens there, or the connection broke.
    Refused,
    /// It did not answer in time.
    Timeout,
}

/// See the module.
#[derive(Debug)]
pub struct Meter {
    budget: Budget,
    bytes: AtomicU64,
    connections: AtomicU32,
    requests: AtomicU32,
    exhausted: Notify,
    faults: Mutex<HashMap<String, Fault>>,
}

impl Meter {
    /// Starts at nothing.
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            bytes: AtomicU64::new(0),
            connections: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            exhausted: Notify::new(),
            faults: Mutex::default(),
        }
    }

    /// Counts bytes; whether they were within the budget.
    pub(super) fn count_bytes(&self, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.within(before.saturating_add(bytes as u64) <= self.budget.bytes)
    }

    /// Counts a connection; whether it was within the budget.
    pub(super) fn count_connection(&self) -> bool {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        self.within(before < self.budget.connections)
    }

    /// Counts a request; whether it was within the budget.
    pub(super) fn count_request(&self) -> bool {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        self.within(before < self.budget.connections)
    }

    fn within(&self, holds: bool) -> bool {
        if !holds {
            self.exhausted.notify_waiters();
        }
        holds
    }

    /// Returns whether more was asked for than the budget holds.
    pub fn is_exhausted(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.budget.bytes
            || self.connections.load(Ordering::Relaxed) > self.budget.connections
            || self.requests.load(Ordering::Relaxed) > self.budget.connections
    }

    /// Is ready once the budget is exhausted.
    pub async fn exhausted(&self) {
        let mut notified = std::pin::pin!(self.exhausted.notified());
        // Registered first, so that no notice falls between the look and the wait.
        notified.as_mut().enable();
        if !self.is_exhausted() {
            notified.await;
        }
    }

    /// Returns the bytes that have passed.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, host: &str, port: u16, fault: Fault) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < MAX_FAULTS {
            faults.insert(key(host, port), fault);
        }
    }

    /// Returns why a host was not reached, if it was asked for and not reached.
    pub fn fault(&self, host: &str, port: u16) -> Option<Fault> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.get(&key(host, port)).copied()
    }
}

fn key(host: &str, port: u16) -> String {
    format!("{}:{port}", host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_budget_ends_exactly() {
        let meter = Meter::new(Budget {
            bytes: 10,
            connections: 2,
        });
        assert!(
            meter.count_bytes(4)
                && meter.count_bytes(6)
                && meter.count_connection()
                && meter.count_connection()
        );
        assert!(!meter.is_exhausted());
        let waits = tokio::time::timeout(std::time::Duration::from_secs(1), meter.exhausted());
        assert!(waits.await.is_err());
        assert!(!meter.count_bytes(1) && meter.is_exhausted());
        meter.exhausted().await;
    }

    #[test]
    fn faults_are_bounded() {
        let meter = Meter::new(Budget {
            bytes: 1,
            connections: 1,
        });
        for port in 0..1_000 {
            meter.note("A.example", port, Fault::Dns);
        }
        assert_eq!(meter.fault("a.example", 0), Some(Fault::Dns));
        assert_eq!(meter.fault("a.example", 999), None);
    }
}
