//! The body of `POST /api/analyze` as it is when it is well-formed: what the descriptions say, and one serde pass.

use super::{
    AnalyzeRequest, CHANNEL_PATTERN, MAX_URL_CHARS, Subject, TimingOverride, read_timestamp,
};
use crate::{
    quiz::{
        json::WireQuestions,
        node::{Node, Object},
        problem::Problems,
    },
    timeline::WhenBusy,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// A request as serde reads it in one pass. What names a page, and what it does not know, the slow reader judges.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AnalyzeRequest")]
pub(crate) struct WireRequest {
    /// The questions.
    questions: Option<WireQuestions>,
    /// The address of a page whose questions are asked.
    #[schemars(length(max = MAX_URL_CHARS), regex(pattern = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://"))]
    url: Option<String>,
    /// The markup of a page whose questions are asked.
    html: Option<String>,
    /// Whether to go on with "next" where a page shows one question at a time.
    follow: Option<bool>,
    /// Whether to open the page in Chromium even when the plain response holds questions.
    render: Option<bool>,
    /// Where the show plays; `default` when left out.
    #[schemars(regex(pattern = CHANNEL_PATTERN))]
    channel: Option<String>,
    /// Whether there is a show; true when left out.
    animate: Option<bool>,
    /// What the client wants different from the configured timing.
    timing: Option<Object<TimingOverride>>,
    /// What to do on a busy channel; as configured when left out.
    when_busy: Option<WhenBusy>,
    /// Whether each result tells the options of which one is right with a probability of 90 %; false when left out.
    prediction_set: Option<bool>,
    /// Anything; comes back as it was.
    #[schemars(with = "Option<Value>")]
    timestamp: Option<Node>,
}

impl WireRequest {
    /// Returns what it asks for, if that is no page.
    pub(super) fn plain(self, problems: &mut Problems) -> Option<AnalyzeRequest> {
        if self.url.is_some() || self.html.is_some() || self.follow.or(self.render).is_some() {
            return None;
        }
        let questions = self.questions?.into_iter();
        Some(AnalyzeRequest {
            subject: Subject::Questions(
                questions.map(|Object(question)| question.into()).collect(),
            ),
            channel: self.channel,
            animate: self.animate.unwrap_or(true),
            timing: self.timing.map(|Object(timing)| timing),
            when_busy: self.when_busy,
            prediction_set: self.prediction_set.unwrap_or(false),
            timestamp: self
                .timestamp
                .and_then(|node| read_timestamp(node, problems)),
        })
    }
}
