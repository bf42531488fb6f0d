//! The keys that an issuer publishes: fetched when first needed, when they are old, and when a token names one that is not
//! known, never more often than the pause allows.

use crate::config;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};
use tracing::{info, warn};

/// Largest set of keys in bytes.
const MAX_BYTES: usize = 1_048_576;
/// How long keys are used when the issuer does not answer any more.
const LAST_RESORT: Duration = Duration::from_secs(86_400);

/// A published key.
#[derive(Clone)]
pub(super) struct PublishedKey {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// See the module.
pub(super) struct Jwks {
    url: String,
    client: reqwest::Client,
    max_age: Duration,
    pause: Duration,
    fetched: RwLock<Fetched>,
    /// When the last fetch began; held while one runs.
    tried: Mutex<Option<Instant>>,
}

#[derive(Clone, Default)]
struct Fetched {
    keys: Arc<Vec<PublishedKey>>,
    at: Option<Instant>,
}

/// The issuer's keys cannot be had now.
#[derive(Debug)]
pub(super) struct Unavailable;

impl Jwks {
    pub(super) fn new(config: &config::Jwt, url: &str) -> reqwest::Result<Self> {
        crate::provider::install_crypto();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(config.jwks_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("quiz-stats/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            url: url.to_owned(),
            client: client.build()?,
            max_age: Duration::from_secs(config.jwks_max_age_s),
            pause: Duration::from_millis(config.jwks_pause_ms),
            fetched: RwLock::default(),
            tried: Mutex::default(),
        })
    }

    /// Returns the keys that may have signed a token whose header names `id`.
    pub(super) async fn keys(&self, id: Option<&str>) -> Result<Vec<PublishedKey>, Unavailable> {
        let is_wanted = |key: &&PublishedKey| id.is_none() || key.id.as_deref() == id;
        let mut fetched = self.fetched();
        let is_known = fetched.keys.iter().any(|key| is_wanted(&key));
        if !is_known || is_past(fetched.at, self.max_age) {
            let tried = match is_known {
                // Whoever needs nothing new does not wait for it.
                true => self.tried.try_lock().ok(),
                false => Some(self.tried.lock().await),
            };
            if let Some(mut tried) = tried
                && is_past(*tried, self.pause)
            {
                *tried = Some(Instant::now());
                self.renew().await;
            }
            fetched = self.fetched();
        }
        match is_past(fetched.at, self.max_age.max(LAST_RESORT)) {
            true => Err(Unavailable),
            false => Ok(fetched.keys.iter().filter(is_wanted).cloned().collect()),
        }
    }

    fn fetched(&self) -> Fetched {
        let fetched = self.fetched.read();
        fetched.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self) {
        match self.fetch().await {
            Ok(keys) => {
                info!(keys = keys.len(), "fetched the keys of jwt.jwks_url");
                let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
                *fetched = Fetched {
                    keys: Arc::new(keys),
                    at: Some(Instant::now()),
                };
            }
            Err(error) => warn!(error, "cannot fetch the keys of jwt.jwks_url"),
        }
    }

    async fn fetch(&self) -> Result<Vec<PublishedKey>, String> {
        let told = |error: reqwest::Error| error.without_url().to_string();
        let mut response = self.client.get(&self.url).send().await.map_err(told)?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(format!("it is larger than {MAX_BYTES} bytes"));
            }
        }
        read(&body).ok_or_else(|| "it is no set of keys (RFC 7517)".to_owned())
    }
}

fn is_past(at: Option<Instant>, time: Duration) -> bool {
    at.is_none_or(|at| at.elapsed() >= time)
}

/// Reads a set; keys of other kinds, or for other uses, are left out.
fn read(json: &[u8]) -> Option<Vec<PublishedKey>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(json).ok()?;
    let keys = set.keys.into_iter();
    Some(keys.filter_map(|key| published(key).ok()?).collect())
}

fn published(key: serde_json::Value) -> serde_json::Result<Option<PublishedKey>> {
    let jwk: Jwk = serde_json::from_value(key)?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        // A published secret is none.
        _ => return Ok(None),
    };
    let common = &jwk.common;
    let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature))
        && common
            .key_algorithm
            .is_none_or(|said| said == KeyAlgorithm::from(algorithm));
    let key = DecodingKey::from_jwk(&jwk).ok();
    let id = jwk.common.key_id;
    Ok(key
        .filter(|_| is_for_signatures)
        .map(|key| PublishedKey { id, algorithm, key }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_keys_for_signatures_are_taken() {
        let set = br#"{"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kty": "RSA", "kid": "b", "use": "sig", "alg": "RS256", "n": "sXch", "e": "AQAB"},
            {"kty": "RSA", "kid": "c", "use": "enc", "n": "sXch", "e": "AQAB"},
            {"kty": "RSA", "kid": "d", "alg": "PS256", "n": "sXch", "e": "AQAB"},
            {"kty": "EC", "crv": "P-384", "kid": "e", "x": "AA", "y": "AA"},
            {"kty": "oct", "kid": "f", "k": "c2VjcmV0"},
            {"kty": "new", "kid": "g"},
            17
        ]}"#;
        let keys = read(set).unwrap();
        let taken: Vec<_> = keys
            .iter()
            .map(|key| (key.id.as_deref(), key.algorithm))
            .collect();
        assert_eq!(
            taken,
            [(Some("a"), Algorithm::EdDSA), (Some("b"), Algorithm::RS256)]
        );
        for wrong in [&b"[]"[..], b"{}", b"<html>"] {
            assert!(read(wrong).is_none());
        }
    }
}
