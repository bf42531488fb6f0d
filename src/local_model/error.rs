//! What can go wrong between a weights file and an answer.

use crate::provider::ProviderError;
use std::path::Path;
use thiserror::Error;

/// Why the local model cannot answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ModelError {
    /// The weights file cannot be opened or is not what it says it is.
    #[error("cannot read the model file {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system or the reader said.
        reason: String,
    },
    /// The file is fine, but this engine cannot run it.
    #[error("{0}")]
    Unsupported(String),
    /// No weights where the configuration points.
    #[error("{0}")]
    Missing(String),
    /// The question does not fit into the model's context.
    #[error(
        "the question takes {tokens} tokens, the local model reads at most {limit}: shorten it"
    )]
    TooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// Most tokens the model reads.
        limit: usize,
    },
    /// The deadline passed, or nobody waits for the answer any more.
    #[error("the local model was interrupted")]
    Interrupted,
    /// The arithmetic failed: a fault of the file or of this program.
    #[error("the local model failed: {0}")]
    Compute(String),
}

impl ModelError {
    /// Returns the error for a `path` that could not be read because of `reason`.
    pub(crate) fn unreadable(path: &Path, reason: impl ToString) -> Self {
        Self::Unreadable {
            path: path.display().to_string(),
            reason: reason.to_string(),
        }
    }
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        // Candle appends a backtrace on further lines; the first says what happened.
        Self::Compute(
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

impl From<ModelError> for ProviderError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Interrupted => Self::Timeout,
            ModelError::TooLong { .. } => Self::TooLong(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
