//! The words of the pages: the languages that are embedded, and those that the operator has put into a folder.
//!
//! A page asks for its language as a whole, so what a file leaves out is filled in here: from the embedded language of the
//! same name, else from English.

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The embedded ones. English is the measure: it has every key, and every gap that a text may have.
const EMBEDDED: [(&str, &str); 2] = [
    ("en", include_str!("../../assets/lang/en.json")),
    ("de", include_str!("../../assets/lang/de.json")),
];
/// The forms that a text may have by its number (Unicode CLDR). Every language has `other`.
const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// Largest file in bytes: many times what all texts take.
const MAX_BYTES: u64 = 262_144;
/// Longest text in characters: what is longer does not fit on a screen.
const MAX_CHARS: usize = 400;

type Texts = Map<String, Value>;

/// Every language that the pages have, ready to be sent: JSON by tag.
pub(super) fn load(folder: Option<&Path>) -> anyhow::Result<BTreeMap<String, String>> {
    let embedded: BTreeMap<&str, Texts> = EMBEDDED
        .into_iter()
        .map(|(tag, text)| (tag, serde_json::from_str(text).expect("checked by a test")))
        .collect();
    let english = &embedded["en"];
    let mut languages: BTreeMap<String, Texts> = embedded
        .iter()
        .map(|(tag, texts)| ((*tag).to_owned(), texts.clone()))
        .collect();
    if let Some(folder) = folder {
        let mut problems = Vec::new();
        for (name, text) in read(folder, &mut problems)? {
            let found = check(&text, english).map_err(|found| {
                problems.extend(
                    found
                        .into_iter()
                        .map(|problem| format!("{name}: {problem}")),
                );
            });
            let tag = name.trim_end_matches(".json");
            if let Ok(texts) = found {
                let language = languages
                    .entry(tag.to_owned())
                    .or_insert_with(|| english.clone());
                language.extend(texts);
            }
        }
        if !problems.is_empty() {
            bail!(
                "the languages in {} (server.languages) cannot be used:\n  {}",
                folder.display(),
                problems.join("\n  ")
            );
        }
    }
    let json = |texts| serde_json::to_string(texts).expect("texts are plain data");
    Ok(languages
        .iter()
        .map(|(tag, texts)| (tag.clone(), json(texts)))
        .collect())
}

/// Returns the files of the folder by name. Other files may lie there too; hidden ones are Kubernetes' own.
fn read(folder: &Path, problems: &mut Vec<String>) -> anyhow::Result<BTreeMap<String, String>> {
    let place = || {
        format!(
            "cannot read the folder {} (server.languages): it must hold a file such as fr.json for each language",
            folder.display()
        )
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(place)? {
        let path = entry.with_context(place)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(tag) = name
            .strip_suffix(".json")
            .filter(|tag| !tag.starts_with('.'))
        else {
            continue;
        };
        if !is_tag(tag) {
            problems.push(format!(
                "{name}: must be named after its language, such as fr.json or pt-BR.json"
            ));
            continue;
        }
        let text = match fs::metadata(&path) {
            Ok(about) if about.len() > MAX_BYTES => Err(format!(
                "is larger than {MAX_BYTES} bytes: is it a language file?"
            )),
            _ => fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}")),
        };
        match text {
            Ok(text) => drop(files.insert(name.into_owned(), text)),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    Ok(files)
}

/// `fr`, `pt-BR`, `zh-Hant-TW`: what browsers take for a language.
fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// Returns the texts of a file, or everything that is wrong with it.
fn check(text: &str, english: &Texts) -> Result<Texts, Vec<String>> {
    let texts: Texts =
        serde_json::from_str(text.trim_start_matches('\u{FEFF}')).map_err(|error| {
            vec![format!(
                "must be one JSON object with a text for each key: {error}"
            )]
        })?;
    let mut problems = Vec::new();
    for (key, value) in &texts {
        match english.get(key) {
            None => problems.push(format!(
                "\"{key}\" is no key of ours: take the keys from /assets/lang/en.json"
            )),
            Some(model) => check_entry(key, value, model, &mut problems),
        }
    }
    if problems.is_empty() {
        Ok(texts)
    } else {
        Err(problems)
    }
}

fn check_entry(key: &str, value: &Value, model: &Value, problems: &mut Vec<String>) {
    let allowed = gaps(model);
    match (value, model) {
        (Value::String(text), _) => check_text(key, text, &allowed, problems),
        (Value::Object(forms), Value::Object(_)) => {
            if !forms.contains_key("other") {
                problems.push(format!("\"{key}\" must have the form \"other\""));
            }
            for (form, text) in forms {
                let name = format!("{key}.{form}");
                match text.as_str() {
                    _ if !PLURALS.contains(&form.as_str()) => problems.push(format!(
                        "\"{name}\" is no plural form: use {}",
                        PLURALS.join(", ")
                    )),
                    Some(text) => check_text(&name, text, &allowed, problems),
                    None => problems.push(format!("\"{name}\" must be a text")),
                }
            }
        }
        (_, Value::Object(_)) => problems.push(format!(
            "\"{key}\" must be a text, or one for each plural form"
        )),
        _ => problems.push(format!("\"{key}\" must be a text")),
    }
}

fn check_text(key: &str, text: &str, allowed: &BTreeSet<String>, problems: &mut Vec<String>) {
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_CHARS {
        problems.push(format!(
            "\"{key}\" must have 1 to {MAX_CHARS} characters, has {length}"
        ));
    }
    for gap in gaps_of(text) {
        if !allowed.contains(&gap) {
            let allowed: Vec<_> = allowed.iter().map(|gap| format!("{{{gap}}}")).collect();
            let allowed = match allowed.len() {
                0 => "it has nothing to fill in".to_owned(),
                _ => format!("it may have {}", allowed.join(", ")),
            };
            problems.push(format!("\"{key}\" has {{{gap}}}: {allowed}"));
        }
    }
}

/// Returns what may be filled in, over all forms of an entry.
fn gaps(entry: &Value) -> BTreeSet<String> {
    match entry {
        Value::String(text) => gaps_of(text),
        Value::Object(forms) => forms.values().flat_map(gaps).collect(),
        _ => BTreeSet::new(),
    }
}

/// Returns the names in braces.
fn gaps_of(text: &str) -> BTreeSet<String> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn texts(languages: &BTreeMap<String, String>, tag: &str) -> Texts {
        serde_json::from_str(&languages[tag]).unwrap()
    }

    #[test]
    fn the_embedded_ones_keep_the_rules_that_files_must_keep() {
        let english: Texts = serde_json::from_str(EMBEDDED[0].1).unwrap();
        for (tag, text) in EMBEDDED {
            assert_eq!(check(text, &english).unwrap().len(), english.len(), "{tag}");
        }
        assert_eq!(load(None).unwrap().len(), 2);
    }

    #[test]
    fn a_file_adds_a_language_or_changes_some_words_of_one() {
        let folder = folder(&[
            (
                "fr.json",
                r#"{"finale":"Final","seconds":{"one":"seconde","many":"secondes","other":"secondes"}}"#,
            ),
            ("de.json", "\u{FEFF}{\"finale\":\"Schluss\"}"),
            ("pt-BR.json", r#"{"solving":"{n} perguntas"}"#),
            ("README.txt", "not ours"),
            (".hidden.json", "not ours"),
        ]);
        let languages = load(Some(folder.path())).unwrap();
        assert_eq!(
            languages.keys().collect::<Vec<_>>(),
            ["de", "en", "fr", "pt-BR"]
        );
        let french = texts(&languages, "fr");
        assert_eq!(french["finale"], "Final");
        assert_eq!(french["paused"], "Paused", "what is left out is English");
        let german = texts(&languages, "de");
        assert_eq!(
            (&german["finale"], &german["paused"]),
            (&"Schluss".into(), &"Pause".into())
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once_and_what_to_change() {
        let folder = folder(&[
            (
                "fr.json",
                r#"{"finish":"Fin","finale":7,"paused":" ","sure":"{x} sûr","seconds":{"one":"s","lots":"s"}}"#,
            ),
            ("it.json", "{"),
            ("French.json", "{}"),
        ]);
        let said = load(Some(folder.path())).unwrap_err().to_string();
        for part in [
            "fr.json: \"finish\" is no key of ours: take the keys from /assets/lang/en.json",
            "fr.json: \"finale\" must be a text",
            "fr.json: \"paused\" must have 1 to 400 characters",
            "fr.json: \"sure\" has {x}: it may have {n}",
            "fr.json: \"seconds\" must have the form \"other\"",
            "fr.json: \"seconds.lots\" is no plural form",
            "it.json: must be one JSON object",
            "French.json: must be named after its language",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        let missing = load(Some(&folder.path().join("none"))).unwrap_err();
        assert!(missing.to_string().contains("server.languages"));
    }
}
