//! Supervisor: starts its children in order, restarts those that die, and gives up when they die too often.
//!
//! Flow: children --exit--> [Supervisor] --respawn after back-off--> children
//! Budget: more than `max_restarts` within `window` → the supervisor itself fails; the root's failure ends the process.
//! Drain: children stop in the reverse of their start order, each handling what it already holds.
//! Metrics: actor_up, actor_restarts_total.
//!
//! ractor kills the children of a supervisor that stops, without their `post_stop`: hence the explicit drain, during
//! which exits are not restarted.

use super::backoff::Backoff;
use crate::metrics::Metrics;
use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};
use tracing::{error, info, warn};

/// Which children are restarted when one dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The one that died.
    OneForOne,
    /// All of them.
    OneForAll,
    /// The one that died and those started after it.
    RestForOne,
}

type Start =
    Arc<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// How to start a child, again and again.
#[derive(Clone)]
pub struct ChildSpec {
    name: &'static str,
    start: Start,
}

impl ChildSpec {
    /// Describes a child: `actor` builds it, `args` is cloned for every start.
    pub fn new<A>(name: &'static str, actor: fn() -> A, args: A::Arguments) -> Self
    where
        A: Actor,
        A::Arguments: Clone + Sync,
    {
        let start: Start = Arc::new(move |supervisor| {
            let args = args.clone();
            // Actors stay unnamed: ractor's names live in one registry per process, in which parallel tests collide.
            Box::pin(async move {
                Ok(Actor::spawn_linked(None, actor(), args, supervisor)
                    .await?
                    .0
                    .get_cell())
            })
        });
        Self { name, start }
    }
}

/// What a supervisor works with.
pub struct SupervisorArgs {
    /// Who is restarted with whom.
    pub strategy: Strategy,
    /// Restarts allowed within `window`.
    pub max_restarts: usize,
    /// The sliding window of the budget.
    pub window: Duration,
    /// Wait before each restart; grows with a child's failures in a row, forgotten after it stood for `window`.
    pub backoff: Backoff,
    /// In start order: those that others need come first.
    pub children: Vec<ChildSpec>,
    /// Where restarts are counted.
    pub metrics: Metrics,
}

/// What the supervisor is told.
pub enum SupervisorMsg {
    /// From its own timer: the back-off of this child is over.
    Respawn(usize),
    /// From the handle: stop everything in order; answered when it is done.
    Drain(Duration, oneshot::Sender<()>),
}

/// A running supervisor, as its owner holds it.
#[derive(Debug)]
pub struct SupervisorHandle {
    actor: ActorRef<SupervisorMsg>,
    task: JoinHandle<()>,
    gave_up: watch::Receiver<Option<String>>,
}

impl SupervisorHandle {
    /// Returns when the supervisor has given up, with the reason.
    pub async fn gave_up(&mut self) -> String {
        match self
            .gave_up
            .wait_for(Option::is_some)
            .await
            .map(|reason| reason.clone())
        {
            Ok(Some(reason)) => reason,
            Ok(None) | Err(_) => "the supervisor ended".to_owned(),
        }
    }

    /// Stops the children in the reverse of their start order, waiting at most `limit` for each, then the supervisor.
    pub async fn drain(self, limit: Duration) {
        let (done, drained) = oneshot::channel();
        if self.actor.cast(SupervisorMsg::Drain(limit, done)).is_ok() {
            // An error means that the supervisor died meanwhile, and its children with it.
            let _ = drained.await;
        }
        let _ = self.task.await;
    }
}

struct Child {
    spec: ChildSpec,
    cell: Option<ActorCell>,
    started: Instant,
    failures: u32,
}

/// The supervisor's state.
pub struct State {
    args: SupervisorArgs,
    children: Vec<Child>,
    restarts: VecDeque<Instant>,
    gave_up: watch::Sender<Option<String>>,
}

/// See the module.
pub struct Supervisor;

impl Supervisor {
    /// Starts the supervisor and all its children.
    ///
    /// # Errors
    /// When a child does not start; those already started are ended again.
    pub async fn spawn(args: SupervisorArgs) -> Result<SupervisorHandle, SpawnErr> {
        let (sender, gave_up) = watch::channel(None);
        let (actor, task) = Actor::spawn(None, Self, (args, sender)).await?;
        Ok(SupervisorHandle {
            actor,
            task,
            gave_up,
        })
    }
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = State;
    type Arguments = (SupervisorArgs, watch::Sender<Option<String>>);

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (args, gave_up): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = State {
            children: Vec::new(),
            args,
            restarts: VecDeque::new(),
            gave_up,
        };
        for spec in state.args.children.clone() {
            match (spec.start)(myself.get_cell()).await {
                Ok(cell) => {
                    state.args.metrics.actor(spec.name).up.set(1.0);
                    state.children.push(Child {
                        spec,
                        cell: Some(cell),
                        started: Instant::now(),
                        failures: 0,
                    });
                }
                Err(error) => {
                    let message = format!("{} does not start: {error}", spec.name);
                    for child in state.children.drain(..).rev() {
                        stop(child.cell).await;
                    }
                    return Err(message.into());
                }
            }
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Respawn(failed) => state.respawn(&myself, failed).await,
            SupervisorMsg::Drain(limit, done) => {
                state.drain(limit).await;
                let _ = done.send(());
                myself.stop(None);
                Ok(())
            }
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, reason, text) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, "failed", error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, why) => {
                (cell, "stopped", why.unwrap_or_default())
            }
            _ => return Ok(()),
        };
        // Children that the supervisor itself stopped are no longer in the table.
        let found = state
            .children
            .iter()
            .position(|c| c.cell.as_ref().is_some_and(|c| c.get_id() == cell.get_id()));
        match found {
            Some(child) => state.on_exit(&myself, child, reason, &text).await,
            None => Ok(()),
        }
    }
}

impl State {
    async fn on_exit(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        failed: usize,
        reason: &'static str,
        text: &str,
    ) -> Result<(), ActorProcessingErr> {
        let name = self.children[failed].spec.name;
        self.children[failed].cell = None;
        let actor = self.args.metrics.actor(name);
        actor.up.set(0.0);
        actor.restarts(reason).increment(1);
        for index in self.affected(failed).rev() {
            self.args
                .metrics
                .actor(self.children[index].spec.name)
                .up
                .set(0.0);
            stop(self.children[index].cell.take()).await;
        }
        self.schedule(myself, failed, text)
    }

    /// Children that go down and come up together with `failed`, itself included.
    fn affected(&self, failed: usize) -> std::ops::Range<usize> {
        match self.args.strategy {
            Strategy::OneForOne => failed..failed + 1,
            Strategy::OneForAll => 0..self.children.len(),
            Strategy::RestForOne => failed..self.children.len(),
        }
    }

    fn schedule(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        failed: usize,
        text: &str,
    ) -> Result<(), ActorProcessingErr> {
        let now = Instant::now();
        while self
            .restarts
            .front()
            .is_some_and(|at| now.duration_since(*at) > self.args.window)
        {
            self.restarts.pop_front();
        }
        self.restarts.push_back(now);
        let child = &mut self.children[failed];
        if self.restarts.len() > self.args.max_restarts {
            let reason = format!(
                "{} died: {text}; that is more than {} restarts within {} s",
                child.spec.name,
                self.args.max_restarts,
                self.args.window.as_secs()
            );
            error!(actor = child.spec.name, "giving up: {reason}");
            self.gave_up.send_replace(Some(reason.clone()));
            return Err(reason.into());
        }
        if now.duration_since(child.started) > self.args.window {
            child.failures = 0;
        }
        let delay = self
            .args
            .backoff
            .equal_jitter(child.failures, rand::random());
        child.failures += 1;
        warn!(
            actor = child.spec.name,
            reason = text,
            delay_ms = delay.as_millis(),
            "actor died; restarting"
        );
        let myself = myself.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // A supervisor that ended meanwhile has nothing to respawn.
            let _ = myself.cast(SupervisorMsg::Respawn(failed));
        });
        Ok(())
    }

    async fn respawn(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        failed: usize,
    ) -> Result<(), ActorProcessingErr> {
        for index in self.affected(failed) {
            let child = &mut self.children[index];
            if child.cell.is_some() {
                continue;
            }
            match (child.spec.start)(myself.get_cell()).await {
                Ok(cell) => {
                    child.cell = Some(cell);
                    child.started = Instant::now();
                    self.args.metrics.actor(child.spec.name).up.set(1.0);
                    info!(actor = child.spec.name, "actor restarted");
                }
                Err(error) => return self.schedule(myself, index, &error.to_string()),
            }
        }
        Ok(())
    }

    async fn drain(&mut self, limit: Duration) {
        while let Some(child) = self.children.pop() {
            let Some(cell) = child.cell else { continue };
            if cell.drain_and_wait(Some(limit)).await.is_err() {
                warn!(
                    actor = child.spec.name,
                    "did not drain in time; stopping it"
                );
                stop(Some(cell)).await;
            }
            self.args.metrics.actor(child.spec.name).up.set(0.0);
        }
    }
}

/// Ends an actor, by force when it does not listen within a second.
async fn stop(cell: Option<ActorCell>) {
    if let Some(cell) = cell
        && cell
            .stop_and_wait(None, Some(Duration::from_secs(1)))
            .await
            .is_err()
    {
        cell.kill();
    }
}

#[cfg(test)]
mod tests;
