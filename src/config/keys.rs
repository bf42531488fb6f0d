//! Keys of the API: one per line, as `quiz-stats key new` prints them. Of a key itself only its SHA-256 is written down.

use crate::{hex::Hex, quiz::request::is_channel_name};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// Most keys of one server.
const MAX_KEYS: usize = 1_000;
/// Most requests per second, and most at once, that a key may be given.
const MAX_RATE: u32 = 1_000_000;

/// SHA-256 of a key.
pub type KeyHash = [u8; 32];

/// What the holder of a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Have questions and pages analysed, and see what came of it.
    Analyze,
    /// Show answers on a channel, and control its show.
    Publish,
    /// Watch channels, where that is not for everybody.
    View,
    /// All of it.
    Admin,
}

/// How often something may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// A key and what its holder may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose it is; shown in logs.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: KeyHash,
    /// What for.
    pub roles: Vec<Role>,
    /// On which channels; `None` for all.
    pub channels: Option<Vec<String>>,
    /// How often any route; `None` for the rate of all clients.
    pub general: Option<Rate>,
    /// How often an analysis; `None` for the rate of all clients.
    pub analyze: Option<Rate>,
}

impl ApiKey {
    /// Returns the key that may do everything.
    pub fn of_everything(name: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            hash: hash(key),
            roles: vec![Role::Admin],
            channels: None,
            general: None,
            analyze: None,
        }
    }
}

/// Makes a secret that nobody can guess, with a beginning by which it is recognised.
pub fn secret(prefix: &str) -> String {
    let random: [u8; 32] = rand::random();
    format!("{prefix}{}", Hex(&random))
}

/// Returns what is kept of a key.
pub fn hash(key: impl AsRef<[u8]>) -> KeyHash {
    Sha256::digest(key).into()
}

impl Role {
    const ALL: [Self; 4] = [Self::Analyze, Self::Publish, Self::View, Self::Admin];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Publish => "publish",
            Self::View => "view",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| format!("{name:?} is not a role: use analyze, publish, view or admin"))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text
            .split_once('/')
            .and_then(|(per_second, burst)| Some((per_second.parse().ok()?, burst.parse().ok()?)))
            .filter(|(per_second, burst)| {
                [per_second, burst]
                    .iter()
                    .all(|n| (1..=MAX_RATE).contains(*n))
            });
        rate.map(|(per_second, burst)| Self { per_second, burst })
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a rate: write requests per second and at once, such as 5/10"
                )
            })
    }
}

impl fmt::Display for ApiKey {
    /// Writes its line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles: Vec<_> = self.roles.iter().map(|role| role.name()).collect();
        write!(f, "{} sha256:{}", self.name, Hex(&self.hash))?;
        write!(f, " roles={}", roles.join(","))?;
        if let Some(channels) = &self.channels {
            write!(f, " channels={}", channels.join(","))?;
        }
        for (what, rate) in [("general", self.general), ("analyze", self.analyze)] {
            if let Some(Rate { per_second, burst }) = rate {
                write!(f, " {what}={per_second}/{burst}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for ApiKey {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if !is_name(name) {
            return Err(format!(
                "{name:?} is no name: use 1 to 64 letters, digits, '.', '_' or '-'"
            ));
        }
        let hash = words.next().and_then(|word| word.strip_prefix("sha256:"));
        let hash = hash.and_then(read_hash).ok_or_else(|| {
            format!("after the name {name:?} must come sha256: and 64 hexadecimal digits; quiz-stats key new prints such a line")
        })?;
        let mut key = Self {
            name: name.to_owned(),
            hash,
            roles: Vec::new(),
            channels: None,
            general: None,
            analyze: None,
        };
        for word in words {
            let (what, value) = word.split_once('=').unwrap_or((word, ""));
            match what {
                "roles" => {
                    key.roles = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "channels" => key.channels = Some(channels(value)?),
                "general" => key.general = Some(value.parse()?),
                "analyze" => key.analyze = Some(value.parse()?),
                _ => {
                    return Err(format!(
                        "{word:?} is not known: use roles=, channels=, general= or analyze="
                    ));
                }
            }
        }
        match key.roles.is_empty() {
            true => Err(format!(
                "the key {name:?} may do nothing: add roles=analyze,publish or roles=admin"
            )),
            false => Ok(key),
        }
    }
}

/// Returns whether a key may be called so: as a channel may.
pub fn is_name(name: &str) -> bool {
    is_channel_name(name)
}

/// Reads names of channels, separated by commas.
///
/// # Errors
/// The one that is no name of a channel.
pub fn channels(text: &str) -> Result<Vec<String>, String> {
    let wrong = |name: &str| {
        format!("{name:?} is not a channel: use 1 to 64 letters, digits, '.', '_' or '-'")
    };
    let names = text.split(',').map(|name| match is_channel_name(name) {
        true => Ok(name.to_owned()),
        false => Err(wrong(name)),
    });
    names.collect()
}

/// Reads lines; empty ones and those that begin with # count for nothing.
///
/// # Errors
/// What is wrong, with the number of the line.
pub fn read(text: &str) -> Result<Vec<ApiKey>, String> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key: ApiKey = line
            .parse()
            .map_err(|wrong| format!("line {number}: {wrong}"))?;
        if keys
            .iter()
            .any(|known| known.name == key.name || known.hash == key.hash)
        {
            return Err(format!(
                "line {number}: {:?} is there twice, or its key is",
                key.name
            ));
        }
        keys.push(key);
    }
    match keys.len() {
        0 => Err("there is no key in it".to_owned()),
        1..=MAX_KEYS => Ok(keys),
        _ => Err(format!("there may be {MAX_KEYS} keys")),
    }
}

fn read_hash(digits: &str) -> Option<KeyHash> {
    let mut hash = KeyHash::default();
    if digits.len() != 2 * hash.len() || !digits.is_ascii() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let digits = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";
        let line = format!(
            "teacher sha256:{digits} roles=analyze,publish channels=hall,lobby general=50/100 analyze=5/10"
        );
        let key: ApiKey = line.parse().unwrap();
        assert_eq!(key.hash, hash("12345"));
        assert_eq!(key.roles, [Role::Analyze, Role::Publish]);
        assert_eq!(
            key.channels.as_deref(),
            Some(&["hall".to_owned(), "lobby".to_owned()][..])
        );
        let analyze = Rate {
            per_second: 5,
            burst: 10,
        };
        assert_eq!(key.analyze, Some(analyze));
        assert_eq!(key.to_string(), line);
        let text = format!(
            "# who may\n\n  {line}\nhost sha256:{} roles=admin\n",
            "ab".repeat(32)
        );
        let keys = read(&text).unwrap();
        assert_eq!((keys.len(), keys[1].roles[0]), (2, Role::Admin));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let hash = format!("sha256:{}", "ab".repeat(32));
        for (text, told) in [
            (String::new(), "there is no key in it"),
            (
                format!("# x\na b {hash} roles=admin"),
                "line 2: after the name \"a\"",
            ),
            (format!("ä {hash} roles=admin"), "line 1: \"ä\" is no name"),
            (
                "a sha256:abcd roles=admin".to_owned(),
                "64 hexadecimal digits",
            ),
            (format!("a {hash}"), "may do nothing"),
            (format!("a {hash} roles=root"), "\"root\" is not a role"),
            (
                format!("a {hash} roles=admin channels=x!"),
                "\"x!\" is not a channel",
            ),
            (format!("a {hash} roles=admin analyze=5"), "such as 5/10"),
            (format!("a {hash} roles=admin analyze=0/1"), "such as 5/10"),
            (
                format!("a {hash} roles=admin burst=5"),
                "\"burst=5\" is not known",
            ),
            (
                format!("a {hash} roles=admin\nb {hash} roles=admin"),
                "line 2: \"b\" is there twice",
            ),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}
