//! An audit as people and programs read it: a table, JUnit XML, a page of HTML with charts. Pure.

mod html;
mod junit;
mod table;

pub use html::html;
pub use junit::junit;
pub use table::table;

use super::Item;
use crate::quiz::OptionNumber;

/// Returns the letters of options, such as `A, C`; a dash for none.
fn letters(numbers: &[OptionNumber]) -> String {
    let letters: Vec<String> = numbers
        .iter()
        .filter_map(|number| char::from_u32('A' as u32 + number.checked_sub(1)?))
        .map(String::from)
        .collect();
    match letters.is_empty() {
        true => "–".to_owned(),
        false => letters.join(", "),
    }
}

fn key_of(item: &Item) -> String {
    letters(item.correct.as_deref().unwrap_or_default())
}

fn verdict_of(item: &Item) -> &'static str {
    item.verdict
        .map_or("not asked", super::verdict::Verdict::name)
}

/// Returns `text` as it may stand in XML and HTML, in elements and attributes. Characters that XML does not know become �.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
