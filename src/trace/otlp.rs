//! Spans on their way to an OpenTelemetry collector, in batches, over HTTP (OTLP with Protocol Buffers).

use super::TraceParent;
use crate::{config, version::VERSION};
use opentelemetry::{
    Context,
    trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
        TracerProvider as _,
    },
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use std::time::Duration;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};

/// What is not sent within this time at the end is lost.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Sends what is left when dropped.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Starts the thread that sends; `None` when there is nowhere to send to.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn start(settings: &config::Tracing) -> Result<Option<Self>, ExporterBuildError> {
        let Some(endpoint) = &settings.otlp_endpoint else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(Duration::from_millis(settings.otlp_timeout_ms))
            .build()?;
        let resource = Resource::builder()
            .with_service_name("quiz-stats")
            .with_attribute(opentelemetry::KeyValue::new("service.version", VERSION))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(Sampler::TraceIdRatioBased(
                f64::from(settings.sample_percent) / 100.0,
            ))
            .build();
        Ok(Some(Self(provider)))
    }

    /// Returns what hands spans over.
    pub fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("quiz-stats"))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WAIT) {
            tracing::warn!(%error, "not every span was sent");
        }
    }
}

/// Puts a new span into its caller's trace; returns the trace that it is in, `None` when spans are not exported.
pub(super) fn adopt(span: &Span, parent: Option<TraceParent>) -> Option<u128> {
    if let Some(TraceParent { trace, span: from }) = parent {
        let from = SpanContext::new(
            TraceId::from(trace),
            SpanId::from(from),
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        // Fails where nothing exports.
        let _none = span.set_parent(Context::new().with_remote_span_context(from));
    }
    place(span).map(|place| place.trace)
}

pub(super) fn current() -> Option<TraceParent> {
    place(&Span::current())
}

fn place(span: &Span) -> Option<TraceParent> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| TraceParent {
        trace: u128::from_be_bytes(context.trace_id().to_bytes()),
        span: u64::from_be_bytes(context.span_id().to_bytes()),
    })
}
