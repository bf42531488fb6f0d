//! Gates asked for and given. What passes through them is tried in `egress::gate`.

use super::*;
use crate::{
    config,
    egress::{Budget, Policy, SystemResolver},
    metrics::MailboxMetrics,
    runtime::{AskError, SendError},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

const PATIENCE: Duration = Duration::from_secs(10);

struct House {
    mailbox: Mailbox<EgressGuardMsg>,
    actor: ActorRef<Envelope<EgressGuardMsg>>,
}

async fn house() -> House {
    let mailbox = Mailbox::new(2, MailboxMetrics::noop());
    let policy = Policy::new(&config::Egress::default());
    let args = EgressGuardArgs {
        mailbox: mailbox.clone(),
        dialer: Dialer::new(policy, Arc::new(SystemResolver), PATIENCE),
    };
    let (actor, _) = Actor::spawn(None, EgressGuard, args).await.unwrap();
    House { mailbox, actor }
}

/// A way out for markup.
fn opening(markup: &str) -> Opening {
    Opening {
        markup: Some(markup.into()),
        budget: Budget {
            bytes: 10_000,
            connections: 10,
        },
        deadline: Instant::now() + PATIENCE,
    }
}

impl House {
    async fn open(&self, markup: &str) -> Result<Gate, AskError> {
        let ask = |reply| EgressGuardMsg::Open(opening(markup), reply);
        self.mailbox.ask(Instant::now() + PATIENCE, ask).await
    }
}

/// Returns what a gate answers to a request for its markup; `None` when nobody is there.
async fn read(gate: &str) -> Option<String> {
    let address = gate.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.ok()?;
    let url = Gate::MARKUP_URL;
    let request =
        format!("GET {url} HTTP/1.1\r\nhost: markup.invalid\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn each_page_has_a_gate_of_its_own_that_ends_with_it() {
    let house = house().await;
    let (one, two) = (
        house.open("one").await.unwrap(),
        house.open("two").await.unwrap(),
    );
    assert_ne!(one.proxy(), two.proxy());
    assert!(read(&one.proxy()).await.unwrap().ends_with("one"));
    let address = one.proxy();
    drop(one);
    let closed = async {
        while read(&address).await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed)
        .await
        .expect("a gate closes when it is dropped");
    assert!(read(&two.proxy()).await.unwrap().ends_with("two"));
}

#[tokio::test]
async fn a_caller_that_has_gone_leaves_nothing_behind() {
    let house = house().await;
    let (reply, answer) = tokio::sync::oneshot::channel();
    drop(answer);
    assert!(
        house
            .mailbox
            .try_send(EgressGuardMsg::Open(opening("x"), reply))
            .is_ok()
    );
    assert!(house.open("y").await.is_ok());
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn rejects_when_full() {
    let house = house().await;
    // Requests that nobody handles yet: the test's thread is the actor's, and does not give way.
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let message = EgressGuardMsg::Open(opening("x"), reply);
            assert!(house.mailbox.try_send(message).is_ok());
            answer
        })
        .collect();
    let (reply, _answer) = tokio::sync::oneshot::channel();
    let third = house
        .mailbox
        .try_send(EgressGuardMsg::Open(opening("x"), reply));
    assert!(matches!(third, Err(SendError::Overloaded(_))));
    for answer in waiting {
        assert!(answer.await.is_ok());
    }
    assert!(house.open("x").await.is_ok());
}

#[tokio::test]
async fn its_death_leaves_open_gates_alone() {
    let house = house().await;
    let gate = house.open("before").await.unwrap();
    house.mailbox.make_next_deadly();
    assert!(matches!(house.open("x").await, Err(AskError::Down)));
    assert!(read(&gate.proxy()).await.unwrap().ends_with("before"));
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn drains_on_stop() {
    let house = house().await;
    let (opened, ()) = tokio::join!(house.open("last"), async {
        house.actor.drain().unwrap();
    });
    if let Ok(gate) = opened {
        assert!(read(&gate.proxy()).await.unwrap().ends_with("last"));
    }
    house.actor.wait(None).await.unwrap();
}
