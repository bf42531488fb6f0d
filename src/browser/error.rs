//! What can go wrong with Chromium or with a page in it.

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    /// There is no Chromium, or it does not start.
    #[error("{0}")]
    Unavailable(String),
    /// It is gone: it crashed or was ended.
    #[error("the browser is gone")]
    Gone,
    /// The page's own process crashed.
    #[error("the page crashed")]
    PageCrashed,
    /// Something took longer than it may.
    #[error("no answer in time")]
    TimedOut,
    /// The page made more requests than it may.
    #[error("the page makes too many requests")]
    TooManyRequests,
    /// Chromium refused a command.
    #[error("the browser refuses {command}: {reason}")]
    Refused {
        /// The command.
        command: String,
        /// Its words.
        reason: String,
    },
}
