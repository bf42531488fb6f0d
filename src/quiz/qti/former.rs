//! One `<item>` of QTI 1.2.

use super::{Choice, assemble, material_text};
use crate::quiz::{Question, xml::Element};

/// Returns the question of an item, or why there is none.
pub(super) fn question(item: &Element) -> Result<Question, &'static str> {
    let responses = item.find_all(&[
        "response_lid",
        "response_str",
        "response_num",
        "response_grp",
        "response_xy",
        "response_extension",
    ]);
    let response = match responses.as_slice() {
        [] => return Err("has no response_lid, so there is nothing to choose from"),
        [response] if response.name == "response_lid" => *response,
        [_] => return Err("wants a text or a number, which has no options to show"),
        _ => {
            return Err(
                "has several responses, such as a matching question; that cannot be shown as options",
            );
        }
    };
    if response
        .attribute("rcardinality")
        .eq_ignore_ascii_case("ordered")
    {
        return Err("wants its options in an order, which cannot be shown");
    }
    let labels = response.find_all(&["response_label"]);
    let choices: Vec<Choice> = labels
        .into_iter()
        .map(|label| Choice {
            identifier: label.attribute("ident").to_owned(),
            text: texts(&label.find_all(&["mattext", "matemtext"])),
        })
        .collect();
    let presentation = item.find_all(&["presentation"]);
    let asked: Vec<&Element> = presentation
        .iter()
        .flat_map(|presentation| asked(presentation))
        .collect();
    let several = response
        .attribute("rcardinality")
        .eq_ignore_ascii_case("multiple");
    let title = match item.attribute("title") {
        "" => item.attribute("ident"),
        title => title,
    };
    Ok(assemble(
        title,
        texts(&asked),
        choices,
        several,
        &right(item, several),
    ))
}

/// Returns the texts of the question: all but those of the options.
fn asked(element: &Element) -> Vec<&Element> {
    let mut found = Vec::new();
    for inner in element.elements() {
        match inner.name.as_str() {
            "render_choice" => {}
            "mattext" | "matemtext" => found.push(inner),
            _ => found.extend(asked(inner)),
        }
    }
    found
}

fn texts(elements: &[&Element]) -> String {
    let texts = elements
        .iter()
        .map(|element| material_text(element))
        .filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(" ")
}

/// Returns the identifiers that bring points: of one right option, those that bring the most.
fn right(item: &Element, several: bool) -> Vec<String> {
    let mut scored: Vec<(f64, Vec<String>)> = Vec::new();
    for condition in item.find_all(&["respcondition"]) {
        let score = |set: &Element| set.raw_text().trim().parse::<f64>().unwrap_or(0.0);
        let points = condition
            .elements()
            .filter(|inner| inner.name == "setvar")
            .map(score)
            .fold(0.0, f64::max);
        let chosen: Vec<String> = condition
            .elements()
            .filter(|inner| inner.name == "conditionvar")
            .flat_map(chosen)
            .collect();
        if points > 0.0 && !chosen.is_empty() {
            scored.push((points, chosen));
        }
    }
    let best = scored.iter().map(|(points, _)| *points).fold(0.0, f64::max);
    let wanted = scored
        .into_iter()
        .filter(|(points, _)| several || *points >= best);
    wanted.flat_map(|(_, chosen)| chosen).collect()
}

/// Returns the identifiers that a condition wants chosen; not those in `<not>`.
fn chosen(element: &Element) -> Vec<String> {
    let mut found = Vec::new();
    for inner in element.elements() {
        match inner.name.as_str() {
            "not" => {}
            "varequal" => found.push(inner.raw_text().trim().to_owned()),
            _ => found.extend(chosen(inner)),
        }
    }
    found
}
