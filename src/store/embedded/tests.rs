use super::*;
use crate::{
    quiz::fingerprint::Fingerprint,
    store::{AnalysisStore, AnswerStore, Append, EventLog, Head, IdempotentUse, Kept, Retention},
};
use bytes::Bytes;

const RETENTION: Retention = Retention {
    max_events: 3,
    max_bytes: 1_000,
    max_age_ms: 1_000,
};

fn entry(channel: &str, events: &[&'static str]) -> Append {
    Append {
        channel: channel.to_owned(),
        events: events
            .iter()
            .map(|body| Bytes::from_static(body.as_bytes()))
            .collect(),
        state: None,
        replaces: 0,
    }
}

async fn append(
    log: &EmbeddedEvents,
    batch: Vec<Append>,
    retention: Retention,
    now: u64,
) -> Vec<Head> {
    let heads = log.append(batch, retention, now).await.unwrap();
    heads.into_iter().map(Result::unwrap).collect()
}

async fn bodies(log: &EmbeddedEvents, channel: &str, after: u64) -> Vec<(u64, String)> {
    let events = log.read(channel.to_owned(), after, 100).await.unwrap();
    events
        .into_iter()
        .map(|e| (e.offset, String::from_utf8(e.body.to_vec()).unwrap()))
        .collect()
}

fn owned(pairs: &[(u64, &str)]) -> Vec<(u64, String)> {
    pairs
        .iter()
        .map(|(offset, body)| (*offset, (*body).to_owned()))
        .collect()
}

#[tokio::test]
async fn events_keep_their_offsets_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedEvents::open(folder.path()).unwrap();
    let batch = vec![
        entry("a", &["1", "2"]),
        entry("b", &["x"]),
        entry("a", &["3"]),
    ];
    let heads = append(&log, batch, RETENTION, 0).await;
    assert_eq!(heads.iter().map(|h| h.next).collect::<Vec<_>>(), [3, 2, 4]);
    assert_eq!(heads[0].epoch, heads[2].epoch);
    assert_ne!(heads[0].epoch, heads[1].epoch);
    drop(log);
    let log = EmbeddedEvents::open(folder.path()).unwrap();
    let head = log.head("a".to_owned()).await.unwrap().unwrap();
    assert_eq!((head.epoch, head.first, head.next), (heads[0].epoch, 1, 4));
    assert_eq!(bodies(&log, "a", 1).await, owned(&[(2, "2"), (3, "3")]));
    assert_eq!(bodies(&log, "b", 0).await, owned(&[(1, "x")]));
    assert_eq!(log.head("none".to_owned()).await.unwrap(), None);
}

#[tokio::test]
async fn history_is_bounded_by_count_bytes_and_age() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedEvents::open(folder.path()).unwrap();
    log.append(
        vec![entry("count", &["1", "2", "3", "4", "5"])],
        RETENTION,
        0,
    )
    .await
    .unwrap();
    assert_eq!(
        bodies(&log, "count", 0).await,
        owned(&[(3, "3"), (4, "4"), (5, "5")])
    );
    let few_bytes = Retention {
        max_bytes: 4,
        ..RETENTION
    };
    log.append(vec![entry("bytes", &["aaa", "bb", "cc"])], few_bytes, 0)
        .await
        .unwrap();
    assert_eq!(
        bodies(&log, "bytes", 0).await,
        owned(&[(2, "bb"), (3, "cc")])
    );
    log.append(vec![entry("age", &["old"])], RETENTION, 0)
        .await
        .unwrap();
    log.append(vec![entry("age", &["new"])], RETENTION, 1_001)
        .await
        .unwrap();
    assert_eq!(bodies(&log, "age", 0).await, owned(&[(2, "new")]));
}

#[tokio::test]
async fn a_channel_that_has_aged_out_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedEvents::open(folder.path()).unwrap();
    let playing = |channel| Append {
        state: Some(Bytes::from_static(b"s")),
        ..entry(channel, &["1"])
    };
    append(&log, vec![playing("quiet"), playing("busy")], RETENTION, 0).await;
    append(&log, vec![entry("busy", &["2"])], RETENTION, 900).await;
    // A show that has its place and waits for its first answer has no event yet.
    let reserved = Append {
        state: Some(Bytes::from_static(b"s")),
        ..entry("reserved", &[])
    };
    append(&log, vec![reserved], RETENTION, 0).await;
    log.purge(RETENTION, 1_000).await.unwrap();
    assert_eq!(bodies(&log, "quiet", 0).await, owned(&[(1, "1")]));
    log.purge(RETENTION, 1_001).await.unwrap();
    assert_eq!(log.head("quiet".to_owned()).await.unwrap(), None);
    assert_eq!(log.state("quiet".to_owned()).await.unwrap(), None);
    assert_eq!(bodies(&log, "quiet", 0).await, []);
    assert_eq!(bodies(&log, "busy", 0).await, owned(&[(2, "2")]));
    let head = log.head("busy".to_owned()).await.unwrap().unwrap();
    assert_eq!((head.first, head.next), (2, 3));
    for channel in ["busy", "reserved"] {
        assert!(log.state(channel.to_owned()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_channel_remembers_what_it_plays() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedEvents::open(folder.path()).unwrap();
    let state = Append {
        state: Some(Bytes::from_static(b"s1")),
        ..entry("a", &["1"])
    };
    append(
        &log,
        vec![state, entry("a", &["2", "3", "4", "5"])],
        RETENTION,
        0,
    )
    .await;
    let kept = Kept {
        revision: 0,
        state: Bytes::from_static(b"s1"),
    };
    assert_eq!(
        log.state("a".to_owned()).await.unwrap(),
        Some(kept.clone()),
        "trimming keeps the state"
    );
    assert_eq!(log.states().await.unwrap(), [("a".to_owned(), kept)]);
}

#[tokio::test]
async fn answers_expire_and_are_purged() {
    let folder = tempfile::tempdir().unwrap();
    let answers = EmbeddedAnswers::open(folder.path()).unwrap();
    let (a, b, c) = (
        Fingerprint([1; 32]),
        Fingerprint([2; 32]),
        Fingerprint([3; 32]),
    );
    answers
        .put(vec![
            (a, Bytes::from_static(b"A"), 100),
            (b, Bytes::from_static(b"B"), 200),
        ])
        .await
        .unwrap();
    let found = answers.get(vec![c, b, a], 100).await.unwrap();
    assert_eq!(found, [None, Some(Bytes::from_static(b"B")), None]);
    assert_eq!(answers.purge(100).await.unwrap(), 1);
    assert_eq!(answers.get(vec![a], 0).await.unwrap(), [None]);
}

#[tokio::test]
async fn analyses_and_keys_are_kept_and_purged() {
    let folder = tempfile::tempdir().unwrap();
    let analyses = EmbeddedAnalyses::open(folder.path()).unwrap();
    let used = IdempotentUse {
        request: [7; 32],
        analysis_id: "1".to_owned(),
        expires_at: 100,
    };
    for id in ["1", "2", "3"] {
        let key = (id == "1").then(|| ("key".to_owned(), used.clone()));
        analyses
            .put(id.to_owned(), Bytes::from(id), key, None, 0)
            .await
            .unwrap();
    }
    assert_eq!(
        analyses.key("key".to_owned(), 99).await.unwrap(),
        Some(used)
    );
    assert_eq!(analyses.key("key".to_owned(), 100).await.unwrap(), None);
    assert_eq!(analyses.latest(2).await.unwrap(), ["3", "2"]);
    analyses.purge(100, 1).await.unwrap();
    assert_eq!(analyses.key("key".to_owned(), 0).await.unwrap(), None);
    assert_eq!(analyses.get("2".to_owned()).await.unwrap(), None);
    assert_eq!(
        analyses.get("3".to_owned()).await.unwrap(),
        Some(Bytes::from("3"))
    );
}

#[tokio::test]
async fn a_second_process_is_told_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let _first = EmbeddedAnswers::open(folder.path()).unwrap();
    let error = EmbeddedAnswers::open(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("in use by another quiz-stats") && error.contains("--data-dir"),
        "{error}"
    );
}
