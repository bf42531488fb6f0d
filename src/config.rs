//! Configuration: one documented struct per section, checked as a whole before anything is bound.
//!
//! Each layer overlays the one before it:
//! defaults ← `--config FILE` ← well-known variables (`API_KEY`, `LOG_LEVEL`, …) ← `QUIZ_STATS__SECTION__KEY` ← arguments.
//! A variable with `_FILE` added to its name holds the path of a file with the value; an empty variable counts as not set.
//!
//! Only this module reads the environment. The documentation of the fields is the text of `config/default.toml`.

mod ai;
mod analyses;
mod auth;
mod broadcaster;
mod browser;
mod budget;
mod cache;
mod check;
mod director;
mod egress;
mod environment;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod journal;
pub mod jwt;
pub mod keys;
mod limits;
mod load;
mod local_model;
mod log;
mod metrics;
mod prices;
mod print;
mod problem;
mod providers;
mod rate_limiter;
mod redis;
mod scraper;
mod section;
mod server;
mod setting;
mod stats_app;
mod supervisor;
mod timeline;
mod tracing;

pub use ai::{Ai, AskMethod};
pub use analyses::Analyses;
pub use auth::Auth;
pub use broadcaster::Broadcaster;
pub use browser::Browser;
pub use budget::Budget;
pub use cache::Cache;
pub use director::Director;
pub use egress::Egress;
#[cfg(feature = "browser")]
pub use environment::{browser_environment, search_path};
pub use journal::Journal;
pub use jwt::Jwt;
pub use limits::Limits;
pub use load::{Argument, Loaded, Sources, load};
pub use local_model::LocalModel;
pub(crate) use log::filter as log_filter;
pub use log::{Format, Log};
pub use metrics::Metrics;
pub use prices::Price;
pub use problem::{Origin, Problem, Problems};
pub use providers::Fallback;
pub use rate_limiter::RateLimiter;
pub use redis::Redis;
pub use scraper::Scraper;
pub(crate) use server::origins;
pub use server::{ForwardedHeader, Server};
pub use stats_app::StatsApp;
pub use supervisor::Supervisor;
pub use timeline::Timeline;
pub use tracing::Tracing;

use check::Check;
use section::Section;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Declares the sections and the walk over them.
macro_rules! settings {
    ($($section:ident: $type:ident,)*) => {
        /// Everything that can be set.
        #[derive(Debug, Clone, Default)]
        pub struct Settings {
            $(
                #[doc = concat!("`[", stringify!($section), "]`")]
                pub $section: $type,
            )*
        }

        impl Settings {
            fn sections(&self) -> Vec<&dyn Section> {
                vec![$(&self.$section),*]
            }

            fn sections_mut(&mut self) -> Vec<&mut dyn Section> {
                vec![$(&mut self.$section),*]
            }
        }
    };
}

settings! {
    server: Server,
    auth: Auth,
    jwt: Jwt,
    limits: Limits,
    ai: Ai,
    budget: Budget,
    local_model: LocalModel,
    rate_limiter: RateLimiter,
    scraper: Scraper,
    browser: Browser,
    egress: Egress,
    cache: Cache,
    redis: Redis,
    journal: Journal,
    director: Director,
    broadcaster: Broadcaster,
    analyses: Analyses,
    stats_app: StatsApp,
    timeline: Timeline,
    supervisor: Supervisor,
    metrics: Metrics,
    log: Log,
    tracing: Tracing,
}

impl Settings {
    /// Returns whether keys or tokens guard the server.
    pub const fn is_guarded(&self) -> bool {
        self.auth.has_keys() || self.jwt.is_configured()
    }

    /// Returns where to listen: `server.host`, or loopback without keys or tokens and every interface with some.
    pub fn listen_addr(&self) -> SocketAddr {
        let unset = match self.is_guarded() {
            true => Ipv4Addr::UNSPECIFIED,
            false => Ipv4Addr::LOCALHOST,
        };
        SocketAddr::new(
            self.server.host.unwrap_or(IpAddr::V4(unset)),
            self.server.port,
        )
    }

    /// Returns what is wrong with the one key, if others than this machine may try to guess it: a matter of serving alone.
    pub fn guessable_key(&self) -> Option<String> {
        let is_guessable = self.auth.has_short_key() && !self.listen_addr().ip().is_loopback();
        is_guessable.then(|| {
            format!(
                "auth.api_key (API_KEY) must have at least {} characters to serve others, or it can be guessed; `quiz-stats key \
                 new` makes one that cannot",
                auth::SHORTEST_KEY
            )
        })
    }

    /// Checks what needs more than one section.
    fn validate(&self, check: &mut Check<'_>) {
        check.that(
            "server.host",
            self.is_guarded()
                || self.auth.allow_anonymous
                || self.listen_addr().ip().is_loopback(),
            "must be a loopback address such as 127.0.0.1 while no API key guards the server; \
             to listen for others, set API_KEY (or auth.api_key, or auth.keys) or JWT_SECRET, or let everybody do everything with \
             auth.allow_anonymous = true",
        );
        check.that(
            "auth.anonymous_view",
            self.auth.anonymous_view || self.is_guarded(),
            "must be true while no API key guards the server: set API_KEY (or auth.api_key, or auth.keys) or JWT_SECRET",
        );
        check.that(
            "metrics.bind",
            self.metrics.bind.is_none_or(|bind| bind.port() == 0 || bind.port() != self.server.port),
            "must have another port than server.port; leave it out to serve /metrics on the main listener",
        );
        let asks_servers = self.ai.api_key.is_some() || self.ai.base_url.is_some();
        if let Some(model) = self.ai.unpriced().filter(|_| asks_servers) {
            for key in self.budget.in_money() {
                check.that(
                    &format!("budget.{key}"),
                    false,
                    format!(
                        "must be left out until ai.prices says what {model} costs: add {model}=READ/WRITTEN, US dollars per \
                         million tokens, 0/0 for a server of your own"
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
