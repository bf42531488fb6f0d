//! An HTTP response, read to its end.

use super::described::check_reply;
use serde_json::Value;

/// See the module.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Sends a request and reads the whole response.
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the server answers");
        let reply = Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("the body arrives").to_vec(),
        };
        check_reply(method.as_str(), &path, &reply);
        reply
    }

    /// Returns a header's value, or "" without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .map(|value| value.to_str().expect("headers are ASCII"))
            .unwrap_or_default()
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("bodies are UTF-8")
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// Returns the body as JSON; fails the test on another status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// Checks that it is an error in the one shape, and returns its code.
    pub(crate) fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{:?}", self.text());
        assert_eq!(
            self.header("content-type"),
            "application/json",
            "{}",
            self.text()
        );
        let body = self.json();
        let members = body.as_object().expect("an object");
        let mut names: Vec<_> = members.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "code",
                "details",
                "error",
                "requestId",
                "retryAfter",
                "status"
            ]
        );
        assert_eq!(body["status"], "error");
        assert!(!body["error"].as_str().expect("words").is_empty());
        for detail in body["details"].as_array().expect("a list") {
            assert!(
                detail["path"].is_string() && detail["problem"].is_string(),
                "{detail}"
            );
        }
        assert_eq!(body["requestId"], self.header("x-request-id"));
        assert!(!self.header("x-request-id").is_empty());
        match body["retryAfter"].as_u64() {
            Some(seconds) => assert_eq!(self.header("retry-after"), seconds.to_string()),
            None => assert!(body["retryAfter"].is_null() && self.header("retry-after").is_empty()),
        }
        if status == 503 || status == 429 {
            assert!(
                body["retryAfter"].is_u64(),
                "{status} says when to come back"
            );
        }
        body["code"].as_str().expect("a code").to_owned()
    }
}
