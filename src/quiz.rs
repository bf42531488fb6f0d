//! Questions as people write them: the types that every part shares, and the file formats they come in.
//!
//! Pure: no actor, no clock, no socket.

pub mod aiken;
pub mod check;
pub mod file;
pub mod fingerprint;
pub mod gift;
mod html;
pub mod json;
pub mod moodle;
pub(crate) mod node;
pub mod open_trivia;
mod place;
pub mod problem;
pub mod qti;
pub mod request;
pub mod write;
mod xml;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fewest options a question may have.
pub const MIN_OPTIONS: usize = 2;
/// Most options a question may have: one letter each, A to Z.
pub const MAX_OPTIONS: usize = 26;

/// An option's place in its question as a person counts it: the first option is 1.
pub type OptionNumber = u32;

/// How many options are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Exactly one option is right.
    #[default]
    Single,
    /// One or more options are right.
    Multiple,
    /// Two options, a statement that holds or does not.
    TrueFalse,
}

/// One multiple-choice question. Text is plain Unicode, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// What is asked.
    #[serde(rename = "question")]
    pub text: String,
    /// The options in the order people see them, 2 to 26 of them.
    #[serde(rename = "answers")]
    pub options: Vec<String>,
    /// How many options are right.
    #[serde(default)]
    pub kind: Kind,
    /// The author's key, when the quiz carries one. Never shown to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<Vec<OptionNumber>>,
    /// The author's name for the question, echoed in the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}
