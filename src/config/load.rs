//! The loader: finds every value in every layer, keeps the last of each, and reports all that is wrong at once.

use super::{
    Settings,
    check::Check,
    environment, file,
    problem::{Origin, Problem, Problems, nearest, shown},
    setting::{Raw, Setting},
};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// Where to look for settings.
#[derive(Default)]
pub struct Sources {
    /// The file given by `--config`.
    pub file: Option<PathBuf>,
    /// The environment's variables.
    pub environment: Vec<(String, OsString)>,
    /// What the command line sets, strongest of all.
    pub arguments: Vec<Argument>,
}

/// A setting given on the command line.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The key, such as `log.level`.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// The flag, for messages.
    pub flag: &'static str,
}

impl Sources {
    /// Takes the process's environment.
    pub fn from_process(file: Option<PathBuf>, arguments: Vec<Argument>) -> Self {
        Self {
            file,
            environment: environment::of_process(),
            arguments,
        }
    }
}

/// Settings that passed every check.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The effective settings.
    pub settings: Settings,
    pub(super) origins: Origins,
}

impl Loaded {
    /// Returns whether nobody set `key`.
    pub fn is_default(&self, key: &str) -> bool {
        self.origins.get(key) == Origin::Default
    }
}

/// Where each value that is not a default came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    pub(super) fn get(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or(Origin::Default)
    }
}

/// A value as found, before anyone knows whether it is right.
pub(super) struct Found {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// Hands the found values to the fields.
pub(super) struct Reader<'a> {
    found: &'a BTreeMap<String, (Raw, Origin)>,
    origins: &'a mut Origins,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Overwrites `field` with what was found for it, if anything.
    pub(super) fn read<T: Setting>(&mut self, section: &str, name: &str, field: &mut T) {
        let key = format!("{section}.{name}");
        let Some((raw, origin)) = self.found.get(&key) else {
            return;
        };
        match T::parse(raw) {
            Some(value) => {
                *field = value;
                self.origins.0.insert(key, origin.clone());
            }
            None => self.problems.push(Problem {
                key,
                value: Some(shown(raw, T::SECRET)),
                origin: origin.clone(),
                remedy: format!("must be {}", T::expected()),
            }),
        }
    }
}

/// Loads, overlays and checks.
///
/// # Errors
/// Everything that is wrong: unreadable files, unknown keys, values that do not fit, values that do not go together.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let mut layers: Vec<Found> = Vec::new();
    if let Some(path) = &sources.file {
        layers.extend(file::read(path, &mut problems));
    }
    layers.extend(environment::read(&sources.environment, &mut problems));
    layers.extend(sources.arguments.iter().map(|argument| Found {
        key: argument.key.to_owned(),
        raw: Raw::Text(argument.value.clone()),
        origin: Origin::Argument(argument.flag),
    }));
    overlay(layers, problems)
}

/// Lays the values over the defaults, later ones over earlier ones, and checks the whole.
pub(super) fn overlay(layers: Vec<Found>, mut problems: Vec<Problem>) -> Result<Loaded, Problems> {
    let mut settings = Settings::default();
    let known: Vec<String> = settings.entries().into_iter().map(|(key, _)| key).collect();
    let is_section = |key: &str| {
        known
            .iter()
            .any(|known| known.split('.').next() == Some(key))
    };
    let mut found = BTreeMap::new();
    for Found { key, raw, origin } in layers.into_iter().filter(|found| !is_section(&found.key)) {
        if known.contains(&key) {
            found.insert(key, (raw, origin));
        } else {
            problems.push(unknown(key, &raw, origin, &known));
        }
    }

    let mut origins = Origins::default();
    let mut reader = Reader {
        found: &found,
        origins: &mut origins,
        problems: &mut problems,
    };
    settings
        .sections_mut()
        .into_iter()
        .for_each(|section| section.read(&mut reader));
    settings.check(&origins, &mut problems);
    if problems.is_empty() {
        Ok(Loaded { settings, origins })
    } else {
        Err(Problems(problems))
    }
}

fn unknown(key: String, raw: &Raw, origin: Origin, known: &[String]) -> Problem {
    let meant = nearest(&key, known.iter().map(String::as_str));
    let remedy = match meant {
        Some(meant) => format!("there is no such key; did you mean {meant}?"),
        None => "there is no such key; `quiz-stats config --default` lists all".to_owned(),
    };
    // Whoever misspells the name of a secret still means a secret.
    let smells_secret = ["key", "secret", "token", "password"]
        .iter()
        .any(|word| key.contains(word))
        || meant.is_some_and(|meant| meant.ends_with("_key"));
    Problem {
        value: Some(shown(raw, smells_secret)),
        key,
        origin,
        remedy,
    }
}

impl Settings {
    /// Checks every value, wherever it came from.
    ///
    /// # Errors
    /// All problems at once. Settings that [`load`] returned have none.
    pub fn validated(self) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        self.check(&Origins::default(), &mut problems);
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(Problems(problems))
        }
    }

    /// Every key with its value as TOML, masked when secret; `None` when it is not set.
    pub(super) fn entries(&self) -> Vec<(String, Option<toml::Value>)> {
        let entries = |section: &dyn super::Section| {
            let name = section.name();
            section
                .fields()
                .into_iter()
                .map(move |field| (format!("{name}.{}", field.name), field.value))
        };
        self.sections().into_iter().flat_map(entries).collect()
    }

    fn check(&self, origins: &Origins, problems: &mut Vec<Problem>) {
        let values = self
            .entries()
            .into_iter()
            .filter_map(|(key, value)| Some((key, shown(&Raw::Toml(value?), false))));
        let values = values.collect();
        for section in self.sections() {
            section.validate(&mut Check {
                section: section.name(),
                values: &values,
                origins,
                problems,
            });
        }
        self.validate(&mut Check {
            section: "",
            values: &values,
            origins,
            problems,
        });
    }
}
