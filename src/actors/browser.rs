//! Browser: owns Chromium. Starts it when a page needs it, ends it when it hangs, has grown old or too large, and starts
//! it anew when it has died.
//!
//! Flow: PageReader --Acquire--> [Browser] --> Chromium (its processes); the reader opens its page in what it is lent
//! Mailbox: `[browser]` mailbox_capacity; senders wait until their page's deadline.
//! Crash: Chromium is killed; pages in it fail with `crashed` and are tried once more.
//! Metrics: browser_restarts_total, browser_pages_open.
//!
//! A Chromium that is to be replaced gets no new pages; it is ended when the last one has been given back. One that hangs
//! or is dead is ended at once.

mod chromium;

use crate::{
    browser::{BrowserError, Chromium},
    config,
    metrics::Metrics,
    runtime::{Bell, Envelope, Mailbox, Permit, Reply},
};
use chromium::{Running, Verdict};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};
use tracing::{info, warn};

/// What the browser works with.
#[derive(Clone)]
pub struct BrowserArgs {
    /// Its limits.
    pub config: config::Browser,
    /// Where others reach it.
    pub mailbox: Mailbox<BrowserMsg>,
    /// Finds the program to start.
    pub program: Arc<dyn Fn() -> Result<PathBuf, String> + Send + Sync>,
    /// How we introduce ourselves.
    pub agent: String,
    /// Whether it loads images.
    pub images: bool,
    /// Where restarts and pages are counted.
    pub metrics: Metrics,
}

/// What it is asked.
pub enum BrowserMsg {
    /// From a page's reader: a Chromium to open the page in.
    Acquire(Reply<Result<Lease, BrowserError>>),
    /// From a page's reader: a page did not answer in time. Is it the page, or is it Chromium?
    Suspect(u64),
    /// From its own tasks: a start has ended.
    Started(u64, Result<Arc<Chromium>, BrowserError>),
    /// From a lease: a page was given back.
    Released(u64),
    /// From its own tasks: a Chromium is gone.
    Gone(u64),
    /// From its own timer.
    Check,
    /// From its own tasks: how a Chromium is.
    Checked(u64, Verdict),
    /// From its own tasks: one has ended.
    Ended,
}

impl std::fmt::Debug for BrowserMsg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Acquire(_) => "Acquire",
            Self::Suspect(_) => "Suspect",
            Self::Started(..) => "Started",
            Self::Released(_) => "Released",
            Self::Gone(_) => "Gone",
            Self::Check => "Check",
            Self::Checked(..) => "Checked",
            Self::Ended => "Ended",
        })
    }
}

/// A Chromium that is lent for one page; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    /// The Chromium.
    pub chromium: Arc<Chromium>,
    /// Which one it is, for [`BrowserMsg::Suspect`].
    pub number: u64,
    _bell: Bell<Envelope<BrowserMsg>>,
}

/// Its state.
pub struct State {
    args: BrowserArgs,
    myself: ActorRef<Envelope<BrowserMsg>>,
    /// The latest Chromium's number.
    number: u64,
    current: Current,
    /// Those that get no new pages.
    retired: Vec<Running>,
    /// Starts, watches, checks and ends.
    tasks: JoinSet<()>,
}

/// The Chromium that gets new pages.
enum Current {
    /// There is none.
    None,
    /// It is being started; who waits for it.
    Starting(Vec<(Reply<Result<Lease, BrowserError>>, Permit)>),
    /// It runs.
    Running(Running),
}

/// See the module.
pub struct Browser;

impl Actor for Browser {
    type Msg = Envelope<BrowserMsg>;
    type State = State;
    type Arguments = BrowserArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself.clone());
        args.metrics.scrape().pages_open.set(0.0);
        let interval = Duration::from_millis(args.config.check_interval_ms);
        myself.send_interval(interval, || Envelope::internal(BrowserMsg::Check));
        Ok(State {
            args,
            myself,
            number: 0,
            current: Current::None,
            retired: Vec::new(),
            tasks: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, permit) = envelope.open();
        match message {
            BrowserMsg::Acquire(reply) => state.on_acquire(reply, permit),
            BrowserMsg::Suspect(number) => state.check(number),
            BrowserMsg::Started(number, outcome) => state.on_started(number, outcome),
            BrowserMsg::Released(number) => state.on_released(number),
            BrowserMsg::Gone(number) => state.end(number, "crash"),
            BrowserMsg::Check => state.on_check(),
            BrowserMsg::Checked(number, verdict) => state.on_checked(number, verdict),
            BrowserMsg::Ended => while state.tasks.try_join_next().is_some() {},
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.tasks.shutdown().await;
        let current = match std::mem::replace(&mut state.current, Current::None) {
            Current::Running(running) => Some(running),
            Current::None | Current::Starting(_) => None,
        };
        for running in state.retired.drain(..).chain(current) {
            running.chromium.end().await;
        }
        Ok(())
    }
}

impl State {
    fn on_acquire(&mut self, reply: Reply<Result<Lease, BrowserError>>, permit: Permit) {
        if let Current::Running(running) = &self.current
            && let Some(reason) = running.is_worn(&self.args.config)
        {
            self.retire(reason);
        }
        match &mut self.current {
            Current::Running(running) => drop(reply.send(Ok(running.lend(&self.myself)))),
            Current::Starting(waiting) => waiting.push((reply, permit)),
            Current::None => {
                self.current = Current::Starting(vec![(reply, permit)]);
                self.start();
            }
        }
        self.count_pages();
    }

    fn start(&mut self) {
        self.number += 1;
        let (number, args) = (self.number, self.args.clone());
        let limit = Duration::from_millis(args.config.launch_timeout_ms);
        self.spawn(async move {
            let outcome = match (args.program)() {
                Ok(program) => {
                    Chromium::launch(&program, &args.agent, args.images, Instant::now() + limit)
                        .await
                }
                Err(missing) => Err(BrowserError::Unavailable(missing)),
            };
            BrowserMsg::Started(number, outcome.map(Arc::new))
        });
    }

    fn on_started(&mut self, number: u64, outcome: Result<Arc<Chromium>, BrowserError>) {
        let Current::Starting(waiting) = std::mem::replace(&mut self.current, Current::None) else {
            return;
        };
        match outcome {
            Ok(chromium) => {
                info!(actor = "browser", number, "Chromium runs");
                let mut running = Running::new(number, Arc::clone(&chromium));
                // Who waits no longer gives his lease back by dropping it.
                waiting
                    .into_iter()
                    .for_each(|(reply, _)| drop(reply.send(Ok(running.lend(&self.myself)))));
                self.current = Current::Running(running);
                self.spawn(async move {
                    chromium.gone().await;
                    BrowserMsg::Gone(number)
                });
            }
            Err(error) => {
                warn!(actor = "browser", %error, "Chromium does not run");
                waiting
                    .into_iter()
                    .for_each(|(reply, _)| drop(reply.send(Err(error.clone()))));
            }
        }
        self.count_pages();
    }

    fn on_released(&mut self, number: u64) {
        if let Some(running) = self.running(number) {
            running.take_back();
        }
        let unused: Vec<_> = self
            .retired
            .extract_if(.., |running| running.is_unused())
            .collect();
        unused
            .into_iter()
            .for_each(|running| self.put_away(running));
        self.count_pages();
    }

    fn on_check(&mut self) {
        let numbers: Vec<_> = self.all().map(|running| running.number).collect();
        numbers.into_iter().for_each(|number| self.check(number));
    }

    /// Has a look at a Chromium, unless somebody is at it.
    fn check(&mut self, number: u64) {
        let config = self.args.config.clone();
        let Some(running) = self.running(number) else {
            return;
        };
        if let Some(chromium) = running.begin_check() {
            self.spawn(async move {
                let verdict = Verdict::on(&chromium, &config).await;
                BrowserMsg::Checked(number, verdict)
            });
        }
    }

    fn on_checked(&mut self, number: u64, verdict: Verdict) {
        let Some(running) = self.running(number) else {
            return;
        };
        running.end_check();
        match verdict {
            Verdict::Well => {}
            Verdict::Hangs => self.end(number, "hang"),
            Verdict::Large => {
                if matches!(&self.current, Current::Running(running) if running.number == number) {
                    self.retire("memory");
                }
            }
        }
        // An old one that nobody uses is ended without waiting for the next page.
        if let Current::Running(running) = &self.current
            && running.is_unused()
            && let Some(reason) = running.is_worn(&self.args.config)
        {
            self.retire(reason);
        }
    }

    /// Gives the current Chromium no new pages.
    fn retire(&mut self, reason: &'static str) {
        if let Current::Running(running) = std::mem::replace(&mut self.current, Current::None) {
            info!(
                actor = "browser",
                number = running.number,
                reason,
                "Chromium is replaced"
            );
            self.args
                .metrics
                .scrape()
                .restarts
                .with([reason])
                .increment(1);
            match running.is_unused() {
                true => self.put_away(running),
                false => self.retired.push(running),
            }
        }
    }

    /// Ends a Chromium at once, whoever uses it.
    fn end(&mut self, number: u64, reason: &'static str) {
        let current = match &self.current {
            Current::Running(running) if running.number == number => {
                match std::mem::replace(&mut self.current, Current::None) {
                    Current::Running(running) => Some(running),
                    Current::None | Current::Starting(_) => None,
                }
            }
            _ => self
                .retired
                .extract_if(.., |running| running.number == number)
                .next(),
        };
        if let Some(running) = current {
            warn!(actor = "browser", number, reason, "Chromium is ended");
            self.args
                .metrics
                .scrape()
                .restarts
                .with([reason])
                .increment(1);
            self.put_away(running);
        }
        self.count_pages();
    }

    fn put_away(&mut self, running: Running) {
        self.spawn(async move {
            running.chromium.end().await;
            BrowserMsg::Ended
        });
    }

    /// Runs a task that ends with a message to this actor.
    fn spawn(&mut self, task: impl Future<Output = BrowserMsg> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        let myself = self.myself.clone();
        self.tasks.spawn(async move {
            let message = task.await;
            // An actor that is gone needs no word.
            let _ = myself.cast(Envelope::internal(message));
        });
    }

    fn running(&mut self, number: u64) -> Option<&mut Running> {
        let current = match &mut self.current {
            Current::Running(running) => Some(running),
            Current::None | Current::Starting(_) => None,
        };
        self.retired
            .iter_mut()
            .chain(current)
            .find(|running| running.number == number)
    }

    fn all(&self) -> impl Iterator<Item = &Running> {
        let current = match &self.current {
            Current::Running(running) => Some(running),
            Current::None | Current::Starting(_) => None,
        };
        self.retired.iter().chain(current)
    }

    fn count_pages(&self) {
        let pages: u32 = self.all().map(Running::pages).sum();
        self.args.metrics.scrape().pages_open.set(f64::from(pages));
    }
}

#[cfg(test)]
mod tests;
