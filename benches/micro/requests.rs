//! What an analyze request costs before any actor hears of it.

use criterion::{Criterion, Throughput};
use quiz_stats::{
    config::Limits,
    quiz::{fingerprint::fingerprint, request::parse_analyze_request},
};
use std::hint::black_box;

const PROVIDER: &str = "openai/stub/1";

pub(crate) fn benches(c: &mut Criterion) {
    let limits = Limits::default();
    let mut group = c.benchmark_group("request");
    for questions in [1, 20] {
        let body = body(questions);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("parse_{questions}"), |b| {
            b.iter(|| {
                parse_analyze_request(black_box(&body), &limits).expect("the request is right")
            });
        });
        let request = parse_analyze_request(&body, &limits).expect("the request is right");
        group.bench_function(format!("fingerprint_{questions}"), |b| {
            b.iter(|| {
                request
                    .subject
                    .questions()
                    .iter()
                    .map(|question| fingerprint(question, PROVIDER))
                    .collect::<Vec<_>>()
            });
        });
    }
    group.finish();
}

fn body(questions: usize) -> Vec<u8> {
    let question = |n| {
        format!(
            r#"{{"question":"{n}: which planet is known as the Red Planet?","answers":["Venus","Jupiter","Mars","Saturn"]}}"#
        )
    };
    let questions: Vec<String> = (1..=questions).map(question).collect();
    format!(
        r#"{{"questions":[{}],"animate":false}}"#,
        questions.join(",")
    )
    .into_bytes()
}
