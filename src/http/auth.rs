//! Who may: the API key, compared in constant time.

use super::error::ApiError;
use crate::{actors::rate_limiter::Client, config::Auth};
use http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// Returns whose allowance a request is taken from, and refuses a wrong key.
pub(super) fn client(auth: &Auth, headers: &HeaderMap, peer: IpAddr) -> Result<Client, ApiError> {
    match (&auth.api_key, presented(headers)) {
        (Some(key), Some(presented)) if same(key.expose_secret(), presented) => Ok(Client::ApiKey),
        (Some(_), Some(_)) => Err(refused("this API key is not known here")),
        (Some(_), None) | (None, _) => Ok(Client::from(peer)),
    }
}

/// Refuses a request without the key, where one is configured.
pub(super) fn require_key(auth: &Auth, client: Client) -> Result<(), ApiError> {
    match (&auth.api_key, client) {
        (Some(_), Client::Address(_)) => Err(refused(
            "this call needs the API key: send it as X-API-Key, or as Authorization: Bearer",
        )),
        _ => Ok(()),
    }
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.as_bytes());
    }
    let (scheme, key) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim().as_bytes())
}

fn same(key: &str, presented: &[u8]) -> bool {
    key.as_bytes().ct_eq(presented).into()
}

fn refused(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn ask(
        key: Option<&str>,
        header: Option<(&'static str, &'static str)>,
    ) -> Result<Client, ApiError> {
        let auth = Auth {
            api_key: key.map(|key| key.to_owned().into()),
        };
        let headers =
            header.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let client = client(
            &auth,
            &headers.into_iter().collect(),
            IpAddr::from([192, 0, 2, 1]),
        )?;
        require_key(&auth, client)?;
        Ok(client)
    }

    #[test]
    fn the_key_is_asked_for_only_where_one_is_configured() {
        assert!(matches!(ask(None, None), Ok(Client::Address(_))));
        assert!(matches!(
            ask(None, Some(("x-api-key", "any"))),
            Ok(Client::Address(_))
        ));
        assert!(ask(Some("secret"), None).is_err());
        assert!(ask(Some("secret"), Some(("x-api-key", "secre"))).is_err());
        assert!(ask(Some("secret"), Some(("authorization", "Basic secret"))).is_err());
        assert_eq!(
            ask(Some("secret"), Some(("x-api-key", "secret"))).unwrap(),
            Client::ApiKey
        );
        assert_eq!(
            ask(Some("secret"), Some(("authorization", "bearer secret"))).unwrap(),
            Client::ApiKey
        );
    }
}
