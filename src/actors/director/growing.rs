//! Shows of running analyses: reserved first, then growing with each answer, finished with the last one.

use super::{DirectorMsg, FinishRequest, State, caller::Caller};
use crate::{
    analysis::ShowTime,
    timeline::{Cue, Show, Staging},
};

impl State {
    /// Keeps a show's place before the caller hears of it, so that a crash does not lose it.
    pub(super) async fn on_reserve(&mut self, show: Show, staging: Staging, caller: Caller<()>) {
        let now = self.args.clock.now_ms();
        let (when_busy, max_queued) = (self.when_busy(staging), self.max_queued());
        let channel = show.timeline().channel.clone();
        let before = match self.load(&channel).await {
            Ok(state) => state.clone(),
            Err(error) => return caller.refuse(error),
        };
        let id = show.timeline().id.clone();
        let state = &mut self.channel(&channel).state;
        if let Err(error) = state.enqueue(show, when_busy, max_queued, now) {
            self.settle(&channel);
            return caller.refuse(error);
        }
        // Nothing of it is shown yet; but a show that it replaces must leave the screens.
        let replaced = before.current.clone().filter(|show| {
            show.is_started()
                && !state.is_current(&show.timeline().id)
                && !show.timeline().is_over(now)
        });
        let stopped = replaced.map(|mut show| {
            show.stop(now);
            crate::event::body(show.timeline())
        });
        let name = channel.clone();
        let ending = caller.ending(
            |_| (),
            move |reply| DirectorMsg::Reserve {
                channel: name,
                analysis_id: id,
                staging,
                reply,
            },
        );
        // A publication that fails has told the caller by itself.
        let events = stopped.into_iter().collect();
        let _ = self.publish(&channel, events, before, ending).await;
    }

    pub(super) async fn on_cue(
        &mut self,
        channel: &str,
        analysis_id: &str,
        question: u32,
        cues: Vec<Cue>,
    ) {
        let now = self.args.clock.now_ms();
        let Some(playing) = self.channels.get_mut(channel) else {
            return;
        };
        let before = playing.state.clone();
        let Some(show) = playing.state.find(analysis_id) else {
            return;
        };
        add(show, question, cues, now);
        if playing.state.start_current(now) || before.waits_for(analysis_id, now) {
            // The next cue, or the finish, publishes the whole timeline again.
            let _ = self
                .publish_timeline(channel, Vec::new(), before, Box::new(|_| None))
                .await;
        } else if before.is_current(analysis_id) {
            self.grow_soon(channel);
        }
    }

    /// Publishes what has come meanwhile to a show that is not waiting for it.
    pub(super) async fn on_grow(&mut self, channel: &str) {
        if let Some(playing) = self.channels.get(channel) {
            let unchanged = playing.state.clone();
            // The next cue, or the finish, publishes the whole timeline again.
            let _ = self
                .publish_timeline(channel, Vec::new(), unchanged, Box::new(|_| None))
                .await;
        }
    }

    pub(super) async fn on_finish(
        &mut self,
        request: FinishRequest,
        caller: Caller<Option<ShowTime>>,
    ) {
        let now = self.args.clock.now_ms();
        let same = request.clone();
        let FinishRequest {
            channel,
            analysis_id,
            answers,
        } = request;
        let before = match self.load(&channel).await {
            Ok(state) => state.clone(),
            Err(error) => return caller.refuse(error),
        };
        let playing = self.channel(&channel);
        let Some(show) = playing.state.find(&analysis_id) else {
            self.settle(&channel);
            return drop(caller.reply.send(Ok(None)));
        };
        for (question, cues) in answers {
            if !show.knows(question) {
                add(show, question, cues, now);
            }
        }
        show.complete(now);
        playing.state.drop_empty(now);
        let started = playing.state.start_current(now);
        let time = playing.state.show_time(&analysis_id, now);
        let ending = caller.ending(|_| time, |reply| DirectorMsg::Finish(same, reply));
        // A publication that fails has told the caller by itself.
        let _ = if started || before.is_current(&analysis_id) {
            self.publish_timeline(&channel, Vec::new(), before, ending)
                .await
        } else {
            self.publish(&channel, Vec::new(), before, ending).await
        };
    }
}

/// Adds what is shown for a question; without cues it is known to have no answer.
fn add(show: &mut Show, question: u32, cues: Vec<Cue>, now: u64) {
    if cues.is_empty() {
        show.skip_question(question);
    } else {
        show.add(cues, now);
    }
}
