//! What may be visited: `[egress]` as rules over names, ports and addresses. Pure.

use super::{address::is_public, meter::Fault, trackers::is_tracker};
use crate::config;
use ipnet::IpNet;
use std::net::IpAddr;
use url::Host;

/// Names under which clouds serve the secrets of the machines in them. Their addresses are refused as well.
const METADATA: [&str; 5] = [
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
];

/// The rules.
#[derive(Debug, Clone)]
pub struct Policy {
    ports: Vec<u16>,
    /// Empty: any.
    domains: Vec<String>,
    exceptions: Vec<IpNet>,
}

impl Policy {
    /// Makes the rules of a configuration that was checked.
    pub fn new(config: &config::Egress) -> Self {
        Self {
            ports: items(&config.ports)
                .filter_map(|port| port.parse().ok())
                .collect(),
            domains: items(config.allowed_domains.as_deref().unwrap_or_default())
                .filter_map(domain)
                .collect(),
            exceptions: networks(config.allowed_addresses.as_deref().unwrap_or_default()),
        }
    }

    /// Returns the host as it is to be looked up, if its name and port may be visited. Every spelling of an address that
    /// browsers know (decimal, octal, hexadecimal, short) is an address here too.
    ///
    /// # Errors
    /// [`Fault::Blocked`], or [`Fault::Tracker`] for a host that only measures.
    pub fn check_name(&self, host: &str, port: u16) -> Result<Host, Fault> {
        let host = Host::parse(host).map_err(|_| Fault::Blocked)?;
        if !self.ports.contains(&port) {
            return Err(Fault::Blocked);
        }
        match host {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                let named = |domain: &String| match domain.strip_prefix('*') {
                    Some(below) => name.ends_with(below),
                    None => name == domain,
                };
                if name.is_empty()
                    || METADATA.contains(&name)
                    || !(self.domains.is_empty() || self.domains.iter().any(named))
                {
                    return Err(Fault::Blocked);
                }
                match is_tracker(name) {
                    true => Err(Fault::Tracker),
                    false => Ok(Host::Domain(name.to_owned())),
                }
            }
            Host::Ipv4(address) => self.check_literal(address.into()).map(|()| host),
            Host::Ipv6(address) => self.check_literal(address.into()).map(|()| host),
        }
    }

    fn check_literal(&self, address: IpAddr) -> Result<(), Fault> {
        let text = address.to_string();
        if !self.domains.is_empty() && !self.domains.contains(&text) {
            return Err(Fault::Blocked);
        }
        self.check_address(address)
    }

    /// Checks an address that is about to be dialled.
    ///
    /// # Errors
    /// [`Fault::Blocked`].
    pub fn check_address(&self, address: IpAddr) -> Result<(), Fault> {
        let excepted = self.exceptions.iter().any(|net| net.contains(&address));
        match is_public(address) || excepted {
            true => Ok(()),
            false => Err(Fault::Blocked),
        }
    }
}

/// Returns the parts of a list separated by commas.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// Returns a domain as it is compared, `*.` included; `None` when it is none.
fn domain(text: &str) -> Option<String> {
    let (star, name) = match text.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    match Host::parse(name.trim_end_matches('.')).ok()? {
        Host::Domain(name) if !name.contains('*') => Some(format!("{star}{name}")),
        Host::Domain(_) => None,
        address => star.is_empty().then(|| match address {
            Host::Ipv6(address) => address.to_string(),
            address => address.to_string(),
        }),
    }
}

/// Returns the networks of a list that was checked; an address is a network of its own.
pub fn networks(list: &str) -> Vec<IpNet> {
    items(list).filter_map(network).collect()
}

fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).ok()
}

/// Returns whether a list names ports only.
pub fn is_port_list(list: &str) -> bool {
    items(list).next().is_some()
        && items(list).all(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Returns whether a list names domains only, `*.` before them or not.
pub fn is_domain_list(list: &str) -> bool {
    items(list).all(|item| domain(item).is_some())
}

/// Returns whether a list names addresses and networks only.
pub fn is_network_list(list: &str) -> bool {
    items(list).all(|item| network(item).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(config: config::Egress) -> Policy {
        Policy::new(&config)
    }

    #[test]
    fn every_spelling_of_loopback_is_refused() {
        let policy = policy(config::Egress::default());
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0x7f.0x0.0x0.0x1",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "[64:ff9b::7f00:1]",
            "[::127.0.0.1]",
            "１２７.０.０.１",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "metadata.google.internal",
            "METADATA.google.internal.",
            "metadata",
            "",
            ".",
            "a b",
            "[::1",
            "::1",
            "user@a.example",
            "a.example:80",
        ] {
            assert_eq!(policy.check_name(host, 80), Err(Fault::Blocked), "{host}");
        }
    }

    #[test]
    fn public_names_pass_in_one_spelling() {
        let policy = policy(config::Egress::default());
        let name = |text: &str| Ok(Host::Domain(text.to_owned()));
        assert_eq!(
            policy.check_name("Quiz.Example.", 443),
            name("quiz.example")
        );
        assert_eq!(
            policy.check_name("bücher.example", 443),
            name("xn--bcher-kva.example")
        );
        assert!(
            policy.check_name("8.8.8.8", 80).is_ok()
                && policy.check_name("[2606:4700::1]", 80).is_ok()
        );
        assert_eq!(policy.check_name("quiz.example", 22), Err(Fault::Blocked));
        assert_eq!(
            policy.check_name("www.google-analytics.com", 443),
            Err(Fault::Tracker)
        );
    }

    #[test]
    fn a_list_of_domains_lets_nothing_else_through() {
        let policy = policy(config::Egress {
            allowed_domains: Some("quiz.example, *.School.example".into()),
            ..config::Egress::default()
        });
        let passes = |host: &str| policy.check_name(host, 443).is_ok();
        assert!(
            passes("quiz.example") && passes("a.school.example") && passes("a.b.school.example.")
        );
        for host in [
            "school.example",
            "notschool.example",
            "a.quiz.example",
            "quiz.example.evil.example",
            "8.8.8.8",
        ] {
            assert!(!passes(host), "{host}");
        }
    }

    #[test]
    fn exceptions_are_addresses_and_ports() {
        let policy = policy(config::Egress {
            ports: "80,8080".into(),
            allowed_addresses: Some("127.0.0.1, 10.1.0.0/16".into()),
            ..config::Egress::default()
        });
        assert!(policy.check_name("127.0.0.1", 8080).is_ok());
        assert!(policy.check_address("10.1.2.3".parse().unwrap()).is_ok());
        assert!(policy.check_name("127.0.0.1", 443).is_err());
        assert!(
            policy.check_name("127.0.0.2", 80).is_err()
                && policy.check_name("10.2.0.1", 80).is_err()
        );
        assert!(
            policy.check_name("[::ffff:127.0.0.1]", 80).is_err(),
            "another spelling is another address"
        );
    }

    #[test]
    fn lists_are_checked() {
        assert!(
            is_port_list("80, 443")
                && !is_port_list("")
                && !is_port_list("80,x")
                && !is_port_list("0")
        );
        assert!(
            is_domain_list("a.example, *.b.example")
                && !is_domain_list("a.*.example")
                && !is_domain_list("http://a")
        );
        assert!(
            is_network_list("10.0.0.0/8, ::1, 127.0.0.1")
                && !is_network_list("10.0.0.0/33")
                && !is_network_list("a")
        );
    }
}
