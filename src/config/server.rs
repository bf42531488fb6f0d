//! `[server]`: the listener and the process.

use super::{check::Check, section::section};
use crate::egress::is_network_list;
use std::{net::IpAddr, path::PathBuf};
use url::Url;

section! {
    /// The listener and the process.
    [server] Server {
        /// Address to listen on; when not set, 127.0.0.1 without an API key, 0.0.0.0 with one.
        host: Option<IpAddr> = None,
        /// Port; 0 takes a free one. Alias `BACKEND_PORT`.
        port: u16 = 3000,
        /// Where the embedded stores and the model weights live.
        data_dir: PathBuf = PathBuf::from("data"),
        /// A folder with the words of the pages in further languages, a file such as fr.json each. Read at the start;
        /// docs/screens.md says how to write one.
        languages: Option<PathBuf> = None,
        /// Milliseconds that running work may take after SIGTERM before it is cut off.
        drain_timeout_ms: u64 = 10_000,
        /// Milliseconds a client may take to send a request's header, also the keep-alive idle time.
        header_timeout_ms: u64 = 10_000,
        /// Milliseconds a client may take to send a request's body.
        body_timeout_ms: u64 = 10_000,
        /// Most connections at once; more are closed at accept.
        max_connections: usize = 20_000,
        /// Addresses or networks of proxies in front, separated by commas, whose X-Forwarded-For tells the client's
        /// address. Otherwise all that come through a proxy share its limits.
                trusted_proxies: Option<String> = None,
        /// Sites whose pages may call this server and follow its channels, separated by commas, each with its scheme and
        /// port, such as `https://quiz.example`. Alias `CORS_ALLOWED_ORIGINS`.
        cors_allowed_origins: Option<String> = None,
    }
}

impl Server {
    fn validate(&self, check: &mut Check<'_>) {
        check.milliseconds("drain_timeout_ms", self.drain_timeout_ms);
        check.milliseconds("header_timeout_ms", self.header_timeout_ms);
        check.milliseconds("body_timeout_ms", self.body_timeout_ms);
        check.capacity("max_connections", self.max_connections);
        check.that(
            "trusted_proxies",
            self.trusted_proxies.as_deref().is_none_or(is_network_list),
            "must be addresses or networks such as 10.0.0.0/8, separated by commas",
        );
        check.that(
            "cors_allowed_origins",
            self.cors_allowed_origins
                .as_deref()
                .is_none_or(|list| origins(list).all(is_origin)),
            "must be origins such as https://quiz.example or http://localhost:5173, separated by commas: a scheme, a host, \
             perhaps a port, and no path",
        );
        check.that(
            "data_dir",
            !self.data_dir.as_os_str().is_empty(),
            "must name a folder",
        );
    }
}

/// Returns the origins of a list.
pub(crate) fn origins(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Returns whether a browser would name an origin so.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}
