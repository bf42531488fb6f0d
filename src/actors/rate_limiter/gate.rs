//! The buckets: one per client and scope. Pure but for the clock it is given.

use crate::config::{
    self,
    keys::{ApiKey, Rate},
};
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::{NoOpMiddleware, StateInformationMiddleware},
    nanos::Nanos,
    state::{
        StateStore,
        keyed::{HashMapStateStore, ShrinkableKeyedStateStore},
    },
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Without a credential: an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
    Address(IpAddr),
    /// With a key: its place among the keys.
    Key(u16),
    /// With a token: a hash of whom it names.
    Subject(u64),
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => {
                const NETWORK: u128 = u128::MAX << 64;
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK))
            }
            v4 => v4,
        })
    }
}

/// Which bucket a request is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Any API route.
    General,
    /// An analysis.
    Analyze,
}

impl Scope {
    /// Returns the label used in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Analyze => "analyze",
        }
    }
}

/// Whether a request may go on, and what the client is told about its allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Requests a full allowance holds.
    pub limit: u32,
    /// Requests left.
    pub remaining: u32,
    /// Time until the allowance is full again.
    pub reset: Duration,
    /// Set when the request is refused: time until one is allowed.
    pub retry_after: Option<Duration>,
}

/// Most clients that are told apart at once: some 10 MB. Only an attack has more within a minute.
const MAX_CLIENTS: usize = 100_000;
/// Whose bucket newcomers share when there are that many.
const NEWCOMERS: Client = Client::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

type Buckets<C> = RateLimiter<Client, Levels, C, StateInformationMiddleware>;

/// The levels of so many buckets and no more.
#[derive(Default)]
struct Levels(HashMapStateStore<Client>);

impl StateStore for Levels {
    type Key = Client;

    fn measure_and_replace<T, F, E>(&self, client: &Client, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let is_too_many = {
            let levels = self.0.lock();
            levels.len() >= MAX_CLIENTS && !levels.contains_key(client)
        };
        let counted = if is_too_many { &NEWCOMERS } else { client };
        self.0.measure_and_replace(counted, measure)
    }
}

impl ShrinkableKeyedStateStore<Client> for Levels {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        self.0.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All buckets.
pub(super) struct Gate<C: Clock> {
    general: Bucket<C>,
    analyze: Bucket<C>,
    /// Of keys with limits of their own.
    own: HashMap<(Client, Scope), Bucket<C>>,
}

struct Bucket<C: Clock> {
    quota: Quota,
    buckets: Buckets<C>,
    clock: C,
}

impl<C: Clock + Clone> Gate<C> {
    pub(super) fn new(config: &config::RateLimiter, keys: &[ApiKey], clock: C) -> Self {
        let mut own = HashMap::new();
        for (index, key) in (0..).zip(keys) {
            for (scope, rate) in [(Scope::General, key.general), (Scope::Analyze, key.analyze)] {
                if let Some(Rate { per_second, burst }) = rate {
                    let bucket = Bucket::new(per_second, burst, clock.clone());
                    own.insert((Client::Key(index), scope), bucket);
                }
            }
        }
        Self {
            own,
            general: Bucket::new(
                config.general_per_second,
                config.general_burst,
                clock.clone(),
            ),
            analyze: Bucket::new(config.analyze_per_second, config.analyze_burst, clock),
        }
    }

    pub(super) fn admit(&self, client: Client, scope: Scope, cost: u32) -> Verdict {
        let bucket = match (self.own.get(&(client, scope)), scope) {
            (Some(own), _) => own,
            (None, Scope::General) => &self.general,
            (None, Scope::Analyze) => &self.analyze,
        };
        bucket.admit(client, cost)
    }

    /// Drops the buckets that are full: a new one would be the same.
    pub(super) fn forget_idle(&self) {
        for bucket in [&self.general, &self.analyze] {
            bucket.buckets.retain_recent();
            bucket.buckets.shrink_to_fit();
        }
    }
}

impl<C: Clock + Clone> Bucket<C> {
    fn new(per_second: u32, burst: u32, clock: C) -> Self {
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        let unmeasured: RateLimiter<_, _, _, NoOpMiddleware<C::Instant>> =
            RateLimiter::new(quota, Levels::default(), clock.clone());
        let buckets = unmeasured.with_middleware::<StateInformationMiddleware>();
        Self {
            quota,
            buckets,
            clock,
        }
    }

    fn admit(&self, client: Client, cost: u32) -> Verdict {
        let limit = self.quota.burst_size().get();
        let cost = NonZeroU32::new(cost.min(limit)).unwrap_or(NonZeroU32::MIN);
        let checked = self.buckets.check_key_n(&client, cost);
        let (remaining, retry_after) = match checked.expect("it costs a full allowance at most") {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(self.clock.now()))),
        };
        let reset = self.quota.replenish_interval() * (limit - remaining);
        Verdict {
            limit,
            remaining,
            reset,
            retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn gate() -> (Gate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            Gate::new(&config::RateLimiter::default(), &keys(), clock.clone()),
            clock,
        )
    }

    /// One as all others, and one with a limit of its own.
    fn keys() -> Vec<ApiKey> {
        let mut keys = ["a", "b"].map(|name| ApiKey::of_everything(name, name));
        keys[1].analyze = Some(Rate {
            per_second: 5,
            burst: 50,
        });
        keys.to_vec()
    }

    fn address(text: &str) -> Client {
        Client::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let (gate, clock) = gate();
        let admit = || gate.admit(address("192.0.2.1"), Scope::Analyze, 1);
        let remaining: Vec<_> = (0..3).map(|_| admit().remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = admit();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(
            (refused.limit, refused.remaining, refused.reset),
            (3, 0, Duration::from_secs(3))
        );
        clock.advance(Duration::from_secs(1));
        assert_eq!(admit().retry_after, None);
        assert!(admit().retry_after.is_some());
    }

    #[test]
    fn clients_and_scopes_do_not_share() {
        let (gate, _) = gate();
        for _ in 0..3 {
            gate.admit(address("192.0.2.1"), Scope::Analyze, 1);
        }
        assert!(
            gate.admit(address("192.0.2.1"), Scope::Analyze, 1)
                .retry_after
                .is_some()
        );
        assert!(
            gate.admit(address("192.0.2.1"), Scope::General, 1)
                .retry_after
                .is_none()
        );
        assert!(
            gate.admit(address("192.0.2.2"), Scope::Analyze, 1)
                .retry_after
                .is_none()
        );
        assert!(
            gate.admit(Client::Key(0), Scope::Analyze, 1)
                .retry_after
                .is_none()
        );
    }

    #[test]
    fn a_key_may_have_limits_of_its_own() {
        let (gate, _) = gate();
        let limit = |client, scope| gate.admit(client, scope, 1).limit;
        assert_eq!(limit(Client::Key(0), Scope::Analyze), 3);
        assert_eq!(limit(Client::Key(1), Scope::Analyze), 50);
        assert_eq!(limit(Client::Key(1), Scope::General), 10);
    }

    #[test]
    fn what_costs_more_takes_more_and_never_more_than_there_is() {
        let (gate, clock) = gate();
        let take = |cost| gate.admit(address("192.0.2.1"), Scope::Analyze, cost);
        assert_eq!(take(2).remaining, 1);
        assert_eq!(take(2).retry_after, Some(Duration::from_secs(1)));
        assert_eq!(take(1).remaining, 0, "a refusal takes nothing");
        clock.advance(Duration::from_secs(3));
        assert_eq!(take(1_000).retry_after, None, "a full allowance is enough");
    }

    #[test]
    fn so_many_clients_are_told_apart() {
        let (gate, clock) = gate();
        let nth = |n: usize| Client::Subject(n.try_into().unwrap());
        let take = |client| gate.admit(client, Scope::Analyze, 1);
        for n in 0..MAX_CLIENTS {
            assert_eq!(take(nth(n)).remaining, 2);
        }
        assert_eq!(take(nth(0)).remaining, 1, "known ones keep their own");
        let strangers = [0, 1, 2].map(|n| take(nth(MAX_CLIENTS + n)).remaining);
        assert_eq!(strangers, [2, 1, 0]);
        assert!(take(nth(MAX_CLIENTS + 3)).retry_after.is_some());
        assert_eq!(gate.analyze.buckets.len(), MAX_CLIENTS + 1);
        clock.advance(Duration::from_secs(10));
        gate.forget_idle();
        assert_eq!(take(nth(MAX_CLIENTS + 3)).remaining, 2);
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        assert_eq!(
            address("2001:db8:1:2:aaaa::1"),
            address("2001:db8:1:2:bbbb::2")
        );
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn idle_clients_are_forgotten() {
        let (gate, clock) = gate();
        for last in 0..100_u8 {
            gate.admit(
                Client::from(IpAddr::from([192, 0, 2, last])),
                Scope::Analyze,
                1,
            );
        }
        assert_eq!(gate.analyze.buckets.len(), 100);
        clock.advance(Duration::from_secs(10));
        gate.forget_idle();
        assert_eq!(gate.analyze.buckets.len(), 0);
    }
}
