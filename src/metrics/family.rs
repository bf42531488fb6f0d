//! One metric with labels: look a handle up by the labels' values.

use super::{catalogue::Declared, registry::Registry};
use metrics::{Counter, Gauge, Histogram};
use std::{fmt, sync::Arc};

macro_rules! family {
    ($(#[$doc:meta])* $name:ident, $handle:ident, $register:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name<const N: usize> {
            registry: Arc<Registry>,
            metric: &'static Declared,
        }

        impl<const N: usize> $name<N> {
            pub(super) fn new(registry: &Arc<Registry>, metric: &'static Declared) -> Self {
                Self { registry: Arc::clone(registry), metric }
            }

            /// Returns the handle for these label values, in the order of the declaration. The same values give the
            /// same number.
            pub fn with(&self, values: [&str; N]) -> $handle {
                self.registry.$register(self.metric, values)
            }
        }

        impl<const N: usize> fmt::Debug for $name<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.metric.name).finish()
            }
        }
    };
}

family!(
    /// A counter with `N` labels.
    CounterFamily,
    Counter,
    counter
);
family!(
    /// A gauge with `N` labels.
    GaugeFamily,
    Gauge,
    gauge
);
family!(
    /// A histogram with `N` labels.
    HistogramFamily,
    Histogram,
    histogram
);
