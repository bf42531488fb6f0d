//! On whose account the questions of one analysis are asked.

use crate::page::Picture;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Whose budget an analysis takes from, and the tries after failures that its questions share.
#[derive(Debug)]
pub struct Account {
    /// The name of the caller's key; `None` without one.
    pub key: Option<Arc<str>>,
    /// See [`Wishes::salt`](crate::analysis::Wishes::salt).
    pub(super) salt: u64,
    /// How the page looked that the questions were read from.
    pub picture: Option<Picture>,
    retries_left: AtomicU32,
}

impl Account {
    /// Opens an account with this many tries after failures.
    pub fn new(key: Option<Arc<str>>, salt: u64, retries: u32) -> Arc<Self> {
        Arc::new(Self {
            key,
            salt,
            picture: None,
            retries_left: AtomicU32::new(retries),
        })
    }

    /// Returns the account with a picture of the page; what was taken from it stays taken.
    pub fn seeing(&self, picture: Option<Picture>) -> Arc<Self> {
        Arc::new(Self {
            key: self.key.clone(),
            salt: self.salt,
            picture,
            retries_left: AtomicU32::new(self.retries_left.load(Ordering::Relaxed)),
        })
    }

    /// Takes one of the tries; false when none is left.
    pub(super) fn take_retry(&self) -> bool {
        // Nothing else is published through the number.
        let taken = self
            .retries_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        taken.is_ok()
    }
}
