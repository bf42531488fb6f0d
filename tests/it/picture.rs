//! The picture of the stage in the documents. Not checked, but made: `just picture`.

use crate::support::{StubAi, TestServer, ai::Answer, browser::TestBrowser, order, question, soon};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes docs/images/stage.png"]
async fn stage() {
    let browser = TestBrowser::start_with_window(1_920, 1_080)
        .await
        .expect("Chromium");
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("analyses.parallel_questions", 1)
        .start()
        .await;
    ai.script(|asked| {
        // One sure answer after another would be a dull picture.
        let sure = 0.97 - 0.04 * asked.question.len() as f64 / 10.0;
        let right = asked
            .options
            .iter()
            .position(|option| option.starts_with("right"));
        let right = right.expect("every question has one") + 1;
        let second = right % asked.options.len() + 1;
        let options = [(right, sure), (second, (1.0 - sure) * 0.7)]
            .map(|(option, confidence)| json!({ "option": option, "confidence": confidence }));
        Answer::text(&json!({ "options": options }).to_string())
    });
    let stage = browser.stage(&server, "/stage/default?lang=en").await;
    let questions: Vec<_> = [2, 4, 3, 1, 4, 2, 1, 3]
        .into_iter()
        .enumerate()
        .map(|(number, right)| question(&"Which? ".repeat(number + 1), 4, right))
        .collect();
    server.analyze(&order("default", &questions)).await;
    for _ in 0..2 {
        let skip = json!({ "action": "skip" });
        server
            .post("/api/channels/default/control", &skip)
            .await
            .expect(200);
    }
    stage.until("document.body.dataset.phase === 'hold' && window.quizStats.sample().segment?.question === 3").await;
    // Past the wave of the arrival.
    let settled = "new Promise((done) => setTimeout(() => done(true), 2000))";
    assert!(stage.evaluate::<bool>(settled).await);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/images");
    std::fs::create_dir_all(folder).expect("a folder");
    soon("the picture", stage.save(&format!("{folder}/stage.png"))).await;
    browser.close().await;
}
