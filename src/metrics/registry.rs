//! The registry behind one [`Metrics`](super::Metrics): a Prometheus recorder that is never installed globally.

use super::catalogue::{Declared, Kind};
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

pub(super) struct Registry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Type lines as the exporter writes them, and as they must be.
    types: Vec<(String, String)>,
}

impl Registry {
    /// Builds a recorder that knows the buckets and the help of everything in `declared`.
    pub(super) fn new(declared: &[&Declared]) -> Self {
        let mut builder = PrometheusBuilder::new();
        for metric in declared {
            if let Kind::Histogram(buckets) = metric.kind {
                builder = builder
                    .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
                    .expect("the catalogue gives every histogram at least one bucket");
            }
        }
        let recorder = builder.build_recorder();
        for metric in declared {
            let (name, unit, help) = (metric.name.into(), unit_of(metric.name), metric.help.into());
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, unit, help),
                Kind::Gauge | Kind::FloatCounter => recorder.describe_gauge(name, unit, help),
                Kind::Histogram(_) => recorder.describe_histogram(name, unit, help),
            }
        }
        let float_counters = declared
            .iter()
            .filter(|metric| metric.kind == Kind::FloatCounter);
        let types = float_counters.map(|Declared { name, .. }| {
            (
                format!("# TYPE {name} gauge"),
                format!("# TYPE {name} counter"),
            )
        });
        Self {
            handle: recorder.handle(),
            types: types.collect(),
            recorder,
        }
    }

    pub(super) fn counter<const N: usize>(
        &self,
        metric: &'static Declared,
        values: [&str; N],
    ) -> Counter {
        debug_assert_eq!(
            metric.kind,
            Kind::Counter,
            "{} is declared otherwise",
            metric.name
        );
        self.recorder
            .register_counter(&key(metric, values), &METADATA)
    }

    pub(super) fn gauge<const N: usize>(
        &self,
        metric: &'static Declared,
        values: [&str; N],
    ) -> Gauge {
        debug_assert!(
            matches!(metric.kind, Kind::Gauge | Kind::FloatCounter),
            "{} is declared otherwise",
            metric.name
        );
        self.recorder
            .register_gauge(&key(metric, values), &METADATA)
    }

    pub(super) fn histogram<const N: usize>(
        &self,
        metric: &'static Declared,
        values: [&str; N],
    ) -> Histogram {
        debug_assert!(
            matches!(metric.kind, Kind::Histogram(_)),
            "{} is declared otherwise",
            metric.name
        );
        self.recorder
            .register_histogram(&key(metric, values), &METADATA)
    }

    /// Runs `f` with this registry as the target of the `metrics` macros on this thread.
    pub(super) fn as_local(&self, f: impl FnOnce()) {
        metrics::with_local_recorder(&self.recorder, f);
    }

    pub(super) fn render(&self) -> String {
        let text = self.handle.render();
        self.types.iter().fold(text, |text, (written, right)| {
            text.replacen(written, right, 1)
        })
    }

    pub(super) fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn key<const N: usize>(metric: &'static Declared, values: [&str; N]) -> Key {
    debug_assert_eq!(metric.labels.len(), N, "labels of {}", metric.name);
    let labels = metric
        .labels
        .iter()
        .zip(values)
        .map(|(name, value)| Label::new(*name, value.to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

/// Names carry their unit, as Prometheus advises.
fn unit_of(name: &str) -> Option<Unit> {
    name.ends_with("_seconds").then_some(Unit::Seconds)
}
