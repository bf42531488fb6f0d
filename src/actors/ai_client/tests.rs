use super::*;
use crate::{
    clock::Clock, metrics::MailboxMetrics, provider::Provider, quiz::Kind, runtime::AskError,
    solve::Method,
};
use futures_util::future::BoxFuture;
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Answers after a second with what is next in its script, then with success.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<ProviderError>>,
    calls: Mutex<Vec<Instant>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

fn solution() -> Solution {
    Solution {
        probabilities: vec![1.0, 0.0],
        outside: 0.0,
        method: Method::Stated,
        model: "m".to_owned(),
        prompt_tokens: 3,
        completion_tokens: 1,
        calls: 1,
        cost_usd: 0.0,
    }
}

impl Provider for Scripted {
    fn model(&self) -> &'static str {
        "m"
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
        Box::pin(async move {
            self.calls.lock().unwrap().push(Instant::now());
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            let wait = if question.text == "for ever" {
                1_000_000
            } else {
                1
            };
            tokio::time::sleep(Duration::from_secs(wait)).await;
            assert!(question.text != "panic", "the provider was made to panic");
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match self.script.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => Ok(solution()),
            }
        })
    }
}

struct House {
    mailbox: Mailbox<AiClientMsg>,
    provider: Arc<Scripted>,
    actor: ActorRef<Envelope<AiClientMsg>>,
    metrics: Metrics,
}

async fn house(script: impl IntoIterator<Item = ProviderError>) -> House {
    let provider = Arc::new(Scripted {
        script: Mutex::new(script.into_iter().collect()),
        ..Scripted::default()
    });
    let (mailbox, metrics) = (Mailbox::new(16, MailboxMetrics::noop()), Metrics::new());
    let config = config::Ai {
        max_looks: 1,
        prior_sample_percent: 0,
        concurrency: 3,
        max_retries: 3,
        retry_base_ms: 1_000,
        retry_max_ms: 4_000,
        circuit_failures: 4,
        circuit_open_ms: 10_000,
        ..config::Ai::default()
    };
    let args = AiClientArgs {
        config,
        mailbox: mailbox.clone(),
        providers: Chain::from(Arc::clone(&provider) as Arc<dyn Provider>),
        budget: Budget::new(&config::Budget::default(), Clock::start(), metrics.clone()),
        priors: Arc::default(),
        metrics: metrics.clone(),
    };
    let (actor, _) = Actor::spawn(None, AiClient, args).await.unwrap();
    House {
        mailbox,
        provider,
        actor,
        metrics,
    }
}

impl House {
    async fn solve(
        &self,
        text: &str,
        within: u64,
    ) -> Result<Result<Solution, SolveError>, AskError> {
        let options = vec!["a".to_owned(), "b".to_owned()];
        let question = Question {
            text: text.to_owned(),
            options,
            kind: Kind::Single,
            correct: None,
            id: None,
        };
        let (question, deadline) = (
            Arc::new(question),
            Instant::now() + Duration::from_secs(within),
        );
        // The client answers by the deadline; the caller waits a little longer for that answer.
        self.mailbox
            .ask(deadline + Duration::from_secs(1), |reply| {
                AiClientMsg::Solve {
                    question,
                    account: Account::new(None, 0, 100),
                    deadline,
                    reply,
                }
            })
            .await
    }

    fn calls(&self) -> Vec<Instant> {
        self.provider.calls.lock().unwrap().clone()
    }
}

fn server() -> ProviderError {
    ProviderError::Server { status: 500 }
}

#[tokio::test(start_paused = true)]
async fn retries_then_gives_up() {
    let house = house(vec![server(); 9]).await;
    let outcome = house.solve("q", 100).await.unwrap();
    assert_eq!(outcome, Err(SolveError::Provider(server())));
    let calls = house.calls();
    assert_eq!(calls.len(), 4, "one call and three retries");
    for (gap, most) in calls.windows(2).zip([1, 2, 4]) {
        let pause = gap[1] - gap[0] - Duration::from_secs(1);
        assert!(
            pause <= Duration::from_secs(most),
            "full jitter below the ceiling: {pause:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_and_counted() {
    let house = house([server(), ProviderError::Invalid("x".to_owned())]).await;
    let solved = house.solve("q", 100).await.unwrap().unwrap();
    assert_eq!(solved.calls, 3);
    let rendered = house.metrics.render();
    assert!(
        rendered.contains("openai_request_failures_total{reason=\"server\"} 1"),
        "{rendered}"
    );
    assert!(
        rendered.contains("openai_requests_total{model=\"m\",outcome=\"ok\"} 1"),
        "{rendered}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_tried_again() {
    for error in [
        ProviderError::Auth { status: 401 },
        ProviderError::QuotaExhausted,
        ProviderError::Timeout,
    ] {
        let house = house([error.clone()]).await;
        assert_eq!(
            house.solve("q", 100).await.unwrap(),
            Err(SolveError::Provider(error))
        );
        assert_eq!(house.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_within_the_deadline() {
    let limited = |seconds| ProviderError::RateLimited {
        retry_after: Some(Duration::from_secs(seconds)),
    };
    let patient = house([limited(20)]).await;
    patient.solve("q", 60).await.unwrap().unwrap();
    let calls = patient.calls();
    assert!(calls[1] - calls[0] >= Duration::from_secs(21));
    let hasty = house([limited(20)]).await;
    let began = Instant::now();
    assert!(hasty.solve("q", 10).await.unwrap().is_err());
    assert_eq!(
        began.elapsed(),
        Duration::from_secs(1),
        "waiting would be in vain"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_are_bounded_and_the_rest_waits() {
    let house = Arc::new(house([]).await);
    let asked: Vec<_> = (0..9)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.solve("q", 100).await.unwrap().unwrap() })
        })
        .collect();
    let began = Instant::now();
    for asked in asked {
        asked.await.unwrap();
    }
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert_eq!(house.provider.most_at_once.load(Ordering::SeqCst), 3);
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_ends_with_its_deadline_and_one_without_a_caller_at_once() {
    let house = Arc::new(house([]).await);
    assert_eq!(
        house.solve("for ever", 5).await.unwrap(),
        Err(SolveError::Provider(ProviderError::Timeout))
    );
    let caller = tokio::spawn({
        let house = Arc::clone(&house);
        async move { house.solve("for ever", 1_000).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.mailbox.depth(), 1);
    caller.abort();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(
        house.mailbox.depth(),
        0,
        "nobody pays for an answer that nobody wants"
    );
}

#[tokio::test(start_paused = true)]
async fn the_circuit_opens_and_a_trial_closes_it() {
    let house = house(vec![server(); 4]).await;
    assert!(
        house.solve("q", 100).await.unwrap().is_err(),
        "four failures open it"
    );
    let refused = house.solve("q", 100).await.unwrap();
    assert!(
        matches!(&refused, Err(SolveError::CircuitOpen { cause, .. }) if *cause == server().to_string()),
        "{refused:?}"
    );
    assert_eq!(house.calls().len(), 4, "an open circuit costs no call");
    tokio::time::sleep(Duration::from_secs(10)).await;
    house.solve("q", 100).await.unwrap().unwrap();
    assert!(
        house
            .metrics
            .render()
            .contains("ai_circuit_state{provider=\"test\"} 0")
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_call_is_a_lost_call_and_nothing_more() {
    let house = house([]).await;
    assert_eq!(house.solve("panic", 100).await, Err(AskError::Down));
    house.solve("q", 100).await.unwrap().unwrap();
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn drains_on_stop() {
    let house = Arc::new(house([]).await);
    let running = tokio::spawn({
        let house = Arc::clone(&house);
        async move { house.solve("q", 100).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.actor.drain_and_wait(None).await.unwrap();
    running.await.unwrap().unwrap().unwrap();
}

mod looks;
