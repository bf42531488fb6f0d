//! The standard `process_*` set: CPU, memory, file descriptors, threads, start time.

use super::registry::Registry;
use metrics_process::Collector;
use std::sync::Arc;

pub(super) struct Process(Collector);

impl Process {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        let collector = Collector::default();
        registry.as_local(|| collector.describe());
        Self(collector)
    }

    /// Reads the process's numbers into `registry`.
    pub(super) fn collect(&self, registry: &Registry) {
        registry.as_local(|| self.0.collect());
    }
}
