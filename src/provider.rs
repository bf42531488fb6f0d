//! Where answers come from: one trait, an OpenAI-compatible server or a model in the process behind it.

#[cfg(feature = "local-model")]
pub mod local;
pub mod openai;

use crate::{config::Settings, page::Picture, quiz::Question, solve::Solution};
use futures_util::future::BoxFuture;
use std::{
    sync::{Arc, Once},
    time::Duration,
};
use thiserror::Error;
use tokio::time::Instant;

/// Something that can answer a multiple-choice question.
pub trait Provider: Send + Sync + 'static {
    /// The model's name, as shown in results and metrics.
    fn model(&self) -> &str;

    /// The kind of provider, as metrics name it: `openai` or `local`.
    fn system(&self) -> &'static str;

    /// Its name in metrics and logs, where several stand side by side.
    fn name(&self) -> &str {
        self.system()
    }

    /// Returns the most tokens that one call may read and write for `question`: what is reserved for it.
    fn estimate(&self, question: &Question) -> (u64, u64) {
        let texts = question.options.iter().chain([&question.text]);
        (texts.map(|text| text.len() as u64).sum(), 0)
    }

    /// Identifies everything that changes an answer besides the question: model, method, prompt version.
    /// Part of the cache key.
    fn fingerprint(&self) -> String;

    /// Says whether questions can be answered now; otherwise what to change.
    ///
    /// # Errors
    /// The reason, for people.
    fn availability(&self) -> Result<(), String> {
        Ok(())
    }

    /// Waits while the provider is getting ready, then says whether questions can be answered.
    ///
    /// # Errors
    /// The reason, for people.
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.availability() })
    }

    /// Answers `question`, once, without retries, by `deadline`.
    ///
    /// # Errors
    /// Whatever kept the model from a usable answer; see [`ProviderError::is_retryable`].
    fn solve<'a>(
        &'a self,
        question: &'a Question,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>>;

    /// As [`Self::solve`], with a picture of the page that the question stands on.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] from one that cannot see.
    fn solve_seeing<'a>(
        &'a self,
        _: &'a Question,
        _: &'a Picture,
        _: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        Box::pin(async {
            let reason = "this one cannot see pictures: ask a server with a model that can, or set ai.vision to false";
            Err(ProviderError::Unavailable(reason.to_owned()))
        })
    }
}

/// Why a model gave no usable answer. The texts carry no key, no prompt and no reply body.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProviderError {
    /// The deadline passed.
    #[error("the model did not answer in time")]
    Timeout,
    /// The credential was refused.
    #[error("the model's server refused the API key (HTTP {status}): check OPENAI_API_KEY")]
    Auth {
        /// HTTP status, 401 or 403.
        status: u16,
    },
    /// Too many requests or tokens.
    #[error("the model's server limits the rate")]
    RateLimited {
        /// What the server asked for.
        retry_after: Option<Duration>,
    },
    /// The account behind the key has no credit left: waiting does not help.
    #[error("the account behind the API key has no quota left")]
    QuotaExhausted,
    /// The server failed.
    #[error("the model's server failed (HTTP {status})")]
    Server {
        /// HTTP status, 5xx or 408.
        status: u16,
    },
    /// The request was refused as wrong: the same request will be refused again.
    #[error("the model's server refused the request (HTTP {status}): {reason}")]
    Rejected {
        /// HTTP status, 4xx.
        status: u16,
        /// What the server gave as its error code, cleaned and cut.
        reason: String,
    },
    /// The question does not fit into what the model can read.
    #[error("{0}")]
    TooLong(String),
    /// Only log-probabilities were wanted, and there are none.
    #[error("{0}: set ai.method to auto or votes")]
    NoLogprobs(&'static str),
    /// No connection, or it broke.
    #[error("the model's server cannot be reached: {0}")]
    Network(String),
    /// An answer came that cannot be used.
    #[error("the model's answer cannot be used: {0}")]
    Invalid(String),
    /// No model is at hand.
    #[error("no model is available: {0}")]
    Unavailable(String),
}

impl ProviderError {
    /// Returns whether the same call may succeed when tried again.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Server { .. } | Self::Network(_) | Self::Invalid(_)
        )
    }

    /// Returns the label of `openai_request_failures_total{reason}`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Auth { .. } => "auth",
            Self::RateLimited { .. } | Self::QuotaExhausted => "rate_limit",
            Self::Server { .. } => "server",
            Self::Network(_) | Self::Unavailable(_) => "network",
            Self::Rejected { .. } | Self::TooLong(_) | Self::NoLogprobs(_) | Self::Invalid(_) => {
                "invalid"
            }
        }
    }
}

/// The providers of one process: who is asked first, who when those before fail, and whose word counts where there is doubt.
#[derive(Clone)]
pub struct Chain {
    /// In the order in which they are asked; at least one.
    pub members: Vec<Arc<dyn Provider>>,
    /// Asked where the first is in doubt.
    pub second: Option<Arc<dyn Provider>>,
}

impl From<Arc<dyn Provider>> for Chain {
    fn from(only: Arc<dyn Provider>) -> Self {
        Self {
            members: vec![only],
            second: None,
        }
    }
}

impl Chain {
    /// Returns the first one.
    pub fn first(&self) -> &dyn Provider {
        self.members[0].as_ref()
    }

    /// Says whether one of them can answer now; otherwise what to change at the first.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn availability(&self) -> Result<(), String> {
        match self
            .members
            .iter()
            .any(|provider| provider.availability().is_ok())
        {
            true => Ok(()),
            false => self.first().availability(),
        }
    }

    /// Identifies everything that changes an answer besides the question.
    pub fn fingerprint(&self) -> String {
        let all = self.members.iter().chain(&self.second);
        all.map(|provider| provider.fingerprint())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Makes ring the TLS provider of the process, once; reqwest panics without one.
pub fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the embedding program has chosen its own provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Returns what the settings ask for: an OpenAI-compatible server when a key or an address is given, otherwise the
/// model in the process.
///
/// # Errors
/// When the settings do not make a provider.
pub async fn from_settings(settings: &Settings) -> Result<Chain, ProviderError> {
    if settings.ai.api_key.is_some() || settings.ai.base_url.is_some() {
        return openai::chain(&settings.ai);
    }
    #[cfg(feature = "local-model")]
    let missing = match local::LocalProvider::load(&settings.local_model, &settings.server.data_dir)
    {
        Ok(provider) => return Ok(Chain::from(Arc::new(provider) as Arc<dyn Provider>)),
        Err(ProviderError::Unavailable(reason)) => reason,
        Err(other) => return Err(other),
    };
    #[cfg(not(feature = "local-model"))]
    let missing = "set OPENAI_API_KEY, or OPENAI_BASE_URL for another server".to_owned();
    Ok(none(missing).into())
}

/// Returns a provider that answers nothing, and says why.
pub fn none(reason: impl Into<String>) -> Arc<dyn Provider> {
    Arc::new(NoModel(reason.into()))
}

/// Stands where no model is configured: the service runs, shows and serves what it knows.
#[derive(Debug)]
struct NoModel(String);

impl Provider for NoModel {
    fn model(&self) -> &'static str {
        "none"
    }

    fn system(&self) -> &'static str {
        "none"
    }

    fn fingerprint(&self) -> String {
        "none".to_owned()
    }

    fn availability(&self) -> Result<(), String> {
        Err(self.0.clone())
    }

    fn solve<'a>(
        &'a self,
        _: &'a Question,
        _: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        Box::pin(async { Err(ProviderError::Unavailable(self.0.clone())) })
    }
}
