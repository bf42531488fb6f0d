//! Metrics of answers: analyses, the cache in front of the models, the journal behind them.

use super::{
    Counter, CounterFamily, Gauge, Histogram, HistogramFamily, catalogue as c, registry::Registry,
};
use std::sync::Arc;

/// Analyses and their answers.
pub struct Analysis {
    /// Seconds for a whole analysis, by `source` of the questions.
    pub duration: HistogramFamily<1>,
    /// Questions, by `source` of the answer and `outcome`.
    pub questions: CounterFamily<2>,
    /// Confidence of each answer, 0 to 1.
    pub confidence: Histogram,
}

impl Analysis {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            duration: HistogramFamily::new(r, &c::ANALYSIS_DURATION),
            questions: CounterFamily::new(r, &c::QUESTIONS_ANALYZED),
            confidence: r.histogram(&c::ANSWER_CONFIDENCE, []),
        }
    }
}

/// The answer cache.
pub struct Cache {
    /// Look-ups, by `layer` (`memory`, `store`) and `outcome` (`hit`, `miss`, `error`).
    pub requests: CounterFamily<2>,
    /// Answers held in memory.
    pub entries: Gauge,
    /// Questions that waited for a call already under way instead of paying for their own.
    pub coalesced: Counter,
}

impl Cache {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            requests: CounterFamily::new(r, &c::CACHE_REQUESTS),
            entries: r.gauge(&c::CACHE_ENTRIES, []),
            coalesced: r.counter(&c::COALESCED_REQUESTS, []),
        }
    }
}

/// The event journal.
pub struct Journal {
    /// Seconds from the start of a commit to its end, one sample per commit.
    pub append: Histogram,
}

impl Journal {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            append: r.histogram(&c::JOURNAL_APPEND, []),
        }
    }
}
