//! Which build this is.

/// The crate's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was built from, as `QUIZ_STATS_COMMIT` said at build time.
pub const COMMIT: &str = match option_env!("QUIZ_STATS_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};
