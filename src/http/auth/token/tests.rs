//! Tokens as issuers make them, and as attackers do.

use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use futures_util::FutureExt as _;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const P256: &[u8] = include_bytes!("../../../../tests/keys/p256.pkcs8.der");
const P256_PUBLIC: &str = include_str!("../../../../tests/keys/p256.pub.pem");
const RSA: &[u8] = include_bytes!("../../../../tests/keys/rsa.pkcs8.der");
const RSA_PUBLIC: &str = include_str!("../../../../tests/keys/rsa.pub.pem");

fn config() -> config::Jwt {
    config::Jwt {
        secret: Some(SECRET.to_owned().into()),
        public_keys: Some(format!("{P256_PUBLIC}{RSA_PUBLIC}")),
        audience: Some("quiz".to_owned()),
        issuer: Some("https://id.example".to_owned()),
        ..config::Jwt::default()
    }
}

fn now() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

fn claims() -> Value {
    json!({
        "sub": "anna", "aud": ["other", "quiz"], "iss": "https://id.example", "exp": now() + 60,
        "roles": ["analyze", "janitor"], "channels": ["hall"],
    })
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn with_signature(message: &str, signature: &[u8]) -> String {
    format!("{message}.{}", BASE64.encode(signature))
}

fn hs256(claims: &Value, secret: &[u8]) -> String {
    let message = message(&json!({ "alg": "HS256", "typ": "JWT" }), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, message.as_bytes());
    with_signature(&message, signature.as_ref())
}

fn es256(claims: &Value) -> String {
    let (message, random) = (
        message(&json!({ "alg": "ES256" }), claims),
        SystemRandom::new(),
    );
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, P256, &random).unwrap();
    with_signature(
        &message,
        key.sign(&random, message.as_bytes()).unwrap().as_ref(),
    )
}

fn rs256(claims: &Value) -> String {
    let message = message(&json!({ "alg": "RS256" }), claims);
    let key = RsaKeyPair::from_pkcs8(RSA).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    with_signature(&message, &signature)
}

fn holder_by(config: &config::Jwt, token: &str) -> Result<Holder, Refused> {
    let tokens = Tokens::new(config).unwrap().unwrap();
    let holder = tokens.holder(token).now_or_never();
    holder.expect("no key is fetched")
}

fn holder(token: &str) -> Result<Holder, Refused> {
    holder_by(&config(), token)
}

fn why(token: &str) -> &'static str {
    match holder(token) {
        Err(Refused::Bad(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_says_who_its_holder_is_and_what_for() {
    for token in [
        hs256(&claims(), SECRET.as_bytes()),
        es256(&claims()),
        rs256(&claims()),
    ] {
        let holder = holder(&token).unwrap();
        assert_eq!(holder.name, "anna");
        assert_eq!(holder.roles, [Role::Analyze], "others are no matter here");
        assert_eq!(holder.channels.as_deref(), Some(&["hall".to_owned()][..]));
        let expires_at = holder.expires_at.unwrap();
        assert!((now() + 60..now() + 120).contains(&(expires_at / 1_000)));
    }
}

#[test]
fn subjects_of_an_issuer_are_told_apart() {
    let via = |subject: Value| {
        let mut claims = claims();
        claims["sub"] = subject;
        holder(&hs256(&claims, SECRET.as_bytes())).unwrap().via
    };
    assert_eq!(via(json!("anna")), via(json!("anna")));
    assert_ne!(via(json!("anna")), via(json!("ben")));
    assert_eq!(via(Value::Null), Via::Token { client: None });
}

#[test]
fn a_claim_that_does_not_fit_is_told() {
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        match value.is_null() {
            true => drop(claims.as_object_mut().unwrap().remove(name)),
            false => claims[name] = value,
        }
        why(&hs256(&claims, SECRET.as_bytes()))
    };
    for (name, value, told) in [
        ("exp", json!(now() - 31), "has expired"),
        ("exp", Value::Null, "cannot be read"),
        ("exp", json!("tomorrow"), "cannot be read"),
        ("nbf", json!(now() + 60), "not valid yet"),
        ("nbf", json!("tomorrow"), "cannot be read"),
        ("aud", json!("other"), "jwt.audience"),
        ("aud", Value::Null, "has no aud"),
        ("iss", json!("https://evil.example"), "jwt.issuer"),
        ("iss", Value::Null, "has no iss"),
        ("roles", json!("admin"), "cannot be read"),
    ] {
        let said = with(name, value.clone());
        assert!(said.contains(told), "{name} {value}: {said}");
    }
}

#[test]
fn a_token_for_somebody_is_not_for_a_server_without_a_name() {
    let config = config::Jwt {
        secret: Some(SECRET.to_owned().into()),
        ..config::Jwt::default()
    };
    let token = hs256(&claims(), SECRET.as_bytes());
    let refused = holder_by(&config, &token).unwrap_err();
    assert!(matches!(refused, Refused::Bad(why) if why.contains("aud")));
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("aud");
    assert!(holder_by(&config, &hs256(&claims, SECRET.as_bytes())).is_ok());
}

#[test]
fn nobody_but_the_issuer_can_make_one() {
    let admin = json!({
        "sub": "eve", "aud": "quiz", "iss": "https://id.example", "exp": now() + 60, "roles": ["admin"],
    });
    // No signature at all.
    for algorithm in ["none", "None", "NONE", ""] {
        let unsigned = message(&json!({ "alg": algorithm }), &admin);
        assert_eq!(why(&format!("{unsigned}.")), "cannot be read");
    }
    // The public key as the secret, in every spelling that is at hand.
    let der = public_keys(RSA_PUBLIC).unwrap().remove(0).1;
    let trimmed = RSA_PUBLIC.trim_end();
    for secret in [
        RSA_PUBLIC.as_bytes(),
        trimmed.as_bytes(),
        der.try_get_as_bytes().unwrap(),
        P256_PUBLIC.as_bytes(),
        b"",
    ] {
        assert_eq!(why(&hs256(&admin, secret)), "has a wrong signature");
        let config = config::Jwt {
            secret: None,
            ..config()
        };
        let refused = holder_by(&config, &hs256(&admin, secret)).unwrap_err();
        assert!(matches!(refused, Refused::Bad(why) if why.contains("not known here")));
    }
    // Another token's signature, another algorithm's name, a changed letter.
    let good = es256(&claims());
    let signature = good.rsplit('.').next().unwrap();
    for algorithm in [
        "ES256", "RS256", "HS256", "EdDSA", "PS256", "ES384", "HS512",
    ] {
        let forged = message(&json!({ "alg": algorithm }), &admin);
        assert!(
            holder(&format!("{forged}.{signature}")).is_err(),
            "{algorithm}"
        );
        let (_, rest) = good.split_once('.').unwrap();
        let renamed = BASE64.encode(json!({ "alg": algorithm }).to_string());
        assert_eq!(
            holder(&format!("{renamed}.{rest}")).is_ok(),
            algorithm == "ES256"
        );
    }
    // A header that brings its own key.
    let header = json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": BASE64.encode("mine") }, "jku": "http://127.0.0.1/" });
    let message = message(&header, &admin);
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"mine");
    let signature = hmac::sign(&key, message.as_bytes());
    assert_eq!(
        why(&with_signature(&message, signature.as_ref())),
        "has a wrong signature"
    );
    for garbage in ["", "..", "a.b.c", "e30.e30.", &"a.".repeat(5_000)] {
        assert!(holder(garbage).is_err(), "{garbage}");
    }
}
