//! Lines and columns of places that are asked for from the front to the back.

use crate::quiz::problem::Position;

/// Counts on from the last place, so that all of them together cost one pass.
pub(super) struct Places<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    position: Position,
}

impl<'a> Places<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            position: Position { line: 1, column: 1 },
        }
    }

    /// Returns the line and column of the byte at `at`, which is not before the last one asked for.
    pub(super) fn position(&mut self, at: usize) -> Position {
        let passed = self.text.get(self.at..at).unwrap_or_default();
        if let Some(last) = passed.rfind('\n') {
            self.position.line += passed.matches('\n').count();
            self.position.column = 1 + passed[last + 1..].chars().count();
        } else {
            self.position.column += passed.chars().count();
        }
        self.at = at.max(self.at);
        self.position
    }
}
