//! The events that are shown: how each server is told of one, and how an event tells its number.
//!
//! quiz-stats is told to display one answer, with a timing that leaves one segment: a real `timeline` event of about 330
//! bytes through the whole path, committed to disk before it is shown. The others get the same bytes posted and pass
//! them on. Every event carries its number as the length of its segment, so that its receipt can be told by its last
//! bytes.

use crate::{
    http::post,
    server::{Launch, Server},
};

/// How an event ends, behind its number.
const TAIL: &[u8] = br#","from":3,"to":3}],"skipped":[],"complete":true}"#;

/// Whoever shows events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    QuizStats,
    Ws,
    Bun,
    /// Writes each event to each socket.
    Floor,
    /// Writes events that came together in one go.
    JoinedFloor,
}

impl Peer {
    pub(crate) const OTHERS: [Self; 4] = [Self::Ws, Self::Bun, Self::Floor, Self::JoinedFloor];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::QuizStats => "quiz-stats",
            Self::Ws => "Node `ws`",
            Self::Bun => "`Bun.serve`",
            Self::Floor => "bare sockets",
            Self::JoinedFloor => "bare sockets, joined writes",
        }
    }

    pub(crate) async fn start(self, launch: &Launch) -> anyhow::Result<Server> {
        match self {
            Self::QuizStats => launch.quiz_stats().await,
            Self::Ws => launch.node("broadcast.js", &[]).await,
            Self::Bun => launch.bun("broadcast-bun.js").await,
            Self::Floor => launch.floor(&[]).await,
            Self::JoinedFloor => launch.floor(&["--joined"]).await,
        }
    }

    /// Writes the request that publishes an event with this number.
    pub(crate) fn publication(self, number: usize) -> Vec<u8> {
        if self == Self::QuizStats {
            let timing = format!(
                r#"{{"riseMs":0,"holdMs":{number},"fallMs":0,"restMs":0,"finaleHoldMs":0}}"#
            );
            let body = format!(r#"{{"answers":[3],"timing":{timing},"whenBusy":"replace"}}"#);
            return post("/api/channels/bench/display", &body);
        }
        let event = format!(
            r#"{{"offset":1234,"epoch":"0123456789abcdef","type":"timeline","id":"019ab000-0000-7000-8000-000000000000","analysisId":null,"channel":"bench","revision":3,"startsAt":1795000000000,"pausedAt":null,"durationMs":{number},"segments":[{{"kind":"hold","question":1,"atMs":0,"durMs":{number}"#
        );
        let tail = std::str::from_utf8(TAIL).unwrap_or_default();
        post("/publish", &(event + tail))
    }
}

/// Returns the number of an event; the greeting has none.
pub(crate) fn number(payload: &[u8]) -> Option<usize> {
    let digits = payload.strip_suffix(TAIL)?.last_chunk::<7>()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
