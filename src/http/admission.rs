//! Who becomes a viewer: so many from one address, so many in a second. The house as a whole is the broadcaster's to fill.

use super::{
    error::ApiError,
    headcount::{Counted, Headcount},
};
use crate::{actors::rate_limiter::Client, analysis::Failure, config};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use std::{net::IpAddr, num::NonZeroU32};

/// When to come back to a house where one's own address has too many viewers, in seconds: until one of them leaves.
const FULL_RETRY_S: u64 = 10;

/// See the module.
pub(super) struct Admission {
    per_address: u32,
    /// New viewers; a burst of two seconds, as all come back at once after a restart.
    arrivals: DefaultDirectRateLimiter,
    present: Headcount,
}

impl Admission {
    pub(super) fn new(config: &config::Broadcaster) -> Self {
        let second = NonZeroU32::new(config.max_arrivals_per_second).unwrap_or(NonZeroU32::MAX);
        let quota = Quota::per_second(second).allow_burst(second.saturating_add(second.get()));
        Self {
            per_address: config.max_viewers_per_address,
            arrivals: RateLimiter::direct(quota),
            present: Headcount::new(config.max_viewers_per_address as usize),
        }
    }

    /// Lets a viewer in from `address`; its place is given back when dropped.
    ///
    /// # Errors
    /// 503 with when to come back.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Counted, ApiError> {
        if let Err(not_until) = self.arrivals.check() {
            let wait = not_until.wait_time_from(self.arrivals.clock().now());
            let told = "too many viewers arrive at once: try again in a moment";
            return Err(refused(told.to_owned(), wait.as_secs() + 1));
        }
        self.present.take(Client::from(address)).ok_or_else(|| {
            let told = format!(
                "{} viewers from this address are connected, which is the limit (broadcaster.max_viewers_per_address)",
                self.per_address
            );
            refused(told, FULL_RETRY_S)
        })
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
        assert!(admission.present.is_empty());
    }
}
