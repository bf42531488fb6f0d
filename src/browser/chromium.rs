//! One running Chromium.

use super::{
    cdp::Cdp,
    error::BrowserError,
    memory,
    process::Process,
    program,
    tab::{Tab, TabConfig},
};
use crate::page::Permit;
use std::{path::Path, sync::Mutex, sync::PoisonError};
use tokio::time::Instant;

/// See the module. Killed when dropped; [`Chromium::end`] also waits until nothing is left.
#[derive(Debug)]
pub struct Chromium {
    process: Mutex<Option<Process>>,
    cdp: Cdp,
}

impl Chromium {
    /// Starts a Chromium that introduces itself as `agent`, and loads images if it is to.
    ///
    /// # Errors
    /// [`BrowserError::Unavailable`] with the reason.
    pub async fn launch(
        program: &Path,
        agent: &str,
        images: bool,
        deadline: Instant,
    ) -> Result<Self, BrowserError> {
        let arguments = |profile: &Path| program::arguments(agent, images, profile);
        let process = Process::start(program, arguments, deadline).await?;
        let cdp = Cdp::connect(&process.devtools, deadline).await?;
        Ok(Self {
            process: Mutex::new(Some(process)),
            cdp,
        })
    }

    /// Is ready once Chromium is gone, by itself or by somebody's hand.
    pub async fn gone(&self) {
        self.cdp.closed().await;
    }

    /// Opens an empty page whose way out is the proxy at `proxy`, and which asks `permit` before it goes anywhere.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub async fn open<'a>(
        &self,
        proxy: &str,
        config: TabConfig,
        permit: Option<&'a dyn Permit>,
        deadline: Instant,
    ) -> Result<Tab<'a>, BrowserError> {
        Tab::open(self.cdp.clone(), proxy, config, permit, deadline).await
    }

    /// Opens and closes a page that needs nothing, to see that Chromium still does its work.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub async fn prove(&self, deadline: Instant) -> Result<(), BrowserError> {
        // Nothing is loaded, so the way out leads nowhere.
        let mut tab = self
            .open("http://127.0.0.1:1", TabConfig::default(), None, deadline)
            .await?;
        tab.prove(deadline).await
    }

    /// Returns the bytes of memory that its processes take, shared ones by their share; `None` where that cannot be known.
    pub fn memory(&self) -> Option<u64> {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        memory::of(&process.as_ref()?.members())
    }

    /// Ends it, and returns when nothing of it is left.
    pub async fn end(&self) {
        let process = self
            .process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(process) = process {
            process.end().await;
        }
    }
}
