//! Looks a name up and dials the address that was checked, never the name again.

use super::{meter::Fault, policy::Policy};
use futures_util::future::BoxFuture;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use url::Host;

/// Longest that one of several addresses may take: a dead one must not cost the time of those behind it.
const ONE_ADDRESS: Duration = Duration::from_secs(2);
/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Knows the addresses of names.
pub trait Resolver: Send + Sync + 'static {
    /// Returns the addresses of `name`, the best first.
    ///
    /// # Errors
    /// When the name is not known, or nobody could be asked.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolver>,
    timeout: Duration,
}

impl Dialer {
    /// Creates a dialer that gives up after `timeout`, looking the name up included.
    pub fn new(policy: Policy, resolver: Arc<dyn Resolver>, timeout: Duration) -> Self {
        Self {
            policy: Arc::new(policy),
            resolver,
            timeout,
        }
    }

    /// Connects to a host that may be visited.
    ///
    /// # Errors
    /// Why not.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Fault> {
        let host = self.policy.check_name(host, port)?;
        let dialled = timeout(self.timeout, self.connect(host, port)).await;
        dialled.unwrap_or(Err(Fault::Timeout))
    }

    async fn connect(&self, host: Host, port: u16) -> Result<TcpStream, Fault> {
        let addresses = match host {
            Host::Domain(name) => self.resolver.resolve(&name).await.map_err(|_| Fault::Dns)?,
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
        };
        let mut fault = Fault::Dns;
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            if let Err(refused) = self.policy.check_address(address) {
                fault = refused;
                continue;
            }
            match timeout(
                ONE_ADDRESS,
                TcpStream::connect(SocketAddr::new(address, port)),
            )
            .await
            {
                Ok(Ok(stream)) => {
                    // Best effort: without it, small writes only wait longer.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(_)) => fault = Fault::Refused,
                Err(_) => fault = Fault::Timeout,
            }
        }
        Err(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::sync::Mutex;
    use tokio::net::TcpListener;

    /// Answers a name with the next of its answers.
    struct Script(Mutex<Vec<Vec<IpAddr>>>);

    impl Resolver for Script {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            let answer = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(answer) })
        }
    }

    fn dialer(port: u16, allowed: &str, answers: &[&[&str]]) -> Dialer {
        let config = config::Egress {
            ports: port.to_string(),
            allowed_addresses: Some(allowed.to_owned()),
            ..config::Egress::default()
        };
        let answers = answers
            .iter()
            .map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect());
        let resolver = Arc::new(Script(Mutex::new(answers.collect())));
        Dialer::new(Policy::new(&config), resolver, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn only_checked_addresses_are_dialled() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // 127.0.0.2 is the same listener's machine, and is not allowed.
        let dialer = dialer(
            port,
            "127.0.0.1",
            &[&["127.0.0.2"], &["127.0.0.2", "::1", "127.0.0.1"], &[]],
        );
        assert_eq!(
            dialer.dial("a.example", port).await.unwrap_err(),
            Fault::Blocked
        );
        let stream = dialer.dial("a.example", port).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().ip().to_string(), "127.0.0.1");
        assert_eq!(
            dialer.dial("a.example", port).await.unwrap_err(),
            Fault::Dns
        );
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let dialer = dialer(port, "127.0.0.1", &[]);
        assert_eq!(
            dialer.dial("127.0.0.1", port).await.unwrap_err(),
            Fault::Refused
        );
    }
}
