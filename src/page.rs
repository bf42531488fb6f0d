//! A page as clients ask for it, and what was found on it (contracts, section 1). Plain data: no browser, no socket.

use crate::{
    analysis::{Failure, FailureCode},
    quiz::{Question, problem::Problem},
};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When to try again where nobody can read pages, in seconds: a scraper that restarts is back by then.
const UNAVAILABLE_RETRY_S: u64 = 5;

/// A page whose questions are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where it is.
    pub source: PageSource,
    /// Whether to go on with "next" where a page shows one question at a time.
    pub follow: bool,
    /// Whether to open it in Chromium even when the plain response holds questions.
    pub render: bool,
}

/// Where a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageSource {
    /// At an address.
    Url(String),
    /// Here: its markup.
    Html(String),
}

/// Which way a page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// From the plain response to one request.
    Http,
    /// From the markup that came with the request.
    Html,
    /// In Chromium.
    Browser,
}

impl Via {
    /// Returns the word that clients and metrics see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Html => "html",
            Self::Browser => "browser",
        }
    }
}

/// Decides where a page that is open in Chromium may go: by a redirect, a script, or a click on "next".
pub trait Permit: std::fmt::Debug + Send + Sync {
    /// Returns whether the page may go to an address.
    fn may_visit<'a>(&'a self, url: &'a str) -> BoxFuture<'a, bool>;

    /// Returns whether the page may show an address in a frame.
    fn may_show<'a>(&'a self, url: &'a str) -> BoxFuture<'a, bool>;

    /// Returns why it was kept from the latest address that it might not go to.
    fn refused(&self) -> Option<PageError>;
}

/// Milliseconds that each step took; 0 where a step was not needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Timings {
    /// Waiting for a place, for robots.txt and for the host's turn.
    pub wait_ms: u64,
    /// The plain request.
    pub fetch_ms: u64,
    /// Chromium: from opening the page to its snapshot.
    pub render_ms: u64,
    /// Finding the questions.
    pub extract_ms: u64,
    /// All of it.
    pub total_ms: u64,
}

/// A page with its questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundPage {
    /// Its address after redirects; `None` for markup.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Which way it was read.
    pub via: Via,
    /// Its questions in the order of the page, at least one.
    pub questions: Vec<Question>,
    /// What a reader should know: questions that are hidden, or were left out.
    pub notes: Vec<String>,
    /// How long it took.
    pub timings: Timings,
    /// How it looked, where a question needs that and a model may see it. It stays within the process.
    #[serde(skip)]
    #[schemars(skip)]
    pub picture: Option<Picture>,
}

/// A picture of a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// JPEG, in base64.
    pub base64: std::sync::Arc<str>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} KiB)", self.base64.len() * 3 / 4 / 1_024)
    }
}

/// The answer of `POST /api/scrape`, which is also a quiz file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scraped<'a> {
    status: &'static str,
    question_count: usize,
    #[serde(flatten)]
    found: &'a FoundPage,
}

impl<'a> From<&'a FoundPage> for Scraped<'a> {
    fn from(found: &'a FoundPage) -> Self {
        Self {
            status: "success",
            question_count: found.questions.len(),
            found,
        }
    }
}

/// Why a page was refused. Never says what a name resolved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockReason {
    /// Its robots.txt does not want us.
    Robots,
    /// Its address, port or domain may not be visited from here.
    Address,
}

/// Why a page did not load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// Its name is not known.
    Dns,
    /// Nobody listens there, or the connection broke.
    Refused,
    /// No trust in its certificate.
    Tls,
    /// It took too long.
    Timeout,
    /// It is larger than allowed, or asks for too much.
    TooLarge,
    /// Its server answered with an error.
    HttpStatus,
    /// It is no web page.
    NotAPage,
    /// It redirects without end.
    Redirects,
    /// Chromium, or its tab, crashed over it.
    Crashed,
    /// It needs Chromium, and there is none.
    NoBrowser,
}

impl BlockReason {
    /// Returns the word that clients and metrics see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Robots => "robots",
            Self::Address => "address",
        }
    }
}

impl FailReason {
    /// Returns the word that clients and metrics see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::HttpStatus => "http_status",
            Self::NotAPage => "not_a_page",
            Self::Redirects => "redirects",
            Self::Crashed => "crashed",
            Self::NoBrowser => "no_browser",
        }
    }
}

/// Why a page gave no questions. Texts are for people and name no address but the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// It was read, and holds no question.
    #[error("no questions were found on the page{0}")]
    NoQuestions(String),
    /// It may not be read.
    #[error("{1}")]
    Blocked(BlockReason, String),
    /// It could not be read.
    #[error("{1}")]
    Failed(FailReason, String),
    /// Nobody is there to read it now.
    #[error("pages cannot be read now: {0}")]
    Unavailable(&'static str),
    /// Too many pages wait.
    #[error("too many pages are waiting: try again in {} s", .0.as_secs())]
    Overloaded(Duration),
}

impl PageError {
    /// Returns the outcome that metrics count.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::NoQuestions(_) => "no_questions",
            Self::Blocked(..) => "blocked",
            Self::Failed(..) => "failed",
            Self::Unavailable(_) | Self::Overloaded(_) => "overloaded",
        }
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        let told = error.to_string();
        let (code, reason) = match error {
            PageError::NoQuestions(_) => (FailureCode::NoQuestionsFound, None),
            PageError::Blocked(reason, _) => (FailureCode::PageBlocked, Some(reason.word())),
            PageError::Failed(reason, _) => (FailureCode::PageFailed, Some(reason.word())),
            PageError::Unavailable(_) => {
                return Self {
                    retry_after: Some(UNAVAILABLE_RETRY_S),
                    ..Self::new(FailureCode::Overloaded, told)
                };
            }
            PageError::Overloaded(wait) => {
                return Self {
                    retry_after: Some(wait.as_secs().max(1)),
                    ..Self::new(FailureCode::Overloaded, told)
                };
            }
        };
        Self {
            details: reason
                .map(|reason| Problem::new("reason", reason))
                .into_iter()
                .collect(),
            ..Self::new(code, told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_in_the_details() {
        let failure = Failure::from(PageError::Failed(FailReason::Dns, "no such name".into()));
        assert_eq!(failure.code, FailureCode::PageFailed);
        assert_eq!(failure.details, [Problem::new("reason", "dns")]);
        let failure = Failure::from(PageError::NoQuestions(String::new()));
        assert!(failure.details.is_empty());
        let failure = Failure::from(PageError::Overloaded(Duration::ZERO));
        assert_eq!(
            (failure.code, failure.retry_after),
            (FailureCode::Overloaded, Some(1))
        );
    }

    #[test]
    fn words_are_those_of_the_serialised_form() {
        let json = |reason| serde_json::to_value(reason).unwrap();
        for reason in [FailReason::TooLarge, FailReason::NotAPage, FailReason::Dns] {
            assert_eq!(json(reason), reason.word());
        }
        assert_eq!(
            serde_json::to_value(Via::Browser).unwrap(),
            Via::Browser.word()
        );
    }
}
