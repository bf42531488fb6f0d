//! The pictures in the documents. Not checked, but made: `just pictures`.

use crate::support::{
    StubAi, TestServer,
    ai::Answer,
    browser::{Stage, TestBrowser},
    order, question,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes docs/images"]
async fn all() {
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
    settle(&stage).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/images");
    std::fs::create_dir_all(folder).expect("a folder");
    stage.save(&format!("{folder}/stage.png")).await;
    browser.close().await;

    // The others with a show that waits for them.
    let pause = json!({ "action": "pause" });
    server
        .post("/api/channels/default/control", &pause)
        .await
        .expect(200);
    for (path, name, (width, height)) in [
        (
            "/overlay/default?lang=en&scale=2.6",
            "overlay",
            (1_920, 560),
        ),
        ("/console?lang=en&theme=dark", "console", (1_280, 940)),
    ] {
        let browser = TestBrowser::start_with_window(width, height)
            .await
            .expect("Chromium");
        let page = browser.stage(&server, path).await;
        page.until("document.body.dataset.phase === 'hold'").await;
        settle(&page).await;
        page.save(&format!("{folder}/{name}.png")).await;
        browser.close().await;
    }
}

/// Lets the wave of the arrival pass.
async fn settle(page: &Stage) {
    let settled = "new Promise((done) => setTimeout(() => done(true), 2000))";
    assert!(page.evaluate::<bool>(settled).await);
}
