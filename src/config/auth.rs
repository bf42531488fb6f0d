//! `[auth]`: who may do what.

use super::{
    check::Check,
    keys::{self, ApiKey},
    section::section,
};
use secrecy::{ExposeSecret as _, SecretString};

/// Fewest characters of a key that others than this machine may try. As many random letters and digits hold 95 bits.
pub(super) const SHORTEST_KEY: usize = 16;

section! {
    /// Who may do what.
    [auth] Auth {
        /// A key that may do everything; of 16 characters at least where others than this machine are served. Alias `API_KEY`.
        api_key: Option<SecretString> = None,
        /// Further keys, one per line: a name, the key's hash, and what it may do. `quiz-stats key new` makes a key and
        /// prints its line. Better in a file of its own: QUIZ_STATS__AUTH__KEYS_FILE.
        keys: Option<String> = None,
        /// Whether to listen beyond this machine without any key or token: then everybody may do everything.
        allow_anonymous: bool = false,
        /// Whether everybody may watch: WebSocket, /events, GET /api/channels/{channel}. When false, that takes a credential
        /// with the role view, and a screen has its key behind # in its address: /stage/hall#key=…
        anonymous_view: bool = true,
    }
}

impl Auth {
    /// Returns every key.
    pub fn all_keys(&self) -> Vec<ApiKey> {
        let one = self.api_key.as_ref();
        let one = one.map(|key| ApiKey::of_everything("api_key", key.expose_secret()));
        // Settings that can be used have been checked.
        let lines = self.keys.as_deref().map(keys::read);
        let lines = lines.and_then(Result::ok).unwrap_or_default();
        one.into_iter().chain(lines).collect()
    }

    /// Returns whether there are keys.
    pub const fn has_keys(&self) -> bool {
        self.api_key.is_some() || self.keys.is_some()
    }

    /// Returns whether the one key can be guessed by whoever may try for long enough.
    pub(super) fn has_short_key(&self) -> bool {
        let key = self.api_key.as_ref();
        key.is_some_and(|key| key.expose_secret().chars().count() < SHORTEST_KEY)
    }

    fn validate(&self, check: &mut Check<'_>) {
        if let Some(Err(wrong)) = self.keys.as_deref().map(keys::read) {
            check.that(
                "keys",
                false,
                format!("must be keys, one per line: {wrong}"),
            );
        }
        let is_free = |key: &ApiKey| key.name != "api_key";
        check.that(
            "keys",
            self.api_key.is_none() || self.all_keys()[1..].iter().all(is_free),
            "must not have a key called api_key beside auth.api_key",
        );
    }
}
