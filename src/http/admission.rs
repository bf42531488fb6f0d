//! Who becomes a viewer: so many from one address, so many in a second. The house as a whole is the broadcaster's to fill.

use super::error::ApiError;
use crate::{actors::rate_limiter::Client, analysis::Failure, config};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

/// When to come back to a house where one's own address has too many viewers, in seconds: until one of them leaves.
const FULL_RETRY_S: u64 = 10;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(super) struct Admission(Arc<Inner>);

struct Inner {
    per_address: u32,
    /// New viewers; a burst of two seconds, as all come back at once after a restart.
    arrivals: DefaultDirectRateLimiter,
    present: Mutex<HashMap<Client, u32>>,
}

/// One viewer's place. Given back when dropped.
pub(super) struct Pass {
    admission: Admission,
    client: Client,
}

impl Admission {
    pub(super) fn new(config: &config::Broadcaster) -> Self {
        let second = NonZeroU32::new(config.max_arrivals_per_second).unwrap_or(NonZeroU32::MAX);
        let quota = Quota::per_second(second).allow_burst(second.saturating_add(second.get()));
        Self(Arc::new(Inner {
            per_address: config.max_viewers_per_address,
            arrivals: RateLimiter::direct(quota),
            present: Mutex::default(),
        }))
    }

    /// Lets a viewer in from `address`.
    ///
    /// # Errors
    /// 503 with when to come back.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Pass, ApiError> {
        let Inner {
            per_address,
            arrivals,
            present,
        } = &*self.0;
        if let Err(not_until) = arrivals.check() {
            let wait = not_until.wait_time_from(arrivals.clock().now());
            let told = "too many viewers arrive at once: try again in a moment";
            return Err(refused(told.to_owned(), wait.as_secs() + 1));
        }
        let client = Client::from(address);
        let mut present = present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = present.entry(client).or_default();
        if *count >= *per_address {
            let told = format!(
                "{per_address} viewers from this address are connected, which is the limit (broadcaster.max_viewers_per_address)"
            );
            return Err(refused(told, FULL_RETRY_S));
        }
        *count += 1;
        Ok(Pass {
            admission: self.clone(),
            client,
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let present = &self.admission.0.present;
        let mut present = present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = present.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                present.remove(&self.client);
            }
        }
    }
}

fn refused(error: String, retry_after: u64) -> ApiError {
    Failure {
        error,
        retry_after: Some(retry_after),
        ..Failure::overloaded()
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(per_address: u32, per_second: u32) -> Admission {
        Admission::new(&config::Broadcaster {
            max_viewers_per_address: per_address,
            max_arrivals_per_second: per_second,
            ..config::Broadcaster::default()
        })
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let admission = admission(2, 1_000);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = admission.admit(one).expect("a place");
        let _second = admission.admit(one).expect("a place");
        assert!(admission.admit(one).is_err());
        assert!(
            admission.admit(other).is_ok(),
            "others have places of their own"
        );
        drop(first);
        assert!(admission.admit(one).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let admission = admission(1, 1_000);
        let _pass = admission
            .admit("2001:db8::1".parse().unwrap())
            .expect("a place");
        assert!(admission.admit("2001:db8::2".parse().unwrap()).is_err());
        assert!(admission.admit("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn who_come_at_once_wait() {
        let admission = admission(1_000, 5);
        let passes: Vec<_> = (0..20)
            .map(|_| admission.admit(IpAddr::from([192, 0, 2, 1])))
            .collect();
        let admitted = passes.iter().filter(|pass| pass.is_ok()).count();
        assert_eq!(admitted, 10, "two seconds' worth");
        drop(passes);
        assert!(admission.0.present.lock().unwrap().is_empty());
    }
}
