//! `[limits]`: what a request may hold.

use super::{check::Check, section::section};

section! {
    /// What a request may hold.
    [limits] Limits {
        /// Largest request body in bytes.
        max_body_bytes: usize = 1_048_576,
        /// Most questions in one request.
        max_questions: usize = 200,
        /// Longest question text in characters.
        max_question_chars: usize = 4_000,
        /// Longest option text in characters.
        max_option_chars: usize = 1_000,
    }
}

impl Limits {
    fn validate(&self, check: &mut Check<'_>) {
        check.between("max_body_bytes", self.max_body_bytes, 1_024, 1_073_741_824);
        check.between("max_questions", self.max_questions, 1, 10_000);
        check.capacity("max_question_chars", self.max_question_chars);
        check.capacity("max_option_chars", self.max_option_chars);
    }
}
