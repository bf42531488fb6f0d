//! Progress: a bar on standard error while the answers come, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use ratatui::crossterm::terminal;
use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

/// Cells of the bar, where there is room for so many.
const MAX_BAR_CELLS: u16 = 30;
/// Columns of what stands before the bar, with numbers of four digits.
const WORDS: u16 = 38;

/// What is shown while a page is being read.
const READING: &str = "{spinner} reading the page · {elapsed}";

/// See the module.
pub(in crate::cli) struct Progress(ProgressBar);

impl Progress {
    /// Starts with so many questions; `None` while a page is being read.
    pub(in crate::cli) fn start(questions: Option<usize>) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0);
        bar.set_style(style(READING));
        bar.enable_steady_tick(Duration::from_millis(100));
        let progress = Self(bar);
        if let Some(questions) = questions {
            progress.expect(questions);
        }
        progress
    }

    /// From here on, counts the outcomes of so many questions.
    pub(in crate::cli) fn expect(&self, questions: usize) {
        let columns = terminal::size().map_or(0, |(columns, _)| columns);
        self.0.set_length(questions as u64);
        self.0.set_style(style(&template(columns)));
    }

    /// Counts one outcome.
    pub(in crate::cli) fn add(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    /// Leaves a clean terminal behind, on errors too.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a fixed template")
}

fn template(columns: u16) -> String {
    let words = "{spinner} {pos} of {len} questions · {elapsed}";
    match columns.saturating_sub(WORDS).min(MAX_BAR_CELLS) {
        0..5 => words.to_owned(),
        cells => format!("{words} {{bar:{cells}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_takes_the_room_that_is_left() {
        assert!(template(120).ends_with("{bar:30}"));
        assert!(template(50).ends_with("{bar:12}"));
        assert!(template(40).ends_with("{elapsed}"));
        assert!(ProgressStyle::with_template(READING).is_ok());
        for columns in 0..200 {
            assert!(ProgressStyle::with_template(&template(columns)).is_ok());
        }
    }
}
