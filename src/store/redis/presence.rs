//! Presence: which processes live, and how many viewers each has on a channel.

use super::Link;
use crate::store::{StoreError, StoreResult};
use fred::{
    interfaces::{HashesInterface as _, KeysInterface as _},
    types::Expiration,
};
use futures_util::future::try_join_all;
use std::{collections::HashMap, time::Duration};

/// How long a process's word counts. It says it again every [`Link::SAY_EVERY`].
const COUNTS_FOR: Duration = Duration::from_secs(15);

impl Link {
    /// How often a process says that it lives, and how many viewers it has.
    pub const SAY_EVERY: Duration = Duration::from_secs(3);

    /// Says that this process lives, and how many viewers follow each channel here. A channel that has lost its last
    /// viewer is named with 0 once. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When Redis does not take it.
    pub async fn say(&self, viewers: &[(String, usize)], now: u64) -> Result<(), StoreError> {
        let client = self.client();
        let lasts = i64::try_from(COUNTS_FOR.as_millis()).unwrap_or(i64::MAX);
        let expiry = Some(Expiration::PX(lasts));
        let key = self.key(&format!("process:{}", self.process()));
        self.call(client.set::<(), _, _>(key, "1", expiry, None, false))
            .await?;
        let until = now + u64::try_from(COUNTS_FOR.as_millis()).unwrap_or(u64::MAX);
        let counts = viewers.iter().map(|(channel, count)| async move {
            let key = self.channel_key(channel, "viewers");
            let field = (self.process(), format!("{count} {until}"));
            client.hset::<(), _, _>(key.clone(), field).await?;
            client.pexpire::<(), _>(key, lasts, None).await
        });
        self.call(try_join_all(counts)).await.map(drop)
    }

    /// Returns how many viewers follow a channel on all other processes.
    ///
    /// # Errors
    /// When Redis does not tell.
    pub fn viewers_elsewhere(&self, channel: String, now: u64) -> StoreResult<'_, usize> {
        Box::pin(async move {
            let key = self.channel_key(&channel, "viewers");
            let said: HashMap<String, String> = self.call(self.client().hgetall(key)).await?;
            let others = said
                .iter()
                .filter(|(process, _)| process.as_str() != self.process());
            Ok(others.filter_map(|(_, word)| counted(word, now)).sum())
        })
    }

    /// Returns whether a process lives.
    pub(super) async fn lives(&self, process: &str) -> Result<bool, StoreError> {
        let key = self.key(&format!("process:{process}"));
        self.call(self.client().exists::<u64, _>(key))
            .await
            .map(|found| found > 0)
    }
}

/// Reads a process's word; nothing when it is too old.
fn counted(word: &str, now: u64) -> Option<usize> {
    let (count, until) = word.split_once(' ')?;
    (until.parse::<u64>().ok()? > now)
        .then(|| count.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_until_its_time_is_over() {
        assert_eq!(counted("3 100", 99), Some(3));
        assert_eq!(counted("3 100", 100), None);
        assert_eq!(counted("nonsense", 0), None);
    }
}
