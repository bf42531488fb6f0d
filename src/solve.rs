//! From a question to an answer that can be shown: prompts, reading replies, scoring. Pure.

pub mod calibration;
pub mod decide;
pub mod evaluation;
pub mod evidence;
pub mod logprobs;
pub mod order;
pub mod prior;
pub mod prompt;
pub mod reply;
pub mod seen;

use crate::quiz::OptionNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a probability was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Log-probabilities of the option letters after one forward pass.
    Logprobs,
    /// Log-likelihood of each option's text given the question.
    Likelihood,
    /// The model's own stated confidence in a structured reply.
    Stated,
    /// A letter found in a free-text reply.
    Parsed,
}

impl Method {
    /// Returns its name, as results have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logprobs => "logprobs",
            Self::Likelihood => "likelihood",
            Self::Stated => "stated",
            Self::Parsed => "parsed",
        }
    }
}

/// What a model said about one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solution {
    /// One probability per option, in the question's order. For `single` and `true_false` they sum to 1;
    /// for `multiple` each stands for itself.
    pub probabilities: Vec<f64>,
    /// Probability that lay on something else than an option, 0 to 1.
    #[serde(default)]
    pub outside: f64,
    /// How they were obtained.
    pub method: Method,
    /// The model that said so.
    pub model: String,
    /// Tokens read by the model.
    pub prompt_tokens: u64,
    /// Tokens written by the model.
    pub completion_tokens: u64,
    /// Calls that the solution took.
    pub calls: u32,
    /// What they cost in US dollars; 0 where no price is known.
    #[serde(default)]
    pub cost_usd: f64,
}

/// The answer that follows from a [`Solution`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The chosen options in the question's order, never empty.
    pub selected: Vec<OptionNumber>,
    /// Probability that the answer is right, 0 to 1.
    pub confidence: f64,
    /// `low_confidence`, `ambiguous`, `no_good_answer`.
    pub flags: Vec<String>,
    /// One probability per option, as the model's calibration reads them.
    pub probabilities: Vec<f64>,
}
