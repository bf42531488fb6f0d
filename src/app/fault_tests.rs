//! Every actor is made to die under load: the requests concerned get clean errors, the others go on, the tree
//! recovers, and every permit comes back.

use super::*;
use crate::{
    actors::{
        analyses::{Promise, Update},
        broadcaster::{BroadcasterMsg, Indirect, Outbox, outbox::Pushed},
        director::DirectorMsg,
    },
    analysis::{FailureCode, Report, Status},
    event::{Batch, Frame},
    page::{FoundPage, PageError, PageRequest, PageSource, Timings, Via},
    pipeline::{Analyzed, Refused},
    provider::{Chain, Provider, ProviderError},
    quiz::{
        Kind, Question,
        request::{AnalyzeRequest, Subject},
    },
    runtime::Mailbox,
    scrape::PageReader,
    solve::{Method, Solution},
    store::embedded::{EmbeddedAnalyses, EmbeddedAnswers, EmbeddedEvents},
};
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicU32, Ordering};

/// Answers everything with the first option, after a moment; panics when the question says so.
#[derive(Default)]
struct SlowProvider {
    calls: AtomicU32,
}

impl Provider for SlowProvider {
    fn model(&self) -> &'static str {
        "test"
    }
    fn system(&self) -> &'static str {
        "test"
    }
    fn fingerprint(&self) -> String {
        "test".to_owned()
    }
    fn solve<'a>(
        &'a self,
        question: &'a Question,
        _: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            assert!(
                !question.text.starts_with("panic"),
                "the provider was made to panic"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
            let least = question.options.iter().min();
            let right = |option| if Some(option) == least { 1.0 } else { 0.0 };
            let probabilities = question.options.iter().map(right).collect();
            Ok(Solution {
                probabilities,
                outside: 0.0,
                method: Method::Stated,
                model: "test".to_owned(),
                prompt_tokens: 1,
                completion_tokens: 1,
                calls: 1,
                cost_usd: 0.0,
            })
        })
    }
}

/// Reads one page, after a moment.
struct OnePage;

impl PageReader for OnePage {
    fn availability(&self) -> Result<(), String> {
        Ok(())
    }
    fn read<'a>(
        &'a self,
        page: &'a PageRequest,
        _: Instant,
    ) -> BoxFuture<'a, Result<FoundPage, PageError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let PageSource::Html(text) = &page.source else {
                return Err(PageError::NoQuestions(String::new()));
            };
            Ok(FoundPage {
                url: None,
                title: None,
                via: Via::Html,
                questions: vec![question(text.clone())],
                notes: Vec::new(),
                timings: Timings::default(),
                picture: None,
            })
        })
    }
}

struct House {
    app: App,
    provider: Arc<SlowProvider>,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.supervisor.backoff_base_ms = 5;
    settings.supervisor.backoff_max_ms = 20;
    settings.supervisor.max_restarts = 100;
    settings.analyses.timeout_ms = 10_000;
    settings.ai.max_looks = 1;
    settings.analyses.max_running = 1_000;
    settings.director.max_queued_shows = 10_000;
    // Pages come one after another, so that some come after each death.
    settings.scraper.mailbox_capacity = 8;
    let provider = Arc::new(SlowProvider::default());
    let metrics = Metrics::new();
    let mailboxes = Mailboxes::new(&settings, &metrics);
    let ports = Ports {
        providers: Chain::from(Arc::clone(&provider) as Arc<dyn Provider>),
        calibrations: Arc::default(),
        answers: Arc::new(EmbeddedAnswers::open(folder.path()).unwrap()),
        events: Arc::new(EmbeddedEvents::open(folder.path()).unwrap()),
        pages: Arc::new(OnePage),
        resolver: Arc::new(SystemResolver),
        analyses: Arc::new(EmbeddedAnalyses::open(folder.path()).unwrap()),
        embedded: None,
        shared: None,
    };
    House {
        app: App::with_ports(settings, ports, mailboxes, metrics)
            .await
            .unwrap(),
        provider,
        _folder: folder,
    }
}

fn question(text: String) -> Question {
    let options = vec!["right".to_owned(), "wrong".to_owned()];
    Question {
        text,
        options,
        kind: Kind::Single,
        correct: None,
        id: None,
    }
}

fn request(text: &str, questions: usize) -> AnalyzeRequest {
    let questions: Vec<_> = (0..questions)
        .map(|n| question(format!("{text} {n}")))
        .collect();
    AnalyzeRequest {
        channel: Some(format!("c{}", text.len() % 3)),
        ..AnalyzeRequest::from(questions)
    }
}

/// What a client sees in the end; `None` when the analysis was lost, which http tells as `internal`.
async fn outcome(
    pipeline: Pipeline,
    request: AnalyzeRequest,
) -> Result<Option<Arc<Report>>, Refused> {
    match pipeline
        .analyze(
            request,
            Promise::default(),
            crate::analysis::Wishes::default(),
        )
        .await?
    {
        Analyzed::Known(report) => Ok(Some(report)),
        Analyzed::Started(mut started) => {
            while let Some(update) = started.updates.recv().await {
                if let Update::Done(report) = update {
                    return Ok(Some(report));
                }
            }
            Ok(None)
        }
    }
}

impl House {
    fn pipeline(&self) -> Pipeline {
        self.app.pipeline().clone()
    }

    /// Runs 60 analyses of 4 questions while `actor` dies three times in their midst. Returns how many succeeded.
    async fn survive<M: ractor::Message>(&self, name: &str, actor: &Mailbox<M>) -> usize {
        self.survive_with(name, actor, |text| request(text, 4))
            .await
    }

    async fn survive_with<M: ractor::Message>(
        &self,
        name: &str,
        actor: &Mailbox<M>,
        request: impl Fn(&str) -> AnalyzeRequest,
    ) -> usize {
        let running: Vec<_> = (0..60_usize)
            .map(|n| tokio::spawn(outcome(self.pipeline(), request(&format!("{name} {n}")))))
            .collect();
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            actor.make_next_deadly();
        }
        let mut succeeded = 0;
        for analysis in running {
            let ended = tokio::time::timeout(Duration::from_secs(20), analysis).await;
            match ended
                .expect("nobody waits for ever")
                .expect("callers do not panic")
            {
                Ok(Some(report)) if report.status == Status::Success => {
                    assert_eq!(
                        report.answers.iter().flatten().count(),
                        report.results.iter().filter(|r| r.error.is_none()).count()
                    );
                    succeeded += 1;
                }
                Ok(Some(report)) => assert!(report.failure.is_some(), "{report:?}"),
                Ok(None) | Err(Refused::Failure(_)) => {}
                Err(Refused::KeyReused) => panic!("no key was used"),
            }
        }
        self.is_well(name).await;
        succeeded
    }

    /// Asserts that `name` has died, and that everything is up again, does its work, and holds nothing back.
    async fn is_well(&self, name: &str) {
        self.settles(name).await;
        let pipeline = self.pipeline();
        let rendered = pipeline.metrics.render();
        let restarts = rendered.lines().find(|line| {
            line.starts_with(&format!(
                "actor_restarts_total{{actor=\"{name}\",reason=\"failed\"}}"
            ))
        });
        let restarts: u32 = restarts
            .and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .unwrap_or_default();
        assert!((1..=4).contains(&restarts), "{name} died {restarts} times");
    }

    async fn settles(&self, name: &str) {
        let pipeline = self.pipeline();
        let well = async {
            loop {
                let fresh =
                    outcome(pipeline.clone(), request(&format!("{name} afterwards"), 2)).await;
                let works = matches!(fresh, Ok(Some(report)) if report.status == Status::Success);
                if works
                    && pipeline
                        .actors
                        .down(Role::All, &pipeline.settings)
                        .is_empty()
                    && self.held() == [0; 8]
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let recovered = tokio::time::timeout(Duration::from_secs(10), well).await;
        assert!(
            recovered.is_ok(),
            "{name}: down {:?}, held {:?}",
            pipeline.actors.down(Role::All, &pipeline.settings),
            self.held()
        );
    }

    fn held(&self) -> [usize; 8] {
        let actors = &self.app.pipeline().actors;
        [
            actors.rate_limiter.depth(),
            actors.cache.depth(),
            actors.ai_client.depth(),
            actors.scraper.depth(),
            actors.journal.depth(),
            actors.director.depth(),
            actors.broadcaster.depth(),
            actors.analyses.depth(),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_dies_and_every_analysis_is_answered() {
    let house = house().await;
    let succeeded = house
        .survive("cache", &house.app.pipeline().actors.cache)
        .await;
    assert_eq!(succeeded, 60, "a question whose cache died is asked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ai_client_dies_and_every_analysis_is_answered() {
    let house = house().await;
    let succeeded = house
        .survive("ai_client", &house.app.pipeline().actors.ai_client)
        .await;
    assert_eq!(succeeded, 60, "a call that was lost is made again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scraper_dies_and_every_page_is_read() {
    let house = house().await;
    let page = |text: &str| {
        let source = PageSource::Html(text.to_owned());
        AnalyzeRequest::from(Subject::Page(PageRequest {
            source,
            follow: false,
            render: false,
        }))
    };
    let scraper = &house.app.pipeline().actors.scraper;
    let succeeded = house.survive_with("scraper", scraper, page).await;
    assert_eq!(succeeded, 60, "a page that was lost is read again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_dies_and_every_analysis_is_answered() {
    let house = house().await;
    let succeeded = house
        .survive("journal", &house.app.pipeline().actors.journal)
        .await;
    assert_eq!(
        succeeded, 60,
        "viewers may miss a word on the way, callers nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_director_dies_and_every_analysis_is_answered() {
    let house = house().await;
    let succeeded = house
        .survive("director", &house.app.pipeline().actors.director)
        .await;
    assert_eq!(
        succeeded, 60,
        "a place that was asked for is asked for again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broadcaster_dies_and_viewers_are_told() {
    let house = house().await;
    let actors = &house.app.pipeline().actors;
    let outbox = Arc::new(Outbox::new(1 << 20, Indirect));
    let subscribe = |reply| BroadcasterMsg::Subscribe {
        viewer: 1,
        channel: "c0".to_owned(),
        since: None,
        outbox: Arc::clone(&outbox) as Arc<Outbox>,
        reply,
    };
    actors
        .broadcaster
        .ask(Pipeline::within(1_000), subscribe)
        .await
        .unwrap()
        .unwrap();
    let succeeded = house.survive("broadcaster", &actors.broadcaster).await;
    assert_eq!(succeeded, 60, "analyses do not depend on who watches");
    assert!(
        outbox.push(&Batch::of(vec![Frame::message(b"{\"a\":1}")]).unwrap()) == Pushed::Gone,
        "its viewers were closed, to come back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn analyses_die_with_their_parent_and_say_so() {
    let house = house().await;
    house
        .survive("analyses", &house.app.pipeline().actors.analyses)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_analysis_dies_and_the_others_go_on() {
    let house = house().await;
    let good: Vec<_> = (0..20)
        .map(|n| tokio::spawn(outcome(house.pipeline(), request(&format!("good {n}"), 4))))
        .collect();
    for (text, why) in [
        ("panic", "the call died, and so did every repetition"),
        ("deadly", "the analysis itself died"),
    ] {
        let bad = outcome(house.pipeline(), request(text, 1))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(bad.status, Status::Error, "{why}");
        assert_eq!(
            bad.failure.as_ref().map(|failure| failure.code),
            Some(FailureCode::Internal),
            "{why}"
        );
    }
    for analysis in good {
        assert_eq!(
            analysis.await.unwrap().unwrap().unwrap().status,
            Status::Success
        );
    }
    house.settles("analysis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identical_questions_at_once_cost_one_call() {
    let house = house().await;
    let running: Vec<_> = (0..100)
        .map(|_| tokio::spawn(outcome(house.pipeline(), request("same", 1))))
        .collect();
    for analysis in running {
        assert_eq!(analysis.await.unwrap().unwrap().unwrap().answers, [Some(1)]);
    }
    assert_eq!(house.provider.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_that_keeps_dying_ends_the_process() {
    let mut house = house().await;
    let actors = house.app.pipeline().actors.clone();
    let killer = tokio::spawn(async move {
        loop {
            actors.director.make_next_deadly();
            let get = |reply| DirectorMsg::GetShow {
                channel: "c".to_owned(),
                reply,
            };
            let _ = actors.director.ask(Pipeline::within(100), get).await;
        }
    });
    let reason = tokio::time::timeout(Duration::from_secs(30), house.app.supervisor.gave_up())
        .await
        .unwrap();
    assert!(reason.contains("director died"), "{reason}");
    killer.abort();
}
