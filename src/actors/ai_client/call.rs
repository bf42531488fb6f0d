//! One question's way to the model: a place among the running calls, the circuit, tries with back-off.

use super::{Breaker, SolveError};
use crate::{
    metrics::Metrics,
    provider::{Provider, ProviderError},
    quiz::Question,
    runtime::Backoff,
    solve::Solution,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tracing::warn;

/// What all calls share.
pub(super) struct Caller {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) places: Semaphore,
    pub(super) breaker: Mutex<Breaker>,
    pub(super) backoff: Backoff,
    pub(super) max_retries: u32,
    pub(super) call_timeout: Duration,
    pub(super) metrics: Metrics,
}

impl Caller {
    /// Asks until there is an answer, a failure that will not pass, or no time or tries left.
    pub(super) async fn solve(
        &self,
        question: &Question,
        deadline: Instant,
    ) -> Result<Solution, SolveError> {
        let began = Instant::now();
        let mut at_provider = Duration::ZERO;
        let outcome = self.try_until(question, deadline, &mut at_provider).await;
        self.metrics
            .ai()
            .overhead
            .record(began.elapsed().saturating_sub(at_provider).as_secs_f64());
        outcome
    }

    async fn try_until(
        &self,
        question: &Question,
        deadline: Instant,
        at_provider: &mut Duration,
    ) -> Result<Solution, SolveError> {
        let mut calls = 0;
        loop {
            let began = Instant::now();
            let outcome = self.call(question, deadline).await;
            *at_provider += began.elapsed();
            let error = match outcome? {
                Ok(solution) => {
                    return Ok(Solution {
                        calls: solution.calls + calls,
                        ..solution
                    });
                }
                Err(error) => error,
            };
            if !error.is_retryable() || calls >= self.max_retries {
                return Err(error.into());
            }
            let asked = match error {
                ProviderError::RateLimited { retry_after } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            let delay = self.backoff.full_jitter(calls, rand::random()).max(asked);
            if Instant::now() + delay >= deadline {
                return Err(error.into());
            }
            warn!(actor = "ai_client", attempt = calls + 1, %error, delay_ms = delay.as_millis(), "call failed; retrying");
            calls += 1;
            tokio::time::sleep(delay).await;
        }
    }

    /// Makes one call: the outer error is final, the inner one the provider's.
    async fn call(
        &self,
        question: &Question,
        deadline: Instant,
    ) -> Result<Result<Solution, ProviderError>, SolveError> {
        let Ok(place) = timeout_at(deadline, self.places.acquire()).await else {
            return Err(ProviderError::Timeout.into());
        };
        let _place = place.expect("the semaphore is never closed");
        let began = Instant::now();
        let limit = deadline.min(began + self.call_timeout);
        let admitted = self.breaker().admit(began, limit);
        self.show_circuit();
        admitted.map_err(|retry_after| SolveError::CircuitOpen {
            retry_after,
            cause: self.breaker().cause().to_owned(),
        })?;
        let outcome = match timeout_at(limit, self.provider.solve(question, limit)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ProviderError::Timeout),
        };
        self.report(&outcome, began.elapsed());
        Ok(outcome)
    }

    fn report(&self, outcome: &Result<Solution, ProviderError>, took: Duration) {
        match outcome {
            Ok(_) => self.breaker().succeeded(),
            Err(error) if says_down(error) => {
                self.breaker().failed(Instant::now(), &error.to_string());
            }
            // The provider is there and answers; what it says is another matter.
            Err(_) => self.breaker().succeeded(),
        }
        self.show_circuit();
        self.metrics
            .ai()
            .observe(self.provider.as_ref(), outcome, took);
    }

    pub(super) fn show_circuit(&self) {
        let level = self.breaker().level();
        self.metrics
            .ai()
            .circuit_state
            .with([self.provider.system()])
            .set(f64::from(level));
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // Nothing panics while it is held.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure says that the provider cannot answer anybody now.
fn says_down(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Timeout
            | ProviderError::Server { .. }
            | ProviderError::Network(_)
            | ProviderError::Auth { .. }
            | ProviderError::QuotaExhausted
            | ProviderError::Unavailable(_)
    )
}
