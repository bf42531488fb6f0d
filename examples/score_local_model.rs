//! How often a local model is right: `cargo run --release --example score_local_model -- MODEL.gguf QUIZ.json…`
//!
//! Each quiz is a JSON file whose questions carry `correct`. Prints, per file: questions, share of right answers, mean
//! stated probability of the chosen option, Brier score, seconds per question, and the process's largest memory.

use anyhow::{Context as _, bail, ensure};
use quiz_stats::{
    local_model::{engine::Engine, shelf, threads},
    quiz::file::{self, Format},
};
use std::{env, fs, path::Path};
use tokio::time::Instant;

fn main() -> anyhow::Result<()> {
    threads::settle().context("cannot set the number of threads")?;
    let mut arguments = env::args().skip(1);
    let Some(model) = arguments.next() else {
        bail!("usage: score_local_model MODEL.gguf QUIZ.json…")
    };
    let choice = shelf::choose(&model, Path::new("data"))?;
    let started = Instant::now();
    let engine = Engine::load(&choice.path, choice.method)?;
    println!(
        "{} asked by {:?}, loaded in {:.2} s",
        choice.name,
        engine.method(),
        started.elapsed().as_secs_f64()
    );
    for path in arguments {
        score(&engine, &path).with_context(|| path.clone())?;
    }
    if let Some(peak) = fs::read_to_string("/proc/self/status")?
        .lines()
        .find(|line| line.starts_with("VmHWM"))
    {
        println!("{peak}");
    }
    Ok(())
}

fn score(engine: &Engine, path: &str) -> anyhow::Result<()> {
    let parsed = file::parse(Format::Json, &fs::read_to_string(path)?);
    ensure!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let (mut right, mut stated, mut brier) = (0.0, 0.0, 0.0);
    let started = Instant::now();
    for question in &parsed.questions {
        let keys = question
            .correct
            .as_deref()
            .context("a question has no `correct`")?;
        let solution = engine.solve(question, "measured", &mut || Ok(()))?;
        let is_key = |index: usize| keys.iter().any(|key| *key as usize == index + 1);
        let chosen = (0..solution.probabilities.len())
            .max_by(|&a, &b| solution.probabilities[a].total_cmp(&solution.probabilities[b]))
            .context("no options")?;
        right += f64::from(u8::from(is_key(chosen)));
        stated += solution.probabilities[chosen];
        let miss = |(index, p): (usize, &f64)| (p - f64::from(u8::from(is_key(index)))).powi(2);
        brier += solution
            .probabilities
            .iter()
            .enumerate()
            .map(miss)
            .sum::<f64>();
    }
    let count = parsed.questions.len() as f64;
    println!(
        "{path}: n {count} right {:.3} stated {:.3} brier {:.3} seconds {:.3}",
        right / count,
        stated / count,
        brier / count,
        started.elapsed().as_secs_f64() / count
    );
    Ok(())
}
