//! The guard from end to end: a hostile page in a real Chromium tries every way to what it must not reach.

use crate::support::{Canary, LOOK_EVERY, PATIENCE, Site, site::Answer, visitor_with_browser};
use futures_util::future::BoxFuture;
use quiz_stats::{
    analysis::FailureCode,
    app::App,
    config::Settings,
    egress::Resolver,
    page::{PageRequest, PageSource},
};
use serde_json::json;
use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What a page tries, `CANARY` standing for what it wants to reach. `done` ends it.
const HOSTILE: &str = r#"<!doctype html><title>Quiz</title><h1>Quiz</h1><p>1. What is red?</p>
<label><input type=radio name=a>grass</label><label><input type=radio name=a>blood</label>
<img src="http://CANARY/img"><iframe src="http://CANARY/iframe"></iframe>
<link rel=stylesheet href="http://CANARY/css"><link rel=prefetch href="http://CANARY/prefetch">
<link rel=preconnect href="http://CANARY/"><link rel=dns-prefetch href="//CANARY/">
<script src="http://CANARY/script"></script><script type=module src="http://CANARY/module"></script>
<object data="http://CANARY/object"></object><embed src="http://CANARY/embed"><video src="http://CANARY/video" autoplay></video>
<form id=f action="http://CANARY/form" method=post target=t><input name=x></form><iframe name=t></iframe>
<iframe src="/frame-that-redirects"></iframe><a id=a target=t href="http://CANARY/ping" ping="http://CANARY/ping">x</a>
<script>
const tries = [
  () => fetch('http://CANARY/fetch', { mode: 'no-cors' }),
  () => fetch('http://CANARY/post', { mode: 'no-cors', method: 'POST', body: 'x' }),
  () => fetch('/redirect-to-canary', { mode: 'no-cors' }),
  () => new Promise((r) => { const x = new XMLHttpRequest(); x.open('GET', 'http://CANARY/xhr'); x.onloadend = r; x.send(); }),
  () => new Promise((r) => { const s = new WebSocket('ws://CANARY/ws'); s.onclose = s.onerror = r; }),
  () => new Promise((r) => { const s = new WebSocket('wss://CANARY/wss'); s.onclose = s.onerror = r; }),
  () => new Promise((r) => { const s = new EventSource('http://CANARY/sse'); s.onerror = r; }),
  () => navigator.sendBeacon('http://CANARY/beacon', 'x'),
  () => document.getElementById('f').submit(),
  () => document.getElementById('a').click(),
  () => window.open('http://CANARY/open'),
  () => navigator.serviceWorker.register('/worker.js'),
  () => new Worker(URL.createObjectURL(new Blob(["fetch('http://CANARY/worker', {mode: 'no-cors'}); new WebSocket('ws://CANARY/worker')"]))),
  () => new SharedWorker(URL.createObjectURL(new Blob(["fetch('http://CANARY/shared', {mode: 'no-cors'})"]))),
  () => import('http://CANARY/import.js'),
  () => { const pc = new RTCPeerConnection({ iceServers: [{ urls: ['stun:CANARY', 'turn:CANARY?transport=tcp'], username: 'x', credential: 'x' }] });
          pc.createDataChannel('x'); return pc.createOffer().then((o) => pc.setLocalDescription(o)); },
  () => new WebTransport('https://CANARY/transport').ready,
  () => document.fonts.load('1px x', 'x'),
];
Promise.allSettled(tries.map(async (t) => t())).then(() => fetch('/done'));
</script>"#;

/// Every other address of this machine, and a port of the site's own address that nobody allowed.
const FORBIDDEN: [&str; 3] = ["127.0.0.2:0", "127.0.0.1:0", "[::1]:0"];

#[tokio::test]
async fn a_hostile_page_reaches_nothing() {
    let canary = Canary::listen(&FORBIDDEN).await;
    for (number, address) in canary.addresses.iter().enumerate() {
        let (address, page) = (
            address.to_string(),
            HOSTILE.replace("CANARY", &address.to_string()),
        );
        let site = Site::start(move |visit| match visit.path.as_str() {
            "/robots.txt" => Answer::status(404),
            "/redirect-to-canary" | "/frame-that-redirects" => Answer::redirect(&format!("http://{address}/redirected")),
            "/worker.js" => Answer::page(format!(
                "fetch('http://{address}/sw', {{mode: 'no-cors'}}); new WebSocket('ws://{address}/sw')"
            ))
            .header("content-type", "text/javascript"),
            "/done" => Answer::status(204),
            _ => Answer::page(page.clone()),
        })
        .await;
        let Some(setup) = visitor_with_browser(&[&site]) else {
            return;
        };
        // 127.0.0.1 is allowed as an address here, and its other ports are not; for the rest it is the other way round.
        let port = canary.addresses[number].port();
        let setup = match canary.addresses[number].ip() == site.address.ip() {
            true => setup,
            false => setup.set(
                "egress.ports",
                format!("80,443,{port},{}", site.address.port()),
            ),
        };
        let server = setup.set("browser.settle_timeout_ms", 4_000).bind().await;
        let reply = server
            .post(
                "/api/scrape",
                &json!({ "url": site.url("/"), "render": true }),
            )
            .await;
        assert_eq!(reply.expect(200)["questionCount"], 1);
        let tried = site.paths();
        for path in [
            "/redirect-to-canary",
            "/frame-that-redirects",
            "/worker.js",
            "/done",
        ] {
            assert!(
                tried.iter().any(|tried| tried == path),
                "{path} was not tried: {tried:?}"
            );
        }
        drop(server);
        assert_eq!(
            canary.touched(),
            0,
            "{} was reached",
            canary.addresses[number]
        );
    }
}

#[tokio::test]
async fn redirects_and_addresses_that_lead_inside_are_blocked() {
    let canary = Canary::listen(&FORBIDDEN).await;
    let address = canary.addresses[0];
    let site = Site::start(move |visit| match visit.path.as_str() {
        "/robots.txt" => Answer::status(404),
        "/script" => Answer::page(format!("<script>location = 'http://{address}/'</script>")),
        "/refresh" => Answer::page(format!(
            "<meta http-equiv=refresh content='0; url=http://{address}/'>"
        )),
        _ => Answer::redirect(&format!("http://{address}/")),
    })
    .await;
    let Some(setup) = visitor_with_browser(&[&site]) else {
        return;
    };
    let ports = format!("80,443,{},{}", site.address.port(), address.port());
    let server = setup.set("egress.ports", ports).bind().await;
    for render in [false, true] {
        let reply = server
            .post(
                "/api/scrape",
                &json!({ "url": site.url("/redirect"), "render": render }),
            )
            .await;
        assert_eq!(reply.error(422), "page_blocked", "{}", reply.text());
        for url in [
            format!("http://{address}/"),
            format!("http://2130706434:{}/", address.port()),
            format!("http://0x7f.2:{}/", address.port()),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://metadata.google.internal/".to_owned(),
        ] {
            let reply = server
                .post("/api/scrape", &json!({ "url": url, "render": render }))
                .await;
            assert_eq!(reply.error(422), "page_blocked", "{url}: {}", reply.text());
        }
    }
    for path in ["/script", "/refresh"] {
        let reply = server
            .post(
                "/api/scrape",
                &json!({ "url": site.url(path), "render": true }),
            )
            .await;
        reply.error(422);
    }
    assert_eq!(canary.touched(), 0);
}

/// Knows one name, which has a harmless address the first times and another one from then on.
struct Rebinding {
    asked: AtomicUsize,
    harmless: usize,
}

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match name {
                "rebind.example" if number < self.harmless => {
                    Ok(vec!["127.0.0.1".parse().unwrap()])
                }
                "rebind.example" => Ok(vec!["127.0.0.2".parse().unwrap()]),
                _ => Err(io::Error::other("no such name")),
            }
        })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let page = "<!doctype html><title>Quiz</title><h1>Quiz</h1><p>1. What is red?</p>
        <label><input type=radio name=a>grass</label><label><input type=radio name=a>blood</label><script>
        const again = (left) => fetch('/secret?' + left).catch(() => 0).then(() => left && again(left - 1));
        again(5);</script>";
    let site = Site::with_page(page).await;
    let port = site.address.port();
    let canary = Canary::listen(&[&format!("127.0.0.2:{port}")]).await;
    if crate::support::visitor_with_browser(&[]).is_none() {
        return;
    }
    let mut settings = Settings::default();
    settings.egress.ports = port.to_string();
    settings.egress.allowed_addresses = Some("127.0.0.1".to_owned());
    settings.scraper.chromium = crate::support::browser::find_or_skip();
    settings.scraper.politeness_ms = 0;
    // robots.txt and the page itself; what the page asks for then goes elsewhere.
    let resolver = Arc::new(Rebinding {
        asked: AtomicUsize::new(0),
        harmless: 2,
    });
    let app = App::scraper_with(settings, Arc::clone(&resolver) as Arc<dyn Resolver>)
        .await
        .unwrap();
    let page = PageRequest {
        source: PageSource::Url(format!("http://rebind.example:{port}/")),
        follow: false,
        render: true,
    };
    let found = app
        .pipeline()
        .scrape(page)
        .await
        .expect("the page itself is harmless");
    assert_eq!(found.questions.len(), 1);
    let deadline = Instant::now() + PATIENCE;
    while resolver.asked.load(Ordering::SeqCst) < 3 {
        assert!(Instant::now() < deadline, "the page did not ask again");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // What a name resolves to is nobody's business.
    let page = PageRequest {
        source: PageSource::Url(format!("http://rebind.example:{port}/again")),
        follow: false,
        render: false,
    };
    let blocked = app.pipeline().scrape(page).await.unwrap_err();
    assert_eq!(blocked.code, FailureCode::PageBlocked);
    assert!(
        blocked.error.contains("rebind.example may not be visited"),
        "{}",
        blocked.error
    );
    app.drain(Duration::from_secs(5)).await;
    assert_eq!(canary.touched(), 0);
    assert!(
        !site.paths().iter().any(|path| path.starts_with("/secret")),
        "{:?}",
        site.paths()
    );
}

#[tokio::test]
async fn robots_txt_counts_wherever_the_page_goes_in_chromium() {
    let question = "<!doctype html><title>Quiz</title><h1>Quiz</h1><p>1. What is red?</p>
        <label><input type=radio name=a>grass</label><label><input type=radio name=a>blood</label>";
    let site = Site::start(move |visit| match visit.path.as_str() {
        "/robots.txt" => {
            Answer::page("User-agent: *\nDisallow: /exam\n").header("content-type", "text/plain")
        }
        "/moved" => Answer::redirect("/exam/1"),
        "/left" => Answer::page(format!(
            "{question}<script>location.href = '/exam/2'</script>"
        )),
        "/gone" => Answer::page(
            "<!doctype html><title>Quiz</title><script>location.href = '/exam/3'</script>",
        ),
        "/framed" => Answer::page(format!("{question}<iframe src=/exam/5></iframe>")),
        "/steps" => Answer::page(format!("{question}<p><a href=/exam/4>Next</a>")),
        "/fine" => Answer::redirect("/quiz"),
        _ => Answer::page(question),
    })
    .await;
    let Some(setup) = visitor_with_browser(&[&site]) else {
        return;
    };
    let server = setup.bind().await;
    let read = async |path: &str, follow: bool| {
        let page = json!({ "url": site.url(path), "render": true, "follow": follow });
        server.post("/api/scrape", &page).await
    };
    for path in ["/moved", "/gone"] {
        let refused = read(path, false).await.expect(422);
        assert_eq!(refused["code"], "page_blocked", "{path}: {refused}");
        assert_eq!(refused["details"][0]["problem"], "robots", "{path}");
    }
    for (path, follow) in [("/left", false), ("/framed", false), ("/steps", true)] {
        let found = read(path, follow).await.expect(200);
        assert_eq!(found["questionCount"], 1, "{path}: {found}");
        assert!(
            found["notes"].to_string().contains("robots.txt"),
            "{path}: {found}"
        );
    }
    let found = read("/fine", false).await.expect(200);
    assert_eq!(found["url"], site.url("/quiz"));
    let exams = site
        .paths()
        .into_iter()
        .filter(|path| path.starts_with("/exam"));
    assert_eq!(
        exams.collect::<Vec<_>>(),
        Vec::<String>::new(),
        "never asked for"
    );
}
