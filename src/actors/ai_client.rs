//! AiClient: asks the model, patiently but not for ever.
//!
//! Flow: Analysis --Solve--> [AiClient] --> Provider (an OpenAI-compatible server, or the model in the process)
//! Mailbox: `[ai]` mailbox_capacity counts waiting and running questions; senders wait until their deadline.
//! Crash: running calls are lost; callers see Down and ask again.
//! Metrics: openai_*, gen_ai_*, ai_circuit_state, ai_overhead_seconds.
//!
//! Each question runs in a task of its own, `concurrency` of them at a time. A failure that may pass is tried again
//! with full jitter; when the provider keeps failing, the circuit opens and calls are refused at once until a trial
//! call succeeds.

mod breaker;
mod call;

use crate::{
    config,
    metrics::Metrics,
    provider::{Provider, ProviderError},
    quiz::Question,
    runtime::{Backoff, Bell, Envelope, Mailbox, Reply},
    solve::Solution,
};
use breaker::Breaker;
use call::Caller;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tracing::{Instrument as _, error, info_span};

/// What the AI client works with.
#[derive(Clone)]
pub struct AiClientArgs {
    /// Its limits.
    pub config: config::Ai,
    /// Where others reach it.
    pub mailbox: Mailbox<AiClientMsg>,
    /// Who answers.
    pub provider: Arc<dyn Provider>,
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
        /// When the answer is of no more use.
        deadline: Instant,
        /// The answer.
        reply: Reply<Result<Solution, SolveError>>,
    },
    /// From its own tasks: one has ended.
    Ended,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// The last try failed so.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// The provider kept failing; it is not asked for now.
    #[error("the model is not asked for now, because it kept failing: {cause}")]
    CircuitOpen {
        /// Time until it will be asked again.
        retry_after: Duration,
        /// What it failed with last.
        cause: String,
    },
}

/// Its state.
pub struct State {
    caller: Arc<Caller>,
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
        args.mailbox.bind(myself);
        let breaker = Breaker::new(
            args.config.circuit_failures,
            Duration::from_millis(args.config.circuit_open_ms),
        );
        let caller = Caller {
            provider: args.provider,
            places: Semaphore::new(args.config.concurrency),
            breaker: Mutex::new(breaker),
            backoff: Backoff::from_ms(args.config.retry_base_ms, args.config.retry_max_ms),
            max_retries: args.config.max_retries,
            call_timeout: Duration::from_millis(args.config.call_timeout_ms),
            metrics: args.metrics,
        };
        caller.show_circuit();
        Ok(State {
            caller: Arc::new(caller),
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
                        outcome = caller.solve(&question, deadline) => drop(reply.send(outcome)),
                    }
                };
                let span = info_span!(parent: &span, "ai_call");
                state.calls.spawn(work.instrument(span));
            }
            AiClientMsg::Ended => state.reap().await,
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
