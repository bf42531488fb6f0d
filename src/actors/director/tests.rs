use super::*;
use crate::timeline::{ControlAction, Cue, Timing};
use crate::{
    analysis::ShowTime,
    metrics::MailboxMetrics,
    runtime::{Reply, probe::Probe},
    store::{Position, Retention, memory::MemoryLog},
};
use serde_json::Value;

const RETENTION: Retention = Retention {
    max_events: 100,
    max_bytes: 1 << 20,
    max_age_ms: 1 << 40,
};

struct House {
    mailbox: Mailbox<DirectorMsg>,
    journal: Probe<JournalMsg>,
    log: Arc<MemoryLog>,
    clock: Clock,
    args: DirectorArgs,
}

async fn house(when_busy: WhenBusy) -> House {
    let (journal_mailbox, journal) = Probe::spawn(64).await;
    let (log, clock) = (Arc::new(MemoryLog::new()), Clock::start());
    let mailbox = Mailbox::new(64, MailboxMetrics::noop());
    let args = DirectorArgs {
        config: config::Director {
            max_queued_shows: 2,
            ..config::Director::default()
        },
        when_busy,
        stale_after: Duration::from_secs(125),
        mailbox: mailbox.clone(),
        journal: journal_mailbox,
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        clock,
        recovered: Arc::default(),
    };
    Actor::spawn(None, Director, args.clone()).await.unwrap();
    House {
        mailbox,
        journal,
        log,
        clock,
        args,
    }
}

fn staging() -> Staging {
    Staging {
        timing: Timing::from(&config::Timeline::default()),
        when_busy: None,
    }
}

fn play(answers: &[u32]) -> PlayRequest {
    PlayRequest {
        channel: "c".to_owned(),
        analysis_id: None,
        staging: staging(),
        cues: (1..)
            .zip(answers)
            .map(|(question, value)| Cue::new(question, *value, None))
            .collect(),
        skipped: Vec::new(),
        events: Vec::new(),
    }
}

impl House {
    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    /// Sends without waiting for the answer, which comes only when the journal has spoken.
    fn ask<T: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<T>) -> DirectorMsg + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move { mailbox.ask(Self::soon(), message).await.unwrap() })
    }

    /// Takes the next append, keeps it as the journal would, and returns the timelines in it.
    async fn journal(&mut self) -> Vec<Timeline> {
        let (JournalMsg::Append { entry, committed }, _) = self.journal.next().await else {
            panic!("an append")
        };
        let head = self.log.write(std::slice::from_ref(&entry), RETENTION)[0];
        committed(Ok(head.position()));
        let events = entry
            .events
            .iter()
            .map(|body| serde_json::from_slice::<Value>(body).unwrap());
        events
            .filter(|event| event["type"] == "timeline")
            .map(|event| serde_json::from_value(event).unwrap())
            .collect()
    }

    async fn show(&self) -> (Option<Timeline>, usize) {
        self.ask(|reply| DirectorMsg::GetShow {
            channel: "c".to_owned(),
            reply,
        })
        .await
        .unwrap()
        .unwrap()
    }

    fn cue(&self, id: &str, question: u32, value: Option<u32>) {
        let cues = value
            .map(|value| Cue::new(question, value, None))
            .into_iter()
            .collect();
        let (channel, analysis_id) = ("c".to_owned(), id.to_owned());
        self.mailbox
            .try_send(DirectorMsg::Cue {
                channel,
                analysis_id,
                question,
                cues,
            })
            .unwrap();
    }

    fn reserve(&self, id: &str) -> tokio::task::JoinHandle<Result<(), DirectorError>> {
        let (channel, analysis_id) = ("c".to_owned(), id.to_owned());
        self.ask(move |reply| DirectorMsg::Reserve {
            channel,
            analysis_id,
            staging: staging(),
            reply,
        })
    }

    /// Reserves a place, which nobody sees.
    async fn reserved(&mut self, id: &str) {
        let reserved = self.reserve(id);
        assert!(self.journal().await.is_empty());
        reserved.await.unwrap().unwrap();
    }

    fn finish(&self, id: &str) -> tokio::task::JoinHandle<Result<Option<ShowTime>, DirectorError>> {
        let (channel, analysis_id) = ("c".to_owned(), id.to_owned());
        let request = FinishRequest {
            channel,
            analysis_id,
            answers: Vec::new(),
        };
        self.ask(move |reply| DirectorMsg::Finish(request, reply))
    }

    fn control(
        &self,
        action: ControlAction,
    ) -> tokio::task::JoinHandle<Result<Timeline, DirectorError>> {
        self.ask(move |reply| DirectorMsg::Control {
            channel: "c".to_owned(),
            action,
            reply,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_show_starts_with_the_first_answer_and_grows() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("a").await;
    house.cue("a", 3, Some(4));
    let first = house.journal().await.remove(0);
    assert_eq!(
        (first.starts_at, first.complete, first.segments.len()),
        (house.clock.now_ms(), false, 4)
    );
    let first_at = Instant::now();
    house.cue("a", 1, Some(2));
    house.cue("a", 2, None);
    let grown = house.journal().await.remove(0);
    assert_eq!(
        first_at.elapsed(),
        GROW_EVERY,
        "what comes while there is enough to play is published together"
    );
    assert_eq!((grown.segments.len(), &grown.skipped[..]), (8, &[2][..]));
    let finished = house.finish("a");
    let last = house.journal().await.remove(0);
    assert!(last.complete && last.revision > first.revision);
    let time = finished.await.unwrap().unwrap().unwrap();
    assert_eq!(
        (time.starts_at, time.duration_ms),
        (first.starts_at, 2 * 25_000 + 16_500)
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_asked_for_twice_is_one_place_and_survives_a_crash() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("a").await;
    house.reserved("a").await;
    Actor::spawn(None, Director, house.args.clone())
        .await
        .unwrap();
    house.cue("a", 1, Some(4));
    assert_eq!(house.journal().await[0].segments.len(), 4);
    assert_eq!(house.show().await.1, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_on_its_way_is_added_in_the_end() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("a").await;
    house.cue("a", 2, Some(4));
    house.journal().await;
    let answers = (1..=3)
        .map(|question| (question, vec![Cue::new(question, 4, None)]))
        .collect();
    let request = FinishRequest {
        channel: "c".to_owned(),
        analysis_id: "a".to_owned(),
        answers,
    };
    let finished = house.ask(move |reply| DirectorMsg::Finish(request, reply));
    let questions: Vec<_> = house.journal().await[0]
        .segments
        .iter()
        .step_by(4)
        .map(|s| s.question)
        .collect();
    assert_eq!(questions, [Some(2), Some(1), Some(3), None]);
    finished.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_show_that_waits_for_its_next_answer_gets_it_at_once() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("a").await;
    house.cue("a", 1, Some(4));
    house.journal().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let asked = Instant::now();
    house.cue("a", 2, Some(3));
    let grown = house.journal().await.remove(0);
    assert_eq!(
        (asked.elapsed(), grown.segments[4].at_ms),
        (Duration::ZERO, 30_000)
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_show_queues_and_starts_when_the_first_ends() {
    let mut house = house(WhenBusy::Queue).await;
    let first = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
    let timeline = house.journal().await.remove(0);
    first.await.unwrap().unwrap();
    let second = house.ask(|reply| DirectorMsg::Play(play(&[2]), reply));
    assert!(
        house.journal().await.is_empty(),
        "kept, but not on the screens yet"
    );
    let queued = second.await.unwrap().unwrap().show.unwrap();
    assert_eq!(queued.starts_at, timeline.ends_at().unwrap());
    assert_eq!(house.show().await.1, 1);
    tokio::time::sleep(Duration::from_secs(41)).await;
    let next = house.journal().await.remove(0);
    assert_eq!((next.id.clone(), next.segments[0].to), (queued.id, 2));
    assert_eq!(
        house.clock.now_ms(),
        timeline.ends_at().unwrap(),
        "no sooner, no later"
    );
    assert_eq!(house.show().await.1, 0);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_busy_channels_may_refuse_or_give_way() {
    let mut house = house(WhenBusy::Queue).await;
    for _ in 0..3 {
        let played = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
        house.journal().await;
        played.await.unwrap().unwrap();
    }
    let full = house
        .ask(|reply| DirectorMsg::Play(play(&[1]), reply))
        .await
        .unwrap();
    assert!(matches!(full, Err(DirectorError::Full(_))), "{full:?}");
    let with = |when_busy| PlayRequest {
        staging: Staging {
            when_busy: Some(when_busy),
            ..staging()
        },
        ..play(&[7])
    };
    let refused = house
        .ask(move |reply| DirectorMsg::Play(with(WhenBusy::Reject), reply))
        .await
        .unwrap();
    assert!(matches!(refused, Err(DirectorError::Busy)), "{refused:?}");
    let replaced = house.ask(move |reply| DirectorMsg::Play(with(WhenBusy::Replace), reply));
    assert_eq!(house.journal().await[0].segments[0].to, 7);
    replaced.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reserved_show_that_replaces_stops_the_running_one() {
    let mut house = house(WhenBusy::Replace).await;
    let played = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
    house.journal().await;
    let old = played.await.unwrap().unwrap().show.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let reserved = house.reserve("b");
    let stopped = house.journal().await.remove(0);
    reserved.await.unwrap().unwrap();
    assert_eq!((stopped.id.clone(), stopped.duration_ms), (old.id, 1_000));
    assert!(stopped.is_over(house.clock.now_ms()));
}

#[tokio::test(start_paused = true)]
async fn the_host_pauses_resumes_skips_and_stops() {
    let mut house = house(WhenBusy::Queue).await;
    let nothing = house.control(ControlAction::Pause).await.unwrap();
    assert!(matches!(nothing, Err(DirectorError::NothingToControl(_))));
    for _ in 0..2 {
        let played = house.ask(|reply| DirectorMsg::Play(play(&[4, 2]), reply));
        house.journal().await;
        played.await.unwrap().unwrap();
    }
    for (action, segment) in [
        (ControlAction::Pause, 0),
        (ControlAction::Resume, 0),
        (ControlAction::Skip, 4),
    ] {
        let done = house.control(action);
        let shown = house.journal().await.remove(0);
        let now = house.clock.now_ms();
        assert_eq!(shown.paused_at.is_some(), action == ControlAction::Pause);
        assert_eq!(
            shown.segment_at(now),
            Some(&shown.segments[segment]),
            "{action:?}"
        );
        assert_eq!(done.await.unwrap().unwrap(), shown);
    }
    let stopped = house.control(ControlAction::Stop);
    assert!(house.journal().await[0].is_over(house.clock.now_ms()));
    stopped.await.unwrap().unwrap();
    assert_eq!(house.show().await, (None, 0), "stop empties the queue too");
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_the_queue_back() {
    let mut house = house(WhenBusy::Queue).await;
    for _ in 0..2 {
        let played = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
        house.journal().await;
        played.await.unwrap().unwrap();
    }
    let paused = house.control(ControlAction::Pause);
    house.journal().await;
    paused.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    house.journal.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_refuses_never_happened() {
    let mut house = house(WhenBusy::Queue).await;
    let played = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
    let (JournalMsg::Append { committed, .. }, _) = house.journal.next().await else {
        panic!("an append")
    };
    committed(Err(StoreError::Failed("full".to_owned())));
    assert!(matches!(
        played.await.unwrap(),
        Err(DirectorError::Store(_))
    ));
    assert_eq!(house.show().await, (None, 0));
    house.journal.stop().await;
    let refused = house
        .ask(|reply| DirectorMsg::Play(play(&[1]), reply))
        .await
        .unwrap();
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(house.show().await, (None, 0));
}

#[tokio::test(start_paused = true)]
async fn shows_go_on_after_a_restart() {
    let mut house = house(WhenBusy::Queue).await;
    for _ in 0..2 {
        let played = house.ask(|reply| DirectorMsg::Play(play(&[1]), reply));
        house.journal().await;
        played.await.unwrap().unwrap();
    }
    let before = house.show().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    // Another director takes over, as after a crash.
    Actor::spawn(None, Director, house.args.clone())
        .await
        .unwrap();
    assert_eq!(house.show().await, before);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(
        house.journal().await.len(),
        1,
        "the queued show starts by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_process_ends_shows_whose_analysis_is_gone() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("a").await;
    house.cue("a", 1, Some(2));
    house.journal().await;
    let args = DirectorArgs {
        recovered: Arc::default(),
        ..house.args.clone()
    };
    Actor::spawn(None, Director, args).await.unwrap();
    let (timeline, _) = house.show().await;
    assert!(
        timeline.unwrap().complete,
        "it plays what it has, and the finale"
    );
}

#[tokio::test(start_paused = true)]
async fn a_show_that_gets_no_answers_does_not_block_the_channel() {
    let mut house = house(WhenBusy::Queue).await;
    house.reserved("lost").await;
    let played = house.ask(|reply| DirectorMsg::Play(play(&[5]), reply));
    assert!(house.journal().await.is_empty());
    played.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(125)).await;
    assert_eq!(house.journal().await[0].segments[0].to, 5);
}

/// Another process changes what the channel plays, behind this director's back.
fn change_elsewhere(house: &House, state: &ChannelState) -> u64 {
    let kept = |log: &MemoryLog| log.revision("c");
    let entry = Append {
        channel: "c".to_owned(),
        events: Vec::new(),
        state: Some(crate::event::body(state)),
        replaces: kept(&house.log),
    };
    house.log.write(&[entry], RETENTION);
    kept(&house.log)
}

impl House {
    /// Takes the next append as a log that processes share: it may be refused.
    async fn shared_journal(&mut self) -> Result<Position, StoreError> {
        let (JournalMsg::Append { entry, committed }, _) = self.journal.next().await else {
            panic!("an append")
        };
        let outcome = self
            .log
            .try_write(std::slice::from_ref(&entry), RETENTION)
            .remove(0);
        committed(outcome.clone().map(|head| head.position()));
        outcome.map(|head| head.position())
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_that_came_second_is_made_again_on_what_is_there_now() {
    let mut house = house(WhenBusy::Queue).await;
    let played = house.ask(|reply| DirectorMsg::Play(play(&[4, 2]), reply));
    house.shared_journal().await.unwrap();
    played.await.unwrap().unwrap();
    // Another process skips to the second answer.
    let mut theirs: ChannelState = serde_json::from_slice(
        &house
            .log
            .state("c".to_owned())
            .await
            .unwrap()
            .unwrap()
            .state,
    )
    .unwrap();
    theirs
        .control(ControlAction::Skip, house.clock.now_ms())
        .unwrap();
    change_elsewhere(&house, &theirs);
    let paused = house.control(ControlAction::Pause);
    assert_eq!(house.shared_journal().await, Err(StoreError::Conflict));
    house.shared_journal().await.unwrap();
    let shown = paused.await.unwrap().unwrap();
    let now = house.clock.now_ms();
    assert_eq!(
        shown.segment_at(now).unwrap().question,
        Some(2),
        "both hold"
    );
    assert!(shown.paused_at.is_some());
    assert_eq!(house.show().await.0, Some(shown));
}

#[tokio::test(start_paused = true)]
async fn who_comes_second_every_time_is_told() {
    let mut house = house(WhenBusy::Queue).await;
    let played = house.ask(|reply| DirectorMsg::Play(play(&[4]), reply));
    for _ in 0..=TRIES {
        let state = house.log.state("c".to_owned()).await.unwrap();
        let theirs = state.map(|kept| serde_json::from_slice(&kept.state).unwrap());
        let (JournalMsg::Append { entry, committed }, _) = house.journal.next().await else {
            panic!("an append")
        };
        change_elsewhere(&house, &theirs.unwrap_or_default());
        let outcome = house
            .log
            .try_write(std::slice::from_ref(&entry), RETENTION)
            .remove(0);
        committed(outcome.map(|head| head.position()));
    }
    let refused = played.await.unwrap().unwrap_err();
    assert!(matches!(
        refused,
        DirectorError::Store(StoreError::Conflict)
    ));
    assert_eq!(house.show().await, (None, 0));
    assert_eq!(house.mailbox.depth(), 0, "and has left its place");
}

#[tokio::test(start_paused = true)]
async fn what_another_process_plays_is_known_and_its_queue_goes_on_here() {
    let mut house = house(WhenBusy::Queue).await;
    let now = house.clock.now_ms();
    let mut theirs = ChannelState::default();
    for value in [3, 7] {
        let mut show = Show::new(value.to_string(), None, "c".to_owned(), staging().timing);
        show.add(vec![Cue::new(1, value, None)], now);
        show.complete(now);
        theirs.enqueue(show, WhenBusy::Queue, 5, now).unwrap();
    }
    theirs.start_current(now);
    let revision = change_elsewhere(&house, &theirs);
    let channel = "c".to_owned();
    house
        .mailbox
        .try_send(DirectorMsg::Changed { channel, revision })
        .unwrap();
    let (timeline, queued) = house.show().await;
    assert_eq!((timeline.unwrap().id.as_str(), queued), ("3", 1));
    // Whoever comes first starts the next show; the others see that it runs.
    tokio::time::sleep(Duration::from_secs(42)).await;
    let (JournalMsg::Append { entry, .. }, _) = house.journal.next().await else {
        panic!("an append")
    };
    assert_eq!(entry.replaces, revision);
}
