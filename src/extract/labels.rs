//! What an option says: in a label, around its control, behind it, or in an attribute.

use super::{
    group::Choice,
    marker,
    snapshot::Tree,
    text::{self, PLAIN, Reading},
};

/// Words in class or id of what only comments on an option.
const FEEDBACK: [&str; 12] = [
    "feedback",
    "answernumber",
    "explanation",
    "rationale",
    "tooltip",
    "answer_weight",
    "answer_comment",
    "hint",
    "comment",
    "option-key",
    "statistic",
    "percent",
];

/// Reads what each option of a group says. `controls`: all controls of the page, in order.
pub(super) fn read(tree: &Tree<'_>, choices: &mut [Choice], controls: &[usize]) {
    let texts: Vec<_> = choices
        .iter()
        .map(|choice| label(tree, choice, controls))
        .collect();
    let before: Vec<_> = choices
        .iter()
        .map(|choice| before(tree, choice.at))
        .collect();
    // Where nothing stands behind the last control, what stands before each is its option.
    let lead =
        texts.last().is_some_and(String::is_empty) && before.iter().all(|text| !text.is_empty());
    for choice in choices.iter_mut() {
        // A label may stand before its control, as far as the control before that.
        let place = controls.partition_point(|&other| other < choice.at);
        let from = place.checked_sub(1).map_or(0, |before| controls[before]);
        let labels = labels(tree, choice.at)
            .into_iter()
            .filter(|&label| label > from && label < choice.item);
        choice.start = labels.min().unwrap_or(choice.item);
    }
    for ((choice, text), before) in choices.iter_mut().zip(texts).zip(before) {
        if !lead && text == behind_line(tree, choice.at, controls).0 {
            choice.end = behind_line(tree, choice.at, controls).1;
        }
        choice.text = if lead { before } else { text };
    }
}

/// Returns whether an option can be seen. The control itself is often replaced by a drawn one.
pub(super) fn is_seen(tree: &Tree<'_>, choice: &Choice) -> bool {
    let shows = |at: usize| !tree.is_hidden(at) && !text::of(tree, at, PLAIN).is_empty();
    !tree.is_hidden(choice.at)
        || labels(tree, choice.at).into_iter().any(shows)
        || shows(choice.item)
}

/// Most nodes of a label; what is larger is a part of the page. Otherwise every control of a page would read all of it.
const MAX_LABEL: usize = 1_000;

/// Returns the elements that label a control: `label[for]`, a label around it, `aria-labelledby`.
pub(super) fn labels(tree: &Tree<'_>, at: usize) -> Vec<usize> {
    let mut found = tree.labels_for(tree.attribute(at, "id")).to_vec();
    found.extend(
        tree.ancestors(at)
            .take(6)
            .find(|&outer| tree.tag(outer) == "label"),
    );
    let named = tree.attribute(at, "aria-labelledby").split_whitespace();
    found.extend(named.filter_map(|id| tree.by_id(id)));
    found.dedup();
    found.retain(|&label| tree.end(label) - label <= MAX_LABEL);
    found
}

fn label(tree: &Tree<'_>, choice: &Choice, controls: &[usize]) -> String {
    let noise = |at: usize| {
        is_feedback(tree, at) || (at != choice.item && super::lines::is_aside(tree, at))
    };
    let reading = Reading {
        skip: &noise,
        ..PLAIN
    };
    let is_enough = |text: &String| !text.trim().is_empty() && !marker::is_marker_alone(text);
    let of_labels = |reading: Reading<'_>| {
        let texts = labels(tree, choice.at)
            .into_iter()
            .map(|label| text::of(tree, label, reading));
        texts.filter(is_enough).max_by_key(String::len)
    };
    let own_role = tree.tag(choice.at) != "input";
    let own = |reading: Reading<'_>| {
        let inner = Reading {
            buttons: true,
            ..reading
        };
        own_role.then(|| text::between(tree, choice.at + 1, tree.end(choice.at), inner))
    };
    let is_item = choice.item != choice.at && tree.end(choice.item) - choice.item <= MAX_LABEL;
    let whole = || is_item.then(|| text::of(tree, choice.item, reading));
    let behind = || behind_line(tree, choice.at, controls).0;
    let attribute = || {
        let named =
            ["aria-label", "data-value", "title"].map(|name| tree.attribute(choice.at, name));
        named
            .into_iter()
            .find(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    let hidden = Reading {
        hidden: true,
        ..reading
    };
    // Quiz plugins keep the option's text in the value, when nothing else holds it.
    let value =
        || Some(tree.attribute(choice.at, "value").to_owned()).filter(|text| text.contains(' '));
    of_labels(reading)
        .or_else(|| own(reading).filter(is_enough))
        .or_else(|| whole().filter(is_enough))
        .or_else(|| Some(behind()).filter(is_enough))
        .or_else(attribute)
        .or_else(|| of_labels(hidden))
        .or_else(|| own(hidden).filter(is_enough))
        .or_else(value)
        .unwrap_or_default()
}

/// Returns the bare text behind a control, to the end of its line, and where that is.
fn behind_line(tree: &Tree<'_>, at: usize, controls: &[usize]) -> (String, usize) {
    let noise = |at: usize| is_feedback(tree, at);
    let reading = Reading {
        skip: &noise,
        ..PLAIN
    };
    let next = controls[controls.partition_point(|&other| other <= at)..].first();
    let parent = tree
        .parent(at)
        .map_or(tree.nodes.len(), |parent| tree.end(parent));
    let limit = next.map_or(parent, |&next| next.min(parent));
    let mut to = tree.end(at);
    while to < limit {
        let is_break = tree.tag(to) == "br" || tree.is_block(to);
        if is_break && !text::between(tree, at, to, reading).is_empty() {
            break;
        }
        to = tree.end(to).max(to + 1);
    }
    let to = to.min(limit);
    (text::between(tree, at, to, reading), to)
}

/// Returns the bare text before a control, from the start of its line.
fn before(tree: &Tree<'_>, at: usize) -> String {
    let Some(parent) = tree.parent(at) else {
        return String::new();
    };
    let siblings = tree.children(parent);
    let place = siblings.partition_point(|&sibling| sibling < at);
    let breaks = |&&sibling: &&usize| {
        tree.tag(sibling) == "br"
            || tree.is_block(sibling)
            || super::controls::control(tree, sibling).is_some()
    };
    let count = siblings[..place]
        .iter()
        .rev()
        .take_while(|sibling| !breaks(sibling))
        .count();
    match siblings[..place].get(place - count) {
        Some(&first) => text::between(tree, first, at, PLAIN),
        None => String::new(),
    }
}

/// Returns whether a part only comments on an option: feedback, marks, explanations.
pub(super) fn is_feedback(tree: &Tree<'_>, at: usize) -> bool {
    if tree.is_text(at) {
        return false;
    }
    let names = [tree.attribute(at, "class"), tree.attribute(at, "id")]
        .join(" ")
        .to_lowercase();
    FEEDBACK.iter().any(|word| names.contains(word))
}
