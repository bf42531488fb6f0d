//! Metrics of reading pages.

use super::{CounterFamily, HistogramFamily, catalogue as c, registry::Registry};
use std::sync::Arc;

/// Pages and what became of them.
pub struct Scrape {
    /// Seconds per page, its wait included, by `outcome`: `ok`, `no_questions`, `blocked`, `failed`, `overloaded`.
    pub duration: HistogramFamily<1>,
    /// Pages, by `outcome`.
    pub pages: CounterFamily<1>,
}

impl Scrape {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            duration: HistogramFamily::new(r, &c::SCRAPE_DURATION),
            pages: CounterFamily::new(r, &c::SCRAPE_PAGES),
        }
    }
}
