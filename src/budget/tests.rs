use super::*;

fn budget(config: config::Budget) -> (Arc<Budget>, Metrics) {
    let metrics = Metrics::new();
    (
        Budget::new(&config, Clock::start(), metrics.clone()),
        metrics,
    )
}

fn usd(usd: f64) -> Amount {
    Amount {
        requests: 1.0,
        tokens: 100.0,
        usd,
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_fits_is_admitted_however_many_ask_at_once() {
    let (budget, metrics) = budget(config::Budget {
        usd_per_day: Some(1.0),
        ..config::Budget::default()
    });
    let admitted = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| budget.reserve(None, usd(0.03))))
            .collect();
        asking
            .into_iter()
            .filter_map(|asked| asked.join().unwrap().ok())
            .collect::<Vec<_>>()
    });
    assert_eq!(admitted.len(), 33, "33 times 3 cents are 99 cents");
    let shown = metrics.render();
    assert!(
        shown.contains(r#"ai_budget_refused_total{budget="usd_per_day",scope="all"} 31"#),
        "{shown}"
    );
    assert!(
        shown.contains(r#"ai_budget_used{budget="usd_per_day"} 0.99"#),
        "{shown}"
    );
    assert!(
        shown.contains(r#"ai_budget_limit{budget="usd_per_day"} 1"#),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn settling_gives_back_what_was_not_taken() {
    let (budget, _) = budget(config::Budget {
        tokens_per_minute: Some(150),
        ..config::Budget::default()
    });
    let first = budget.reserve(None, usd(0.0)).unwrap();
    let refused = budget.reserve(None, usd(0.0)).unwrap_err();
    assert_eq!(
        (refused.limit, refused.of_key),
        (Limit::TokensPerMinute, false)
    );
    first.settle(Amount {
        tokens: 20.0,
        ..usd(0.0)
    });
    let second = budget.reserve(None, usd(0.0)).unwrap();
    drop(second);
    assert!(
        budget.reserve(None, usd(0.0)).is_err(),
        "what nobody settled stays spent"
    );
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(budget.reserve(None, usd(0.0)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_and_all_have_one_together() {
    let (budget, metrics) = budget(config::Budget {
        requests_per_minute: Some(3),
        key_requests_per_minute: Some(2),
        ..config::Budget::default()
    });
    let (anna, bert): (Arc<str>, Arc<str>) = ("anna".into(), "bert".into());
    assert!(budget.reserve(Some(&anna), usd(0.0)).is_ok());
    assert!(budget.reserve(Some(&anna), usd(0.0)).is_ok());
    let refused = budget.reserve(Some(&anna), usd(0.0)).unwrap_err();
    assert!(refused.of_key);
    assert!(
        refused
            .to_string()
            .contains("budget.key_requests_per_minute"),
        "{refused}"
    );
    assert!(budget.reserve(Some(&bert), usd(0.0)).is_ok());
    let refused = budget.reserve(Some(&bert), usd(0.0)).unwrap_err();
    assert!(!refused.of_key, "three in all");
    let wait = refused.retry_after.expect("it frees");
    assert!(wait <= Duration::from_secs(61), "{wait:?}");
    tokio::time::advance(wait).await;
    assert!(
        budget.reserve(Some(&bert), usd(0.0)).is_ok(),
        "it was free when it was said to be"
    );
    tokio::time::advance(Duration::from_secs(120)).await;
    budget.tidy();
    assert!(
        budget.state().keys.is_empty(),
        "keys without spending are forgotten"
    );
    assert!(metrics.render().contains(r#"scope="key"} 1"#));
}

#[tokio::test(start_paused = true)]
async fn a_call_above_the_whole_limit_is_told_so() {
    let (budget, _) = budget(config::Budget {
        usd_per_hour: Some(0.01),
        ..config::Budget::default()
    });
    let refused = budget.reserve(None, usd(0.02)).unwrap_err();
    assert_eq!(refused.retry_after, None);
    assert!(refused.to_string().contains("raise the limit"), "{refused}");
}
