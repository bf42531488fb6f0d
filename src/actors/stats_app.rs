//! StatsApp: tells another program which answers are on, where `STATS_APP_URL` names one. One after the other, each
//! tried again within its budget; the show never waits for it.
//!
//! Flow: Analyses, http --Shown--> [StatsApp] --POST /display-answers--> the other program
//! Mailbox: `[stats_app]` mailbox_capacity; senders never wait: what does not fit is dropped and counted.
//! Crash: the message under way is lost; the others stay in the mailbox.
//! Metrics: stats_app_posts_total.

use crate::{
    config,
    hex::Hex,
    metrics::Metrics,
    quiz::OptionNumber,
    runtime::{Backoff, Envelope, Mailbox},
};
use anyhow::Context as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use reqwest::{Client, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;
use std::time::Duration;
use tracing::{debug, warn};

/// Between two tries. With the five tries of the default, some eight seconds at most.
const BACKOFF: Backoff = Backoff::from_ms(250, 4_000);
/// Longest that the other program's `Retry-After` is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);
/// HMAC-SHA-256 of the body with `stats_app.secret`, in hexadecimal.
const SIGNATURE: &str = "x-signature-256";

/// What the actor works with.
#[derive(Clone)]
pub struct StatsAppArgs {
    /// Its limits.
    pub config: config::StatsApp,
    /// Where others reach it.
    pub mailbox: Mailbox<StatsAppMsg>,
    /// Where posts are counted.
    pub metrics: Metrics,
}

/// What it is told.
#[derive(Debug)]
pub enum StatsAppMsg {
    /// From Analyses and http: a show has these answers.
    Shown(Answers),
}

/// The body of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// One entry per question, counted from 1; `null` where there is none.
    pub answers: Vec<Option<OptionNumber>>,
    /// When, in milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// Always `success`: a failed analysis shows nothing.
    pub status: &'static str,
}

impl Answers {
    /// Returns what is told of a show.
    pub const fn new(answers: Vec<Option<OptionNumber>>, timestamp: u64) -> Self {
        Self {
            answers,
            timestamp,
            status: "success",
        }
    }
}

/// Its state.
pub struct State {
    args: StatsAppArgs,
    url: Url,
    client: Client,
}

/// See the module.
pub struct StatsApp;

impl Actor for StatsApp {
    type Msg = Envelope<StatsAppMsg>;
    type State = State;
    type Arguments = StatsAppArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        crate::provider::install_crypto();
        let base = args
            .config
            .url
            .as_deref()
            .context("stats_app.url is not set")?;
        let state = State {
            url: Url::parse(&format!("{}/display-answers", base.trim_end_matches('/')))?,
            client: Client::builder()
                .timeout(Duration::from_millis(args.config.timeout_ms))
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .user_agent(concat!("quiz-stats/", env!("CARGO_PKG_VERSION")))
                .build()?,
            args,
        };
        state.args.mailbox.bind(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (StatsAppMsg::Shown(answers), _permit) = envelope.open();
        let outcome = state.post(&answers).await;
        let posts = state.args.metrics.stats_app_posts();
        match outcome {
            Ok(()) => posts.with(["sent"]).increment(1),
            Err(error) => {
                posts.with(["failed"]).increment(1);
                warn!(actor = "stats_app", %error, "answers could not be posted to STATS_APP_URL");
            }
        }
        Ok(())
    }
}

/// Why a try failed.
struct Failed {
    why: String,
    /// When to try again; `None` when that is of no use.
    retry: Option<Duration>,
}

impl State {
    /// Posts the answers, again while that may help and tries are left.
    async fn post(&self, answers: &Answers) -> Result<(), String> {
        let body = serde_json::to_vec(answers).expect("answers are plain data");
        // The same for every try, so that the other program can tell a repetition.
        let key = uuid::Uuid::now_v7().to_string();
        let mut attempt = 0;
        loop {
            let failed = match self.try_once(&body, &key).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let Some(asked) = failed
                .retry
                .filter(|_| attempt < self.args.config.max_retries)
            else {
                return Err(failed.why);
            };
            debug!(
                actor = "stats_app",
                attempt,
                why = failed.why,
                "trying again"
            );
            let pause = BACKOFF.equal_jitter(attempt, rand::random());
            tokio::time::sleep(pause.max(asked)).await;
            attempt += 1;
        }
    }

    async fn try_once(&self, body: &[u8], key: &str) -> Result<(), Failed> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(body.to_vec());
        if let Some(secret) = &self.args.config.secret {
            request = request.header(SIGNATURE, signature(secret, body));
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(Failed::of(&response)),
            // The address may carry a token.
            Err(error) => Err(Failed {
                why: error.without_url().to_string(),
                retry: Some(Duration::ZERO),
            }),
        }
    }
}

impl Failed {
    fn of(response: &Response) -> Self {
        let status = response.status();
        let may_pass = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
            );
        let asked = response.headers().get(header::RETRY_AFTER);
        let asked = asked.and_then(|value| value.to_str().ok()?.parse().ok());
        let wait = Duration::from_secs(asked.unwrap_or(0)).min(MAX_RETRY_AFTER);
        Self {
            why: format!("it answered {status}"),
            retry: may_pass.then_some(wait),
        }
    }
}

fn signature(secret: &SecretString, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes());
    let mut mac = mac.expect("a key of any length will do");
    mac.update(body);
    format!("sha256={}", Hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
