//! Progress on standard error: a bar on a terminal, a line per question anywhere else.

use crate::analysis::QuestionResult;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

/// See the module.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
}

impl Progress {
    pub(super) fn start(total: usize) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{spinner} {bar:30} {pos}/{len} answered, {elapsed} {msg}",
            )
            .expect("a fixed template");
            let bar = ProgressBar::new(total as u64).with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self {
            bar,
            total,
            done: 0,
        }
    }

    /// Counts one outcome.
    pub(super) fn add(&mut self, result: &QuestionResult) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_position(self.done as u64),
            None => {
                // Standard error may be closed; the answers matter more.
                let _gone = writeln!(
                    io::stderr(),
                    "{}/{} {}",
                    self.done,
                    self.total,
                    in_words(result)
                );
            }
        }
    }
}

impl Drop for Progress {
    /// Leaves a clean terminal behind, on errors too.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn in_words(result: &QuestionResult) -> String {
    match (result.answer, result.confidence) {
        (Some(answer), Some(confidence)) => format!(
            "question {}: {answer} ({:.0} %)",
            result.index,
            confidence * 100.0
        ),
        (Some(answer), None) => format!("question {}: {answer}", result.index),
        (None, _) => format!(
            "question {}: {}",
            result.index,
            result.error.as_deref().unwrap_or("no answer")
        ),
    }
}
