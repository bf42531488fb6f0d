//! Reading back what channels play, and watching for the end of their shows.

use super::{ChannelState, DirectorError, DirectorMsg, GROW_EVERY, Playing, State};
use crate::runtime::Envelope;
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use tracing::{info, warn};

impl State {
    /// Reads what every channel plays. At the start of the process the analyses that were running are gone: their shows
    /// end with the answers they have.
    pub(super) async fn recover(&mut self) -> Result<(), DirectorError> {
        let first_start = !self.args.recovered.swap(true, Ordering::SeqCst);
        let now = self.args.clock.now_ms();
        for (channel, json) in self.args.log.states().await? {
            let Some(mut state) = parse(&channel, &json) else {
                continue;
            };
            let before = state.clone();
            if first_start {
                state
                    .current
                    .iter_mut()
                    .chain(&mut state.queued)
                    .for_each(|show| show.complete(now));
                state.drop_empty(now);
            }
            let changed = state != before;
            if changed || state.is_busy(now) || !state.queued.is_empty() {
                info!(
                    actor = "director",
                    channel,
                    queued = state.queued.len(),
                    "show goes on"
                );
                self.channels.insert(channel.clone(), Playing::from(state));
            }
            if changed {
                // The screens wait for answers that will not come until they are told. When the journal does not
                // take it, the next control, cue or show tries again.
                let _ = self
                    .publish_timeline(&channel, Vec::new(), before, |_| ())
                    .await;
            } else {
                self.settle(&channel);
            }
        }
        Ok(())
    }

    /// Returns what a channel plays, read from the log when it has nothing playing or waiting.
    pub(super) async fn load(&mut self, channel: &str) -> Result<&ChannelState, DirectorError> {
        if !self.channels.contains_key(channel) {
            if self.channels.len() >= self.args.config.max_channels {
                return Err(DirectorError::Full(
                    "too many channels are playing: try later",
                ));
            }
            let json = self.args.log.state(channel.to_owned()).await?;
            let state = json
                .and_then(|json| parse(channel, &json))
                .unwrap_or_default();
            self.channels
                .insert(channel.to_owned(), Playing::from(state));
        }
        Ok(&self.channel(channel).state)
    }

    /// After a failed commit: what is in memory was never shown.
    pub(super) async fn on_reload(&mut self, channel: String) {
        self.channels.remove(&channel);
        if let Err(error) = self.load(&channel).await {
            warn!(actor = "director", channel, %error, "cannot read what the channel plays");
        }
        self.settle(&channel);
    }

    /// Has the channel's show published again in a moment.
    pub(super) fn grow_soon(&mut self, channel: &str) {
        let (name, myself) = (channel.to_owned(), self.myself.clone());
        let playing = self.channel(channel);
        if playing.growth.is_none() {
            let timer = tokio::spawn(async move {
                tokio::time::sleep(GROW_EVERY).await;
                // A director that is gone has a successor that reads the log.
                let _ = myself.cast(Envelope::internal(DirectorMsg::Grow(name)));
            });
            playing.growth = Some(timer.abort_handle());
        }
    }

    /// Sets the timer for the end of the current show, or forgets a channel that has nothing left to play.
    pub(super) fn settle(&mut self, channel: &str) {
        let now = self.args.clock.now_ms();
        let (clock, stale_after, myself) =
            (self.args.clock, self.args.stale_after, self.myself.clone());
        let Some(playing) = self.channels.get_mut(channel) else {
            return;
        };
        if let Some(timer) = playing.timer.take() {
            timer.abort();
        }
        if !playing.state.is_busy(now) && playing.state.queued.is_empty() {
            self.channels.remove(channel);
            return;
        }
        let grows = playing
            .state
            .current
            .as_ref()
            .is_some_and(|show| !show.timeline().complete);
        playing.stale_at = grows.then(|| Instant::now() + stale_after);
        let wake_at = playing.stale_at.or(playing
            .state
            .ends_at()
            .map(|ends_at| clock.instant_at(ends_at)));
        if let Some(wake_at) = wake_at {
            let channel = channel.to_owned();
            let timer = tokio::spawn(async move {
                tokio::time::sleep_until(wake_at).await;
                // A director that is gone has a successor that sets its own timers.
                let _ = myself.cast(Envelope::internal(DirectorMsg::Ended(channel)));
            });
            playing.timer = Some(timer.abort_handle());
        }
    }
}

impl From<ChannelState> for Playing {
    fn from(state: ChannelState) -> Self {
        Self {
            state,
            timer: None,
            growth: None,
            stale_at: None,
        }
    }
}

/// Reads a state back. One that cannot be read was written by another version: nothing plays then.
fn parse(channel: &str, json: &[u8]) -> Option<ChannelState> {
    serde_json::from_slice(json)
        .inspect_err(|error| warn!(actor = "director", channel, %error, "cannot read what the channel played"))
        .ok()
}
