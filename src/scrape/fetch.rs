//! One plain request, through a gate: the page as it is before any script has run.

use super::{charset::decode, trouble};
use crate::{
    egress::Gate,
    page::{FailReason, PageError},
};
use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use tokio::time::{Instant, timeout_at};

/// What is asked for.
const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1";
/// Media types that are pages.
const PAGES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A page: of anything else, the body is not even read.
    Page,
    /// Any text.
    Text,
}

/// What came of one request.
#[derive(Debug)]
pub(super) enum Fetched {
    /// An answer.
    Answer {
        /// The HTTP status.
        status: StatusCode,
        /// The media type, lower case, without parameters; empty when the server named none.
        media: String,
        /// What it says; empty unless the status is a success and it is what was asked for.
        text: String,
    },
    /// It is somewhere else.
    Moved(Url),
}

/// Returns a client whose way out is a gate. One for each page: it keeps nothing from one page for another.
///
/// # Errors
/// When the client cannot be made.
pub(super) fn client(gate: &Gate, agent: &str) -> Result<Client, PageError> {
    crate::provider::install_crypto();
    let mut headers = header::HeaderMap::new();
    headers.insert(header::ACCEPT, header::HeaderValue::from_static(ACCEPT));
    let client = reqwest::Proxy::all(gate.proxy()).and_then(|proxy| {
        Client::builder()
            .proxy(proxy)
            .user_agent(agent)
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .build()
    });
    client.map_err(|_| {
        PageError::Failed(FailReason::Refused, "no HTTP client can be made".to_owned())
    })
}

/// Makes one request.
///
/// # Errors
/// Why there is no page.
pub(super) async fn fetch(
    client: &Client,
    gate: &Gate,
    url: &Url,
    wanted: Wanted,
    deadline: Instant,
) -> Result<Fetched, PageError> {
    let read = async {
        let response = client
            .get(url.clone())
            .send()
            .await
            .map_err(|error| failure(&error, gate, url))?;
        // What the gate itself answers looks like the site's answer.
        if let Some(fault) = trouble::fault(gate, url) {
            return Err(fault);
        }
        take(response, gate, url, wanted).await
    };
    match timeout_at(deadline, read).await {
        Ok(outcome) => outcome,
        Err(_) => Err(trouble::too_slow(url)),
    }
}

async fn take(
    mut response: Response,
    gate: &Gate,
    url: &Url,
    wanted: Wanted,
) -> Result<Fetched, PageError> {
    let status = response.status();
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if status.is_redirection()
        && let Some(target) = header(header::LOCATION).and_then(|location| url.join(location).ok())
    {
        return Ok(Fetched::Moved(target));
    }
    let content_type = header(header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let media = content_type.split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    let mut bytes = Vec::new();
    if status.is_success() && (wanted == Wanted::Text || is_page(&media)) {
        // The gate's budget bounds it.
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| failure(&error, gate, url))?
        {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(Fetched::Answer {
        status,
        media,
        text: decode(&bytes, &content_type),
    })
}

/// Returns the markup of an answer that is a page.
///
/// # Errors
/// When it is none.
pub(super) fn page(
    url: &Url,
    status: StatusCode,
    media: &str,
    text: String,
) -> Result<String, PageError> {
    if !status.is_success() {
        return Err(trouble::status(url, status.as_u16()));
    }
    match is_page(media) {
        true => Ok(text),
        false => Err(trouble::not_a_page(url, media)),
    }
}

/// Returns whether a media type is that of a page; a server that names none may mean one.
fn is_page(media: &str) -> bool {
    media.is_empty() || PAGES.contains(&media)
}

/// Returns why a request failed; the gate knows better than the client.
fn failure(error: &reqwest::Error, gate: &Gate, url: &Url) -> PageError {
    if gate.meter().is_exhausted() {
        return trouble::too_large(url);
    }
    if let Some(fault) = trouble::fault(gate, url) {
        return fault;
    }
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| {
        error.source()
    });
    // An I/O error hides what it wraps from the chain of causes.
    let is_tls = causes.any(|cause| {
        let wrapped = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| wrapped.is::<rustls::Error>())
    });
    match is_tls {
        true => trouble::untrusted(url),
        false => trouble::broken(url),
    }
}
