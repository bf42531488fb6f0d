//! The environment: `QUIZ_STATS__SECTION__KEY`, the well-known names, and their `_FILE` variants.

use super::{
    load::Found,
    problem::{Origin, Problem},
    setting::Raw,
};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// Marks our own variables. Container platforms invent names with a single underscore, so those are left alone.
const PREFIX: &str = "QUIZ_STATS__";
/// Added to a name: the variable holds the path of a file with the value.
const FILE_SUFFIX: &str = "_FILE";
/// Names that people know, and the keys they stand for.
const ALIASES: [(&str, &str); 12] = [
    ("ALLOWED_DOMAINS", "egress.allowed_domains"),
    ("API_KEY", "auth.api_key"),
    ("BACKEND_PORT", "server.port"),
    ("CORS_ALLOWED_ORIGINS", "server.cors_allowed_origins"),
    ("JWT_SECRET", "jwt.secret"),
    ("LOG_LEVEL", "log.level"),
    ("OPENAI_API_KEY", "ai.api_key"),
    ("OPENAI_BASE_URL", "ai.base_url"),
    ("OPENAI_MODEL", "ai.model"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.otlp_endpoint"),
    ("REDIS_URL", "redis.url"),
    ("STATS_APP_URL", "stats_app.url"),
];

/// Returns the process's variables. Names that are no Unicode cannot be ours.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(super) fn of_process() -> Vec<(String, OsString)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect()
}

/// Returns the folders in which programs are looked for.
#[cfg(feature = "browser")]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn search_path() -> Option<OsString> {
    std::env::var_os("PATH")
}

/// Returns what Chromium needs to know of the environment, and nothing else.
#[cfg(feature = "browser")]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn browser_environment() -> Vec<(OsString, OsString)> {
    let is_needed = |name: &OsStr| {
        let name = name.to_string_lossy();
        let names = ["PATH", "HOME", "LANG", "LANGUAGE", "TZ", "XDG_RUNTIME_DIR"];
        names.contains(&&*name)
            || ["LC_", "FONTCONFIG_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
    };
    std::env::vars_os()
        .filter(|(name, _)| is_needed(name))
        .collect()
}

/// Returns what the variables set, the well-known names first, so that our own names overlay them.
pub(super) fn read(variables: &[(String, OsString)], problems: &mut Vec<Problem>) -> Vec<Found> {
    let set = || variables.iter().filter(|(_, value)| !value.is_empty());
    let alias_of = |name: &str| {
        ALIASES
            .iter()
            .find(|(alias, _)| *alias == name)
            .map(|(_, key)| (*key).to_owned())
    };
    let (mut aliased, mut own) = (Vec::new(), Vec::new());
    for (name, value) in set() {
        let (base, is_file) = base(name);
        let (layer, key) = match (alias_of(base), base.strip_prefix(PREFIX)) {
            (Some(key), _) => (&mut aliased, key),
            (None, Some(path)) => (&mut own, path.to_lowercase().replace("__", ".")),
            (None, None) => continue,
        };
        if is_file && set().any(|(other, _)| other == base) {
            let remedy = format!("set {base} or {name}, not both");
            problems.push(Problem {
                key,
                value: None,
                origin: Origin::Variable(name.clone()),
                remedy,
            });
            continue;
        }
        match value_of(name, value, is_file) {
            // A secret that nobody has filled in yet counts as an empty variable does.
            Ok((text, _)) if text.is_empty() => {}
            Ok((text, origin)) => layer.push(Found {
                key,
                raw: Raw::Text(text),
                origin,
            }),
            Err(remedy) => {
                problems.push(Problem {
                    key,
                    value: None,
                    origin: Origin::Variable(name.clone()),
                    remedy,
                });
            }
        }
    }
    aliased.append(&mut own);
    aliased
}

/// Splits `_FILE` off a name.
fn base(name: &str) -> (&str, bool) {
    match name.strip_suffix(FILE_SUFFIX) {
        Some(base) => (base, true),
        None => (name, false),
    }
}

fn value_of(name: &str, value: &OsStr, is_file: bool) -> Result<(String, Origin), String> {
    if is_file {
        let path = PathBuf::from(value);
        // Editors and `echo` end a file with a newline that is no part of the value.
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read the file {}: {error}", path.display()))?;
        Ok((
            text.trim_end().to_owned(),
            Origin::ValueFile(name.to_owned(), path),
        ))
    } else {
        let text = value.to_str().ok_or("must be valid UTF-8")?;
        Ok((text.to_owned(), Origin::Variable(name.to_owned())))
    }
}
