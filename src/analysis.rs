//! An analysis as clients see it: results, usage, report, failure (contracts, section 1).

use crate::{
    page::{FoundPage, Timings, Via},
    quiz::{OptionNumber, Question, problem::Problem},
    solve::Method,
    store::Position,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A model was asked for this question.
    Model,
    /// It was known.
    Cache,
    /// Somebody else was asking the same at that moment.
    Coalesced,
}

impl Source {
    /// Returns the label used in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Cache => "cache",
            Self::Coalesced => "coalesced",
        }
    }
}

/// The outcome for one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuestionResult {
    /// The question's number, counted from 1.
    pub index: u32,
    /// The author's name for the question.
    pub id: Option<String>,
    /// The first of the selected options; `None` when the question could not be answered.
    pub answer: Option<OptionNumber>,
    /// All selected options.
    pub selected: Vec<OptionNumber>,
    /// Probability that the answer is right, 0 to 1.
    pub confidence: Option<f64>,
    /// One probability per option.
    pub probabilities: Vec<f64>,
    /// Where the answer came from.
    pub source: Option<Source>,
    /// The model that gave it.
    pub model: Option<String>,
    /// How the probabilities were obtained.
    pub method: Option<Method>,
    /// Calls that were made for this question, now.
    pub calls: u32,
    /// `low_confidence`, `ambiguous`, `no_good_answer`, `needs_image`.
    pub flags: Vec<String>,
    /// Options of which one is right with a probability of 90 %; where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction_set: Option<Vec<OptionNumber>>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// What an analysis cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens the model read.
    pub prompt_tokens: u64,
    /// Tokens the model wrote.
    pub completion_tokens: u64,
    /// Questions whose answer was known.
    pub cached_questions: u32,
    /// Questions that somebody else was asking at that moment.
    pub coalesced_questions: u32,
    /// US dollars, by the configured prices.
    #[serde(default)]
    pub cost_usd: f64,
}

/// What a client wishes of an analysis, beside its questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The name of the client's key: whose budget it takes from.
    pub key: Option<std::sync::Arc<str>>,
    /// What known answers are good for.
    pub cache: CacheUse,
    /// Whether each result tells its prediction set.
    pub prediction_set: bool,
    /// Decides, with the question, in which orders its options are shown: another one shows them otherwise.
    pub salt: u64,
}

/// What known answers are good for: the directives of a request's `Cache-Control`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// Taken where they are known, and kept.
    #[default]
    Normal,
    /// `no-cache`: asked anew, and kept.
    Refresh,
    /// `no-store`: asked anew, and not kept.
    Bypass,
    /// `only-if-cached`: no model is asked.
    Only,
}

/// When the show plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShowTime {
    /// The timeline's id.
    pub id: String,
    /// When it starts, in milliseconds since the Unix epoch; an estimate while it queues behind another show.
    pub starts_at: u64,
    /// How long it takes, in milliseconds.
    pub duration_ms: u64,
}

/// Questions that were read from a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// Where they come from.
    pub page: Page,
    /// The questions, in order.
    pub questions: Vec<Question>,
}

/// A page that questions were read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Its address after redirects; `None` for markup.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Which way it was read.
    pub via: Via,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// How long it took.
    pub timings: Timings,
}

impl From<FoundPage> for Found {
    fn from(found: FoundPage) -> Self {
        Self {
            page: Page {
                url: found.url,
                title: found.title,
                via: found.via,
                notes: found.notes,
                timings: found.timings,
            },
            questions: found.questions,
        }
    }
}

/// What became of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Still at work; `results` holds what is known.
    Running,
    /// Finished, with at least one answer.
    Success,
    /// Failed; `failure` says why.
    Error,
    /// Cancelled by a client.
    Cancelled,
}

/// An analysis, running or finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What became of it.
    pub status: Status,
    /// One entry per question, in order.
    pub answers: Vec<Option<OptionNumber>>,
    /// How many questions there are.
    pub question_count: u32,
    /// The outcome in words.
    pub message: String,
    /// The analysis' id.
    pub analysis_id: String,
    /// Where it is shown.
    pub channel: String,
    /// Where the channel's stream stood after its last event; `None` when nothing was published.
    pub position: Option<Position>,
    /// The questions' outcomes, in order; while it runs, those known so far.
    pub results: Vec<QuestionResult>,
    /// What it cost.
    pub usage: Usage,
    /// When the show plays; `None` without a show.
    pub timeline: Option<ShowTime>,
    /// Where the questions were found, and which; `None` when the client sent them.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// What the client sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Value>,
    /// Why it failed.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Report {
    /// Returns whether the process ended before the analysis did.
    pub fn was_interrupted(&self) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| failure.code == FailureCode::Interrupted)
    }
}

/// Why an analysis failed as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What a program tests.
    pub code: FailureCode,
    /// The reason in words.
    pub error: String,
    /// Seconds after which to try again.
    #[serde(
        rename = "retryAfter",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after: Option<u64>,
    /// What a program may want to know of the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Problem>,
}

/// Kinds of failure (contracts, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The model was asked and gave no usable answer to any question.
    AiFailed,
    /// The model cannot be asked now.
    AiUnavailable,
    /// There is no budget left for the model.
    BudgetExhausted,
    /// No answer is known, and no model was to be asked.
    NotCached,
    /// The question cannot be answered without seeing its picture.
    NeedsImage,
    /// It took too long.
    TimedOut,
    /// A queue was full.
    Overloaded,
    /// The page was read and holds no question.
    NoQuestionsFound,
    /// The page may not be read.
    PageBlocked,
    /// The page did not load.
    PageFailed,
    /// The channel plays another show, and `timeline.when_busy` is `reject`.
    ChannelBusy,
    /// The process is shutting down.
    Draining,
    /// The process ended before the analysis did.
    Interrupted,
    /// A defect in the program; the log says more.
    Internal,
}

impl FailureCode {
    /// Returns its name, as clients and logs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AiFailed => "ai_failed",
            Self::AiUnavailable => "ai_unavailable",
            Self::BudgetExhausted => "budget_exhausted",
            Self::NotCached => "not_cached",
            Self::NeedsImage => "needs_image",
            Self::TimedOut => "timed_out",
            Self::Overloaded => "overloaded",
            Self::NoQuestionsFound => "no_questions_found",
            Self::PageBlocked => "page_blocked",
            Self::PageFailed => "page_failed",
            Self::ChannelBusy => "channel_busy",
            Self::Draining => "draining",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }
}

impl Failure {
    /// Creates a failure without advice on when to try again.
    pub fn new(code: FailureCode, error: impl Into<String>) -> Self {
        Self {
            code,
            error: error.into(),
            retry_after: None,
            details: Vec::new(),
        }
    }

    /// Creates the failure of a queue that was full.
    pub fn overloaded() -> Self {
        let error = "too much work is waiting: try again in a second";
        Self {
            retry_after: Some(1),
            ..Self::new(FailureCode::Overloaded, error)
        }
    }

    /// Creates the failure of an actor that died over the work.
    pub fn internal() -> Self {
        Self::new(
            FailureCode::Internal,
            "the work was lost to a fault inside the server: try again",
        )
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match error {
            StoreError::Unreachable | StoreError::Conflict | StoreError::Full => Self {
                error: format!("{error}: try again in a second"),
                ..Self::overloaded()
            },
            StoreError::Failed(_) | StoreError::InUse(_) => Self::internal(),
        }
    }
}

impl From<crate::runtime::AskError> for Failure {
    fn from(error: crate::runtime::AskError) -> Self {
        match error {
            crate::runtime::AskError::Overloaded => Self::overloaded(),
            crate::runtime::AskError::Down => Self::internal(),
            crate::runtime::AskError::TimedOut => {
                Self::new(FailureCode::TimedOut, "the server took too long")
            }
        }
    }
}
