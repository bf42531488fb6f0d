//! An answer with an error status: what it means for the caller. Nothing of the server's text leaves this file but its
//! error code, since the text may repeat the key or the prompt.

use crate::provider::ProviderError;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Longest wait that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a server said with an error status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    retry_after: Option<Duration>,
    /// Whether the body is JSON, as it is from the model's server and is not from what stands before it.
    json: bool,
    code: Option<String>,
    /// The parameter that is refused, or else the whole body; lower case, only ever searched.
    about: String,
}

impl Refusal {
    /// Reads an answer's status, headers and (possibly cut) body.
    pub(super) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let value = serde_json::from_slice::<Value>(body).ok();
        let error = value
            .as_ref()
            .map(|value| value.get("error").unwrap_or(value));
        let text = |name: &str| {
            error
                .and_then(|error| error.get(name)?.as_str())
                .filter(|text| !text.is_empty())
        };
        Self {
            status,
            retry_after: retry_after(headers, SystemTime::now()),
            json: value.is_some(),
            code: [text("code"), text("type")]
                .into_iter()
                .flatten()
                .find(|code| is_code(code))
                .map(str::to_owned),
            about: match text("param") {
                Some(param) => {
                    format!("{param} {}", text("message").unwrap_or_default()).to_lowercase()
                }
                None => String::from_utf8_lossy(body).to_lowercase(),
            },
        }
    }

    /// Returns whether the status fits a parameter that the server does not know.
    pub(super) fn may_be_about_a_parameter(&self) -> bool {
        matches!(self.status, 400 | 404 | 422)
    }

    /// Returns whether the server's words hold `name`.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.about.contains(name)
    }

    /// Returns whether nothing is known of the reason, so that it could be any part of the request.
    pub(super) fn is_unexplained(&self) -> bool {
        let explained = self.is_unknown_model()
            || self.is_out_of_quota()
            || [
                "context_length",
                "context length",
                "content_filter",
                "content_policy",
                "content management",
            ]
            .iter()
            .any(|reason| self.mentions(reason));
        matches!(self.status, 400 | 422) && !explained
    }

    fn is_unknown_model(&self) -> bool {
        self.code.as_deref() == Some("model_not_found")
            || self.mentions("model")
                && (self.mentions("not found") || self.mentions("does not exist"))
    }

    fn is_out_of_quota(&self) -> bool {
        let codes = [
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
        ];
        self.status == 402
            || codes
                .iter()
                .any(|code| self.code.as_deref() == Some(code) || self.mentions(code))
    }

    /// Returns the error that callers act on.
    pub(super) fn into_error(self) -> ProviderError {
        match self.status {
            400 | 402 | 403 | 429 if self.is_out_of_quota() => ProviderError::QuotaExhausted,
            401 | 403 => ProviderError::Auth {
                status: self.status,
            },
            429 => ProviderError::RateLimited {
                retry_after: self.retry_after,
            },
            408 | 500.. => ProviderError::Server {
                status: self.status,
            },
            status => ProviderError::Rejected {
                status,
                reason: self.reason(),
            },
        }
    }

    fn reason(self) -> String {
        match self.status {
            _ if self.is_unknown_model() => {
                "it does not have the model, check OPENAI_MODEL".to_owned()
            }
            300..=399 => "it redirects, check OPENAI_BASE_URL".to_owned(),
            404 | 405 if !self.json => {
                "no such address, check OPENAI_BASE_URL, which usually ends in /v1".to_owned()
            }
            _ => self
                .code
                .unwrap_or_else(|| "it gave no error code".to_owned()),
        }
    }
}

/// Returns whether `text` looks like an error code rather than prose or a secret.
fn is_code(text: &str) -> bool {
    text.len() <= 48
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns how long the server asks to wait: `Retry-After` in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        // A date that has passed asks for no wait.
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn error(status: u16, body: &str) -> ProviderError {
        Refusal::new(status, &HeaderMap::new(), body.as_bytes()).into_error()
    }

    fn rejected(status: u16, reason: &str) -> ProviderError {
        ProviderError::Rejected {
            status,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn statuses_mean_what_callers_act_on() {
        assert_eq!(error(401, "<html>"), ProviderError::Auth { status: 401 });
        assert_eq!(
            error(403, r#"{"error":"no"}"#),
            ProviderError::Auth { status: 403 }
        );
        assert_eq!(
            error(429, "<html>slow down</html>"),
            ProviderError::RateLimited { retry_after: None }
        );
        assert_eq!(
            error(429, r#"{"error":{"code":"insufficient_quota"}}"#),
            ProviderError::QuotaExhausted
        );
        assert_eq!(
            error(
                429,
                r#"{"error":{"type":"insufficient_quota","code":null}}"#
            ),
            ProviderError::QuotaExhausted
        );
        assert_eq!(error(402, "{}"), ProviderError::QuotaExhausted);
        assert_eq!(error(408, ""), ProviderError::Server { status: 408 });
        assert_eq!(error(529, "x"), ProviderError::Server { status: 529 });
        assert_eq!(
            error(418, r#"{"error":{"code":"teapot"}}"#),
            rejected(418, "teapot")
        );
        assert_eq!(
            error(307, ""),
            rejected(307, "it redirects, check OPENAI_BASE_URL")
        );
    }

    #[test]
    fn reasons_help_and_repeat_no_text() {
        let unknown = r#"{"error":{"message":"model 'x' not found, try pulling it first"}}"#;
        assert_eq!(
            error(404, unknown),
            rejected(404, "it does not have the model, check OPENAI_MODEL")
        );
        assert!(
            error(404, "404 page not found")
                .to_string()
                .contains("OPENAI_BASE_URL")
        );
        for code in ["sk-ABC", "You sent: What is 2+2?", &"a".repeat(49)] {
            let body = serde_json::json!({"error": {"code": code}}).to_string();
            assert_eq!(error(400, &body), rejected(400, "it gave no error code"));
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |value: &str| {
            retry_after(
                &HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]),
                now,
            )
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:47 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("99999999999"), Some(MAX_RETRY_AFTER));
        for bad in ["", "-1", "NaN", "inf", "soon", "1e400"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
