//! What one event costs on its way to many viewers, before the kernel.

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput};
use quiz_stats::{
    actors::broadcaster::{Indirect, Outbox},
    config,
    event::{self, Batch, Frame},
    store::Position,
    timeline::{Cue, Show, Timeline, Timing},
};
use std::{
    hint::black_box,
    task::{Context, Waker},
};

const VIEWERS: usize = 1_000;
const NOW: u64 = 1_795_000_000_000;

pub(crate) fn benches(c: &mut Criterion) {
    let timeline = timeline(1);
    c.bench_function("event_serialise", |b| {
        b.iter(|| event::body(black_box(&timeline)));
    });
    let body = event::body(&timeline);
    c.bench_function("event_frame", |b| b.iter(|| frame(black_box(&body))));
    fan_out(c, &Batch::of(vec![frame(&body)]).expect("a frame"));
    value_at(c);
}

/// One event into 1,000 outboxes, and out of them again.
fn fan_out(c: &mut Criterion, batch: &Batch) {
    let mut group = c.benchmark_group("fan_out_1000");
    group.throughput(Throughput::Elements(VIEWERS as u64));
    let outboxes: Vec<_> = (0..VIEWERS)
        .map(|_| Outbox::new(usize::MAX, Indirect))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    group.bench_function("push_and_take", |b| {
        b.iter_batched(
            || batch.clone(),
            |batch| {
                for outbox in &outboxes {
                    outbox.push(&batch);
                }
                for outbox in &outboxes {
                    let _ = outbox.poll_take(&mut context, |frame| drop(black_box(frame)));
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn value_at(c: &mut Criterion) {
    let mut group = c.benchmark_group("timeline_value_at");
    for questions in [1, 20] {
        let timeline = timeline(questions);
        let mut now = NOW;
        group.bench_function(format!("{questions}_answers"), |b| {
            b.iter(|| {
                now = NOW + (now - NOW + 16_667) % timeline.duration_ms;
                timeline.value_at(black_box(now))
            });
        });
    }
    group.finish();
}

fn timeline(questions: u32) -> Timeline {
    let timing = Timing::from(&config::Timeline::default());
    let id = "019ab000-0000-7000-8000-000000000000".to_owned();
    let mut show = Show::new(id.clone(), Some(id), "default".to_owned(), timing);
    show.add(
        (1..=questions).map(|question| Cue::new(question, 1 + question % 4, Some(0.93))),
        NOW,
    );
    show.complete(NOW);
    show.start(NOW);
    show.timeline().clone()
}

fn frame(body: &Bytes) -> Frame {
    Frame::event(
        body,
        Position {
            epoch: 0x0123_4567_89ab_cdef,
            offset: 1_234,
        },
    )
}
