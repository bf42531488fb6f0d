//! What the tests stand on: the real program, a scripted model, viewers.

pub(crate) mod ai;
pub(crate) mod browser;
mod described;
pub(crate) mod installed;
pub(crate) mod nginx;
pub(crate) mod program;
pub(crate) mod raw;
pub(crate) mod redis;
pub(crate) mod reply;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod sse;
pub(crate) mod token;
pub(crate) mod viewer;

pub(crate) use self::{
    ai::StubAi,
    nginx::TestNginx,
    program::{Program, Said},
    redis::TestRedis,
    reply::Reply,
    server::TestServer,
    site::{Canary, Site, visitor_of, visitor_with_browser},
    sse::Sse,
    viewer::Viewer,
};

use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long anything may take before the test fails: far beyond what is normal, for a machine with other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks at something that is bound to come.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer; fails the test when none comes in time.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits for something that comes once; fails the test when it does not come in time.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// A question whose right option, which the scripted model finds, is number `right`.
pub(crate) fn question(text: &str, options: usize, right: usize) -> Value {
    let answers: Vec<_> = (1..=options)
        .map(|number| match number == right {
            true => format!("right, {number}"),
            false => format!("wrong, {number}"),
        })
        .collect();
    json!({ "question": text, "answers": answers })
}

/// A request for these questions on a channel.
pub(crate) fn order(channel: &str, questions: &[Value]) -> Value {
    json!({ "questions": questions, "channel": channel })
}

/// A show that is over in a moment: every part takes `ms`.
pub(crate) fn timing(ms: u64) -> Value {
    json!({ "riseMs": ms, "holdMs": ms, "fallMs": ms, "restMs": ms, "finaleValue": 10, "finaleHoldMs": ms })
}
