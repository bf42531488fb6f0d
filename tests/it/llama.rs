//! The protocol against a real llama.cpp server with the small model, so that no test trusts our stub alone.

use crate::support::{TestServer, browser::variable, order};
use serde_json::{Value, json};
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// What reading the weights and a question may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// A llama.cpp server; it ends with its standard input, and is killed when dropped.
struct Llama {
    address: String,
    _process: Child,
}

impl Llama {
    /// Starts one; `None`, with the reason printed, where there is none. A machine that checks changes must have it.
    async fn start() -> Option<Self> {
        let found = (
            variable("QUIZ_STATS_TEST_LLAMA"),
            variable("QUIZ_STATS_TEST_MODEL"),
        );
        let (Some(library), Some(model)) = found else {
            let missing = "QUIZ_STATS_TEST_LLAMA and QUIZ_STATS_TEST_MODEL name no llama.cpp and no model: ./test fetches them";
            assert!(variable("CI").is_none(), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/llama_server.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(model)
            .env("PYTHONPATH", library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = tokio::time::timeout(LONGEST, lines.next_line()).await;
        let address = address
            .expect("an address in time")
            .unwrap()
            .expect("an address");
        Some(Self {
            address,
            _process: process,
        })
    }

    async fn server(&self, method: &str) -> TestServer {
        TestServer::without_ai()
            .set("ai.base_url", format!("{}/v1", self.address))
            .set("ai.model", "smollm2")
            .set("ai.method", method)
            .set("ai.max_retries", 0)
            .set("ai.call_timeout_ms", LONGEST.as_millis())
            .start()
            .await
    }
}

fn quiz() -> Value {
    let capital = json!({ "question": "What is the capital of France?", "answers": ["Oslo", "Paris", "Rome"] });
    order("hall", &[capital])
}

/// The test's client has more patience than a minute.
async fn answers(server: &TestServer) -> Value {
    let asked = server
        .request("POST", "/api/analyze")
        .json(&quiz())
        .timeout(2 * LONGEST)
        .send();
    let reply = asked.await.expect("an answer");
    reply.json().await.expect("JSON")
}

#[tokio::test]
async fn letters_are_read_from_a_real_server() {
    let Some(llama) = Llama::start().await else {
        return;
    };
    for method in ["logprobs", "auto"] {
        let server = llama.server(method).await;
        let report = answers(&server).await;
        for result in report["results"].as_array().expect("results") {
            assert_eq!(
                (&result["method"], &result["error"]),
                (&json!("logprobs"), &Value::Null),
                "{report}"
            );
            let probabilities: Vec<f64> =
                serde_json::from_value(result["probabilities"].clone()).unwrap();
            assert_eq!(probabilities.len(), 3);
            assert!(
                (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6,
                "{report}"
            );
            assert!(
                probabilities.iter().all(|p| *p > 0.0),
                "each letter is among the likeliest tokens: {report}"
            );
        }
        assert!(
            report["usage"]["promptTokens"].as_u64().unwrap() > 50,
            "{report}"
        );
    }
}

#[tokio::test]
async fn structured_output_of_a_real_server_keeps_its_schema() {
    let Some(llama) = Llama::start().await else {
        return;
    };
    let server = llama.server("votes").await;
    let report = answers(&server).await;
    // So small a model knows no probabilities: what it writes has the form, whatever it says.
    let of_content = [
        "confidence",
        "add up",
        "more than once",
        "names no option",
        "token limit",
    ];
    let results = report["results"].as_array().cloned().unwrap_or_default();
    let errors = results
        .iter()
        .map(|result| result["error"].clone())
        .chain([report["error"].clone()]);
    for error in errors.filter(Value::is_string) {
        let error = error.as_str().unwrap();
        assert!(
            of_content.iter().any(|word| error.contains(word)),
            "{error}"
        );
    }
    for result in results.iter().filter(|result| result["error"].is_null()) {
        assert_eq!(result["method"], "stated", "{report}");
    }
    assert_eq!(
        server
            .metric(r#"openai_request_failures_total{reason="network"}"#)
            .await,
        0.0
    );
}
