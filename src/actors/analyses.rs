//! Analyses: starts, watches, remembers and cancels analyses; the parent of every Analysis actor.
//!
//! Flow: http --Start, Record, Get, GetLatest, Cancel--> [Analyses] --spawns--> Analysis --Answered, Done--> [Analyses]
//! Mailbox: `[analyses]` mailbox_capacity; senders wait up to wait_ms, then `overloaded`.
//! Crash: running analyses end with it and are reported as `interrupted`; those that somebody was promised (202, or an
//! `Idempotency-Key`) are kept in the store, the other finished ones are forgotten. Callers that wait for an analysis of
//! another process ask again.
//! Metrics: those of its mailbox.
//!
//! Its children are temporary: one that dies is a reported failure of that analysis, never restarted.

mod memory;
mod message;
mod promise;
mod report;

pub use message::{AnalysesMsg, Cancelled, StartError, StartRequest, Started, Update, last};
pub use promise::Promise;
pub use report::words;

use super::{
    analysis::{Analysis, AnalysisArgs, Done, Solver},
    director::{DirectorMsg, FinishRequest},
    journal::JournalMsg,
    scraper::ScraperMsg,
    stats_app::{Answers, StatsAppMsg},
};
use crate::{
    analysis::{Failure, Report, Status},
    clock::Clock,
    config,
    event::{Event, body},
    metrics::Metrics,
    runtime::{Envelope, Mailbox, Reply},
    store::{AnalysisStore, Append, StoreError},
};
use memory::{Memory, Running};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tracing::{Instrument as _, error, error_span, info, warn};

/// What it works with.
#[derive(Clone)]
pub struct AnalysesArgs {
    /// Its limits.
    pub config: config::Analyses,
    /// Most questions of one analysis.
    pub max_questions: usize,
    /// Where others reach it.
    pub mailbox: Mailbox<AnalysesMsg>,
    /// How questions find their answers.
    pub solver: Solver,
    /// Who makes events durable and shows them.
    pub journal: Mailbox<JournalMsg>,
    /// Who decides what a channel plays.
    pub director: Mailbox<DirectorMsg>,
    /// Who reads pages.
    pub scraper: Mailbox<ScraperMsg>,
    /// Who tells another program; `None` where none is to be told.
    pub stats_app: Option<Mailbox<StatsAppMsg>>,
    /// Where promised analyses are kept.
    pub store: Arc<dyn AnalysisStore>,
    /// The server's clock.
    pub clock: Clock,
    /// Where analyses are measured.
    pub metrics: Metrics,
}

/// Its state.
pub struct State {
    args: AnalysesArgs,
    myself: ActorRef<Envelope<AnalysesMsg>>,
    memory: Memory,
    /// Wait for analyses of other processes, on behalf of callers here.
    followers: JoinSet<()>,
    /// Set once the server is ending: nothing more is started.
    draining: bool,
    /// Who wants to know when the last one has ended.
    drained: Vec<Reply<()>>,
}

/// See the module.
pub struct Analyses;

impl Actor for Analyses {
    type Msg = Envelope<AnalysesMsg>;
    type State = State;
    type Arguments = AnalysesArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let (now, keep) = (args.clock.now_ms(), args.config.keep);
        let mut memory = Memory::new(keep);
        let recovered = match promise::recover(args.store.as_ref(), now, keep).await {
            // Reports are read one by one when they are asked for.
            Err(StoreError::Unreachable) => Vec::new(),
            recovered => recovered?,
        };
        for report in recovered {
            memory.remember(Arc::new(report));
        }
        args.mailbox.bind(myself.clone());
        Ok(State {
            args,
            myself,
            memory,
            followers: JoinSet::new(),
            draining: false,
            drained: Vec::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = envelope.span();
        let (message, _permit) = envelope.open();
        state.on_message(message).instrument(span).await;
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, failure) => {
                error!(actor = "analysis", error = %failure, "analysis died");
                state.on_death(&cell).await;
            }
            // One that stopped by itself has reported first, in a message that comes behind this event. One that was
            // killed leaves no state, and no report.
            SupervisionEvent::ActorTerminated(cell, None, _) => state.on_death(&cell).await,
            _ => {}
        }
        Ok(())
    }
}

impl State {
    /// Callers that have gone do not need their answer: hence the ignored replies.
    async fn on_message(&mut self, message: AnalysesMsg) {
        match message {
            AnalysesMsg::Start(request, reply) => drop(reply.send(self.on_start(*request).await)),
            AnalysesMsg::Record(report) => self.finished(report),
            AnalysesMsg::Get(id, reply) => drop(reply.send(self.find(&id).await)),
            AnalysesMsg::GetLatest {
                channel,
                limit,
                reply,
            } => {
                drop(reply.send(self.memory.latest(channel.as_deref(), limit)));
            }
            AnalysesMsg::Cancel(id, reply) => drop(reply.send(self.on_cancel(&id).await)),
            AnalysesMsg::Found(id, found) => self.memory.found(&id, *found),
            AnalysesMsg::Answered(id, result) => self.memory.answered(&id, result),
            AnalysesMsg::Done(id, done) => self.end(&id, *done).await,
            AnalysesMsg::Drain(reply) => {
                self.draining = true;
                self.drained.push(reply);
                self.tell_drained();
            }
        }
    }

    async fn on_start(&mut self, request: StartRequest) -> Result<Started, StartError> {
        if self.draining {
            return Err(StartError::Draining);
        }
        let now = self.args.clock.now_ms();
        let mut replaces = None;
        if let Some(known) =
            promise::earlier(self.args.store.as_ref(), &request.promise, now).await?
        {
            if let Some(started) = self.memory.join(&known) {
                return Ok(started);
            }
            match self.find(&known).await {
                Some(report) if report.status == Status::Running => return self.follow(known),
                Some(report) if !report.was_interrupted() => return Ok(memory::finished(report)),
                // One that a crash cut short has no result to repeat: the call is made again.
                Some(_) | None => replaces = Some(known),
            }
        }
        if self.memory.running() >= self.args.config.max_running {
            return Err(StartError::Full);
        }
        let id = uuid::Uuid::now_v7().to_string();
        let report = report::first_report(&id, &request);
        let hours = self.args.config.idempotency_hours;
        let (store, promise) = (self.args.store.as_ref(), &request.promise);
        let taken = promise.keep(store, &report, replaces, now, hours).await?;
        if let (Some(taken), Some((_, body))) = (taken, &promise.key) {
            // The same call came to two processes at once, and the other was faster.
            return self.follow(promise::same_call(taken, *body)?);
        }
        let cell = self.spawn(&id, request.clone()).await?;
        let (running, started) = Running::new(
            report,
            cell,
            request.promise,
            request.show.is_some(),
            self.args.max_questions,
        );
        self.memory.start(running);
        Ok(started)
    }

    /// Lets a caller wait for an analysis of another process.
    fn follow(&mut self, id: String) -> Result<Started, StartError> {
        while self.followers.try_join_next().is_some() {}
        if self.followers.len() >= self.args.config.max_running {
            return Err(StartError::Full);
        }
        let (sender, updates) = mpsc::channel(self.args.max_questions + 2);
        let (store, followed) = (Arc::clone(&self.args.store), id.clone());
        let limit = Duration::from_millis(self.args.config.timeout_ms);
        self.followers.spawn(async move {
            let ended = promise::follow(store.as_ref(), &followed);
            // Without a report the caller sees a stream that ends early: the analysis was lost.
            if let Ok(Some(report)) = tokio::time::timeout(limit, ended).await {
                memory::tell(&sender, report);
            }
        });
        Ok(Started { id, updates })
    }

    async fn spawn(&self, id: &str, request: StartRequest) -> Result<ActorCell, StoreError> {
        let args = AnalysisArgs {
            id: id.to_owned(),
            span: error_span!("analysis", id, channel = request.channel),
            show: request.show.map(|staging| (request.channel, staging)),
            subject: request.subject,
            deadline: Instant::now() + Duration::from_millis(self.args.config.timeout_ms),
            parallel: self.args.config.parallel_questions,
            wishes: Arc::new(request.wishes),
            solver: self.args.solver.clone(),
            journal: self.args.journal.clone(),
            director: self.args.director.clone(),
            scraper: self.args.scraper.clone(),
            parent: self.myself.clone(),
            metrics: self.args.metrics.clone(),
        };
        let spawned = Actor::spawn_linked(None, Analysis, args, self.myself.get_cell()).await;
        spawned
            .map(|(actor, _)| actor.get_cell())
            .map_err(|error| StoreError::Failed(error.to_string()))
    }

    async fn find(&self, id: &str) -> Option<Arc<Report>> {
        if let Some(report) = self.memory.get(id) {
            return Some(report);
        }
        promise::read(self.args.store.as_ref(), id).await
    }

    async fn on_cancel(&mut self, id: &str) -> Cancelled {
        let Some(cell) = self.memory.cell(id) else {
            return match self.find(id).await {
                Some(report) if report.status == Status::Running => Cancelled::Elsewhere,
                Some(_) => Cancelled::TooLate,
                None => Cancelled::Unknown,
            };
        };
        cell.stop(Some("cancelled".to_owned()));
        match self
            .abort(id, Status::Cancelled, None, "Analysis cancelled")
            .await
        {
            Some(report) => Cancelled::Now(report),
            None => Cancelled::TooLate,
        }
    }

    async fn on_death(&mut self, cell: &ActorCell) {
        if let Some(id) = self.memory.id_of(cell) {
            let failure = Failure::internal();
            let message = failure.error.clone();
            self.abort(&id, Status::Error, Some(failure), &message)
                .await;
        }
    }

    /// Ends a running analysis on its behalf: viewers are told, and its show plays what it has.
    async fn abort(
        &mut self,
        id: &str,
        status: Status,
        failure: Option<Failure>,
        message: &str,
    ) -> Option<Arc<Report>> {
        let mut running = self.memory.take(id)?;
        running.report.status = status;
        message.clone_into(&mut running.report.message);
        if running.shown {
            let channel = running.report.channel.clone();
            let event = body(&Event::AnalysisFailed {
                channel: &channel,
                analysis_id: id,
                code: failure.as_ref().map(|failure| failure.code),
                error: message,
            });
            let entry = Append {
                channel: channel.clone(),
                events: vec![event],
                state: None,
                replaces: 0,
            };
            let deadline = Instant::now() + Duration::from_millis(self.args.config.wait_ms);
            let append = JournalMsg::Append {
                entry,
                committed: Box::new(|_| ()),
            };
            if self.args.journal.send(append, deadline).await.is_err() {
                warn!(
                    actor = "analyses",
                    "cannot tell viewers of a failed analysis"
                );
            }
            let request = FinishRequest {
                channel,
                analysis_id: id.to_owned(),
                answers: Vec::new(),
            };
            let finish = |reply| DirectorMsg::Finish(request, reply);
            running.report.timeline = self
                .args
                .director
                .ask(deadline, finish)
                .await
                .ok()
                .and_then(Result::ok)
                .flatten();
        }
        running.report.failure = failure;
        Some(self.conclude(running).await)
    }

    async fn end(&mut self, id: &str, done: Done) {
        let Some(mut running) = self.memory.take(id) else {
            return;
        };
        let report = &mut running.report;
        report.status = if done.failure.is_some() {
            Status::Error
        } else {
            Status::Success
        };
        report.message = words(report, done.failure.as_ref());
        report.failure = done.failure;
        report.position = done.position;
        report.timeline = done.timeline;
        report.usage = done.usage;
        self.conclude(running).await;
    }

    /// Keeps the report where it was promised, remembers it, and tells whoever waits.
    async fn conclude(&mut self, running: Running) -> Arc<Report> {
        if let Err(error) = running
            .promise
            .fulfil(
                self.args.store.as_ref(),
                &running.report,
                self.args.clock.now_ms(),
            )
            .await
        {
            warn!(actor = "analyses", %error, "cannot keep a report");
        }
        let report = running.tell_done();
        audit(&report);
        self.finished(Arc::clone(&report));
        self.tell_drained();
        report
    }

    /// Remembers a finished analysis, and has its answers told when they are shown.
    fn finished(&mut self, report: Arc<Report>) {
        if let Some(stats_app) = &self.args.stats_app
            && report.status == Status::Success
            && report.timeline.is_some()
        {
            let answers = Answers::new(report.answers.clone(), self.args.clock.now_ms());
            stats_app.offer(StatsAppMsg::Shown(answers));
        }
        self.memory.remember(report);
    }

    fn tell_drained(&mut self) {
        if self.memory.running() == 0 {
            for reply in self.drained.drain(..) {
                // Whoever has stopped waiting does not need to know.
                let _ = reply.send(());
            }
        }
    }
}

/// The line of the audit log that tells what an analysis cost. Who began it stands in the line of the call, by the same id.
fn audit(report: &Report) {
    let failure = report.failure.as_ref();
    let outcome = match report.status {
        Status::Cancelled => "cancelled",
        _ => failure.map_or("done", |failure| failure.code.name()),
    };
    info!(
        target: "audit",
        analysis = report.analysis_id,
        channel = report.channel,
        outcome,
        questions = report.question_count,
        tokens = report.usage.prompt_tokens + report.usage.completion_tokens,
    );
}

#[cfg(test)]
mod tests;
