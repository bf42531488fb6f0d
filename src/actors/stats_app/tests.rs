//! Against a small server on loopback that says what its script says.

use super::*;
use crate::metrics::MailboxMetrics;
use std::collections::VecDeque;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Answers each call with the next status line of `script`, the last one for ever; returns its address and the calls.
async fn app(script: &[&'static str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut script: VecDeque<_> = script.iter().copied().collect();
    let (sender, calls) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut call = Vec::new();
            while !call.ends_with(b"\"success\"}") {
                if socket.read_buf(&mut call).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let head = match script.len() {
                1 => script[0],
                _ => script.pop_front().unwrap(),
            };
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = sender.send(String::from_utf8(call).unwrap()).await;
        }
    });
    (address, calls)
}

struct House {
    mailbox: Mailbox<StatsAppMsg>,
    metrics: Metrics,
    _actor: ActorRef<Envelope<StatsAppMsg>>,
}

async fn house(url: &str, configure: impl FnOnce(&mut config::StatsApp)) -> House {
    let mut config = config::StatsApp {
        url: Some(url.to_owned()),
        ..config::StatsApp::default()
    };
    configure(&mut config);
    let (mailbox, metrics) = (Mailbox::new(2, MailboxMetrics::noop()), Metrics::new());
    let args = StatsAppArgs {
        config,
        mailbox: mailbox.clone(),
        metrics: metrics.clone(),
    };
    let (actor, _) = Actor::spawn(None, StatsApp, args).await.unwrap();
    House {
        mailbox,
        metrics,
        _actor: actor,
    }
}

impl House {
    fn show(&self, answers: &[Option<OptionNumber>]) {
        let shown = Answers::new(answers.to_vec(), 1_790_000_000_000);
        self.mailbox.offer(StatsAppMsg::Shown(shown));
    }

    async fn until(&self, line: &str) {
        let seen = async {
            while !self.metrics.render().contains(line) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, seen).await;
        assert!(seen.is_ok(), "no {line} in {}", self.metrics.render());
    }
}

#[tokio::test]
async fn the_answers_are_posted_and_signed() {
    let (address, mut calls) = app(&["204 No Content"]).await;
    let house = house(&format!("{address}/stats/"), |config| {
        config.secret = Some("secret".to_owned().into());
    })
    .await;
    house.show(&[Some(3), None, Some(1)]);
    let call = calls.recv().await.unwrap();
    assert!(
        call.starts_with("POST /stats/display-answers HTTP/1.1\r\n"),
        "{call}"
    );
    let body = r#"{"answers":[3,null,1],"timestamp":1790000000000,"status":"success"}"#;
    assert!(call.ends_with(body), "{call}");
    let signed = format!(
        "x-signature-256: {}\r\n",
        signature(&"secret".to_owned().into(), body.as_bytes())
    );
    assert!(call.contains(&signed), "{call}");
    house
        .until("stats_app_posts_total{outcome=\"sent\"} 1")
        .await;
}

#[test]
fn the_signature_is_that_of_rfc_4231() {
    // Test case 2.
    let hex = signature(&"Jefe".to_owned().into(), b"what do ya want for nothing?");
    assert_eq!(
        hex,
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_the_same_key() {
    let (address, mut calls) =
        app(&["503 Busy", "429 Slow down\r\nretry-after: 0", "200 OK"]).await;
    let house = house(&address, |_| {}).await;
    house.show(&[Some(1)]);
    let key = |call: String| {
        let line = call
            .lines()
            .find(|line| line.starts_with("idempotency-key: "));
        line.expect("a key").to_owned()
    };
    let first = key(calls.recv().await.unwrap());
    assert_eq!(key(calls.recv().await.unwrap()), first);
    assert_eq!(key(calls.recv().await.unwrap()), first);
    house
        .until("stats_app_posts_total{outcome=\"sent\"} 1")
        .await;
}

#[tokio::test]
async fn a_refusal_and_an_empty_budget_end_it_and_the_next_goes_on() {
    let (address, mut calls) = app(&["400 Bad", "500 Broken", "500 Broken", "200 OK"]).await;
    let house = house(&address, |config| config.max_retries = 1).await;
    house.show(&[Some(1)]);
    house
        .until("stats_app_posts_total{outcome=\"failed\"} 1")
        .await;
    house.show(&[Some(2)]);
    house
        .until("stats_app_posts_total{outcome=\"failed\"} 2")
        .await;
    house.show(&[Some(3)]);
    house
        .until("stats_app_posts_total{outcome=\"sent\"} 1")
        .await;
    for answer in [1, 2, 2, 3] {
        let call = calls.recv().await.unwrap();
        assert!(call.contains(&format!("[{answer}]")), "{call}");
    }
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn nobody_waits_for_an_app_that_hangs() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let house = house(&address, |config| {
        config.timeout_ms = 100;
        config.max_retries = 0;
    })
    .await;
    for _ in 0..10 {
        house.show(&[Some(1)]);
    }
    assert!(house.mailbox.depth() <= 2, "the rest was dropped at once");
    house
        .until("stats_app_posts_total{outcome=\"failed\"} 2")
        .await;
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn its_death_loses_the_message_under_way_alone() {
    let (address, mut calls) = app(&["200 OK"]).await;
    let house = house(&address, |_| {}).await;
    house.mailbox.make_next_deadly();
    house.show(&[Some(1)]);
    let args = StatsAppArgs {
        config: config::StatsApp {
            url: Some(address),
            ..config::StatsApp::default()
        },
        mailbox: house.mailbox.clone(),
        metrics: house.metrics.clone(),
    };
    while house.mailbox.is_up() {
        tokio::task::yield_now().await;
    }
    Actor::spawn(None, StatsApp, args).await.unwrap();
    house.show(&[Some(2)]);
    assert!(calls.recv().await.unwrap().contains("[2]"));
}
