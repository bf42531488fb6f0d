//! The audit as one page of HTML: no script, nothing loaded from anywhere, bars drawn as SVG.

use super::{escaped, key_of, verdict_of};
use crate::audit::{Audit, Item, flaws::Code, verdict::Verdict};
use std::fmt::Write as _;

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding: 1rem 0; }
h2 { font-size: 1.1rem; margin: 0; white-space: pre-line; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
.doubt { color: #c62828; font-weight: 600; } .agrees { color: #2e7d32; } .open { color: #b26a00; }
@media (prefers-color-scheme: dark) { .doubt { color: #ff8a80; } .agrees { color: #a5d6a7; } .open { color: #ffcc80; } }
svg { width: 12rem; height: .8rem; } svg rect { fill: #1976d2; } svg rect.back { fill: #8883; }
";

/// Returns the audit of the quiz called `name` as a page.
pub fn html(audit: &Audit, name: &str) -> String {
    let name = escaped(name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Audit of {name}</title><style>{STYLE}</style></head>\n<body>\n<h1>Audit of {name}</h1>\n<p>{}</p>\n",
        escaped(&audit.summary())
    );
    page += &verdicts(audit);
    page += &flaws(audit);
    audit.items.iter().for_each(|item| page += &question(item));
    if !audit.problems.is_empty() {
        page += "<section><h2>Could not be read</h2><ul>";
        for problem in &audit.problems {
            page += &format!("<li>{}</li>", escaped(&problem.to_string()));
        }
        page += "</ul></section>\n";
    }
    page + "</body>\n</html>\n"
}

/// Returns a bar that is filled to `share`.
fn bar(share: f64, told: &str) -> String {
    let width = 100.0 * share.clamp(0.0, 1.0);
    format!(
        "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{told}\"><rect class=\"back\" width=\"100\" height=\"10\"/>\
         <rect width=\"{width:.1}\" height=\"10\"/></svg>"
    )
}

fn verdicts(audit: &Audit) -> String {
    let kinds = [
        Verdict::Agrees,
        Verdict::ProbablyWrongKey,
        Verdict::TwoAnswers,
        Verdict::NoRightAnswer,
        Verdict::Unclear,
    ];
    let rows = kinds.into_iter().filter_map(|kind| {
        let count = audit
            .items
            .iter()
            .filter(|item| item.verdict == Some(kind))
            .count();
        (count > 0).then(|| row(kind.name(), count, audit.items.len()))
    });
    let rows: String = rows.collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!("<h2>Keys</h2>\n<table>{rows}</table>\n"),
    }
}

fn flaws(audit: &Audit) -> String {
    let all = || {
        audit
            .items
            .iter()
            .flat_map(|item| &item.flaws)
            .chain(&audit.quiz_flaws)
    };
    let rows = Code::ALL.iter().filter_map(|code| {
        let count = all().filter(|flaw| flaw.code == *code).count();
        (count > 0).then(|| row(code.name(), count, audit.items.len().max(count)))
    });
    let rows: String = rows.collect();
    let mut text = match rows.is_empty() {
        true => return String::new(),
        false => format!("<h2>Flaws</h2>\n<table>{rows}</table>\n"),
    };
    for flaw in &audit.quiz_flaws {
        text += &format!("<p>The quiz as a whole: {}</p>\n", escaped(&flaw.message));
    }
    text
}

fn row(name: &str, count: usize, all: usize) -> String {
    let bar = bar(
        count as f64 / all.max(1) as f64,
        &format!("{count} of {all}"),
    );
    format!(
        "<tr><td>{}</td><td>{count}</td><td>{bar}</td></tr>\n",
        escaped(name)
    )
}

fn question(item: &Item) -> String {
    let class = match item.verdict {
        Some(Verdict::Agrees) => "agrees",
        Some(verdict) if verdict.is_doubt() => "doubt",
        _ => "open",
    };
    let mut text = format!(
        "<section><h2>{}. {}</h2>\n<table>",
        item.index,
        escaped(&item.question)
    );
    for (number, (option, letter)) in (1..).zip(item.answers.iter().zip('A'..='Z')) {
        let is_key = item
            .correct
            .as_ref()
            .is_some_and(|key| key.contains(&number));
        let key = if is_key { "✓ key" } else { "" };
        let shown = item.probabilities.get(number as usize - 1).map(|p| {
            let told = format!("{:.0} %", 100.0 * p);
            format!("{} {told}", bar(*p, &told))
        });
        // Writing to a string never fails.
        let _ = writeln!(
            text,
            "<tr><td>{letter}</td><td>{}</td><td>{key}</td><td>{}</td></tr>",
            escaped(option),
            shown.unwrap_or_default()
        );
    }
    let _ = writeln!(
        text,
        "</table>\n<p class=\"{class}\">{}{}{} (key {})</p>",
        verdict_of(item),
        if item.reason.is_empty() { "" } else { ": " },
        escaped(&item.reason),
        key_of(item)
    );
    if !item.flaws.is_empty() {
        text += "<ul>";
        for flaw in &item.flaws {
            let _ = write!(
                text,
                "<li>{}: {}</li>",
                escaped(&flaw.name),
                escaped(&flaw.message)
            );
        }
        text += "</ul>";
    }
    text + "</section>\n"
}
