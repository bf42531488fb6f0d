//! `[metrics]`: Prometheus.

use super::{check::Check, section::section};
use std::net::SocketAddr;

section! {
    /// Prometheus.
    [metrics] Metrics {
        /// A listener of its own for `/metrics`, such as `127.0.0.1:9100`; without it the main listener serves it.
        bind: Option<SocketAddr> = None,
    }
}

impl Metrics {
    /// The type says it all.
    fn validate(&self, _check: &mut Check<'_>) {}
}
