//! Pages in, questions out: over HTTP and on the command line, the way taken, and what is said when it fails.

use crate::support::{
    Program, Site, StubAi, TestServer, Viewer, site::Answer, visitor_of, visitor_with_browser,
};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A page with two questions, of which the first reveals its key.
const QUIZ: &str = "<!doctype html><title>Colours</title><h1>Quiz</h1><form>
    <fieldset><legend>1. What is red?</legend><label><input type=radio name=a> wrong, grass</label>
    <label><input type=radio name=a> right, blood</label></fieldset>
    <fieldset><legend>2. What is green?</legend><label><input type=radio name=b> right, grass</label>
    <label><input type=radio name=b> wrong, blood</label></fieldset></form>";
/// The same, built by a script after a while.
const LATE: &str = "<!doctype html><title>Late</title><h1>Quiz</h1><main></main><script>
    setTimeout(() => { document.querySelector('main').innerHTML = '<p>1. What is red?</p>'
    + '<label><input type=radio name=a> wrong, grass</label><label><input type=radio name=a> right, blood</label>'; }, 400);
    </script>";

async fn scrape(server: &TestServer, body: Value) -> crate::support::Reply {
    server.post("/api/scrape", &body).await
}

/// Checks that a page is refused with this code and reason, and returns the words.
async fn refused(server: &TestServer, url: &str, code: &str, reason: &str) -> String {
    let reply = scrape(server, json!({ "url": url })).await;
    assert_eq!(reply.error(422), code, "{}", reply.text());
    assert_eq!(
        reply.json()["details"],
        json!([{ "path": "reason", "problem": reason }]),
        "{}",
        reply.text()
    );
    reply.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_plain_page_needs_no_browser() {
    let site = Site::with_page(QUIZ).await;
    let server = visitor_of(&[&site]).bind().await;
    let found = scrape(&server, json!({ "url": site.url("/quiz") }))
        .await
        .expect(200);
    assert_eq!(found["status"], "success");
    assert_eq!(
        (&found["via"], &found["questionCount"]),
        (&json!("http"), &json!(2))
    );
    assert_eq!(
        (&found["title"], &found["url"]),
        (&json!("Colours"), &json!(site.url("/quiz")))
    );
    assert_eq!(
        found["questions"][0],
        json!({ "question": "What is red?", "answers": ["wrong, grass", "right, blood"], "kind": "single" })
    );
    assert!(found["timings"]["fetchMs"].is_u64() && found["timings"]["renderMs"] == 0);
    assert_eq!(site.paths(), ["/robots.txt", "/quiz"]);
    for visit in site.visits() {
        let head = visit.head.to_lowercase();
        assert!(
            head.contains("user-agent: quiz-stats/"),
            "an honest name: {head}"
        );
    }
    let markup = scrape(&server, json!({ "html": QUIZ })).await.expect(200);
    assert_eq!(
        (&markup["via"], &markup["url"]),
        (&json!("html"), &Value::Null)
    );
    assert_eq!(markup["questions"], found["questions"]);
    assert_eq!(
        server.metric("scrape_pages_total{outcome=\"ok\"}").await,
        2.0
    );
    assert!(
        server
            .metric("scrape_duration_seconds_count{outcome=\"ok\"}")
            .await
            > 1.0
    );
}

#[tokio::test]
async fn without_chromium_a_page_that_needs_it_says_what_to_install() {
    let site = Site::with_page(LATE).await;
    let server = visitor_of(&[&site]).bind().await;
    let told = refused(&server, &site.url("/"), "page_failed", "no_browser").await;
    assert!(
        told.contains("apt install") && told.contains("scraper.chromium"),
        "{told}"
    );
    let partly = "<script src=/app.js></script><p>1. What is red?</p><label><input type=radio>a</label><label><input type=radio>b</label>";
    let found = scrape(&server, json!({ "html": format!("<h1>Quiz</h1>{partly}") }))
        .await
        .expect(200);
    assert_eq!(found["questionCount"], 1);
    let note = found["notes"][0].as_str().unwrap();
    assert!(
        note.contains("only what the plain response holds") && note.contains("apt install"),
        "{note}"
    );
    let health = server.get("/health").await.expect(200);
    assert!(
        health["checks"]["scraper"]
            .as_str()
            .unwrap()
            .contains("apt install")
    );
}

#[tokio::test]
async fn an_analysis_of_a_page_answers_its_questions_and_shows_them() {
    let (ai, site) = (StubAi::start().await, Site::with_page(QUIZ).await);
    let server = visitor_of(&[&site])
        .set("ai.base_url", ai.base_url())
        .set("ai.model", "scripted")
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let report = server
        .analyze(&json!({ "url": site.url("/quiz"), "channel": "hall" }))
        .await;
    assert_eq!(
        (&report["answers"], &report["questionCount"]),
        (&json!([2, 1]), &json!(2))
    );
    assert_eq!(report["page"]["via"], "http");
    assert_eq!(report["questions"][1]["question"], "What is green?");
    let started = viewer.next_of("analysis_started").await;
    assert_eq!(started["questionCount"], 2);
    viewer.next_of("answers_ready").await;
    let reply = server
        .post("/api/analyze", &json!({ "html": "<p>Nothing here" }))
        .await;
    assert_eq!(reply.error(422), "no_questions_found");
    let reply = server
        .post("/api/analyze", &json!({ "url": "http://10.0.0.1/" }))
        .await;
    assert_eq!(reply.error(422), "page_blocked");
}

#[tokio::test]
async fn each_failure_has_its_reason() {
    let site = Site::start(|visit| match visit.path.as_str() {
        "/robots.txt" => Answer::status(404),
        "/gone" => Answer::status(404),
        "/login" => Answer::status(403),
        "/broken" => Answer::status(500),
        "/file" => Answer::page("%PDF").header("content-type", "application/pdf"),
        "/circle" => Answer::redirect("/circle"),
        "/away" => Answer::redirect("http://127.0.0.2/"),
        "/odd" => Answer::redirect("file:///etc/passwd"),
        "/slow" => Answer::page(QUIZ).after(Duration::from_secs(60)),
        "/huge" => Answer::page("<p>a").endless(),
        "/empty" => Answer::page("<h1>Welcome</h1><p>There is no quiz here.</p>"),
        _ => Answer::page(QUIZ),
    })
    .await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deaf = nobody.local_addr().unwrap();
    drop(nobody);
    let mut setup = visitor_of(&[&site])
        .set("scraper.http_timeout_ms", 1_000)
        .set("scraper.max_page_bytes", 200_000);
    setup = setup.set(
        "egress.ports",
        format!("80,{},{}", site.address.port(), deaf.port()),
    );
    let server = setup.bind().await;
    for (path, code, reason) in [
        ("/gone", "page_failed", "http_status"),
        ("/login", "page_failed", "http_status"),
        ("/broken", "page_failed", "http_status"),
        ("/file", "page_failed", "not_a_page"),
        ("/circle", "page_failed", "redirects"),
        ("/away", "page_blocked", "address"),
        ("/odd", "page_blocked", "address"),
        ("/slow", "page_failed", "timeout"),
        ("/huge", "page_failed", "too_large"),
    ] {
        let told = refused(&server, &site.url(path), code, reason).await;
        assert!(!told.contains("127.0.0.2") || path == "/away", "{told}");
    }
    let told = refused(&server, &site.url("/login"), "page_failed", "http_status").await;
    assert!(
        told.contains("403") && told.contains("save the page"),
        "{told}"
    );
    refused(&server, "http://nosuch.invalid/", "page_failed", "dns").await;
    refused(
        &server,
        &format!("http://{deaf}/"),
        "page_failed",
        "refused",
    )
    .await;
    refused(
        &server,
        &format!("https://{}/", site.address),
        "page_failed",
        "tls",
    )
    .await;
    let reply = scrape(
        &server,
        json!({ "url": site.url("/empty"), "render": false }),
    )
    .await;
    // Without scripts and without Chromium there is nothing more to look for.
    assert_eq!(reply.error(422), "no_questions_found");
    let reply = scrape(&server, json!({ "url": "ftp://a.example/", "html": "x" })).await;
    assert_eq!(reply.error(400), "invalid_request");
    assert!(
        server
            .metric("scrape_pages_total{outcome=\"blocked\"}")
            .await
            >= 2.0
    );
}

#[tokio::test]
async fn robots_txt_is_obeyed_and_remembered() {
    let site = Site::start(|visit| match visit.path.as_str() {
        "/robots.txt" => {
            Answer::page("User-agent: *\nDisallow: /exam\n").header("content-type", "text/plain")
        }
        "/moved" => Answer::redirect("/exam/2"),
        _ => Answer::page(QUIZ),
    })
    .await;
    let server = visitor_of(&[&site]).bind().await;
    let told = refused(&server, &site.url("/exam/1"), "page_blocked", "robots").await;
    assert!(told.contains("robots.txt"), "{told}");
    refused(&server, &site.url("/moved"), "page_blocked", "robots").await;
    scrape(&server, json!({ "url": site.url("/quiz") }))
        .await
        .expect(200);
    assert_eq!(
        site.paths(),
        ["/robots.txt", "/moved", "/quiz"],
        "asked once, and never for /exam"
    );
    let server = visitor_of(&[&site])
        .set("scraper.obey_robots", false)
        .bind()
        .await;
    scrape(&server, json!({ "url": site.url("/exam/1") }))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_site_out_of_order_is_left_in_peace() {
    let site = Site::start(|_| Answer::status(503)).await;
    let server = visitor_of(&[&site]).bind().await;
    refused(&server, &site.url("/quiz"), "page_blocked", "robots").await;
    assert_eq!(site.paths(), ["/robots.txt"]);
}

#[tokio::test]
async fn pages_of_one_host_keep_their_distance() {
    let site = Site::with_page(QUIZ).await;
    let server = visitor_of(&[&site])
        .set("scraper.politeness_ms", 400)
        .bind()
        .await;
    let ask = || async {
        scrape(&server, json!({ "url": site.url("/") }))
            .await
            .expect(200)
    };
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    let mut waits = [a, b, c].map(|found| found["timings"]["waitMs"].as_u64().unwrap());
    waits.sort_unstable();
    assert!(waits[1] >= 350 && waits[2] >= 750, "{waits:?}");
}

#[tokio::test]
async fn only_listed_domains_are_visited() {
    let site = Site::with_page(QUIZ).await;
    let server = visitor_of(&[&site])
        .env("ALLOWED_DOMAINS", "quiz.example, *.school.example")
        .bind()
        .await;
    let told = refused(&server, &site.url("/"), "page_blocked", "address").await;
    assert!(told.contains("egress.allowed_domains"), "{told}");
    assert!(site.paths().is_empty());
}

#[tokio::test]
async fn the_command_line_reads_pages_and_files() {
    let site = Site::with_page(QUIZ).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("saved.html");
    std::fs::write(&file, QUIZ).unwrap();
    let run = |args: &[&str]| {
        Program::new(folder.path(), args)
            .env("QUIZ_STATS__EGRESS__PORTS", site.address.port())
            .env("QUIZ_STATS__EGRESS__ALLOWED_ADDRESSES", "127.0.0.1")
            .run()
    };
    let said = run(&["scrape", &site.url("/quiz")]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    assert!(
        said.stdout
            .starts_with("Colours\n\n  1. What is red?\n     A) wrong, grass\n"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("2 questions · http · "),
        "{}",
        said.stdout
    );
    let said = run(&["scrape", &file.display().to_string(), "--json"]).await;
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        (&found["via"], found["questions"].as_array().unwrap().len()),
        (&json!("html"), 2)
    );
    let said = run(&["scrape", "http://10.0.0.1/"]).await;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(
        said.stderr.contains("may not be visited"),
        "{}",
        said.stderr
    );
    let said = run(&["scrape", "quiz.gift"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[tokio::test]
async fn the_command_line_lets_a_server_read() {
    let site = Site::with_page(QUIZ).await;
    let server = visitor_of(&[&site]).bind().await;
    let folder = TempDir::new().unwrap();
    let base = format!("http://{}", server.address);
    let said = Program::new(
        folder.path(),
        &["scrape", &site.url("/quiz"), "--server", &base],
    )
    .run()
    .await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.stdout.contains("2. What is green?"), "{}", said.stdout);
    let said = Program::new(
        folder.path(),
        &["scrape", "http://10.0.0.1/", "--server", &base],
    )
    .run()
    .await;
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.contains("may not be visited"),
        "{}",
        said.stderr
    );
}

#[tokio::test]
async fn the_way_taken_is_told_and_can_be_chosen() {
    let site = Site::start(|visit| match visit.path.as_str() {
        "/robots.txt" => Answer::status(404),
        "/late" => Answer::page(LATE),
        _ => Answer::page(QUIZ),
    })
    .await;
    let Some(setup) = visitor_with_browser(&[&site]) else {
        return;
    };
    let server = setup.bind().await;
    let found = scrape(&server, json!({ "url": site.url("/late") }))
        .await
        .expect(200);
    assert_eq!(
        (&found["via"], &found["questionCount"]),
        (&json!("browser"), &json!(1))
    );
    assert!(found["timings"]["renderMs"].as_u64().unwrap() >= 400);
    let found = scrape(&server, json!({ "url": site.url("/quiz"), "render": true }))
        .await
        .expect(200);
    assert_eq!(
        (&found["via"], &found["questionCount"]),
        (&json!("browser"), &json!(2))
    );
    let found = scrape(&server, json!({ "html": LATE })).await.expect(200);
    assert_eq!(
        (&found["via"], &found["url"]),
        (&json!("browser"), &Value::Null)
    );
    let health = server.get("/health").await.expect(200);
    assert_eq!(health["checks"]["scraper"], "ok");
    assert_eq!(server.metric("browser_pages_open").await, 0.0);
}
