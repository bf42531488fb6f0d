//! Scraper: reads pages, so many at a time, each within its time.
//!
//! Flow: Analysis, http --Scrape--> [Scraper] --> PageReader (this process with its browser, or a remote scraper)
//! Mailbox: `[scraper]` mailbox_capacity counts waiting and running pages; senders wait until their deadline.
//! Crash: running pages are lost; callers see Down and ask again.
//! Metrics: scrape_duration_seconds, scrape_pages_total.
//!
//! Each page runs in a task of its own, `concurrency` of them at a time. A page that a crash of Chromium took along is
//! tried once more; everything else is an answer.

use crate::{
    config,
    metrics::Metrics,
    page::{FailReason, FoundPage, PageError, PageRequest},
    runtime::{Bell, Envelope, Mailbox, Reply},
    scrape::{PageReader, limits},
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tracing::{Instrument as _, error, info, info_span, warn};

/// What the scraper works with.
#[derive(Clone)]
pub struct ScraperArgs {
    /// Its limits.
    pub config: config::Scraper,
    /// What a question may hold.
    pub limits: config::Limits,
    /// Where others reach it.
    pub mailbox: Mailbox<ScraperMsg>,
    /// Who reads a page.
    pub reader: Arc<dyn PageReader>,
    /// Where pages are measured.
    pub metrics: Metrics,
}

/// What it is asked.
#[derive(Debug)]
pub enum ScraperMsg {
    /// From Analysis and http: the questions on a page.
    Scrape {
        /// Which page.
        page: PageRequest,
        /// When they are of no more use.
        deadline: Instant,
        /// The questions, or why there are none.
        reply: Reply<Result<FoundPage, PageError>>,
    },
    /// From its own tasks: one has ended.
    Ended,
}

/// Its state.
pub struct State {
    desk: Arc<Desk>,
    pages: JoinSet<()>,
}

/// What every page needs.
struct Desk {
    args: ScraperArgs,
    places: Semaphore,
}

/// See the module.
pub struct Scraper;

impl Actor for Scraper {
    type Msg = Envelope<ScraperMsg>;
    type State = State;
    type Arguments = ScraperArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself);
        let places = args.config.concurrency * args.config.remotes().len().max(1);
        let places = Semaphore::new(places);
        Ok(State {
            desk: Arc::new(Desk { args, places }),
            pages: JoinSet::new(),
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
            ScraperMsg::Scrape {
                page,
                deadline,
                reply,
            } => {
                let desk = Arc::clone(&state.desk);
                let bell = Bell::new(&myself, Envelope::internal(ScraperMsg::Ended));
                let work = async move {
                    let (_bell, _permit, mut reply) = (bell, permit, reply);
                    tokio::select! {
                        // Nobody waits for the page any more: its site is left in peace.
                        () = reply.closed() => {}
                        outcome = desk.scrape(&page, deadline) => drop(reply.send(outcome)),
                    }
                };
                let span = info_span!(parent: &span, "page");
                state.pages.spawn(work.instrument(span));
            }
            ScraperMsg::Ended => state.reap().await,
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        while !state.pages.is_empty() {
            state.reap().await;
        }
        Ok(())
    }
}

impl State {
    async fn reap(&mut self) {
        if let Some(Err(panic)) = self.pages.join_next().await
            && panic.is_panic()
        {
            error!(actor = "scraper", error = %panic, "page panicked");
        }
    }
}

impl Desk {
    async fn scrape(&self, page: &PageRequest, deadline: Instant) -> Result<FoundPage, PageError> {
        let began = Instant::now();
        // The host's turn first: a page that waits for it takes no place from others.
        let place = match self.args.reader.wait_turn(page, deadline).await {
            Ok(()) => tokio::time::timeout_at(deadline, self.places.acquire())
                .await
                .map_err(|_| PageError::Overloaded(Duration::from_secs(5))),
            Err(error) => Err(error),
        };
        let outcome = match place {
            Ok(place) => {
                let _place = place.expect("the semaphore is never closed");
                let limit = match page.follow {
                    true => self.args.config.follow_timeout_ms,
                    false => self.args.config.page_timeout_ms,
                };
                let waited = began.elapsed();
                let until = deadline.min(Instant::now() + Duration::from_millis(limit));
                self.read(page, until).await.map(|mut found| {
                    found.timings.wait_ms += millis(waited);
                    found
                })
            }
            Err(error) => Err(error),
        };
        let took = began.elapsed();
        let word = outcome.as_ref().map_or_else(PageError::outcome, |_| "ok");
        let metrics = self.args.metrics.scrape();
        metrics.pages.with([word]).increment(1);
        metrics.duration.with([word]).record(took.as_secs_f64());
        match outcome {
            Ok(mut found) => {
                found.timings.total_ms = millis(took);
                let questions = found.questions.len();
                info!(
                    actor = "scraper",
                    via = found.via.word(),
                    questions,
                    took_ms = millis(took),
                    "page read"
                );
                Ok(found)
            }
            Err(error) => {
                info!(
                    actor = "scraper",
                    outcome = word,
                    took_ms = millis(took),
                    "page not read"
                );
                Err(error)
            }
        }
    }

    /// Reads the page, once more if Chromium died over it.
    async fn read(&self, page: &PageRequest, deadline: Instant) -> Result<FoundPage, PageError> {
        let first = self.read_once(page, deadline).await;
        let found = match first {
            Err(PageError::Failed(FailReason::Crashed, _)) if self.args.reader.tries_again() => {
                warn!(actor = "scraper", "trying a page again after a crash");
                self.read_once(page, deadline).await?
            }
            other => other?,
        };
        limits::keep(found, &self.args.limits)
    }

    async fn read_once(
        &self,
        page: &PageRequest,
        deadline: Instant,
    ) -> Result<FoundPage, PageError> {
        let read = self.args.reader.read(page, deadline);
        // The reader keeps the deadline itself and knows what took the time; this one holds when it does not.
        match tokio::time::timeout_at(deadline + Duration::from_secs(2), read).await {
            Ok(outcome) => outcome,
            Err(_) => Err(PageError::Failed(
                FailReason::Timeout,
                "the page took too long".to_owned(),
            )),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
