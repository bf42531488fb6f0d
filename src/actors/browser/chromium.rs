//! One Chromium as its owner sees it: how many pages use it, how long it has run, how it is.

use super::{BrowserMsg, Lease};
use crate::{
    browser::{BrowserError, Chromium, memory_limit},
    config,
    runtime::{Bell, Envelope},
};
use ractor::ActorRef;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::debug;

/// See the module.
pub(super) struct Running {
    pub(super) number: u64,
    pub(super) chromium: Arc<Chromium>,
    started: Instant,
    /// Pages that were opened in it.
    opened: u32,
    /// Pages that are open.
    open: u32,
    /// Whether somebody looks at it now.
    under_check: bool,
}

impl Running {
    pub(super) fn new(number: u64, chromium: Arc<Chromium>) -> Self {
        Self {
            number,
            chromium,
            started: Instant::now(),
            opened: 0,
            open: 0,
            under_check: false,
        }
    }

    pub(super) fn lend(&mut self, owner: &ActorRef<Envelope<BrowserMsg>>) -> Lease {
        self.opened += 1;
        self.open += 1;
        Lease {
            chromium: Arc::clone(&self.chromium),
            number: self.number,
            _bell: Bell::new(owner, Envelope::internal(BrowserMsg::Released(self.number))),
        }
    }

    pub(super) fn take_back(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    pub(super) const fn pages(&self) -> u32 {
        self.open
    }

    pub(super) const fn is_unused(&self) -> bool {
        self.open == 0
    }

    /// Returns why it should be replaced, if it should.
    pub(super) fn is_worn(&self, config: &config::Browser) -> Option<&'static str> {
        if self.opened >= config.max_pages {
            return Some("pages");
        }
        (self.started.elapsed() >= Duration::from_millis(config.max_age_ms)).then_some("age")
    }

    /// Returns what is to be looked at, unless somebody does already.
    pub(super) fn begin_check(&mut self) -> Option<Arc<Chromium>> {
        let free = !std::mem::replace(&mut self.under_check, true);
        free.then(|| Arc::clone(&self.chromium))
    }

    pub(super) const fn end_check(&mut self) {
        self.under_check = false;
    }
}

/// How a Chromium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does its work.
    Well,
    /// It does not open an empty page in time.
    Hangs,
    /// It takes more memory than it may.
    Large,
}

impl Verdict {
    /// Looks at a Chromium.
    pub(super) async fn on(chromium: &Arc<Chromium>, config: &config::Browser) -> Self {
        let deadline = Instant::now() + Duration::from_millis(config.check_timeout_ms);
        match chromium.prove(deadline).await {
            // One that is gone is heard of in another way.
            Ok(()) | Err(BrowserError::Gone) => {}
            Err(error) => {
                debug!(%error, "Chromium does not open an empty page");
                return Self::Hangs;
            }
        }
        let limit = config
            .memory_limit_bytes
            .or_else(|| Some(memory_limit()? / 5 * 3));
        let weighed = Arc::clone(chromium);
        let takes = tokio::task::spawn_blocking(move || weighed.memory()).await;
        match (takes, limit) {
            (Ok(Some(bytes)), Some(limit)) if bytes > limit => Self::Large,
            _ => Self::Well,
        }
    }
}
