//! What an operator reads is what the code recorded, and nothing leaks between registries.

use super::*;
use std::time::Duration;

/// Uses every handle and every family once, so that each declared metric has a value.
fn touched() -> Metrics {
    let m = Metrics::new();
    let route = m.http().route("POST", "/api/analyze");
    route.finished(200, Duration::from_millis(3));
    route.finished(418, Duration::from_millis(3));
    m.rate_limit_exceeded("analyze").increment(1);
    let mailbox = m.mailbox("cache");
    mailbox.capacity.set(64.0);
    mailbox.depth.set(1.0);
    mailbox.rejected.increment(1);
    mailbox.wait.record(0.001);
    let actor = m.actor("cache");
    actor.up.set(1.0);
    actor.restarts("panic").increment(1);
    m.websocket().connections.with(["default"]).increment(1.0);
    m.websocket().closed.with(["too_slow"]).increment(1);
    m.websocket().recoveries.with(["recovered"]).increment(1);
    m.ai().requests.with(["small", "ok"]).increment(1);
    m.ai().failures.with(["timeout"]).increment(1);
    m.ai().tokens.with(["small", "prompt"]).increment(7);
    m.ai().cost_usd.with(["small"]).increment(0.25);
    m.ai()
        .gen_ai_duration
        .with(["chat", "openai", "small", ""])
        .record(0.5);
    m.ai()
        .gen_ai_tokens
        .with(["chat", "openai", "small", "input"])
        .record(143.0);
    m.ai().circuit_state.with(["openai"]).set(2.0);
    m.ai().concurrency_limit.with(["openai"]).set(8.0);
    m.ai().calls_per_question.record(1.0);
    m.ai().budget_used.with(["usd_per_day"]).set(0.5);
    m.ai().budget_limit.with(["usd_per_day"]).set(1.0);
    m.ai()
        .budget_refused
        .with(["usd_per_day", "all"])
        .increment(1);
    m.ai().show_prior("small", &[0.5, 0.5]);
    m.analysis().duration.with(["json"]).record(1.0);
    m.analysis()
        .questions
        .with(["model", "answered"])
        .increment(1);
    m.scrape().duration.with(["ok"]).record(0.5);
    m.scrape().pages.with(["ok"]).increment(1);
    m.scrape().restarts.with(["crash"]).increment(1);
    m.scrape().pages_open.set(1.0);
    m.cache().requests.with(["memory", "hit"]).increment(1);
    m.redis_up().set(1.0);
    m.stats_app_posts().with(["sent"]).increment(1);
    m
}

#[test]
fn every_declared_metric_is_rendered_with_help_and_type() {
    let text = touched().render();
    for metric in c::ALL {
        let kind = match metric.kind {
            c::Kind::Counter | c::Kind::FloatCounter => "counter",
            c::Kind::Gauge => "gauge",
            c::Kind::Histogram(_) => "histogram",
        };
        let name = metric.name;
        assert!(
            text.contains(&format!("# HELP {name} {}\n", metric.help)),
            "no help for {name}"
        );
        assert!(
            text.contains(&format!("# TYPE {name} {kind}\n")),
            "{name} is no {kind}"
        );
        if let c::Kind::Histogram(buckets) = metric.kind {
            let lines = text
                .lines()
                .filter(|line| line.starts_with(&format!("{name}_bucket")))
                .count();
            assert_eq!(lines % (buckets.len() + 1), 0, "buckets of {name}");
            assert!(lines > 0, "no buckets for {name}");
        }
    }
}

#[test]
fn names_are_declared_once_and_carry_no_bad_label() {
    let mut names: Vec<_> = c::ALL.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    let total = names.len();
    names.dedup();
    assert_eq!(names.len(), total);
    for metric in c::ALL {
        for forbidden in ["url", "question", "address", "error", "user"] {
            assert!(
                !metric.labels.contains(&forbidden),
                "{} has the label {forbidden}",
                metric.name
            );
        }
        assert_eq!(
            matches!(metric.kind, c::Kind::Counter | c::Kind::FloatCounter),
            metric.name.ends_with("_total")
        );
    }
}

#[test]
fn values_arrive_under_their_labels() {
    let text = touched().render();
    for line in [
        r#"http_requests_total{method="POST",route="/api/analyze",status="200"} 1"#,
        r#"http_requests_total{method="POST",route="/api/analyze",status="418"} 1"#,
        r#"http_request_duration_seconds_bucket{method="POST",route="/api/analyze",le="0.005"} 2"#,
        r#"actor_restarts_total{actor="cache",reason="panic"} 1"#,
        r#"actor_mailbox_capacity{actor="cache"} 64"#,
        r#"openai_cost_usd_total{model="small"} 0.25"#,
    ] {
        assert!(text.lines().any(|l| l == line), "missing {line} in\n{text}");
    }
    assert!(text.contains("build_info{version=\""));
}

#[test]
fn two_instances_share_nothing_but_clones_share_all() {
    let (one, other) = (Metrics::new(), Metrics::new());
    let clone = one.clone();
    clone.cache().coalesced.increment(5);
    assert!(one.render().contains("coalesced_requests_total 5\n"));
    assert!(other.render().contains("coalesced_requests_total 0\n"));
}

#[test]
fn the_process_set_is_included() {
    let text = Metrics::new().render();
    for name in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_cpu_seconds_total",
        "process_threads",
    ] {
        assert!(text.contains(&format!("# HELP {name} ")), "no {name}");
    }
}

#[test]
fn a_request_leaves_the_in_flight_gauge_however_it_ends() {
    let m = Metrics::new();
    let guard = m.http().in_flight();
    assert!(m.render().contains("http_requests_in_flight 1\n"));
    drop(guard);
    assert!(m.render().contains("http_requests_in_flight 0\n"));
}

#[test]
fn upkeep_loses_no_sample() {
    let m = Metrics::new();
    for _ in 0..1_000 {
        m.journal().append.record(0.002);
        m.run_upkeep();
    }
    assert!(m.render().contains("journal_append_seconds_count 1000\n"));
}
