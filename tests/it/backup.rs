//! The embedded store: copied while it is in use, lost, and brought back.

use crate::keys::new_key;
use crate::support::{
    Program, Reply, StubAi, TestRedis, TestServer, Viewer, eventually, order, question,
    viewer::offsets,
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::time::Instant;

async fn publish(server: &TestServer, answer: u32) -> u64 {
    let body = json!({ "answers": [answer], "whenBusy": "replace" });
    let played = server.post("/api/channels/hall/display", &body).await;
    played.expect(200)["position"]["offset"].as_u64().unwrap()
}

/// A command with the data folder and the port of `server`.
fn beside(server: &TestServer, args: &[&str]) -> Program {
    let port = server.address.rsplit(':').next().unwrap();
    Program::new(server.data_dir(), args).env("BACKEND_PORT", port)
}

async fn back_up(server: &TestServer, to: &Path) -> PathBuf {
    let said = beside(server, &["backup", to.to_str().unwrap()])
        .run()
        .await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let (path, _) = said.stdout.split_once(" (").expect("its path and its size");
    path.into()
}

async fn restore(server: &TestServer, args: &[&str]) -> (Option<i32>, String) {
    let said = beside(server, &[&["restore"], args].concat()).run().await;
    (said.code, said.stdout + &said.stderr)
}

fn lose(server: &TestServer) {
    for entry in fs::read_dir(server.data_dir()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "redb")
        {
            fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_backed_up_is_there_again_after_the_data_was_lost() {
    let (ai, copies) = (StubAi::start().await, TempDir::new().unwrap());
    let mut server = TestServer::start(&ai).await;
    let quiz = order("hall", &[question("Whose?", 3, 2)]);
    let later = server
        .request("POST", "/api/analyze")
        .header("prefer", "respond-async")
        .json(&quiz);
    let accepted = Reply::to(later).await;
    let location = accepted.header("location").to_owned();
    accepted.expect(202);
    eventually("the analysis ends", || async {
        let report = server.get(&location).await.expect(200);
        (report["status"] == "success").then_some(())
    })
    .await;
    publish(&server, 1).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let kept = publish(&server, 2).await;
    let copy = back_up(&server, copies.path()).await;
    assert_eq!(publish(&server, 3).await, kept + 1, "lost with the data");
    viewer.until(|frame| frame["offset"] == kept + 1).await;
    let position = viewer.position.clone().unwrap();

    server.kill();
    lose(&server);
    let lost_at = Instant::now();
    let (code, said) = restore(&server, &[copy.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("1 channels") && said.contains("1 answers"),
        "{said}"
    );
    // As a crash leaves it.
    let cut_short = server.data_dir().join(".copying-1");
    fs::create_dir(&cut_short).unwrap();
    fs::write(cut_short.join("backup.redb"), "half").unwrap();
    server.start_again().await;
    assert!(!cut_short.exists(), "it is swept away");
    println!(
        "back after {:?} (RTO); 1 event since the last copy was lost",
        lost_at.elapsed()
    );

    let report = server.get(&location).await.expect(200);
    assert_eq!(report["answers"], json!([2]));
    let calls = ai.calls();
    server.analyze(&quiz).await;
    assert_eq!(ai.calls(), calls, "its answer was known");
    // Events that this viewer has seen are no more; others come in their places, and it must take them.
    let mut viewer = Viewer::rejoin(&server, "hall", &position).await;
    assert_eq!(viewer.connection["recovered"], false);
    let next = publish(&server, 4).await;
    assert!(next > kept, "{next}");
    let frames = viewer.until(|frame| frame["offset"] == next).await;
    assert_eq!(offsets(&frames).last(), Some(&next));
    assert_ne!(viewer.position.unwrap().0, position.0, "the epoch");
}

#[tokio::test]
async fn a_copy_made_among_writes_is_whole() {
    let (ai, copies) = (StubAi::start().await, TempDir::new().unwrap());
    let mut server = TestServer::start(&ai).await;
    let first = publish(&server, 1).await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let body = json!({ "answers": [1], "whenBusy": "replace" });
            let request = server
                .request("POST", "/api/channels/hall/display")
                .json(&body);
            tokio::spawn(async move {
                loop {
                    Reply::to(request.try_clone().unwrap()).await.expect(200);
                }
            })
        })
        .collect();
    eventually("writing goes on", || async {
        (publish(&server, 1).await > first + 20).then_some(())
    })
    .await;
    let before = publish(&server, 1).await;
    let copy = back_up(&server, copies.path()).await;
    writers.iter().for_each(tokio::task::JoinHandle::abort);
    let after = publish(&server, 1).await;
    server.kill();
    lose(&server);
    let (code, said) = restore(&server, &[copy.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "{said}");
    server.start_again().await;
    let next = publish(&server, 1).await;
    assert!(
        (before + 1..=after + 1).contains(&next),
        "{before} {next} {after}"
    );
}

#[tokio::test]
async fn nothing_is_lost_by_a_restore_that_cannot_be() {
    let (ai, copies) = (StubAi::start().await, TempDir::new().unwrap());
    let mut server = TestServer::start(&ai).await;
    publish(&server, 1).await;
    let copy = back_up(&server, copies.path()).await;
    let copy = copy.to_str().unwrap();
    let (code, said) = restore(&server, &[copy, "--replace"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use"), "{said}");
    let last = publish(&server, 2).await;
    server.kill();

    let (code, said) = restore(&server, &[copy]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--replace"), "{said}");
    let mut bytes = fs::read(copy).unwrap();
    let words: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&at| &bytes[at..at + 4] == b"hall")
        .collect();
    assert!(!words.is_empty());
    for at in words {
        bytes[at] ^= 1;
    }
    let damaged = copies.path().join("damaged");
    fs::write(&damaged, &bytes).unwrap();
    let none = copies.path().join("none");
    fs::write(&none, "not a backup").unwrap();
    let store = server.data_dir().join("events.redb");
    for file in [&damaged, &none, &store, &copies.path().join("absent")] {
        let (code, said) = restore(&server, &[file.to_str().unwrap(), "--replace"]).await;
        assert_eq!(code, Some(1), "{file:?}: {said}");
        assert!(said.contains("no backup that can be used"), "{said}");
    }
    server.start_again().await;
    assert_eq!(publish(&server, 3).await, last + 1);
    server.kill();
    let (code, said) = restore(&server, &[copy, "--replace"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        server
            .data_dir()
            .join("events.redb.before-restore")
            .exists()
    );
    let leftovers = fs::read_dir(server.data_dir()).unwrap();
    let is_folder = |path: &Path| path.is_dir();
    assert!(!leftovers.flatten().any(|entry| is_folder(&entry.path())));
    server.start_again().await;
    assert_eq!(publish(&server, 3).await, last);
}

#[tokio::test]
async fn a_backup_is_for_who_may_see_everything() {
    let ai = StubAi::start().await;
    let (one, first) = new_key(&["one", "--roles", "admin"]).await;
    let (two, second) = new_key(&["two", "--roles", "publish"]).await;
    let (three, third) = new_key(&["three", "--roles", "admin", "--channels", "hall"]).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, [first, second, third].join("\n")).unwrap();
    let server = TestServer::with(&ai)
        .env("QUIZ_STATS__AUTH__KEYS_FILE", file.display())
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let ask = async |key: &str| {
        Reply::to(
            server
                .request("GET", "/api/backup")
                .header("x-api-key", key),
        )
        .await
    };
    let copy = ask(&one).await;
    assert_eq!(copy.status, 200);
    let log = server.log();
    let audited = log.lines().any(|line| {
        line.contains("audit") && line.contains("/api/backup") && line.contains("key=\"one\"")
    });
    assert!(audited, "{log}");
    assert_eq!(copy.body.len().to_string(), copy.header("content-length"));
    assert_eq!(ask(&two).await.error(403), "forbidden");
    assert_eq!(ask(&three).await.error(403), "forbidden");
    // On the command line.
    let to = folder.path().join("copies");
    let args = ["backup", to.to_str().unwrap(), "--keep", "2"];
    let refused = beside(&server, &args).run().await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("API_KEY"), "{refused:?}");
    for _ in 0..3 {
        let said = beside(&server, &args).env("API_KEY", &one).run().await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
}

#[tokio::test]
async fn what_is_in_redis_is_not_backed_up_here() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("REDIS_URL", redis.url())
        .start()
        .await;
    let refused = server.get("/api/backup").await;
    assert!(refused.text().contains("Redis"), "{}", refused.text());
    assert_eq!(refused.error(404), "not_found");
    let empty = TempDir::new().unwrap();
    for (args, words) in [
        (["backup", "copies"], "redis.url"),
        (["restore", "copy"], "redis.url"),
    ] {
        let said = Program::new(empty.path(), &args)
            .env("REDIS_URL", redis.url())
            .run()
            .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
    }
    let said = Program::new(empty.path(), &["backup", "copies"])
        .run()
        .await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("nothing to back up"), "{said:?}");
}
