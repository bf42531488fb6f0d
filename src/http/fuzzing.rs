//! What holds of headers and messages, whatever a client writes. See [`crate::fuzzing`].

use super::{
    address::Addresses,
    websocket::inbound::{LONGEST_TOLD, read},
};
use crate::config::{self, ForwardedHeader};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

/// A message of a viewer: understood only when it is a JSON object with a known type; refused in few words.
///
/// # Panics
/// When it is not so.
pub fn websocket(data: &[u8]) {
    match read(data) {
        Ok(_) => {
            let message: Value = serde_json::from_slice(data).expect("JSON");
            let kind = message["type"].as_str().expect("a type");
            assert!(["ping", "subscribe", "unsubscribe", "auth"].contains(&kind));
        }
        Err(told) => assert!(told.chars().count() <= LONGEST_TOLD + 100, "{told}"),
    }
}

/// Lines of `Forwarded`, and the same as `X-Forwarded-For`: a stranger is never believed, and of what a proxy brings, only
/// addresses that stand there.
///
/// # Panics
/// When it is not so.
pub fn forwarded(data: &[u8]) {
    let lines = data
        .split(|&byte| byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok());
    let lines: Vec<HeaderValue> = lines.collect();
    let (stranger, proxy) = (
        Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)),
    );
    for (name, header) in [
        ("x-forwarded-for", ForwardedHeader::XForwardedFor),
        ("forwarded", ForwardedHeader::Forwarded),
    ] {
        let addresses = Addresses::new(&config::Server {
            trusted_proxies: Some("10.0.0.0/8".to_owned()),
            forwarded_header: header,
            ..config::Server::default()
        });
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(name, line.clone());
        }
        assert_eq!(addresses.of(&headers, stranger), stranger);
        let told = addresses.of(&headers, proxy);
        let stands_there = lines.iter().any(|line| {
            let words = line
                .as_bytes()
                .split(|byte| !(byte.is_ascii_alphanumeric() || b".:".contains(byte)));
            let mut words = words.filter_map(|word| std::str::from_utf8(word).ok());
            words.any(|word| {
                let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
                // An IPv4 address may be in the clothes of IPv6.
                let is_told = |text: &str| {
                    text.parse()
                        .is_ok_and(|ip: IpAddr| ip.to_canonical() == told)
                };
                is_told(word) || is_told(host)
            })
        });
        assert!(told == proxy || stands_there, "{told}");
    }
}
