//! What is wrong with a configuration, told to the person who wrote it.

use super::setting::{MASK, Raw};
use std::{fmt, path::PathBuf};

/// Longest value repeated in a message, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file, with the line.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A file that a variable ending in `_FILE` names.
    ValueFile(String, PathBuf),
    /// A command-line argument.
    Argument(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{} line {line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::ValueFile(name, path) => write!(f, "{name}, file {}", path.display()),
            Self::Argument(flag) => f.write_str(flag),
        }
    }
}

/// One thing that is wrong. Secrets never reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `server.port`; empty when no single key is concerned.
    pub key: String,
    /// The value as found, cut and masked.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// What is wrong, or what would be right.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            return write!(f, "{}: {}", self.origin, self.remedy);
        }
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, " ({}): {}", self.origin, self.remedy)
    }
}

/// Everything that is wrong, at least one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "the configuration has {count} problem{}:",
            if count == 1 { "" } else { "s" }
        )?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Returns a found value for a message: masked when `secret` or when it looks like a key, cut when long.
pub(super) fn shown(raw: &Raw, secret: bool) -> String {
    let text = match raw {
        // A table under a misspelt key may hold anything.
        Raw::Toml(toml::Value::Table(_)) => "{…}".to_owned(),
        Raw::Toml(toml::Value::Array(_)) => "[…]".to_owned(),
        Raw::Toml(value) => value.to_string(),
        Raw::Text(text) => format!("{text:?}"),
    };
    let looks_secret = text.starts_with("\"sk-") || text.contains('@');
    if secret || looks_secret {
        MASK.to_owned()
    } else if text.chars().count() > MAX_SHOWN_CHARS {
        text.chars().take(MAX_SHOWN_CHARS).chain(['…']).collect()
    } else {
        text
    }
}

/// Returns the candidate that `word` most likely meant, unless all are far off.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = |(distance, candidate): &(usize, &str)| *distance <= candidate.len() / 3;
    candidates
        .into_iter()
        .map(|c| (edit_distance(word, c), c))
        .filter(near)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Counts the characters to insert, delete or replace to get from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_key() {
        let known = ["server.port", "server.host", "metrics.bind"];
        assert_eq!(nearest("server.prot", known), Some("server.port"));
        assert_eq!(nearest("servr.host", known), Some("server.host"));
        assert_eq!(nearest("database.url", known), None);
    }

    #[test]
    fn distances_are_symmetric_and_zero_only_for_equals() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("sitting", "kitten"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn long_and_secret_values_are_not_repeated() {
        let long = Raw::Text("x".repeat(500));
        assert_eq!(shown(&long, false).chars().count(), MAX_SHOWN_CHARS + 1);
        assert_eq!(shown(&Raw::Text("hunter2".into()), true), MASK);
        assert_eq!(
            shown(&Raw::Text("http://user:pw@host/".into()), false),
            MASK
        );
    }
}
