//! `[jwt]`: tokens that somebody else issues, beside keys.

use super::{check::Check, section::section};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

section! {
    /// Tokens (JWT) that somebody else issues, as Authorization: Bearer. Their claims `roles` and `channels` say what the
    /// holder may do, as those of a key do; `exp` must be there.
    [jwt] Jwt {
        /// The secret of tokens that are signed with HS256, at least 32 characters. Alias `JWT_SECRET`.
        secret: Option<SecretString> = None,
        /// Public keys of tokens that are signed with RS256, ES256 or EdDSA, in PEM, one after the other. Better in a file of
        /// their own: QUIZ_STATS__JWT__PUBLIC_KEYS_FILE.
        public_keys: Option<String> = None,
        /// Where the issuer publishes such keys (JWKS): an https address, or http on this machine.
        jwks_url: Option<String> = None,
        /// What tokens must name as `aud`. When not set, tokens that name any are refused.
        audience: Option<String> = None,
        /// What tokens must name as `iss`.
        issuer: Option<String> = None,
        /// Seconds by which the issuer's clock may differ.
        leeway_s: u64 = 30,
        /// Seconds after which the keys at jwks_url are fetched anew.
        jwks_max_age_s: u64 = 3_600,
        /// Least milliseconds between two fetches. A token with a key that is not known yet leads to one.
        jwks_pause_ms: u64 = 30_000,
        /// Milliseconds for one fetch.
        jwks_timeout_ms: u64 = 3_000,
    }
}

/// A secret that is shorter than what HS256 makes of it can be guessed (RFC 7518, 3.2).
const MIN_SECRET_BYTES: usize = 32;

impl Jwt {
    /// Returns whether any token is accepted.
    pub const fn is_configured(&self) -> bool {
        self.secret.is_some() || self.public_keys.is_some() || self.jwks_url.is_some()
    }

    fn validate(&self, check: &mut Check<'_>) {
        let secret = self.secret.as_ref().map(ExposeSecret::expose_secret);
        check.that(
            "secret",
            secret.is_none_or(|secret| secret.len() >= MIN_SECRET_BYTES),
            format!("must have at least {MIN_SECRET_BYTES} characters, such as openssl rand -hex 32 prints"),
        );
        if let Some(Err(wrong)) = self.public_keys.as_deref().map(public_keys) {
            check.that("public_keys", false, wrong);
        }
        check.that(
            "jwks_url",
            self.jwks_url.as_deref().is_none_or(is_safe),
            "must be an https address such as https://id.example/.well-known/jwks.json; http on this machine alone",
        );
        let names_us = self.audience.is_some() || self.issuer.is_some();
        let is_shared = self.public_keys.is_some() || self.jwks_url.is_some();
        check.that(
            "audience",
            names_us || !is_shared,
            "must be set, or jwt.issuer: an issuer's keys sign tokens for others too",
        );
        check.between("leeway_s", self.leeway_s, 0, 300);
        check.between("jwks_max_age_s", self.jwks_max_age_s, 1, 86_400);
        check.milliseconds("jwks_pause_ms", self.jwks_pause_ms);
        check.milliseconds("jwks_timeout_ms", self.jwks_timeout_ms);
    }
}

/// Whoever can change the keys on their way can make tokens.
fn is_safe(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
        _ => false,
    })
}

/// Reads public keys in PEM, each with the one algorithm that it is for.
///
/// # Errors
/// What is wrong, to follow "must".
pub fn public_keys(text: &str) -> Result<Vec<(Algorithm, DecodingKey)>, String> {
    const BEGIN: &str = "-----BEGIN ";
    if text.contains("PRIVATE KEY") {
        return Err(
            "must be public keys: this is a private one, which nobody but the issuer should have"
                .to_owned(),
        );
    }
    let blocks = text
        .split(BEGIN)
        .skip(1)
        .map(|block| format!("{BEGIN}{block}"));
    let keys = (1..).zip(blocks).map(|(number, block)| {
        public_key(block.as_bytes()).ok_or_else(|| {
            format!("must be RSA, P-256 or Ed25519 keys in PEM (BEGIN PUBLIC KEY): number {number} is none")
        })
    });
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err("must be public keys in PEM (BEGIN PUBLIC KEY)".to_owned()),
        false => Ok(keys),
    }
}

fn public_key(pem: &[u8]) -> Option<(Algorithm, DecodingKey)> {
    const P256_POINT_BYTES: usize = 65;
    let is_p256 = |key: &DecodingKey| {
        key.try_get_as_bytes()
            .is_ok_and(|point| point.len() == P256_POINT_BYTES)
    };
    let rsa = || DecodingKey::from_rsa_pem(pem).map(|key| (Algorithm::RS256, key));
    let ec = DecodingKey::from_ec_pem(pem).ok().filter(is_p256);
    let ed = DecodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key));
    ec.map(|key| (Algorithm::ES256, key))
        .or_else(|| ed.ok())
        .or_else(|| rsa().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

    #[test]
    fn keys_are_read_one_after_the_other() {
        let p256 = include_str!("../../tests/keys/p256.pub.pem");
        let rsa = include_str!("../../tests/keys/rsa.pub.pem");
        let keys = public_keys(&format!("# ours\n{ED25519}\n{p256}{rsa}")).unwrap();
        let algorithms: Vec<_> = keys.iter().map(|(algorithm, _)| *algorithm).collect();
        assert_eq!(
            algorithms,
            [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256]
        );
    }

    #[test]
    fn what_is_no_public_key_is_told() {
        let private = "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n";
        for (text, told) in [
            ("", "BEGIN PUBLIC KEY"),
            (private, "private"),
            (
                &format!("{ED25519}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
                "number 2",
            ),
        ] {
            let wrong = public_keys(text).err().unwrap();
            assert!(wrong.contains(told), "{wrong}");
        }
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for address in [
            "https://id.example/jwks",
            "http://127.0.0.1:8080/jwks",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert!(is_safe(address), "{address}");
        }
        for address in [
            "http://id.example/jwks",
            "http://localhost.example/",
            "ftp://id.example/",
            "id.example",
            "",
        ] {
            assert!(!is_safe(address), "{address}");
        }
    }
}
