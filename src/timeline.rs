//! Timeline: answers and timing in, segments out; the value at any moment is a pure function of both.

use serde::{Deserialize, Serialize};

/// What a second show on a busy channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenBusy {
    /// Plays after the running one.
    Queue,
    /// Takes its place at once.
    Replace,
    /// Is refused.
    Reject,
}
