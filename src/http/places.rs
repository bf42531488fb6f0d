//! Connections at once: so many in all, and so many from one address, so that nobody alone can take all.

use super::address::Addresses;
use crate::{actors::rate_limiter::Client, config};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    most: usize,
    most_per_address: usize,
    proxies: Addresses,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_client: HashMap<Client, usize>,
}

/// One connection's place. Given back when dropped.
pub(super) struct Place {
    places: Places,
    /// `None` for a proxy, which has everybody's connections.
    client: Option<Client>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    All,
    Address,
}

impl Places {
    pub(super) fn new(config: &config::Server) -> Self {
        Self(Arc::new(Inner {
            most: config.max_connections,
            most_per_address: config.max_connections_per_address,
            proxies: Addresses::new(config),
            taken: Mutex::default(),
        }))
    }

    /// Takes a place for a connection from `peer`.
    pub(super) fn take(&self, peer: IpAddr) -> Result<Place, Full> {
        let Inner {
            most,
            most_per_address,
            proxies,
            taken,
        } = &*self.0;
        let client = (!proxies.is_proxy(peer)).then(|| Client::from(peer));
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= *most {
            return Err(Full::All);
        }
        if let Some(client) = client {
            let own = taken.by_client.entry(client).or_default();
            if *own >= *most_per_address {
                return Err(Full::Address);
            }
            *own += 1;
        }
        taken.all += 1;
        drop(taken);
        Ok(Place {
            places: self.clone(),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = &self.places.0.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        let Some(client) = self.client else {
            return;
        };
        if let Some(own) = taken.by_client.get_mut(&client) {
            *own -= 1;
            if *own == 0 {
                taken.by_client.remove(&client);
            }
        }
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
        assert_eq!(places.0.taken.lock().unwrap().all, 0);
        assert!(places.0.taken.lock().unwrap().by_client.is_empty());
    }
}
