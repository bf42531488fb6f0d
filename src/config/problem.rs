//! What is wrong with a configuration, told to the person who wrote it.

use super::setting::{MASK, Raw};
use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

/// Longest value repeated in a message, in characters.
const MAX_SHOWN_CHARS: usize = 60;
/// Most problems listed at once.
const MAX_LISTED: usize = 100;

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
        let Self {
            key,
            value,
            origin,
            remedy,
        } = self;
        let told = match value {
            _ if key.is_empty() => format!("{origin}: {remedy}"),
            Some(value) => format!("{} = {value} ({origin}): {remedy}", cut(key)),
            None => format!("{} ({origin}): {remedy}", cut(key)),
        };
        // A terminal takes some characters for commands.
        told.chars().try_for_each(|char| {
            if char.is_control() {
                write!(f, "{}", char.escape_default())
            } else {
                f.write_char(char)
            }
        })
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
            .take(MAX_LISTED)
            .try_for_each(|problem| write!(f, "\n  {problem}"))?;
        match count.saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
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
    } else {
        cut(&text)
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the candidate that `word` most likely meant, unless all are far off.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = |(distance, candidate): &(usize, &str)| *distance <= candidate.len() / 3;
    // Whatever is much longer or shorter is far off, and need not be compared letter by letter.
    let similar = |c: &&str| word.len().abs_diff(c.len()) <= 3 * c.len();
    candidates
        .into_iter()
        .filter(similar)
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
    fn what_a_key_holds_reaches_no_terminal_as_a_command_nor_fills_it() {
        let key = format!("\u{1b}[31m{}", "x".repeat(500));
        let problem = Problem {
            key,
            value: None,
            origin: Origin::Default,
            remedy: "no".to_owned(),
        };
        let told = problem.to_string();
        assert!(
            told.starts_with("\\u{1b}[31mxx") && told.len() < 100,
            "{told}"
        );
        let all = Problems(vec![problem; 105]).to_string();
        assert_eq!(all.lines().count(), 1 + MAX_LISTED + 1);
        assert!(all.ends_with("\n  and 5 more"), "{all}");
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
