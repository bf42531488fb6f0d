//! Budget: how much may be asked of models in a minute, an hour, a day; by everybody together, and by each key.
//!
//! A call reserves its estimate before it is made and settles what it really took afterwards. Both happen under one lock,
//! so that however many calls are made at once, only those are admitted whose sum fits. Limits slide: what was spent
//! counts until its minute, hour or day has passed, to within a sixtieth of it.

mod window;

use crate::{clock::Clock, config, metrics::Metrics};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use window::Window;

/// What a call takes, or is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// Calls.
    pub requests: f64,
    /// Tokens read and written.
    pub tokens: f64,
    /// US dollars.
    pub usd: f64,
}

/// One of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Calls in a minute.
    RequestsPerMinute,
    /// Tokens in a minute.
    TokensPerMinute,
    /// US dollars in an hour.
    UsdPerHour,
    /// US dollars in a day.
    UsdPerDay,
}

impl Limit {
    const ALL: [Self; 4] = [
        Self::RequestsPerMinute,
        Self::TokensPerMinute,
        Self::UsdPerHour,
        Self::UsdPerDay,
    ];

    /// Returns its name, as configuration and metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "requests_per_minute",
            Self::TokensPerMinute => "tokens_per_minute",
            Self::UsdPerHour => "usd_per_hour",
            Self::UsdPerDay => "usd_per_day",
        }
    }

    const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::RequestsPerMinute | Self::TokensPerMinute => 60,
            Self::UsdPerHour => 3_600,
            Self::UsdPerDay => 86_400,
        })
    }

    const fn part(self, amount: Amount) -> f64 {
        match self {
            Self::RequestsPerMinute => amount.requests,
            Self::TokensPerMinute => amount.tokens,
            Self::UsdPerHour | Self::UsdPerDay => amount.usd,
        }
    }
}

/// Why a call was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Which limit.
    pub limit: Limit,
    /// Whether it is the limit of the caller's key, not of all together.
    pub of_key: bool,
    /// When enough of it is free again; `None` when one call is more than the whole limit.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whose, prefix) = match self.of_key {
            true => ("of this key ", "key_"),
            false => ("", ""),
        };
        let name = self.limit.name();
        write!(
            f,
            "the budget {whose}for the model is used up (budget.{prefix}{name})"
        )?;
        match self.retry_after {
            Some(wait) => write!(
                f,
                ": enough of it is free again in {} s",
                wait.as_secs().max(1)
            ),
            None => write!(
                f,
                ": a single call takes more than all of it, so raise the limit"
            ),
        }
    }
}

/// The windows of everybody together, or of one key.
#[derive(Debug)]
struct Ledger {
    of_key: bool,
    windows: Vec<(Limit, Window)>,
}

impl Ledger {
    fn new(limits: [Option<f64>; 4], of_key: bool) -> Self {
        let windows = Limit::ALL.into_iter().zip(limits);
        let windows = windows.filter_map(|(limit, most)| {
            most.map(|most| (limit, Window::new(limit.length(), most)))
        });
        Self {
            of_key,
            windows: windows.collect(),
        }
    }

    /// Says whether `amount` fits; if not, by the limit that takes longest.
    fn check(&mut self, amount: Amount, now_ms: u64) -> Result<(), Exhausted> {
        let of_key = self.of_key;
        let refused = self.windows.iter_mut().filter_map(|(limit, window)| {
            let wait = window.check(limit.part(amount), now_ms).err()?;
            Some(Exhausted {
                limit: *limit,
                of_key,
                retry_after: wait,
            })
        });
        // Never is longer than any time.
        match refused.max_by_key(|refused| refused.retry_after.unwrap_or(Duration::MAX)) {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }

    fn add(&mut self, amount: Amount, at_ms: u64) {
        for (limit, window) in &mut self.windows {
            window.add(limit.part(amount), at_ms);
        }
    }
}

struct State {
    all: Ledger,
    keys: HashMap<Arc<str>, Ledger>,
}

/// See the module.
pub struct Budget {
    state: Mutex<State>,
    of_each_key: [Option<f64>; 4],
    clock: Clock,
    metrics: Metrics,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").finish_non_exhaustive()
    }
}

impl Budget {
    /// Creates a budget of which nothing is spent.
    pub fn new(config: &config::Budget, clock: Clock, metrics: Metrics) -> Arc<Self> {
        let budget = Self {
            state: Mutex::new(State {
                all: Ledger::new(config.of_all(), false),
                keys: HashMap::new(),
            }),
            of_each_key: config.of_each_key(),
            clock,
            metrics,
        };
        budget.tidy();
        Arc::new(budget)
    }

    /// Sets `estimate` aside for one call by the holder of `key`.
    ///
    /// # Errors
    /// The limit that it does not fit into, and nothing is set aside.
    pub fn reserve(
        self: &Arc<Self>,
        key: Option<&Arc<str>>,
        estimate: Amount,
    ) -> Result<Reservation, Exhausted> {
        let at_ms = self.clock.now_ms();
        let mut state = self.state();
        let State { all, keys } = &mut *state;
        let mut of_key = key
            .filter(|_| self.of_each_key.iter().any(Option::is_some))
            .map(|key| {
                keys.entry(Arc::clone(key))
                    .or_insert_with(|| Ledger::new(self.of_each_key, true))
            });
        let fits = match &mut of_key {
            Some(ledger) => ledger.check(estimate, at_ms),
            None => Ok(()),
        };
        if let Err(refused) = fits.and_then(|()| all.check(estimate, at_ms)) {
            let scope = if refused.of_key { "key" } else { "all" };
            self.metrics
                .ai()
                .budget_refused
                .with([refused.limit.name(), scope])
                .increment(1);
            return Err(refused);
        }
        all.add(estimate, at_ms);
        if let Some(ledger) = of_key {
            ledger.add(estimate, at_ms);
        }
        self.show(&mut state, at_ms);
        Ok(Reservation {
            budget: Arc::clone(self),
            key: key.cloned(),
            at_ms,
            estimate,
        })
    }

    /// Shows how much of each limit is used, and forgets keys that have spent nothing of late.
    pub fn tidy(&self) {
        let now_ms = self.clock.now_ms();
        let mut state = self.state();
        self.show(&mut state, now_ms);
        state.keys.retain(|_, ledger| {
            ledger
                .windows
                .iter_mut()
                .any(|(_, window)| window.used(now_ms) > 0.0)
        });
    }

    fn show(&self, state: &mut State, now_ms: u64) {
        let ai = self.metrics.ai();
        for (limit, window) in &mut state.all.windows {
            ai.budget_used.with([limit.name()]).set(window.used(now_ms));
            ai.budget_limit.with([limit.name()]).set(window.most());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was set aside for a call. Dropped unsettled it stays spent: a call of which nothing was heard may cost all the same.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    key: Option<Arc<str>>,
    at_ms: u64,
    estimate: Amount,
}

impl Reservation {
    /// Puts what the call really took in the place of the estimate.
    pub fn settle(self, taken: Amount) {
        let difference = Amount {
            requests: taken.requests - self.estimate.requests,
            tokens: taken.tokens - self.estimate.tokens,
            usd: taken.usd - self.estimate.usd,
        };
        let mut state = self.budget.state();
        state.all.add(difference, self.at_ms);
        if let Some(ledger) = self.key.as_ref().and_then(|key| state.keys.get_mut(key)) {
            ledger.add(difference, self.at_ms);
        }
        self.budget.show(&mut state, self.budget.clock.now_ms());
    }
}

#[cfg(test)]
mod tests;
