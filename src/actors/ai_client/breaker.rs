//! Circuit breaker: stops asking a provider that keeps failing. Pure: time is an argument.

use std::time::Duration;
use tokio::time::Instant;

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circuit {
    /// Everything; counts failures in a row.
    Closed { failures: u32 },
    /// Nothing until then.
    Open { until: Instant },
    /// One trial call, which must end by then.
    HalfOpen { until: Instant },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Breaker {
    circuit: Circuit,
    max_failures: u32,
    open_for: Duration,
    /// What the provider failed with last.
    cause: String,
}

impl Breaker {
    pub(super) fn new(max_failures: u32, open_for: Duration) -> Self {
        Self {
            circuit: Circuit::Closed { failures: 0 },
            max_failures,
            open_for,
            cause: String::new(),
        }
    }

    /// Lets a call through that ends by `deadline`, or returns how long to wait.
    pub(super) fn admit(&mut self, now: Instant, deadline: Instant) -> Result<(), Duration> {
        match self.circuit {
            Circuit::Closed { .. } => Ok(()),
            Circuit::Open { until } | Circuit::HalfOpen { until } if now < until => {
                Err(until - now)
            }
            // The time is up, or the trial call never reported: the next call is the trial.
            Circuit::Open { .. } | Circuit::HalfOpen { .. } => {
                self.circuit = Circuit::HalfOpen { until: deadline };
                Ok(())
            }
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.circuit = Circuit::Closed { failures: 0 };
    }

    pub(super) fn failed(&mut self, now: Instant, cause: &str) {
        cause.clone_into(&mut self.cause);
        let failures = match self.circuit {
            Circuit::Closed { failures } => failures + 1,
            Circuit::HalfOpen { .. } => self.max_failures,
            // A call that began before the circuit opened says nothing new.
            Circuit::Open { .. } => return,
        };
        self.circuit = if failures >= self.max_failures {
            Circuit::Open {
                until: now + self.open_for,
            }
        } else {
            Circuit::Closed { failures }
        };
    }

    /// Returns what the provider failed with last.
    pub(super) fn cause(&self) -> &str {
        &self.cause
    }

    /// Returns the value of `ai_circuit_state`: 0 closed, 1 half-open, 2 open.
    pub(super) const fn level(&self) -> u8 {
        match self.circuit {
            Circuit::Closed { .. } => 0,
            Circuit::HalfOpen { .. } => 1,
            Circuit::Open { .. } => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_lets_one_trial_through() {
        let mut breaker = Breaker::new(3, 10 * SECOND);
        let start = Instant::now();
        let at = |seconds: u32| start + SECOND * seconds;
        breaker.failed(start, "no");
        breaker.failed(start, "no");
        breaker.succeeded();
        breaker.failed(start, "no");
        breaker.failed(start, "no");
        assert_eq!(
            (breaker.admit(start, at(5)), breaker.level()),
            (Ok(()), 0),
            "never three in a row"
        );
        breaker.failed(start, "no");
        assert_eq!(
            (breaker.admit(at(4), at(9)), breaker.level()),
            (Err(6 * SECOND), 2)
        );
        assert_eq!(
            (breaker.admit(at(10), at(15)), breaker.level()),
            (Ok(()), 1)
        );
        assert_eq!(
            breaker.admit(at(11), at(15)),
            Err(4 * SECOND),
            "one trial at a time"
        );
        breaker.failed(at(12), "no");
        assert_eq!(breaker.admit(at(12), at(15)), Err(10 * SECOND));
        assert_eq!(breaker.admit(at(22), at(25)), Ok(()));
        assert_eq!(
            breaker.admit(at(26), at(30)),
            Ok(()),
            "a trial that was lost does not block for ever"
        );
        breaker.succeeded();
        assert_eq!(
            (breaker.admit(at(27), at(30)), breaker.level()),
            (Ok(()), 0)
        );
    }
}
