//! What holds of configurations, whatever is in them. See [`crate::fuzzing`].

use super::{file, load::overlay};
use crate::config::environment;
use std::path::Path;

/// A configuration file, and after a NUL the variables of an environment, one per line: taken, it prints as TOML again;
/// refused, it is told in words that no terminal takes for commands.
///
/// # Panics
/// When it is not so.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, variables) = text.split_once('\0').unwrap_or((&text, ""));
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    // A variable that names a file would have it read.
    let variables = variables.filter(|(name, _)| !name.ends_with("_FILE"));
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut problems = Vec::new();
    let mut layers = file::parse(text, Path::new("fuzz.toml"), &mut problems);
    layers.extend(environment::read(&variables, &mut problems));
    match overlay(layers, problems) {
        Ok(loaded) => drop(loaded.masked_toml().parse::<toml::Table>().expect("TOML")),
        Err(problems) => {
            let told = problems.to_string();
            assert!(told.lines().count() <= 102, "{told}");
            assert!(
                !told.chars().any(|char| char.is_control() && char != '\n'),
                "{told:?}"
            );
        }
    }
}
