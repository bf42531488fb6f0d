//! How a page is read: by this process (plain request first, Chromium where needed), or by a remote scraper.

mod charset;
mod extractor;
mod fetch;
pub mod limits;
pub mod local;
mod manners;
pub mod remote;
#[cfg(feature = "browser")]
mod render;
#[cfg(not(feature = "browser"))]
#[path = "scrape/render_absent.rs"]
mod render;
mod robots;
mod trouble;
mod turns;

pub(crate) use charset::decode;

use crate::{
    actors::tree::Mailboxes,
    config::Settings,
    page::{FoundPage, PageError, PageRequest},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::time::Instant;

/// Something that finds the questions of a page.
pub trait PageReader: Send + Sync + 'static {
    /// Says whether every page can be read now; otherwise what to change.
    ///
    /// # Errors
    /// The reason, for people.
    fn availability(&self) -> Result<(), String>;

    /// Waits until the site of a page lets us read it, before a place is taken for it.
    ///
    /// # Errors
    /// When it does not want us, cannot be asked, or its turn is too far away.
    fn wait_turn<'a>(
        &'a self,
        _: &'a PageRequest,
        _: Instant,
    ) -> BoxFuture<'a, Result<(), PageError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns whether a page is worth a second try after Chromium has died over it.
    fn tries_again(&self) -> bool {
        true
    }

    /// Reads a page by `deadline`.
    ///
    /// # Errors
    /// Why there are no questions; see [`PageError`].
    fn read<'a>(
        &'a self,
        page: &'a PageRequest,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<FoundPage, PageError>>;
}

/// Returns the reader that the settings ask for.
///
/// # Errors
/// When the settings do not make one.
pub fn from_settings(
    settings: &Settings,
    mailboxes: &Mailboxes,
) -> anyhow::Result<Arc<dyn PageReader>> {
    Ok(match settings.scraper.remote_url {
        Some(_) => Arc::new(remote::RemoteReader::new(&settings.scraper)?),
        None => Arc::new(local::LocalReader::new(settings, mailboxes)),
    })
}
