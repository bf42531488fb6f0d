//! `[tracing]`: where spans are sent.

use super::{check::Check, section::section};

section! {
    /// Spans of requests and of what the actors do for them, for an OpenTelemetry collector. Log lines name request and
    /// trace with or without one.
    [tracing] Tracing {
        /// The collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318`; without one, nothing is sent.
        /// Alias `OTEL_EXPORTER_OTLP_ENDPOINT`.
        otlp_endpoint: Option<String> = None,
        /// Milliseconds for each batch.
        otlp_timeout_ms: u64 = 5_000,
        /// How many of a hundred traces are sent.
        sample_percent: u32 = 100,
    }
}

impl Tracing {
    fn validate(&self, check: &mut Check<'_>) {
        check.that(
            "otlp_endpoint",
            self.otlp_endpoint
                .as_deref()
                .is_none_or(super::stats_app::is_base),
            "must be an http or https address without user name, query or fragment, such as http://127.0.0.1:4318",
        );
        check.that(
            "otlp_endpoint",
            self.otlp_endpoint.is_none() || cfg!(feature = "otlp"),
            "cannot be used by this program, which was built without the feature otlp: leave it out",
        );
        check.milliseconds("otlp_timeout_ms", self.otlp_timeout_ms);
        check.between("sample_percent", self.sample_percent, 0, 100);
    }
}
