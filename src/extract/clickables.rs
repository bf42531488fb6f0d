//! Options that are buttons, links, other things to click, or the entries of a drop-down list.

use super::{
    evidence::is_elsewhere,
    formula,
    group::{Choice, Group, Source},
    lines::Line,
    marker,
    snapshot::{CLICKABLE, DISABLED, Tree},
    text::{self, PLAIN, Reading},
};

/// What buttons of a player do, in the first word of their text.
const COMMANDS: [&str; 70] = [
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
    "more",
    "play",
    "pause",
    "stop",
    "quit",
    "exit",
    "weiter",
    "zurück",
    "prüfen",
    "suivant",
    "siguiente",
    "далее",
    "vote",
    "apply",
    "report",
    "fullscreen",
    "mute",
    "settings",
    "copy",
    "edit",
    "delete",
    "facebook",
    "twitter",
    "whatsapp",
    "telegram",
    "назад",
    "проверить",
    "comprobar",
    "anterior",
    "vérifier",
    "überspringen",
    "atla",
    "sonraki",
    "ileri",
];
/// Longest option that is a button.
const MAX_CHARS: usize = 160;
/// What leads to the next question.
const NEXT: [&str; 36] = [
    "next",
    "next question",
    "next page",
    "continue",
    "weiter",
    "nächste frage",
    "nächste",
    "nächste seite",
    "suivant",
    "question suivante",
    "page suivante",
    "siguiente",
    "siguiente pregunta",
    "siguiente página",
    "avanti",
    "prossima",
    "volgende",
    "próxima",
    "próximo",
    "seguinte",
    "далее",
    "следующий",
    "следующий вопрос",
    "следующая",
    "التالي",
    "הבא",
    "次へ",
    "次の問題",
    "下一题",
    "下一步",
    "下一页",
    "sonraki",
    "sonraki soru",
    "다음",
    "अगला",
    "επόμενο",
];

/// Returns rows of things to click that stand side by side, each a whole answer.
pub(super) fn buttons(tree: &Tree<'_>, lines: &[Line]) -> Vec<Group> {
    let parents = (0..tree.nodes.len()).filter(|&parent| {
        !tree.is_text(parent) && !tree.is_hidden(parent) && !is_elsewhere(tree, parent)
    });
    let groups = parents.filter_map(|parent| {
        let children = tree.children(parent).iter();
        let mut choices: Vec<Choice> = children.filter_map(|&child| choice(tree, child)).collect();
        choices.retain(|choice| !is_command(&choice.text));
        let class = |choice: &Choice| {
            tree.attribute(choice.at, "class")
                .split_whitespace()
                .next()
                .unwrap_or_default()
        };
        if choices.iter().all(|choice| is_sign(&choice.text)) {
            let says = beside(tree, &choices);
            let says_all = says.len() == choices.len();
            if says_all
                || !choices
                    .iter()
                    .any(|choice| choice.text.chars().any(char::is_alphanumeric))
            {
                choices = says;
            }
        }
        let first = choices.first()?;
        // Buttons may each have a colour of their own.
        let alike = choices.iter().all(|choice| {
            let is_button = tree.tag(choice.at) == "button";
            tree.tag(choice.at) == tree.tag(first.at)
                && (is_button || class(choice) == class(first))
        });
        let whole = choices
            .iter()
            .all(|choice| choice.text.chars().count() <= MAX_CHARS);
        let fits = (2..=10).contains(&choices.len()) && alike && whole;
        fits.then(|| Group::new(tree, lines, Source::Clickable, choices))
    });
    groups.collect()
}

/// Returns the options that stand beside buttons which all say the same, such as `?`.
fn beside(tree: &Tree<'_>, choices: &[Choice]) -> Vec<Choice> {
    let texts = choices.iter().map(|choice| Choice {
        text: text::of(tree, choice.item, PLAIN),
        ..choice.clone()
    });
    texts.filter(|choice| !choice.text.is_empty()).collect()
}

/// Returns whether a button only shows a sign: `?`, or `X` where it was tried.
fn is_sign(text: &str) -> bool {
    text.chars().count() <= 1 || !text.chars().any(char::is_alphanumeric)
}

fn is_command(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    COMMANDS.contains(&first) && words.count() <= 2
}

/// Returns a child as an option, when all it says is one thing to click.
fn choice(tree: &Tree<'_>, child: usize) -> Option<Choice> {
    if tree.is_text(child) || tree.is_hidden(child) {
        return None;
    }
    let reading = Reading {
        buttons: true,
        ..PLAIN
    };
    let mut clickable = (child..tree.end(child)).filter(|&at| is_clickable(tree, at));
    let at = clickable.next()?;
    // What is inside of it may be clickable as well; what stands beside it may not.
    if clickable.any(|other| !tree.contains(at, other)) {
        return None;
    }
    let text = match tree.tag(at) {
        "input" => tree.attribute(at, "value").to_owned(),
        _ => text::of(tree, at, reading),
    };
    let all = text::of(tree, child, reading);
    let is_all = tree.tag(at) == "input"
        || all == text
        || all
            .strip_suffix(text.as_str())
            .is_some_and(|before| marker::is_marker_alone(before.trim()));
    let lines = text.lines().count();
    // A button that says nothing itself stands for what is beside it.
    let stands_for = tree.tag(child) == "li" && is_sign(&text);
    (!text.is_empty() && (is_all || stands_for) && lines <= 3).then(|| Choice {
        at,
        item: child,
        start: child,
        end: tree.end(child),
        text: match is_all && tree.tag(at) != "input" {
            true => all.replace('\n', " "),
            false => text,
        },
    })
}

fn is_clickable(tree: &Tree<'_>, at: usize) -> bool {
    let is_button = |kind: &str| matches!(kind, "button" | "submit");
    matches!(tree.tag(at), "button" | "a")
        || tree.attribute(at, "role") == "button"
        || (tree.tag(at) == "input" && is_button(tree.attribute(at, "type")))
        || tree.node(at).flags & CLICKABLE != 0
}

/// Returns the entries of drop-down lists, those that only invite to choose aside.
pub(super) fn selects(tree: &Tree<'_>, lines: &[Line]) -> Vec<Group> {
    let selects =
        (0..tree.nodes.len()).filter(|&at| tree.tag(at) == "select" && !tree.is_hidden(at));
    let groups = selects.filter_map(|select| {
        let entries = (select..tree.end(select)).filter(|&at| tree.tag(at) == "option");
        let choices: Vec<Choice> = entries.filter_map(|at| entry(tree, select, at)).collect();
        (3..=10).contains(&choices.len()).then(|| {
            let mut group = Group::new(tree, lines, Source::List, choices);
            group.range = select..tree.end(select);
            group.root = select;
            group
        })
    });
    groups.collect()
}

fn entry(tree: &Tree<'_>, select: usize, at: usize) -> Option<Choice> {
    let text = formula::raw(tree, at);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_first = (select..at).all(|before| tree.tag(before) != "option");
    let lower = text.to_lowercase();
    let invites = [
        "choose",
        "please",
        "pick",
        "wählen",
        "bitte",
        "choisi",
        "elige",
        "sele",
        "séle",
        "scegli",
        "kies",
        "vælg",
        "velg",
        "välj",
        "vyber",
        "wybierz",
        "odaberi",
        "выберите",
        "виберіть",
        "escolha",
        "seçiniz",
        "seçin",
        "请选择",
        "選択",
        "선택",
        "اختر",
        "בחר",
        "—",
        "--",
        "…",
        "...",
    ];
    let is_invitation = text.is_empty()
        || (is_first && invites.iter().any(|word| lower.starts_with(word)))
        || lower.starts_with("--");
    (!is_invitation).then_some(Choice {
        at,
        item: select,
        start: select,
        end: tree.end(select),
        text,
    })
}

/// Returns the visible control that leads to the next question.
pub(super) fn next(tree: &Tree<'_>) -> Option<usize> {
    let reading = Reading {
        buttons: true,
        ..PLAIN
    };
    (0..tree.nodes.len()).find(|&at| {
        if !is_clickable(tree, at) || tree.is_hidden(at) || tree.node(at).flags & DISABLED != 0 {
            return false;
        }
        let text = match tree.tag(at) {
            "input" => tree.attribute(at, "value").to_owned(),
            _ => text::of(tree, at, reading),
        };
        let lower = text.to_lowercase();
        NEXT.contains(&lower.trim_matches(|c: char| !c.is_alphanumeric()))
    })
}
