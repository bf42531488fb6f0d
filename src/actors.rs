//! The actors: one file or folder each.

pub mod broadcaster;
pub mod director;
pub mod journal;
pub mod rate_limiter;
