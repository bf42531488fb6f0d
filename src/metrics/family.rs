//! One metric with labels: look a handle up by the labels' values.

use super::{catalogue::Declared, registry::Registry};
use metrics::{Counter, Gauge, Histogram};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// The handles that a family has given out, by their labels. Label values come from small closed sets, so looking
/// through them all is cheaper than hashing, and far cheaper than building the registry's key.
type Known<H, const N: usize> = Arc<RwLock<Vec<([Box<str>; N], H)>>>;

macro_rules! family {
    ($(#[$doc:meta])* $name:ident, $handle:ident, $register:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name<const N: usize> {
            registry: Arc<Registry>,
            metric: &'static Declared,
            known: Known<$handle, N>,
        }

        impl<const N: usize> $name<N> {
            pub(super) fn new(registry: &Arc<Registry>, metric: &'static Declared) -> Self {
                Self { registry: Arc::clone(registry), metric, known: Known::default() }
            }

            /// Returns the handle for these label values, in the order of the declaration. The same values give the
            /// same number.
            pub fn with(&self, values: [&str; N]) -> $handle {
                let is_it = |(labels, _): &&([Box<str>; N], $handle)| labels.iter().zip(values).all(|(a, b)| **a == *b);
                // Nothing panics while it is held, so a poisoned lock still guards a whole list.
                let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, handle)) = known.iter().find(is_it) {
                    return handle.clone();
                }
                drop(known);
                let handle = self.registry.$register(self.metric, values);
                // Two threads may both add it: both handles lead to the same number.
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.push((values.map(Box::from), handle.clone()));
                handle
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
