//! The provider against a scripted server over real sockets, in real time.

use super::stub::{Step, Stub, answer, completion, error, ok};
use super::*;
use crate::quiz::Kind;
use secrecy::SecretString;
use serde_json::json;

const KEY: &str = "sk-Very-Secret";
const GOOD: &str = r#"{"options":[{"option":2,"confidence":0.91}]}"#;

fn question(kind: Kind) -> Question {
    Question {
        text: "What is the capital of France?".into(),
        options: vec!["Rome".into(), "Paris".into(), "Oslo".into(), "Bern".into()],
        kind,
        correct: Some(vec![2]),
        id: None,
    }
}

/// Asks for votes, as one that has found out what most servers can do.
fn provider(base_url: &str) -> OpenAiProvider {
    asking(base_url, AskMethod::Votes)
}

fn asking(base_url: &str, method: AskMethod) -> OpenAiProvider {
    OpenAiProvider::new(&Ai {
        method,
        api_key: Some(SecretString::from(KEY)),
        base_url: Some(base_url.to_owned()),
        model: "test-model".to_owned(),
        ..Ai::default()
    })
    .unwrap()
}

async fn solve(provider: &OpenAiProvider, kind: Kind) -> Result<Solution, ProviderError> {
    provider
        .solve(&question(kind), Instant::now() + Duration::from_secs(10))
        .await
}

/// Puts one question to a server that plays `script` and returns the result; the server must have been asked
/// exactly as often as the script is long.
async fn play(script: Vec<Step>) -> Result<Solution, ProviderError> {
    play_to(AskMethod::Votes, script).await
}

async fn play_to(method: AskMethod, script: Vec<Step>) -> Result<Solution, ProviderError> {
    let asked = script.len();
    let stub = Stub::start(script).await;
    let result = solve(&asking(&stub.base_url, method), Kind::Single).await;
    assert_eq!(stub.bodies().len(), asked, "{result:?}");
    if let Err(error) = &result {
        assert!(
            !format!("{error} {error:?}").contains("Very-Secret"),
            "{error:?}"
        );
    }
    result
}

async fn invalid(body: &str) -> String {
    match play(vec![ok(body)]).await {
        Err(ProviderError::Invalid(what)) => what,
        other => panic!("{body}: {other:?}"),
    }
}

/// One token's likeliest alternatives.
fn letters(top: &[(&str, f64)]) -> Step {
    let top: Vec<_> = top
        .iter()
        .map(|(token, logprob)| json!({"token": token, "logprob": logprob}))
        .collect();
    ok(&json!({
        "choices": [{"message": {"content": "B"}, "finish_reason": "length", "logprobs": {"content": [{"top_logprobs": top}]}}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 1},
    })
    .to_string())
}

fn refuse(message: &str) -> Step {
    error(
        "400 Bad Request",
        json!({"message": message, "type": "invalid_request_error", "code": null}),
    )
}

#[tokio::test]
async fn answers_by_schema_in_one_request() {
    let stub = Stub::start(vec![completion(GOOD)]).await;
    let provider = provider(&stub.base_url);
    let solution = solve(&provider, Kind::Single).await.unwrap();
    assert_eq!(solution.method, Method::Stated);
    assert_eq!(
        (
            solution.prompt_tokens,
            solution.completion_tokens,
            solution.calls
        ),
        (100, 10, 1)
    );
    assert!((solution.probabilities[1] - 0.91).abs() < 1e-9);
    assert_eq!(
        (solution.model.as_str(), provider.model()),
        ("test-model", "test-model")
    );

    let body = &stub.bodies()[0];
    assert_eq!(body["model"], "test-model");
    assert_eq!(body["response_format"]["type"], "json_schema");
    assert_eq!(body["temperature"], 0.0);
    assert!(body["max_tokens"].is_u64() && body.get("max_completion_tokens").is_none());
    assert!(body.get("logprobs").is_none() && body.get("reasoning_effort").is_none());
    assert!(
        body["messages"][1]["content"]
            .as_str()
            .unwrap()
            .contains("capital of France")
    );
    let head = stub.heads().remove(0).to_lowercase();
    assert!(head.starts_with("post /v1/chat/completions"), "{head}");
    assert!(head.contains("authorization: bearer sk-very-secret"));
}

#[tokio::test]
async fn without_a_key_sends_no_credential() {
    let stub = Stub::start(vec![completion(GOOD)]).await;
    let provider = OpenAiProvider::new(&Ai {
        base_url: Some(stub.base_url.clone()),
        method: AskMethod::Votes,
        ..Ai::default()
    })
    .unwrap();
    solve(&provider, Kind::Single).await.unwrap();
    assert!(!stub.heads()[0].to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn falls_back_to_a_schema_then_to_words_and_remembers() {
    let stub = Stub::start(vec![
        refuse("logprobs are not supported"),
        refuse("response_format is not supported"),
        completion("The answer is B."),
        completion(GOOD),
    ])
    .await;
    let provider = asking(&stub.base_url, AskMethod::Auto);
    let first = solve(&provider, Kind::Single).await.unwrap();
    assert_eq!((first.method, first.calls), (Method::Parsed, 3));
    let second = solve(&provider, Kind::Single).await.unwrap();
    assert_eq!((second.method, second.calls), (Method::Stated, 1));

    let bodies = stub.bodies();
    assert_eq!(
        (
            &bodies[0]["logprobs"],
            &bodies[0]["top_logprobs"],
            &bodies[0]["max_tokens"]
        ),
        (&json!(true), &json!(20), &json!(1))
    );
    for body in &bodies[2..] {
        assert!(body.get("response_format").is_none() && body.get("logprobs").is_none());
    }
}

#[tokio::test]
async fn scores_letters_in_one_request_and_keeps_the_rest_as_doubt() {
    let top = [
        ("B", 0.5_f64.ln()),
        (" B", 0.1_f64.ln()),
        ("a", 0.2_f64.ln()),
        ("None", 0.2_f64.ln()),
    ];
    for method in [AskMethod::Auto, AskMethod::Logprobs] {
        let solution = play_to(method, vec![letters(&top)]).await.unwrap();
        assert_eq!((solution.method, solution.calls), (Method::Logprobs, 1));
        assert!(
            (solution.probabilities[1] - 0.75).abs() < 1e-9,
            "{solution:?}"
        );
        assert!((solution.outside - 0.2).abs() < 1e-9, "{solution:?}");
        assert_eq!(
            (solution.prompt_tokens, solution.completion_tokens),
            (50, 1)
        );
    }
}

#[tokio::test]
async fn a_schema_helps_where_letters_are_missing() {
    // The server ignores `logprobs`; then one whose model does not begin with a letter.
    for scored in [completion("B"), letters(&[("The", -0.01)])] {
        let solution = play_to(AskMethod::Auto, vec![scored.clone(), completion(GOOD)])
            .await
            .unwrap();
        assert_eq!((solution.method, solution.calls), (Method::Stated, 2));
        let refused = play_to(AskMethod::Logprobs, vec![scored]).await;
        assert!(
            matches!(&refused, Err(ProviderError::NoLogprobs(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn the_estimate_is_above_what_a_call_takes() {
    let provider = asking("http://127.0.0.1:9/v1", AskMethod::Auto);
    let mut long = question(Kind::Single);
    long.text = "Wie heißt die Hauptstadt von Österreich? ".repeat(40);
    let (read, written) = provider.estimate(&long);
    let prompt = prompt::letter(&long);
    assert!(
        read as usize > (prompt.system.len() + prompt.user.len()) / 4,
        "{read}"
    );
    assert_eq!(written, 1);
    assert!(
        provider.estimate(&question(Kind::Multiple)).1 > 1_000,
        "a reply in JSON may be long"
    );
}

#[tokio::test]
async fn several_right_options_skip_the_letters() {
    let reply = r#"{"options":[{"option":1,"confidence":0.9},{"option":2,"confidence":0.8}]}"#;
    let stub = Stub::start(vec![refuse("json_schema"), completion(reply)]).await;
    let solution = solve(&provider(&stub.base_url), Kind::Multiple)
        .await
        .unwrap();
    assert_eq!(solution.probabilities, [0.9, 0.8, 0.0, 0.0]);
}

#[tokio::test]
async fn learns_the_name_of_the_limit_and_drops_the_temperature() {
    let stub = Stub::start(vec![
        refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        error("400 Bad Request", json!({"message": "Only the default (1) value is supported.", "param": "temperature"})),
        completion(GOOD),
        completion(GOOD),
    ])
    .await;
    let provider = provider(&stub.base_url);
    assert_eq!(solve(&provider, Kind::Single).await.unwrap().calls, 3);
    assert_eq!(solve(&provider, Kind::Single).await.unwrap().calls, 1);
    let last = &stub.bodies()[3];
    assert!(last.get("max_tokens").is_none() && last.get("temperature").is_none());
    assert!(last["max_completion_tokens"].is_u64() && last["response_format"].is_object());
}

#[tokio::test]
async fn refusals_are_named_and_asked_once() {
    let wrong_key = error(
        "401 Unauthorized",
        json!({"message": format!("Incorrect API key provided: {KEY}"), "code": "invalid_api_key"}),
    );
    assert_eq!(
        play(vec![wrong_key]).await,
        Err(ProviderError::Auth { status: 401 })
    );
    let quota = error(
        "429 Too Many Requests",
        json!({"message": "You exceeded…", "code": "insufficient_quota"}),
    );
    assert_eq!(play(vec![quota]).await, Err(ProviderError::QuotaExhausted));
    let slow_down = answer(
        "429 Too Many Requests",
        "retry-after: 7\r\n",
        r#"{"error":{"code":"rate_limit_exceeded"}}"#,
    );
    assert_eq!(
        play(vec![slow_down]).await,
        Err(ProviderError::RateLimited {
            retry_after: Some(Duration::from_secs(7))
        })
    );
    let html = answer(
        "429 Too Many Requests",
        "content-type: text/html\r\n",
        "<html>429</html>",
    );
    assert_eq!(
        play(vec![html]).await,
        Err(ProviderError::RateLimited { retry_after: None })
    );
    let down = error("500 Internal Server Error", json!({"message": "oops"}));
    assert_eq!(
        play(vec![down]).await,
        Err(ProviderError::Server { status: 500 })
    );
    let model = error(
        "404 Not Found",
        json!({"message": "The model does not exist", "code": "model_not_found"}),
    );
    assert!(matches!(
        play(vec![model]).await,
        Err(ProviderError::Rejected { status: 404, .. })
    ));
    let redirect = answer("301 Moved Permanently", "location: /elsewhere\r\n", "");
    assert!(matches!(
        play(vec![redirect]).await,
        Err(ProviderError::Rejected { status: 301, .. })
    ));
}

#[tokio::test]
async fn unusable_answers_are_invalid_and_asked_once() {
    assert_eq!(invalid("<html>It works!</html>").await, "it is not JSON");
    assert_eq!(invalid("").await, "it is empty");
    assert_eq!(
        invalid(r#"{"choices":[{"message":{"con"#).await,
        "it is not JSON"
    );
    assert_eq!(
        invalid("[1,2]").await,
        "it is not in the form of a chat completion"
    );
    assert_eq!(
        invalid(r#"{"error":{"message":"overloaded"}}"#).await,
        "it holds no choice"
    );
    for (content, what) in [
        (
            r#"{"options":[{"option":5,"confidence":0.9}]}"#,
            "the reply names option 5, the question has 4",
        ),
        (
            r#"{"options":[{"option":2,"confidence":NaN}]}"#,
            "the reply names no option",
        ),
        (
            r#"{"options":[{"option":2,"confidence":7}]}"#,
            "the reply gives a confidence that is not from 0 to 1",
        ),
        (r#"{"options":[]}"#, "the reply names no option"),
        ("I cannot say.", "the reply names no option"),
    ] {
        assert_eq!(
            play(vec![completion(content)]).await,
            Err(ProviderError::Invalid(what.to_owned()))
        );
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    assert_eq!(
        play(vec![Step::Huge]).await,
        Err(ProviderError::Invalid("it is larger than 1 MiB".to_owned()))
    );
}

#[tokio::test]
async fn the_deadline_holds_against_a_slow_drip() {
    let stub = Stub::start(vec![Step::Drip]).await;
    let provider = provider(&stub.base_url);
    let begun = Instant::now();
    let result = provider
        .solve(&question(Kind::Single), begun + Duration::from_millis(200))
        .await;
    assert_eq!(result, Err(ProviderError::Timeout));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_call_time_out_holds_before_the_deadline() {
    let stub = Stub::start(vec![Step::Drip]).await;
    let settings = Ai {
        base_url: Some(stub.base_url.clone()),
        call_timeout_ms: 200,
        ..Ai::default()
    };
    let result = solve(&OpenAiProvider::new(&settings).unwrap(), Kind::Single).await;
    assert_eq!(result, Err(ProviderError::Timeout));
}

#[tokio::test]
async fn broken_connections_are_network_errors() {
    assert!(matches!(
        play(vec![Step::BrokenOff]).await,
        Err(ProviderError::Network(_))
    ));
    // A port that was free a moment ago.
    let base_url = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/v1", listener.local_addr().unwrap())
    };
    match solve(&provider(&base_url), Kind::Single).await {
        Err(ProviderError::Network(what)) => {
            assert!(what.to_lowercase().contains("refused"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fingerprint_names_server_model_and_prompt() {
    let fingerprint = provider("http://127.0.0.1:9/v1/").fingerprint();
    assert_eq!(
        fingerprint,
        format!(
            "openai:http://127.0.0.1:9/v1:test-model:p{}:Votes",
            prompt::PROMPT_VERSION
        )
    );
}

#[test]
fn debug_shows_no_key() {
    assert!(!format!("{:?}", provider("http://127.0.0.1:9/v1")).contains("Very-Secret"));
}
