//! The command line: what is printed where, and which exit code it has.

use crate::support::{Program, Said, StubAi, TestServer, Viewer, ai::Answer, timing};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Two questions whose right option the scripted model finds; the key of the second one is wrong.
const QUIZ: &str = "::one::First? {~wrong, 1 =right, 2}\n\n::two::Second? {~right, 1 =wrong, 2}\n";

/// A folder with `quiz.gift` in it.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("quiz.gift"), QUIZ).unwrap();
    folder
}

fn quiz(folder: &TempDir) -> String {
    folder.path().join("quiz.gift").display().to_string()
}

fn analyze(folder: &Path, ai: &StubAi, args: &[&str]) -> Program {
    Program::new(folder, &[&["analyze"], args].concat()).asking(ai)
}

/// Checks that it went wrong with this code, that the reason holds each of `parts`, and that nothing else was said.
fn failed(said: &Said, code: i32, parts: &[&str]) {
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(code), ""),
        "{said:?}"
    );
    for part in parts {
        assert!(said.stderr.contains(part), "no {part:?} in {}", said.stderr);
    }
}

#[tokio::test]
async fn a_quiz_is_answered_in_the_process_and_marked_by_its_key() {
    let (ai, folder) = (StubAi::start().await, folder());
    let said = analyze(folder.path(), &ai, &[&quiz(&folder)]).run().await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    for part in [
        "B  right, 2",
        "✓ B",
        "A  right, 1",
        "✗ B",
        "██████░  90 %",
        "model",
    ] {
        assert!(
            said.stdout.contains(part),
            "no {part:?} in\n{}",
            said.stdout
        );
    }
    let summary = said.stdout.lines().last().unwrap();
    assert!(
        summary.starts_with("2 of 2 answered, 1 of 2 agree with the key, "),
        "{summary}"
    );

    let again = analyze(folder.path(), &ai, &[&quiz(&folder)]).run().await;
    assert!(again.stdout.contains("2 known already"), "{}", again.stdout);
    assert_eq!(ai.calls(), 2, "what was paid for is kept");
}

#[tokio::test]
async fn standard_input_and_json_go_together() {
    let (ai, folder) = (StubAi::start().await, folder());
    let program = analyze(folder.path(), &ai, &["-", "--json"]).input(QUIZ);
    let said = program.run().await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["answers"], json!([2, 1]));
    assert_eq!(report["results"][0]["id"], "one");
}

#[tokio::test]
async fn a_servers_report_is_printed_as_the_api_gives_it_and_its_viewers_see_the_show() {
    let (ai, folder) = (StubAi::start().await, folder());
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let said = Program::new(
        folder.path(),
        &[
            "analyze",
            &quiz(&folder),
            "--server",
            &server.address,
            "--channel",
            "hall",
            "--json",
        ],
    )
    .run()
    .await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let id = report["analysisId"].as_str().unwrap();
    assert_eq!(
        report,
        server.get(&format!("/api/analyses/{id}")).await.expect(200)
    );
    assert_eq!(
        viewer.next_of("answers_ready").await["answers"],
        json!([2, 1])
    );
}

#[tokio::test]
async fn the_exit_code_tells_whether_all_or_some_or_none_was_answered() {
    let (ai, folder) = (StubAi::start().await, folder());
    ai.script(|asked| match asked.question.contains("Second") {
        true => Answer::error(400, "odd"),
        false => Answer::right(asked),
    });
    let said = analyze(folder.path(), &ai, &[&quiz(&folder)]).run().await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(3), ""));
    assert!(said.stdout.contains("1 of 2 answered"), "{}", said.stdout);
    assert!(
        said.stdout.contains("refused"),
        "the reason stands in the row: {}",
        said.stdout
    );

    ai.script(|_| Answer::error(401, "invalid_api_key"));
    let other = TempDir::new().unwrap();
    let said = analyze(other.path(), &ai, &[&quiz(&folder), "--json"])
        .run()
        .await;
    failed(&said, 1, &["refused the API key", "OPENAI_API_KEY"]);
}

#[tokio::test]
async fn whatever_is_wrong_with_the_quiz_is_told_with_what_to_change() {
    let (ai, folder) = (StubAi::start().await, folder());
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    for (path, part) in [
        (
            folder.path().join("none.gift").display().to_string(),
            "cannot open",
        ),
        (folder.path().display().to_string(), "is a folder"),
        (file("empty.json", b""), "is empty"),
        (file("binary.gift", b"\x7fELF\0\0"), "is no text"),
        (file("notes.txt", b"Buy milk.\n"), "read as GIFT"),
        (file("cut.json", b"{\"questions\":["), "is not valid JSON"),
    ] {
        let said = analyze(folder.path(), &ai, &[&path]).run().await;
        failed(&said, 2, &[part, &path]);
    }
    let said = analyze(folder.path(), &ai, &["ftp://quiz.example/1"])
        .run()
        .await;
    failed(&said, 2, &["http or https address"]);
    assert_eq!(ai.calls(), 0);
}

#[tokio::test]
async fn without_a_model_the_ways_to_one_are_named() {
    let folder = folder();
    let said = Program::new(folder.path(), &["analyze", &quiz(&folder)])
        .run()
        .await;
    failed(
        &said,
        1,
        &[
            "no model can answer",
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "--server",
        ],
    );
}

#[tokio::test]
async fn a_data_folder_in_use_leads_to_its_server() {
    let (ai, folder) = (StubAi::start().await, folder());
    let server = TestServer::with(&ai)
        .set("server.data_dir", folder.path().display())
        .start()
        .await;
    let port = server.address.rsplit(':').next().unwrap();
    let said = analyze(folder.path(), &ai, &[&quiz(&folder)])
        .env("BACKEND_PORT", port)
        .run()
        .await;
    failed(
        &said,
        1,
        &[
            "another quiz-stats",
            &format!("`--server http://{}`", server.address),
            "--data-dir",
        ],
    );
}

#[tokio::test]
async fn a_server_that_refuses_is_understood() {
    let (ai, folder) = (StubAi::start().await, folder());
    let limited = TestServer::with(&ai)
        .set("auth.api_key", "right")
        .set("server.host", "127.0.0.1");
    let server = limited
        .set("rate_limiter.analyze_per_second", 1)
        .set("rate_limiter.analyze_burst", 1)
        .start()
        .await;
    let quiz = quiz(&folder);
    let ask = || {
        Program::new(
            folder.path(),
            &["analyze", &quiz, "--server", &server.address],
        )
    };
    failed(&ask().run().await, 1, &["set API_KEY to the server's key"]);
    failed(
        &ask().env("API_KEY", "wrong").run().await,
        1,
        &["is not this server's"],
    );
    let mut said = ask().env("API_KEY", "right").run().await;
    while said.code == Some(0) {
        said = ask().env("API_KEY", "right").run().await;
    }
    failed(&said, 1, &["refused: too many requests: try again in "]);
}

#[tokio::test]
async fn a_server_that_is_not_there_or_another_one_is_told_apart() {
    let (ai, folder) = (StubAi::start().await, folder());
    let quiz = quiz(&folder);
    let ask = |server: &str| Program::new(folder.path(), &["analyze", &quiz, "--server", server]);
    failed(
        &ask("127.0.0.1:1").run().await,
        1,
        &["nobody listens on http://127.0.0.1:1", "quiz-stats serve"],
    );
    let other = ai.base_url().to_owned();
    assert_eq!(ask(&other).run().await.code, Some(1));
    failed(
        &ask("ftp://quiz.example").run().await,
        2,
        &["such as http://127.0.0.1:3000"],
    );
}

#[tokio::test]
async fn control_c_ends_it_at_once_and_leaves_the_folder_whole() {
    let (ai, folder) = (StubAi::start().await, folder());
    ai.hold();
    let running = analyze(folder.path(), &ai, &[&quiz(&folder)]).start();
    ai.called(1).await;
    running.signal("INT");
    let said = running.ended().await;
    assert_eq!(
        (said.code, said.stdout, said.stderr),
        (Some(130), String::new(), String::new())
    );
    ai.release();
    let said = analyze(folder.path(), &ai, &[&quiz(&folder)]).run().await;
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let (ai, folder) = (StubAi::start().await, folder());
    let program = analyze(folder.path(), &ai, &[&quiz(&folder)]).unread();
    let said = program.run().await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn without_a_terminal_watch_tells_events_line_by_line_across_a_restart() {
    let (ai, folder) = (StubAi::start().await, folder());
    let mut server = TestServer::start(&ai).await;
    let mut watch = Program::new(
        folder.path(),
        &["watch", &server.address, "--channel", "hall"],
    )
    .start();
    assert_eq!(watch.line().await, "connected to channel hall");
    let show = json!({ "answers": [3, null, 1], "timing": timing(10) });
    server
        .post("/api/channels/hall/display", &show)
        .await
        .expect(200);
    assert_eq!(watch.line().await, "the show starts; without an answer: 2");
    server.kill();
    assert!(
        watch
            .line_with("trying again")
            .await
            .starts_with("connection lost")
    );
    server.start_again().await;
    assert_eq!(
        watch.line().await,
        "connected to channel hall, nothing missed"
    );
    server
        .post("/api/channels/hall/display", &show)
        .await
        .expect(200);
    watch.line_with("the show starts").await;
    watch.signal("TERM");
    assert_eq!(watch.ended().await.stderr, "");
}

#[tokio::test]
async fn every_command_explains_itself_with_examples() {
    let folder = folder();
    for command in [
        "analyze",
        "watch",
        "healthcheck",
        "config",
        "completions",
        "serve",
    ] {
        let said = Program::new(folder.path(), &[command, "--help"])
            .run()
            .await;
        assert_eq!(said.code, Some(0));
        assert!(
            said.stdout.contains(&format!("quiz-stats {command}")),
            "{}",
            said.stdout
        );
        assert!(
            said.stdout.contains("Examples:"),
            "{command}: {}",
            said.stdout
        );
    }
}
