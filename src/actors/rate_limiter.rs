//! RateLimiter: decides whether a client may make another request now.
//!
//! Flow: http --Admit--> [RateLimiter]   (the verdict goes back in the reply)
//! Mailbox: `[rate_limiter]` mailbox_capacity; senders wait up to wait_ms, then 503.
//! Crash: the levels are lost and start full; callers see Down and get 503.
//! Metrics: rate_limit_exceeded_total.

mod gate;

pub use gate::{Client, Scope, Verdict};

use crate::{
    config::{self, keys::ApiKey},
    metrics::Metrics,
    runtime::{Envelope, Mailbox, Reply},
};
use gate::Gate;
use governor::clock::DefaultClock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::time::Duration;

/// How often clients that have their full allowance again are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What the rate limiter works with.
#[derive(Clone)]
pub struct RateLimiterArgs {
    /// Its limits.
    pub config: config::RateLimiter,
    /// Keys, some with limits of their own.
    pub keys: Vec<ApiKey>,
    /// Where others reach it.
    pub mailbox: Mailbox<RateLimiterMsg>,
    /// Where refusals are counted.
    pub metrics: Metrics,
}

/// What it is asked.
#[derive(Debug)]
pub enum RateLimiterMsg {
    /// From http: one request by this client.
    Admit {
        /// Who.
        client: Client,
        /// What for.
        scope: Scope,
        /// How many requests it counts as; never more than a full allowance.
        cost: u32,
        /// The verdict.
        reply: Reply<Verdict>,
    },
    /// From its own timer.
    Forget,
}

/// Its state.
pub struct State {
    gate: Gate<DefaultClock>,
    metrics: Metrics,
}

/// See the module.
pub struct RateLimiter;

impl Actor for RateLimiter {
    type Msg = Envelope<RateLimiterMsg>;
    type State = State;
    type Arguments = RateLimiterArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself.clone());
        myself.send_interval(FORGET_EVERY, || Envelope::internal(RateLimiterMsg::Forget));
        Ok(State {
            gate: Gate::new(&args.config, &args.keys, DefaultClock::default()),
            metrics: args.metrics,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, _permit) = envelope.open();
        match message {
            RateLimiterMsg::Admit {
                client,
                scope,
                cost,
                reply,
            } => {
                let verdict = state.gate.admit(client, scope, cost);
                if verdict.retry_after.is_some() {
                    state
                        .metrics
                        .rate_limit_exceeded(scope.label())
                        .increment(1);
                }
                // A caller that has gone does not need the verdict.
                let _ = reply.send(verdict);
            }
            RateLimiterMsg::Forget => state.gate.forget_idle(),
        }
        Ok(())
    }
}
