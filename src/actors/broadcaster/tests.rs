use super::*;
use crate::{
    event::{Batch, Frame},
    metrics::MailboxMetrics,
    store::{Append, Retention, memory::MemoryLog},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    pin::pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::Instant;

const RETENTION: Retention = Retention {
    max_events: 10,
    max_bytes: 1 << 20,
    max_age_ms: 1 << 40,
};

struct House {
    mailbox: Mailbox<BroadcasterMsg>,
    log: Arc<MemoryLog>,
    metrics: Metrics,
}

async fn house() -> House {
    house_of(3).await
}

async fn house_of(max_viewers: usize) -> House {
    let (log, metrics) = (Arc::new(MemoryLog::new()), Metrics::new());
    let mailbox = Mailbox::new(64, MailboxMetrics::noop());
    let args = BroadcasterArgs {
        config: config::Broadcaster {
            recent_events: 4,
            max_viewers,
            ..config::Broadcaster::default()
        },
        mailbox: mailbox.clone(),
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        clock: Clock::start(),
        metrics: metrics.clone(),
    };
    Actor::spawn(None, Broadcaster, args).await.unwrap();
    House {
        mailbox,
        log,
        metrics,
    }
}

fn body(n: u64) -> Bytes {
    Bytes::from(format!("{{\"n\":{n}}}"))
}

impl House {
    /// Writes events to the log; publishing them is another step.
    fn log(&self, numbers: std::ops::RangeInclusive<u64>) -> Vec<Published> {
        numbers.map(|n| self.write(n, RETENTION)).collect()
    }

    fn write(&self, n: u64, retention: Retention) -> Published {
        let entry = Append {
            channel: "c".to_owned(),
            events: vec![body(n)],
            state: None,
            replaces: 0,
        };
        Published {
            channel: "c".to_owned(),
            head: self.log.write(&[entry], retention)[0],
            first: n,
            events: vec![body(n)],
            state: None,
        }
    }

    /// Writes one event to a log that keeps all, and publishes it.
    async fn append_kept(&self, n: u64) {
        let keeps_all = Retention {
            max_events: u64::MAX,
            ..RETENTION
        };
        let message = BroadcasterMsg::Publish(self.write(n, keeps_all));
        let deadline = Instant::now() + Duration::from_secs(10);
        self.mailbox.send(message, deadline).await.unwrap();
    }

    async fn publish(&self, published: impl IntoIterator<Item = Published>) {
        self.offer(published);
        self.info().await;
    }

    /// Publishes, and does not ask what became of it.
    fn offer(&self, published: impl IntoIterator<Item = Published>) {
        for published in published {
            self.mailbox
                .try_send(BroadcasterMsg::Publish(published))
                .unwrap();
        }
    }

    /// Asks something, so that everything before it has been handled.
    async fn info(&self) -> ChannelInfo {
        let get = |reply| BroadcasterMsg::GetChannel {
            channel: "c".to_owned(),
            reply,
        };
        self.mailbox
            .ask(Instant::now() + Duration::from_secs(1), get)
            .await
            .unwrap()
            .unwrap()
    }

    async fn join(
        &self,
        viewer: ViewerId,
        since: Option<u64>,
        max_bytes: usize,
    ) -> Result<Arc<Outbox<Indirect>>, SubscribeError> {
        let outbox = Arc::new(Outbox::new(max_bytes, Indirect));
        self.admit(viewer, since, Arc::clone(&outbox) as Arc<Outbox>)
            .await?;
        Ok(outbox)
    }

    async fn admit(
        &self,
        viewer: ViewerId,
        since: Option<u64>,
        outbox: Arc<Outbox>,
    ) -> Result<(), SubscribeError> {
        let since = since.map(|offset| Position { epoch: 7, offset });
        let subscribe = |reply| BroadcasterMsg::Subscribe {
            viewer,
            channel: "c".to_owned(),
            since,
            outbox: Arc::clone(&outbox),
            reply,
        };
        self.mailbox
            .ask(Instant::now() + Duration::from_secs(1), subscribe)
            .await
            .unwrap()
    }

    /// Joins with a socket that takes its time.
    async fn join_directly(&self, takes: Duration) -> Arc<Outbox<Counting>> {
        let socket = Counting {
            takes,
            writes: Mutex::default(),
        };
        let outbox = Arc::new(Outbox::new(1 << 20, socket));
        self.admit(1, None, Arc::clone(&outbox) as Arc<Outbox>)
            .await
            .unwrap();
        assert_eq!(taken(&outbox), ["connection"]);
        outbox
    }
}

/// Returns what is in the outbox: the types of messages, the numbers of events.
fn taken(outbox: &Outbox<impl Direct>) -> Vec<String> {
    frames(outbox)
        .iter()
        .map(|frame| serde_json::from_slice::<Value>(&frame.json()).unwrap())
        .map(|json| {
            json["n"].as_u64().map_or_else(
                || json["type"].as_str().unwrap().to_owned(),
                |n| n.to_string(),
            )
        })
        .collect()
}

fn frames(outbox: &Outbox<impl Direct>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let taken = outbox.poll_take(&mut Context::from_waker(Waker::noop()), |frame| {
        frames.push(frame);
    });
    match taken {
        Poll::Ready(Ok(())) | Poll::Pending => frames,
        Poll::Ready(Err(closed)) => panic!("{closed:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_viewer_gets_what_comes_after_it_joined() {
    let house = house().await;
    house.publish(house.log(1..=2)).await;
    let outbox = house.join(1, None, 1 << 20).await.unwrap();
    house.publish(house.log(3..=4)).await;
    assert_eq!(taken(&outbox), ["connection", "3", "4"]);
    assert_eq!(
        house.info().await,
        ChannelInfo {
            position: Some(Position {
                epoch: 7,
                offset: 4
            }),
            viewers: 1
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_returns_gets_exactly_what_it_missed() {
    let house = house().await;
    house.publish(house.log(1..=9)).await;
    let nearly = house.join(1, Some(7), 1 << 20).await.unwrap();
    let from_the_log = house.join(2, Some(2), 1 << 20).await.unwrap();
    house.publish(house.log(10..=10)).await;
    assert_eq!(taken(&nearly), ["connection", "8", "9", "10"]);
    assert_eq!(
        taken(&from_the_log),
        ["connection", "3", "4", "5", "6", "7", "8", "9", "10"]
    );
    assert!(
        house
            .metrics
            .render()
            .contains("websocket_recoveries_total{outcome=\"recovered\"} 2")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_a_gap_and_never_silence() {
    let house = house().await;
    house.publish(house.log(1..=15)).await;
    let outbox = house.join(1, Some(3), 1 << 20).await.unwrap();
    let frames = frames(&outbox);
    let json: Vec<Value> = frames
        .iter()
        .map(|frame| serde_json::from_slice(&frame.json()).unwrap())
        .collect();
    assert_eq!(json[0]["recovered"], false);
    assert_eq!(
        (&json[1]["type"], &json[1]["from"], &json[1]["to"]),
        (&"gap".into(), &4.into(), &15.into())
    );
    let future = house.join(2, Some(99), 1 << 20).await.unwrap();
    assert_eq!(
        taken(&future),
        ["connection", "gap"],
        "a position that never was"
    );
}

#[tokio::test(start_paused = true)]
async fn holes_are_filled_from_the_log_and_doubles_left_out() {
    let house = house().await;
    let outbox = house.join(1, None, 1 << 20).await.unwrap();
    let mut all = house.log(1..=5);
    let fifth = all.pop().unwrap();
    let second = all.swap_remove(1);
    // The publications of 1, 3 and 4 were lost, 2 comes late, and the journal says 5 twice.
    let again = Published {
        channel: "c".to_owned(),
        head: fifth.head,
        first: 5,
        events: vec![body(5)],
        state: None,
    };
    house.publish([fifth, second, again]).await;
    assert_eq!(taken(&outbox), ["connection", "1", "2", "3", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_is_closed_and_the_others_go_on() {
    let house = house().await;
    let frame_len = Frame::event(
        &body(1),
        Position {
            epoch: 7,
            offset: 1,
        },
    )
    .len();
    let slow = house.join(1, None, frame_len * 2).await.unwrap();
    let quick = house.join(2, None, 1 << 20).await.unwrap();
    house.publish(house.log(1..=3)).await;
    assert_eq!(taken(&quick), ["connection", "1", "2", "3"]);
    let closed = slow.poll_take(&mut Context::from_waker(Waker::noop()), |_| ());
    assert_eq!(closed, Poll::Ready(Err(Closed::TooSlow)));
    assert_eq!(house.info().await.viewers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_house_lets_nobody_in_until_somebody_leaves() {
    let house = house().await;
    for viewer in 1..=3 {
        house.join(viewer, None, 1 << 20).await.unwrap();
    }
    assert!(matches!(
        house.join(4, None, 1 << 20).await,
        Err(SubscribeError::Full)
    ));
    house
        .mailbox
        .try_send(BroadcasterMsg::Unsubscribe {
            viewer: 2,
            channel: "c".to_owned(),
        })
        .unwrap();
    assert!(house.join(4, None, 1 << 20).await.is_ok());
    // A viewer that joins again does not count twice.
    assert!(matches!(
        house.join(4, None, 1 << 20).await,
        Err(SubscribeError::Full)
    ));
    assert_eq!(house.info().await.viewers, 3);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_appended_is_read_once_woken() {
    let house = house().await;
    let outbox = house.join(1, None, 1 << 20).await.unwrap();
    let wake = |next| BroadcasterMsg::Wake {
        channel: "c".to_owned(),
        epoch: 7,
        next,
        revision: 0,
    };
    let own = house.log(1..=3).pop().unwrap();
    // Wake-ups come late, twice, out of order, or before the journal's own word.
    for message in [
        wake(3),
        wake(2),
        wake(4),
        BroadcasterMsg::Publish(own),
        BroadcasterMsg::LookAtAll,
    ] {
        house.mailbox.try_send(message).unwrap();
    }
    house.info().await;
    assert_eq!(taken(&outbox), ["connection", "1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_went_back_begins_anew_and_viewers_are_told_to_come_back() {
    let house = house().await;
    house.log(1..=3);
    let outbox = house.join(1, None, 1 << 20).await.unwrap();
    house.log.lose("c", 3);
    house.mailbox.try_send(BroadcasterMsg::LookAtAll).unwrap();
    let info = house.info().await;
    assert_eq!(info.viewers, 0);
    assert_eq!(taken(&outbox), ["connection"]);
    let closed = outbox.poll_take(&mut Context::from_waker(Waker::noop()), |_| ());
    assert_eq!(closed, Poll::Ready(Err(Closed::GoingAway)));
    assert_ne!(
        info.position.unwrap().epoch,
        7,
        "no offset means two events"
    );
}

#[tokio::test(start_paused = true)]
async fn viewers_are_sent_away_spread_in_time() {
    // 2,000 a second by default: 100 with each tick, the first at once.
    for (viewers, seconds, took) in [
        (50, 10, 0),
        (1_000, 10, 450),
        (1_000, 0, 0),
        (1_000, 100, 450),
    ] {
        let house = house_of(1_000).await;
        let mut outboxes = Vec::new();
        for viewer in 0..viewers {
            outboxes.push(house.join(viewer, None, 1 << 20).await.unwrap());
        }
        let began = Instant::now();
        let until = began + Duration::from_secs(seconds);
        let farewell = |reply| BroadcasterMsg::Farewell { until, reply };
        let patience = began + Duration::from_secs(200);
        house.mailbox.ask(patience, farewell).await.unwrap();
        assert_eq!(
            began.elapsed().as_millis(),
            took,
            "{viewers} in {seconds} s"
        );
        for outbox in outboxes {
            let mut context = Context::from_waker(Waker::noop());
            // `connection` first.
            assert!(outbox.poll_take(&mut context, |_| ()).is_ready());
            assert_eq!(
                outbox.poll_take(&mut context, |_| ()),
                Poll::Ready(Err(Closed::GoingAway))
            );
        }
    }
}

/// A socket that takes everything, and counts the writes.
#[derive(Debug)]
struct Counting {
    takes: Duration,
    writes: Mutex<Vec<usize>>,
}

impl Counting {
    fn writes(&self) -> Vec<usize> {
        self.writes.lock().unwrap().clone()
    }
}

impl Direct for Counting {
    fn try_send(&self, batch: &Batch) -> Sent {
        // Time is paused, and moves on with the first poll.
        let _ =
            pin!(tokio::time::advance(self.takes)).poll(&mut Context::from_waker(Waker::noop()));
        self.writes.lock().unwrap().push(batch.frames.len());
        Sent::Whole
    }
}

#[tokio::test(start_paused = true)]
async fn publications_that_wait_leave_in_one_write() {
    let house = house().await;
    let outbox = house.join_directly(Duration::ZERO).await;
    house.publish(house.log(1..=5)).await;
    house.publish(house.log(6..=6)).await;
    assert_eq!(outbox.direct().writes(), [5, 1]);
    assert!(
        house
            .metrics
            .render()
            .contains("websocket_messages_sent_total 6")
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_company_is_shown_before_viewers_are_sent_away() {
    let house = house().await;
    let outbox = house.join_directly(Duration::from_millis(20)).await;
    house.publish(house.log(1..=2)).await;
    house.offer(house.log(3..=3));
    let until = Instant::now() + Duration::from_secs(1);
    let farewell = |reply| BroadcasterMsg::Farewell { until, reply };
    house.mailbox.ask(until, farewell).await.unwrap();
    assert_eq!(outbox.direct().writes(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn publications_wait_for_others_while_several_come_together() {
    let house = house().await;
    let outbox = house.join_directly(Duration::from_millis(20)).await;
    let publish = |n| house.offer(house.log(n..=n));
    let later = |ms| tokio::time::sleep(Duration::from_millis(ms));
    house.publish(house.log(1..=2)).await;
    publish(3);
    later(2).await;
    assert_eq!(outbox.direct().writes(), [2], "another may come");
    publish(4);
    later(10).await;
    assert_eq!(outbox.direct().writes(), [2, 2]);
    publish(5);
    later(10).await;
    assert_eq!(outbox.direct().writes(), [2, 2, 1], "none came");
    publish(6);
    later(1).await;
    assert_eq!(outbox.direct().writes(), [2, 2, 1, 1], "so none is awaited");
}

/// There is no moment at which a viewer could come and miss an event, or get one twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_come_and_come_back_while_events_are_published() {
    const EVENTS: u64 = 2_000;
    const VIEWERS: u64 = 4_000;
    let house = Arc::new(house_of(100_000).await);
    let publishing = tokio::spawn({
        let house = Arc::clone(&house);
        async move {
            for n in 1..=EVENTS {
                house.append_kept(n).await;
            }
        }
    });
    let mut outboxes = Vec::new();
    for viewer in 0..VIEWERS {
        // Every second one comes back: it has seen what its neighbour had seen a while ago.
        let since = match (viewer % 2, house.info().await.position) {
            (1, Some(position)) => Some(position.offset.saturating_sub(viewer % 20).max(1)),
            _ => None,
        };
        outboxes.push((since, house.join(viewer, since, 1 << 30).await.unwrap()));
    }
    publishing.await.unwrap();
    assert_eq!(house.info().await.position.unwrap().offset, EVENTS);
    for (since, outbox) in outboxes {
        let frames = frames(&outbox);
        let greeting: Value = serde_json::from_slice(&frames[0].json()).unwrap();
        let before = greeting["position"]["offset"].as_u64().unwrap_or(0);
        assert_eq!(greeting["recovered"], since.is_some());
        let offsets: Vec<_> = frames[1..].iter().filter_map(Frame::offset).collect();
        let first = since.unwrap_or(before) + 1;
        assert_eq!(offsets, (first..=EVENTS).collect::<Vec<_>>(), "{since:?}");
    }
}
