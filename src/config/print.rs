//! Settings as TOML for people: what is in force and why, and the documented defaults.

use super::{Loaded, Origin, Settings};
use std::fmt::Write as _;

impl Loaded {
    /// Returns the effective settings as TOML: secrets masked, and behind each value that is no default where it
    /// came from.
    pub fn masked_toml(&self) -> String {
        let mut text = String::new();
        for section in self.settings.sections() {
            let name = section.name();
            let gap = if text.is_empty() { "" } else { "\n" };
            let _infallible = writeln!(text, "{gap}[{name}]");
            for field in section.fields() {
                let origin = self.origins.get(&format!("{name}.{}", field.name));
                let _infallible = match (field.value, origin) {
                    (None, _) => writeln!(text, "# {} is not set", field.name),
                    (Some(value), Origin::Default) => writeln!(text, "{} = {value}", field.name),
                    (Some(value), origin) => writeln!(text, "{} = {value} # {origin}", field.name),
                };
            }
        }
        text
    }
}

impl Settings {
    /// Returns these settings as TOML with the documentation of every key; what is not set stands as a comment.
    pub fn documented_toml(&self) -> String {
        let mut text = String::from(HEAD);
        for section in self.sections() {
            let _infallible = writeln!(text, "\n{}[{}]", comment(section.doc()), section.name());
            for field in section.fields() {
                let doc = comment(field.doc);
                let _infallible = match field.value {
                    Some(value) => writeln!(text, "{doc}{} = {value}", field.name),
                    None => writeln!(text, "{doc}# {} = {}", field.name, field.example),
                };
            }
        }
        text
    }
}

const HEAD: &str = "\
# quiz-stats: every setting with its default.
#
# Overlay what you change: `quiz-stats serve --config FILE` with a file like this one, then environment variables:
# [server] port is QUIZ_STATS__SERVER__PORT. With _FILE added to its name, a variable holds the path of a file with
# the value. Well-known names work too, below the long ones in rank: ALLOWED_DOMAINS, API_KEY, BACKEND_PORT,
# CORS_ALLOWED_ORIGINS, JWT_SECRET, LOG_LEVEL, OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL,
# OTEL_EXPORTER_OTLP_ENDPOINT, REDIS_URL, STATS_APP_URL.
# `quiz-stats config` shows what is in force and where it came from.
";

fn comment(doc: &[&str]) -> String {
    doc.iter().map(|line| format!("#{line}\n")).collect()
}
