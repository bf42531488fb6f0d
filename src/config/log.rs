//! `[log]`: logs.

use super::setting::choice;
use super::{check::Check, section::section};
use tracing_subscriber::EnvFilter;

section! {
    /// Logs.
    [log] Log {
        /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,quiz_stats=debug`. Alias `LOG_LEVEL`.
        level: String = "info".to_owned(),
        /// `text` or `json`.
        format: Format = Format::Text,
    }
}

impl Log {
    fn validate(&self, check: &mut Check<'_>) {
        if let Err(problem) = filter(&self.level) {
            check.that("level", false, problem);
        }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

choice!(Format { Text = "text", Json = "json" });

/// Reads a log filter.
///
/// # Errors
/// What is wrong, for people. A bare word that is no level is refused: it would silence everything but a target
/// of that name.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let right = "must be error, warn, info, debug, trace or a filter such as info,quiz_stats=debug";
    let is_bare_word =
        |part: &str| !part.contains('=') && !LEVELS.contains(&part.to_lowercase().as_str());
    if level.split(',').map(str::trim).any(is_bare_word) {
        return Err(right.to_owned());
    }
    EnvFilter::builder()
        .parse(level)
        .map_err(|error| format!("{right}: {error}"))
}
