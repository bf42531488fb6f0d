//! How far a download is: a bar on a terminal, a line now and then elsewhere.

use crate::local_model::fetch::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal as _};

/// Bytes between two lines when there is no terminal.
const LINE_EVERY: u64 = 25_000_000;

/// Shows progress on standard error.
pub(super) enum Meter {
    /// A terminal: a bar.
    Bar(ProgressBar),
    /// No terminal: a line when this many bytes have come.
    Lines(u64),
}

impl Meter {
    pub(super) fn new() -> Self {
        if io::stderr().is_terminal() {
            Self::Bar(ProgressBar::no_length())
        } else {
            Self::Lines(LINE_EVERY)
        }
    }
}

impl Progress for Meter {
    fn at(&mut self, done: u64, total: u64) {
        match self {
            Self::Bar(bar) => {
                if total > 0 && bar.length().is_none() {
                    bar.set_length(total);
                    let style = ProgressStyle::with_template(
                        "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
                    );
                    bar.set_style(style.expect("the template is well-formed"));
                    // Bytes of an earlier try did not come at today's speed.
                    bar.reset_eta();
                }
                bar.set_position(done);
            }
            Self::Lines(next) => {
                if done >= *next {
                    let of = if total > 0 {
                        format!(" of {}", total / 1_000_000)
                    } else {
                        String::new()
                    };
                    eprintln!("{}{of} MB", done / 1_000_000);
                    *next = (done / LINE_EVERY + 1) * LINE_EVERY;
                }
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
