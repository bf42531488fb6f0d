//! Scripts: what Redis does in one piece.

use super::Link;
use crate::store::StoreError;
use fred::{interfaces::LuaInterface as _, types::Value, util::sha1_hash};
use std::sync::LazyLock;

/// A script and the name that Redis knows it by.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

/// Appends to one channel.
pub(super) static APPEND: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("append.lua")));
/// Gives a stream a new epoch.
pub(super) static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("renew.lua")));
/// Notes what an idempotency key was used for.
pub(super) static CLAIM: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("claim.lua")));

impl Script {
    fn new(text: &'static str) -> Self {
        Self {
            hash: sha1_hash(text),
            text,
        }
    }

    /// Runs it. Redis forgets scripts when it restarts; then the text is sent along once more.
    pub(super) async fn run(
        &self,
        link: &Link,
        keys: Vec<String>,
        arguments: Vec<Value>,
    ) -> Result<Value, StoreError> {
        link.call(async {
            let client = link.client();
            match client
                .evalsha(self.hash.clone(), keys.clone(), arguments.clone())
                .await
            {
                Err(error) if error.details().starts_with("NOSCRIPT") => {
                    client.eval(self.text, keys, arguments).await
                }
                outcome => outcome,
            }
        })
        .await
    }
}
