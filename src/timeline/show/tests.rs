use super::*;
use proptest::prelude::*;

const T0: u64 = 1_790_000_000_000;

fn timing() -> Timing {
    Timing::from(&crate::config::Timeline::default())
}

fn show() -> Show {
    Show::new("s".into(), Some("a".into()), "default".into(), timing())
}

fn started() -> Show {
    let mut show = show();
    show.start(T0);
    show
}

fn played(answers: &[u32]) -> Show {
    let mut show = started();
    show.add(
        (1..)
            .zip(answers)
            .map(|(question, value)| Cue::new(question, *value, None)),
        T0,
    );
    show.complete(T0);
    show
}

#[test]
fn plays_the_schedule_of_the_contract() {
    let show = played(&[2]);
    let timeline = show.timeline();
    let parts: Vec<_> = timeline
        .segments
        .iter()
        .map(|s| (s.kind, s.question, s.at_ms, s.dur_ms, s.from, s.to))
        .collect();
    assert_eq!(
        parts,
        [
            (SegmentKind::Rise, Some(1), 0, 1_500, 0, 2),
            (SegmentKind::Hold, Some(1), 1_500, 7_000, 2, 2),
            (SegmentKind::Fall, Some(1), 8_500, 1_500, 2, 0),
            (SegmentKind::Rest, Some(1), 10_000, 15_000, 0, 0),
            (SegmentKind::Rise, None, 25_000, 1_500, 0, 10),
            (SegmentKind::Finale, None, 26_500, 15_000, 10, 10),
        ]
    );
    assert_eq!(timeline.duration_ms, 41_500);
    let values = [
        0, 750, 1_500, 8_499, 9_250, 12_000, 25_750, 41_499, 41_500, 99_999,
    ]
    .map(|t| timeline.value_at(T0 + t));
    assert_eq!(values, [0.0, 1.0, 2.0, 2.0, 1.0, 0.0, 5.0, 10.0, 0.0, 0.0]);
    assert_eq!(timeline.value_at(T0 - 1), 0.0);
    assert!(!timeline.is_over(T0 + 41_499) && timeline.is_over(T0 + 41_500));
}

#[test]
fn grows_in_question_order_without_touching_what_has_begun() {
    let mut show = started();
    show.add([Cue::new(3, 4, Some(0.9))], T0);
    let first = show.timeline().segments.clone();
    show.add([Cue::new(2, 1, None)], T0 + 5_000);
    show.add([Cue::new(1, 2, None)], T0 + 6_000);
    assert_eq!(
        &show.timeline().segments[..4],
        &first[..],
        "what has begun stays"
    );
    let order: Vec<_> = show
        .cues
        .iter()
        .map(|cue| (cue.question, cue.at_ms))
        .collect();
    assert_eq!(order, [(3, 0), (1, 25_000), (2, 50_000)]);
    assert_eq!(show.timeline().ends_at(), None);
    show.complete(T0 + 7_000);
    assert_eq!(show.timeline().duration_ms, 3 * 25_000 + 16_500);
    assert_eq!(show.timeline().revision, 5);
}

#[test]
fn a_show_that_waits_collects_in_question_order() {
    let mut show = show();
    show.add([Cue::new(3, 4, None)], T0);
    show.add([Cue::new(1, 2, None)], T0 + 60_000);
    show.complete(T0 + 60_000);
    show.start(T0 + 90_000);
    assert_eq!(
        show.cues
            .iter()
            .map(|cue| (cue.question, cue.at_ms))
            .collect::<Vec<_>>(),
        [(1, 0), (3, 25_000)]
    );
    assert_eq!(show.timeline().value_at(T0 + 91_500), 2.0);
    assert_eq!(show.timeline().ends_at(), Some(T0 + 90_000 + 66_500));
}

#[test]
fn a_late_answer_starts_at_once_after_a_gap() {
    let mut show = started();
    show.add([Cue::new(1, 4, None)], T0);
    show.add([Cue::new(2, 4, None)], T0 + 40_000);
    assert_eq!(show.cues[1].at_ms, 40_000);
    assert_eq!(show.timeline().segment_at(T0 + 30_000), None);
    assert_eq!(show.timeline().value_at(T0 + 42_000), 4.0);
}

#[test]
fn the_host_pauses_resumes_skips_and_stops() {
    let mut show = played(&[4, 2]);
    assert!(show.pause(T0 + 750) && !show.pause(T0 + 800));
    assert_eq!(
        show.timeline().value_at(T0 + 60_000),
        2.0,
        "the frame is held"
    );
    assert!(show.resume(T0 + 60_000) && !show.resume(T0 + 60_000));
    assert_eq!(show.timeline().value_at(T0 + 60_750), 4.0);
    assert!(show.skip(T0 + 60_750));
    assert_eq!(
        show.timeline().value_at(T0 + 62_250),
        2.0,
        "the second answer"
    );
    assert!(show.skip(T0 + 62_250));
    assert_eq!(
        show.timeline()
            .segment_at(T0 + 62_251)
            .map(|s| (s.kind, s.question)),
        Some((SegmentKind::Rise, None))
    );
    assert!(show.stop(T0 + 63_000));
    assert_eq!(show.timeline().value_at(T0 + 63_000), 0.0);
    assert!(
        show.timeline().is_over(T0 + 63_000) && !show.stop(T0 + 63_001) && !show.pause(T0 + 63_001)
    );
    let mut last = played(&[1]);
    assert!(
        last.skip(T0) && last.skip(T0 + 1) && !last.skip(T0 + 2),
        "one cue, the finale, then nothing to skip"
    );
}

#[test]
fn nothing_to_show_is_no_show() {
    let mut show = show();
    show.skip_question(2);
    show.skip_question(1);
    show.skip_question(2);
    show.complete(T0);
    assert!(show.is_empty());
    assert_eq!(
        (show.timeline().duration_ms, &show.timeline().skipped[..]),
        (0, &[1, 2][..])
    );
}

#[test]
fn a_timeline_is_the_contracts_json() {
    let json = serde_json::to_value(played(&[2]).timeline()).unwrap();
    assert_eq!(json["type"], "timeline");
    assert_eq!(
        json["segments"][0],
        serde_json::json!({"kind":"rise","question":1,"atMs":0,"durMs":1500,"from":0,"to":2})
    );
    assert_eq!(json["pausedAt"], serde_json::Value::Null);
    assert_eq!(
        serde_json::from_value::<Timeline>(json).unwrap(),
        *played(&[2]).timeline()
    );
}

fn any_timing() -> impl Strategy<Value = Timing> {
    (
        0..3_000_u64,
        0..9_000_u64,
        0..3_000_u64,
        0..20_000_u64,
        0..50_u32,
        0..20_000_u64,
    )
        .prop_map(
            |(rise_ms, hold_ms, fall_ms, rest_ms, finale_value, finale_hold_ms)| Timing {
                rise_ms,
                hold_ms,
                fall_ms,
                rest_ms,
                finale_value,
                finale_hold_ms,
            },
        )
}

proptest! {
    #[test]
    fn any_history_gives_a_sound_timeline(
        timing in any_timing(),
        steps in proptest::collection::vec((0..9_u8, 1..30_u32, 1..27_u32, 0..20_000_u64), 1..40),
    ) {
        let mut show = Show::new("s".into(), None, "c".into(), timing);
        let mut now = T0;
        show.start(now);
        for (action, question, value, later) in steps {
            now += later;
            let before = show.clone();
            match action {
                0..=3 => show.add([Cue::new(question, value, None)], now),
                4 => show.skip_question(question),
                5 => drop(show.pause(now)),
                6 => drop(show.resume(now)),
                7 => drop(show.skip(now)),
                _ if value > 20 => drop(show.stop(now)),
                _ => show.complete(now),
            }
            let (old, new) = (before.timeline(), show.timeline());
            prop_assert!(new.revision >= old.revision);
            // In order, without overlap, within the duration.
            prop_assert!(new.segments.windows(2).all(|s| s[0].at_ms + s[0].dur_ms <= s[1].at_ms));
            prop_assert!(action == 8 || new.segments.last().is_none_or(|s| s.at_ms + s.dur_ms == new.duration_ms)
                || new.complete);
            // Adding never moves what is on the screens.
            if action <= 4 && !old.segments.is_empty() {
                // Without a rise, a number that comes while nothing is shown is there at once.
                if old.segment_at(now).is_some() || timing.rise_ms > 0 {
                    prop_assert_eq!(old.value_at(now), new.value_at(now));
                }
                let seen = old.segments.iter().filter(|s| s.at_ms <= old.elapsed(now)).count();
                prop_assert_eq!(&old.segments[..seen], &new.segments[..seen]);
            }
            // Pausing and resuming at one moment changes nothing on the screens.
            if action == 5 || action == 6 {
                prop_assert_eq!(old.value_at(now), new.value_at(now));
            }
            let value = new.value_at(now + later);
            prop_assert!((0.0..=50.0).contains(&value));
        }
    }
}
