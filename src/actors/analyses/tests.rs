use super::*;
use crate::analysis::FailureCode;
use crate::{
    actors::{
        ai_client::AiClientMsg,
        cache::{CacheMsg, Resolution},
    },
    metrics::MailboxMetrics,
    quiz::{Kind, Question, request::Subject},
    runtime::probe::Probe,
    solve::{Method, Solution},
    store::embedded::EmbeddedAnalyses,
};

struct House {
    mailbox: Mailbox<AnalysesMsg>,
    cache: Probe<CacheMsg>,
    journal: Probe<JournalMsg>,
    _ai_client: Probe<AiClientMsg>,
    _director: Probe<DirectorMsg>,
    _scraper: Probe<ScraperMsg>,
    args: AnalysesArgs,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let (cache_mailbox, cache) = Probe::spawn(64).await;
    let (ai_mailbox, ai_client) = Probe::spawn(64).await;
    let (journal_mailbox, journal) = Probe::spawn(64).await;
    let (director_mailbox, director) = Probe::spawn(64).await;
    let (scraper_mailbox, scraper) = Probe::spawn(64).await;
    let mailbox = Mailbox::new(64, MailboxMetrics::noop());
    let solver = Solver {
        cache: cache_mailbox,
        ai_client: ai_mailbox,
        provider_fingerprint: "test".into(),
        calibrations: Arc::default(),
        retries: 10,
    };
    let args = AnalysesArgs {
        config: config::Analyses {
            max_running: 2,
            keep: 3,
            ..config::Analyses::default()
        },
        max_questions: 200,
        mailbox: mailbox.clone(),
        solver,
        journal: journal_mailbox,
        director: director_mailbox,
        scraper: scraper_mailbox,
        stats_app: None,
        store: Arc::new(EmbeddedAnalyses::open(folder.path()).unwrap()),
        clock: Clock::start(),
        metrics: Metrics::new(),
    };
    Actor::spawn(None, Analyses, args.clone()).await.unwrap();
    House {
        mailbox,
        cache,
        journal,
        _ai_client: ai_client,
        _director: director,
        _scraper: scraper,
        args,
        _folder: folder,
    }
}

fn request(promise: Promise) -> StartRequest {
    let options = vec!["a".to_owned(), "b".to_owned()];
    let question = Question {
        text: "q".to_owned(),
        options,
        kind: Kind::Single,
        correct: None,
        id: None,
    };
    StartRequest {
        subject: Subject::Questions(vec![question]),
        channel: "c".to_owned(),
        show: None,
        timestamp: None,
        promise,
        wishes: crate::analysis::Wishes::default(),
    }
}

fn keyed(key: &str, body: u8) -> Promise {
    Promise {
        accepted: false,
        key: Some((key.to_owned(), [body; 32])),
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

impl House {
    async fn start(&self, promise: Promise) -> Result<Started, StartError> {
        let start = |reply| AnalysesMsg::Start(Box::new(request(promise)), reply);
        self.mailbox.ask(soon(), start).await.unwrap()
    }

    async fn get(&self, id: &str) -> Option<Arc<Report>> {
        self.mailbox
            .ask(soon(), |reply| AnalysesMsg::Get(id.to_owned(), reply))
            .await
            .unwrap()
    }

    async fn cancel(&self, id: &str) -> Cancelled {
        self.mailbox
            .ask(soon(), |reply| AnalysesMsg::Cancel(id.to_owned(), reply))
            .await
            .unwrap()
    }

    /// Answers the next question from the cache.
    async fn answer(&mut self) {
        let (CacheMsg::Resolve { reply, .. }, _) = self.cache.next().await else {
            panic!("a question")
        };
        let solution = Solution {
            probabilities: vec![0.1, 0.9],
            outside: 0.0,
            method: Method::Stated,
            model: "m".to_owned(),
            prompt_tokens: 0,
            completion_tokens: 0,
            calls: 1,
            cost_usd: 0.0,
        };
        reply.send(Resolution::Known(Arc::new(solution))).unwrap();
    }
}

async fn done(mut started: Started) -> Arc<Report> {
    loop {
        match tokio::time::timeout(Duration::from_secs(5), started.updates.recv())
            .await
            .unwrap()
        {
            Some(Update::Done(report)) => return report,
            Some(Update::Result(_) | Update::Found(_)) => {}
            None => panic!("lost"),
        }
    }
}

#[tokio::test]
async fn an_analysis_runs_is_found_and_is_remembered() {
    let mut house = house().await;
    let started = house.start(Promise::default()).await.unwrap();
    let id = started.id.clone();
    assert_eq!(house.get(&id).await.unwrap().status, Status::Running);
    house.answer().await;
    let report = done(started).await;
    assert_eq!(
        (report.status, &report.answers[..]),
        (Status::Success, &[Some(2)][..])
    );
    assert_eq!(house.get(&id).await.unwrap(), report);
    let latest = |reply| AnalysesMsg::GetLatest {
        channel: Some("c".to_owned()),
        limit: 9,
        reply,
    };
    assert_eq!(house.mailbox.ask(soon(), latest).await.unwrap(), [report]);
}

#[tokio::test]
async fn only_so_many_run_at_once() {
    let mut house = house().await;
    let first = house.start(Promise::default()).await.unwrap();
    let _second = house.start(Promise::default()).await.unwrap();
    assert!(matches!(
        house.start(Promise::default()).await,
        Err(StartError::Full)
    ));
    house.answer().await;
    done(first).await;
    house.start(Promise::default()).await.unwrap();
}

#[tokio::test]
async fn the_same_key_is_the_same_analysis_running_finished_and_after_a_crash() {
    let mut house = house().await;
    let first = house.start(keyed("k", 1)).await.unwrap();
    let joined = house.start(keyed("k", 1)).await.unwrap();
    assert_eq!(joined.id, first.id);
    assert!(matches!(
        house.start(keyed("k", 2)).await,
        Err(StartError::KeyReused)
    ));
    house.answer().await;
    let report = done(first).await;
    assert_eq!(done(joined).await, report);
    // Another one takes over, as after a crash: nothing is in memory.
    Actor::spawn(None, Analyses, house.args.clone())
        .await
        .unwrap();
    assert_eq!(
        done(house.start(keyed("k", 1)).await.unwrap()).await,
        report
    );
    house.cache.expect_nothing().await;
}

#[tokio::test]
async fn a_promised_analysis_that_a_crash_interrupted_says_so() {
    let house = house().await;
    let promise = Promise {
        accepted: true,
        ..keyed("k", 1)
    };
    let id = house.start(promise.clone()).await.unwrap().id;
    let unpromised = house.start(Promise::default()).await.unwrap().id;
    Actor::spawn(None, Analyses, house.args.clone())
        .await
        .unwrap();
    let report = house.get(&id).await.unwrap();
    assert_eq!(
        report.failure.as_ref().map(|failure| failure.code),
        Some(FailureCode::Interrupted)
    );
    assert!(house.get(&unpromised).await.is_none());
    let again = house.start(promise).await.unwrap();
    assert_ne!(again.id, id, "the same call again is a new try");
}

#[tokio::test]
async fn a_cancelled_analysis_ends_at_once() {
    let mut house = house().await;
    let started = house.start(Promise::default()).await.unwrap();
    let id = started.id.clone();
    let (message, _permit) = house.cache.next().await;
    assert!(matches!(house.cancel(&id).await, Cancelled::Now(_)));
    assert_eq!(done(started).await.status, Status::Cancelled);
    let CacheMsg::Resolve { mut reply, .. } = message else {
        panic!("a question")
    };
    reply.closed().await;
    assert!(matches!(house.cancel(&id).await, Cancelled::TooLate));
    assert!(matches!(house.cancel("none").await, Cancelled::Unknown));
    house.journal.expect_nothing().await;
}

#[tokio::test]
async fn a_drain_lets_running_analyses_finish_and_starts_no_more() {
    let mut house = house().await;
    let running = house.start(Promise::default()).await.unwrap();
    let (reply, mut drained) = tokio::sync::oneshot::channel();
    house.mailbox.try_send(AnalysesMsg::Drain(reply)).unwrap();
    assert!(matches!(
        house.start(Promise::default()).await,
        Err(StartError::Draining)
    ));
    assert!(drained.try_recv().is_err());
    house.answer().await;
    done(running).await;
    drained.await.unwrap();
    assert!(matches!(
        house.start(Promise::default()).await,
        Err(StartError::Draining)
    ));
}
