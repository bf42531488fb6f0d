//! Reading back what channels play, and watching for the end of their shows.

use super::{Again, ChannelState, DirectorError, DirectorMsg, GROW_EVERY, Playing, State};
use crate::{
    runtime::Envelope,
    store::{Kept, StoreError},
};
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use tracing::{info, warn};

impl State {
    /// Reads what every channel plays. At the start of the process the analyses that were running are gone: their shows
    /// end with the answers they have.
    pub(super) async fn recover(&mut self) -> Result<(), DirectorError> {
        let first_start = !self.args.recovered.swap(true, Ordering::SeqCst);
        let now = self.args.clock.now_ms();
        let states = match self.args.log.states().await {
            // What plays is read when the server answers again.
            Err(StoreError::Unreachable) => Vec::new(),
            states => states?,
        };
        for (channel, kept) in states {
            let mut playing = Playing::from_log(&channel, &kept);
            let before = playing.state.clone();
            let state = &mut playing.state;
            if first_start {
                state
                    .current
                    .iter_mut()
                    .chain(&mut state.queued)
                    .for_each(|show| show.complete(now));
                state.drop_empty(now);
            }
            let changed = *state != before;
            if changed || state.is_busy(now) || !state.queued.is_empty() {
                info!(
                    actor = "director",
                    channel,
                    queued = state.queued.len(),
                    "show goes on"
                );
                self.channels.insert(channel.clone(), playing);
            }
            if changed {
                // The screens wait for answers that will not come until they are told. When the journal does not
                // take it, the next control, cue or show tries again.
                let _ = self
                    .publish_timeline(&channel, Vec::new(), before, Box::new(|_| None))
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
            let kept = self.args.log.state(channel.to_owned()).await?;
            let playing = kept.map(|kept| Playing::from_log(channel, &kept));
            self.channels
                .insert(channel.to_owned(), playing.unwrap_or_default());
        }
        Ok(&self.channel(channel).state)
    }

    /// After a failed append: what is in memory was never shown.
    pub(super) async fn on_kept(&mut self, channel: String, kept: bool, again: Option<Again>) {
        let Some(playing) = self.channels.get_mut(&channel) else {
            return;
        };
        playing.under_way -= 1;
        playing.is_stale |= !kept;
        playing.again.extend(again);
        if playing.under_way > 0 {
            return;
        }
        if !playing.is_stale {
            return self.settle(&channel);
        }
        let again = std::mem::take(&mut playing.again);
        self.reload(&channel).await;
        for (message, permit, tries) in again {
            let message = DirectorMsg::Again(message, permit, tries);
            // It is this very actor, so it takes messages.
            let _ = self.myself.cast(Envelope::internal(message));
        }
    }

    /// Another process has changed what the channel plays.
    pub(super) async fn on_changed(&mut self, channel: String, revision: u64) {
        match self.channels.get_mut(&channel) {
            Some(playing) if playing.revision >= revision => {}
            Some(playing) if playing.under_way > 0 => playing.is_stale = true,
            Some(_) | None => self.reload(&channel).await,
        }
    }

    /// Reads everything again, after a time in which changes may have been missed.
    pub(super) async fn on_resync(&mut self) {
        match self.args.log.states().await {
            Ok(states) => {
                for (channel, kept) in states {
                    self.on_changed(channel, kept.revision).await;
                }
            }
            Err(error) => warn!(actor = "director", %error, "cannot read what the channels play"),
        }
    }

    async fn reload(&mut self, channel: &str) {
        self.channels.remove(channel);
        if let Err(error) = self.load(channel).await {
            warn!(actor = "director", channel, %error, "cannot read what the channel plays");
        }
        self.settle(channel);
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
            // Until an append has arrived, the log still says what it replaces.
            if playing.under_way == 0 {
                self.channels.remove(channel);
            }
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

impl Playing {
    /// Reads a state back. One that cannot be read was written by another version: nothing plays then.
    fn from_log(channel: &str, kept: &Kept) -> Self {
        let state: Result<ChannelState, _> = serde_json::from_slice(&kept.state);
        let state = state.inspect_err(
            |error| warn!(actor = "director", channel, %error, "cannot read what the channel played"),
        );
        let mut playing = Self::default();
        playing.state = state.unwrap_or_default();
        playing.revision = kept.revision;
        playing
    }
}
