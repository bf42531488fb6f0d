//! Progress: a bar on standard error while the answers come, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

/// Narrow terminals cut the end off: what matters most stands first.
const TEMPLATE: &str = "{spinner} {pos} of {len} questions · {elapsed} {bar:30}";

/// See the module.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn start(questions: usize) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(TEMPLATE).expect("a fixed template");
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
