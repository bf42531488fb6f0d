//! IMS Question and Test Interoperability: 1.2 (`<questestinterop>` with `<item>`s) and 2.x (`<assessmentItem>`).
//!
//! Read are choices: `render_choice` in a `response_lid`, and `choiceInteraction`. Items of other types cannot be shown:
//! each is a problem, and the rest is still read.

mod current;
mod former;

use super::{Kind, Question};
use super::{
    file::{Parsed, Reading},
    html,
    problem::Position,
    xml::{self, Child, Element},
};

/// Names of the roots by which a file is known.
const ROOTS: [&str; 4] = [
    "<questestinterop",
    "<assessmentitem",
    "<assessmenttest",
    "<qti-assessment-item",
];

/// Returns whether `text`, which is XML, looks like one of these.
pub(super) fn is_in(text: &str) -> bool {
    // What comes before the root is short: a declaration, a comment with a licence.
    let start: String = text
        .chars()
        .take(4_000)
        .collect::<String>()
        .to_ascii_lowercase();
    ROOTS.iter().any(|root| start.contains(root))
}

/// Returns the questions in `text`, whose lines end in `\n`, and every problem with its line and column.
pub fn parse(text: &str) -> Parsed {
    let mut reading = Reading::default();
    let root = match xml::read(text) {
        Ok(root) => root,
        Err((at, what)) => {
            reading.problem(at, what);
            return reading.done();
        }
    };
    let whole = Element {
        name: String::new(),
        attributes: Vec::new(),
        children: vec![Child::Element(root)],
        at: Position { line: 1, column: 1 },
    };
    let items = whole.find_all(&["item", "assessmentItem"]);
    if items.is_empty() {
        reading.problem(whole.at, "is no QTI file with items: it must have <item>s (QTI 1.2) or an <assessmentItem> (QTI 2)");
    }
    for item in items {
        let read = match item.name.as_str() {
            "item" => former::question(item),
            _ => current::question(item),
        };
        match read {
            Ok(question) => reading.keep(question, item.at),
            Err(why) => reading.problem(item.at, why),
        }
    }
    reading.done()
}

/// An option as a file names it.
struct Choice {
    identifier: String,
    text: String,
}

/// Puts a question together; `right` has the identifiers of the key.
fn assemble(
    id: &str,
    text: String,
    choices: Vec<Choice>,
    several: bool,
    right: &[String],
) -> Question {
    let correct = (1..)
        .zip(&choices)
        .filter(|(_, choice)| right.contains(&choice.identifier));
    let correct: Vec<u32> = correct.map(|(number, _)| number).collect();
    let options: Vec<String> = choices.into_iter().map(|choice| choice.text).collect();
    let kind = match several || correct.len() > 1 {
        true => Kind::Multiple,
        false if is_true_or_false(&options) => Kind::TrueFalse,
        false => Kind::Single,
    };
    Question {
        text,
        options,
        kind,
        correct: Some(correct).filter(|correct| !correct.is_empty()),
        id: Some(
            id.trim()
                .chars()
                .take(super::check::MAX_ID_CHARS)
                .collect::<String>(),
        )
        .filter(|id| !id.is_empty()),
    }
}

fn is_true_or_false(options: &[String]) -> bool {
    matches!(options, [one, other] if one.eq_ignore_ascii_case("true") && other.eq_ignore_ascii_case("false"))
}

/// Returns the text of XHTML within a file, as [`html::text`] writes it; what stands in `skipped` elements is left out.
fn text_of(element: &Element, skipped: &[&str]) -> String {
    fn write(element: &Element, skipped: &[&str], text: &mut String) {
        const BLOCKS: [&str; 9] = ["br", "p", "div", "li", "ul", "ol", "tr", "td", "prompt"];
        for child in &element.children {
            match child {
                Child::Text(piece) => text.push_str(piece),
                Child::Element(inner) if skipped.contains(&inner.name.as_str()) => {}
                Child::Element(inner) => {
                    match inner.name.as_str() {
                        "img" | "object" => {
                            let alt = inner.attribute("alt").trim();
                            text.push_str(&if alt.is_empty() {
                                "[image]".to_owned()
                            } else {
                                format!("[image: {alt}]")
                            });
                        }
                        "sup" => text.push('^'),
                        "sub" => text.push('_'),
                        name if BLOCKS.contains(&name) => text.push(' '),
                        _ => {}
                    }
                    write(inner, skipped, text);
                    if BLOCKS.contains(&inner.name.as_str()) {
                        text.push(' ');
                    }
                }
            }
        }
    }
    let mut text = String::new();
    write(element, skipped, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the text of a `<mattext>` and its like: plain, or HTML in its turn.
fn material_text(element: &Element) -> String {
    match element.attribute("texttype") {
        "text/html" | "TEXT/HTML" => html::text(&element.raw_text()),
        _ if element.elements().next().is_some() => text_of(element, &[]),
        _ => element
            .raw_text()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[cfg(test)]
mod tests;
