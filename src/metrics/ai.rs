//! Metrics of model calls: outcomes, tokens, cost, time, the circuit breaker.

use super::{
    CounterFamily, GaugeFamily, Histogram, HistogramFamily, catalogue as c, registry::Registry,
};
use crate::{
    provider::{Provider, ProviderError},
    solve::Solution,
};
use std::{sync::Arc, time::Duration};

/// Model calls, at whichever provider.
pub struct Ai {
    /// Calls, by `model` and `outcome`: `ok` or `failed`.
    pub requests: CounterFamily<2>,
    /// Failed calls, by `reason`, see [`ProviderError::reason`](crate::provider::ProviderError::reason).
    pub failures: CounterFamily<1>,
    /// Tokens, by `model` and `kind`: `prompt` or `completion`.
    pub tokens: CounterFamily<2>,
    /// US dollars, by `model`.
    pub cost_usd: GaugeFamily<1>,
    /// Seconds per call: operation, provider, request model, error type (empty when it went well).
    pub gen_ai_duration: HistogramFamily<4>,
    /// Tokens per call: operation, provider, request model, token type (`input` or `output`).
    pub gen_ai_tokens: HistogramFamily<4>,
    /// Circuit breaker, by `provider`: 0 closed, 1 half open, 2 open.
    pub circuit_state: GaugeFamily<1>,
    /// Calls that a provider gets at once, by `provider`.
    pub concurrency_limit: GaugeFamily<1>,
    /// Calls per question.
    pub calls_per_question: Histogram,
    /// What is used of each budget, by `budget`.
    pub budget_used: GaugeFamily<1>,
    /// How much each budget is, by `budget`.
    pub budget_limit: GaugeFamily<1>,
    /// Calls that did not fit, by `budget` and `scope`: `all` or `key`.
    pub budget_refused: CounterFamily<2>,
    /// Share of a letter, by `model`, number of `options` and `letter`.
    pub option_prior: GaugeFamily<3>,
    /// Seconds of our own per question: total minus time at the provider.
    pub overhead: Histogram,
}

impl Ai {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            requests: CounterFamily::new(r, &c::OPENAI_REQUESTS),
            failures: CounterFamily::new(r, &c::OPENAI_FAILURES),
            tokens: CounterFamily::new(r, &c::OPENAI_TOKENS),
            cost_usd: GaugeFamily::new(r, &c::OPENAI_COST),
            gen_ai_duration: HistogramFamily::new(r, &c::GEN_AI_DURATION),
            gen_ai_tokens: HistogramFamily::new(r, &c::GEN_AI_TOKENS),
            circuit_state: GaugeFamily::new(r, &c::AI_CIRCUIT_STATE),
            concurrency_limit: GaugeFamily::new(r, &c::AI_CONCURRENCY_LIMIT),
            calls_per_question: r.histogram(&c::AI_CALLS_PER_QUESTION, []),
            budget_used: GaugeFamily::new(r, &c::AI_BUDGET_USED),
            budget_limit: GaugeFamily::new(r, &c::AI_BUDGET_LIMIT),
            budget_refused: CounterFamily::new(r, &c::AI_BUDGET_REFUSED),
            option_prior: GaugeFamily::new(r, &c::OPTION_PRIOR),
            overhead: r.histogram(&c::AI_OVERHEAD, []),
        }
    }

    /// Shows the shares of the letters as `model` favours them.
    pub fn show_prior(&self, model: &str, shares: &[f64]) {
        let options = shares.len().to_string();
        for (letter, share) in ('A'..='Z').zip(shares) {
            let letter = letter.to_string();
            self.option_prior
                .with([model, &options, &letter])
                .set(*share);
        }
    }

    /// Records one call to `provider` and what came of it.
    pub fn observe(
        &self,
        provider: &dyn Provider,
        outcome: &Result<Solution, ProviderError>,
        took: Duration,
    ) {
        const OPERATION: &str = "chat";
        let (system, model) = (provider.system(), provider.model());
        let error_type = outcome.as_ref().err().map_or("", ProviderError::reason);
        let outcome_label = if outcome.is_ok() { "ok" } else { "failed" };
        self.requests.with([model, outcome_label]).increment(1);
        self.gen_ai_duration
            .with([OPERATION, system, model, error_type])
            .record(took.as_secs_f64());
        match outcome {
            Ok(solution) => {
                for (kind, direction, tokens) in [
                    ("prompt", "input", solution.prompt_tokens),
                    ("completion", "output", solution.completion_tokens),
                ] {
                    self.tokens.with([model, kind]).increment(tokens);
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "tokens of one call are far below 2^52"
                    )]
                    self.gen_ai_tokens
                        .with([OPERATION, system, model, direction])
                        .record(tokens as f64);
                }
            }
            Err(error) => self.failures.with([error.reason()]).increment(1),
        }
    }
}
