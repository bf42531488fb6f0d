//! What a model is asked: whatever a question says, it stays the data of one line.

use super::{Attack, asked, corpus};
use crate::support::{StubAi, TestServer, ai::Asked};
use quiz_stats::{
    quiz::Kind,
    solve::prompt::{self, Prompt},
};
use serde_json::{Value, json};

/// The key of the author and the name of the question, which no model may see. Texts that stand nowhere else.
const ID: &str = "id-that-no-model-sees";
const KEY: &str = "sk-key-that-no-prompt-holds";

/// Returns a question of the same size that says nothing.
fn harmless(attack: &Attack, kind: Kind) -> quiz_stats::quiz::Question {
    let same_size = |text: &str| "a".repeat(text.chars().count());
    let options: Vec<_> = attack
        .answers
        .iter()
        .map(|option| same_size(option))
        .collect();
    asked(&same_size(&attack.question), &options, kind)
}

/// Checks that a user message is the question and nothing but the question, between its two markers, with these options.
fn assert_is_data(user: &str, attack: &Attack, options: &[String], name: impl Fn(usize) -> Value) {
    // Whatever a reader takes for the end of a line, JSON has only one line.
    let lines: Vec<&str> = user.split('\n').collect();
    assert_eq!(lines.len(), 3, "{}", attack.name);
    assert_eq!(
        (lines[0], lines[2]),
        ("<question>", "</question>"),
        "{}",
        attack.name
    );
    assert!(!lines[1].contains('\r'), "{}", attack.name);
    let options: Vec<_> = (0..)
        .zip(options)
        .map(|(index, text)| json!({ "option": name(index), "text": text }))
        .collect();
    let data: Value = serde_json::from_str(lines[1]).expect("the question is JSON");
    assert_eq!(
        data,
        json!({ "question": attack.question, "options": options }),
        "{}",
        attack.name
    );
}

#[test]
fn an_order_changes_neither_the_instructions_nor_the_form() {
    for attack in corpus() {
        for kind in [Kind::Single, Kind::Multiple] {
            let (question, harmless) = (attack.asked(kind), harmless(&attack, kind));
            let Prompt { system, user } = prompt::structured(&question);
            assert_eq!(
                system,
                prompt::structured(&harmless).system,
                "{}",
                attack.name
            );
            assert_is_data(&user, &attack, &attack.answers, |index| json!(index + 1));
            assert_eq!(
                prompt::schema(&question),
                prompt::schema(&harmless),
                "{}",
                attack.name
            );
        }
        let (question, harmless) = (attack.asked(Kind::Single), harmless(&attack, Kind::Single));
        let Prompt { system, user } = prompt::letter(&question);
        assert_eq!(system, prompt::letter(&harmless).system, "{}", attack.name);
        assert_is_data(&user, &attack, &attack.answers, |index| {
            json!(prompt::label(index))
        });
    }
}

/// Checks everything about the request but the question in it.
fn assert_is_plain_request(asked: &Asked, system: &str, options: usize, name: &str) {
    let body = asked.body.as_object().expect("an object");
    for member in body.keys() {
        let known = [
            "model",
            "messages",
            "stream",
            "max_tokens",
            "temperature",
            "response_format",
            "logprobs",
            "top_logprobs",
        ];
        assert!(known.contains(&member.as_str()), "{name}: {member}");
    }
    let messages = body["messages"].as_array().expect("messages");
    assert_eq!(
        messages
            .iter()
            .map(|message| &message["role"])
            .collect::<Vec<_>>(),
        ["system", "user"],
        "{name}"
    );
    assert_eq!(messages[0]["content"], system, "{name}");
    if body.contains_key("logprobs") {
        assert_eq!(
            (&body["max_tokens"], body.get("response_format")),
            (&json!(1), None),
            "{name}"
        );
        return;
    }
    let numbers: Vec<_> = (1..=options).collect();
    let entry = &body["response_format"]["json_schema"]["schema"]["properties"]["options"]["items"];
    assert_eq!(
        entry["properties"]["option"]["enum"],
        json!(numbers),
        "{name}"
    );
    assert_eq!(entry["additionalProperties"], false, "{name}");
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
}

fn sorted(options: &[String]) -> Vec<&String> {
    let mut options: Vec<_> = options.iter().collect();
    options.sort_unstable();
    options
}

#[tokio::test]
async fn no_order_reaches_the_model_but_as_data() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("ai.api_key", KEY)
        .set("ai.max_looks", 1)
        .start()
        .await;
    // What overrides the direction of a text does not get so far.
    let overrides = |attack: &Attack| attack.question.contains(['\u{202D}', '\u{202E}']);
    let (refused, corpus): (Vec<_>, Vec<_>) = corpus().into_iter().partition(overrides);
    for attack in &refused {
        let question = json!({ "question": attack.question, "answers": attack.answers });
        let quiz = json!({ "questions": [question], "animate": false });
        let reply = server.post("/api/analyze", &quiz).await;
        assert_eq!(reply.error(400), "invalid_question", "{}", attack.name);
    }
    assert!(!refused.is_empty());
    for kind in ["single", "multiple"] {
        let before = ai.calls();
        // A quiz of harmless questions, and one of attacks: with ids and keys, as authors write them.
        let harmless = json!({ "question": "a", "answers": ["a", "b"], "kind": kind });
        server
            .analyze(&json!({ "questions": [harmless], "animate": false }))
            .await;
        let system = ai.asked()[before].body["messages"][0]["content"].clone();
        let system = system.as_str().expect("instructions");
        let questions: Vec<_> = corpus
            .iter()
            .map(|attack| {
                json!({
                    "question": attack.question, "answers": attack.answers, "kind": kind,
                    "id": ID, "correct": [attack.right],
                })
            })
            .collect();
        let report = server
            .analyze(&json!({ "questions": questions, "animate": false }))
            .await;
        let asked = ai.asked().split_off(before + 1);
        assert_eq!(asked.len(), corpus.len(), "one call for each");
        for (attack, answer) in corpus.iter().zip(report["answers"].as_array().unwrap()) {
            let is_this = |asked: &&Asked| {
                asked.question == attack.question
                    && sorted(&asked.options) == sorted(&attack.answers)
            };
            let asked = asked.iter().find(is_this).expect("it was asked, unchanged");
            assert_is_plain_request(asked, system, attack.answers.len(), &attack.name);
            let user = asked.body["messages"][1]["content"].as_str().unwrap();
            assert_is_data(user, attack, &asked.options, |index| match kind {
                "single" => json!(prompt::label(index)),
                _ => json!(index + 1),
            });
            let body = asked.body.to_string();
            assert!(!body.contains(ID) && !body.contains(KEY), "{}", attack.name);
            let answer = usize::try_from(answer.as_u64().expect("an answer")).unwrap();
            assert!((1..=attack.answers.len()).contains(&answer));
        }
    }
    let log = server.log();
    for attack in &corpus {
        assert!(!log.contains(&attack.question), "{}", attack.name);
    }
}
