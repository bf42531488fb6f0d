//! `[auth]`: who may do what.

use super::{check::Check, section::section};
use secrecy::SecretString;

section! {
    /// Who may do what.
    [auth] Auth {
        /// The key that guards every state-changing call. Alias `API_KEY`.
        api_key: Option<SecretString> = None,
    }
}

impl Auth {
    /// The type says it all.
    fn validate(&self, _check: &mut Check<'_>) {}
}
