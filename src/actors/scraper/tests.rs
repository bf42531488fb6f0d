use super::*;
use crate::{
    metrics::MailboxMetrics,
    page::{PageSource, Timings, Via},
    quiz::{Kind, Question},
    runtime::AskError,
};
use futures_util::future::BoxFuture;
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Reads a page in a second: what is next in its script, then one question.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<PageError>>,
    reads: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl PageReader for Scripted {
    fn availability(&self) -> Result<(), String> {
        Ok(())
    }

    fn wait_turn<'a>(
        &'a self,
        page: &'a PageRequest,
        _: Instant,
    ) -> BoxFuture<'a, Result<(), PageError>> {
        let waits = page.source == PageSource::Html("in turn".into());
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(if waits { 5 } else { 0 })).await;
            Ok(())
        })
    }

    fn read<'a>(
        &'a self,
        page: &'a PageRequest,
        _: Instant,
    ) -> BoxFuture<'a, Result<FoundPage, PageError>> {
        Box::pin(async move {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            let PageSource::Html(html) = &page.source else {
                panic!("the reader was made to panic");
            };
            let seconds = if html == "for ever" { 1_000_000 } else { 1 };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match self.script.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => Ok(found()),
            }
        })
    }
}

fn found() -> FoundPage {
    FoundPage {
        url: None,
        title: None,
        via: Via::Html,
        questions: vec![Question {
            text: "q".into(),
            options: vec!["a".into(), "b".into()],
            kind: Kind::Single,
            correct: None,
            id: None,
        }],
        notes: Vec::new(),
        timings: Timings::default(),
        picture: None,
    }
}

struct House {
    mailbox: Mailbox<ScraperMsg>,
    reader: Arc<Scripted>,
    actor: ActorRef<Envelope<ScraperMsg>>,
    metrics: Metrics,
}

async fn house(script: impl IntoIterator<Item = PageError>) -> House {
    let reader = Arc::new(Scripted {
        script: Mutex::new(script.into_iter().collect()),
        ..Scripted::default()
    });
    let (mailbox, metrics) = (Mailbox::new(4, MailboxMetrics::noop()), Metrics::new());
    let args = ScraperArgs {
        config: config::Scraper {
            concurrency: 2,
            page_timeout_ms: 10_000,
            follow_timeout_ms: 20_000,
            ..config::Scraper::default()
        },
        limits: config::Limits::default(),
        mailbox: mailbox.clone(),
        reader: Arc::clone(&reader) as Arc<dyn PageReader>,
        metrics: metrics.clone(),
    };
    let (actor, _) = Actor::spawn(None, Scraper, args).await.unwrap();
    House {
        mailbox,
        reader,
        actor,
        metrics,
    }
}

type Asked = Result<Result<FoundPage, PageError>, AskError>;

impl House {
    async fn scrape(&self, source: PageSource, follow: bool, within: u64) -> Asked {
        let deadline = Instant::now() + Duration::from_secs(within);
        let page = PageRequest {
            source,
            follow,
            render: false,
        };
        let ask = |reply| ScraperMsg::Scrape {
            page,
            deadline,
            reply,
        };
        self.mailbox
            .ask(deadline + Duration::from_secs(60), ask)
            .await
    }

    async fn html(&self, html: &str) -> Asked {
        self.scrape(PageSource::Html(html.into()), false, 100).await
    }
}

fn crash() -> PageError {
    PageError::Failed(FailReason::Crashed, "crashed".into())
}

#[tokio::test(start_paused = true)]
async fn answers_with_the_questions_and_the_time_they_took() {
    let house = house([]).await;
    let found = house.html("<p>").await.unwrap().unwrap();
    assert_eq!(found.questions.len(), 1);
    assert_eq!((found.timings.wait_ms, found.timings.total_ms), (0, 1_000));
    assert!(
        house
            .metrics
            .render()
            .contains("scrape_pages_total{outcome=\"ok\"} 1")
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_a_crash_took_along_is_read_once_more() {
    let house = house([crash()]).await;
    assert!(house.html("<p>").await.unwrap().is_ok());
    assert_eq!(house.reader.reads.load(Ordering::SeqCst), 2);
    house
        .reader
        .script
        .lock()
        .unwrap()
        .extend([crash(), crash(), crash()]);
    assert_eq!(house.html("<p>").await.unwrap(), Err(crash()));
    assert_eq!(house.reader.reads.load(Ordering::SeqCst), 4);
    assert!(
        house
            .metrics
            .render()
            .contains("scrape_pages_total{outcome=\"failed\"} 1")
    );
}

#[tokio::test(start_paused = true)]
async fn so_many_pages_at_once_and_the_others_wait_their_turn() {
    let house = house([]).await;
    let pages = (0..4).map(|_| house.html("<p>"));
    let all = futures_util::future::join_all(pages).await;
    let waits: Vec<_> = all
        .into_iter()
        .map(|page| page.unwrap().unwrap().timings.wait_ms)
        .collect();
    assert_eq!(waits, [0, 0, 1_000, 1_000]);
    assert_eq!(house.reader.most_at_once.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_waits_for_its_host_takes_no_place() {
    let house = house([]).await;
    let pages = ["in turn", "in turn", "in turn", "<p>"].map(|html| house.html(html));
    let all = futures_util::future::join_all(pages).await;
    let waits: Vec<_> = all
        .into_iter()
        .map(|page| page.unwrap().unwrap().timings.wait_ms)
        .collect();
    assert_eq!(waits, [5_000, 5_000, 6_000, 0]);
}

#[tokio::test(start_paused = true)]
async fn rejects_when_full() {
    let house = house([]).await;
    let _running: Vec<_> = (0..4)
        .map(|_| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let deadline = Instant::now() + Duration::from_secs(100);
            let page = PageRequest {
                source: PageSource::Html("for ever".into()),
                follow: false,
                render: false,
            };
            let sent = house.mailbox.try_send(ScraperMsg::Scrape {
                page,
                deadline,
                reply,
            });
            assert!(sent.is_ok());
            answer
        })
        .collect();
    let began = Instant::now();
    let asked = house.scrape(PageSource::Html("<p>".into()), false, 0).await;
    // The places are taken until the first two pages are given up after their 10 s and 2 s.
    assert!(asked.unwrap().is_err());
    assert_eq!(began.elapsed(), Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_hangs_is_given_up() {
    let house = house([]).await;
    for (follow, seconds) in [(false, 12), (true, 22)] {
        let began = Instant::now();
        let asked = house
            .scrape(PageSource::Html("for ever".into()), follow, 100)
            .await;
        assert!(matches!(
            asked,
            Ok(Err(PageError::Failed(FailReason::Timeout, _)))
        ));
        assert_eq!(began.elapsed(), Duration::from_secs(seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_frees_its_place() {
    let house = house([]).await;
    for _ in 0..4 {
        let page = house.html("for ever");
        assert!(
            tokio::time::timeout(Duration::from_secs(1), page)
                .await
                .is_err()
        );
    }
    let found = house.html("<p>").await.unwrap().unwrap();
    assert_eq!(found.timings.wait_ms, 0);
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_panics_takes_nothing_else_along() {
    let house = house([]).await;
    let asked = house
        .scrape(PageSource::Url("http://a/".into()), false, 100)
        .await;
    assert_eq!(asked, Err(AskError::Down));
    assert!(house.html("<p>").await.unwrap().is_ok());
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn drains_on_stop() {
    let house = house([]).await;
    let asked = async {
        tokio::join!(house.html("<p>"), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            house.actor.drain().unwrap();
        })
        .0
    };
    assert!(asked.await.unwrap().is_ok(), "the running page finishes");
    house.actor.wait(None).await.unwrap();
}
