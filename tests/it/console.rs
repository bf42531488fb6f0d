//! The host's page in a real browser: a show from the first word to the last, by keyboard, and what is refused in words.

use crate::support::{
    Site, StubAi, TestServer,
    browser::{Stage, TestBrowser},
    eventually, visitor_of,
};
use serde_json::{Value, json};
use spider_chrome::cdp::browser_protocol::input::{
    DispatchDragEventParams, DispatchDragEventType, DragData, DragDataItem,
};
use std::path::Path;
use tempfile::TempDir;

const TEXT: &str = "(id) => ((one) => one.checkVisibility() ? one.innerText : 'hidden')(document.getElementById(id))";

async fn text(console: &Stage, id: &str) -> String {
    console.evaluate(&format!("({TEXT})('{id}')")).await
}

async fn says(console: &Stage, id: &str, part: &str) {
    console
        .until(&format!("({TEXT})('{id}').includes({part:?})"))
        .await;
}

/// Types into a field as a paste does, and sends its form.
async fn send(console: &Stage, field: &str, words: &str) {
    let script = format!(
        "(() => {{
            const field = document.getElementById('{field}');
            field.value = {words:?};
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
            field.form.requestSubmit();
            return true;
        }})()"
    );
    console.evaluate::<bool>(&script).await;
}

async fn timeline(server: &TestServer) -> Value {
    let channel = server.get("/api/channels/hall").await.expect(200);
    channel["timeline"].clone()
}

/// Lets a file fall onto the headline of the page, as a hand does.
async fn drop_file(console: &Stage, path: &Path) {
    let data = DragData::builder()
        // Chromium takes no empty list, and the protocol's library writes none.
        .item(DragDataItem::new("text/plain", ""))
        .file(path.to_str().expect("a path"))
        .drag_operations_mask(1)
        .build()
        .expect("a file");
    for step in [
        DispatchDragEventType::DragEnter,
        DispatchDragEventType::DragOver,
        DispatchDragEventType::Drop,
    ] {
        let event = DispatchDragEventParams::new(step, 40.0, 40.0, data.clone());
        console.execute(event).await;
    }
}

/// Whatever the browser complains of but refused calls, which it notes by itself.
fn complaints(console: &Stage) -> Vec<String> {
    let all = console.complaints().into_iter();
    all.filter(|text| !text.contains("the server responded with a status of"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_runs_a_show_by_keyboard_alone() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("API_KEY", "open-sesame")
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let console = browser
        .stage(&server, "/console?channel=hall&lang=en")
        .await;
    assert_eq!(text(&console, "text").await, "Waiting for the next show");
    says(&console, "viewers", "1").await;

    // Without the key it says what to do, and is there to type it.
    console.tab_to("#answers").await;
    console.write("3 - 1").await;
    console.press("Enter").await;
    says(&console, "headline", "The API key is missing or wrong").await;
    console
        .until("document.activeElement === document.getElementById('key')")
        .await;
    console.write("open-sesame").await;
    console.press("Enter").await;
    says(&console, "key-state", "A key is in use").await;
    let places: Vec<Value> = console
        .evaluate("[sessionStorage.length, localStorage.length, document.cookie, location.search, document.getElementById('key').value]")
        .await;
    assert_eq!(
        places,
        [
            json!(0),
            json!(0),
            json!(""),
            json!("?channel=hall&lang=en"),
            json!("")
        ]
    );

    console.tab_to("#answers").await;
    console.press("Enter").await;
    says(&console, "slab", "Question 1").await;
    says(&console, "text", "Answer 3").await;
    assert_eq!(text(&console, "side").await, "of 3");

    console.tab_to("[data-action=pause]").await;
    console.press("Enter").await;
    says(&console, "side", "Paused").await;
    assert!(timeline(&server).await["pausedAt"].is_u64());
    console
        .until("document.activeElement.matches('[data-action=resume]')")
        .await;
    console.press("Enter").await;
    console
        .until("document.activeElement.matches('[data-action=pause]')")
        .await;
    assert!(timeline(&server).await["pausedAt"].is_null());
    console.tab_to("[data-action=skip]").await;
    console.press("Enter").await;
    says(&console, "slab", "Question 3").await;

    // A stop wants to be meant.
    console.tab_to("[data-action=stop]").await;
    console.press("Enter").await;
    assert!(!timeline(&server).await.is_null());
    console.press("Enter").await;
    says(&console, "slab", "Stand by").await;
    eventually("nothing plays", || async {
        let shown = timeline(&server).await;
        (shown.is_null() || shown["durationMs"] == 0 || shown["complete"] == true).then_some(())
    })
    .await;
    assert_eq!(complaints(&console), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pasted_is_answered_and_shown() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let page = "<!doctype html><title>Quiz</title><fieldset><legend>1. What is red?</legend>
        <label><input type=radio name=a> wrong, grass</label><label><input type=radio name=a> right, blood</label></fieldset>
        <fieldset><legend>2. What is green?</legend><label><input type=radio name=b> right, grass</label>
        <label><input type=radio name=b> wrong, blood</label></fieldset>";
    let (site, ai) = (Site::with_page(page).await, StubAi::start().await);
    let server = visitor_of(&[&site])
        .set("ai.base_url", ai.base_url())
        .set("ai.model", "scripted")
        .set("timeline.when_busy", "replace")
        // In order: several at once are shown as their answers come.
        .set("analyses.parallel_questions", 1)
        .start()
        .await;
    let console = browser
        .stage(&server, "/console?channel=hall&lang=en")
        .await;
    let gift =
        "What is right? {~wrong, 1 =right, 2 ~wrong, 3}\n\nAnd what now? {=right, 1 ~wrong, 2}";
    send(&console, "quiz", gift).await;
    says(&console, "quiz-hint", "Read as GIFT").await;
    says(&console, "progress", "2 of 2 questions answered").await;
    let results: Vec<String> = console
        .evaluate("[...document.querySelectorAll('#results li')].map((item) => item.innerText)")
        .await;
    assert_eq!(
        results,
        [
            "B · Answer 2 · 90\u{a0}% sure",
            "A · Answer 1 · 90\u{a0}% sure"
        ]
    );
    says(&console, "slab", "Question 1").await;

    let json = json!([{ "question": "JSON?", "answers": ["wrong", "right"] }]).to_string();
    send(&console, "quiz", &json).await;
    says(&console, "progress", "1 of 1 question answered").await;
    send(&console, "page", &site.url("/quiz")).await;
    says(&console, "progress", "2 of 2 questions answered").await;

    // What is wrong is said in words, with the place.
    send(&console, "quiz", "Half a question {=one").await;
    says(&console, "headline", "The quiz text has mistakes").await;
    says(&console, "lines", "line 1").await;
    send(&console, "quiz", "{\"questions\": [").await;
    says(&console, "headline", "This is no valid JSON").await;
    send(&console, "answers", "1 x").await;
    says(&console, "headline", "“x” is no answer").await;
    send(
        &console,
        "page",
        &site.url("/quiz").replace("http:", "ftp:"),
    )
    .await;
    says(&console, "headline", "The server does not understand this").await;

    // A show in the way, with each of the three ways to deal with it.
    for (busy, seen) in [
        ("reject", "A show is playing"),
        ("queue", ""),
        ("replace", ""),
    ] {
        console
            .evaluate::<bool>(&format!(
                "document.getElementById('busy').value = '{busy}', true"
            ))
            .await;
        send(&console, "answers", "4 2").await;
        if busy == "reject" {
            says(&console, "headline", seen).await;
        } else {
            says(&console, "progress", "Sent to the screens").await;
        }
        match busy {
            "queue" => says(&console, "queued", "1").await,
            "replace" => says(&console, "text", "Answer 4").await,
            _ => {}
        }
    }
    assert_eq!(complaints(&console), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_dropped_or_chosen_and_its_cost_told() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let console = browser
        .stage(&server, "/console?channel=hall&lang=en")
        .await;
    const SEND: &str = "document.getElementById('quiz-form').requestSubmit(), true";

    drop_file(&console, &file("quiz.gift", b"Is it? {=right ~wrong}")).await;
    says(&console, "quiz-hint", "Read as GIFT").await;
    assert!(console.evaluate::<bool>(SEND).await);
    says(&console, "progress", "1 of 1 question answered").await;
    says(&console, "allowance", " of ").await;
    says(&console, "spent", "for 1 question, 0 of them free").await;
    assert!(console.evaluate::<bool>(SEND).await);
    says(&console, "spent", "for 2 questions, 1 of them free").await;

    // What cannot be a quiz is refused by its name, and what was there stays.
    drop_file(&console, &file("photo.jpg", &[0xff, 0xd8, 0xff])).await;
    says(&console, "headline", "“photo.jpg” is no text").await;
    let kept = "document.getElementById('quiz').value === 'Is it? {=right ~wrong}'";
    assert!(console.evaluate::<bool>(kept).await);

    let aiken = file("quiz.txt", b"And now?\nA. right\nB. wrong\nANSWER: A\n");
    console.choose_file("#quiz-file", &aiken).await;
    says(&console, "quiz-hint", "Read as Aiken").await;
    assert_eq!(text(&console, "trouble").await, "hidden");
    assert_eq!(complaints(&console), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_analysis_can_be_cancelled() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let console = browser
        .stage(&server, "/console?channel=hall&lang=en")
        .await;
    ai.hold();
    send(&console, "quiz", "Is it? {=right ~wrong}").await;
    says(&console, "progress", "Working on 1 question").await;
    console.tab_to("#cancel").await;
    console.press("Enter").await;
    says(&console, "progress", "Cancelled").await;
    ai.release();
    assert_eq!(complaints(&console), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_fits_a_phone_in_both_languages_and_themes() {
    let Some(browser) = TestBrowser::start_with_window(360, 740).await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (lang, title, scheme) in [("en", "Console", "light"), ("de", "Regie", "dark")] {
        let path = format!("/console?channel=hall&lang={lang}");
        let console = browser
            .stage_with(&server, &path, &[("prefers-color-scheme", scheme)])
            .await;
        let look: Vec<String> = console
            .evaluate("[document.querySelector('h1').innerText, document.documentElement.dataset.theme, document.documentElement.lang]")
            .await;
        assert_eq!(look, [title, scheme, lang]);
        let wide: Vec<String> = console
            .evaluate("[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.dial, .visually-hidden')).map((one) => one.outerHTML.slice(0, 80))")
            .await;
        assert_eq!(wide, Vec::<String>::new(), "nothing is cut off");
        let small: Vec<String> = console
            .evaluate("[...document.querySelectorAll('button, input:not([type=checkbox]), select')].filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40).map((one) => one.outerHTML.slice(0, 80))")
            .await;
        assert_eq!(small, Vec::<String>::new(), "a finger hits everything");
        let mute: Vec<String> = console
            .evaluate("[...document.querySelectorAll('input, select, textarea, button')].filter((one) => !(one.labels?.[0]?.textContent || one.textContent).trim()).map((one) => one.outerHTML)")
            .await;
        assert_eq!(mute, Vec::<String>::new(), "everything has a name");

        // Addresses to hand out, with what was chosen.
        let choose = "for (const [id, value] of [['theme', 'light'], ['scale', '1.5'], ['language', 'de']]) document.getElementById(id).value = value;
            document.getElementById('theme').dispatchEvent(new Event('change', { bubbles: true }));
            [document.getElementById('stage').value, document.getElementById('overlay').value]";
        let addresses: Vec<String> = console.evaluate(choose).await;
        let expected = ["stage", "overlay"].map(|kind| {
            format!(
                "http://{}/{kind}/hall?theme=light&scale=1.5&lang=de",
                server.address
            )
        });
        assert_eq!(addresses, expected);
        let words = console
            .evaluate::<String>("document.querySelector('[data-copy=overlay]').innerText")
            .await;
        console.tab_to("[data-copy=overlay]").await;
        console.press("Enter").await;
        console
            .until(&format!("document.querySelector('[data-copy=overlay]').innerText !== {words:?} && getSelection().toString().includes('/overlay/hall')"))
            .await;
        assert_eq!(complaints(&console), Vec::<String>::new());
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_watching_takes_a_key_the_pages_bring_theirs() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("API_KEY", "open-sesame")
        .set("auth.anonymous_view", false)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let screen = browser.stage(&server, "/stage/hall#key=open-sesame").await;
    screen
        .until("window.quizStats?.sample().connected === true")
        .await;
    let console = browser
        .stranger(&server, "/console?channel=hall&lang=en")
        .await;
    says(&console, "link", "Not allowed").await;
    send(&console, "key", "open-sesame").await;
    console
        .until("window.quizStats.sample().connected === true")
        .await;
    says(&console, "viewers", "2").await;
    send(&console, "answers", "3 1").await;
    says(&console, "slab", "Question 1").await;
    assert_eq!(complaints(&console), Vec::<String>::new());
    browser.close().await;
}
