//! What bounds and supervision cost over ractor's own: sending, asking, refusing, dying.

use criterion::{BatchSize, Criterion};
use quiz_stats::{
    metrics::Metrics,
    runtime::{
        Backoff, ChildSpec, Envelope, Mailbox, Permit, Reply, Strategy, Supervisor, SupervisorArgs,
    },
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{hint::black_box, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Messages sent in a row: as many as a mailbox may hold.
const BURST: u64 = 1_000;

pub(crate) fn benches(c: &mut Criterion) {
    // One thread: the price of the work, without that of waking another core.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    sending(c, &runtime);
    asking(c, &runtime);
    refusing(c, &runtime);
    restarting(c, &runtime);
}

fn sending(c: &mut Criterion, runtime: &Runtime) {
    let mut group = c.benchmark_group("send_and_handle");
    group.throughput(criterion::Throughput::Elements(BURST));
    let (mailbox, bare) = runtime.block_on(async {
        let mailbox = mailbox(BURST);
        spawn(&mailbox).await;
        let (bare, _) = Actor::spawn(None, Bare, ()).await.expect("an actor starts");
        (mailbox, bare)
    });
    group.bench_function("mailbox", |b| {
        b.to_async(runtime).iter(|| async {
            for _ in 1..BURST {
                mailbox
                    .send(Message::Note, soon())
                    .await
                    .expect("there is room");
            }
            mailbox
                .ask(soon(), Message::Answer)
                .await
                .expect("it answers")
        });
    });
    group.bench_function("ractor_cast", |b| {
        b.to_async(runtime).iter(|| async {
            for _ in 1..BURST {
                bare.cast(Message::Note).expect("it lives");
            }
            let (reply, answer) = oneshot::channel();
            bare.cast(Message::Answer(reply)).expect("it lives");
            answer.await.expect("it answers")
        });
    });
    let notes = runtime.block_on(async {
        let (sender, mut receiver) = mpsc::channel(BURST as usize);
        tokio::spawn(async move {
            while let Some(message) = receiver.recv().await {
                handle(message);
            }
        });
        sender
    });
    group.bench_function("tokio_mpsc", |b| {
        b.to_async(runtime).iter(|| async {
            for _ in 1..BURST {
                notes.send(Message::Note).await.expect("it lives");
            }
            let (reply, answer) = oneshot::channel();
            notes.send(Message::Answer(reply)).await.expect("it lives");
            answer.await.expect("it answers")
        });
    });
    group.finish();
}

fn asking(c: &mut Criterion, runtime: &Runtime) {
    let mailbox = runtime.block_on(async {
        let mailbox = mailbox(1);
        spawn(&mailbox).await;
        mailbox
    });
    c.bench_function("ask_and_answer", |b| {
        b.to_async(runtime).iter(|| async {
            mailbox
                .ask(soon(), Message::Answer)
                .await
                .expect("it answers")
        });
    });
}

fn refusing(c: &mut Criterion, runtime: &Runtime) {
    let (full, _held) = runtime.block_on(async {
        let full = mailbox(1);
        spawn(&full).await;
        let (reply, held) = oneshot::channel();
        full.try_send(Message::Hold(reply)).expect("there is room");
        let held = held.await.expect("it answers");
        (full, held)
    });
    c.bench_function("try_send_refused", |b| {
        b.iter(|| {
            full.try_send(black_box(Message::Note))
                .expect_err("it is full")
        });
    });
}

/// From a panic to the next answer through the same mailbox.
fn restarting(c: &mut Criterion, runtime: &Runtime) {
    // The panics are wanted: their words would only fill the screen.
    std::panic::set_hook(Box::new(|_| ()));
    let mut group = c.benchmark_group("panic_to_next_answer");
    for backoff_ms in [0, 1] {
        let (mailbox, supervisor) = runtime.block_on(async {
            let mailbox = mailbox(BURST);
            let supervisor = Supervisor::spawn(SupervisorArgs {
                strategy: Strategy::OneForOne,
                max_restarts: usize::MAX,
                window: Duration::from_secs(1),
                backoff: Backoff::from_ms(backoff_ms, backoff_ms),
                children: vec![ChildSpec::new("worker", || Worker, mailbox.clone())],
                metrics: Metrics::new(),
            });
            (mailbox, supervisor.await.expect("the worker starts"))
        });
        group.bench_function(format!("backoff_{backoff_ms}_ms"), |b| {
            b.to_async(runtime).iter_batched(
                || mailbox.clone(),
                |mailbox| async move {
                    mailbox
                        .send(Message::Panic, soon())
                        .await
                        .expect("there is room");
                    // The answer to a question that died with the worker never comes: ask again.
                    while mailbox.ask(soon(), Message::Answer).await.is_err() {}
                },
                BatchSize::PerIteration,
            );
        });
        runtime.block_on(supervisor.drain(Duration::from_secs(1)));
    }
    group.finish();
    drop(std::panic::take_hook());
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn mailbox(capacity: u64) -> Mailbox<Message> {
    Mailbox::new(capacity as usize, Metrics::new().mailbox("bench"))
}

async fn spawn(mailbox: &Mailbox<Message>) {
    Actor::spawn(None, Worker, mailbox.clone())
        .await
        .expect("an actor starts");
}

enum Message {
    Note,
    Answer(Reply<u64>),
    /// Gives the message's own permit away.
    Hold(Reply<Permit>),
    Panic,
}

/// Whoever asked and is gone needs no answer.
fn handle(message: Message) {
    match message {
        Message::Note => _ = black_box(1),
        Message::Answer(reply) => drop(reply.send(1)),
        Message::Hold(_) => unreachable!("only mailboxes hold permits"),
        Message::Panic => panic!("as asked"),
    }
}

/// Behind a mailbox, as every actor of the tree.
struct Worker;

impl Actor for Worker {
    type Msg = Envelope<Message>;
    type State = ();
    type Arguments = Mailbox<Message>;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        mailbox: Self::Arguments,
    ) -> Result<(), ActorProcessingErr> {
        mailbox.bind(myself);
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match envelope.open() {
            (Message::Hold(reply), permit) => drop(reply.send(permit)),
            (message, _permit) => handle(message),
        }
        Ok(())
    }
}

/// The same on ractor's own unbounded mailbox.
struct Bare;

impl Actor for Bare {
    type Msg = Message;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        handle(message);
        Ok(())
    }
}
