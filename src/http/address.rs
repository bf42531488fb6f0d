//! Where a request comes from: the peer, or what a proxy that is trusted says about it; and whether such may come.

use crate::{
    config::{self, ForwardedHeader},
    egress::networks,
};
use http::{HeaderMap, header};
use ipnet::IpNet;
use std::net::IpAddr;

/// What is believed of addresses, and which are let in.
pub(super) struct Addresses {
    trusted: Vec<IpNet>,
    header: ForwardedHeader,
    /// `None` lets all in.
    allowed: Option<Vec<IpNet>>,
    denied: Vec<IpNet>,
}

impl Addresses {
    pub(super) fn new(config: &config::Server) -> Self {
        let list = |list: &Option<String>| networks(list.as_deref().unwrap_or_default());
        Self {
            trusted: list(&config.trusted_proxies),
            header: config.forwarded_header,
            allowed: config.allowed_addresses.as_deref().map(networks),
            denied: list(&config.denied_addresses),
        }
    }

    /// Returns the client's address. Of what proxies have noted, the last entry counts that no trusted proxy has:
    /// whatever stands before it, the client may have written itself.
    pub(super) fn of(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut address = peer.to_canonical();
        let hops: Vec<Option<IpAddr>> = match self.header {
            ForwardedHeader::XForwardedFor => {
                let lines = headers.get_all("x-forwarded-for").iter();
                lines.flat_map(|line| hops(line.to_str().ok())).collect()
            }
            ForwardedHeader::Forwarded => {
                let lines = headers.get_all(header::FORWARDED).iter();
                lines
                    .flat_map(|line| elements(line.to_str().ok()))
                    .collect()
            }
        };
        for hop in hops.into_iter().rev() {
            match hop {
                Some(next) if contains(&self.trusted, address) => address = next.to_canonical(),
                // Whoever writes something else cannot be told from its proxy.
                _ => break,
            }
        }
        address
    }

    /// Returns whether others come through there.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        contains(&self.trusted, peer.to_canonical())
    }

    /// Returns whether requests from there are answered.
    pub(super) fn may_come(&self, address: IpAddr) -> bool {
        let is_allowed = self
            .allowed
            .as_deref()
            .is_none_or(|list| contains(list, address));
        is_allowed && !contains(&self.denied, address)
    }
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// Reads a line of `X-Forwarded-For`.
fn hops(line: Option<&str>) -> Vec<Option<IpAddr>> {
    let hops = line.unwrap_or("?").split(',');
    hops.map(|hop| hop.trim().parse().ok()).collect()
}

/// Reads a line of `Forwarded` (RFC 7239): the `for` of each element.
fn elements(line: Option<&str>) -> Vec<Option<IpAddr>> {
    let line = line.unwrap_or("?");
    let (mut elements, mut begin, mut is_quoted) = (Vec::new(), 0, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                elements.push(node(&line[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    elements.push(node(&line[begin..]));
    elements
}

/// Returns the address in an element such as `for="[2001:db8::1]:4711";proto=https`.
fn node(element: &str) -> Option<IpAddr> {
    let mut pairs = element
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let node = node.trim_matches('"');
    let (address, port) = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => node.split_at(node.find(':').unwrap_or(node.len())),
    };
    let is_port = |port: &str| port.starts_with('_') || port.parse::<u16>().is_ok();
    let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    address.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn addresses(header: ForwardedHeader) -> Addresses {
        Addresses::new(&config::Server {
            trusted_proxies: Some("10.0.0.0/8, ::1".to_owned()),
            forwarded_header: header,
            allowed_addresses: Some("198.51.100.0/24, 2001:db8::/32".to_owned()),
            denied_addresses: Some("198.51.100.66".to_owned()),
            ..config::Server::default()
        })
    }

    fn of_peer(header: ForwardedHeader, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        let name = match header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        };
        // What the proxy does not write, the client may have.
        headers.append("forwarded", HeaderValue::from_static("for=6.6.6.6"));
        headers.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6"));
        headers.remove(name);
        for line in forwarded {
            headers.append(name, HeaderValue::from_str(line).unwrap());
        }
        addresses(header)
            .of(&headers, peer.parse().unwrap())
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, client) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["203.0.113.9", "198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let told = of_peer(ForwardedHeader::XForwardedFor, peer, forwarded);
            assert_eq!(told, client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (forwarded, client) in [
            (&["for=198.51.100.7"][..], "198.51.100.7"),
            (
                &["For=\"198.51.100.7:4711\";proto=https;by=203.0.113.1"],
                "198.51.100.7",
            ),
            (
                &["proto=http; for=\"[2001:db8:cafe::17]:4711\""],
                "2001:db8:cafe::17",
            ),
            (
                &["for=6.6.6.6, for=198.51.100.7", "for=10.0.0.2"],
                "198.51.100.7",
            ),
            (&["for=\"x,for=6.6.6.6\""], "10.0.0.1"),
            (&["for=_hidden"], "10.0.0.1"),
            (&["for=unknown, for=10.0.0.2"], "10.0.0.2"),
            (&["by=198.51.100.7"], "10.0.0.1"),
            (&["for=\"[2001:db8::1\""], "10.0.0.1"),
            (&["for=\"198.51.100.7:_hidden\""], "198.51.100.7"),
            (&["for=198.51.100.7:80.1:80"], "10.0.0.1"),
            (&["for=\"[2001:db8::1]x\""], "10.0.0.1"),
            (&[""], "10.0.0.1"),
        ] {
            let told = of_peer(ForwardedHeader::Forwarded, "10.0.0.1", forwarded);
            assert_eq!(told, client, "{forwarded:?}");
        }
    }

    #[test]
    fn lists_decide_who_may_come() {
        let addresses = addresses(ForwardedHeader::XForwardedFor);
        let may = |address: &str| addresses.may_come(address.parse().unwrap());
        assert!(may("198.51.100.7") && may("2001:db8::1"));
        assert!(!may("198.51.100.66"), "denied although allowed");
        assert!(!may("192.0.2.1"));
        let open = Addresses::new(&config::Server::default());
        assert!(open.may_come("192.0.2.1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_nobody_else_is_believed(line in "\\PC{0,80}") {
            crate::http::fuzzing::forwarded(line.as_bytes());
        }
    }
}
