use super::*;
use crate::{
    metrics::MailboxMetrics,
    runtime::probe::Probe,
    store::memory::{MemoryLog, Next},
};
use ractor::ActorRef;
use tokio::sync::oneshot;

struct House {
    journal: Mailbox<JournalMsg>,
    broadcaster: Probe<BroadcasterMsg>,
    log: Arc<MemoryLog>,
    actor: ActorRef<Envelope<JournalMsg>>,
}

async fn house() -> House {
    let (mailbox, broadcaster) = Probe::spawn(64).await;
    let log = Arc::new(MemoryLog::new());
    let journal = Mailbox::new(64, MailboxMetrics::noop());
    let args = JournalArgs {
        config: config::Journal {
            max_batch: 8,
            ..config::Journal::default()
        },
        mailbox: journal.clone(),
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        broadcaster: mailbox,
        clock: Clock::start(),
        metrics: Metrics::new(),
    };
    let (actor, _) = Actor::spawn(None, Journal, args).await.unwrap();
    House {
        journal,
        broadcaster,
        log,
        actor,
    }
}

type Told = oneshot::Receiver<Result<Position, StoreError>>;

impl House {
    fn append(&self, body: &str) -> Told {
        let (committed, told) = oneshot::channel();
        let events = vec![Bytes::from(body.to_owned())];
        let entry = Append {
            channel: "c".to_owned(),
            events,
            state: None,
            replaces: 0,
        };
        let committed: Committed = Box::new(move |outcome| drop(committed.send(outcome)));
        self.journal
            .try_send(JournalMsg::Append { entry, committed })
            .unwrap();
        told
    }

    async fn published(&mut self) -> (u64, Bytes) {
        match self.broadcaster.next().await.0 {
            BroadcasterMsg::Publish(published) => (published.first, published.events[0].clone()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_shown_only_after_it_is_kept() {
    let mut house = house().await;
    house.log.hold();
    let told = house.append("{\"a\":1}");
    house.broadcaster.expect_nothing().await;
    house.log.release(1);
    assert_eq!(house.published().await, (1, Bytes::from("{\"a\":1}")));
    assert_eq!(
        told.await.unwrap().unwrap(),
        Position {
            epoch: 7,
            offset: 1
        }
    );
}

#[tokio::test(start_paused = true)]
async fn what_arrives_during_a_commit_shares_the_next_in_order() {
    let mut house = house().await;
    house.log.hold();
    let first = house.append("0");
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let told: Vec<Told> = (1..12).map(|n| house.append(&n.to_string())).collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    house.log.release(3);
    assert_eq!(first.await.unwrap().unwrap().offset, 1);
    for (offset, told) in (2..).zip(told) {
        assert_eq!(told.await.unwrap().unwrap().offset, offset);
    }
    assert_eq!(
        house.log.batches(),
        [1, 8, 3],
        "one, then as many as fit, then the rest"
    );
    for n in 0..12_u64 {
        assert_eq!(house.published().await, (n + 1, Bytes::from(n.to_string())));
    }
    assert_eq!(house.journal.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_or_panicking_commit_is_told_and_the_next_works() {
    let mut house = house().await;
    house.log.set_next(Next::Fail);
    let failed = house.append("1").await.unwrap().unwrap_err();
    assert!(failed.to_string().contains("the disk is full"));
    let (look, _) = house.broadcaster.next().await;
    assert!(
        matches!(look, BroadcasterMsg::Look(channel) if channel == "c"),
        "what the log did is for the log to say"
    );
    house.log.set_next(Next::Panic);
    assert!(
        house.append("2").await.is_err(),
        "the answer went with the commit"
    );
    assert_eq!(house.append("3").await.unwrap().unwrap().offset, 1);
    assert_eq!(house.published().await, (1, Bytes::from("3")));
    assert_eq!(house.journal.depth(), 0, "permits of lost entries are back");
}

#[tokio::test(start_paused = true)]
async fn drains_what_waits_behind_a_commit() {
    let house = house().await;
    house.log.hold();
    let told: Vec<Told> = (0..20).map(|n| house.append(&n.to_string())).collect();
    let actor = house.actor.clone();
    let stopped = tokio::spawn(async move { actor.drain_and_wait(None).await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    house.log.release(10);
    stopped.await.unwrap().unwrap();
    for (offset, told) in (1..).zip(told) {
        assert_eq!(told.await.unwrap().unwrap().offset, offset);
    }
}

#[tokio::test(start_paused = true)]
async fn rejects_when_full() {
    let house = house().await;
    house.log.hold();
    let _told: Vec<Told> = (0..64).map(|n| house.append(&n.to_string())).collect();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let entry = Append {
        channel: "c".to_owned(),
        events: vec![Bytes::from("x")],
        state: None,
        replaces: 0,
    };
    let message = JournalMsg::Append {
        entry,
        committed: Box::new(|_| ()),
    };
    let refused = house
        .journal
        .send(message, Instant::now() + Duration::from_secs(2))
        .await;
    assert!(refused.is_err(), "entries on their way to the disk count");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_removed_now_and_then() {
    let house = house().await;
    tokio::time::sleep(2 * PURGE_EVERY + Duration::from_secs(1)).await;
    let purges = house.log.purges();
    let [(age, first), (_, second)] = purges[..] else {
        panic!("{purges:?}");
    };
    assert_eq!(age, 24 * 3_600_000);
    assert_eq!(second - first, 600_000);
}
