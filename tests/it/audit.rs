//! Audits, over HTTP and on the command line: the model never sees a key, and what it thinks is set against it.

use crate::support::{Program, Reply, Said, StubAi, TestServer, ai::Answer};
use serde_json::{Value, json};
use std::{fs, path::Path};
use tempfile::TempDir;

/// Three questions: a right key, a wrong one, and one with a flaw. The scripted model knows what is right.
const QUIZ: &str = "\
// mine
::one::Which one fits? {
  =right, 1#feedback stays
  ~wrong, 2
  ~wrong, 3
}

::two::Which one is it? {
  =wrong, 1
  ~right, 2
  ~wrong, 3
}

::three::Which word is not a noun? {=right, 1 ~wrong, 2 ~wrong, 3}
";

fn codes(item: &Value) -> Vec<&str> {
    item["flaws"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flaw| flaw["code"].as_str().unwrap())
        .collect()
}

async fn post(server: &TestServer, path: &str, media: &str, body: &'static str) -> Reply {
    Reply::to(
        server
            .request("POST", path)
            .header("content-type", media)
            .body(body),
    )
    .await
}

#[tokio::test]
async fn keys_are_doubted_and_the_model_never_sees_one() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let audit = post(&server, "/api/audit", "text/x-gift", QUIZ)
        .await
        .expect(200);
    let verdicts: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["agrees", "probably_wrong_key", "agrees"]);
    assert_eq!(
        (&audit["doubtedKeys"], &audit["flawCount"], &audit["model"]),
        (&json!(1), &json!(1), &json!("scripted"))
    );
    assert_eq!(
        audit["items"][1]["reason"],
        "B “right, 2” has 90 %, the key A “wrong, 1” has 5 %"
    );
    assert_eq!(codes(&audit["items"][2]), ["negative_stem"]);
    for asked in ai.asked() {
        let body = asked.body.to_string();
        assert!(
            !body.contains("correct") && !body.contains("::") && !body.contains("two"),
            "{body}"
        );
    }

    let again = json!({ "questions": [
        { "question": "Which one fits?", "answers": ["wrong, 2", "right, 1", "wrong, 3"], "correct": [1] },
    ] });
    let known = server.post("/api/audit", &again).await.expect(200);
    assert_eq!(
        (&known["items"][0]["verdict"], ai.calls()),
        (&json!("probably_wrong_key"), 3),
        "known in any order"
    );
}

#[tokio::test]
async fn other_formats_are_audited_and_the_good_part_of_a_bad_file_is() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let trivia = r#"{"response_code":0,"results":[{"question":"Which?","correct_answer":"right, &amp; so","incorrect_answers":["wrong","bad"]}]}"#;
    let audit = post(
        &server,
        "/api/audit",
        "application/vnd.opentdb+json",
        trivia,
    )
    .await
    .expect(200);
    assert_eq!(audit["items"][0]["verdict"], "agrees");
    let qti = r#"<assessmentItem identifier="x"><responseDeclaration identifier="R"><correctResponse><value>b</value></correctResponse></responseDeclaration>
        <itemBody><choiceInteraction responseIdentifier="R" maxChoices="1"><prompt>Which of these?</prompt>
        <simpleChoice identifier="a">right</simpleChoice><simpleChoice identifier="b">wrong</simpleChoice></choiceInteraction></itemBody></assessmentItem>"#;
    let audit = post(&server, "/api/audit", "application/vnd.ims.qti+xml", qti)
        .await
        .expect(200);
    assert_eq!(audit["items"][0]["verdict"], "probably_wrong_key");
    let answered = post(
        &server,
        "/api/analyze?channel=hall",
        "application/vnd.ims.qti+xml",
        qti,
    )
    .await
    .expect(200);
    assert_eq!(answered["answers"], json!([1]), "analyze takes them too");

    let partly = "Q? {=right ~wrong}\n\nEssay {}\n\nR? {=right ~wrong}\n";
    let audit = post(&server, "/api/audit", "text/x-gift", partly)
        .await
        .expect(200);
    assert_eq!(audit["questionCount"], 2);
    assert_eq!(audit["problems"][0]["path"], "line 3, column 8");
    assert_eq!(
        post(&server, "/api/audit", "text/x-gift", "Essay {}")
            .await
            .error(400),
        "invalid_quiz_file"
    );
    assert_eq!(
        post(&server, "/api/audit", "text/plain", "x")
            .await
            .error(415),
        "unsupported_media_type"
    );
    assert_eq!(
        server
            .post("/api/audit", &json!({ "questions": [] }))
            .await
            .error(400),
        "invalid_request"
    );
}

#[tokio::test]
async fn rules_need_no_model() {
    let server = TestServer::without_ai()
        .set("local_model.model", "/nowhere.gguf")
        .bind()
        .await;
    let audit = post(&server, "/api/audit?rulesOnly=true", "text/x-gift", QUIZ)
        .await
        .expect(200);
    assert_eq!(
        (&audit["items"][0]["verdict"], &audit["flawCount"]),
        (&Value::Null, &json!(1))
    );
    assert_eq!(
        post(&server, "/api/audit", "text/x-gift", QUIZ)
            .await
            .error(503),
        "ai_unavailable"
    );
    assert_eq!(
        post(&server, "/api/audit?rulesOnly=1", "text/x-gift", QUIZ)
            .await
            .error(400),
        "invalid_request"
    );
}

#[tokio::test]
async fn what_the_model_cannot_say_is_unclear() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai).set("ai.max_retries", 0).start().await;
    ai.script(|asked| match asked.question.as_str() {
        "Which one is it?" => Answer::error(400, "content_filter"),
        _ => Answer::right(asked),
    });
    let audit = post(&server, "/api/audit", "text/x-gift", QUIZ)
        .await
        .expect(200);
    assert_eq!(audit["items"][1]["verdict"], "unclear");
    assert!(
        audit["items"][1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("the model gave no answer"),
        "{audit}"
    );
}

async fn run(folder: &Path, ai: &StubAi, args: &[&str]) -> Said {
    let args = [&["audit"], args].concat();
    Program::new(folder, &args).asking(ai).run().await
}

#[tokio::test]
async fn the_command_reports_in_every_way_and_its_exit_code_says_what_was_found() {
    let ai = StubAi::start().await;
    let folder = TempDir::new().unwrap();
    let quiz = folder.path().join("quiz.gift");
    fs::write(&quiz, QUIZ).unwrap();
    let quiz = quiz.to_str().unwrap();

    let said = run(folder.path(), &ai, &[quiz]).await;
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    for told in [
        "probably_wrong_key",
        "negative_stem",
        "3 questions: 1 key is doubted, 1 flaw was found",
    ] {
        assert!(said.stdout.contains(told), "{told}: {}", said.stdout);
    }
    let said = run(
        folder.path(),
        &ai,
        &[quiz, "--report", "json", "--fail-on", "never"],
    )
    .await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let audit: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(audit["doubtedKeys"], 1);
    assert!(said.stderr.contains("1 key is doubted"), "{}", said.stderr);

    let out = folder.path().join("audit.out");
    for (report, begins) in [("junit", "<?xml"), ("html", "<!doctype html>")] {
        let said = run(
            folder.path(),
            &ai,
            &[quiz, "--report", report, "-o", out.to_str().unwrap()],
        )
        .await;
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
        assert!(fs::read_to_string(&out).unwrap().starts_with(begins));
    }

    let said = run(
        folder.path(),
        &ai,
        &[quiz, "--rules-only", "--fail-on", "key"],
    )
    .await;
    assert_eq!(said.code, Some(0), "no model, no doubt about keys");
    assert_eq!(
        ai.calls(),
        3,
        "what is known is not asked again, and rules ask nobody"
    );
}

#[tokio::test]
async fn a_noted_quiz_keeps_everything_else() {
    let ai = StubAi::start().await;
    let folder = TempDir::new().unwrap();
    let (quiz, noted) = (
        folder.path().join("quiz.gift"),
        folder.path().join("noted.gift"),
    );
    fs::write(&quiz, QUIZ).unwrap();
    let (quiz, out) = (quiz.to_str().unwrap(), noted.to_str().unwrap());
    run(folder.path(), &ai, &[quiz, "--fix", out]).await;
    let text = fs::read_to_string(&noted).unwrap();
    let comment =
        "// quiz-stats: probably_wrong_key: B “right, 2” has 90 %, the key A “wrong, 1” has 5 %\n";
    assert_eq!(text, QUIZ.replace("::two::", &format!("{comment}::two::")));

    let xml = folder.path().join("noted.xml");
    run(folder.path(), &ai, &[quiz, "--fix", xml.to_str().unwrap()]).await;
    let text = fs::read_to_string(&xml).unwrap();
    assert!(
        text.contains("<!-- quiz-stats: probably_wrong_key") && text.contains("<quiz>"),
        "{text}"
    );

    let aiken = folder.path().join("quiz.aiken");
    fs::write(&aiken, "Which?\nA. right\nB. wrong\nANSWER: A\n").unwrap();
    let calls = ai.calls();
    let said = run(
        folder.path(),
        &ai,
        &[aiken.to_str().unwrap(), "--fix", "noted.aiken"],
    )
    .await;
    assert_eq!(
        (said.code, ai.calls()),
        (Some(2), calls),
        "told before a model is paid"
    );
    assert!(said.stderr.contains("ends in .gift"), "{}", said.stderr);
}

#[tokio::test]
async fn a_server_asks_its_own_model_and_partly_read_quizzes_say_so() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let folder = TempDir::new().unwrap();
    let quiz = folder.path().join("quiz.gift");
    fs::write(&quiz, "Is it? {=right ~wrong}\n\nEssay {}\n").unwrap();
    let address = format!("http://{}", server.address);
    let said = Program::new(
        folder.path(),
        &["audit", quiz.to_str().unwrap(), "--server", &address],
    )
    .run()
    .await;
    assert_eq!(said.code, Some(3), "{} {}", said.stdout, said.stderr);
    assert!(
        said.stdout
            .contains("not read: line 3, column 8 is an essay question"),
        "{}",
        said.stdout
    );
    assert_eq!(ai.calls(), 1);

    fs::write(&quiz, "Is it? {~right ~wrong}\n").unwrap();
    let said = run(folder.path(), &ai, &[quiz.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("has no keys") && said.stderr.contains("--rules-only"),
        "{}",
        said.stderr
    );
}
