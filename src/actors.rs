//! The actors: one file or folder each.

pub mod ai_client;
pub mod analyses;
pub mod analysis;
pub mod broadcaster;
#[cfg(feature = "browser")]
pub mod browser;
pub mod cache;
pub mod director;
pub mod egress_guard;
pub mod journal;
pub mod rate_limiter;
pub mod replicas;
pub mod scraper;
pub mod stats_app;
pub mod tree;
