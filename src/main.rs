//! The `quiz-stats` program.

fn main() {}
