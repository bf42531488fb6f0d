//! What else a screen must do: in OBS, after sleep, by its address, in other languages, by keyboard.

use crate::support::{StubAi, TestServer, browser::TestBrowser, order, question};
use quiz_stats::timeline::Timeline;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Plays a show whose number moves for some seconds.
async fn play(server: &TestServer) -> Timeline {
    let timing = json!({ "riseMs": 9_000, "holdMs": 1_000, "fallMs": 5_000, "restMs": 0, "finaleHoldMs": 100 });
    let body = json!({ "answers": [26], "timing": timing });
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    let channel = server.get("/api/channels/hall").await.expect(200);
    serde_json::from_value(channel["timeline"].clone()).expect("a show is playing")
}

/// Counts what is drawn and sent, and says whether anything is drawn within half a second.
const COUNT: &str = "
    window.drawn = 0; window.sent = [];
    new MutationObserver(() => window.drawn++).observe(document.getElementById('dial'), { attributes: true, subtree: true });
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) { window.sent.push(JSON.parse(text).type); send.call(this, text); };
    window.draws = () => new Promise((done) => {
        const before = window.drawn;
        setTimeout(() => done(window.drawn > before), 500);
    });
    true";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_obs_hides_draws_nothing_and_comes_back_in_step() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let overlay = browser
        .stage_after("window.obsstudio = {}", &server, "/overlay/hall")
        .await;
    overlay.evaluate::<bool>(COUNT).await;
    let timeline = play(&server).await;
    overlay
        .until("document.body.dataset.phase === 'rise'")
        .await;
    let by_event = |shown| {
        format!(
            "dispatchEvent(new CustomEvent('obsSourceVisibleChanged', {{ detail: {{ visible: {shown} }} }})), true"
        )
    };
    let by_call = |shown| format!("window.obsstudio.onVisibilityChange({shown}), true");
    for [hide, show] in [
        [by_event(false), by_event(true)],
        [by_call(false), by_call(true)],
    ] {
        assert!(overlay.evaluate::<bool>("window.draws()").await);
        overlay.evaluate::<bool>(&hide).await;
        // A frame that was on its way may still come.
        let frame =
            "new Promise((done) => setTimeout(() => { window.sent = []; done(true); }, 50))";
        overlay.evaluate::<bool>(frame).await;
        assert!(!overlay.evaluate::<bool>("window.draws()").await, "{hide}");
        overlay.evaluate::<bool>(&show).await;
        assert!(overlay.evaluate::<bool>("window.draws()").await, "{show}");
        overlay.until("window.sent.includes('ping')").await;
        overlay.agrees_with(&timeline).await;
    }
    assert_eq!(overlay.complaints(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_that_slept_is_on_the_right_frame_at_once() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser.stage(&server, "/stage/hall").await;
    let timeline = play(&server).await;
    stage.until("document.body.dataset.phase === 'rise'").await;
    // The clock has been measured, and for 15 s no ping would find out by itself.
    let measured = "new Promise((done) => setTimeout(() => done(true), 1500))";
    assert!(stage.evaluate::<bool>(measured).await);
    // In sleep the monotonic clock stands still, and its connection is as good as cut.
    let sleep = "
        const now = performance.now.bind(performance);
        performance.now = () => now() - 4000;
        window.quizStats.sample().serverTime - Date.now()";
    let behind: f64 = stage.evaluate(sleep).await;
    assert!(behind < -3_000.0, "{behind}");
    stage
        .until("Math.abs(window.quizStats.sample().serverTime - Date.now()) < 500")
        .await;
    stage.connected().await;
    stage.agrees_with(&timeline).await;
    assert_eq!(stage.complaints(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_screen_has_the_bars_of_the_others_and_cuts_no_words_off() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    // In order: several at once are shown as their answers come.
    let server = TestServer::with(&ai)
        .set("analyses.parallel_questions", 1)
        .start()
        .await;
    server
        .analyze(&order(
            "hall",
            &[question("First?", 4, 2), question("Second?", 3, 3)],
        ))
        .await;
    let stage = browser.stage(&server, "/stage/hall?lang=en").await;
    let seen = "[...document.querySelectorAll('[data-part=bars] li')].map((row) => row.innerText).join('|').replace(/\\s/g, '')";
    stage
        .until(&format!(
            "({seen}).startsWith('A') && ({seen}).includes('B90%')"
        ))
        .await;
    assert_eq!(stage.complaints(), Vec::<String>::new());
    for lang in ["en", "de"] {
        let overlay = browser
            .stage(&server, &format!("/overlay/hall?lang={lang}"))
            .await;
        overlay
            .until("document.querySelectorAll('#strip span').length === 4")
            .await;
        let longest = "document.getElementById('text').textContent = document.getElementById('text').textContent.replace(/\\d+/, '26');
            ['main', 'sure'].filter((id) => document.getElementById(id).scrollWidth > document.getElementById(id).clientWidth)";
        let cut: Vec<String> = overlay.evaluate(longest).await;
        assert_eq!(cut, Vec::<String>::new(), "{lang}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ground_of_the_overlay_is_seen_through() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let overlay = browser.stage(&server, "/overlay/hall?theme=light").await;
    play(&server).await;
    overlay
        .until("document.body.dataset.phase === 'rise'")
        .await;
    overlay
        .until("getComputedStyle(document.getElementById('third')).opacity === '1'")
        .await;
    let picture = overlay.picture().await;
    // The page itself can read a picture: its top corners, and the middle of the lower third.
    let alphas: Vec<u8> = overlay
        .evaluate(&format!(
            "createImageBitmap(new Blob([new Uint8Array({picture:?})])).then((image) => {{
                const canvas = document.createElement('canvas');
                [canvas.width, canvas.height] = [image.width, image.height];
                const context = canvas.getContext('2d');
                context.drawImage(image, 0, 0);
                const third = document.getElementById('third').getBoundingClientRect();
                const alpha = (x, y) => context.getImageData(x, y, 1, 1).data[3];
                return [alpha(5, 5), alpha(image.width - 5, 5), alpha(third.left + 3, third.top + 3)];
            }})"
        ))
        .await;
    assert_eq!(alphas, [0, 0, 255]);
    let scheme: String = overlay
        .evaluate("getComputedStyle(document.documentElement).colorScheme")
        .await;
    assert_eq!(scheme, "normal");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_adds_a_language_by_a_file() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let french = r#"{ "standBy": "À vous", "waiting": "En attente du prochain quiz" }"#;
    std::fs::write(folder.path().join("fr.json"), french).unwrap();
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.languages", folder.path().display())
        .start()
        .await;
    let tags: Value = server.get("/assets/lang/index.json").await.expect(200);
    assert_eq!(tags, json!(["de", "en", "fr"]));
    let stage = browser.stage(&server, "/stage/hall?lang=fr-CA").await;
    let said: Vec<String> = stage
        .evaluate("[document.documentElement.lang, ...['slab', 'headline', 'sub'].map((name) => document.querySelector(`[data-part=${name}]`).textContent)]")
        .await;
    assert_eq!(
        said,
        [
            "fr",
            "À vous",
            "En attente du prochain quiz",
            "Channel hall"
        ],
        "what the file leaves out is English"
    );
    browser.close().await;

    std::fs::write(
        folder.path().join("it.json"),
        r#"{ "waitng": "Aspettate" }"#,
    )
    .unwrap();
    let (code, log) = TestServer::with(&ai)
        .set("server.languages", folder.path().display())
        .run_to_end()
        .await;
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("it.json: \"waitng\" is no key of ours"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_address_asks_for_in_vain_is_told() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser
        .stage(&server, "/stage/hall?theme=light&scale=9&lang=de")
        .await;
    let look: Vec<String> = stage
        .evaluate("[document.documentElement.dataset.theme, document.documentElement.style.cssText, document.getElementById('hint').checkVisibility() ? document.getElementById('hint').innerText : 'nothing']")
        .await;
    assert_eq!(
        look,
        ["light", "", "„scale=9“ gilt nicht. Möglich: 0.25 – 4"]
    );
    let well = browser
        .stage(&server, "/overlay/hall?theme=light&scale=1.5&lang=de")
        .await;
    let look: Vec<String> = well
        .evaluate(
            "[document.documentElement.style.cssText, document.getElementById('hint').checkVisibility() ? document.getElementById('hint').innerText : 'nothing']",
        )
        .await;
    assert_eq!(look, ["--scale: 1.5;", "nothing"]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stage_is_made_full_by_a_key() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let stage = browser.stage(&server, "/stage/hall").await;
    stage.press("f").await;
    stage.until("document.fullscreenElement !== null").await;
    stage.press("f").await;
    stage.until("document.fullscreenElement === null").await;
    let sounds: u32 = stage
        .evaluate("document.querySelectorAll('audio, video').length")
        .await;
    assert_eq!(sounds, 0, "everything is said without sound");
    assert_eq!(stage.complaints(), Vec::<String>::new());
    browser.close().await;
}
