//! Wake-ups: where another process has appended something, as Redis tells its subscribers.

use super::Link;
use crate::store::StoreError;
use fred::{
    interfaces::{ClientLike as _, EventInterface as _},
    types::Message,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior},
};

/// One append to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// Who appended.
    pub(super) writer: String,
    /// Which of that process's appends it was.
    pub(super) sequence: u64,
    /// Revision of what the channel plays now; 0 when that has not changed.
    pub revision: u64,
    /// Names the stream.
    pub epoch: u64,
    /// Offset that its next event will get; 0 when only its epoch has changed.
    pub next: u64,
    /// The channel.
    pub channel: String,
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something was appended.
    Wake(Wake),
    /// Wake-ups may have been missed: every channel that is followed must be looked at.
    All,
}

/// The subscription. It heals by itself; whatever it may have missed is reported as [`Heard::All`].
pub struct Wakes {
    link: Link,
    messages: Receiver<Message>,
    reconnects: Receiver<fred::types::config::Server>,
    check: tokio::time::Interval,
    /// Set from the moment at which something may have been missed until the subscription stands again.
    is_lost: bool,
}

impl Wake {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        Some(Self {
            writer: word()?.to_owned(),
            sequence: word()?.parse().ok()?,
            revision: word()?.parse().ok()?,
            epoch: u64::from_str_radix(word()?, 16).ok()?,
            next: word()?.parse().ok()?,
            channel: word()?.to_owned(),
        })
    }
}

impl Wakes {
    /// Prepares to listen; [`Wakes::next`] subscribes.
    pub fn new(link: &Link) -> Self {
        let subscriber = link.subscriber();
        let mut check = tokio::time::interval(link.timeout());
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            messages: subscriber.message_rx(),
            reconnects: subscriber.reconnect_rx(),
            check,
            is_lost: true,
            link: link.clone(),
        }
    }

    /// Returns what is heard next.
    ///
    /// # Errors
    /// When Redis does not take the subscription; the next call tries again, after a pause.
    pub async fn next(&mut self) -> Result<Heard, StoreError> {
        loop {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Ok(message) => {
                        if let Some(wake) = message.value.as_str().and_then(|text| Wake::parse(&text)) {
                            return Ok(Heard::Wake(wake));
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Ok(Heard::All),
                    Err(RecvError::Closed) => return Err(StoreError::Unreachable),
                },
                _ = self.reconnects.recv() => self.is_lost = true,
                // A connection that was cut silently looks like one on which nothing happens: subscribing again is
                // harmless, and must be answered.
                _ = self.check.tick() => {
                    self.subscribe().await?;
                    if std::mem::take(&mut self.is_lost) {
                        return Ok(Heard::All);
                    }
                }
            }
        }
    }

    async fn subscribe(&mut self) -> Result<(), StoreError> {
        let subscriber = self.link.subscriber();
        let deadline = Instant::now() + self.link.timeout();
        let subscribed = tokio::time::timeout_at(deadline, async {
            // Without a connection the client would keep the command for later.
            match subscriber.is_connected() {
                true => self.link.subscribe().await.is_ok(),
                false => false,
            }
        });
        if let Ok(true) = subscribed.await {
            return Ok(());
        }
        self.is_lost = true;
        Err(StoreError::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_are_read_as_the_script_writes_them() {
        let wake = Wake::parse("0192abcd 7 3 00000000000000ff 18 hall.main").unwrap();
        let expected = Wake {
            writer: "0192abcd".to_owned(),
            sequence: 7,
            revision: 3,
            epoch: 255,
            next: 18,
            channel: "hall.main".to_owned(),
        };
        assert_eq!(wake, expected);
        assert_eq!(Wake::parse("- 0 0 ff 0 hall").unwrap().next, 0);
        for other in ["", "hall", "a b c d e f", "w 1 2 3 4"] {
            assert_eq!(Wake::parse(other), None, "{other}");
        }
    }
}
