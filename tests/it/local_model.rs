//! The local model with real weights, as a provider.
//!
//! `QUIZ_STATS_TEST_MODEL` names the GGUF file (`quiz-stats model fetch` gets one). Without it these tests do nothing on a
//! developer's machine, and fail in CI: there they must not be forgotten.

use quiz_stats::{
    config::LocalModel,
    provider::{Provider as _, ProviderError, local::LocalProvider},
    quiz::{Kind, Question},
};
use std::{
    env,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Questions that every child knows; the first option is the right one.
const EASY: [[&str; 5]; 8] = [
    ["Which animal says meow?", "cat", "dog", "cow", "duck"],
    [
        "What is the capital of France?",
        "Paris",
        "Berlin",
        "Madrid",
        "Rome",
    ],
    [
        "What is frozen water called?",
        "ice",
        "steam",
        "sand",
        "oil",
    ],
    [
        "Which planet do we live on?",
        "Earth",
        "Mars",
        "Venus",
        "Jupiter",
    ],
    ["What do bees make?", "honey", "milk", "cheese", "wool"],
    [
        "What is the opposite of hot?",
        "cold",
        "warm",
        "bright",
        "loud",
    ],
    [
        "In which season does snow usually fall?",
        "winter",
        "summer",
        "spring",
        "autumn",
    ],
    [
        "Which organ pumps blood through the body?",
        "heart",
        "lung",
        "stomach",
        "skin",
    ],
];

/// Returns the weights to test with; `None` when there are none and that is fine.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration to be told by"
)]
pub(crate) fn weights() -> Option<PathBuf> {
    let path = env::var_os("QUIZ_STATS_TEST_MODEL").map(PathBuf::from);
    assert!(
        path.is_some() || env::var_os("CI").is_none(),
        "QUIZ_STATS_TEST_MODEL must name a GGUF file in CI: run `quiz-stats model fetch` before"
    );
    if path.is_none() {
        eprintln!("skipped: QUIZ_STATS_TEST_MODEL names no GGUF file");
    }
    path
}

pub(crate) async fn provider(weights: &Path) -> LocalProvider {
    let settings = LocalModel {
        model: weights.to_str().expect("a path in UTF-8").to_owned(),
        ..LocalModel::default()
    };
    let provider =
        LocalProvider::load(&settings, Path::new("unused")).expect("the weights are there");
    provider.ready().await.expect("the weights load");
    provider
}

fn question(text: &str, options: &[&str], kind: Kind) -> Question {
    Question {
        text: text.to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        kind,
        correct: None,
        id: None,
    }
}

pub(crate) fn patiently() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

#[tokio::test]
async fn knows_what_every_child_knows() {
    let Some(weights) = weights() else { return };
    let provider = provider(&weights).await;
    let mut right = 0;
    for [text, options @ ..] in EASY {
        let solution = provider
            .solve(&question(text, &options, Kind::Single), patiently())
            .await
            .expect(text);
        let p = &solution.probabilities;
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{p:?}");
        right += usize::from(p[1..].iter().all(|other| *other < p[0]));
    }
    assert!(right >= 6, "{right} of {} right", EASY.len());
}

#[tokio::test]
async fn judges_each_option_of_a_question_with_several_right_ones() {
    let Some(weights) = weights() else { return };
    let provider = provider(&weights).await;
    let asked = question(
        "Which of these are colours?",
        &["red", "blue", "seven", "green"],
        Kind::Multiple,
    );
    let solution = provider
        .solve(&asked, patiently())
        .await
        .expect("an answer");
    assert_eq!(solution.probabilities.len(), 4);
    assert!(
        solution
            .probabilities
            .iter()
            .all(|p| (0.0..=1.0).contains(p)),
        "{solution:?}"
    );
}

/// On a runtime with one thread: if the computation ran there, the ticks would stop.
#[tokio::test]
async fn computes_beside_the_runtime() {
    let Some(weights) = weights() else { return };
    let provider = provider(&weights).await;
    let done = AtomicBool::new(false);
    let solve = async {
        let [text, options @ ..] = EASY[0];
        let solved = provider
            .solve(&question(text, &options, Kind::Single), patiently())
            .await;
        done.store(true, Ordering::Relaxed);
        solved
    };
    let tick = async {
        let mut ticks = 0;
        while !done.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ticks += 1;
        }
        ticks
    };
    let (solved, ticks) = tokio::join!(solve, tick);
    solved.expect("an answer");
    assert!(ticks > 3, "the runtime stood still: {ticks} ticks");
}

#[tokio::test]
async fn gives_up_at_the_deadline_and_refuses_what_is_too_long() {
    let Some(weights) = weights() else { return };
    let provider = provider(&weights).await;
    let long = question(&"word ".repeat(3_000), &["yes", "no"], Kind::TrueFalse);
    let hurried = provider
        .solve(&long, Instant::now() + Duration::from_millis(50))
        .await;
    assert_eq!(hurried, Err(ProviderError::Timeout));
    let endless = question(&"word ".repeat(40_000), &["yes", "no"], Kind::TrueFalse);
    let refused = provider.solve(&endless, patiently()).await;
    assert!(
        matches!(refused, Err(ProviderError::TooLong(_))),
        "{refused:?}"
    );
    let [text, options @ ..] = EASY[0];
    assert!(
        provider
            .solve(&question(text, &options, Kind::Single), patiently())
            .await
            .is_ok()
    );
}
