//! Every metric on one screen: name, type, labels, buckets, help.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Only grows, and not by whole numbers: kept as a gauge, for the library counts in whole numbers, and shown as a counter.
    FloatCounter,
    /// Goes up and down.
    Gauge,
    /// Distribution over these upper bounds, and `+Inf`.
    Histogram(&'static [f64]),
}

/// One declared metric.
#[derive(Debug)]
pub struct Declared {
    /// Full name, as Prometheus shows it.
    pub name: &'static str,
    /// Counter, gauge or histogram with its buckets.
    pub kind: Kind,
    /// Label names; their values come from small closed sets, never from free text.
    pub labels: &'static [&'static str],
    /// One sentence for operators.
    pub help: &'static str,
}

/// Requests: from a cached answer in microseconds to an analysis of two minutes.
const REQUEST_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 120.0,
];
/// Steps inside the process: a healthy one takes microseconds, a sick one the senders' time limit.
const INTERNAL_SECONDS: &[f64] = &[
    0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0,
];
/// As OpenTelemetry's conventions for generative AI advise.
const GEN_AI_SECONDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
/// As OpenTelemetry's conventions for generative AI advise: powers of four.
const GEN_AI_TOKEN_COUNT: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Calls for one question: one, a few looks more, a few failures more.
const CALL_COUNT: &[f64] = &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];
/// A probability; finer near 1, where calibration is judged.
const PROBABILITY: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];

/// Declares the metrics and, from the same lines, the list of all.
macro_rules! declare {
    ($($id:ident = $kind:expr, $name:literal, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: Declared = Declared { name: $name, kind: $kind, labels: &[$($label),*], help: $help };
        )*
        /// Every declared metric, besides the standard `process_*` set.
        pub static ALL: &[&Declared] = &[$(&$id),*];
    };
}

use Kind::{Counter, FloatCounter, Gauge, Histogram};

declare! {
    HTTP_REQUESTS = Counter, "http_requests_total", ["method", "route", "status"], "HTTP requests answered.";
    HTTP_DURATION = Histogram(REQUEST_SECONDS), "http_request_duration_seconds", ["method", "route"], "Time from a request's header to its response's header.";
    HTTP_IN_FLIGHT = Gauge, "http_requests_in_flight", [], "HTTP requests being answered now.";
    RATE_LIMIT_EXCEEDED = Counter, "rate_limit_exceeded_total", ["scope"], "Requests refused by a rate limit.";

    WEBSOCKET_CONNECTIONS = Gauge, "websocket_connections", ["channel_class"], "Viewers connected now.";
    WEBSOCKET_MESSAGES_SENT = Counter, "websocket_messages_sent_total", [], "Frames written to viewers.";
    WEBSOCKET_DELIVERY_DELAY = Histogram(INTERNAL_SECONDS), "websocket_delivery_delay_seconds", [], "Time from publishing an event to writing it to a viewer's socket.";
    WEBSOCKET_CLOSED = Counter, "websocket_closed_total", ["reason"], "Viewer connections closed.";
    WEBSOCKET_RECOVERIES = Counter, "websocket_recoveries_total", ["outcome"], "Viewers that came back with a stream position.";

    OPENAI_REQUESTS = Counter, "openai_requests_total", ["model", "outcome"], "Calls to a model.";
    OPENAI_FAILURES = Counter, "openai_request_failures_total", ["reason"], "Calls to a model that gave no usable answer.";
    OPENAI_TOKENS = Counter, "openai_tokens_used_total", ["model", "kind"], "Tokens read and written by models.";
    OPENAI_COST = FloatCounter, "openai_cost_usd_total", ["model"], "Cost of model calls in US dollars since start.";
    GEN_AI_DURATION = Histogram(GEN_AI_SECONDS), "gen_ai_client_operation_duration_seconds", ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"], "Time of one call to a model.";
    GEN_AI_TOKENS = Histogram(GEN_AI_TOKEN_COUNT), "gen_ai_client_token_usage", ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"], "Tokens of one call to a model.";
    AI_CIRCUIT_STATE = Gauge, "ai_circuit_state", ["provider"], "Circuit breaker: 0 closed, 1 half open, 2 open.";
    AI_CONCURRENCY_LIMIT = Gauge, "ai_concurrency_limit", ["provider"], "Calls that a provider gets at once, as its refusals for their rate have shown.";
    AI_CALLS_PER_QUESTION = Histogram(CALL_COUNT), "ai_calls_per_question", [], "Calls that a question took, failed ones included.";
    AI_BUDGET_USED = Gauge, "ai_budget_used", ["budget"], "What is used of the budget of all callers together: calls, tokens or US dollars.";
    AI_BUDGET_LIMIT = Gauge, "ai_budget_limit", ["budget"], "The budget of all callers together: calls, tokens or US dollars.";
    AI_BUDGET_REFUSED = Counter, "ai_budget_refused_total", ["budget", "scope"], "Calls that did not fit into the budget of all callers or of one key.";
    OPTION_PRIOR = Gauge, "option_prior", ["model", "options", "letter"], "Share that a model gives a letter whatever stands there.";
    AI_OVERHEAD = Histogram(INTERNAL_SECONDS), "ai_overhead_seconds", [], "Time of a question in the AI client that was not spent at the provider.";

    ANALYSIS_DURATION = Histogram(REQUEST_SECONDS), "analysis_duration_seconds", ["source"], "Time of a whole analysis.";
    QUESTIONS_ANALYZED = Counter, "questions_analyzed_total", ["source", "outcome"], "Questions analyzed.";
    ANSWER_CONFIDENCE = Histogram(PROBABILITY), "answer_confidence", [], "Confidence of given answers.";

    CACHE_REQUESTS = Counter, "cache_requests_total", ["layer", "outcome"], "Look-ups in the answer cache.";
    CACHE_ENTRIES = Gauge, "cache_entries", [], "Answers held in memory.";
    COALESCED_REQUESTS = Counter, "coalesced_requests_total", [], "Questions that shared a model call already under way.";

    SCRAPE_DURATION = Histogram(REQUEST_SECONDS), "scrape_duration_seconds", ["outcome"], "Time from asking for a page to its questions.";
    SCRAPE_PAGES = Counter, "scrape_pages_total", ["outcome"], "Pages read, or not.";
    BROWSER_RESTARTS = Counter, "browser_restarts_total", ["reason"], "Chromium processes that were replaced.";
    BROWSER_PAGES_OPEN = Gauge, "browser_pages_open", [], "Pages open in Chromium now.";

    STATS_APP_POSTS = Counter, "stats_app_posts_total", ["outcome"], "Shows that the program at STATS_APP_URL was told of.";

    MAILBOX_DEPTH = Gauge, "actor_mailbox_depth", ["actor"], "Messages waiting or being handled.";
    MAILBOX_CAPACITY = Gauge, "actor_mailbox_capacity", ["actor"], "Messages a mailbox takes before it refuses.";
    MAILBOX_REJECTED = Counter, "actor_mailbox_rejected_total", ["actor"], "Messages refused because a mailbox was full.";
    MAILBOX_WAIT = Histogram(INTERNAL_SECONDS), "actor_message_wait_seconds", ["actor"], "Time from sending a message to the start of its handling.";
    ACTOR_RESTARTS = Counter, "actor_restarts_total", ["actor", "reason"], "Restarts by the supervisor.";
    ACTOR_UP = Gauge, "actor_up", ["actor"], "Whether the actor runs: 1 or 0.";

    JOURNAL_APPEND = Histogram(INTERNAL_SECONDS), "journal_append_seconds", [], "Time of one group commit.";
    REDIS_UP = Gauge, "redis_up", [], "Whether Redis answers: 1 or 0.";
    BUILD_INFO = Gauge, "build_info", ["version", "commit"], "Which build runs; always 1.";
}
