//! Metrics of reading pages.

use super::{
    CounterFamily, Gauge, GaugeFamily, HistogramFamily, catalogue as c, registry::Registry,
};
use std::sync::Arc;

/// Pages and what became of them.
pub struct Scrape {
    /// Seconds per page, its wait included, by `outcome`: `ok`, `no_questions`, `blocked`, `failed`, `overloaded`.
    pub duration: HistogramFamily<1>,
    /// Pages, by `outcome`.
    pub pages: CounterFamily<1>,
    /// Chromiums that were replaced, by `reason`: `crash`, `hang`, `age`, `pages`, `memory`.
    pub restarts: CounterFamily<1>,
    /// Pages that are open in Chromium.
    pub pages_open: Gauge,
}

impl Scrape {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            duration: HistogramFamily::new(r, &c::SCRAPE_DURATION),
            pages: CounterFamily::new(r, &c::SCRAPE_PAGES),
            restarts: CounterFamily::new(r, &c::BROWSER_RESTARTS),
            pages_open: GaugeFamily::new(r, &c::BROWSER_PAGES_OPEN).with([]),
        }
    }
}
