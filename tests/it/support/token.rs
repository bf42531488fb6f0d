//! Tokens (JWT) of the tests' own issuer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// What it shares with the server.
pub(crate) const SECRET: &str = "an-issuer-and-a-server-share-this-secret";

/// Returns the time in seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// Returns the claims of a subject for a number of seconds.
pub(crate) fn claims(subject: &str, roles: &[&str], lasts: u64) -> Value {
    json!({ "sub": subject, "roles": roles, "exp": now() + lasts })
}

/// Signs with the shared secret.
pub(crate) fn hs256(claims: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    signed(&header, claims, |message| {
        hmac::sign(&key, message).as_ref().to_vec()
    })
}

/// A key of an issuer that publishes its keys.
pub(crate) struct IssuerKey {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl IssuerKey {
    /// Makes one.
    pub(crate) fn new(id: &'static str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        Self { id, pair }
    }

    /// Signs with it.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.id });
        signed(&header, claims, |message| {
            self.pair.sign(message).as_ref().to_vec()
        })
    }

    /// Returns it as it is published.
    pub(crate) fn jwk(&self) -> Value {
        let x = BASE64.encode(self.pair.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": x })
    }
}

fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = BASE64.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}
