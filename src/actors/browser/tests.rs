//! The owner's own work, with programs that are no Chromium. What a real one does is tried in `tests/it/scrape_browser.rs`.

use super::*;
use crate::{metrics::MailboxMetrics, runtime::AskError};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};
use tempfile::TempDir;

type Acquired = Result<Result<Lease, BrowserError>, AskError>;

struct House {
    mailbox: Mailbox<BrowserMsg>,
    actor: ActorRef<Envelope<BrowserMsg>>,
    folder: TempDir,
}

/// A browser whose program is the shell script `script`, which finds its folder in `$HERE`; without one, there is none.
async fn house(script: Option<&str>) -> House {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("chromium");
    if let Some(script) = script {
        let here = folder.path().display();
        fs::write(&program, format!("#!/bin/sh\nHERE='{here}'\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mailbox = Mailbox::new(3, MailboxMetrics::noop());
    let args = BrowserArgs {
        config: config::Browser {
            launch_timeout_ms: 1_000,
            ..config::Browser::default()
        },
        mailbox: mailbox.clone(),
        program: Arc::new(move || match program.is_file() {
            true => Ok(program.clone()),
            false => Err("install it".to_owned()),
        }),
        agent: "test".to_owned(),
        images: false,
        metrics: Metrics::new(),
    };
    let (actor, _) = Actor::spawn(None, Browser, args).await.unwrap();
    House {
        mailbox,
        actor,
        folder,
    }
}

impl House {
    async fn acquire(&self) -> Acquired {
        let deadline = Instant::now() + Duration::from_secs(20);
        self.mailbox.ask(deadline, BrowserMsg::Acquire).await
    }

    /// Returns why there is no Chromium.
    async fn refused(&self) -> String {
        match self.acquire().await {
            Ok(Err(BrowserError::Unavailable(why))) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Returns what a script wrote into a file of its folder.
    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Waits until a script has written something into a file of its folder.
    async fn until_written(&self, name: &str) -> String {
        let written = async {
            while !self.written(name).ends_with('\n') {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), written)
            .await
            .unwrap();
        self.written(name)
    }
}

/// Waits until a process is gone, or waits for its parent to notice.
async fn gone(id: &str) {
    let stat = format!("/proc/{}/stat", id.trim());
    let gone = async {
        while fs::read_to_string(Path::new(&stat)).is_ok_and(|stat| !stat.contains(") Z")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_program_it_says_what_to_do_each_time() {
    let house = house(None).await;
    for _ in 0..2 {
        assert_eq!(house.refused().await, "install it");
    }
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn a_program_that_ends_is_told_in_its_own_words() {
    let house = house(Some("echo 'no display' >&2; exit 1")).await;
    let told = house.refused().await;
    assert_eq!(told, "Chromium does not start: no display");
}

#[tokio::test]
async fn a_program_that_says_nothing_is_given_up_with_all_its_processes() {
    let house = house(Some("sleep 1000 & echo $! > $HERE/child; wait")).await;
    let told = house.refused().await;
    assert!(told.ends_with("does not come up in time"), "{told}");
    gone(&house.written("child")).await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_no_chromium() {
    let house = house(Some(
        "echo 'DevTools listening on ws://127.0.0.1:1/x' >&2; sleep 1000",
    ))
    .await;
    let told = house.refused().await;
    assert!(told.starts_with("Chromium does not answer"), "{told}");
}

#[tokio::test]
async fn who_wait_share_one_start() {
    let house = house(Some("echo start >> $HERE/starts; sleep 0.3; echo no >&2")).await;
    let (one, two, three) = tokio::join!(house.refused(), house.refused(), house.refused());
    assert!(one == two && two == three, "{one}, {two}, {three}");
    assert_eq!(house.written("starts"), "start\n");
    house.refused().await;
    assert_eq!(
        house.written("starts"),
        "start\nstart\n",
        "it is tried again"
    );
}

#[tokio::test]
async fn rejects_when_full() {
    let house = house(Some("sleep 1000")).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            assert!(house.mailbox.try_send(BrowserMsg::Acquire(reply)).is_ok());
            answer
        })
        .collect();
    let soon = Instant::now() + Duration::from_millis(50);
    let asked = house.mailbox.ask(soon, BrowserMsg::Acquire).await;
    assert!(matches!(asked, Err(AskError::Overloaded)), "{asked:?}");
    for answer in waiting {
        assert!(answer.await.unwrap().is_err(), "the start has a limit");
    }
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn its_death_is_told_to_who_waits_and_leaves_no_process() {
    let house = house(Some("echo $$ > $HERE/id; exec sleep 1000")).await;
    let (asked, ()) = tokio::join!(house.acquire(), async {
        house.until_written("id").await;
        house.mailbox.make_next_deadly();
        house.mailbox.offer(BrowserMsg::Check);
    });
    assert!(matches!(asked, Err(AskError::Down)), "{asked:?}");
    gone(&house.written("id")).await;
    assert_eq!(house.mailbox.depth(), 0);
}

#[tokio::test]
async fn drains_on_stop() {
    let house = house(Some("echo $$ > $HERE/id; exec sleep 1000")).await;
    let (asked, ()) = tokio::join!(house.acquire(), async {
        house.until_written("id").await;
        house.actor.drain().unwrap();
    });
    assert!(asked.is_err() || asked.is_ok_and(|outcome| outcome.is_err()));
    house.actor.wait(None).await.unwrap();
    gone(&house.written("id")).await;
}
