//! Where the server is and the credential for it; reads no environment, unlike the client library's own configuration.

use crate::config::Ai;
use crate::provider::ProviderError;
use async_openai::config::{Config, OPENAI_API_BASE};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// Address and headers of every call.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The base address without a slash at its end.
    base: String,
    /// Marked sensitive, so that it shows in no log.
    headers: HeaderMap,
    key: SecretString,
    hosted: bool,
    loopback: bool,
}

impl Endpoint {
    /// Checks and keeps what `settings` says.
    pub(super) fn new(settings: &Ai) -> Result<Self, ProviderError> {
        let unavailable = |what: &str| ProviderError::Unavailable(what.to_owned());
        let key = settings
            .api_key
            .as_ref()
            .map(|key| key.expose_secret().trim())
            .filter(|key| !key.is_empty());
        let base = settings
            .base_url
            .as_deref()
            .map(str::trim)
            .filter(|base| !base.is_empty());
        if key.is_none() && base.is_none() {
            return Err(unavailable(
                "set OPENAI_API_KEY, or OPENAI_BASE_URL for another server",
            ));
        }

        let base = base
            .unwrap_or(OPENAI_API_BASE)
            .trim_end_matches('/')
            .to_owned();
        let url = Url::parse(&base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                unavailable("OPENAI_BASE_URL must be an address such as http://127.0.0.1:11434/v1")
            })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unavailable(
                "OPENAI_BASE_URL must not hold a user name or password: use OPENAI_API_KEY",
            ));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());

        let mut headers = HeaderMap::new();
        // Servers without keys want no header at all; the few that insist on one take any OPENAI_API_KEY.
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| unavailable("OPENAI_API_KEY holds characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self {
            hosted: host == "api.openai.com",
            loopback,
            base,
            headers,
            key: SecretString::from(key.unwrap_or_default()),
        })
    }

    /// Returns the base address.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Returns whether the server is OpenAI's own.
    pub(super) fn is_hosted(&self) -> bool {
        self.hosted
    }

    /// Returns whether the server runs on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(key: Option<&str>, base: Option<&str>) -> Result<Endpoint, ProviderError> {
        Endpoint::new(&Ai {
            api_key: key.map(SecretString::from),
            base_url: base.map(str::to_owned),
            ..Ai::default()
        })
    }

    #[test]
    fn a_key_alone_means_openai() {
        let openai = endpoint(Some("sk-test\n"), None).unwrap();
        assert_eq!(
            openai.url("/chat/completions"),
            "https://api.openai.com/v1/chat/completions"
        );
        assert_eq!(openai.headers()[AUTHORIZATION], "Bearer sk-test");
        assert!(openai.is_hosted() && !openai.is_loopback());
        assert!(!format!("{openai:?}").contains("sk-test"));
    }

    #[test]
    fn an_address_alone_needs_no_key() {
        let local = endpoint(Some(" "), Some("http://[::1]:8080/v1/")).unwrap();
        assert_eq!(local.base(), "http://[::1]:8080/v1");
        assert!(local.headers().is_empty() && local.is_loopback() && !local.is_hosted());
        assert!(
            endpoint(None, Some("http://localhost:11434/v1"))
                .unwrap()
                .is_loopback()
        );
    }

    #[test]
    fn says_what_cannot_be_used() {
        for (key, base) in [
            (None, None),
            (Some("ä\u{1}b"), None),
            (None, Some("127.0.0.1:11434")),
            (None, Some("ftp://example.org")),
            (None, Some("http://user:secret@example.org/v1")),
        ] {
            let error = endpoint(key, base).unwrap_err().to_string();
            assert!(
                error.contains("OPENAI_") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
