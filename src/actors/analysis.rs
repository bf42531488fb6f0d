//! Analysis: one actor per running analysis; brings every question to an answer or a reason.
//!
//! Flow: Analyses spawns [Analysis] --Scrape--> Scraper, --Resolve--> Cache, --Solve--> AiClient, --Append--> Journal, --Cue--> Director,
//! --Found, Answered, Done--> Analyses
//! Mailbox: none for others; it hears only from its own question tasks, `parallel_questions` at a time.
//! Crash: this analysis fails with `internal`, the others go on. It is never restarted: half of its answers may have
//! been shown.
//! Metrics: analysis_duration_seconds, questions_analyzed_total, answer_confidence.

mod publish;
mod question;

pub use question::{Solver, known_result};

use super::{
    ai_client::Account,
    analyses::AnalysesMsg,
    director::{DirectorMsg, FinishRequest},
    journal::JournalMsg,
    scraper::ScraperMsg,
};
use crate::{
    analysis::{Failure, FailureCode, Found, QuestionResult, ShowTime, Source, Usage, Wishes},
    event::{Event, body},
    metrics::Metrics,
    page::{FoundPage, PageRequest},
    quiz::{Question, request::Subject},
    runtime::{Bell, Envelope, Mailbox},
    store::Position,
    timeline::{Cue, Staging},
};
use question::{Asked, Outcome, again};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{collections::VecDeque, sync::Arc};
use tokio::{task::JoinSet, time::Instant};
use tracing::{Instrument as _, Span, error_span};

/// What one analysis works with.
pub struct AnalysisArgs {
    /// Its id.
    pub id: String,
    /// Where it is shown; `None` when nothing is to be shown.
    pub show: Option<(String, Staging)>,
    /// What its work belongs to.
    pub span: Span,
    /// What is asked, or the page where it stands.
    pub subject: Subject,
    /// When it must be over.
    pub deadline: Instant,
    /// How many questions are at work at once.
    pub parallel: usize,
    /// What the client wishes.
    pub wishes: Arc<Wishes>,
    /// How a question finds its answer.
    pub solver: Solver,
    /// Who makes events durable and shows them.
    pub journal: Mailbox<JournalMsg>,
    /// Who decides what the channel plays.
    pub director: Mailbox<DirectorMsg>,
    /// Who reads pages.
    pub scraper: Mailbox<ScraperMsg>,
    /// Who started it.
    pub parent: ActorRef<Envelope<AnalysesMsg>>,
    /// Where it is measured.
    pub metrics: Metrics,
}

/// How an analysis ended.
#[derive(Debug)]
pub struct Done {
    /// Why it failed as a whole.
    pub failure: Option<Failure>,
    /// Where the channel's stream stood after its last event.
    pub position: Option<Position>,
    /// When the show plays.
    pub timeline: Option<ShowTime>,
    /// What it cost.
    pub usage: Usage,
}

/// What it hears.
#[derive(Debug)]
pub enum AnalysisMsg {
    /// From itself: begin.
    Run,
    /// From its own question task: one has ended.
    Next,
}

/// What its tasks bring back.
enum Work {
    /// The page's questions.
    Read(Result<FoundPage, Failure>),
    /// One question's outcome.
    Asked(Outcome),
}

/// Its state.
pub struct State {
    args: AnalysisArgs,
    account: Arc<Account>,
    waiting: VecDeque<(u32, Arc<Question>)>,
    at_work: JoinSet<Work>,
    outcomes: Vec<Outcome>,
    began: Instant,
}

/// See the module.
pub struct Analysis;

impl Actor for Analysis {
    type Msg = AnalysisMsg;
    type State = State;
    type Arguments = AnalysisArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        mut args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut at_work = JoinSet::new();
        let waiting = match std::mem::replace(&mut args.subject, Subject::Questions(Vec::new())) {
            Subject::Questions(questions) => {
                myself.cast(AnalysisMsg::Run)?;
                numbered(questions)
            }
            Subject::Page(page) => {
                let (scraper, deadline) = (args.scraper.clone(), args.deadline);
                let bell = Bell::new(&myself, AnalysisMsg::Next);
                let reading = async move {
                    let _bell = bell;
                    Work::Read(read_page(&scraper, page, deadline, deadline).await)
                };
                at_work.spawn(reading.instrument(args.span.clone()));
                VecDeque::new()
            }
        };
        Ok(State {
            account: Account::new(
                args.wishes.key.clone(),
                args.wishes.salt,
                args.solver.retries,
            ),
            args,
            waiting,
            at_work,
            outcomes: Vec::new(),
            began: Instant::now(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = state.args.span.clone();
        state.on_message(message, myself).instrument(span).await
    }
}

impl State {
    async fn on_message(
        &mut self,
        message: AnalysisMsg,
        myself: ActorRef<AnalysisMsg>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AnalysisMsg::Run => {
                if let Err(failure) = self.begin(&myself).await {
                    self.give_up(failure, &myself);
                    return Ok(());
                }
            }
            AnalysisMsg::Next => match self.at_work.join_next().await {
                // A task that panicked takes the analysis with it: its question would stay without a reason.
                Some(ended) => match ended? {
                    Work::Asked(outcome) => {
                        self.on_outcome(outcome).await;
                        self.ask_next(&myself);
                    }
                    Work::Read(page) => {
                        if let Err(failure) = self.on_page(page, &myself).await {
                            self.give_up(failure, &myself);
                            return Ok(());
                        }
                    }
                },
                None => return Ok(()),
            },
        }
        if self.waiting.is_empty() && self.at_work.is_empty() {
            let done = self.conclude().await;
            self.report(done);
            myself.stop(None);
        }
        Ok(())
    }

    /// Goes on with the questions of its page.
    async fn on_page(
        &mut self,
        page: Result<FoundPage, Failure>,
        myself: &ActorRef<AnalysisMsg>,
    ) -> Result<(), Failure> {
        let mut page = page?;
        self.account = self.account.seeing(page.picture.take());
        let found = Found::from(page);
        self.waiting = numbered(found.questions.clone());
        let told = AnalysesMsg::Found(self.args.id.clone(), Box::new(found));
        // When the parent is gone, so is this actor in a moment.
        let _ = self.args.parent.cast(Envelope::internal(told));
        self.begin(myself).await
    }

    async fn begin(&mut self, myself: &ActorRef<AnalysisMsg>) -> Result<(), Failure> {
        self.announce().await?;
        for _ in 0..self.args.parallel {
            self.ask_next(myself);
        }
        Ok(())
    }

    /// Ends before anything was shown.
    fn give_up(&self, failure: Failure, myself: &ActorRef<AnalysisMsg>) {
        self.report(Done {
            failure: Some(failure),
            position: None,
            timeline: None,
            usage: Usage::default(),
        });
        myself.stop(None);
    }

    /// Takes the show's place on the channel and says that the analysis has begun.
    async fn announce(&mut self) -> Result<(), Failure> {
        let Some((channel, staging)) = self.args.show.clone() else {
            return Ok(());
        };
        let (id, deadline) = (self.args.id.clone(), self.args.deadline);
        let reserve = || {
            let reserve = |reply| DirectorMsg::Reserve {
                channel: channel.clone(),
                analysis_id: id.clone(),
                staging,
                reply,
            };
            self.args.director.ask(deadline, reserve)
        };
        again(reserve)
            .await
            .map_err(Failure::from)?
            .map_err(Failure::from)?;
        let event = Event::AnalysisStarted {
            channel: &channel,
            analysis_id: &id,
            question_count: self.waiting.len(),
        };
        self.publish(&channel, body(&event))
            .await
            .map_err(Failure::from)
    }

    fn ask_next(&mut self, myself: &ActorRef<AnalysisMsg>) {
        let Some((index, question)) = self.waiting.pop_front() else {
            return;
        };
        let (solver, bell) = (
            self.args.solver.clone(),
            Bell::new(myself, AnalysisMsg::Next),
        );
        let asked = Asked {
            index,
            question,
            wishes: Arc::clone(&self.args.wishes),
            account: Arc::clone(&self.account),
            deadline: self.args.deadline,
        };
        let span = error_span!(parent: &self.args.span, "question", index);
        let solving = async move {
            let _bell = bell;
            Work::Asked(solver.solve(&asked).await)
        };
        self.at_work.spawn(solving.instrument(span));
    }

    async fn on_outcome(&mut self, outcome: Outcome) {
        let result = &outcome.result;
        count(&self.args.metrics, result);
        if let Some((channel, _)) = self.args.show.clone() {
            let event = body(&Event::answer(&channel, &self.args.id, result));
            // What cannot be shown now is in the whole set at the end.
            let _ = self.publish(&channel, event).await;
            let cue = DirectorMsg::Cue {
                channel,
                analysis_id: self.args.id.clone(),
                question: result.index,
                cues: cues(result),
            };
            let _ = self.args.director.send(cue, self.args.deadline).await;
        }
        let answered =
            AnalysesMsg::Answered(self.args.id.clone(), Box::new(outcome.result.clone()));
        // When the parent is gone, so is this actor in a moment.
        let _ = self.args.parent.cast(Envelope::internal(answered));
        self.outcomes.push(outcome);
    }

    /// Publishes the whole set, or the failure, and finishes the show.
    async fn conclude(&mut self) -> Done {
        self.outcomes.sort_by_key(|outcome| outcome.result.index);
        let usage = self.usage();
        let failure = Outcome::common_failure(&self.outcomes);
        let label = if failure.is_some() {
            "failed"
        } else {
            source_label(&self.outcomes)
        };
        self.args
            .metrics
            .analysis()
            .duration
            .with([label])
            .record(self.began.elapsed().as_secs_f64());
        let Some((channel, _)) = self.args.show.clone() else {
            return Done {
                failure,
                position: None,
                timeline: None,
                usage,
            };
        };
        let id = self.args.id.clone();
        let event = match &failure {
            Some(failure) => body(&Event::AnalysisFailed {
                channel: &channel,
                analysis_id: &id,
                code: Some(failure.code),
                error: &failure.error,
            }),
            None => {
                let results: Vec<_> = self
                    .outcomes
                    .iter()
                    .map(|outcome| outcome.result.clone())
                    .collect();
                let answers: Vec<_> = results.iter().map(|result| result.answer).collect();
                body(&Event::AnswersReady {
                    channel: &channel,
                    analysis_id: &id,
                    answers: &answers,
                    question_count: answers.len(),
                    results: &results,
                })
            }
        };
        let position = self.publish_and_wait(&channel, &event).await;
        let finish = || {
            let request = FinishRequest {
                channel: channel.clone(),
                analysis_id: id.clone(),
                answers: self.cues(),
            };
            let deadline = self.args.deadline;
            self.args
                .director
                .ask(deadline, |reply| DirectorMsg::Finish(request, reply))
        };
        let timeline = again(finish).await.ok().and_then(Result::ok).flatten();
        Done {
            failure,
            position,
            timeline,
            usage,
        }
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for outcome in &self.outcomes {
            usage.prompt_tokens += outcome.prompt_tokens;
            usage.completion_tokens += outcome.completion_tokens;
            usage.cost_usd += outcome.cost_usd;
            match outcome.result.source {
                Some(Source::Cache) => usage.cached_questions += 1,
                Some(Source::Coalesced) => usage.coalesced_questions += 1,
                Some(Source::Model) | None => {}
            }
        }
        usage
    }

    fn report(&self, done: Done) {
        let done = AnalysesMsg::Done(self.args.id.clone(), Box::new(done));
        // When the parent is gone, so is this actor in a moment.
        let _ = self.args.parent.cast(Envelope::internal(done));
    }

    fn cues(&self) -> Vec<(u32, Vec<Cue>)> {
        let results = self.outcomes.iter().map(|outcome| &outcome.result);
        results.map(|result| (result.index, cues(result))).collect()
    }
}

fn numbered(questions: Vec<Question>) -> VecDeque<(u32, Arc<Question>)> {
    (1..).zip(questions.into_iter().map(Arc::new)).collect()
}

/// Reads a page by `deadline`, once more if the scraper died over it; its answer may take until `answer_by`.
pub(crate) async fn read_page(
    scraper: &Mailbox<ScraperMsg>,
    page: PageRequest,
    deadline: Instant,
    answer_by: Instant,
) -> Result<FoundPage, Failure> {
    let ask = || {
        scraper.ask(answer_by, |reply| ScraperMsg::Scrape {
            page: page.clone(),
            deadline,
            reply,
        })
    };
    Ok(again(ask).await??)
}

/// Returns what the show plays for a question: each selected option in turn.
pub fn cues(result: &QuestionResult) -> Vec<Cue> {
    result
        .selected
        .iter()
        .map(|option| Cue::new(result.index, *option, result.confidence))
        .collect()
}

/// Counts one question's outcome.
pub fn count(metrics: &Metrics, result: &QuestionResult) {
    let source = result.source.map_or("none", Source::label);
    let outcome = if result.answer.is_some() {
        "answered"
    } else {
        "failed"
    };
    metrics
        .analysis()
        .questions
        .with([source, outcome])
        .increment(1);
    if let Some(confidence) = result.confidence {
        metrics.analysis().confidence.record(confidence);
    }
}

/// Names where the answers of a whole analysis came from.
fn source_label(outcomes: &[Outcome]) -> &'static str {
    let asked = outcomes
        .iter()
        .any(|outcome| outcome.result.source == Some(Source::Model));
    if asked {
        Source::Model.label()
    } else {
        Source::Cache.label()
    }
}

impl From<super::director::DirectorError> for Failure {
    fn from(error: super::director::DirectorError) -> Self {
        use super::director::DirectorError;
        let text = error.to_string();
        match error {
            DirectorError::Busy => Self::new(FailureCode::ChannelBusy, text),
            DirectorError::Full(_) => Self {
                retry_after: Some(10),
                ..Self::new(FailureCode::Overloaded, text)
            },
            DirectorError::Journal(_) => Self {
                retry_after: Some(1),
                ..Self::new(FailureCode::Overloaded, text)
            },
            DirectorError::Store(error) => error.into(),
            DirectorError::NothingToControl(_) => Self::new(FailureCode::Internal, text),
        }
    }
}
