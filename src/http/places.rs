//! Connections at once: so many in all, and so many from one address, so that nobody alone can take all.

use super::{
    address::Addresses,
    headcount::{Counted, Headcount},
};
use crate::{actors::rate_limiter::Client, config};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the module.
pub(super) struct Places {
    all: Arc<Semaphore>,
    by_address: Headcount,
    proxies: Addresses,
}

/// One connection's place. Given back when dropped.
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    /// `None` for a proxy, which has everybody's connections.
    _of_address: Option<Counted>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    All,
    Address,
}

impl Places {
    pub(super) fn new(config: &config::Server) -> Self {
        Self {
            all: Arc::new(Semaphore::new(config.max_connections)),
            by_address: Headcount::new(config.max_connections_per_address),
            proxies: Addresses::new(config),
        }
    }

    /// Takes a place for a connection from `peer`.
    pub(super) fn take(&self, peer: IpAddr) -> Result<Place, Full> {
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        let of_all = of_all.map_err(|_| Full::All)?;
        let of_address = match self.proxies.is_proxy(peer) {
            true => None,
            false => Some(
                self.by_address
                    .take(Client::from(peer))
                    .ok_or(Full::Address)?,
            ),
        };
        Ok(Place {
            _of_all: of_all,
            _of_address: of_address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places::new(&config::Server {
            max_connections: 5,
            max_connections_per_address: 2,
            trusted_proxies: Some("10.0.0.1".to_owned()),
            ..config::Server::default()
        })
    }

    fn take(places: &Places, peer: &str) -> Result<Place, Full> {
        places.take(peer.parse().unwrap())
    }

    #[test]
    fn nobody_alone_takes_all() {
        let places = places();
        let own: Vec<_> = (0..2)
            .map(|_| take(&places, "192.0.2.1").unwrap())
            .collect();
        assert_eq!(take(&places, "192.0.2.1").err(), Some(Full::Address));
        let _v6 = take(&places, "2001:db8::1").unwrap();
        let _same_network = take(&places, "2001:db8::2").unwrap();
        assert_eq!(take(&places, "2001:db8::3").err(), Some(Full::Address));
        let _last = take(&places, "192.0.2.2").unwrap();
        assert_eq!(take(&places, "192.0.2.3").err(), Some(Full::All));
        drop(own);
        assert!(take(&places, "192.0.2.1").is_ok());
    }

    #[test]
    fn a_proxy_has_everybodys_connections() {
        let places = places();
        let taken: Vec<_> = (0..5).map(|_| take(&places, "10.0.0.1").unwrap()).collect();
        assert_eq!(take(&places, "10.0.0.1").err(), Some(Full::All));
        drop(taken);
        assert_eq!(places.all.available_permits(), 5);
        assert!(places.by_address.is_empty());
    }
}
