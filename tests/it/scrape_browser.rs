//! Chromium under supervision: it is killed, stopped, worn out, filled up and left alone; pages go on, and nothing of it
//! stays behind.

use crate::support::{
    LOOK_EVERY, PATIENCE, Reply, Site, StubAi, TestServer, eventually, server::Setup, site::Answer,
    visitor_with_browser,
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command, time::Duration};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a page takes that is to be interrupted.
const SLOW_MS: u64 = 1_500;

fn page(script: &str) -> String {
    format!(
        "<!doctype html><title>Quiz</title><h1>Quiz</h1><main></main><script>
         const show = () => document.querySelector('main').innerHTML = '<p>1. What is red?</p>'
           + '<label><input type=radio name=a>grass</label><label><input type=radio name=a>blood</label>';
         {script}</script>"
    )
}

/// A site whose paths are named after what they do.
async fn site() -> Site {
    Site::start(|visit| match visit.path.as_str() {
        "/robots.txt" => Answer::status(404),
        "/slow" => Answer::page(page(&format!("setTimeout(show, {SLOW_MS});"))),
        "/loop" => Answer::page(page("show(); while (true) {}")),
        "/alert" => Answer::page(page("alert('stop'); if (confirm('go on?')) {} show();")),
        "/flood" => Answer::page(page("for (let i = 0; i < 2000; i++) fetch('/x?' + i); setTimeout(show, 60000);")),
        "/large" => Answer::page(page(
            "show(); window.kept = []; for (let i = 0; i < 40; i++) kept.push(new Uint8Array(10000000).fill(i));
             const until = Date.now() + 3000; const busy = () => Date.now() < until
               && (document.title = Date.now(), setTimeout(busy, 20)); busy();",
        )),
        "/huge" => Answer::page(page("fetch('/endless').then(r => r.text()); setTimeout(show, 60000);")),
        "/endless" => Answer::page("x").endless(),
        "/worker" => Answer::page(page(
            "const all = `for (let i = 0; i < 2000; i++) fetch('${location.origin}/x?' + i).catch(() => 0)`;
             // Restless until the worker is at it, or the page would be read before.
             setInterval(() => document.title = Date.now(), 20);
             new Worker(URL.createObjectURL(new Blob([all]))); setTimeout(show, 60000);",
        )),
        "/long" => Answer::page(page("document.title = 'long\\u001b[31m '.repeat(1e6); show();")),
        "/media" => Answer::page(page(
            "show(); document.body.insertAdjacentHTML('beforeend', '<img src=/a.png><video src=/b.mp4 autoplay></video>'
             + '<audio src=/c.mp3 autoplay></audio><style>@font-face{font-family:f;src:url(/d.woff2)} body{font-family:f;'
             + 'background:url(/e.png)}</style><link rel=stylesheet href=/f.css>');",
        )),
        "/steps" => Answer::page(steps()),
        "/f.css" => Answer::page("").header("content-type", "text/css"),
        _ => Answer::page(page("show();")),
    })
    .await
}

/// A quiz that shows one question at a time, and goes on only when something is chosen.
fn steps() -> String {
    "<!doctype html><title>Steps</title><h1>Quiz</h1><form></form><script>
     const all = ['red', 'green', 'blue']; let at = 0; const form = document.querySelector('form');
     const show = () => form.innerHTML = at < all.length
       ? `<fieldset><legend>${at + 1}. What is ${all[at]}?</legend><label><input type=radio name=a> ${all[at]} one</label>
          <label><input type=radio name=a> another</label></fieldset><button type=button>Next</button>` : '<p>Done!';
     form.onclick = (e) => { if (e.target.matches('button') && form.querySelector(':checked')) { at++; show(); } };
     show();</script>"
        .to_owned()
}

/// A server with a Chromium whose profiles are in `folder`.
async fn start(
    site: &Site,
    folder: &TempDir,
    configure: impl FnOnce(Setup) -> Setup,
) -> Option<TestServer> {
    let setup = visitor_with_browser(&[site])?.env("TMPDIR", folder.path().display());
    Some(configure(setup).bind().await)
}

async fn read(server: &TestServer, url: &str) -> Reply {
    server
        .post("/api/scrape", &json!({ "url": url, "render": true }))
        .await
}

async fn expect_question(server: &TestServer, url: &str) -> Value {
    let found = read(server, url).await.expect(200);
    assert_eq!(
        (&found["via"], &found["questionCount"]),
        (&json!("browser"), &json!(1))
    );
    found
}

/// Processes of the Chromiums whose profiles are in `folder`: all of their groups, with their commands.
fn processes(folder: &Path) -> Vec<(i32, String)> {
    let ids = || {
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    };
    // A process that ends meanwhile is none.
    let command = |id: i32| {
        fs::read_to_string(format!("/proc/{id}/cmdline"))
            .unwrap_or_default()
            .replace('\0', " ")
    };
    let group = |id: i32| -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        (fields.next()? != "Z").then_some(())?;
        fields.nth(1)?.parse().ok()
    };
    let profile = folder.display().to_string();
    let groups: Vec<i32> = ids()
        .filter(|&id| command(id).contains(&profile))
        .filter_map(group)
        .collect();
    let members = ids().filter(|&id| group(id).is_some_and(|group| groups.contains(&group)));
    members.map(|id| (id, command(id))).collect()
}

/// Returns the browser's own process.
fn main_process(folder: &Path) -> i32 {
    let all = processes(folder);
    let main = all.iter().find(|(_, command)| {
        command.contains("--user-data-dir")
            && !command.contains("--type=")
            && !command.contains("/bin/sh")
    });
    main.unwrap_or_else(|| panic!("no Chromium in {all:?}")).0
}

fn signal(name: &str, id: i32) {
    let sent = Command::new("kill")
        .args(["-s", name, &id.to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

fn profiles(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

async fn nothing_left(folder: &Path) {
    eventually("nothing of Chromium is left", || async {
        (processes(folder).is_empty() && profiles(folder) == 0).then_some(())
    })
    .await;
}

async fn metric(server: &TestServer, series: &str, at_least: f64) {
    let deadline = Instant::now() + 3 * PATIENCE;
    while server.metric(series).await < at_least {
        assert!(
            Instant::now() < deadline,
            "{series} does not reach {at_least}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn killed_while_pages_load_they_are_read_again_and_the_next_one_soon() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let roomy = |setup: Setup| setup.set("scraper.concurrency", 5);
    let Some(server) = start(&site, &folder, roomy).await else {
        return;
    };
    expect_question(&server, &site.url("/")).await;
    let mut recovered = Vec::new();
    for trial in 1..=3 {
        let slow = site.url("/slow");
        let pages = futures_util::future::join_all((0..4).map(|_| read(&server, &slow)));
        let (killed, at) = (
            async {
                metric(&server, "browser_pages_open", 4.0).await;
                let id = main_process(folder.path());
                signal("KILL", id);
                let at = Instant::now();
                expect_question(&server, &site.url("/")).await;
                (id, at.elapsed())
            },
            pages,
        );
        let ((id, next), replies) = tokio::join!(killed, at);
        recovered.push(next);
        for reply in replies {
            assert_eq!(reply.expect(200)["questionCount"], 1);
        }
        metric(
            &server,
            "browser_restarts_total{reason=\"crash\"}",
            f64::from(trial),
        )
        .await;
        assert!(
            processes(folder.path())
                .iter()
                .all(|(other, _)| *other != id)
        );
        eventually("the old profile is removed", || async {
            (profiles(folder.path()) == 1).then_some(())
        })
        .await;
    }
    // The contract of issue 3; a restart takes less than a second on a quiet machine (docs/benchmarks.md).
    recovered.sort_unstable();
    assert!(
        recovered[1] < Duration::from_secs(3),
        "the next pages took {recovered:?}"
    );
    assert_eq!(server.metric("browser_pages_open").await, 0.0);
}

#[tokio::test]
async fn killed_twice_over_the_same_page_it_is_a_clear_error() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    let killing = async {
        for number in 1..=2 {
            metric(&server, "browser_pages_open", 1.0).await;
            signal("KILL", main_process(folder.path()));
            metric(
                &server,
                "browser_restarts_total{reason=\"crash\"}",
                f64::from(number),
            )
            .await;
        }
    };
    let slow = site.url("/slow");
    let (reply, ()) = tokio::join!(read(&server, &slow), killing);
    assert_eq!(reply.error(422), "page_failed");
    assert_eq!(
        reply.json()["details"],
        json!([{ "path": "reason", "problem": "crashed" }])
    );
    expect_question(&server, &site.url("/")).await;
}

#[tokio::test]
async fn a_page_whose_own_process_dies_is_read_again() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    let killing = async {
        metric(&server, "browser_pages_open", 1.0).await;
        let visited = || site.paths().iter().filter(|path| *path == "/slow").count();
        eventually("the page is there", || async {
            (visited() == 1).then_some(())
        })
        .await;
        let all = processes(folder.path());
        all.iter()
            .filter(|(_, command)| command.contains("--type=renderer"))
            .for_each(|(id, _)| signal("KILL", *id));
    };
    let slow = site.url("/slow");
    let (reply, ()) = tokio::join!(read(&server, &slow), killing);
    assert_eq!(reply.expect(200)["questionCount"], 1);
    assert_eq!(
        server
            .metric("browser_restarts_total{reason=\"crash\"}")
            .await,
        0.0,
        "the browser itself lives"
    );
}

#[tokio::test]
async fn one_that_hangs_is_ended() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let configure = |setup: Setup| {
        setup
            .set("browser.check_interval_ms", 200)
            .set("browser.check_timeout_ms", 1_000)
    };
    let Some(server) = start(&site, &folder, configure).await else {
        return;
    };
    expect_question(&server, &site.url("/")).await;
    let id = main_process(folder.path());
    signal("STOP", id);
    metric(&server, "browser_restarts_total{reason=\"hang\"}", 1.0).await;
    expect_question(&server, &site.url("/")).await;
    assert!(
        processes(folder.path())
            .iter()
            .all(|(other, _)| *other != id)
    );
}

#[tokio::test]
async fn one_that_is_worn_is_replaced_between_pages() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup.set("browser.max_pages", 2)).await
    else {
        return;
    };
    for _ in 0..5 {
        expect_question(&server, &site.url("/")).await;
    }
    metric(&server, "browser_restarts_total{reason=\"pages\"}", 2.0).await;
    eventually("one profile is left", || async {
        (profiles(folder.path()) == 1).then_some(())
    })
    .await;
    drop(server);
    let young = |setup: Setup| {
        setup
            .set("browser.max_age_ms", 300)
            .set("browser.check_interval_ms", 100)
    };
    let server = start(&site, &folder, young).await.unwrap();
    expect_question(&server, &site.url("/")).await;
    metric(&server, "browser_restarts_total{reason=\"age\"}", 1.0).await;
    nothing_left(folder.path()).await;
    expect_question(&server, &site.url("/")).await;
}

#[tokio::test]
async fn one_that_takes_too_much_memory_is_replaced() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let configure = |setup: Setup| {
        setup
            .set("browser.memory_limit_bytes", 400_000_000)
            .set("browser.check_interval_ms", 100)
    };
    let Some(server) = start(&site, &folder, configure).await else {
        return;
    };
    expect_question(&server, &site.url("/")).await;
    assert_eq!(
        server
            .metric("browser_restarts_total{reason=\"memory\"}")
            .await,
        0.0
    );
    expect_question(&server, &site.url("/large")).await;
    metric(&server, "browser_restarts_total{reason=\"memory\"}", 1.0).await;
    expect_question(&server, &site.url("/")).await;
}

#[tokio::test]
async fn pages_that_misbehave_harm_themselves_alone() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let configure = |setup: Setup| {
        setup
            .set("scraper.page_timeout_ms", 12_000)
            .set("browser.navigation_timeout_ms", 4_000)
            .set("browser.script_timeout_ms", 3_000)
            .set("scraper.max_page_requests", 50)
            .set("scraper.max_page_bytes", 500_000)
    };
    let Some(server) = start(&site, &folder, configure).await else {
        return;
    };
    for (path, reason) in [
        ("/loop", "timeout"),
        ("/flood", "too_large"),
        ("/worker", "too_large"),
        ("/huge", "too_large"),
    ] {
        let reply = read(&server, &site.url(path)).await;
        assert_eq!(reply.error(422), "page_failed", "{path}: {}", reply.text());
        assert_eq!(reply.json()["details"][0]["problem"], reason, "{path}");
        expect_question(&server, &site.url("/")).await;
    }
    expect_question(&server, &site.url("/alert")).await;
    for reason in ["crash", "hang"] {
        assert_eq!(
            server
                .metric(&format!("browser_restarts_total{{reason=\"{reason}\"}}"))
                .await,
            0.0
        );
    }
    eventually("all pages are closed", || async {
        (server.metric("browser_pages_open").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn images_fonts_and_media_are_not_loaded() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    expect_question(&server, &site.url("/media")).await;
    assert_eq!(site.paths(), ["/robots.txt", "/media", "/f.css"]);
}

#[tokio::test]
async fn a_quiz_is_followed_only_when_asked() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    let found = server
        .post("/api/scrape", &json!({ "url": site.url("/steps") }))
        .await
        .expect(200);
    assert_eq!(found["questionCount"], 1);
    let found = server
        .post(
            "/api/scrape",
            &json!({ "url": site.url("/steps"), "follow": true }),
        )
        .await
        .expect(200);
    let texts: Vec<_> = found["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|q| q["question"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["What is red?", "What is green?", "What is blue?"]);
    assert!(
        found["notes"][0]
            .as_str()
            .unwrap()
            .contains("first option was chosen"),
        "{}",
        found["notes"]
    );
}

#[tokio::test]
async fn nothing_stays_behind_however_the_server_ends() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(mut server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    expect_question(&server, &site.url("/")).await;
    assert!(!processes(folder.path()).is_empty());
    server.terminate();
    assert!(server.ended().await.success());
    assert!(
        processes(folder.path()).is_empty() && profiles(folder.path()) == 0,
        "gone before the server is"
    );
    let mut server = start(&site, &folder, |setup| setup).await.unwrap();
    expect_question(&server, &site.url("/")).await;
    server.kill();
    nothing_left(folder.path()).await;
}

#[tokio::test]
async fn one_that_does_not_start_is_explained() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(setup) = visitor_with_browser(&[&site]) else {
        return;
    };
    let program = folder.path().join("chromium");
    fs::write(
        &program,
        "#!/bin/sh\necho 'no such library: libodd.so' >&2\nexit 127\n",
    )
    .unwrap();
    fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let server = setup
        .set("scraper.chromium", program.display())
        .bind()
        .await;
    let reply = read(&server, &site.url("/")).await;
    assert_eq!(reply.error(422), "page_failed");
    assert!(
        reply.text().contains("no such library: libodd.so"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn what_a_page_says_of_itself_is_bounded_and_harmless() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let Some(server) = start(&site, &folder, |setup| setup).await else {
        return;
    };
    let found = expect_question(&server, &site.url("/long")).await;
    let title = found["title"].as_str().unwrap();
    assert!(
        title.starts_with("long") && !title.contains(char::is_control),
        "{title:?}"
    );
    assert_eq!(title.chars().count(), 300);
}

#[tokio::test]
async fn chromium_does_not_get_our_keys() {
    let (site, folder) = (site().await, TempDir::new().unwrap());
    let secret = |setup: Setup| {
        setup
            .env("OPENAI_API_KEY", "sk-secret")
            .env("API_KEY", "this-is-secret-too")
    };
    let Some(server) = start(&site, &folder, secret).await else {
        return;
    };
    let asked = server
        .request("POST", "/api/scrape")
        .header("x-api-key", "this-is-secret-too")
        .json(&json!({ "url": site.url("/"), "render": true }));
    Reply::to(asked).await.expect(200);
    let ids = processes(folder.path());
    assert!(ids.len() > 1, "{ids:?}");
    for (id, command) in ids {
        // One that has ended meanwhile tells nothing.
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&environment).contains("secret"),
            "{command}"
        );
    }
}

/// A red square of 8 by 8 pixels.
const RED: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><rect width='8' height='8' fill='red'/></svg>";

#[tokio::test]
async fn a_model_that_sees_is_shown_the_page_and_nobody_else_is() {
    let site = Site::start(|visit| match visit.path.as_str() {
        "/robots.txt" => Answer::status(404),
        "/red.svg" => Answer::page(String::from_utf8_lossy(RED)).header("content-type", "image/svg+xml"),
        _ => Answer::page(
            "<!doctype html><title>Quiz</title><p>1. <img src=/red.svg alt='Image'> Which colour is shown?</p>\
             <label><input type=radio name=a>blue</label><label><input type=radio name=a>right, red</label>",
        ),
    })
    .await;
    let ai = StubAi::start().await;
    let server = |vision: bool| {
        let setup = visitor_with_browser(&[&site])?.set("ai.base_url", ai.base_url());
        Some(setup.set("ai.model", "scripted").set("ai.vision", vision))
    };
    let (Some(blind), Some(seeing)) = (server(false), server(true)) else {
        return;
    };
    let blind = blind.start().await;
    let body = json!({ "url": site.url("/quiz"), "animate": false });
    assert_eq!(
        blind.post("/api/analyze", &body).await.error(422),
        "needs_image"
    );
    assert_eq!(ai.calls(), 0);
    let seeing = seeing.start().await;
    let report = seeing.analyze(&body).await;
    assert_eq!(
        (&report["answers"], &report["page"]["via"]),
        (&json!([2]), &json!("browser")),
        "{report}"
    );
    let content = &ai.asked()[0].body["messages"][1]["content"];
    let picture = content[1]["image_url"]["url"].as_str().expect("a picture");
    assert!(
        picture.starts_with("data:image/jpeg;base64,/9j/"),
        "a JPEG: {}",
        &picture[..60]
    );
    assert!(
        site.paths().contains(&"/red.svg".to_owned()),
        "the page's images are loaded for it"
    );
    assert!(
        !report.to_string().contains("/9j/"),
        "it stays within the process"
    );
}
