use super::*;
use crate::{
    metrics::MailboxMetrics,
    runtime::{Envelope, Mailbox, Reply},
};
use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

type Log = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct EchoArgs {
    name: &'static str,
    mailbox: Mailbox<Msg>,
    log: Log,
    /// Starts that fail before one succeeds, after the first.
    bad_starts: Arc<AtomicU32>,
}

enum Msg {
    Echo(u32, Reply<u32>),
    Slow(Reply<u32>),
    Panic,
    Fail,
}

struct Echo;

impl Actor for Echo {
    type Msg = Envelope<Msg>;
    type State = EchoArgs;
    type Arguments = EchoArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: EchoArgs,
    ) -> Result<EchoArgs, ActorProcessingErr> {
        let started_before = args
            .log
            .lock()
            .unwrap()
            .contains(&format!("+{}", args.name));
        if started_before && args.bad_starts.load(Ordering::SeqCst) > 0 {
            args.bad_starts.fetch_sub(1, Ordering::SeqCst);
            return Err("not yet".into());
        }
        args.log.lock().unwrap().push(format!("+{}", args.name));
        args.mailbox.bind(myself);
        Ok(args)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        _: &mut EchoArgs,
    ) -> Result<(), ActorProcessingErr> {
        let (message, _permit) = envelope.open();
        match message {
            Msg::Echo(value, reply) => drop(reply.send(value)),
            Msg::Slow(reply) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let _ = reply.send(0);
            }
            Msg::Panic => panic!("on purpose"),
            Msg::Fail => return Err("on purpose".into()),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Self::Msg>,
        state: &mut EchoArgs,
    ) -> Result<(), ActorProcessingErr> {
        state.log.lock().unwrap().push(format!("-{}", state.name));
        Ok(())
    }
}

struct Tree {
    handle: SupervisorHandle,
    boxes: Vec<Mailbox<Msg>>,
    log: Log,
    bad_starts: Arc<AtomicU32>,
    metrics: Metrics,
}

async fn tree(strategy: Strategy) -> Tree {
    let (log, bad_starts, metrics) = (Log::default(), Arc::<AtomicU32>::default(), Metrics::new());
    let boxes: Vec<_> = (0..3)
        .map(|_| Mailbox::new(4, MailboxMetrics::noop()))
        .collect();
    let children = ["a", "b", "c"]
        .into_iter()
        .zip(&boxes)
        .map(|(name, mailbox)| {
            let args = EchoArgs {
                name,
                mailbox: mailbox.clone(),
                log: log.clone(),
                bad_starts: bad_starts.clone(),
            };
            ChildSpec::new(name, || Echo, args)
        });
    let handle = Supervisor::spawn(SupervisorArgs {
        strategy,
        max_restarts: 3,
        window: Duration::from_secs(60),
        backoff: Backoff::from_ms(100, 1_000),
        children: children.collect(),
        metrics: metrics.clone(),
    })
    .await
    .unwrap();
    Tree {
        handle,
        boxes,
        log,
        bad_starts,
        metrics,
    }
}

impl Tree {
    async fn echo(&self, child: usize) -> Result<u32, crate::runtime::AskError> {
        self.boxes[child]
            .ask(Instant::now() + Duration::from_secs(5), |reply| {
                Msg::Echo(7, reply)
            })
            .await
    }
    /// Kills a child and returns when it is dead: what was queued behind is answered by a dropped reply.
    async fn die(&self, child: usize, how: Msg) {
        let (reply, queued_behind) = oneshot::channel();
        self.boxes[child].try_send(how).unwrap();
        self.boxes[child].try_send(Msg::Echo(1, reply)).unwrap();
        assert!(queued_behind.await.is_err());
    }
    fn log(&self) -> String {
        self.log.lock().unwrap().join("")
    }
}

#[tokio::test(start_paused = true)]
async fn restarts_after_panic_and_error_behind_the_same_mailbox() {
    let tree = tree(Strategy::OneForOne).await;
    for deadly in [Msg::Panic, Msg::Fail] {
        tree.die(1, deadly).await;
        assert_eq!(tree.echo(1).await, Ok(7));
        assert_eq!(tree.boxes[1].depth(), 0, "all permits are back");
    }
    assert_eq!(tree.log(), "+a+b+c+b+b");
    let rendered = tree.metrics.render();
    assert!(
        rendered.contains("actor_restarts_total{actor=\"b\",reason=\"failed\"} 2"),
        "{rendered}"
    );
    assert!(rendered.contains("actor_up{actor=\"b\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn strategies_decide_who_goes_down_together() {
    for (strategy, expected) in [
        (Strategy::RestForOne, "+a+b+c-c+b+c"),
        (Strategy::OneForAll, "+a+b+c-c-a+a+b+c"),
    ] {
        let tree = tree(strategy).await;
        tree.die(1, Msg::Panic).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(tree.log(), expected, "{strategy:?}");
        assert_eq!(tree.echo(2).await, Ok(7));
    }
}

#[tokio::test(start_paused = true)]
async fn gives_up_when_the_budget_is_spent() {
    let mut tree = tree(Strategy::OneForOne).await;
    for _ in 0..3 {
        tree.die(0, Msg::Panic).await;
        assert_eq!(tree.echo(0).await, Ok(7));
    }
    tree.die(0, Msg::Panic).await;
    let reason = tree.handle.gave_up().await;
    assert!(
        reason.contains("a died") && reason.contains("more than 3 restarts within 60 s"),
        "{reason}"
    );
    assert!(
        tree.echo(1).await.is_err(),
        "the siblings end with the supervisor"
    );
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_a_sliding_window() {
    let tree = tree(Strategy::OneForOne).await;
    for _ in 0..9 {
        tree.die(0, Msg::Panic).await;
        assert_eq!(tree.echo(0).await, Ok(7));
        tokio::time::sleep(Duration::from_secs(21)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_is_tried_again_and_counts() {
    let mut tree = tree(Strategy::OneForOne).await;
    tree.bad_starts.store(2, Ordering::SeqCst);
    tree.die(2, Msg::Panic).await;
    assert_eq!(tree.echo(2).await, Ok(7), "the third start succeeds");
    tree.die(2, Msg::Panic).await;
    assert!(tree.handle.gave_up().await.contains("c died"));
}

#[tokio::test(start_paused = true)]
async fn drains_in_reverse_order_and_answers_what_is_queued() {
    let tree = tree(Strategy::OneForOne).await;
    let (slow, first) = oneshot::channel();
    let (reply, second) = oneshot::channel();
    tree.boxes[2].try_send(Msg::Slow(slow)).unwrap();
    tree.boxes[2].try_send(Msg::Echo(9, reply)).unwrap();
    tree.handle.drain(Duration::from_secs(5)).await;
    assert_eq!((first.await, second.await), (Ok(0), Ok(9)));
    assert_eq!(tree.log.lock().unwrap().join(""), "+a+b+c-c-b-a");
}
