//! Options that are buttons, links or entries of a drop-down list.

use super::{
    controls::{Choice, Control, Group},
    evidence::is_elsewhere,
    snapshot::Tree,
    text::{self, PLAIN, Reading},
};

/// What buttons of a player do, in the first word of their text.
const COMMANDS: [&str; 46] = [
    "next",
    "previous",
    "prev",
    "back",
    "submit",
    "check",
    "start",
    "finish",
    "retry",
    "restart",
    "show",
    "hide",
    "skip",
    "login",
    "log",
    "sign",
    "register",
    "share",
    "download",
    "print",
    "save",
    "cancel",
    "ok",
    "close",
    "menu",
    "search",
    "continue",
    "clear",
    "reset",
    "hint",
    "help",
    "home",
    "contact",
    "buy",
    "add",
    "learn",
    "read",
    "more",
    "weiter",
    "zurück",
    "prüfen",
    "suivant",
    "siguiente",
    "далее",
    "vote",
    "apply",
];

/// Returns rows of buttons or links that stand side by side, each a whole answer.
pub(super) fn buttons(tree: &Tree<'_>) -> Vec<Group> {
    let reading = Reading {
        buttons: true,
        ..PLAIN
    };
    let mut groups = Vec::new();
    for parent in 0..tree.nodes.len() {
        if tree.is_text(parent) || tree.is_hidden(parent) || is_elsewhere(tree, parent) {
            continue;
        }
        let choices: Vec<Choice> = tree
            .children(parent)
            .iter()
            .filter_map(|&child| choice(tree, child, reading))
            .collect();
        let alike = choices.iter().all(|choice| {
            let class = |choice: &Choice| {
                tree.attribute(choice.at, "class")
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            tree.tag(choice.at) == tree.tag(choices[0].at) && class(choice) == class(&choices[0])
        });
        let is_command = |choice: &Choice| {
            let lower = choice.text.to_lowercase();
            let first = lower
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            COMMANDS.contains(&first) || choice.text.chars().count() > 120
        };
        if (2..=10).contains(&choices.len()) && alike && !choices.iter().any(is_command) {
            groups.push(Group {
                control: Control::Button,
                choices,
                hidden: false,
            });
        }
    }
    groups
}

/// Returns a child as an option, when all it says is a button or a link.
fn choice(tree: &Tree<'_>, child: usize, reading: Reading<'_>) -> Option<Choice> {
    if tree.is_text(child) || tree.is_hidden(child) {
        return None;
    }
    let is_clickable = |&at: &usize| {
        matches!(tree.tag(at), "button" | "a")
            || tree.attribute(at, "role") == "button"
            || (matches!(tree.attribute(at, "type"), "button" | "submit")
                && tree.tag(at) == "input")
    };
    let mut clickable = (child..tree.end(child)).filter(is_clickable);
    let (at, None) = (clickable.next()?, clickable.next()) else {
        return None;
    };
    let text = match tree.tag(at) {
        "input" => tree.attribute(at, "value").to_owned(),
        _ => text::of(tree, at, reading),
    };
    let all = text::of(tree, child, reading);
    let is_all = tree.tag(at) == "input"
        || all == text
        || super::marker::is_marker_alone(all.strip_suffix(text.as_str())?.trim());
    (!text.is_empty() && is_all && !text.contains('\n')).then_some(Choice {
        at,
        item: child,
        text: if tree.tag(at) == "input" { text } else { all },
    })
}

/// Returns the entries of drop-down lists, those that only invite to choose aside.
pub(super) fn lists(tree: &Tree<'_>) -> Vec<Group> {
    let selects =
        (0..tree.nodes.len()).filter(|&at| tree.tag(at) == "select" && !tree.is_hidden(at));
    let groups = selects.map(|select| {
        let entries = (select..tree.end(select)).filter(|&at| tree.tag(at) == "option");
        let choices = entries.filter_map(|at| {
            let text = super::formula::raw(tree, at)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let empty_value = tree
                .node(at)
                .attributes
                .get("value")
                .is_some_and(String::is_empty);
            let lower = text.to_lowercase();
            let invites = [
                "choose",
                "select",
                "please",
                "wählen",
                "bitte",
                "choisi",
                "elige",
                "seleccion",
                "выберите",
                "—",
                "--",
                "…",
                "...",
            ]
            .iter()
            .any(|word| lower.starts_with(word));
            let is_answer = !text.is_empty() && !empty_value && !invites;
            is_answer.then_some(Choice {
                at,
                item: select,
                text,
            })
        });
        Group {
            control: Control::Button,
            choices: choices.collect(),
            hidden: false,
        }
    });
    groups
        .filter(|group| (2..=10).contains(&group.choices.len()))
        .collect()
}

/// Returns the visible control that leads to the next question.
pub(super) fn next(tree: &Tree<'_>) -> Option<usize> {
    let words = [
        "next",
        "next question",
        "continue",
        "weiter",
        "nächste frage",
        "nächste",
        "suivant",
        "question suivante",
        "siguiente",
        "siguiente pregunta",
        "avanti",
        "volgende",
        "próxima",
        "далее",
        "следующий",
        "следующий вопрос",
        "التالي",
        "הבא",
        "次へ",
        "下一题",
        "下一步",
    ];
    let reading = Reading {
        buttons: true,
        ..PLAIN
    };
    (0..tree.nodes.len()).find(|&at| {
        let clickable = matches!(tree.tag(at), "button" | "a")
            || tree.attribute(at, "role") == "button"
            || tree.tag(at) == "input";
        if !clickable || tree.is_hidden(at) || tree.node(at).flags & super::snapshot::DISABLED != 0
        {
            return false;
        }
        let text = match (tree.tag(at), tree.attribute(at, "type")) {
            ("input", "button" | "submit") => tree.attribute(at, "value").to_owned(),
            ("input", _) => return false,
            _ => text::of(tree, at, reading),
        };
        let lower = text.to_lowercase();
        words.contains(&lower.trim_matches(|c: char| !c.is_alphanumeric()))
    })
}
