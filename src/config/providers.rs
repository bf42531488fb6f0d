//! Further servers that are asked when the first cannot answer: one per line, `NAME BASE_URL MODEL [key=…]`.

use super::ai::is_base_url;
use secrecy::SecretString;

/// Most servers beside the first.
const MAX_PROVIDERS: usize = 8;

/// A server that is asked when those before it cannot answer.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// Its name in metrics and logs.
    pub name: String,
    /// Its base address.
    pub base_url: String,
    /// The model on it.
    pub model: String,
    /// The key for it.
    pub key: Option<SecretString>,
}

/// Reads the lines; empty ones and those that begin with `#` are left out.
///
/// # Errors
/// The line that is wrong, and what would be right; never a key.
pub(super) fn read(text: &str) -> Result<Vec<Fallback>, String> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut found: Vec<Fallback> = Vec::new();
    for (number, line) in lines {
        let fallback = line_of(line).map_err(|wrong| format!("line {number} {wrong}"))?;
        if found.iter().any(|other| other.name == fallback.name) {
            return Err(format!("line {number} names {} again", fallback.name));
        }
        found.push(fallback);
    }
    match found.len() {
        0..=MAX_PROVIDERS => Ok(found),
        many => Err(format!("{many} are more than {MAX_PROVIDERS}")),
    }
}

fn line_of(line: &str) -> Result<Fallback, String> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(base_url), Some(model)) = (words.next(), words.next(), words.next())
    else {
        return Err("must be NAME BASE_URL MODEL, and key=… where the server wants one".to_owned());
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(is_name) || name == "openai" || name == "local" {
        return Err("must begin with a name of letters, digits, dots and hyphens, other than openai and local".to_owned());
    }
    if !is_base_url(base_url) {
        return Err(
            "must have an address such as https://ai.example/v1 as its second word".to_owned(),
        );
    }
    let mut key = None;
    for word in words {
        match word.strip_prefix("key=") {
            Some(given) if !given.is_empty() && key.is_none() => key = Some(given.into()),
            _ => return Err("may end with key=… and nothing else".to_owned()),
        }
    }
    Ok(Fallback {
        name: name.to_owned(),
        base_url: base_url.to_owned(),
        model: model.to_owned(),
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn lines_are_read() {
        let read = read("# two more\n\nbackup https://ai.example/v1 qwen key=sk-1\nhere http://127.0.0.1:8080/v1 m:7b\n").unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].name.as_str(), read[0].model.as_str()),
            ("backup", "qwen")
        );
        assert_eq!(read[0].key.as_ref().unwrap().expose_secret(), "sk-1");
        assert!(read[1].key.is_none());
    }

    #[test]
    fn what_is_wrong_is_named_without_the_key() {
        for (wrong, told) in [
            ("a", "NAME BASE_URL MODEL"),
            ("openai https://a.example/v1 m", "other than openai"),
            ("a ftp://a.example m", "second word"),
            ("a https://u:p@a.example/v1 m", "second word"),
            ("a https://a.example/v1 m sk-secret", "key=…"),
            (
                "a https://a.example/v1 m key=sk-secret key=sk-secret",
                "key=…",
            ),
            (
                "a https://a.example/v1 m\na https://b.example/v1 m",
                "line 2 names a again",
            ),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(told) && !error.contains("secret"), "{error}");
        }
    }
}
