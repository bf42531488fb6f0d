//! Addresses of servers as people type them, and the one that this machine's server has. Pure.

use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads the address of a server; without a scheme, `http://` is meant.
///
/// # Errors
/// What would be right, for people.
pub(super) fn http(text: &str) -> Result<Url, String> {
    read(text, &["http", "https"])
}

/// Reads the address of a server or of its WebSocket; without a scheme, `http://` is meant.
///
/// # Errors
/// What would be right, for people.
pub(super) fn http_or_websocket(text: &str) -> Result<Url, String> {
    read(text, &["http", "https", "ws", "wss"])
}

fn read(text: &str, schemes: &[&str]) -> Result<Url, String> {
    // `localhost:3000` alone would be read as the scheme `localhost`.
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let wanted = || "give the server's address, such as http://127.0.0.1:3000".to_owned();
    let url = Url::parse(&whole).map_err(|error| format!("{error}: {}", wanted()))?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!(
            "{}:// is not understood here: {}",
            url.scheme(),
            wanted()
        ));
    }
    Ok(url)
}

/// Returns the address of a server on this machine that listens there.
pub(super) fn local(listener: SocketAddr) -> Url {
    let ip = match listener.ip() {
        // A server on every interface is on this one too.
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let listener = SocketAddr::new(ip, listener.port());
    Url::parse(&format!("http://{listener}/")).expect("a socket address makes a valid authority")
}

/// Returns whether the address is on this machine.
pub(super) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Returns `base` with `path` behind its own path: a server may stand below a folder of a site.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// Returns an address as people write it.
pub(super) fn shown(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_may_be_left_out() {
        for (typed, read) in [
            ("localhost:3000", "http://localhost:3000"),
            ("127.0.0.1:8", "http://127.0.0.1:8"),
            ("https://quiz.example/app/", "https://quiz.example/app"),
        ] {
            assert_eq!(shown(&http(typed).unwrap()), read);
        }
        assert!(http_or_websocket("wss://quiz.example/ws").is_ok());
    }

    #[test]
    fn other_schemes_and_rubbish_are_refused_with_an_example() {
        for typed in ["ftp://h", "ws://h", "", "http://", "a b"] {
            let told = http(typed).unwrap_err();
            assert!(
                told.contains("such as http://127.0.0.1:3000"),
                "{typed}: {told}"
            );
        }
    }

    #[test]
    fn a_server_on_every_interface_is_reached_by_loopback() {
        let of = |listener: &str| local(listener.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:3000"), "http://127.0.0.1:3000/");
        assert_eq!(of("[::]:80"), "http://[::1]/");
        assert_eq!(of("10.0.0.7:9000"), "http://10.0.0.7:9000/");
    }

    #[test]
    fn paths_go_below_the_servers_own() {
        let of = |base: &str| below(&http(base).unwrap(), "api/analyze").to_string();
        assert_eq!(of("h:1"), "http://h:1/api/analyze");
        assert_eq!(of("https://h/quiz/"), "https://h/quiz/api/analyze");
        assert_eq!(of("https://h/quiz"), "https://h/quiz/api/analyze");
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for (url, local) in [
            ("localhost:1", true),
            ("127.0.0.9", true),
            ("http://[::1]:3", true),
            ("10.0.0.7", false),
            ("quiz.example", false),
        ] {
            assert_eq!(is_local(&http(url).unwrap()), local, "{url}");
        }
    }
}
