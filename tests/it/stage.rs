//! The stage page in a real browser: the same number at the same moment as everywhere else, whatever happens.

use crate::support::{
    StubAi, TestServer,
    browser::{Stage, TestBrowser},
    eventually, order, question,
};
use quiz_stats::timeline::Timeline;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A show of some seconds.
fn timing() -> Value {
    json!({ "riseMs": 500, "holdMs": 500, "fallMs": 400, "restMs": 200, "finaleValue": 10, "finaleHoldMs": 600 })
}

async fn play(server: &TestServer, channel: &str, answers: Value) -> Timeline {
    let body = json!({ "answers": answers, "timing": timing() });
    server
        .post(&format!("/api/channels/{channel}/display"), &body)
        .await
        .expect(200);
    playing(server, channel).await
}

async fn playing(server: &TestServer, channel: &str) -> Timeline {
    let channel = server
        .get(&format!("/api/channels/{channel}"))
        .await
        .expect(200);
    serde_json::from_value(channel["timeline"].clone()).expect("a show is playing")
}

/// Returns the server's clock, which is this machine's.
fn now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64() * 1_000.0
}

/// Follows a show to its end, comparing all the way; returns the kinds of segments seen and the highest value.
async fn follow(stage: &Stage, timeline: &Timeline) -> (BTreeSet<String>, f64) {
    let (mut kinds, mut highest) = (BTreeSet::new(), 0.0_f64);
    // The call that started the show may be answered before the event is there.
    let has_it = format!("window.quizStats.sample().timelineId === '{}'", timeline.id);
    stage.until(&has_it).await;
    eventually("the show is over", || async {
        let (before, sample) = (now(), stage.agrees_with(timeline).await);
        assert!(
            (before - 100.0..now() + 100.0).contains(&sample.server_time),
            "{before} {sample:?}"
        );
        Some(sample)
    })
    .await;
    loop {
        let sample = stage.agrees_with(timeline).await;
        if let Some(segment) = &sample.segment {
            kinds.insert(segment["kind"].as_str().unwrap().to_owned());
        }
        highest = highest.max(sample.value);
        if sample.timeline_id.as_deref() == Some(&timeline.id)
            && timeline.is_over(sample.server_time as u64)
        {
            return (kinds, highest);
        }
        assert!(sample.connected);
    }
}

/// Notes what the live region says, and counts the frames that the dial draws.
async fn watch(stage: &Stage) {
    let script = "
        window.said = []; window.drawn = 0;
        const live = document.getElementById('live');
        new MutationObserver(() => live.textContent && window.said.push(live.textContent))
            .observe(live, { childList: true, characterData: true, subtree: true });
        new MutationObserver(() => window.drawn++)
            .observe(document.getElementById('dial'), { attributes: true, subtree: true });
        true";
    stage.evaluate::<bool>(script).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_shows_the_same_number_at_the_same_moment() {
    let (Some(browser), Some(other)) = tokio::join!(TestBrowser::start(), TestBrowser::start())
    else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser.stage(&server, "/stage/default?lang=en").await;
    assert_eq!(
        stage
            .evaluate::<String>("document.body.dataset.phase")
            .await,
        "idle"
    );
    watch(&stage).await;
    let timeline = play(&server, "default", json!([3, null, 1])).await;
    // One that comes in the middle lands on the frame that the others see.
    let late = other.stage(&server, "/stage/default").await;
    let ((kinds, highest), (late_kinds, late_highest)) =
        tokio::join!(follow(&stage, &timeline), follow(&late, &timeline));
    for kind in ["rise", "hold", "fall", "rest", "finale"] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    assert!(late_kinds.contains("finale"), "{late_kinds:?}");
    assert_eq!((highest, late_highest), (10.0, 10.0));
    for stage in [&stage, &late] {
        stage.until("document.body.dataset.phase === 'over'").await;
        assert_eq!(stage.sample().await.value, 0.0);
        assert_eq!(stage.complaints(), Vec::<String>::new());
    }
    // Results alone, once each.
    let said: Vec<String> = stage.evaluate("window.said").await;
    assert_eq!(
        said,
        [
            "Question 1: answer 3",
            "Question 2: no answer, skipped",
            "Question 3: answer 1",
            "Finale"
        ]
    );
    tokio::join!(browser.close(), other.close());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_drawn_while_there_is_something_to_see_and_not_after() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser.stage(&server, "/stage/hall").await;
    let body = json!({ "answers": [4], "timing": { "riseMs": 3_000, "holdMs": 100, "fallMs": 100, "restMs": 0, "finaleHoldMs": 100 } });
    watch(&stage).await;
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    stage.until("document.body.dataset.phase === 'rise'").await;
    let second = "new Promise((done) => {
        const [began, drawn] = [performance.now(), window.drawn]; let frames = 0;
        const count = (now) => {
            if (now - began >= 1000) return done([frames, window.drawn - drawn]);
            frames++; requestAnimationFrame(count);
        };
        requestAnimationFrame(count);
    })";
    let [frames, drawn]: [u32; 2] = stage.evaluate(second).await;
    eprintln!("frames in a second: {frames}, of which drawn on the dial: {drawn}");
    assert!(frames > 20 && drawn > 20, "{frames} {drawn}");
    stage.until("document.body.dataset.phase === 'over'").await;
    let [_, drawn]: [u32; 2] = stage.evaluate(second).await;
    assert!(drawn < 5, "nothing moves, {drawn} frames drawn");
    assert_eq!(stage.complaints(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stage_finds_its_place_again_after_a_crash() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    // It has seen nothing but an empty channel when the show begins.
    let stage = browser.stage(&server, "/stage/hall?lang=en").await;
    watch(&stage).await;
    let body = json!({ "answers": [2, 5], "timing": { "riseMs": 1_500, "holdMs": 1_000, "fallMs": 800, "restMs": 700, "finaleHoldMs": 500 } });
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    let timeline = playing(&server, "hall").await;
    stage.until("document.body.dataset.phase === 'rise'").await;
    server.kill();
    stage
        .until("document.getElementById('link').dataset.state === 'reconnecting'")
        .await;
    // The show does not need the server to go on.
    let alone = stage.agrees_with(&timeline).await;
    assert!(
        !alone.connected && alone.timeline_id.as_deref() == Some(&timeline.id),
        "{alone:?}"
    );
    server.start_again().await;
    stage.connected().await;
    assert_eq!(
        playing(&server, "hall").await,
        timeline,
        "the schedule stands"
    );
    let (_, highest) = follow(&stage, &timeline).await;
    assert_eq!(highest, 10.0);
    let said: Vec<String> = stage.evaluate("window.said").await;
    assert_eq!(
        said,
        ["Question 1: answer 2", "Question 2: answer 5", "Finale"],
        "nothing is said twice"
    );
    // The browser itself notes the connections that failed; the page has nothing to complain of.
    let others: Vec<_> = stage
        .complaints()
        .into_iter()
        .filter(|text| !text.contains("WebSocket connection to"))
        .collect();
    assert_eq!(others, Vec::<String>::new());
    // And what comes now reaches it.
    let next = play(&server, "hall", json!([1])).await;
    stage
        .until(&format!(
            "window.quizStats.sample().timelineId === '{}'",
            next.id
        ))
        .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_no_motion_gets_none() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser
        .stage_with(
            &server,
            "/stage/hall",
            &[("prefers-reduced-motion", "reduce")],
        )
        .await;
    let script = "
        window.offsets = new Set();
        new MutationObserver(() => document.querySelectorAll('#dial .fill').forEach(
            (fill) => window.offsets.add(fill.style.strokeDashoffset))
        ).observe(document.getElementById('dial'), { attributes: true, subtree: true });
        true";
    stage.evaluate::<bool>(script).await;
    let timeline = play(&server, "hall", json!([3])).await;
    follow(&stage, &timeline).await;
    let mut offsets: Vec<String> = stage.evaluate("[...window.offsets]").await;
    offsets.sort();
    offsets.retain(|offset| !offset.is_empty());
    assert_eq!(
        offsets,
        ["0", "100"],
        "parts of the ring are full or empty, never on their way"
    );
    assert_eq!(stage.complaints(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_analysis_is_seen_from_the_first_question_to_the_finale() {
    let (Some(browser), Some(other)) = tokio::join!(TestBrowser::start(), TestBrowser::start())
    else {
        return;
    };
    let ai = StubAi::start().await;
    // In order: several at once are shown as their answers come.
    let server = TestServer::with(&ai)
        .set("analyses.parallel_questions", 1)
        .start()
        .await;
    let stage = browser.stage(&server, "/stage/hall?lang=en").await;
    let overlay = other.stage(&server, "/overlay/hall?lang=en").await;
    watch(&stage).await;
    ai.hold();
    let mut body = order(
        "hall",
        &[question("First?", 4, 2), question("Second?", 3, 3)],
    );
    body["timing"] = timing();
    let asked = tokio::spawn(server.request("POST", "/api/analyze").json(&body).send());
    stage.until("document.querySelector('[data-part=headline]').textContent === 'Working on 2 questions'").await;
    ai.release();
    asked.await.unwrap().unwrap();
    for stage in [&stage, &overlay] {
        stage.until("document.body.dataset.phase === 'hold'").await;
    }
    stage
        .until(
            "document.querySelectorAll('[data-part=bars] li.chosen .name')[0]?.textContent === 'B'",
        )
        .await;
    stage.until("document.body.dataset.phase === 'over'").await;
    let said: Vec<String> = stage.evaluate("window.said").await;
    assert_eq!(
        said,
        [
            "Question 1: answer 2, 90 % sure",
            "Question 2: answer 3, 90 % sure",
            "Finale"
        ]
    );
    for stage in [&stage, &overlay] {
        assert_eq!(stage.complaints(), Vec::<String>::new());
    }
    tokio::join!(browser.close(), other.close());
}
