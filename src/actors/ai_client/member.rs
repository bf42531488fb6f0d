//! One provider with what stands before it: its places, its circuit, its price.

use super::{Breaker, SolveError, account::Account, call::Spent, places::Places};
use crate::{
    budget::{Amount, Budget},
    config::{self, Price},
    metrics::Metrics,
    provider::{Provider, ProviderError},
    quiz::Question,
    solve::{Solution, seen::needs_image},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// See the module.
pub(super) struct Member {
    pub(super) provider: Arc<dyn Provider>,
    places: Places,
    breaker: Mutex<Breaker>,
    price: Price,
    call_timeout: Duration,
    budget: Arc<Budget>,
    metrics: Metrics,
}

impl Member {
    pub(super) fn new(
        provider: Arc<dyn Provider>,
        config: &config::Ai,
        budget: Arc<Budget>,
        metrics: Metrics,
    ) -> Self {
        let member = Self {
            places: Places::new(config.concurrency),
            breaker: Mutex::new(Breaker::new(
                config.circuit_failures,
                Duration::from_millis(config.circuit_open_ms),
            )),
            price: config.price(provider.model()),
            call_timeout: Duration::from_millis(config.call_timeout_ms),
            provider,
            budget,
            metrics,
        };
        member.show();
        member
    }

    /// Makes one call: the outer error is final here, the inner one the provider's.
    pub(super) async fn call(
        &self,
        shown: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Result<Solution, ProviderError>, SolveError> {
        let Ok(_place) = timeout_at(deadline, self.places.take()).await else {
            return Err(ProviderError::Timeout.into());
        };
        let (read, written) = self.provider.estimate(shown);
        let estimate = self.amount(1, read, written);
        let reserved = self.budget.reserve(account.key.as_ref(), estimate)?;
        let began = Instant::now();
        let limit = deadline.min(began + self.call_timeout);
        let admitted = self.breaker().admit(began, limit);
        self.show();
        if let Err(retry_after) = admitted {
            reserved.settle(Amount::default());
            return Err(SolveError::CircuitOpen {
                retry_after,
                cause: self.breaker().cause().to_owned(),
            });
        }
        let solving = match account
            .picture
            .as_ref()
            .filter(|_| needs_image(&shown.text))
        {
            Some(picture) => self.provider.solve_seeing(shown, picture, limit),
            None => self.provider.solve(shown, limit),
        };
        let outcome = match timeout_at(limit, solving).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ProviderError::Timeout),
        };
        let took = began.elapsed();
        match &outcome {
            Ok(solution) => {
                let taken = self.amount(
                    solution.calls,
                    solution.prompt_tokens,
                    solution.completion_tokens,
                );
                reserved.settle(taken);
                spent.add(solution, taken.usd, took);
                self.metrics
                    .ai()
                    .cost_usd
                    .with([&solution.model])
                    .increment(taken.usd);
            }
            Err(error) => {
                if is_free_of_charge(error) {
                    reserved.settle(Amount {
                        requests: 1.0,
                        ..Amount::default()
                    });
                }
                spent.add_failure(took);
            }
        }
        self.note(&outcome, took);
        Ok(outcome)
    }

    fn amount(&self, requests: u32, read: u64, written: u64) -> Amount {
        #[expect(
            clippy::cast_precision_loss,
            reason = "tokens of one call are far below 2^52"
        )]
        let tokens = (read + written) as f64;
        Amount {
            requests: f64::from(requests),
            tokens,
            usd: self.price.of(read, written),
        }
    }

    fn note(&self, outcome: &Result<Solution, ProviderError>, took: Duration) {
        match outcome {
            Ok(_) => {
                self.breaker().succeeded();
                self.places.answered();
            }
            Err(error) if says_down(error) => {
                self.breaker().failed(Instant::now(), &error.to_string());
            }
            // The provider is there and answers; what it says is another matter.
            Err(error) => {
                self.breaker().succeeded();
                if matches!(error, ProviderError::RateLimited { .. }) {
                    self.places.limited(Instant::now());
                }
            }
        }
        self.show();
        self.metrics
            .ai()
            .observe(self.provider.as_ref(), outcome, took);
    }

    fn show(&self) {
        let (ai, name) = (self.metrics.ai(), self.provider.name());
        ai.circuit_state
            .with([name])
            .set(f64::from(self.breaker().level()));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 calls")]
        ai.concurrency_limit
            .with([name])
            .set(self.places.limit() as f64);
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

/// Whether nobody charges for a call that failed so. Where nothing was heard, or rubbish, the tokens may be charged.
fn is_free_of_charge(error: &ProviderError) -> bool {
    !matches!(error, ProviderError::Timeout | ProviderError::Invalid(_))
}
