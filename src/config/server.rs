//! `[server]`: the listener and the process.

use super::{check::Check, section::section, setting::choice};
use crate::egress::is_network_list;
use std::{net::IpAddr, path::PathBuf};
use url::Url;

section! {
    /// The listener and the process.
    [server] Server {
        /// Address to listen on; when not set, 127.0.0.1 without a key or token to guard it, 0.0.0.0 with one.
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
        /// Milliseconds a client may leave what it was sent unread.
        write_timeout_ms: u32 = 30_000,
        /// Most connections at once; more are closed at accept.
        max_connections: usize = 20_000,
        /// Most connections at once from one IPv4 address or IPv6 /64, trusted proxies apart.
        max_connections_per_address: usize = 4_000,
        /// Addresses or networks of proxies in front, separated by commas, whose word on the client's
        /// address is believed. Otherwise all that come through a proxy share its limits.
        trusted_proxies: Option<String> = None,
        /// The header that these proxies write, "x-forwarded-for" or "forwarded" (RFC 7239). The other one is a client's own
        /// word, and not read.
        forwarded_header: ForwardedHeader = ForwardedHeader::XForwardedFor,
        /// The only addresses or networks whose requests are answered, separated by commas; when not set, all.
        allowed_addresses: Option<String> = None,
        /// Addresses or networks whose requests are refused, separated by commas, even when they are allowed.
        denied_addresses: Option<String> = None,
        /// Sites whose pages may call this server and follow its channels, separated by commas, each with its scheme and
        /// port, such as `https://quiz.example`. Alias `CORS_ALLOWED_ORIGINS`.
        cors_allowed_origins: Option<String> = None,
    }
}

/// The header in which a proxy notes where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    XForwardedFor,
    /// `Forwarded`, as in RFC 7239.
    Forwarded,
}
choice!(ForwardedHeader { XForwardedFor = "x-forwarded-for", Forwarded = "forwarded" });

impl Server {
    fn validate(&self, check: &mut Check<'_>) {
        check.milliseconds("drain_timeout_ms", self.drain_timeout_ms);
        check.milliseconds("header_timeout_ms", self.header_timeout_ms);
        check.milliseconds("body_timeout_ms", self.body_timeout_ms);
        check.milliseconds("write_timeout_ms", self.write_timeout_ms.into());
        check.capacity("max_connections", self.max_connections);
        check.capacity(
            "max_connections_per_address",
            self.max_connections_per_address,
        );
        for (key, list) in [
            ("trusted_proxies", &self.trusted_proxies),
            ("allowed_addresses", &self.allowed_addresses),
            ("denied_addresses", &self.denied_addresses),
        ] {
            check.that(
                key,
                list.as_deref().is_none_or(is_network_list),
                "must be addresses or networks such as 10.0.0.0/8, separated by commas",
            );
        }
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
