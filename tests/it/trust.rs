//! Answers that can be trusted, from the outside: doubt, budgets, other providers, what the cache may answer.

use crate::support::{Reply, StubAi, TestServer, ai::Answer, order, question};
use quiz_stats::config::keys::ApiKey;
use serde_json::{Value, json};

async fn ask(server: &TestServer, text: &str) -> Reply {
    server
        .post("/api/analyze", &order("hall", &[question(text, 4, 2)]))
        .await
}

async fn ask_with(server: &TestServer, text: &str, cache_control: &str) -> Reply {
    let request = server
        .request("POST", "/api/analyze")
        .json(&order("hall", &[question(text, 4, 2)]));
    Reply::to(request.header("cache-control", cache_control)).await
}

#[tokio::test]
async fn a_model_that_always_says_the_first_letter_is_found_out() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai).start().await;
    ai.script(|asked| Answer::letters(asked, 0, 0.35));
    let answer = ask(&server, "Which?").await.expect(200);
    let result = &answer["results"][0];
    assert_eq!(result["calls"], 4, "each option stood first once");
    assert!(
        (result["confidence"].as_f64().unwrap() - 0.25).abs() < 1e-6,
        "{result}"
    );
    assert_eq!(result["flags"], json!(["low_confidence"]));
    let asked = ai.asked();
    let firsts: std::collections::HashSet<_> =
        asked.iter().map(|asked| asked.options[0].clone()).collect();
    assert_eq!(firsts.len(), 4);
}

#[tokio::test]
async fn servers_without_log_probabilities_are_asked_for_votes() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai).start().await;
    ai.script(|asked| match asked.body["logprobs"] == true {
        true => Answer::error(400, "logprobs_not_supported"),
        false => Answer::right(asked),
    });
    let answer = ask(&server, "Which?").await.expect(200);
    assert_eq!(
        (&answer["answers"], &answer["results"][0]["method"]),
        (&json!([2]), &json!("stated"))
    );
    assert_eq!(ai.calls(), 3, "one in vain, and two that agree");
    ask(&server, "And this?").await.expect(200);
    assert_eq!(ai.calls(), 5, "what the server cannot do is remembered");
}

#[tokio::test]
async fn a_budget_ends_and_says_when_it_frees() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("budget.requests_per_minute", 3)
        .start()
        .await;
    let quiz: Vec<_> = (0..5)
        .map(|n| question(&format!("Question {n}?"), 4, 2))
        .collect();
    let answer = server.analyze(&order("hall", &quiz)).await;
    let answered = answer["answers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| !answer.is_null())
        .count();
    assert_eq!(
        (answered, ai.calls()),
        (3, 3),
        "only what fits is asked: {answer}"
    );
    let reason = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|result| result["error"].as_str());
    assert!(
        reason.unwrap().contains("budget.requests_per_minute"),
        "{answer}"
    );

    let refused = ask(&server, "One more?").await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(refused.error(429), "budget_exhausted");
    assert_eq!(ai.calls(), 3);
    assert!(
        server
            .metric(r#"ai_budget_refused_total{budget="requests_per_minute",scope="all"}"#)
            .await
            >= 3.0
    );
    assert_eq!(
        server
            .metric(r#"ai_budget_limit{budget="requests_per_minute"}"#)
            .await,
        3.0
    );
}

#[tokio::test]
async fn money_is_counted_by_the_configured_prices() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("ai.prices", "scripted=1000/5000")
        .set("budget.usd_per_day", "0.9")
        .start()
        .await;
    let answer = ask(&server, "How much?").await.expect(200);
    // 100 tokens read at 0.1 cent, one written at half a cent.
    assert!(
        (answer["usage"]["costUsd"].as_f64().unwrap() - 0.105).abs() < 1e-9,
        "{answer}"
    );
    let cost = server
        .metric(r#"openai_cost_usd_total{model="scripted"}"#)
        .await;
    assert!((cost - 0.105).abs() < 1e-9);
    let again = ask(&server, "How much?").await.expect(200);
    assert_eq!(
        again["usage"]["costUsd"], 0.0,
        "what is known costs nothing"
    );
    let (code, said) = TestServer::with(&ai)
        .set("budget.usd_per_day", 1)
        .run_to_end()
        .await;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("budget.usd_per_day") && said.contains("scripted=READ/WRITTEN"),
        "{said}"
    );
}

#[tokio::test]
async fn each_key_has_a_budget_of_its_own() {
    let ai = StubAi::start().await;
    let keys = [
        ("anna", "key-of-anna-0123456789"),
        ("bert", "key-of-bert-0123456789"),
    ];
    let lines: Vec<_> = keys
        .iter()
        .map(|(name, key)| ApiKey::of_everything(name, key).to_string())
        .collect();
    let server = TestServer::with(&ai)
        .set("auth.keys", lines.join("\n"))
        .set("budget.key_requests_per_minute", 1)
        .start()
        .await;
    let ask = |key: &'static str, text: &'static str| {
        let request = server
            .request("POST", "/api/analyze")
            .json(&order("hall", &[question(text, 4, 2)]));
        Reply::to(request.bearer_auth(key))
    };
    ask(keys[0].1, "One?").await.expect(200);
    let refused = ask(keys[0].1, "Two?").await;
    assert!(refused.text().contains("of this key"), "{}", refused.text());
    assert_eq!(refused.error(429), "budget_exhausted");
    ask(keys[1].1, "Two?").await.expect(200);
}

#[tokio::test]
async fn the_next_server_answers_when_the_first_key_is_dead() {
    let (dead, alive) = (StubAi::start().await, StubAi::start().await);
    let line = format!("backup {} other key=sk-backup-secret", alive.base_url());
    let server = TestServer::with(&dead)
        .set("ai.api_key", "sk-dead")
        .set("ai.providers", line)
        .start()
        .await;
    dead.script(|_| Answer::error(401, "invalid_api_key"));
    let answer = ask(&server, "Who answers?").await.expect(200);
    assert_eq!(
        (&answer["answers"], &answer["results"][0]["model"]),
        (&json!([2]), &json!("other"))
    );
    assert_eq!(alive.asked()[0].authorization, "Bearer sk-backup-secret");
    assert_eq!(
        server
            .metric(r#"openai_request_failures_total{reason="auth"}"#)
            .await,
        1.0
    );
    assert_eq!(
        server
            .metric(r#"ai_circuit_state{provider="backup"}"#)
            .await,
        0.0
    );
    assert!(!server.log().contains("secret") && !server.log().contains("sk-dead"));
}

#[tokio::test]
async fn the_second_model_is_asked_where_the_first_doubts() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("ai.second_model", "strong")
        .set("ai.max_looks", 1)
        .start()
        .await;
    ai.script(|asked| match asked.body["model"] == "strong" {
        true => Answer::right(asked),
        false => Answer::letters(asked, 0, 0.3),
    });
    let answer = ask(&server, "Hard?").await.expect(200);
    let result = &answer["results"][0];
    assert_eq!(
        (&result["answer"], &result["model"], &result["calls"]),
        (&json!(2), &json!("strong"), &json!(2))
    );
}

#[tokio::test]
async fn a_caller_says_what_known_answers_are_good_for() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    assert_eq!(
        ask_with(&server, "Known?", "only-if-cached")
            .await
            .error(504),
        "not_cached"
    );
    assert_eq!(ai.calls(), 0);
    ask_with(&server, "Known?", "no-store").await.expect(200);
    ask_with(&server, "Known?", "no-store").await.expect(200);
    assert_eq!(ai.calls(), 2, "asked anew, and not kept");
    assert_eq!(
        ask_with(&server, "Known?", "only-if-cached")
            .await
            .error(504),
        "not_cached"
    );
    ask_with(&server, "Known?", "no-cache").await.expect(200);
    ask_with(&server, "Known?", "no-cache").await.expect(200);
    assert_eq!(ai.calls(), 4, "asked anew, and kept");
    let known = ask_with(&server, "Known?", "only-if-cached")
        .await
        .expect(200);
    assert_eq!(known["results"][0]["source"], "cache");
    assert_eq!(
        ask_with(&server, "Known?", "only-if-cached, no-store")
            .await
            .error(400),
        "invalid_request"
    );

    let partly = order(
        "hall",
        &[question("Known?", 4, 2), question("Unknown?", 4, 2)],
    );
    let request = server.request("POST", "/api/analyze").json(&partly);
    let partly = Reply::to(request.header("cache-control", "only-if-cached"))
        .await
        .expect(200);
    assert_eq!(partly["answers"], json!([2, null]), "{partly}");
    assert_eq!(ai.calls(), 4);
}

#[tokio::test]
async fn a_prediction_set_is_told_where_it_is_asked_for() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai).set("ai.doubt_below", 0).start().await;
    ai.script(|asked| {
        let right = asked
            .options
            .iter()
            .position(|option| option.starts_with("right"))
            .unwrap();
        Answer::letters(
            asked,
            right,
            if asked.question == "Sure?" { 0.92 } else { 0.7 },
        )
    });
    let mut body = order("hall", &[question("How sure?", 4, 2)]);
    let plain = server.analyze(&body).await;
    assert_eq!(plain["results"][0].get("predictionSet"), None);
    body["predictionSet"] = json!(true);
    for _ in ["asked", "known"] {
        let answer = server.analyze(&body).await;
        let set = &answer["results"][0]["predictionSet"];
        assert_eq!(
            set,
            &json!([1, 2, 3, 4]),
            "of three equals none is left out: {answer}"
        );
    }
    let mut sure = order("hall", &[question("Sure?", 4, 2)]);
    sure["predictionSet"] = json!(true);
    assert_eq!(
        server.analyze(&sure).await["results"][0]["predictionSet"],
        json!([2])
    );
    let gift = server
        .request("POST", "/api/analyze?predictionSet=true")
        .header("content-type", "text/x-gift");
    let answer = Reply::to(gift.body("What?{=right ~wrong ~bad ~false}"))
        .await
        .expect(200);
    assert_eq!(
        answer["results"][0]["predictionSet"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    body["predictionSet"] = json!("yes");
    assert_eq!(
        server.post("/api/analyze", &body).await.error(400),
        "invalid_request"
    );
}

#[tokio::test]
async fn a_question_that_needs_its_picture_is_not_guessed() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let quiz = [
        question("[image: IMG_1.png] What is shown?", 3, 1),
        question("[image: a red cube] Which colour?", 3, 1),
    ];
    let answer = server.analyze(&order("hall", &quiz)).await;
    assert_eq!(
        (&answer["answers"], ai.calls()),
        (&json!([Value::Null, 1]), 1)
    );
    assert_eq!(answer["results"][0]["flags"], json!(["needs_image"]));
    let alone = server
        .post("/api/analyze", &order("hall", &quiz[..1]))
        .await;
    assert_eq!(alone.error(422), "needs_image");
}
