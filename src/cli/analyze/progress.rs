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

/// See the module.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn start(questions: usize) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let columns = terminal::size().map_or(0, |(columns, _)| columns);
        let style = ProgressStyle::with_template(&template(columns)).expect("a fixed template");
        let bar = ProgressBar::new(questions as u64).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Counts one outcome.
    pub(super) fn add(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    /// Leaves a clean terminal behind, on errors too.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
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
        for columns in 0..200 {
            assert!(ProgressStyle::with_template(&template(columns)).is_ok());
        }
    }
}
