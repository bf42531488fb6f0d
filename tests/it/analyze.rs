//! `POST /api/analyze`: questions in, answers out, and what viewers see of it.

use crate::support::{Reply, Sse, StubAi, TestServer, Viewer, ai::Answer, order, question, timing};
use serde_json::{Value, json};

/// Returns whether it is a UUID, as ids of analyses are.
fn is_id(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|id| uuid::Uuid::parse_str(id).is_ok())
}

async fn post_file(server: &TestServer, path: &str, kind: &str, body: &'static str) -> Reply {
    Reply::to(
        server
            .request("POST", path)
            .header("content-type", kind)
            .body(body),
    )
    .await
}

#[tokio::test]
async fn the_whole_answer_is_as_the_contract_says() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut first = question("What is 2+2?", 4, 2);
    first["id"] = json!("q1");
    first["correct"] = json!([2]);
    let mut body = order("hall", &[first]);
    body["timestamp"] = json!({ "any": ["thing", 7] });
    let mut answer = server.analyze(&body).await;

    assert!(is_id(&answer["analysisId"]));
    assert_eq!(answer["position"]["epoch"].as_str().unwrap().len(), 16);
    assert_eq!(answer["timeline"]["id"], answer["analysisId"]);
    assert!(answer["timeline"]["startsAt"].as_u64().unwrap() > 1_700_000_000_000);
    for varying in [
        "/analysisId",
        "/position",
        "/timeline/id",
        "/timeline/startsAt",
    ] {
        *answer.pointer_mut(varying).unwrap() = json!("…");
    }
    let probabilities = answer
        .pointer_mut("/results/0/probabilities")
        .unwrap()
        .take();
    let expected = json!({
        "status": "success", "answers": [2], "questionCount": 1, "message": "Questions analyzed successfully",
        "analysisId": "…", "channel": "hall", "position": "…",
        "results": [{
            "index": 1, "id": "q1", "answer": 2, "selected": [2], "confidence": 0.9, "probabilities": null,
            "source": "model", "model": "scripted", "method": "stated", "calls": 1, "flags": [], "error": null,
        }],
        "usage": { "promptTokens": 100, "completionTokens": 10, "cachedQuestions": 0, "coalescedQuestions": 0 },
        "timeline": { "id": "…", "startsAt": "…", "durationMs": 41_500 },
        "timestamp": { "any": ["thing", 7] },
    });
    assert_eq!(answer, expected);
    let probabilities: Vec<f64> = serde_json::from_value(probabilities).unwrap();
    assert_eq!(probabilities[1], 0.9);
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_known_question_costs_nothing_in_any_order_of_its_options() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    server
        .analyze(&order("hall", &[question("Known?", 4, 3)]))
        .await;
    let mut shuffled = question("Known?", 4, 3);
    shuffled["answers"].as_array_mut().unwrap().reverse();
    for after_a_crash in [false, true] {
        if after_a_crash {
            server.kill();
            server.start_again().await;
        }
        let answer = server.analyze(&order("hall", &[shuffled.clone()])).await;
        assert_eq!(answer["answers"], json!([2]));
        assert_eq!(answer["results"][0]["source"], "cache");
        assert_eq!(answer["results"][0]["calls"], 0);
        assert_eq!(answer["results"][0]["probabilities"][1], 0.9);
        assert_eq!(answer["usage"]["cachedQuestions"], 1);
        assert_eq!(answer["usage"]["promptTokens"], 0);
        assert!(answer["position"].is_object() && answer["timeline"].is_object());
        assert_eq!(ai.calls(), 1);
    }
}

#[tokio::test]
async fn every_kind_of_question_gets_its_kind_of_answer() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let body = json!({ "questions": [
        { "question": "Which?", "answers": ["right: one", "wrong", "right: two"], "kind": "multiple" },
        { "question": "True?", "answers": ["wrong", "right"], "kind": "true_false" },
    ]});
    let answer = server.analyze(&body).await;
    assert_eq!(answer["channel"], "default");
    assert_eq!(answer["answers"], json!([1, 2]));
    assert_eq!(answer["results"][0]["selected"], json!([1, 3]));
    assert_eq!(
        answer["results"][0]["probabilities"],
        json!([0.95, 0.05, 0.95])
    );
    // Both selected options are shown, and the one of the second question.
    assert_eq!(answer["timeline"]["durationMs"], 3 * 25_000 + 16_500);
}

#[tokio::test]
async fn quiz_files_are_read_by_their_content_type() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let gift = "::g1::Which? {~wrong =right ~wrong too}";
    let answer = post_file(
        &server,
        "/api/analyze?channel=hall",
        "text/x-gift; charset=utf-8",
        gift,
    )
    .await;
    let answer = answer.expect(200);
    assert_eq!(
        (&answer["answers"], &answer["channel"]),
        (&json!([2]), &json!("hall"))
    );
    assert_eq!(answer["results"][0]["id"], "g1");
    let aiken = "And this?\nA) wrong\nB) wrong too\nC) right\nANSWER: C\n";
    let answer = post_file(&server, "/api/analyze", "text/x-aiken", aiken)
        .await
        .expect(200);
    assert_eq!(
        (&answer["answers"], &answer["channel"]),
        (&json!([3]), &json!("default"))
    );

    let broken = "Fine?\nA) one\nB) two\nANSWER: A\n\nNot fine?\nA) one\nANSWER: Z\n";
    let reply = post_file(&server, "/api/analyze", "text/x-aiken", broken).await;
    assert_eq!(reply.error(400), "invalid_quiz_file");
    assert!(
        reply.json()["details"][0]["path"]
            .as_str()
            .unwrap()
            .contains("line"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn without_a_show_nothing_is_published() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "quiet").await;
    for _ in 0..2 {
        let mut body = order("quiet", &[question("Quiet?", 2, 1)]);
        body["animate"] = json!(false);
        let answer = server.analyze(&body).await;
        assert_eq!(answer["answers"], json!([1]));
        assert!(answer["position"].is_null() && answer["timeline"].is_null());
    }
    assert!(server.get("/api/channels/quiet").await.expect(200)["position"].is_null());
    // The next thing that the viewer hears of is what was published after it.
    let loud = server
        .analyze(&order("quiet", &[question("Quiet?", 2, 1)]))
        .await;
    let event = viewer.next().await;
    assert_eq!(event["analysisId"], loud["analysisId"]);
    assert_eq!(event["offset"], 1);
}

#[tokio::test]
async fn the_wanted_timing_reaches_the_screens() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let mut body = order("hall", &[question("Quick?", 3, 3)]);
    body["timing"] =
        json!({ "riseMs": 100, "holdMs": 200, "fallMs": 300, "restMs": 0, "finaleValue": 7 });
    let answer = server.analyze(&body).await;
    assert_eq!(answer["timeline"]["durationMs"], 600 + 100 + 15_000);
    let frames = viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    let segments: Vec<_> = frames.last().unwrap()["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["kind"].as_str().unwrap(),
                s["atMs"].as_u64().unwrap(),
                s["durMs"].as_u64().unwrap(),
                s["to"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        segments,
        [
            ("rise", 0, 100, 3),
            ("hold", 100, 200, 3),
            ("fall", 300, 300, 0),
            ("rise", 600, 100, 7),
            ("finale", 700, 15_000, 7),
        ]
    );
}

#[tokio::test]
async fn results_stream_as_they_are_ready_then_done() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let questions: Vec<_> = (1..=3)
        .map(|n| question(&format!("Stream {n}?"), 3, n))
        .collect();
    let body = order("hall", &questions);
    for source in ["model", "cache"] {
        let request = server
            .request("POST", "/api/analyze")
            .header("accept", "text/event-stream")
            .json(&body);
        let mut stream = Sse::open(request).await;
        let mut indices = Vec::new();
        for _ in 0..3 {
            let event = stream.next().await.unwrap();
            assert_eq!(event.name, "result");
            assert_eq!(event.data["answer"], event.data["index"]);
            assert_eq!(event.data["source"], source);
            indices.push(event.data["index"].as_u64().unwrap());
        }
        indices.sort_unstable();
        assert_eq!(indices, [1, 2, 3]);
        let done = stream.next().await.unwrap();
        assert_eq!(done.name, "done");
        assert_eq!(
            (&done.data["status"], &done.data["answers"]),
            (&json!("success"), &json!([1, 2, 3]))
        );
        assert!(stream.next().await.is_none(), "done is the end");
    }
}

#[tokio::test]
async fn a_result_is_streamed_before_the_others_are_known() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    server
        .analyze(&order("hall", &[question("Known?", 2, 1)]))
        .await;
    ai.hold();
    let body = order(
        "hall",
        &[question("Unknown?", 2, 2), question("Known?", 2, 1)],
    );
    let request = server
        .request("POST", "/api/analyze")
        .header("accept", "text/event-stream")
        .json(&body);
    let mut stream = Sse::open(request).await;
    assert_eq!(stream.data().await["index"], 2);
    ai.release();
    assert_eq!(stream.data().await["index"], 1);
    assert_eq!(stream.next().await.unwrap().name, "done");
}

#[tokio::test]
async fn respond_async_answers_202_and_the_result_later() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    ai.hold();
    let body = order("hall", &[question("Later?", 2, 2)]);
    let request = server
        .request("POST", "/api/analyze")
        .header("prefer", "respond-async, wait=10")
        .json(&body);
    let accepted = Reply::to(request).await;
    let answer = accepted.expect(202);
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    let location = accepted.header("location").to_owned();
    assert_eq!(
        location,
        format!("/api/analyses/{}", answer["analysisId"].as_str().unwrap())
    );
    let running = server.get(&location).await.expect(200);
    assert_eq!(
        (&running["status"], &running["answers"]),
        (&json!("running"), &json!([null]))
    );
    ai.release();
    let done = finished(&server, &location).await;
    assert_eq!(
        (&done["status"], &done["answers"]),
        (&json!("success"), &json!([2]))
    );
    assert_eq!(done["analysisId"], answer["analysisId"]);
}

/// Waits until an analysis has ended.
async fn finished(server: &TestServer, location: &str) -> Value {
    crate::support::eventually("the analysis ends", || async {
        let report = server.get(location).await.expect(200);
        (report["status"] != "running").then_some(report)
    })
    .await
}

#[tokio::test]
async fn an_accepted_analysis_is_found_again_after_a_crash() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let accept = |server: &TestServer, text: &str| {
        let body = order("hall", &[question(text, 2, 2)]);
        server
            .request("POST", "/api/analyze")
            .header("prefer", "respond-async")
            .json(&body)
    };
    let ended = Reply::to(accept(&server, "Ended?"))
        .await
        .header("location")
        .to_owned();
    let before = finished(&server, &ended).await;
    ai.hold();
    let running = Reply::to(accept(&server, "Running?"))
        .await
        .header("location")
        .to_owned();
    ai.called(2).await;
    server.kill();
    server.start_again().await;
    assert_eq!(server.get(&ended).await.expect(200), before);
    let interrupted = server.get(&running).await.expect(200);
    assert_eq!(
        (&interrupted["status"], &interrupted["code"]),
        (&json!("error"), &json!("interrupted"))
    );
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeated_call_the_same_call() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let body = order("hall", &[question("Once?", 2, 2)]);
    let call = |server: &TestServer, path: &str, body: &Value| {
        Reply::to(
            server
                .request("POST", path)
                .header("idempotency-key", "key-1")
                .json(body),
        )
    };
    let mut viewer = Viewer::join(&server, "hall").await;
    let first = call(&server, "/api/analyze", &body).await.expect(200);
    viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    for after_a_crash in [false, true] {
        if after_a_crash {
            server.kill();
            server.start_again().await;
            viewer = Viewer::rejoin(&server, "hall", viewer.position.as_ref().unwrap()).await;
        }
        assert_eq!(
            call(&server, "/api/analyze", &body).await.expect(200),
            first
        );
        let other = order("hall", &[question("Other?", 2, 2)]);
        let refused = call(&server, "/api/analyze", &other).await;
        assert_eq!(refused.error(422), "idempotency_key_reused");
        // Nothing was published twice: what comes next is what is published next.
        let pause = json!({ "action": if after_a_crash { "resume" } else { "pause" } });
        let control = server.post("/api/channels/hall/control", &pause).await;
        assert_eq!(
            viewer.next().await["revision"],
            control.expect(200)["revision"]
        );
    }
    assert_eq!(ai.calls(), 1);
    let analyses = server.get("/api/analyses").await.expect(200);
    assert!(analyses["analyses"].as_array().unwrap().len() <= 1);
}

#[tokio::test]
async fn the_same_key_while_the_first_call_still_runs_joins_it() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    ai.hold();
    let body = order("hall", &[question("Joined?", 2, 2)]);
    let call = || {
        Reply::to(
            server
                .request("POST", "/api/analyze")
                .header("idempotency-key", "k")
                .json(&body),
        )
    };
    let release = async {
        ai.called(1).await;
        ai.release();
    };
    let (one, two, three, ()) = tokio::join!(call(), call(), call(), release);
    let one = one.expect(200);
    assert_eq!(one, two.expect(200));
    assert_eq!(one, three.expect(200));
    assert_eq!(ai.calls(), 1);
}

#[tokio::test]
async fn the_same_file_for_another_channel_is_another_call() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let call = |path: &'static str| {
        let request = server
            .request("POST", path)
            .header("idempotency-key", "k")
            .header("content-type", "text/x-aiken");
        Reply::to(request.body("Which?\nA) right\nB) wrong\nANSWER: A\n"))
    };
    call("/api/analyze?channel=one").await.expect(200);
    assert_eq!(
        call("/api/analyze?channel=two").await.error(422),
        "idempotency_key_reused"
    );
}

#[tokio::test]
async fn a_running_analysis_can_be_cancelled() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    ai.hold();
    let body = order("hall", &[question("Cancelled?", 2, 2)]);
    let waiting = tokio::spawn(Reply::to(
        server.request("POST", "/api/analyze").json(&body),
    ));
    let started = viewer.next().await;
    assert_eq!(started["type"], "analysis_started");
    ai.called(1).await;
    let path = format!("/api/analyses/{}", started["analysisId"].as_str().unwrap());
    let cancelled = Reply::to(server.request("DELETE", &path)).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(waiting.await.unwrap().error(409), "cancelled");
    let failed = viewer.next_of("analysis_failed").await;
    assert_eq!(failed["analysisId"], started["analysisId"]);
    assert_eq!(
        Reply::to(server.request("DELETE", &path)).await.error(409),
        "already_finished"
    );
    assert_eq!(server.get(&path).await.expect(200)["status"], "cancelled");
    let unknown = "/api/analyses/01920000-0000-7000-8000-000000000000";
    assert_eq!(
        Reply::to(server.request("DELETE", unknown))
            .await
            .error(404),
        "not_found"
    );
    // The channel is free again.
    ai.release();
    let next = server
        .analyze(&order("hall", &[question("Next?", 2, 1)]))
        .await;
    assert_eq!(viewer.next_of("timeline").await["id"], next["analysisId"]);
}

#[tokio::test]
async fn analyses_are_listed_the_latest_first() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (channel, text) in [("a", "One?"), ("b", "Two?"), ("a", "One?")] {
        let mut body = order(channel, &[question(text, 2, 1)]);
        body["timing"] = timing(1);
        server.analyze(&body).await;
    }
    let all = &server;
    let list = |query: &'static str| async move {
        let list = all.get(&format!("/api/analyses{query}")).await.expect(200);
        let channels = list["analyses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["channel"].as_str().unwrap().to_owned());
        channels.collect::<Vec<_>>()
    };
    // One that was known is noted behind its answer.
    crate::support::eventually("all are listed", || async {
        (list("").await.len() == 3).then_some(())
    })
    .await;
    assert_eq!(list("").await, ["a", "b", "a"]);
    assert_eq!(list("?channel=b").await, ["b"]);
    assert_eq!(list("?channel=a&limit=1").await, ["a"]);
    assert_eq!(list("?channel=none").await, Vec::<String>::new());
    for limit in ["0", "101", "x", "-1", ""] {
        let reply = server.get(&format!("/api/analyses?limit={limit}")).await;
        assert_eq!(reply.error(400), "invalid_request");
    }
}

#[tokio::test]
async fn a_hundred_who_ask_the_same_at_once_cost_one_call() {
    const ASKERS: usize = 100;
    let ai = StubAi::start().await;
    // As many analyses run at once as are asked for.
    let server = TestServer::with(&ai)
        .set("analyses.max_running", ASKERS)
        .start()
        .await;
    ai.hold();
    let mut body = order("hall", &[question("Everybody?", 4, 4)]);
    body["animate"] = json!(false);
    let askers: Vec<_> = (0..ASKERS)
        .map(|_| {
            tokio::spawn(Reply::to(
                server.request("POST", "/api/analyze").json(&body),
            ))
        })
        .collect();
    crate::support::eventually("all of them wait", || async {
        let running = server.get("/api/analyses?limit=100").await.expect(200);
        (running["analyses"].as_array().unwrap().len() == ASKERS).then_some(())
    })
    .await;
    ai.release();
    let mut coalesced = 0;
    for asker in askers {
        let answer = asker.await.unwrap().expect(200);
        assert_eq!(answer["answers"], json!([4]));
        coalesced += answer["usage"]["coalescedQuestions"].as_u64().unwrap()
            + answer["usage"]["cachedQuestions"].as_u64().unwrap();
    }
    assert_eq!((ai.calls(), coalesced), (1, 99));
}

#[tokio::test]
async fn a_question_that_fails_is_null_and_the_others_stand() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai).set("ai.max_retries", 0).start().await;
    ai.script(|asked| match asked.question.as_str() {
        "Bad?" => Answer::text("I would rather not say"),
        _ => Answer::right(asked),
    });
    let mut viewer = Viewer::join(&server, "hall").await;
    let questions = [
        question("Good?", 2, 2),
        question("Bad?", 2, 1),
        question("Fine?", 2, 1),
    ];
    let answer = server.analyze(&order("hall", &questions)).await;
    assert_eq!(answer["answers"], json!([2, null, 1]));
    let bad = &answer["results"][1];
    assert!(bad["answer"].is_null() && bad["confidence"].is_null() && bad["selected"] == json!([]));
    assert!(!bad["error"].as_str().unwrap().is_empty());
    let frames = viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    assert_eq!(frames.last().unwrap()["skipped"], json!([2]));
    let shown: Vec<_> = frames.last().unwrap()["segments"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["kind"] == "hold")
        .map(|s| s["question"].clone())
        .collect();
    assert_eq!(shown.len(), 2);
}
