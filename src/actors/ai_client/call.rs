//! One question's way to an answer: looks at it in several orders, tries with back-off, other providers, a second model.

use super::{SolveError, account::Account, member::Member};
use crate::{
    metrics::Metrics,
    provider::ProviderError,
    quiz::Question,
    runtime::Backoff,
    solve::{
        Solution,
        evidence::{Evidence, Rules},
        prior::Priors,
    },
};
use futures_util::future::select_ok;
use sha2::{Digest as _, Sha256};
use std::{
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tracing::{info, warn};

/// What all calls share.
pub(super) struct Caller {
    /// In the order in which they are asked; at least one.
    pub(super) members: Vec<Member>,
    /// Asked where the first model is in doubt.
    pub(super) second: Option<Member>,
    pub(super) rules: Rules,
    pub(super) prior_sample_percent: u32,
    pub(super) priors: Arc<Mutex<Priors>>,
    pub(super) backoff: Backoff,
    pub(super) max_retries: u32,
    /// A second call is made when the first takes longer.
    pub(super) hedge_after: Option<Duration>,
    pub(super) metrics: Metrics,
}

/// What a question has taken so far, over all its calls, those that failed included.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Sum>);

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    calls: u32,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost_usd: f64,
    at_provider: Duration,
}

impl Spent {
    pub(super) fn add(&self, solution: &Solution, cost_usd: f64, took: Duration) {
        let mut sum = self.sum();
        sum.calls += solution.calls;
        sum.prompt_tokens += solution.prompt_tokens;
        sum.completion_tokens += solution.completion_tokens;
        sum.cost_usd += cost_usd;
        sum.at_provider += took;
    }

    pub(super) fn add_failure(&self, took: Duration) {
        let mut sum = self.sum();
        sum.calls += 1;
        sum.at_provider += took;
    }

    fn sum(&self) -> MutexGuard<'_, Sum> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one model has made of a question.
struct Verdict {
    solution: Solution,
    is_clear: bool,
}

impl Caller {
    /// Asks until there is an answer that is clear enough, a failure that will not pass, or no time or tries left.
    pub(super) async fn solve(
        &self,
        question: &Question,
        account: &Account,
        deadline: Instant,
    ) -> Result<Solution, SolveError> {
        let began = Instant::now();
        let spent = Spent::default();
        let outcome = self.decide(question, account, deadline, &spent).await;
        let sum = *spent.sum();
        let ai = self.metrics.ai();
        ai.overhead.record(
            began
                .elapsed()
                .saturating_sub(sum.at_provider)
                .as_secs_f64(),
        );
        ai.calls_per_question.record(f64::from(sum.calls));
        outcome.map(|solution| Solution {
            calls: sum.calls,
            prompt_tokens: sum.prompt_tokens,
            completion_tokens: sum.completion_tokens,
            cost_usd: sum.cost_usd,
            ..solution
        })
    }

    async fn decide(
        &self,
        question: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Solution, SolveError> {
        let first = self
            .ask(&self.members, question, account, deadline, spent)
            .await?;
        let Some(second) = self.second.as_ref().filter(|_| !first.is_clear) else {
            return Ok(first.solution);
        };
        let second = self
            .ask(slice::from_ref(second), question, account, deadline, spent)
            .await;
        match second {
            Ok(second) => Ok(second.solution),
            Err(error) => {
                info!(actor = "ai_client", %error, "the second model gave no answer; the first one's stands");
                Ok(first.solution)
            }
        }
    }

    /// Has one model look at the question until it is clear.
    async fn ask(
        &self,
        members: &[Member],
        question: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Verdict, SolveError> {
        let options = question.options.len();
        let sampled = rand::random_range(0..100) < self.prior_sample_percent;
        let mut evidence = Evidence::new(question, seed(question) ^ account.salt, sampled);
        let mut model = members
            .first()
            .map_or("", |member| member.provider.model())
            .to_owned();
        let mut shares = self.priors().shares(&model, options);
        while let Some(order) = evidence.next(self.rules, shares.as_deref()) {
            let shown = order.shown(question);
            let looked = match self.look(members, &shown, account, deadline, spent).await {
                Ok(looked) => looked,
                Err(error) if evidence.is_empty() => return Err(error),
                Err(error) => {
                    info!(actor = "ai_client", %error, "no further look; what was seen stands");
                    break;
                }
            };
            if evidence.is_empty() {
                model.clone_from(&looked.model);
                shares = self.priors().shares(&model, options);
            }
            evidence.add(order, looked.probabilities, looked.outside, looked.method);
        }
        if let Some(rotations) = evidence.rotations().filter(|_| sampled) {
            let learnt = self.priors().observe(&model, &rotations);
            self.metrics.ai().show_prior(&model, &learnt);
        }
        Ok(Verdict {
            is_clear: evidence.doubt(shares.as_deref()) >= self.rules.margin,
            solution: Solution {
                probabilities: evidence.estimate(shares.as_deref()),
                outside: evidence.outside(),
                method: evidence.method().ok_or_else(nothing_seen)?,
                model,
                prompt_tokens: 0,
                completion_tokens: 0,
                calls: 0,
                cost_usd: 0.0,
            },
        })
    }

    /// Shows the question once; a second call is made beside the first when that one takes long, if so configured.
    async fn look(
        &self,
        members: &[Member],
        shown: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Solution, SolveError> {
        let mut first = Box::pin(self.by_turns(members, shown, account, deadline, spent));
        let Some(hedge_after) = self.hedge_after else {
            return first.await;
        };
        tokio::select! {
            looked = &mut first => return looked,
            () = tokio::time::sleep(hedge_after) => {}
        }
        // Who is slow now may be slow again: another one, where there is one.
        let others = members
            .get(1..)
            .filter(|others| !others.is_empty())
            .unwrap_or(members);
        let second = Box::pin(self.by_turns(others, shown, account, deadline, spent));
        let (looked, _other) = select_ok([first, second]).await?;
        Ok(looked)
    }

    /// Asks each provider in turn until one answers.
    async fn by_turns(
        &self,
        members: &[Member],
        shown: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Solution, SolveError> {
        let mut failed: Option<SolveError> = None;
        for member in members {
            let error = match self
                .try_until(member, shown, account, deadline, spent)
                .await
            {
                Ok(looked) => return Ok(looked),
                Err(error @ SolveError::Budget(_)) => return Err(error),
                Err(error) => error,
            };
            if members.len() > 1 {
                warn!(actor = "ai_client", provider = member.provider.name(), %error, "no answer here");
            }
            // What failed now says more than a circuit that is open since earlier.
            if failed.is_none() || !matches!(error, SolveError::CircuitOpen { .. }) {
                failed = Some(error);
            }
        }
        Err(failed.unwrap_or_else(nothing_seen))
    }

    /// Asks one provider until there is an answer, a failure that will not pass, or no time or tries left.
    async fn try_until(
        &self,
        member: &Member,
        shown: &Question,
        account: &Account,
        deadline: Instant,
        spent: &Spent,
    ) -> Result<Solution, SolveError> {
        let mut failures = 0;
        loop {
            let error = match member.call(shown, account, deadline, spent).await? {
                Ok(looked) if looked.probabilities.len() == shown.options.len() => {
                    return Ok(looked);
                }
                Ok(_) => ProviderError::Invalid("it does not fit the number of options".to_owned()),
                Err(error) => error,
            };
            if !error.is_retryable() || failures >= self.max_retries {
                return Err(error.into());
            }
            let asked = match error {
                ProviderError::RateLimited { retry_after } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            let delay = self
                .backoff
                .full_jitter(failures, rand::random())
                .max(asked);
            if Instant::now() + delay >= deadline || !account.take_retry() {
                return Err(error.into());
            }
            failures += 1;
            warn!(actor = "ai_client", attempt = failures, %error, delay_ms = delay.as_millis(), "call failed; retrying");
            tokio::time::sleep(delay).await;
        }
    }

    fn priors(&self) -> MutexGuard<'_, Priors> {
        // Nothing panics while it is held.
        self.priors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_seen() -> SolveError {
    ProviderError::Unavailable("there is no provider".to_owned()).into()
}

/// Returns what decides the first order: the same question is always shown in the same one.
fn seed(question: &Question) -> u64 {
    let mut hash = Sha256::new();
    hash.update(question.text.as_bytes());
    let mut options: Vec<&str> = question.options.iter().map(String::as_str).collect();
    // The author's order must not decide, or a shuffled quiz would find other answers.
    options.sort_unstable();
    for option in options {
        hash.update([0]);
        hash.update(option.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    u64::from_le_bytes(digest[..8].try_into().expect("eight bytes"))
}
