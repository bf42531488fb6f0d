//! One `<assessmentItem>` of QTI 2.

use super::{Choice, assemble, text_of};
use crate::quiz::{Question, xml::Element};

/// Interactions that have no options to show.
const OTHERS: [&str; 9] = [
    "textEntryInteraction",
    "extendedTextInteraction",
    "matchInteraction",
    "orderInteraction",
    "associateInteraction",
    "gapMatchInteraction",
    "hotspotInteraction",
    "sliderInteraction",
    "inlineChoiceInteraction",
];

/// Returns the question of an item, or why there is none.
pub(super) fn question(item: &Element) -> Result<Question, &'static str> {
    let body = item.find_all(&["itemBody"]);
    let [body] = body.as_slice() else {
        return Err("has no itemBody, so there is nothing to show");
    };
    let choices = body.find_all(&["choiceInteraction"]);
    let [choice] = choices.as_slice() else {
        return Err(match choices.len() {
            0 if !body.find_all(&OTHERS).is_empty() => {
                "is an interaction without options to show; choiceInteraction can be"
            }
            0 => "has no choiceInteraction, so there is nothing to choose from",
            _ => "has several interactions; one item has one question here",
        });
    };
    let asked = text_of(
        body,
        &[
            "choiceInteraction",
            "rubricBlock",
            "feedbackBlock",
            "modalFeedback",
        ],
    );
    let prompt: Vec<String> = choice
        .elements()
        .filter(|inner| inner.name == "prompt")
        .map(|prompt| text_of(prompt, &[]))
        .collect();
    let text = [asked]
        .into_iter()
        .chain(prompt)
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let options = choice
        .find_all(&["simpleChoice"])
        .into_iter()
        .map(|option| Choice {
            identifier: option.attribute("identifier").to_owned(),
            text: text_of(option, &["feedbackInline"]),
        })
        .collect();

    let wanted = choice.attribute("responseIdentifier");
    let declared = item.find_all(&["responseDeclaration"]);
    let declared = declared
        .into_iter()
        .find(|declared| declared.attribute("identifier") == wanted);
    let right: Vec<String> = declared
        .iter()
        .flat_map(|declared| declared.find_all(&["correctResponse"]))
        .flat_map(|correct| correct.find_all(&["value"]))
        .map(|value| value.raw_text().trim().to_owned())
        .collect();
    let cardinality = declared.map_or("", |declared| declared.attribute("cardinality"));
    let several = cardinality == "multiple"
        || matches!(choice.attribute("maxChoices").parse::<u32>(), Ok(most) if most != 1);
    let title = match item.attribute("title") {
        "" => item.attribute("identifier"),
        title => title,
    };
    Ok(assemble(title, text, options, several, &right))
}
