//! What is wrong with a quiz and where: one entry per mistake, so that a person mends all of them in one go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most problems listed for one input; a rubbish body must not earn an answer larger than itself.
const MAX_LISTED: usize = 100;

/// One mistake in the input. Serialised as an entry of `details` in an error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where: `questions[3].answers` (counted from 0, as programs do), or `line 12, column 3` (counted from 1) in a file.
    pub path: String,
    /// What is wrong and what would be right: `must have 2 to 26 entries, has 1`.
    pub problem: String,
}

impl Problem {
    /// Returns a problem at `path`.
    pub fn new(path: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self {
            path: path.to_string(),
            problem: problem.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.problem)
    }
}

/// A place in a file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Collects problems; allocates nothing while there are none.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Notes one more problem.
    pub(crate) fn add(&mut self, path: impl fmt::Display, problem: impl fmt::Display) {
        if self.listed.len() < MAX_LISTED {
            self.listed.push(Problem::new(path, problem));
        } else {
            self.unlisted += 1;
        }
    }

    /// Returns whether nothing was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns the list; when it was cut, its last entry says by how much.
    pub(crate) fn into_vec(mut self) -> Vec<Problem> {
        if self.unlisted > 0 {
            self.listed.push(Problem::new(
                "…",
                format_args!("{} more problems are not listed", self.unlisted),
            ));
        }
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_a_hundred_and_counts_the_rest() {
        let mut problems = Problems::default();
        for i in 0..130 {
            problems.add(format_args!("questions[{i}]"), "is wrong");
        }
        let listed = problems.into_vec();
        assert_eq!(listed.len(), MAX_LISTED + 1);
        assert_eq!(
            listed[MAX_LISTED].problem,
            "30 more problems are not listed"
        );
    }
}
