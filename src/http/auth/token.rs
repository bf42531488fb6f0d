//! Tokens (JWT): who signed one, whether it is good now, and what it says of its holder.

use super::{
    Holder, Via, crypto,
    jwks::{Jwks, Unavailable},
};
use crate::config::{self, jwt::public_keys, keys::Role};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

/// Longest name of a holder that is noted, in characters.
const MAX_SUBJECT_CHARS: usize = 64;
/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8_192;

/// Who may issue tokens.
pub(super) struct Tokens {
    secret: Option<DecodingKey>,
    public_keys: Vec<(Algorithm, DecodingKey)>,
    jwks: Option<Jwks>,
    validation: Validation,
}

/// Why a token is not accepted.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// What is wrong with it, to follow "the token".
    Bad(&'static str),
    /// Nobody can say now.
    Unavailable,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    sub: Option<String>,
    iss: Option<serde_json::Value>,
    /// Those of other services are no matter here.
    #[serde(default)]
    roles: Vec<String>,
    channels: Option<Vec<String>>,
}

impl Tokens {
    /// Returns `None` when no tokens are accepted.
    pub(super) fn new(config: &config::Jwt) -> anyhow::Result<Option<Self>> {
        if !config.is_configured() {
            return Ok(None);
        }
        crypto::install();
        let secret = config.secret.as_ref();
        let secret =
            secret.map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()));
        let keys = config.public_keys.as_deref().map(public_keys);
        let jwks = config.jwks_url.as_deref();
        let jwks = jwks.map(|url| Jwks::new(config, url)).transpose()?;
        let mut validation = Validation {
            leeway: config.leeway_s,
            // At `exp` it is over, not a second later (RFC 7519, 4.1.4).
            reject_tokens_expiring_in_less_than: 1,
            validate_nbf: true,
            ..Validation::default()
        };
        // What must be named must be there.
        if let Some(audience) = &config.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if let Some(issuer) = &config.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        Ok(Some(Self {
            secret,
            // Settings that can be used have been checked.
            public_keys: keys.and_then(Result::ok).unwrap_or_default(),
            jwks,
            validation,
        }))
    }

    /// Returns the holder of a token.
    pub(super) async fn holder(&self, token: &str) -> Result<Holder, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::Bad("is too long"));
        }
        let header = decode_header(token).map_err(|_| Refused::Bad("cannot be read"))?;
        let keys = self.keys(header.alg, header.kid.as_deref()).await?;
        // The algorithm is that of our key, which the token's word only chooses: a public key is no secret of HS256.
        let validation = Validation {
            algorithms: vec![header.alg],
            ..self.validation.clone()
        };
        let mut refused = Refused::Bad("is signed with a key that is not known here");
        for key in keys {
            match decode::<Claims>(token, &key, &validation) {
                Ok(data) => return Ok(self.read(data.claims)),
                // Another key may fit.
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                    refused = Refused::Bad("has a wrong signature");
                }
                Err(error) => return Err(Refused::Bad(words(&error))),
            }
        }
        Err(refused)
    }

    /// Returns our keys for an algorithm.
    async fn keys(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, Refused> {
        match algorithm {
            Algorithm::HS256 => Ok(self.secret.iter().cloned().collect()),
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
                let own = self.public_keys.iter();
                let own = own.filter(|(own, _)| *own == algorithm);
                let mut keys: Vec<_> = own.map(|(_, key)| key.clone()).collect();
                if let Some(jwks) = &self.jwks {
                    let published = jwks.keys(id).await;
                    let published = published.map_err(|Unavailable| Refused::Unavailable)?;
                    let published = published.into_iter();
                    let published = published.filter(|key| key.algorithm == algorithm);
                    keys.extend(published.map(|key| key.key));
                }
                Ok(keys)
            }
            _ => Err(Refused::Bad(
                "is signed in another way than HS256, RS256, ES256 or EdDSA",
            )),
        }
    }

    fn read(&self, claims: Claims) -> Holder {
        let roles = claims
            .roles
            .iter()
            .filter_map(|role| role.parse::<Role>().ok());
        let subject = claims.sub.unwrap_or_default();
        let named = subject.chars().filter(|c| !c.is_control());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an end beyond all time is none"
        )]
        let ends_s = claims.exp.round() as u64;
        Holder {
            name: named.take(MAX_SUBJECT_CHARS).collect(),
            via: Via::Token {
                client: client(claims.iss.as_ref(), &subject),
            },
            roles: roles.collect(),
            channels: claims.channels,
            expires_at: Some(
                ends_s
                    .saturating_add(self.validation.leeway)
                    .saturating_mul(1_000),
            ),
        }
    }
}

/// Returns what tells this subject of this issuer from others; `None` for a token that names nobody.
fn client(issuer: Option<&serde_json::Value>, subject: &str) -> Option<u64> {
    if subject.is_empty() {
        return None;
    }
    let issuer = issuer.map(ToString::to_string).unwrap_or_default();
    let hash = config::keys::hash(format!("{issuer}\n{subject}"));
    let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
    Some(u64::from_be_bytes(*first))
}

fn words(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::ExpiredSignature => "has expired: get a new one",
        ErrorKind::ImmatureSignature => "is not valid yet: are the clocks right?",
        ErrorKind::InvalidAudience => "is for somebody else: its aud is not jwt.audience",
        ErrorKind::InvalidIssuer => "is from somebody else: its iss is not jwt.issuer",
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => "has no exp",
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => "has no aud",
        ErrorKind::MissingRequiredClaim(_) => "has no iss",
        _ => "cannot be read",
    }
}

#[cfg(test)]
mod tests;
