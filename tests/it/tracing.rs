//! One request through all actors: in the log, and as a trace at a collector.

use crate::support::{
    Reply, Site, StubAi, TestServer, ai::Answer, eventually, order, question, server::Setup,
    visitor_of,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What stands in for an OpenTelemetry collector.
struct Collector {
    address: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let kept = Arc::clone(&spans);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    while let Some(body) = body_of_next(&mut socket).await {
                        let batch = ExportTraceServiceRequest::decode(&body[..]).unwrap();
                        let scopes = batch.resource_spans.into_iter().flat_map(|r| r.scope_spans);
                        kept.lock().unwrap().extend(scopes.flat_map(|s| s.spans));
                    }
                });
            }
        });
        Self { address, spans }
    }

    /// Returns the spans of a trace once so many of each name are there: they come in batches, the outermost last.
    async fn trace(&self, id: &str, wanted: &[(&str, usize)]) -> Vec<Span> {
        eventually("the spans of a trace", || async {
            let spans = self.spans.lock().unwrap();
            let of = spans.iter().filter(|span| hex(&span.trace_id) == id);
            let found: Vec<Span> = of.cloned().collect();
            let named = |name: &str| found.iter().filter(|span| span.name == name).count();
            let is_whole = wanted.iter().all(|(name, count)| named(name) >= *count);
            is_whole.then_some(found)
        })
        .await
    }
}

async fn body_of_next(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    socket.read_exact(&mut body).await.ok()?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    socket.write_all(answer).await.ok()?;
    Some(body)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn quick(setup: Setup) -> Setup {
    setup.env("OTEL_BSP_SCHEDULE_DELAY", 100)
}

async fn ask(server: &TestServer, body: &Value) {
    let request = server
        .request("POST", "/api/analyze")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"))
        .header("x-request-id", "night-1")
        .json(body);
    Reply::to(request).await.expect(200);
}

#[tokio::test]
async fn the_spans_of_an_analysis_are_one_tree() {
    let (ai, collector) = (StubAi::start().await, Collector::start().await);
    let server = quick(TestServer::with(&ai))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address)
        .start()
        .await;
    let quiz = order("hall", &[question("Whose?", 3, 2), question("What?", 3, 1)]);
    ask(&server, &quiz).await;
    let wanted = [
        ("request", 1),
        ("analysis", 1),
        ("question", 2),
        ("ai_call", 2),
    ];
    let spans = collector.trace(TRACE, &wanted).await;
    let named = |name: &str| -> Vec<&Span> { spans.iter().filter(|s| s.name == name).collect() };
    let parent = |span: &Span| {
        let parent = spans.iter().find(|s| s.span_id == span.parent_span_id);
        parent.map(|parent| parent.name.as_str())
    };
    let [request] = named("request")[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(hex(&request.parent_span_id), PARENT);
    for (name, count, above) in [
        ("analysis", 1, "request"),
        ("question", 2, "analysis"),
        ("ai_call", 2, "question"),
    ] {
        let found = named(name);
        assert_eq!(found.len(), count, "{name}: {spans:?}");
        assert!(
            found.iter().all(|span| parent(span) == Some(above)),
            "{name}"
        );
    }
    let said = format!("{spans:?}");
    assert!(said.contains("night-1"), "the request's id is an attribute");
    assert!(!said.contains("Whose?"), "no question's text");
}

#[tokio::test]
async fn a_trace_goes_on_in_the_process_that_reads_pages() {
    let (ai, collector) = (StubAi::start().await, Collector::start().await);
    let site = Site::with_page(
        "<form><p>1. Whose?</p><label><input type=radio name=a> right, mine</label>\
         <label><input type=radio name=a> wrong, yours</label></form>",
    )
    .await;
    let collected =
        |setup: Setup| quick(setup).env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address);
    let scraper = collected(visitor_of(&[&site]))
        .args(&["--role", "scraper"])
        .bind()
        .await;
    let server = collected(TestServer::with(&ai))
        .set("scraper.remote_url", format!("http://{}", scraper.address))
        .start()
        .await;
    ask(&server, &json!({ "url": site.url("/") })).await;
    eventually(
        "the request of one process below the page of the other",
        || async {
            let spans = collector.trace(TRACE, &[("request", 2), ("page", 1)]).await;
            let requests = spans.iter().filter(|span| span.name == "request");
            requests.into_iter().find_map(|request| {
                let above = spans.iter().find(|s| s.span_id == request.parent_span_id)?;
                (above.name == "page").then_some(())
            })
        },
    )
    .await;
}

#[tokio::test]
async fn every_log_line_names_its_request_and_its_trace() {
    let ai = StubAi::start().await;
    ai.script(|asked| match asked.question.as_str() {
        "Once more?" => Answer::status(500, "{}"),
        _ => Answer::right(asked),
    });
    let server = TestServer::with(&ai)
        .set("log.format", "json")
        .set("ai.max_retries", 1)
        .set("ai.retry_base_ms", 1)
        .start()
        .await;
    let quiz = order(
        "hall",
        &[question("Once more?", 3, 2), question("Fine?", 3, 1)],
    );
    ask(&server, &quiz).await;
    let lines = eventually("the audit's last line", || async {
        let log = server.log();
        let lines: Vec<Value> = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let audits = lines.iter().filter(|line| line["target"] == "audit");
        (audits.count() == 2).then_some(lines)
    })
    .await;
    let ready = lines
        .iter()
        .position(|line| line["message"] == "ready")
        .unwrap();
    let asked = lines[ready + 1..].iter().filter(|line| {
        !line["message"]
            .as_str()
            .unwrap_or_default()
            .contains("API key")
    });
    let mut count = 0;
    for line in asked {
        let spans = &line["spans"];
        assert_eq!(spans[0]["request_id"], "night-1", "{line}");
        assert_eq!(spans[0]["trace_id"], TRACE, "{line}");
        count += 1;
    }
    assert!(count >= 3, "a retry and two lines of the audit: {lines:?}");
    let retried = lines
        .iter()
        .find(|line| line["message"] == "call failed; retrying")
        .expect("a retry");
    let names: Vec<&str> = retried["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["request", "analysis", "question", "ai_call"]);
    // Without a trace of the caller's there is a new one.
    server
        .analyze(&order("hall", &[question("New?", 2, 1)]))
        .await;
    eventually("another trace", || async {
        let log = server.log();
        let last: Value = serde_json::from_str(log.lines().last()?).ok()?;
        let trace = last["spans"][0]["trace_id"].as_str()?;
        (trace.len() == 32 && trace != TRACE).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_collector_that_is_gone_holds_nobody_up() {
    let ai = StubAi::start().await;
    let mut server = quick(TestServer::with(&ai))
        .set("tracing.otlp_endpoint", "http://127.0.0.1:1")
        .start()
        .await;
    ask(&server, &order("hall", &[question("Whose?", 3, 2)])).await;
    server.terminate();
    assert!(server.ended().await.success());
}
