//! Pages of other sites: which may read what is answered here, and follow channels (Fetch Standard, CORS).
//!
//! Whether a page may ask at all is not decided here: what changes something needs a content type, a method or a header
//! that a browser sends across sites only after it has asked (a preflight).

use super::{
    error::ApiError,
    respond::{Body, full, set},
};
use crate::config;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};

/// What a page of another site may send beside the harmless.
const ALLOWED_HEADERS: &str = "accept, authorization, content-type, idempotency-key, last-event-id, prefer, x-api-key, x-request-id";
/// What it may read.
const EXPOSED_HEADERS: &str =
    "location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id";
/// How long a browser need not ask again, in seconds; browsers take two hours at most.
const PREFLIGHT_LASTS: &str = "7200";

/// The sites that are allowed.
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn new(config: &config::Server) -> Self {
        let listed = config.cors_allowed_origins.as_deref().unwrap_or_default();
        Self(config::origins(listed).map(str::to_owned).collect())
    }

    /// Returns the answer to a preflight; `None` when it is none.
    pub(super) fn preflight<B>(
        &self,
        request: &Request<B>,
        methods: &str,
    ) -> Option<Result<Response<Body>, ApiError>> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        if !self.has_listed(headers) {
            return Some(Err(refused(headers)));
        }
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_LASTS),
        ] {
            set(&mut response, name, value);
        }
        Some(Ok(response))
    }

    /// Lets a page of a listed site read the response.
    pub(super) fn share(&self, origin: Option<&str>, response: &mut Response<Body>) {
        if self.0.is_empty() {
            return;
        }
        // A cache must not give one site's answer to another.
        response
            .headers_mut()
            .append(header::VARY, http::HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.lists(origin)) {
            set(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            set(
                response,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                EXPOSED_HEADERS,
            );
        }
    }

    /// Refuses a WebSocket to pages of other sites: for it browsers ask nobody. Programs name no origin.
    pub(super) fn may_connect<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let headers = request.headers();
        let Some(origin) = named(headers) else {
            return Ok(());
        };
        match is_own(origin, request) || self.lists(origin) {
            true => Ok(()),
            false => Err(refused(headers)),
        }
    }

    fn has_listed(&self, headers: &HeaderMap) -> bool {
        named(headers).is_some_and(|origin| self.lists(origin))
    }

    fn lists(&self, origin: &str) -> bool {
        self.0.iter().any(|listed| listed == origin)
    }
}

/// Returns the origin that a browser names.
pub(super) fn named(headers: &HeaderMap) -> Option<&str> {
    let origin = headers.get(header::ORIGIN)?;
    Some(origin.to_str().unwrap_or("?"))
}

/// Returns whether a page of this server asks. A proxy in front may have another port and scheme, so the host counts.
fn is_own<B>(origin: &str, request: &Request<B>) -> bool {
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    let host_header = request.headers().get(header::HOST);
    let asked = match host_header.and_then(|host| host.to_str().ok()) {
        Some(host) => format!("http://{host}").parse().ok(),
        None => Some(request.uri().clone()),
    };
    let (asked, origin) = (asked.as_ref().and_then(host), origin.parse().ok());
    asked.is_some() && asked == origin.as_ref().and_then(host)
}

fn refused(headers: &HeaderMap) -> ApiError {
    let origin: String = named(headers)
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(200)
        .collect();
    ApiError::forbidden(format!(
        "pages of {origin} are not allowed here: add it to CORS_ALLOWED_ORIGINS (server.cors_allowed_origins)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(&config::Server {
            cors_allowed_origins: Some("https://quiz.example, http://localhost:5173".to_owned()),
            ..config::Server::default()
        })
    }

    fn request(host: &str, origin: &str) -> Request<()> {
        let request = Request::get("/ws").header("host", host);
        request.header("origin", origin).body(()).unwrap()
    }

    #[test]
    fn a_websocket_is_for_this_servers_pages_and_listed_ones() {
        let origins = origins();
        for (host, origin) in [
            ("quiz.test:3000", "http://quiz.test:3000"),
            ("QUIZ.test", "https://quiz.test:8443"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("quiz.test", "https://quiz.example"),
            ("quiz.test", "http://localhost:5173"),
        ] {
            assert!(
                origins.may_connect(&request(host, origin)).is_ok(),
                "{origin}"
            );
        }
        for origin in [
            "https://evil.example",
            "http://quiz.example",
            "https://quiz.example:444",
            "https://quiz.example.evil.example",
            "https://sub.quiz.example",
            "null",
            "",
        ] {
            let request = request("quiz.test:3000", origin);
            assert!(origins.may_connect(&request).is_err(), "{origin}");
        }
        let program = Request::get("/ws").body(()).unwrap();
        assert!(origins.may_connect(&program).is_ok());
    }
}
