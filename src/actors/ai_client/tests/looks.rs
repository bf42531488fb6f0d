//! Looking again, other providers, a second model, the budget: providers that answer as each test says.

use super::*;
use crate::budget::Limit;

type Respond = dyn Fn(&Question, usize) -> Result<Solution, ProviderError> + Send + Sync;

/// Answers after a while with what its function makes of the question and the number of the call.
struct Told {
    name: &'static str,
    wait: Duration,
    respond: Box<Respond>,
    calls: AtomicUsize,
}

impl Told {
    fn new(
        name: &'static str,
        respond: impl Fn(&Question, usize) -> Result<Solution, ProviderError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::slow(name, 100, respond)
    }

    fn slow(
        name: &'static str,
        wait_ms: u64,
        respond: impl Fn(&Question, usize) -> Result<Solution, ProviderError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            wait: Duration::from_millis(wait_ms),
            respond: Box::new(respond),
            calls: AtomicUsize::new(0),
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Provider for Told {
    fn model(&self) -> &str {
        self.name
    }
    fn system(&self) -> &'static str {
        "test"
    }
    fn name(&self) -> &str {
        self.name
    }
    fn estimate(&self, _: &Question) -> (u64, u64) {
        (100, 10)
    }
    fn fingerprint(&self) -> String {
        self.name.to_owned()
    }
    fn solve<'a>(
        &'a self,
        question: &'a Question,
        _: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::time::sleep(self.wait).await;
            (self.respond)(question, call)
        })
    }
}

/// Gives the option with this text so much, and the others the rest.
fn choosing(model: &str, question: &Question, text: &str, p: f64, method: Method) -> Solution {
    let rest = (1.0 - p) / (question.options.len() - 1) as f64;
    Solution {
        probabilities: question
            .options
            .iter()
            .map(|option| if option == text { p } else { rest })
            .collect(),
        outside: 0.0,
        method,
        model: model.to_owned(),
        prompt_tokens: 100,
        completion_tokens: 10,
        calls: 1,
        cost_usd: 0.0,
    }
}

/// Gives the first place so much, whatever stands there.
fn first_place(model: &str, question: &Question, p: f64) -> Solution {
    choosing(
        model,
        question,
        &question.options[0].clone(),
        p,
        Method::Logprobs,
    )
}

struct Asking {
    mailbox: Mailbox<AiClientMsg>,
    metrics: Metrics,
    account: Arc<Account>,
}

async fn asking(chain: Chain, config: config::Ai, budget: config::Budget) -> Asking {
    let (mailbox, metrics) = (Mailbox::new(64, MailboxMetrics::noop()), Metrics::new());
    let args = AiClientArgs {
        config,
        mailbox: mailbox.clone(),
        providers: chain,
        budget: Budget::new(&budget, Clock::start(), metrics.clone()),
        priors: Arc::default(),
        metrics: metrics.clone(),
    };
    Actor::spawn(None, AiClient, args).await.unwrap();
    Asking {
        mailbox,
        metrics,
        account: Account::new(Some("anna".into()), 0, 5),
    }
}

fn ai() -> config::Ai {
    config::Ai {
        prior_sample_percent: 0,
        retry_base_ms: 10,
        retry_max_ms: 10,
        ..config::Ai::default()
    }
}

fn only(provider: &Arc<Told>) -> Chain {
    Chain::from(Arc::clone(provider) as Arc<dyn Provider>)
}

fn chain(members: &[&Arc<Told>], second: Option<&Arc<Told>>) -> Chain {
    let of = |told: &&Arc<Told>| Arc::clone(*told) as Arc<dyn Provider>;
    Chain {
        members: members.iter().map(of).collect(),
        second: second.as_ref().map(of),
    }
}

impl Asking {
    async fn ask(&self, kind: Kind) -> Result<Solution, SolveError> {
        let question = Arc::new(Question {
            text: "Which?".to_owned(),
            options: ["right", "wrong", "false", "bad"]
                [..if kind == Kind::TrueFalse { 2 } else { 4 }]
                .iter()
                .map(ToString::to_string)
                .collect(),
            kind,
            correct: None,
            id: None,
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        let account = Arc::clone(&self.account);
        self.mailbox
            .ask(deadline, |reply| AiClientMsg::Solve {
                question,
                account,
                deadline,
                reply,
            })
            .await
            .unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_clear_answer_costs_one_call_and_a_close_one_as_many_as_it_needs() {
    let clear = Told::new("m", |q, _| {
        Ok(choosing("m", q, "right", 0.8, Method::Logprobs))
    });
    let solved = asking(only(&clear), ai(), config::Budget::default())
        .await
        .ask(Kind::Single)
        .await
        .unwrap();
    assert_eq!((solved.calls, clear.calls()), (1, 1));
    assert!(
        (solved.probabilities[0] - 0.8).abs() < 1e-9,
        "in the question's order: {solved:?}"
    );

    let biased = Told::new("m", |q, _| Ok(first_place("m", q, 0.35)));
    let house = asking(only(&biased), ai(), config::Budget::default()).await;
    let solved = house.ask(Kind::Single).await.unwrap();
    assert_eq!((solved.calls, solved.prompt_tokens), (4, 400));
    assert!(
        solved.probabilities.iter().all(|p| (p - 0.25).abs() < 1e-9),
        "{solved:?}"
    );
    let shown = house.metrics.render();
    assert!(shown.contains("ai_calls_per_question_sum 4"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn the_author_s_order_does_not_reach_the_model_nor_the_key() {
    let provider = Told::new("m", |q, _| {
        assert!(q.correct.is_none() && q.id.is_none());
        Ok(first_place("m", q, 0.9))
    });
    let house = asking(only(&provider), ai(), config::Budget::default()).await;
    let first = house.ask(Kind::Single).await.unwrap();
    assert_eq!(
        first,
        house.ask(Kind::Single).await.unwrap(),
        "the same question is shown in the same order"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sampled_question_teaches_the_model_s_favourite_letters() {
    let provider = Told::new("m", |q, _| Ok(first_place("m", q, 0.7)));
    let config = config::Ai {
        prior_sample_percent: 100,
        ..ai()
    };
    let house = asking(only(&provider), config, config::Budget::default()).await;
    for _ in 0..12 {
        house.ask(Kind::Single).await.unwrap();
    }
    let shown = house.metrics.render();
    let share = |letter: &str| -> f64 {
        let name = format!(r#"option_prior{{model="m",options="4",letter="{letter}"}} "#);
        let line = shown.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("{shown}")).parse().unwrap()
    };
    assert!(
        (0.5..0.7).contains(&share("A")) && share("B") < 0.17,
        "drawn towards no preference: {shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_provider_is_asked_when_one_cannot_answer() {
    for error in [
        ProviderError::Auth { status: 401 },
        ProviderError::QuotaExhausted,
        ProviderError::Server { status: 503 },
        ProviderError::Network("refused".to_owned()),
        ProviderError::Invalid("rubbish".to_owned()),
        ProviderError::Rejected {
            status: 404,
            reason: "no such model".to_owned(),
        },
    ] {
        let told = error.clone();
        let dead = Told::new("dead", move |_, _| Err(told.clone()));
        let good = Told::new("good", |q, _| {
            Ok(choosing("good", q, "right", 0.9, Method::Logprobs))
        });
        let house = asking(
            chain(&[&dead, &good], None),
            ai(),
            config::Budget::default(),
        )
        .await;
        let solved = house.ask(Kind::Single).await.unwrap();
        assert_eq!(solved.model, "good", "{error}");
        assert_eq!(good.calls(), 1);
    }
    let dead = || Told::new("dead", |_, _| Err(ProviderError::Auth { status: 401 }));
    let (one, other) = (
        dead(),
        Told::new("other", |_, _| Err(ProviderError::QuotaExhausted)),
    );
    let house = asking(
        chain(&[&one, &other], None),
        ai(),
        config::Budget::default(),
    )
    .await;
    assert_eq!(
        house.ask(Kind::Single).await,
        Err(SolveError::Provider(ProviderError::QuotaExhausted))
    );
    let shown = house.metrics.render();
    assert!(
        shown.contains(r#"openai_request_failures_total{reason="auth"} 1"#),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_goes_straight_to_the_next_one() {
    let dead = Told::new("dead", |_, _| Err(ProviderError::Server { status: 500 }));
    let good = Told::new("good", |q, _| {
        Ok(choosing("good", q, "right", 0.9, Method::Logprobs))
    });
    let config = config::Ai {
        circuit_failures: 2,
        max_retries: 1,
        ..ai()
    };
    let house = asking(
        chain(&[&dead, &good], None),
        config,
        config::Budget::default(),
    )
    .await;
    for _ in 0..5 {
        house.ask(Kind::Single).await.unwrap();
    }
    assert_eq!((dead.calls(), good.calls()), (2, 5));
    let shown = house.metrics.render();
    assert!(
        shown.contains(r#"ai_circuit_state{provider="dead"} 2"#),
        "{shown}"
    );
    assert!(
        shown.contains(r#"ai_circuit_state{provider="good"} 0"#),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_second_model_has_the_last_word_where_the_first_is_in_doubt() {
    let unsure = Told::new("first", |q, _| {
        Ok(choosing("first", q, "wrong", 0.3, Method::Logprobs))
    });
    let strong = Told::new("strong", |q, _| {
        Ok(choosing("strong", q, "right", 0.9, Method::Logprobs))
    });
    let house = asking(
        chain(&[&unsure], Some(&strong)),
        ai(),
        config::Budget::default(),
    )
    .await;
    let solved = house.ask(Kind::Single).await.unwrap();
    assert_eq!((solved.model.as_str(), solved.calls), ("strong", 5));
    assert!((solved.probabilities[0] - 0.9).abs() < 1e-9);

    let sure = Told::new("first", |q, _| {
        Ok(choosing("first", q, "wrong", 0.9, Method::Logprobs))
    });
    let strong = Told::new("strong", |_, _| Err(ProviderError::Timeout));
    let house = asking(
        chain(&[&sure], Some(&strong)),
        ai(),
        config::Budget::default(),
    )
    .await;
    assert_eq!(house.ask(Kind::Single).await.unwrap().model, "first");
    assert_eq!(strong.calls(), 0, "nobody asks where there is no doubt");

    let house = asking(
        chain(&[&unsure], Some(&strong)),
        ai(),
        config::Budget::default(),
    )
    .await;
    assert_eq!(
        house.ask(Kind::Single).await.unwrap().model,
        "first",
        "without it the first one's word stands"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_stands_when_a_further_look_fails() {
    let provider = Told::new("m", |q, call| match call {
        0 => Ok(choosing("m", q, "right", 0.34, Method::Logprobs)),
        _ => Err(ProviderError::Auth { status: 401 }),
    });
    let house = asking(only(&provider), ai(), config::Budget::default()).await;
    let solved = house.ask(Kind::Single).await.unwrap();
    assert!((solved.probabilities[0] - 0.34).abs() < 1e-9);
    assert_eq!(solved.calls, 2, "the one that failed counts");
}

#[tokio::test(start_paused = true)]
async fn only_what_the_budget_holds_is_asked_however_many_come_at_once() {
    let provider = Told::new("m", |q, _| {
        Ok(choosing("m", q, "right", 0.9, Method::Logprobs))
    });
    let config = config::Ai {
        prices: "m=1000/1000".to_owned(),
        ..ai()
    };
    // A call is estimated at 11 cents and takes as much.
    let budget = config::Budget {
        usd_per_hour: Some(1.0),
        ..config::Budget::default()
    };
    let house = Arc::new(asking(only(&provider), config, budget).await);
    let asked: Vec<_> = (0..30)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.ask(Kind::Single).await })
        })
        .collect();
    let mut answered = 0;
    for asked in asked {
        match asked.await.unwrap() {
            Ok(solved) => {
                assert!((solved.cost_usd - 0.11).abs() < 1e-9);
                answered += 1;
            }
            Err(SolveError::Budget(exhausted)) => {
                assert_eq!(
                    (exhausted.limit, exhausted.of_key),
                    (Limit::UsdPerHour, false)
                );
                assert!(exhausted.retry_after.unwrap() > Duration::from_secs(3_000));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(
        (answered, provider.calls()),
        (9, 9),
        "nine times 11 cents are 99"
    );
    let shown = house.metrics.render();
    assert!(
        shown.contains(r#"openai_cost_usd_total{model="m"} 0.99"#),
        "{shown}"
    );
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    house
        .ask(Kind::Single)
        .await
        .expect("an hour later there is budget");
}

#[tokio::test(start_paused = true)]
async fn the_questions_of_one_analysis_share_their_retries() {
    let provider = Told::new("m", |_, _| Err(ProviderError::Server { status: 500 }));
    let config = config::Ai {
        circuit_failures: 1_000,
        max_retries: 3,
        ..ai()
    };
    let house = asking(only(&provider), config, config::Budget::default()).await;
    for _ in 0..10 {
        house.ask(Kind::Single).await.unwrap_err();
    }
    assert_eq!(
        provider.calls(),
        10 + 5,
        "one call each, and five retries in all"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_gets_a_second_beside_it_and_the_faster_counts() {
    let slow = Told::slow("slow", 20_000, |q, _| {
        Ok(choosing("slow", q, "right", 0.9, Method::Logprobs))
    });
    let quick = Told::slow("quick", 500, |q, _| {
        Ok(choosing("quick", q, "right", 0.9, Method::Logprobs))
    });
    let config = config::Ai {
        hedge_after_ms: 1_000,
        ..ai()
    };
    let house = asking(
        chain(&[&slow, &quick], None),
        config,
        config::Budget::default(),
    )
    .await;
    let began = Instant::now();
    assert_eq!(house.ask(Kind::Single).await.unwrap().model, "quick");
    assert_eq!(began.elapsed(), Duration::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn refusals_for_the_rate_halve_the_calls_at_once() {
    let provider = Told::new("m", |q, call| match call {
        0 => Err(ProviderError::RateLimited { retry_after: None }),
        _ => Ok(choosing("m", q, "right", 0.9, Method::Logprobs)),
    });
    let house = asking(only(&provider), ai(), config::Budget::default()).await;
    house.ask(Kind::Single).await.unwrap();
    let shown = house.metrics.render();
    assert!(
        shown.contains(r#"ai_concurrency_limit{provider="m"} 4"#),
        "{shown}"
    );
}
