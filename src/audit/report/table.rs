//! The audit as a table in the terminal.

use super::{key_of, letters, verdict_of};
use crate::audit::{Audit, verdict::Verdict};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

/// Returns the audit as text of `columns` columns, in colours where the reader shows them.
pub fn table(audit: &Audit, columns: u16, coloured: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(columns);
    table.set_header([
        "#",
        "question",
        "key",
        "model",
        "verdict",
        "why, and what is wrong with the question",
    ]);
    for item in &audit.items {
        let flaws = item
            .flaws
            .iter()
            .map(|flaw| format!("{}: {}", flaw.code.code(), flaw.message));
        let reason = (!item.reason.is_empty()).then(|| item.reason.clone());
        let told: Vec<String> = reason.into_iter().chain(flaws).collect();
        let mut verdict = Cell::new(verdict_of(item));
        if coloured {
            verdict = match item.verdict {
                Some(Verdict::Agrees) => verdict.fg(Color::Green),
                Some(verdict_) if verdict_.is_doubt() => {
                    verdict.fg(Color::Red).add_attribute(Attribute::Bold)
                }
                _ => verdict.fg(Color::Yellow),
            };
        }
        let short: String = item.question.chars().take(200).collect();
        table.add_row([
            Cell::new(item.index),
            Cell::new(short),
            Cell::new(key_of(item)),
            Cell::new(letters(&item.selected)),
            verdict,
            Cell::new(told.join("\n")),
        ]);
    }
    let mut text = format!("{table}\n");
    for flaw in &audit.quiz_flaws {
        text += &format!("quiz: {}: {}\n", flaw.code.code(), flaw.message);
    }
    for problem in &audit.problems {
        text += &format!("not read: {problem}\n");
    }
    text + &audit.summary() + "\n"
}
