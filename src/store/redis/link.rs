//! Link: the connection to Redis, and whether it can be relied on now.

use crate::{
    config,
    store::{StoreError, StoreResult},
};
use fred::{
    clients::{Client, WithOptions},
    error::{Error, ErrorKind},
    interfaces::{ClientLike, LuaInterface as _, PubsubInterface as _},
    types::{
        RespVersion, Value,
        config::{
            Config, ConnectionConfig, Options, PerformanceConfig, ReconnectPolicy,
            UnresponsiveConfig,
        },
    },
};
use futures_util::future::try_join_all;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

/// Bounds of the pause between two tries to connect.
const RECONNECT_MS: (u32, u32) = (50, 1_000);
/// Messages that wait for the subscriber's reader; when it lags, it looks at every channel instead.
const SUBSCRIBER_CAPACITY: usize = 4_096;

/// Channels are spread over so many shards: a cluster keeps each on one of its nodes, and every process subscribes to
/// each.
const SHARDS: u8 = 16;
/// The version of Redis that brought sharded pub/sub.
const SHARDED_PUBSUB_SINCE: u64 = 7;

/// See the module. Clones share one connection.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    client: WithOptions<Client>,
    subscriber: Client,
    timeout: Duration,
    prefix: String,
    /// Whether wake-ups go through sharded pub/sub.
    is_sharded: bool,
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
        if !client.is_clustered() && is_cluster_node(&client).await {
            return Err(StoreError::Failed(
                "the server at redis.url is a node of a cluster: write redis-cluster:// in place of redis://, or \
                 rediss-cluster:// in place of rediss://"
                    .to_owned(),
            ));
        }
        let version = client.server_version();
        let is_sharded = client.is_clustered()
            && version.is_some_and(|version| version.major >= SHARDED_PUBSUB_SINCE);
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
            is_sharded,
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

    /// Returns a key of a channel. Those of a shard of channels are on the same node of a cluster, with their wake-ups.
    pub(super) fn channel_key(&self, channel: &str, name: &str) -> String {
        self.shard_key(shard(channel), &format!("{channel}:{name}"))
    }

    fn shard_key(&self, shard: u8, name: &str) -> String {
        format!("{{{}:{shard}}}:{name}", self.0.prefix)
    }

    /// Returns how a script publishes that something was appended to a channel: the command, and its pub/sub channel.
    pub(super) fn publication(&self, channel: &str) -> [Value; 2] {
        match self.0.is_sharded {
            true => [
                "SPUBLISH".into(),
                self.shard_key(shard(channel), "wake").into(),
            ],
            false => ["PUBLISH".into(), self.key("wake").into()],
        }
    }

    /// Subscribes to all that [`Link::publication`] names. To do it again does no harm.
    pub(super) async fn subscribe(&self) -> Result<(), Error> {
        let subscriber = self.subscriber();
        if !self.0.is_sharded {
            return subscriber.subscribe(self.key("wake")).await;
        }
        let all = (0..SHARDS).map(|shard| subscriber.ssubscribe(self.shard_key(shard, "wake")));
        try_join_all(all).await.map(drop)
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

/// Returns whether the server shares its keys with others. One that does not let itself be asked is taken at its word.
async fn is_cluster_node(client: &Client) -> bool {
    let ask = "return redis.call('INFO', 'cluster')";
    let info = client.eval::<String, _, Vec<String>, Vec<Value>>(ask, Vec::new(), Vec::new());
    info.await
        .is_ok_and(|info| info.contains("cluster_enabled:1"))
}

/// Returns which shard a channel belongs to: in every process and version the same.
fn shard(channel: &str) -> u8 {
    Sha256::digest(channel)[0] % SHARDS
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
