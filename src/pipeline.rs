//! The way in, for HTTP and for the command line alike: an analysis that is known at once, or one that is started.

use crate::{
    actors::{
        analyses::{AnalysesMsg, Promise, StartError, StartRequest, Started, last, words},
        analysis::{count, cues, known_result, read_page},
        cache::CacheMsg,
        director::{DirectorMsg, PlayRequest},
        tree::{Mailboxes, Role},
    },
    analysis::{CacheUse, Failure, FailureCode, Report, Source, Status, Usage, Wishes},
    clock::Clock,
    config::Settings,
    event::{Event, body},
    metrics::Metrics,
    page::{FoundPage, PageRequest},
    provider::Chain,
    quiz::{
        Question,
        fingerprint::{Fingerprint, fingerprint},
        request::{AnalyzeRequest, TimingOverride},
    },
    runtime::AskError,
    scrape::PageReader,
    solve::{Solution, calibration::Calibrations},
    store::{embedded::Embedded, redis::Link},
    timeline::{Staging, Timing},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The channel that is meant when none is named.
pub const DEFAULT_CHANNEL: &str = "default";

/// What the scraper takes to say that a page's time is over.
const SCRAPE_MARGIN: Duration = Duration::from_secs(5);

/// Everything that work needs, once the tree stands. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The actors.
    pub actors: Mailboxes,
    /// What this process is there for.
    pub role: Role,
    /// Who reads pages.
    pub pages: Arc<dyn PageReader>,
    /// The way to the other processes; `None` for one that is alone.
    pub redis: Option<Link>,
    /// What can be backed up; `None` when it is not in this process's hands.
    pub embedded: Option<Embedded>,
    /// Who answers questions.
    pub providers: Chain,
    /// How the models' probabilities are to be read.
    pub calibrations: Arc<Calibrations>,
    /// What besides the question determines an answer.
    pub provider_fingerprint: Arc<str>,
    /// The server's clock.
    pub clock: Clock,
    /// Everything measured.
    pub metrics: Metrics,
}

/// What became of an analysis at once.
#[derive(Debug)]
pub enum Analyzed {
    /// Every answer was known.
    Known(Arc<Report>),
    /// It runs, or ran before under the same key.
    Started(Started),
}

/// Why nothing was started.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// The reason.
    Failure(Failure),
    /// The `Idempotency-Key` belongs to another request.
    KeyReused,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        Self::Failure(error.into())
    }
}

impl Pipeline {
    /// Returns an instant `ms` from now, as deadlines are given.
    pub fn within(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    /// Answers at once from memory, or starts an analysis.
    ///
    /// # Errors
    /// When nothing was started.
    pub async fn analyze(
        &self,
        request: AnalyzeRequest,
        promise: Promise,
        wishes: Wishes,
    ) -> Result<Analyzed, Refused> {
        let at_once = promise == Promise::default()
            && matches!(wishes.cache, CacheUse::Normal | CacheUse::Only);
        if at_once && let Some(solutions) = self.known(request.subject.questions()).await {
            return Ok(Analyzed::Known(
                self.report_known(request, &solutions, wishes.prediction_set)
                    .await?,
            ));
        }
        let show = request.animate.then(|| self.staging(&request));
        let request = StartRequest {
            subject: request.subject,
            channel: request
                .channel
                .unwrap_or_else(|| DEFAULT_CHANNEL.to_owned()),
            show,
            timestamp: request.timestamp,
            promise,
            wishes,
        };
        let deadline = Self::within(self.settings.analyses.wait_ms);
        let started = self
            .actors
            .analyses
            .ask(deadline, |reply| {
                AnalysesMsg::Start(Box::new(request), reply)
            })
            .await?;
        match started {
            Ok(started) => Ok(Analyzed::Started(started)),
            Err(StartError::KeyReused) => Err(Refused::KeyReused),
            Err(error @ StartError::Full) => Err(Failure {
                error: error.to_string(),
                ..Failure::overloaded()
            }
            .into()),
            Err(error @ StartError::Draining) => Err(Failure {
                retry_after: Some(5),
                ..Failure::new(FailureCode::Draining, error.to_string())
            }
            .into()),
            Err(StartError::Store(error)) => Err(Failure::from(error).into()),
        }
    }

    /// Answers `questions`, shows nothing, and returns the whole report.
    ///
    /// # Errors
    /// When nothing was started, or not one of them has an answer.
    pub async fn answers(
        &self,
        questions: Vec<Question>,
        wishes: Wishes,
    ) -> Result<Arc<Report>, Refused> {
        let request = AnalyzeRequest {
            animate: false,
            ..questions.into()
        };
        let report = match self.analyze(request, Promise::default(), wishes).await? {
            Analyzed::Known(report) => report,
            Analyzed::Started(started) => {
                last(started.updates).await.ok_or_else(Failure::internal)?
            }
        };
        match &report.failure {
            Some(failure) => Err(failure.clone().into()),
            None => Ok(report),
        }
    }

    /// Reads a page; no model is asked.
    ///
    /// # Errors
    /// Why there are no questions.
    pub async fn scrape(&self, page: PageRequest) -> Result<FoundPage, Failure> {
        let config = &self.settings.scraper;
        let time_ms = match page.follow {
            true => config.follow_timeout_ms,
            false => config.page_timeout_ms,
        };
        // The same time again to wait for a place. The answer comes a moment after its own deadline.
        let deadline = Self::within(2 * time_ms);
        read_page(
            &self.actors.scraper,
            page,
            deadline,
            deadline + SCRAPE_MARGIN,
        )
        .await
    }

    /// Returns the configured timing with what the client wants different.
    pub fn timing(&self, wanted: Option<TimingOverride>) -> Timing {
        let configured = Timing::from(&self.settings.timeline);
        let wanted = wanted.unwrap_or_default();
        Timing {
            rise_ms: wanted.rise_ms.unwrap_or(configured.rise_ms),
            hold_ms: wanted.hold_ms.unwrap_or(configured.hold_ms),
            fall_ms: wanted.fall_ms.unwrap_or(configured.fall_ms),
            rest_ms: wanted.rest_ms.unwrap_or(configured.rest_ms),
            finale_value: wanted.finale_value.unwrap_or(configured.finale_value),
            finale_hold_ms: wanted.finale_hold_ms.unwrap_or(configured.finale_hold_ms),
        }
    }

    fn staging(&self, request: &AnalyzeRequest) -> Staging {
        Staging {
            timing: self.timing(request.timing),
            when_busy: request.when_busy,
        }
    }

    /// Returns all solutions, if all are in memory. A cache that does not answer knows nothing.
    async fn known(&self, questions: &[Question]) -> Option<Vec<Arc<Solution>>> {
        // A page's questions are not known before it is read.
        if questions.is_empty() {
            return None;
        }
        let prints = questions
            .iter()
            .map(|question| fingerprint(question, &self.provider_fingerprint));
        let fingerprints: Vec<Fingerprint> = prints.collect();
        let deadline = Self::within(self.settings.cache.wait_ms);
        self.actors
            .cache
            .ask(deadline, |reply| CacheMsg::Peek {
                fingerprints,
                reply,
            })
            .await
            .ok()?
    }

    /// Makes the report of an analysis that needs no actor, and plays its show.
    async fn report_known(
        &self,
        request: AnalyzeRequest,
        solutions: &[Arc<Solution>],
        with_set: bool,
    ) -> Result<Arc<Report>, Refused> {
        let (began, staging) = (Instant::now(), self.staging(&request));
        let questions = (1..).zip(request.subject.questions()).zip(solutions);
        let results: Vec<_> = questions
            .map(|((index, question), solution)| {
                known_result(
                    index,
                    question,
                    solution,
                    Source::Cache,
                    &self.calibrations,
                    with_set,
                )
            })
            .collect();
        results
            .iter()
            .for_each(|result| count(&self.metrics, result));
        let mut report = Report {
            status: Status::Success,
            answers: results.iter().map(|result| result.answer).collect(),
            question_count: u32::try_from(results.len()).unwrap_or(u32::MAX),
            message: String::new(),
            analysis_id: uuid::Uuid::now_v7().to_string(),
            channel: request
                .channel
                .unwrap_or_else(|| DEFAULT_CHANNEL.to_owned()),
            position: None,
            usage: Usage {
                cached_questions: u32::try_from(results.len()).unwrap_or(u32::MAX),
                ..Usage::default()
            },
            results,
            timeline: None,
            found: None,
            timestamp: request.timestamp,
            failure: None,
        };
        report.message = words(&report, None);
        if request.animate {
            self.play_known(&mut report, staging).await?;
        }
        self.metrics
            .analysis()
            .duration
            .with([Source::Cache.label()])
            .record(began.elapsed().as_secs_f64());
        let report = Arc::new(report);
        // When the analyses are too busy to note it, the caller still has the report.
        self.actors
            .analyses
            .offer(AnalysesMsg::Record(Arc::clone(&report)));
        Ok(report)
    }

    async fn play_known(&self, report: &mut Report, staging: Staging) -> Result<(), Failure> {
        let (channel, id) = (report.channel.as_str(), report.analysis_id.as_str());
        let started = Event::AnalysisStarted {
            channel,
            analysis_id: id,
            question_count: report.results.len(),
        };
        let ready = Event::AnswersReady {
            channel,
            analysis_id: id,
            answers: &report.answers,
            question_count: report.answers.len(),
            results: &report.results,
        };
        let answers = report
            .results
            .iter()
            .map(|result| body(&Event::answer(channel, id, result)));
        let events = [body(&started)]
            .into_iter()
            .chain(answers)
            .chain([body(&ready)])
            .collect();
        let request = PlayRequest {
            channel: channel.to_owned(),
            analysis_id: Some(id.to_owned()),
            staging,
            cues: report.results.iter().flat_map(cues).collect(),
            skipped: Vec::new(),
            events,
        };
        let deadline = Self::within(self.settings.director.wait_ms + self.settings.journal.wait_ms);
        let played = self
            .actors
            .director
            .ask(deadline, |reply| DirectorMsg::Play(request, reply))
            .await??;
        report.position = Some(played.position);
        report.timeline = played.show;
        Ok(())
    }
}
