//! What the watcher knows: the show, the link, the latest news. Frames and moments in, numbers and words out. Pure.

use super::{
    frame::{Frame, Message},
    offset::Offset,
};
use crate::timeline::{Segment, SegmentKind, Timeline};

/// How the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// The first try is under way.
    Connecting,
    /// Events arrive.
    Live,
    /// It broke; the next try is at this local time.
    Waiting { why: String, until_ms: u64 },
}

/// How the number is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Nothing is shown.
    Idle,
    /// An answer is.
    Answer,
    /// The end of the show is.
    Finale,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    pub(super) channel: String,
    pub(super) link: Link,
    pub(super) offset: Offset,
    pub(super) timeline: Option<Timeline>,
    /// The latest event in words.
    pub(super) news: String,
}

impl Screen {
    pub(super) fn new(channel: impl Into<String>) -> Self {
        Self {
            channel: channel.into(),
            link: Link::Connecting,
            offset: Offset::default(),
            timeline: None,
            news: String::new(),
        }
    }

    /// Takes over a message that arrived at local time `now_ms`. Returns it in words when people should know.
    pub(super) fn apply(&mut self, message: Message, now_ms: u64) -> Option<String> {
        let news = match message.frame {
            Frame::Connection {
                server_time,
                recovered,
                state,
                ..
            } => {
                self.link = Link::Live;
                // Round trips of the last connection say little about this one.
                self.offset = Offset::guess(server_time, now_ms);
                self.timeline = state;
                let how = if recovered { ", nothing missed" } else { "" };
                format!("connected to channel {}{how}", self.channel)
            }
            Frame::AnalysisStarted { question_count } => {
                format!(
                    "analysis of {question_count} question{} started",
                    if question_count == 1 { "" } else { "s" }
                )
            }
            Frame::AnswerReady {
                index,
                answer,
                confidence,
            } => match (answer, confidence) {
                (Some(answer), Some(confidence)) => {
                    format!("question {index}: {answer} ({:.0} %)", confidence * 100.0)
                }
                (Some(answer), None) => format!("question {index}: {answer}"),
                (None, _) => format!("question {index}: no answer"),
            },
            Frame::AnswersReady { answers } => {
                let shown = answers.iter().map(|answer| {
                    answer.map_or_else(|| "–".to_owned(), |answer| answer.to_string())
                });
                format!("all answers: {}", shown.collect::<Vec<_>>().join(" "))
            }
            Frame::AnalysisFailed { error } => format!("the analysis failed: {error}"),
            Frame::Timeline(timeline) => return self.show(timeline),
            Frame::Pong {
                client_time,
                server_time,
            } => {
                self.offset.add(client_time, server_time, now_ms);
                return None;
            }
            Frame::Gap { from, to, state } => {
                self.timeline = state;
                format!("events {from} to {to} are gone for good; here is how things stand")
            }
            Frame::Other => return None,
        };
        self.news.clone_from(&news);
        Some(news)
    }

    /// Takes over a timeline unless a later revision is shown already.
    fn show(&mut self, timeline: Timeline) -> Option<String> {
        let before = self
            .timeline
            .as_ref()
            .filter(|shown| shown.id == timeline.id);
        if before.is_some_and(|shown| shown.revision > timeline.revision) {
            return None;
        }
        let paused = |timeline: &Timeline| timeline.paused_at.is_some();
        let news = match before {
            None => Some(format!("the show starts{}", skipped(&timeline))),
            Some(before) if paused(&timeline) && !paused(before) => {
                Some("the show pauses".to_owned())
            }
            Some(before) if !paused(&timeline) && paused(before) => {
                Some("the show goes on".to_owned())
            }
            Some(_) => None,
        };
        if let Some(news) = &news {
            self.news.clone_from(news);
        }
        self.timeline = Some(timeline);
        news
    }

    /// Returns the number to show at local time `now_ms`.
    pub(super) fn value(&self, now_ms: u64) -> f64 {
        self.timeline.as_ref().map_or(0.0, |timeline| {
            timeline.value_at(self.offset.server_time(now_ms))
        })
    }

    /// Returns the value as a share of the largest in the show, 0 to 1.
    pub(super) fn level(&self, now_ms: u64) -> f64 {
        let segments = self.timeline.iter().flat_map(|timeline| &timeline.segments);
        let largest = segments
            .map(|segment| segment.to.max(segment.from))
            .max()
            .unwrap_or(0)
            .max(1);
        (self.value(now_ms) / f64::from(largest)).clamp(0.0, 1.0)
    }

    /// Returns what the number stands for at local time `now_ms`.
    pub(super) fn caption(&self, now_ms: u64) -> String {
        let Some(timeline) = &self.timeline else {
            return "no show is playing".to_owned();
        };
        let now = self.offset.server_time(now_ms);
        let paused = match timeline.paused_at {
            Some(_) => " · paused",
            None => "",
        };
        let caption = match timeline.segment_at(now) {
            Some(segment) if segment.kind != SegmentKind::Rest => what(segment, timeline),
            _ => between(timeline, now),
        };
        caption + paused
    }

    /// Returns how the number is to look at local time `now_ms`.
    pub(super) fn mood(&self, now_ms: u64) -> Mood {
        let now = self.offset.server_time(now_ms);
        let segment = self.timeline.as_ref().and_then(|show| show.segment_at(now));
        match segment {
            None => Mood::Idle,
            Some(segment) if segment.kind == SegmentKind::Rest => Mood::Idle,
            Some(segment) if segment.question.is_none() => Mood::Finale,
            Some(_) => Mood::Answer,
        }
    }

    /// Returns how much of the show is over in milliseconds, and how long it is.
    pub(super) fn progress(&self, now_ms: u64) -> Option<(u64, u64)> {
        let timeline = self.timeline.as_ref()?;
        let elapsed = timeline.elapsed(self.offset.server_time(now_ms));
        Some((elapsed.min(timeline.duration_ms), timeline.duration_ms))
    }

    /// Returns the connection's state in words.
    pub(super) fn link_text(&self, now_ms: u64) -> String {
        match &self.link {
            Link::Connecting => "connecting".to_owned(),
            Link::Live => match self.offset.round_trip_ms() {
                Some(round_trip @ 1..) => format!("live · {round_trip} ms"),
                _ => "live".to_owned(),
            },
            Link::Waiting { why, until_ms } => match until_ms.saturating_sub(now_ms) {
                0 => format!("{why} · reconnecting"),
                left => format!("{why} · again in {} s", left.div_ceil(1_000)),
            },
        }
    }
}

/// Returns what is on the screens.
fn what(segment: &Segment, timeline: &Timeline) -> String {
    let Some(question) = segment.question else {
        return "finale".to_owned();
    };
    let of = questions(timeline).map(|count| format!(" of {count}"));
    let confidence = segment
        .confidence
        .map(|share| format!(" · {:.0} % sure", share * 100.0));
    format!(
        "question {question}{}{}",
        of.unwrap_or_default(),
        confidence.unwrap_or_default()
    )
}

/// Returns what comes next, and when.
fn between(timeline: &Timeline, now: u64) -> String {
    if timeline.is_over(now) {
        return "the show is over".to_owned();
    }
    let seconds = |ms: u64| ms.div_ceil(1_000);
    if now < timeline.starts_at {
        return format!("the show starts in {} s", seconds(timeline.starts_at - now));
    }
    let elapsed = timeline.elapsed(now);
    let rises = |segment: &&Segment| segment.kind == SegmentKind::Rise && segment.at_ms > elapsed;
    match timeline.segments.iter().find(rises) {
        None => "waiting for the next answer".to_owned(),
        Some(next) => {
            let what = next.question.map(|question| format!("question {question}"));
            let what = what.unwrap_or_else(|| "finale".to_owned());
            format!("{what} in {} s", seconds(next.at_ms - elapsed))
        }
    }
}

/// Returns which questions the show passes over, as the end of a sentence.
fn skipped(timeline: &Timeline) -> String {
    let numbers: Vec<_> = timeline.skipped.iter().map(u32::to_string).collect();
    match numbers.is_empty() {
        true => String::new(),
        false => format!("; without an answer: {}", numbers.join(", ")),
    }
}

/// Returns how many questions the show has, once all answers are in.
fn questions(timeline: &Timeline) -> Option<u32> {
    let shown = timeline
        .segments
        .iter()
        .filter_map(|segment| segment.question);
    let all = shown.chain(timeline.skipped.iter().copied());
    all.max().filter(|_| timeline.complete)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A show that starts at server time 10 000: question 1 rises to 2, holds, falls; the finale rises to 10.
    pub(in super::super) fn show(revision: u64) -> serde_json::Value {
        json!({"type": "timeline", "id": "t", "analysisId": "a", "channel": "default", "revision": revision,
            "startsAt": 10_000, "pausedAt": null, "durationMs": 20_000, "skipped": [], "complete": true, "segments": [
                {"kind": "rise", "question": 1, "atMs": 0, "durMs": 1_000, "from": 0, "to": 2, "confidence": 0.93},
                {"kind": "hold", "question": 1, "atMs": 1_000, "durMs": 4_000, "from": 2, "to": 2, "confidence": 0.93},
                {"kind": "rise", "question": null, "atMs": 5_000, "durMs": 5_000, "from": 0, "to": 10},
                {"kind": "finale", "question": null, "atMs": 10_000, "durMs": 10_000, "from": 10, "to": 10}]})
    }

    pub(in super::super) fn message(json: serde_json::Value) -> Message {
        serde_json::from_value(json).unwrap()
    }

    /// A screen whose server is 5 000 ms ahead.
    pub(in super::super) fn connected(state: serde_json::Value) -> Screen {
        let mut screen = Screen::new("default");
        let connection = json!({"type": "connection", "serverTime": 8_000, "position": null, "recovered": false, "state": state});
        screen.apply(message(connection), 3_000);
        screen
    }

    #[test]
    fn a_late_joiner_lands_on_the_right_frame_by_the_servers_clock() {
        let screen = connected(show(1));
        assert_eq!(screen.value(4_000), 0.0);
        assert_eq!(screen.caption(4_000), "the show starts in 1 s");
        assert_eq!(screen.value(5_500), 1.0);
        assert_eq!(screen.value(7_000), 2.0);
        assert_eq!(screen.caption(7_000), "question 1 of 1 · 93 % sure");
        assert_eq!(screen.mood(7_000), Mood::Answer);
        assert_eq!(screen.value(12_500), 5.0);
        assert_eq!(screen.level(12_500), 0.5);
        assert_eq!(screen.caption(16_000), "finale");
        assert_eq!(screen.mood(16_000), Mood::Finale);
        assert_eq!(screen.caption(26_000), "the show is over");
        assert_eq!(
            (screen.value(26_000), screen.progress(26_000)),
            (0.0, Some((20_000, 20_000)))
        );
    }

    #[test]
    fn a_pause_says_what_comes_next() {
        let mut json = show(1);
        json["segments"][1]["kind"] = json!("rest");
        json["skipped"] = json!([2]);
        let mut screen = connected(json.clone());
        assert_eq!(screen.caption(7_000), "finale in 3 s");
        assert_eq!(screen.mood(7_000), Mood::Idle);
        json["id"] = json!("other");
        assert_eq!(
            screen.apply(message(json.clone()), 0),
            Some("the show starts; without an answer: 2".into())
        );
        json["segments"] = json!([json["segments"][0]]);
        json["complete"] = json!(false);
        assert_eq!(
            connected(json).caption(7_000),
            "waiting for the next answer"
        );
    }

    #[test]
    fn pongs_correct_the_clock() {
        let mut screen = connected(show(1));
        assert_eq!(screen.link_text(0), "live");
        // Sent at 3 000, answered when the server showed 9 010, back at 3 020: really 6 000 ahead.
        screen.apply(
            message(json!({"type": "pong", "clientTime": 3_000, "serverTime": 9_010})),
            3_020,
        );
        assert_eq!(screen.value(4_500), 1.0);
        assert_eq!(screen.link_text(0), "live · 20 ms");
    }

    #[test]
    fn older_revisions_are_ignored() {
        let mut screen = connected(show(3));
        assert_eq!(screen.apply(message(show(2)), 0), None);
        assert_eq!(screen.timeline.as_ref().unwrap().revision, 3);
        let mut paused = show(4);
        paused["pausedAt"] = json!(10_500);
        assert_eq!(
            screen.apply(message(paused), 0),
            Some("the show pauses".into())
        );
        assert_eq!(
            (screen.value(9_000), screen.caption(9_000)),
            (1.0, "question 1 of 1 · 93 % sure · paused".into())
        );
        assert_eq!(
            screen.apply(message(show(5)), 0),
            Some("the show goes on".into())
        );
    }

    #[test]
    fn news_is_told_in_words() {
        let mut screen = connected(json!(null));
        assert_eq!(screen.caption(0), "no show is playing");
        let mut say = |json| screen.apply(message(json), 0);
        assert_eq!(
            say(json!({"type": "analysis_started", "questionCount": 20})),
            Some("analysis of 20 questions started".into())
        );
        assert_eq!(
            say(json!({"type": "answer_ready", "index": 3, "answer": 2, "confidence": 0.934})),
            Some("question 3: 2 (93 %)".into())
        );
        assert_eq!(
            say(json!({"type": "answers_ready", "questionCount": 3, "answers": [1, null, 2]})),
            Some("all answers: 1 – 2".into())
        );
        assert_eq!(
            say(json!({"type": "analysis_failed", "error": "no model"})),
            Some("the analysis failed: no model".into())
        );
        assert_eq!(say(show(1)), Some("the show starts".into()));
        assert_eq!(say(json!({"type": "later"})), None);
        assert_eq!(screen.news, "the show starts");
    }

    #[test]
    fn a_lost_connection_counts_down() {
        let mut screen = connected(json!(null));
        screen.link = Link::Waiting {
            why: "connection lost".into(),
            until_ms: 9_500,
        };
        assert_eq!(screen.link_text(8_000), "connection lost · again in 2 s");
        assert_eq!(screen.link_text(9_600), "connection lost · reconnecting");
    }
}
