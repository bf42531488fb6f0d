//! Options that are controls: which controls a page has, which of them belong together, and what each one says.

use super::{
    snapshot::{CHECKED, Tree},
    text::{self, PLAIN, Reading},
};
use std::ops::Range;

/// What a control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// One of several may be chosen.
    Radio,
    /// Any may be chosen.
    Checkbox,
    /// Chosen with a click: a button or a link.
    Button,
}

/// One option.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The control.
    pub(super) at: usize,
    /// The outermost element that holds this control and no other.
    pub(super) item: usize,
    /// What it says.
    pub(super) text: String,
}

/// Options that belong together.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) control: Control,
    pub(super) choices: Vec<Choice>,
    /// Whether nobody sees it.
    pub(super) hidden: bool,
}

impl Group {
    /// Returns the places that it takes, from its first item to the end of its last.
    pub(super) fn range(&self, tree: &Tree<'_>) -> Range<usize> {
        let starts = self.choices.iter().map(|choice| choice.item.min(choice.at));
        let ends = self
            .choices
            .iter()
            .map(|choice| tree.end(choice.item).max(tree.end(choice.at)));
        starts.min().unwrap_or(0)..ends.max().unwrap_or(0)
    }

    /// Returns the innermost element that holds all its controls.
    pub(super) fn root(&self, tree: &Tree<'_>) -> usize {
        let mut controls = self.choices.iter().map(|choice| choice.at);
        let first = controls.next().unwrap_or(0);
        controls.fold(first, |outer, at| tree.common(outer, at).unwrap_or(0))
    }
}

fn control(tree: &Tree<'_>, at: usize) -> Option<Control> {
    let kind = tree.attribute(at, "type").to_lowercase();
    match (tree.tag(at), kind.as_str(), tree.attribute(at, "role")) {
        ("input", "radio", _) | (_, _, "radio" | "menuitemradio") => Some(Control::Radio),
        ("input", "checkbox", role) if role != "switch" => Some(Control::Checkbox),
        (_, _, "checkbox") => Some(Control::Checkbox),
        ("option", ..) => None,
        (_, _, "option") => Some(Control::Radio),
        _ => None,
    }
}

/// Returns every group of radios and checkboxes, hidden ones included.
pub(super) fn groups(tree: &Tree<'_>) -> Vec<Group> {
    let mut controls: Vec<(usize, Control)> = Vec::new();
    for at in 0..tree.nodes.len() {
        let Some(kind) = control(tree, at) else {
            continue;
        };
        // A wrapper with the role and the control in it are one option.
        if controls
            .last()
            .is_some_and(|&(last, _)| tree.contains(last, at))
        {
            continue;
        }
        // "Clear my choice" is no option.
        if tree.attribute(at, "value") == "-1" || tree.names(at).contains("clearchoice") {
            continue;
        }
        controls.push((at, kind));
    }
    let places: Vec<usize> = controls.iter().map(|&(at, _)| at).collect();
    let mut groups: Vec<(Key, Group)> = Vec::new();
    for (number, &(at, control)) in controls.iter().enumerate() {
        let others = [
            number.checked_sub(1).map(|before| places[before]),
            places.get(number + 1).copied(),
        ];
        let item = item(tree, at, others);
        let key = Key {
            parent: tree.parent(item),
            name: name(tree, at),
            kind: control,
        };
        let choice = Choice {
            at,
            item,
            text: String::new(),
        };
        match groups.last_mut() {
            Some((last, group)) if last.joins(&key, tree, group, &choice) => {
                group.choices.push(choice)
            }
            _ => groups.push((
                key,
                Group {
                    control,
                    choices: vec![choice],
                    hidden: false,
                },
            )),
        }
    }
    let mut groups: Vec<_> = groups.into_iter().map(|(_, group)| group).collect();
    for group in &mut groups {
        read(tree, group, &places);
    }
    groups
}

/// What controls of one group share.
struct Key {
    parent: Option<usize>,
    name: String,
    kind: Control,
}

impl Key {
    /// Returns whether a control goes on with the group before it.
    fn joins(&self, next: &Self, tree: &Tree<'_>, group: &Group, choice: &Choice) -> bool {
        if self.kind != next.kind {
            return false;
        }
        let named = !self.name.is_empty() && !next.name.is_empty();
        if named && self.kind == Control::Radio {
            // The browser itself groups radios by name. Some pages give all of them the same one.
            return self.name == next.name && !heading_between(tree, group, choice);
        }
        let same_name = named && self.name == next.name;
        (same_name || (self.parent.is_some() && self.parent == next.parent))
            && !heading_between(tree, group, choice)
    }
}

/// Returns whether something stands between two options that belongs to neither: the next question.
fn heading_between(tree: &Tree<'_>, group: &Group, choice: &Choice) -> bool {
    let Some(last) = group.choices.last() else {
        return false;
    };
    let (mut at, to) = (tree.end(last.item), choice.item);
    while at < to {
        let tag = tree.tag(at);
        let is_question = match tag {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "legend" | "fieldset" | "hr" | "p" => true,
            "tr" | "div" | "dt" => !tree.contains(at, to),
            _ => false,
        };
        let inner = tree.contains(at, to);
        if is_question && !inner && !text::of(tree, at, PLAIN).trim().is_empty() {
            return true;
        }
        at = match inner {
            true => at + 1,
            false => tree.end(at),
        };
    }
    false
}

fn name(tree: &Tree<'_>, at: usize) -> String {
    if tree.tag(at) == "input" {
        return tree.attribute(at, "name").to_owned();
    }
    // What wears only the role is grouped by the element that has the group's role.
    let group = tree.ancestors(at).find(|&outer| {
        matches!(
            tree.attribute(outer, "role"),
            "radiogroup" | "listbox" | "group"
        )
    });
    group.map_or_else(String::new, |group| format!("@{group}"))
}

/// Returns the outermost element that holds this control and neither the one before nor the one behind it.
fn item(tree: &Tree<'_>, at: usize, others: [Option<usize>; 2]) -> usize {
    let holds_other = |outer: usize| {
        others
            .iter()
            .flatten()
            .any(|&other| tree.contains(outer, other))
    };
    let outer = std::iter::once(at)
        .chain(tree.ancestors(at))
        .take_while(|&outer| {
            !holds_other(outer)
                && !matches!(
                    tree.tag(outer),
                    "body" | "form" | "fieldset" | "tbody" | "table"
                )
        });
    outer.last().unwrap_or(at)
}

/// Reads what each option says, and whether the group is seen.
fn read(tree: &Tree<'_>, group: &mut Group, controls: &[usize]) {
    // A lone control's item may be half the page; its neighbours show how large one is.
    for choice in &mut group.choices {
        choice.text = label(tree, choice, controls);
    }
    group.hidden = group.choices.iter().all(|choice| {
        let labels = labels(tree, choice.at);
        let is_seen = |at: usize| !tree.is_hidden(at) && !text::of(tree, at, PLAIN).is_empty();
        // The control itself is often replaced by a drawn one.
        tree.is_hidden(choice.at)
            && !labels.iter().any(|&label| is_seen(label))
            && !is_seen(choice.item)
    });
}

/// Returns the elements that label a control: `label[for]`, a label around it, `aria-labelledby`.
fn labels(tree: &Tree<'_>, at: usize) -> Vec<usize> {
    let id = tree.attribute(at, "id");
    let mut found: Vec<_> = match id {
        "" => Vec::new(),
        id => (0..tree.nodes.len())
            .filter(|&label| tree.tag(label) == "label" && tree.attribute(label, "for") == id)
            .collect(),
    };
    found.extend(
        tree.ancestors(at)
            .take(6)
            .find(|&outer| tree.tag(outer) == "label"),
    );
    let named = tree.attribute(at, "aria-labelledby").split_whitespace();
    found.extend(named.filter_map(|id| tree.by_id(id)));
    found.dedup();
    found
}

fn label(tree: &Tree<'_>, choice: &Choice, controls: &[usize]) -> String {
    let noise = |at: usize| is_feedback(tree, at);
    let reading = Reading {
        skip: &noise,
        ..PLAIN
    };
    let is_enough = |text: &str| !text.is_empty() && !super::marker::is_marker_alone(text);
    let of_labels = |reading: Reading<'_>| {
        let texts = labels(tree, choice.at)
            .into_iter()
            .map(|label| text::of(tree, label, reading));
        texts.filter(|text| is_enough(text)).next()
    };
    let own_role = tree.tag(choice.at) != "input";
    let own = || {
        Some(text::of(
            tree,
            choice.at,
            Reading {
                buttons: true,
                ..reading
            },
        ))
        .filter(|_| own_role)
    };
    let whole = || (choice.item != choice.at).then(|| text::of(tree, choice.item, reading));
    let behind = || {
        let end = controls.iter().copied().find(|&other| other > choice.at);
        behind(tree, choice.at, end.unwrap_or(tree.nodes.len()), reading)
    };
    let aria = || match tree.attribute(choice.at, "aria-label") {
        "" => tree.attribute(choice.at, "data-value"),
        label => label,
    };
    let hidden = Reading {
        hidden: true,
        ..reading
    };
    of_labels(reading)
        .or_else(|| own().filter(|text| is_enough(text)))
        .or_else(|| whole().filter(|text| is_enough(text)))
        .or_else(|| Some(behind()).filter(|text| is_enough(text)))
        .or_else(|| Some(aria().to_owned()).filter(|text| !text.trim().is_empty()))
        .or_else(|| of_labels(hidden))
        .or_else(|| {
            labels(tree, choice.at)
                .first()
                .map(|&label| text::of(tree, label, reading))
        })
        .unwrap_or_default()
}

/// Returns the bare text behind a control, to the end of its line.
fn behind(tree: &Tree<'_>, at: usize, end: usize, reading: Reading<'_>) -> String {
    let parent = tree.parent(at);
    let limit = parent.map_or(end, |parent| tree.end(parent)).min(end);
    let mut to = tree.end(at);
    while to < limit {
        let is_break = tree.tag(to) == "br"
            || (!tree.is_text(to) && tree.node(to).flags & super::snapshot::BLOCK != 0);
        if is_break && !text::between(tree, at, to, reading).is_empty() {
            break;
        }
        to = tree.end(to).max(to + 1);
    }
    text::between(tree, at, to.min(limit), reading)
}

/// Returns whether a part only comments on an option: feedback, marks, explanations.
pub(super) fn is_feedback(tree: &Tree<'_>, at: usize) -> bool {
    if tree.is_text(at) {
        return false;
    }
    let names = tree.names(at);
    [
        "feedback",
        "answernumber",
        "explanation",
        "rationale",
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "screenreader",
        "tooltip",
        "accesshide",
        "answer_weight",
        "answer_comment",
        "hint",
    ]
    .iter()
    .any(|word| names.contains(word))
}

/// Returns whether the reader, or the page, has chosen an option.
pub(super) fn is_checked(tree: &Tree<'_>, at: usize) -> bool {
    (at..tree.end(at)).any(|at| tree.node(at).flags & CHECKED != 0)
}
