//! The configuration file: TOML with one table per section. Every value keeps its line.

use super::{
    load::Found,
    problem::{Origin, Problem},
    setting::Raw,
};
use serde::Deserialize as _;
use std::path::Path;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Returns all values in the file at `path`, also when some of it is wrong.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Vec<Found> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path, problems),
        Err(error) => {
            let origin = Origin::Argument("--config");
            let remedy = format!("cannot read {}: {error}", path.display());
            problems.push(Problem {
                key: String::new(),
                value: None,
                origin,
                remedy,
            });
            Vec::new()
        }
    }
}

/// Returns all values in `text`, which stands at `path`.
pub(super) fn parse(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Vec<Found> {
    let at = |offset: usize| Origin::File(path.to_owned(), line_of(text, offset));
    let (document, errors) = DeTable::parse_recoverable(text);
    // The library's full message repeats the line, which may hold a secret.
    problems.extend(errors.into_iter().map(|error| Problem {
        key: String::new(),
        value: None,
        origin: at(error.span().map_or(0, |span| span.start)),
        remedy: format!("no valid TOML: {}", error.message()),
    }));
    let mut found = Vec::new();
    for (section, value) in document.into_inner() {
        let origin = at(section.span().start);
        let section = section.into_inner();
        let DeValue::Table(fields) = value.into_inner() else {
            let remedy = "keys stand under a section, such as [server]".to_owned();
            problems.push(Problem {
                key: section.into_owned(),
                value: None,
                origin,
                remedy,
            });
            continue;
        };
        if fields.is_empty() {
            found.push(Found {
                key: section.into_owned(),
                raw: Raw::Toml(toml::Table::new().into()),
                origin,
            });
            continue;
        }
        for (name, value) in fields {
            let (key, origin) = (
                format!("{section}.{}", name.get_ref()),
                at(name.span().start),
            );
            match toml::Value::deserialize(ValueDeserializer::from(value)) {
                Ok(value) => found.push(Found {
                    key,
                    raw: Raw::Toml(value),
                    origin,
                }),
                Err(error) => {
                    problems.push(Problem {
                        key,
                        value: None,
                        origin,
                        remedy: error.message().to_owned(),
                    });
                }
            }
        }
    }
    found
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
