//! Link: the connection to Redis, and whether it can be relied on now.

use crate::{
    config,
    store::{StoreError, StoreResult},
};
use fred::{
    clients::{Client, WithOptions},
    error::{Error, ErrorKind},
    interfaces::ClientLike,
    types::{
        RespVersion,
        config::{
            Config, ConnectionConfig, Options, PerformanceConfig, ReconnectPolicy,
            UnresponsiveConfig,
        },
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

/// Bounds of the pause between two tries to connect.
const RECONNECT_MS: (u32, u32) = (50, 1_000);
/// Messages that wait for the subscriber's reader; when it lags, it looks at every channel instead.
const SUBSCRIBER_CAPACITY: usize = 4_096;

/// See the module. Clones share one connection.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    client: WithOptions<Client>,
    subscriber: Client,
    timeout: Duration,
    prefix: String,
    /// Names this process, for as long as it lives.
    process: String,
    /// Since when Redis has not answered; `None` while it does.
    down_since: watch::Sender<Option<Instant>>,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// When the address cannot be used, or no server answers there.
    pub async fn connect(config: &config::Redis, url: &SecretString) -> Result<Self, StoreError> {
        let timeout = Duration::from_millis(config.command_timeout_ms);
        // The text of an error of the parser could repeat the address, and with it the password.
        let mut settings = Config::from_url(url.expose_secret())
            .map_err(|_| StoreError::Failed("redis.url is not a Redis address".to_owned()))?;
        settings.version = RespVersion::RESP3;
        settings.fail_fast = true;
        let performance = PerformanceConfig {
            default_command_timeout: timeout,
            broadcast_channel_capacity: SUBSCRIBER_CAPACITY,
            ..PerformanceConfig::default()
        };
        let connection = ConnectionConfig {
            connection_timeout: timeout,
            internal_command_timeout: timeout,
            // A command whose connection broke may have been done: whether it is sent again is decided here.
            max_command_attempts: 1,
            reconnect_on_auth_error: true,
            unresponsive: UnresponsiveConfig {
                max_timeout: Some(timeout * 2),
                interval: timeout / 2,
            },
            // `max_command_buffer_len` stays 0: anything else makes the client useless once it was reached.
            ..ConnectionConfig::default()
        };
        let policy = ReconnectPolicy::new_exponential(0, RECONNECT_MS.0, RECONNECT_MS.1, 2);
        let new = || {
            Client::new(
                settings.clone(),
                Some(performance.clone()),
                Some(connection.clone()),
                Some(policy.clone()),
            )
        };
        let (client, subscriber) = (new(), new());
        for client in [&client, &subscriber] {
            client.init().await.map_err(|error| {
                StoreError::Failed(format!(
                    "cannot connect to Redis ({}): check redis.url, and that the server runs and takes its password",
                    reason(&error)
                ))
            })?;
        }
        let options = Options {
            fail_fast: true,
            max_attempts: Some(1),
            timeout: Some(timeout),
            ..Options::default()
        };
        Ok(Self(Arc::new(Inner {
            client: client.with_options(&options),
            subscriber,
            timeout,
            prefix: config.prefix.clone(),
            process: uuid::Uuid::now_v7().simple().to_string(),
            down_since: watch::Sender::new(None),
        })))
    }

    /// Returns the name of this process among those that share the server.
    pub fn process(&self) -> &str {
        &self.0.process
    }

    /// Returns whether Redis answers, as far as is known.
    pub fn is_up(&self) -> bool {
        self.0.down_since.borrow().is_none()
    }

    /// Asks whether Redis answers, and lets commands through again when it does.
    pub fn probe(&self) -> StoreResult<'_, ()> {
        Box::pin(async move {
            let pong = self.0.client.ping::<String>(None);
            self.judge(tokio::time::timeout(self.0.timeout, pong).await)?;
            if self.0.down_since.send_replace(None).is_some() {
                info!("redis answers again");
            }
            Ok(())
        })
    }

    /// Waits until Redis answers again; false when it does not by `deadline`.
    pub(super) async fn is_up_by(&self, deadline: Instant) -> bool {
        let mut down_since = self.0.down_since.subscribe();
        let up = tokio::time::timeout_at(deadline, down_since.wait_for(Option::is_none)).await;
        matches!(up, Ok(Ok(_)))
    }

    /// Sends a command. While Redis does not answer, it waits for the time that a command may take, counted from when
    /// that began; after that it fails at once.
    pub(super) async fn call<T>(
        &self,
        command: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        let down_since = *self.0.down_since.borrow();
        if let Some(since) = down_since
            && !self.is_up_by(since + self.0.timeout).await
        {
            return Err(StoreError::Unreachable);
        }
        self.judge(tokio::time::timeout(self.0.timeout, command).await)
    }

    /// Sends a command that does no harm when it is done twice: once more when its connection broke.
    pub(super) async fn read<T, F: Future<Output = Result<T, Error>>>(
        &self,
        command: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        match self.call(command()).await {
            Err(StoreError::Unreachable) => self.call(command()).await,
            outcome => outcome,
        }
    }

    pub(super) fn client(&self) -> &WithOptions<Client> {
        &self.0.client
    }

    pub(super) fn subscriber(&self) -> &Client {
        &self.0.subscriber
    }

    /// Returns how long a command may take.
    pub(super) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Returns a key of this installation.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    /// Returns a key of a channel.
    pub(super) fn channel_key(&self, channel: &str, name: &str) -> String {
        format!("{{{}:{channel}}}:{name}", self.0.prefix)
    }

    fn judge<T>(
        &self,
        outcome: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, StoreError> {
        let why = match outcome {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if is_outage(&error) => reason(&error),
            Ok(Err(error)) => return Err(StoreError::Failed(reason(&error))),
            Err(_) => "it took too long".to_owned(),
        };
        let has_changed = self.0.down_since.send_if_modified(|since| {
            let was_up = since.is_none();
            since.get_or_insert_with(Instant::now);
            was_up
        });
        if has_changed {
            warn!(reason = why, "redis does not answer");
        }
        Err(StoreError::Unreachable)
    }
}

/// Returns whether an error concerns the server as a whole, not the command alone. What the client cannot send or wait
/// for comes under many kinds, so the errors of a command are told apart: the server names them in capitals, or the
/// client found the answer to be of another shape.
fn is_outage(error: &Error) -> bool {
    const OUTAGES: [&str; 10] = [
        "LOADING",
        "BUSY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "MOVED",
        "READONLY",
        "NOAUTH",
        "WRONGPASS",
        "NOREPLICAS",
    ];
    let word = error.details().split(' ').next().unwrap_or_default();
    if word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return OUTAGES.contains(&word);
    }
    !matches!(
        error.kind(),
        ErrorKind::Config
            | ErrorKind::InvalidArgument
            | ErrorKind::InvalidCommand
            | ErrorKind::NotFound
            | ErrorKind::Parse
            | ErrorKind::Protocol
    )
}

/// Returns an error's text; the client's own errors name neither user nor password.
fn reason(error: &Error) -> String {
    error.details().to_owned()
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("is_up", &self.is_up())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_the_server_is_told_from_what_concerns_the_command() {
        for outage in [
            Error::new(ErrorKind::IO, "connection refused"),
            Error::new(ErrorKind::Timeout, "timed out"),
            Error::new(ErrorKind::Unknown, "Failed to route command."),
            Error::new(ErrorKind::Canceled, "Canceled."),
            Error::new(ErrorKind::Unknown, "LOADING Redis is loading the dataset"),
            Error::new(ErrorKind::Unknown, "MASTERDOWN Link with MASTER is down"),
        ] {
            assert!(is_outage(&outage), "{outage}");
        }
        for fault in [
            "WRONGTYPE Operation against a key",
            "ERR syntax error",
            "OOM command not allowed",
        ] {
            assert!(
                !is_outage(&Error::new(ErrorKind::Unknown, fault)),
                "{fault}"
            );
        }
        assert!(!is_outage(&Error::new(
            ErrorKind::Parse,
            "Could not convert to map."
        )));
    }
}
