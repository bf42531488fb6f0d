//! What browsers are told not to do with any response, beside what its own handler says.

use super::respond::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

/// Whatever is no page loads nothing, and is nobody's frame.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

const RULES: [(HeaderName, HeaderValue); 6] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // The stage goes full-screen, the console copies addresses; nothing else is asked of a machine.
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), \
             midi=(), fullscreen=(self), clipboard-write=(self)",
        ),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds the rules that the response does not have yet.
pub(super) fn protect(response: &mut Response<Body>) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    for (name, value) in RULES {
        headers.entry(name).or_insert(value);
    }
    let policy = headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NO_PAGE);
    // For browsers that do not know the policy's own word.
    let is_frameless = policy
        .to_str()
        .is_ok_and(|policy| policy.contains("frame-ancestors"));
    if is_frameless {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::respond::full;

    #[test]
    fn what_a_handler_says_stays() {
        let mut response = Response::new(full(""));
        for (name, value) in [
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        protect(&mut response);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            response.headers()[header::CONTENT_SECURITY_POLICY],
            "default-src 'self'"
        );
        assert!(!response.headers().contains_key(header::X_FRAME_OPTIONS));
        assert_eq!(
            response.headers()[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff"
        );
    }
}
