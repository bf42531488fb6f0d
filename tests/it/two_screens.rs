//! Two screens, one show: how far they are apart, frame by frame. The figures are in `docs/benchmarks.md`.

use crate::support::{
    StubAi, TestServer,
    browser::{Frame, TestBrowser},
    eventually,
};
use quiz_stats::timeline::Timeline;
use serde_json::json;

/// Moments at which the two are compared.
const MOMENTS: usize = 1_000;
/// What clocks that count whole milliseconds, or tenths of them, add to the error that the round trip allows.
const TICK_MS: f64 = 2.0;

/// What the number moves in a few microseconds: times since 1970 are not kept finer than that.
const SAME: f64 = 1e-5;

/// Returns the last frame that was drawn before a moment of this machine's clock.
fn seen_at(frames: &[Frame], moment: f64) -> &Frame {
    &frames[frames.partition_point(|frame| frame.at <= moment) - 1]
}

/// Returns the number as the timeline has it, between the whole milliseconds that the program counts in.
fn value_at(timeline: &Timeline, server_time: f64) -> f64 {
    let elapsed = server_time - timeline.starts_at as f64;
    let segment = timeline.segments.iter().find(|segment| {
        (segment.at_ms as f64..(segment.at_ms + segment.dur_ms) as f64).contains(&elapsed)
    });
    segment.map_or(0.0, |segment| {
        let part = (elapsed - segment.at_ms as f64) / segment.dur_ms as f64;
        f64::from(segment.from) + (f64::from(segment.to) - f64::from(segment.from)) * part
    })
}

fn pause(ms: u32) -> String {
    format!("new Promise((done) => setTimeout(() => done(true), {ms}))")
}

fn report(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    eprintln!(
        "{what}: p50 {:.3}, p99 {:.3}, largest {:.3}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_screens_differ_by_no_more_than_their_clocks() {
    let (Some(one), Some(two)) = tokio::join!(TestBrowser::start(), TestBrowser::start()) else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let (first, second) = tokio::join!(
        one.stage(&server, "/stage/hall"),
        two.stage(&server, "/stage/hall")
    );
    // Five pings measure a clock; it takes less than a second.
    assert!(first.evaluate::<bool>(&pause(2_000)).await);
    for stage in [&first, &second] {
        stage.note_frames().await;
    }
    // The number moves nearly all the time, so that being late shows.
    let timing = json!({ "riseMs": 4_000, "holdMs": 200, "fallMs": 4_000, "restMs": 100, "finaleHoldMs": 100 });
    let show = json!({ "answers": [26, 13, 5], "timing": timing });
    server
        .post("/api/channels/hall/display", &show)
        .await
        .expect(200);
    let channel = server.get("/api/channels/hall").await.expect(200);
    let timeline: Timeline = serde_json::from_value(channel["timeline"].clone()).unwrap();
    for _ in 0..3 {
        // It takes longer than one wait has patience.
        assert!(first.evaluate::<bool>(&pause(8_000)).await);
    }
    for stage in [&first, &second] {
        eventually("the show is over", || async {
            let over: bool = stage
                .evaluate("document.body.dataset.phase === 'over'")
                .await;
            over.then_some(())
        })
        .await;
    }
    let of_show = |frames: Vec<Frame>| -> Vec<Frame> {
        let times = timeline.starts_at as f64..(timeline.starts_at + timeline.duration_ms) as f64;
        frames
            .into_iter()
            // Before it has heard of a show that has just begun, a screen shows nothing.
            .filter(|frame| frame.timeline_id.as_deref() == Some(&timeline.id))
            .filter(|frame| times.contains(&frame.server_time))
            .collect()
    };
    let screens = [
        of_show(first.frames().await),
        of_show(second.frames().await),
    ];

    // Every frame shows what the timeline says for its time, so for the same time both show the same.
    for frame in screens.iter().flatten() {
        let expected = value_at(&timeline, frame.server_time);
        assert!(
            (frame.value - expected).abs() < SAME,
            "{frame:?} {expected}"
        );
    }
    // And their times agree as well as the round trips that measured them allow.
    let from = screens.each_ref().map(|frames| frames[0].at);
    let to = screens.each_ref().map(|frames| frames[frames.len() - 1].at);
    let (from, to) = (from[0].max(from[1]), to[0].min(to[1]));
    let (mut clocks, mut times, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    let mut computed = Vec::new();
    for step in 0..MOMENTS {
        let moment = from + (to - from) * step as f64 / MOMENTS as f64;
        let [a, b] = screens.each_ref().map(|frames| seen_at(frames, moment));
        let apart = ((a.server_time - a.at) - (b.server_time - b.at)).abs();
        let trip = |frame: &Frame| frame.round_trip_ms.expect("the clock was measured");
        let allowed = f64::midpoint(trip(a), trip(b)) + TICK_MS;
        assert!(apart <= allowed, "{apart} ms apart: {a:?} {b:?}");
        clocks.push(apart);
        times.push((a.server_time - b.server_time).abs());
        numbers.push((a.value - b.value).abs());
        let at_moment = |frame: &Frame| value_at(&timeline, moment + frame.server_time - frame.at);
        computed.push((at_moment(a) - at_moment(b)).abs());
    }
    for (name, frames) in ["first", "second"].iter().zip(&screens) {
        let gaps = frames.windows(2).map(|pair| pair[1].at - pair[0].at);
        report(
            &format!("{name} screen, ms from frame to frame"),
            gaps.collect(),
        );
    }
    report("clocks apart, ms", clocks);
    report("numbers computed at that moment apart", computed);
    report("frames on screen apart, ms", times);
    report("numbers on screen apart", numbers);
    for stage in [&first, &second] {
        assert_eq!(stage.complaints(), Vec::<String>::new());
    }
    tokio::join!(one.close(), two.close());
}
