//! Evaluation and calibration on the command line, against a model whose knowledge is known.

use crate::support::{Program, Said, StubAi, TestServer, ai::Answer, order, question};
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, path::Path};
use tempfile::TempDir;

/// Returns questions, one per line; the model is right about all but every fourth.
fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        let mut asked = question(&format!("Question {number}?"), 4, 2);
        asked["correct"] = json!([if number % 4 == 0 { 3 } else { 2 }]);
        writeln!(lines, "{asked}").unwrap();
        lines
    })
}

/// A model that states more than it knows: right three times in four, and 97 % sure.
async fn boaster() -> StubAi {
    let ai = StubAi::start().await;
    ai.script(|asked| {
        let right = asked
            .options
            .iter()
            .position(|option| option.starts_with("right"))
            .unwrap();
        Answer::letters(asked, right, 0.97)
    });
    ai
}

async fn run(folder: &Path, ai: &StubAi, args: &[&str]) -> Said {
    Program::new(folder, args)
        .asking(ai)
        .env("QUIZ_STATS__AI__PRICES", "scripted=1000/0")
        .run()
        .await
}

#[tokio::test]
async fn what_is_known_of_a_model_is_measured() {
    let ai = boaster().await;
    let folder = TempDir::new().unwrap();
    let (file, svg) = (
        folder.path().join("known.jsonl"),
        folder.path().join("reliability.svg"),
    );
    fs::write(&file, lines(80)).unwrap();
    let file = file.to_str().unwrap();
    let said = run(
        folder.path(),
        &ai,
        &[
            "evaluate",
            file,
            "--json",
            "--diagram",
            svg.to_str().unwrap(),
        ],
    )
    .await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let figures: Value = serde_json::from_str(&said.stdout).unwrap();
    let near = |name: &str, wanted: f64| {
        let found = figures[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name}: {figures}"));
        assert!(
            (found - wanted).abs() < 1e-6,
            "{name} is {found}, not {wanted}"
        );
    };
    near("accuracy", 0.75);
    near("ece", 0.22);
    near("auroc", 0.5);
    near("flipRate", 0.0);
    near("callsPerQuestion", 1.0);
    near("costUsdPerQuestion", 0.1);
    // Right: 0.03² + 3 · 0.01²; wrong: 0.97² + 0.99² + 2 · 0.01².
    near("brier", 0.75 * 0.0012 + 0.25 * (0.9409 + 0.9801 + 0.0002));
    assert_eq!(ai.calls(), 160, "each once more in another order");
    let orders: std::collections::HashSet<_> = ai
        .asked()
        .iter()
        .filter(|asked| asked.question == "Question 1?")
        .map(|asked| asked.options.clone())
        .collect();
    assert_eq!(orders.len(), 2);
    assert!(fs::read_to_string(&svg).unwrap().starts_with("<svg"));

    let said = run(folder.path(), &ai, &["evaluate", file, "--no-flips"]).await;
    assert!(
        said.stdout.contains("accuracy            0.750")
            && said.stdout.contains("flips               –"),
        "{}",
        said.stdout
    );
    assert_eq!(ai.calls(), 240);
}

#[tokio::test]
async fn a_calibration_is_fitted_kept_and_applied() {
    let ai = boaster().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("known.jsonl");
    fs::write(&file, lines(80)).unwrap();
    let file = file.to_str().unwrap();
    let said = run(folder.path(), &ai, &["calibrate", file, "--dry-run"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stdout
            .starts_with("scripted by logprobs: temperature "),
        "{}",
        said.stdout
    );
    let kept = folder.path().join("calibration.json");
    assert!(!kept.exists());
    run(folder.path(), &ai, &["calibrate", file]).await;
    assert!(kept.exists());

    let said = run(
        folder.path(),
        &ai,
        &["evaluate", file, "--no-flips", "--json"],
    )
    .await;
    let figures: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(
        figures["ece"].as_f64().unwrap() < 0.02,
        "it was 0.22: {figures}"
    );
    assert_eq!(figures["accuracy"], 0.75, "no answer changes");

    let server = TestServer::with(&ai)
        .set("server.data_dir", folder.path().display())
        .start()
        .await;
    let mut asked = order("hall", &[question("Another?", 4, 2)]);
    asked["predictionSet"] = json!(true);
    let answer = server.analyze(&asked).await;
    let confidence = answer["results"][0]["confidence"].as_f64().unwrap();
    assert!(
        (0.72..0.78).contains(&confidence),
        "as often right as it says: {answer}"
    );
    assert!(
        answer["results"][0]["predictionSet"]
            .as_array()
            .unwrap()
            .len()
            > 1,
        "three in four are not nine in ten: {answer}"
    );
}

#[tokio::test]
async fn a_modest_judge_of_several_options_gets_a_threshold() {
    let ai = StubAi::start().await;
    // Of what is right it is 40 % sure.
    ai.script(|asked| {
        let entries = (1..).zip(&asked.options).map(|(number, option)| {
            let confidence = if option.starts_with("right") {
                0.4
            } else {
                0.1
            };
            json!({ "option": number, "confidence": confidence })
        });
        Answer::text(&json!({ "options": entries.collect::<Vec<_>>() }).to_string())
    });
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("known.jsonl");
    let lines: String = (0..40)
        .map(|number| {
            let asked = json!({ "question": format!("Which, {number}?"), "answers": ["right", "wrong", "right too"], "kind": "multiple", "correct": [1, 3] });
            format!("{asked}\n")
        })
        .collect();
    fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let accuracy = async || {
        let said = run(
            folder.path(),
            &ai,
            &["evaluate", file, "--no-flips", "--json"],
        )
        .await;
        serde_json::from_str::<Value>(&said.stdout).unwrap()["accuracy"].clone()
    };
    assert_eq!(accuracy().await, 0.0, "one of two is not the answer");
    let said = run(folder.path(), &ai, &["calibrate", file]).await;
    assert!(
        said.stdout.contains("those from 0.40 on are chosen"),
        "{} {}",
        said.stdout,
        said.stderr
    );
    assert_eq!(accuracy().await, 1.0);
}

#[tokio::test]
async fn what_cannot_be_measured_is_told() {
    let ai = boaster().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("known.jsonl");
    let path = file.to_str().unwrap();
    for (command, text, told) in [
        (
            "evaluate",
            r#"{"question":"Q","answers":["a","b"]}"#,
            "add `correct`",
        ),
        (
            "evaluate",
            "{\"question\":\"Q\",\"answers\":[\"a\"],\"correct\":[1]}",
            "must have 2 to 26 entries",
        ),
        (
            "calibrate",
            r#"{"question":"Q","answers":["a","b"],"correct":[1]}"#,
            "at least 30 of a sort are needed",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let said = run(folder.path(), &ai, &[command, path]).await;
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(said.stderr.contains(told), "{}", said.stderr);
    }
    assert_eq!(ai.calls(), 0);
    fs::write(&file, lines(4)).unwrap();
    ai.script(|_| Answer::error(401, "invalid_api_key"));
    let said = run(folder.path(), &ai, &["evaluate", path]).await;
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("OPENAI_API_KEY"), "{}", said.stderr);
}
