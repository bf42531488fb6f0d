//! Pages of other sites: which may read what is answered here, and follow channels (Fetch Standard, CORS).
//!
//! Whether a page may ask at all is not decided here: what changes something needs a content type, a method or a header
//! that a browser sends across sites only after it has asked (a preflight).

use super::{
    error::ApiError,
    respond::{Body, full, set},
};
use crate::config::{self, Settings};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use std::net::IpAddr;

/// What a page of another site may send beside the harmless.
const ALLOWED_HEADERS: &str = "accept, authorization, content-type, idempotency-key, last-event-id, prefer, x-api-key, x-request-id";
/// What it may read.
const EXPOSED_HEADERS: &str =
    "location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id";
/// How long a browser need not ask again, in seconds; browsers take two hours at most.
const PREFLIGHT_LASTS: &str = "7200";

/// The sites that are allowed.
pub(super) struct Origins {
    listed: Vec<String>,
    /// Whether being on this machine is all that it takes to be served.
    trusts_machine: bool,
}

impl Origins {
    pub(super) fn new(settings: &Settings) -> Self {
        let listed = settings.server.cors_allowed_origins.as_deref();
        let listed = config::origins(listed.unwrap_or_default());
        Self {
            listed: listed.map(str::to_owned).collect(),
            trusts_machine: !settings.is_guarded() && !settings.auth.allow_anonymous,
        }
    }

    /// Refuses a page whose site's name leads to this machine without being its name: a site that gives its own name this
    /// address (DNS rebinding) is of the same origin for browsers, and here nobody else asks who calls.
    pub(super) fn may_come<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let headers = request.headers();
        let Some(origin) = named(headers).filter(|_| self.trusts_machine) else {
            return Ok(());
        };
        match self.lists(origin) || asked_host(request).is_some_and(|host| is_machine(&host)) {
            true => Ok(()),
            false => Err(refused(headers)),
        }
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
        if !named(headers).is_some_and(|origin| self.lists(origin)) {
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
        if self.listed.is_empty() {
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

    fn lists(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed == origin)
    }
}

/// Returns the origin that a browser names.
pub(super) fn named(headers: &HeaderMap) -> Option<&str> {
    let origin = headers.get(header::ORIGIN)?;
    Some(origin.to_str().unwrap_or("?"))
}

/// Returns whether a page of this server asks. A proxy in front may have another port and scheme, so the host counts.
fn is_own<B>(origin: &str, request: &Request<B>) -> bool {
    let asked = asked_host(request);
    asked.is_some() && asked == origin.parse().ok().as_ref().and_then(host)
}

/// Returns the host that a request is for, in lower case.
fn asked_host<B>(request: &Request<B>) -> Option<String> {
    let named = request.headers().get(header::HOST);
    match named.and_then(|host| host.to_str().ok()) {
        Some(named) => host(&format!("http://{named}").parse().ok()?),
        None => host(request.uri()),
    }
}

fn host(uri: &Uri) -> Option<String> {
    uri.host().map(str::to_ascii_lowercase)
}

/// Returns whether a host is this machine without anybody's name server having a say.
fn is_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost")
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
        let mut settings = Settings::default();
        let listed = "https://quiz.example, http://localhost:5173";
        settings.server.cors_allowed_origins = Some(listed.to_owned());
        Origins::new(&settings)
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
        assert!(origins.may_come(&program).is_ok());
        assert!(origins.may_connect(&program).is_ok());
    }

    #[test]
    fn a_name_that_was_bent_to_this_machine_opens_nothing() {
        let may_come = |origins: &Origins, host: &str, origin: &str| {
            let request = request(host, origin);
            origins.may_come(&request).is_ok()
        };
        let alone = origins();
        for (host, origin) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("localhost:3000", "http://localhost:3000"),
            ("quiz.localhost", "http://quiz.localhost"),
            ("quiz.example", "https://quiz.example"),
        ] {
            assert!(may_come(&alone, host, origin), "{origin}");
        }
        let bent = ("evil.example:3000", "http://evil.example:3000");
        for host in [
            bent.0,
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
        ] {
            assert!(!may_come(&alone, host, bent.1), "{host}");
        }
        // Where a key is asked for, that page has none.
        let mut guarded = Settings::default();
        guarded.auth.api_key = Some("key".to_owned().into());
        assert!(may_come(&Origins::new(&guarded), bent.0, bent.1));
    }
}
