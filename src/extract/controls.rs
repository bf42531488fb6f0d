//! Options that are controls: which controls a page has, and which of them belong together.

use super::{
    group::{Choice, Group, Source},
    labels,
    lines::{Line, is_aside},
    snapshot::Tree,
    text::{self, PLAIN},
    words,
};

/// Returns what a control is, if a node is one.
pub(super) fn control(tree: &Tree<'_>, at: usize) -> Option<Source> {
    let kind = tree.attribute(at, "type");
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    match (tree.tag(at), tree.attribute(at, "role")) {
        ("input", _) if is("radio") => Some(Source::Radio),
        ("input", role) if is("checkbox") && role != "switch" => Some(Source::Checkbox),
        ("option", _) => None,
        (_, "radio" | "menuitemradio" | "option") => Some(Source::Radio),
        (_, "checkbox") => Some(Source::Checkbox),
        _ => None,
    }
}

/// Most controls that are looked at: five times the largest quiz that may be asked.
const MAX_CONTROLS: usize = 5_000;

/// Returns every group of radios and checkboxes, hidden ones included.
pub(super) fn groups(tree: &Tree<'_>, lines: &[Line]) -> Vec<Group> {
    let controls = controls(tree);
    let places: Vec<usize> = controls.iter().map(|&(at, _)| at).collect();
    let mut groups: Vec<(Key, Vec<Choice>)> = Vec::new();
    for (number, &(at, source)) in controls.iter().enumerate() {
        let others = [
            number.checked_sub(1).map(|before| places[before]),
            places.get(number + 1).copied(),
        ];
        let item = item(tree, at, others);
        let key = Key {
            parent: tree.parent(item),
            name: name(tree, at),
            source,
        };
        let choice = Choice {
            at,
            item,
            start: item,
            end: item,
            text: String::new(),
        };
        match groups.last_mut() {
            Some((last, choices)) if last.joins(&key, tree, choices, &choice) => {
                choices.push(choice);
            }
            _ => groups.push((key, vec![choice])),
        }
    }
    let groups = groups.into_iter().map(|(key, mut choices)| {
        labels::read(tree, &mut choices, &places);
        // "No answer", chosen until something else is, is there for the form alone.
        if choices.iter().any(|choice| labels::is_seen(tree, choice)) {
            choices.retain(|choice| labels::is_seen(tree, choice));
        }
        // What says nothing is a slip of the page, as long as others say something.
        let says = |choice: &Choice| !words::strip_bullet(&choice.text).is_empty();
        if choices.iter().filter(|choice| says(choice)).count() >= 2 {
            choices.retain(says);
        }
        let mut group = Group::new(tree, lines, key.source, choices);
        group.hidden = group
            .choices
            .iter()
            .all(|choice| !labels::is_seen(tree, choice));
        group
    });
    groups.collect()
}

/// Returns the controls that can be options, in the order of the page.
fn controls(tree: &Tree<'_>) -> Vec<(usize, Source)> {
    let mut controls: Vec<(usize, Source)> = Vec::new();
    for at in 0..tree.nodes.len() {
        let Some(source) = control(tree, at) else {
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
        controls.push((at, source));
        if controls.len() == MAX_CONTROLS {
            break;
        }
    }
    controls
}

/// What controls of one group share.
struct Key {
    parent: Option<usize>,
    name: String,
    source: Source,
}

impl Key {
    /// Returns whether a control goes on with the group before it. A name alone does not group: some pages give one to
    /// all radios, and checkboxes of a group have one each.
    fn joins(&self, next: &Self, tree: &Tree<'_>, choices: &[Choice], choice: &Choice) -> bool {
        if self.source != next.source || question_between(tree, choices, choice) {
            return false;
        }
        let beside = self.parent.is_some() && self.parent == next.parent;
        let named = !self.name.is_empty() && !next.name.is_empty();
        let same_name = named && self.name == next.name;
        match self.source {
            // The browser itself groups radios by name. Without one, they belong together when they stand together.
            Source::Radio if named => same_name,
            _ => same_name || beside,
        }
    }
}

/// Returns whether something stands between two options that belongs to neither: the next question.
fn question_between(tree: &Tree<'_>, choices: &[Choice], choice: &Choice) -> bool {
    let Some(last) = choices.last() else {
        return false;
    };
    let (mut at, to) = (tree.end(last.item).max(tree.end(last.at)), choice.item);
    while at < to {
        let inner = tree.contains(at, to);
        let is_block = matches!(
            tree.tag(at),
            "h1" | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "legend"
                | "fieldset"
                | "p"
                | "tr"
                | "dt"
                | "div"
                | "pre"
                | "table"
        );
        if is_block
            && !inner
            && !tree.is_hidden(at)
            && !is_aside(tree, at)
            && !labels::is_feedback(tree, at)
        {
            let text = text::of(tree, at, PLAIN);
            if !text.trim().is_empty()
                && !labels::labels(tree, last.at).contains(&at)
                && !labels::labels(tree, choice.at).contains(&at)
            {
                return true;
            }
        }
        // Bare text that asks, between lines of options.
        if tree.is_text(at)
            && words::ends_as_question(&tree.node(at).text)
            && tree.tag(tree.parent(at).unwrap_or(0)) != "label"
        {
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
    // Some systems put each option into a form of its own, in an item of a list.
    let in_item = |form: usize| {
        tree.parent(form)
            .is_some_and(|at| matches!(tree.tag(at), "li" | "td"))
    };
    let outer = tree.with_ancestors(at).take_while(|&outer| {
        !holds_other(outer)
            && match tree.tag(outer) {
                "form" => in_item(outer),
                "body" | "fieldset" | "tbody" | "table" | "ul" | "ol" | "dl" => false,
                _ => true,
            }
    });
    outer.last().unwrap_or(at)
}
