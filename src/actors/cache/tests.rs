use super::*;
use crate::{
    analysis::FailureCode, metrics::MailboxMetrics, solve::Method, store::embedded::EmbeddedAnswers,
};
use tokio::time::Instant;

struct House {
    mailbox: Mailbox<CacheMsg>,
    actor: ActorRef<Envelope<CacheMsg>>,
    args: CacheArgs,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(64, MailboxMetrics::noop());
    let args = CacheArgs {
        config: config::Cache::default(),
        mailbox: mailbox.clone(),
        store: Arc::new(EmbeddedAnswers::open(folder.path()).unwrap()),
        clock: Clock::start(),
        metrics: Metrics::new(),
    };
    let (actor, _) = Actor::spawn(None, Cache, args.clone()).await.unwrap();
    House {
        mailbox,
        actor,
        args,
        _folder: folder,
    }
}

const ONE: Fingerprint = Fingerprint([1; 32]);

fn solution() -> Arc<Solution> {
    Arc::new(Solution {
        probabilities: vec![0.25, 0.75],
        outside: 0.0,
        method: Method::Stated,
        model: "m".to_owned(),
        prompt_tokens: 1,
        completion_tokens: 1,
        calls: 1,
        cost_usd: 0.0,
    })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

impl House {
    fn resolve(&self) -> tokio::task::JoinHandle<Resolution> {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            mailbox
                .ask(soon(), |reply| CacheMsg::Resolve {
                    fingerprint: ONE,
                    reply,
                })
                .await
                .unwrap()
        })
    }

    async fn lead(&self) -> Lease {
        match self.resolve().await.unwrap() {
            Resolution::Lead(lease) => lease,
            other => panic!("{other:?}"),
        }
    }

    async fn followers(&self) -> Vec<tokio::task::JoinHandle<Resolution>> {
        let followers = (0..5).map(|_| self.resolve()).collect();
        while self.mailbox.depth() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        followers
    }
}

#[tokio::test]
async fn one_asks_and_all_get_the_answer() {
    let house = house().await;
    let lease = house.lead().await;
    let followers = house.followers().await;
    lease.settle(Ok(solution()), soon()).await;
    for follower in followers {
        assert!(
            matches!(follower.await.unwrap(), Resolution::Shared(Ok(shared)) if shared == solution())
        );
    }
    assert!(
        matches!(house.resolve().await.unwrap(), Resolution::Known(known) if known == solution())
    );
    assert!(
        house
            .args
            .metrics
            .render()
            .contains("coalesced_requests_total 5")
    );
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn a_failure_is_shared_but_not_kept() {
    let house = house().await;
    let lease = house.lead().await;
    let followers = house.followers().await;
    let failure = SharedFailure {
        code: FailureCode::AiFailed,
        error: "no".to_owned(),
        retry_after: None,
    };
    lease.settle(Err(failure.clone()), soon()).await;
    for follower in followers {
        assert!(
            matches!(follower.await.unwrap(), Resolution::Shared(Err(shared)) if shared == failure)
        );
    }
    house.lead().await;
}

#[tokio::test]
async fn a_lost_lease_passes_to_the_next_who_waits() {
    let house = house().await;
    let lease = house.lead().await;
    let mut followers = house.followers().await;
    // The first who waits has gone meanwhile.
    followers.remove(0).abort();
    drop(lease);
    let mut leases = 0;
    for follower in followers {
        match follower.await.unwrap() {
            Resolution::Lead(lease) => {
                leases += 1;
                drop(lease);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(leases, 4, "each in turn");
    house.lead().await;
}

#[tokio::test]
async fn answers_survive_a_crash() {
    let house = house().await;
    house.lead().await.settle(Ok(solution()), soon()).await;
    house.actor.kill_and_wait(None).await.unwrap();
    Actor::spawn(None, Cache, house.args.clone()).await.unwrap();
    let peek = |reply| CacheMsg::Peek {
        fingerprints: vec![ONE],
        reply,
    };
    assert_eq!(
        house.mailbox.ask(soon(), peek).await.unwrap(),
        None,
        "not in memory yet"
    );
    assert!(
        matches!(house.resolve().await.unwrap(), Resolution::Known(known) if known == solution())
    );
    assert_eq!(
        house.mailbox.ask(soon(), peek).await.unwrap(),
        Some(vec![solution()])
    );
    let unknown = |reply| CacheMsg::Peek {
        fingerprints: vec![ONE, Fingerprint([2; 32])],
        reply,
    };
    assert_eq!(
        house.mailbox.ask(soon(), unknown).await.unwrap(),
        None,
        "all or nothing"
    );
}

#[tokio::test]
async fn a_drain_writes_what_is_left() {
    let house = house().await;
    let settle = |reply| CacheMsg::Settle {
        fingerprint: ONE,
        outcome: Ok(solution()),
        reply,
    };
    let (reply, settled) = tokio::sync::oneshot::channel();
    house.mailbox.try_send(settle(reply)).unwrap();
    house.actor.drain_and_wait(None).await.unwrap();
    settled.await.unwrap().unwrap();
    let kept = house
        .args
        .store
        .get(vec![ONE], house.args.clock.now_ms())
        .await
        .unwrap();
    assert!(kept[0].is_some());
}
