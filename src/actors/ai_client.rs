//! AiClient: asks the model, patiently but not for ever.
//!
//! Flow: Analysis --Solve--> [AiClient] --> Provider (an OpenAI-compatible server, or the model in the process)
//! Mailbox: `[ai]` mailbox_capacity counts waiting and running questions; senders wait until their deadline.
//! Crash: running calls are lost; callers see Down and ask again.
//! Metrics: openai_*, gen_ai_*, ai_circuit_state, ai_overhead_seconds.
//!
//! Each question runs in a task of its own. It is shown with its options in a shuffled order, and again in others while
//! the two best are close; a second model has the last word, where one is configured. Each call reserves its estimate from
//! the budget. A failure that may pass is tried again with full jitter, then the next provider is asked; one that keeps
//! failing is left alone until a trial call succeeds, and one that refuses for the rate of calls gets fewer at once.

mod account;
mod breaker;
mod call;
mod member;
mod places;

use crate::{
    budget::{Budget, Exhausted},
    config,
    metrics::Metrics,
    provider::{Chain, ProviderError},
    quiz::Question,
    runtime::{Backoff, Bell, Envelope, Mailbox, Reply},
    solve::{Solution, evidence::Rules, prior::Priors},
};
pub use account::Account;
use breaker::Breaker;
use call::Caller;
use member::Member;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};
use tracing::{Instrument as _, error, info_span};

/// What the AI client works with.
#[derive(Clone)]
pub struct AiClientArgs {
    /// Its limits.
    pub config: config::Ai,
    /// Where others reach it.
    pub mailbox: Mailbox<AiClientMsg>,
    /// Who answers.
    pub providers: Chain,
    /// What may be asked; it outlives a restart.
    pub budget: Arc<Budget>,
    /// What is known of the models' favourite letters; it outlives a restart.
    pub priors: Arc<Mutex<Priors>>,
    /// Where calls are measured.
    pub metrics: Metrics,
}

/// What it is asked.
#[derive(Debug)]
pub enum AiClientMsg {
    /// From Analysis: one question.
    Solve {
        /// Which.
        question: Arc<Question>,
        /// On whose account.
        account: Arc<Account>,
        /// When the answer is of no more use.
        deadline: Instant,
        /// The answer.
        reply: Reply<Result<Solution, SolveError>>,
    },
    /// From its own tasks: one has ended.
    Ended,
    /// From its own timer.
    TidyBudget,
}

/// How often the gauges are set and idle keys forgotten: what was spent stops counting while nobody asks.
const TIDY_BUDGET_EVERY: Duration = Duration::from_secs(10);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// The last try failed so.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// There is no budget for another call.
    #[error("{0}")]
    Budget(Exhausted),
    /// The provider kept failing; it is not asked for now.
    #[error("the model is not asked for now, because it kept failing: {cause}")]
    CircuitOpen {
        /// Time until it will be asked again.
        retry_after: Duration,
        /// What it failed with last.
        cause: String,
    },
}

impl From<Exhausted> for SolveError {
    fn from(exhausted: Exhausted) -> Self {
        Self::Budget(exhausted)
    }
}

/// Its state.
pub struct State {
    caller: Arc<Caller>,
    budget: Arc<Budget>,
    calls: JoinSet<()>,
}

/// See the module.
pub struct AiClient;

impl Actor for AiClient {
    type Msg = Envelope<AiClientMsg>;
    type State = State;
    type Arguments = AiClientArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself.clone());
        myself.send_interval(TIDY_BUDGET_EVERY, || {
            Envelope::internal(AiClientMsg::TidyBudget)
        });
        let config = args.config;
        let member = |provider| {
            Member::new(
                provider,
                &config,
                Arc::clone(&args.budget),
                args.metrics.clone(),
            )
        };
        let caller = Caller {
            members: args.providers.members.into_iter().map(member).collect(),
            second: args.providers.second.map(member),
            rules: Rules {
                margin: config.doubt_below,
                max_looks: config.max_looks,
            },
            prior_sample_percent: config.prior_sample_percent,
            priors: args.priors,
            backoff: Backoff::from_ms(config.retry_base_ms, config.retry_max_ms),
            max_retries: config.max_retries,
            hedge_after: (config.hedge_after_ms > 0)
                .then(|| Duration::from_millis(config.hedge_after_ms)),
            metrics: args.metrics,
        };
        Ok(State {
            caller: Arc::new(caller),
            budget: args.budget,
            calls: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = envelope.span();
        let (message, permit) = envelope.open();
        match message {
            AiClientMsg::Solve {
                question,
                account,
                deadline,
                reply,
            } => {
                let (caller, bell) = (
                    Arc::clone(&state.caller),
                    Bell::new(&myself, Envelope::internal(AiClientMsg::Ended)),
                );
                let work = async move {
                    let (_bell, _permit, mut reply) = (bell, permit, reply);
                    tokio::select! {
                        // Nobody waits for the answer any more: the call is not worth its price.
                        () = reply.closed() => {}
                        outcome = caller.solve(&question, &account, deadline) => drop(reply.send(outcome)),
                    }
                };
                let span = info_span!(parent: &span, "ai_call");
                state.calls.spawn(work.instrument(span));
            }
            AiClientMsg::Ended => state.reap().await,
            AiClientMsg::TidyBudget => state.budget.tidy(),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        while !state.calls.is_empty() {
            state.reap().await;
        }
        Ok(())
    }
}

impl State {
    async fn reap(&mut self) {
        if let Some(Err(panic)) = self.calls.join_next().await
            && panic.is_panic()
        {
            error!(actor = "ai_client", error = %panic, "call panicked");
        }
    }
}

#[cfg(test)]
mod tests;
