//! The audit as JUnit XML, for the checks of a repository: a test case per question, failed where something was found.

use super::{escaped, key_of, verdict_of};
use crate::audit::{Audit, Item, verdict::Verdict};
use std::fmt::Write as _;

/// Returns the audit of the quiz called `name` as JUnit XML.
pub fn junit(audit: &Audit, name: &str) -> String {
    let whole = usize::from(!audit.quiz_flaws.is_empty()) + usize::from(!audit.problems.is_empty());
    let failed = audit.items.iter().filter(|item| is_failure(item)).count() + whole;
    let name = escaped(name);
    let tests = audit.items.len() + whole;
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\">\n"
    );
    for item in &audit.items {
        let title: String = item.question.chars().take(120).collect();
        let title = escaped(&format!("{} {}", item.index, title.replace('\n', " ")));
        if is_failure(item) {
            let told = told(item);
            let kind = if item.verdict.is_some_and(Verdict::is_doubt) {
                verdict_of(item)
            } else {
                "flaw"
            };
            let first = escaped(told.lines().next().unwrap_or_default());
            let told = escaped(&told);
            // Writing to a string never fails.
            let _ = writeln!(
                xml,
                "    <testcase classname=\"{name}\" name=\"{title}\">\n      <failure type=\"{kind}\" message=\"{first}\">{told}</failure>\n    </testcase>"
            );
        } else {
            let _ = writeln!(xml, "    <testcase classname=\"{name}\" name=\"{title}\"/>");
        }
    }
    let flaws: Vec<_> = audit
        .quiz_flaws
        .iter()
        .map(|flaw| format!("{}: {}", flaw.code.code(), flaw.message))
        .collect();
    let problems: Vec<_> = audit.problems.iter().map(ToString::to_string).collect();
    for (title, kind, told) in [
        ("the quiz as a whole", "flaw", flaws),
        ("what could not be read", "unread", problems),
    ] {
        if let Some(first) = told.first() {
            let (first, told) = (escaped(first), escaped(&told.join("\n")));
            let _ = writeln!(
                xml,
                "    <testcase classname=\"{name}\" name=\"{title}\">\n      <failure type=\"{kind}\" message=\"{first}\">{told}</failure>\n    </testcase>"
            );
        }
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

fn is_failure(item: &Item) -> bool {
    item.verdict.is_some_and(Verdict::is_doubt) || !item.flaws.is_empty()
}

fn told(item: &Item) -> String {
    let mut lines = Vec::new();
    if item.verdict.is_some_and(Verdict::is_doubt) {
        lines.push(format!("{}: {}", verdict_of(item), item.reason));
    }
    lines.extend(
        item.flaws
            .iter()
            .map(|flaw| format!("{}: {}", flaw.code.code(), flaw.message)),
    );
    lines.push(format!("key: {}", key_of(item)));
    lines.join("\n")
}
