//! `POST /api/analyze`: questions in, answers out, and what viewers see of it.

use crate::support::{
    Reply, Sse, StubAi, TestServer, Viewer, ai::Answer, eventually, order, question,
};
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
            "source": "model", "model": "scripted", "method": "logprobs", "calls": 1, "flags": [], "error": null,
        }],
        "usage": { "promptTokens": 100, "completionTokens": 1, "cachedQuestions": 0, "coalescedQuestions": 0, "costUsd": 0.0 },
        "timeline": { "id": "…", "startsAt": "…", "durationMs": 41_500 },
        "timestamp": { "any": ["thing", 7] },
    });
    let confidence = answer.pointer_mut("/results/0/confidence").unwrap();
    assert!((confidence.as_f64().unwrap() - 0.9).abs() < 1e-9);
    *confidence = json!(0.9);
    assert_eq!(answer, expected);
    let probabilities: Vec<f64> = serde_json::from_value(probabilities).unwrap();
    assert!((probabilities[1] - 0.9).abs() < 1e-9);
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
    let moodle = r#"<quiz><question type="multichoice"><name><text>m1</text></name>
        <questiontext format="html"><text><![CDATA[<p>Which?</p>]]></text></questiontext>
        <answer fraction="0"><text>wrong</text></answer><answer fraction="100"><text>right</text></answer></question></quiz>"#;
    let answer = post_file(
        &server,
        "/api/analyze",
        "application/vnd.moodle+xml",
        moodle,
    )
    .await
    .expect(200);
    assert_eq!(
        (&answer["answers"], &answer["results"][0]["id"]),
        (&json!([2]), &json!("m1"))
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
    eventually("all of them wait", || async {
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
