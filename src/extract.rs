//! From a page as it was seen to its questions. Pure: no browser, no socket, no clock.
//!
//! `Snapshot → options that belong together (controls, clickables, lettered) → their question (question) → is it one?
//! (evidence) → the key (key)`
//!
//! What decides is structure: like controls near each other, full rows of markers, what stands before them. Names that
//! quiz systems give to their elements only help.

mod clickables;
mod controls;
mod evidence;
mod formula;
mod html;
mod key;
mod lettered;
mod marker;
mod question;
mod snapshot;
mod style;
mod text;
mod words;

pub use snapshot::{Node, Snapshot};

use crate::quiz::{Kind, MAX_OPTIONS, MIN_OPTIONS, Question};
use controls::{Control, Group};
use evidence::Scene;
use question::Asked;
use snapshot::Tree;
use std::{collections::HashMap, time::Duration};

/// Run in a page, its value is the page's [`Snapshot`].
pub const SNAPSHOT_SCRIPT: &str = include_str!("../assets/snapshot.js");

/// Waits for a page to come to rest.
const SETTLE_FUNCTION: &str = include_str!("../assets/settle.js");

/// What buttons, links and drop-down lists must reach: they are mostly there for something else.
const ENOUGH_CLICKABLE: i32 = 6;

/// What was found on a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// Its title.
    pub title: Option<String>,
    /// Its questions in the order of the page: plain text, 2 to 26 options that are all different.
    pub questions: Vec<Question>,
    /// Whether it holds more questions that nobody sees yet.
    pub hidden_questions: bool,
    /// The control that leads to the next question: its place in the snapshot.
    pub next: Option<usize>,
    /// The control of the first option of the first question: its place in the snapshot.
    pub first_choice: Option<usize>,
    /// Whether the page was longer than what was looked at.
    pub truncated: bool,
    /// Of a plain response: whether scripts or frames may show more than it holds.
    pub scripted: bool,
    /// Of a plain response: whether it holds the quiz, so that no browser is needed.
    pub static_enough: bool,
}

/// Returns an expression whose value is an element of the latest snapshot, by its place in the list.
pub fn element_script(own: u32) -> String {
    format!("globalThis[Symbol.for('quiz-stats')]?.[{own}]?.deref()")
}

/// Returns an expression that clicks such an element; its value says whether it is still there.
pub fn click_script(own: u32) -> String {
    let element = element_script(own);
    format!(
        "(() => {{ const element = {element}; element?.click(); return Boolean(element?.isConnected); }})()"
    )
}

/// Returns an expression that waits until the page has not changed for `quiet`, at most `limit`; its value says whether
/// it came to rest.
pub fn settle_script(quiet: Duration, limit: Duration) -> String {
    let (quiet, limit) = (quiet.as_millis(), limit.as_millis());
    format!("({SETTLE_FUNCTION})({quiet}, {limit})")
}

/// A question and where its options begin.
struct Found {
    at: usize,
    /// What is clicked to choose its first option, if anything is.
    choice: Option<usize>,
    question: Question,
}

/// Returns the questions of a page.
pub fn extract(snapshot: &Snapshot) -> Extraction {
    let tree = Tree::new(snapshot);
    let scene = Scene::of(&tree, &snapshot.title);
    let groups = controls::groups(&tree);
    let (seen, unseen): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| !group.hidden);
    let mut found = of_controls(&tree, &scene, &seen);
    let hidden_questions =
        !found.is_empty() && unseen.iter().any(|group| usable(&texts(group)).is_some());
    let mut ranges: Vec<_> = seen.iter().map(|group| group.range(&tree)).collect();
    if found.is_empty() {
        let clickables = [clickables::buttons(&tree), clickables::lists(&tree)].concat();
        found = of_clickables(&tree, &scene, clickables);
        ranges.extend(found.iter().map(|found| found.at..found.at + 1));
    }
    let taken = |at: usize| ranges.iter().any(|range| range.contains(&at));
    if found.is_empty() {
        let lettered = lettered::questions(&tree, &taken).into_iter();
        found.extend(lettered.filter_map(|lettered| {
            let options = usable(&lettered.options)?;
            let several = lettered.key.len() > 1 || words::wants_several(&lettered.asked.text);
            Some(Found {
                at: lettered.at,
                choice: None,
                question: question(lettered.asked.text, options, several, lettered.key),
            })
        }));
    }
    found.sort_by_key(|found| found.at);
    let first_choice = found.first().and_then(|found| found.choice);
    let mut questions: Vec<Question> = Vec::new();
    for found in found {
        // Pages hold some of their parts twice, one for each width of screen.
        if !questions.contains(&found.question) {
            questions.push(found.question);
        }
    }
    let options: Vec<_> = questions
        .iter()
        .map(|question| question.options.as_slice())
        .collect();
    let listed = key::listed(snapshot, &options);
    for (question, key) in questions.iter_mut().zip(listed) {
        if question.correct.is_none() {
            question.correct = usable_key(question.kind, key);
        }
    }
    let title = snapshot
        .title
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Extraction {
        title: (!title.is_empty()).then_some(title),
        hidden_questions,
        next: clickables::next(&tree),
        first_choice,
        truncated: snapshot.truncated,
        scripted: snapshot.scripted,
        static_enough: !questions.is_empty()
            && (!snapshot.scripted || (questions.len() > 1 && !hidden_questions)),
        questions,
    }
}

fn of_controls(tree: &Tree<'_>, scene: &Scene, groups: &[Group]) -> Vec<Found> {
    let ranges: Vec<_> = groups.iter().map(|group| group.range(tree)).collect();
    let asked: Vec<_> = (0..groups.len())
        .map(|number| asked(tree, groups, &ranges, number))
        .collect();
    let shapes: Vec<_> = groups.iter().map(|group| shape(tree, group)).collect();
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for (shape, asked) in shapes.iter().zip(&asked) {
        *alike.entry(shape).or_default() += usize::from(!asked.text.is_empty());
    }
    let mut found = Vec::new();
    for (number, (group, asked)) in groups.iter().zip(asked).enumerate() {
        let Some(options) = usable(&texts(group)) else {
            continue;
        };
        if asked.text.is_empty() {
            continue;
        }
        let behind = ranges
            .get(number + 1)
            .map_or(tree.nodes.len(), |next| next.start);
        let marked = key::marked(tree, &group.choices);
        let told = key::told(
            tree,
            ranges[number].end,
            behind.min(unit_end(tree, group, behind)),
            &options,
        );
        let correct = if told.is_empty() { marked } else { told };
        let score = evidence::weigh(
            tree,
            scene,
            group,
            &asked,
            alike[shapes[number].as_str()],
            !correct.is_empty(),
        );
        if score < evidence::ENOUGH {
            continue;
        }
        found.push(Found {
            at: ranges[number].start,
            choice: group.choices.first().map(|choice| choice.at),
            question: question(
                asked.text,
                options,
                group.control == Control::Checkbox,
                correct,
            ),
        });
    }
    found
}

fn of_clickables(tree: &Tree<'_>, scene: &Scene, groups: Vec<Group>) -> Vec<Found> {
    let ranges: Vec<_> = groups.iter().map(|group| group.range(tree)).collect();
    let mut found = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let asked = asked(tree, &groups, &ranges, number);
        let Some(options) = usable(&texts(group)) else {
            continue;
        };
        let in_quiz = evidence::is_in_quiz(tree, group.root(tree));
        let asks = words::has_question(&asked.text) || asked.text.contains("__") || asked.badge;
        if asked.text.is_empty() || !in_quiz || !asks {
            continue;
        }
        let correct = key::marked(tree, &group.choices);
        if evidence::weigh(tree, scene, group, &asked, 1, !correct.is_empty()) >= ENOUGH_CLICKABLE {
            found.push(Found {
                at: ranges[number].start,
                choice: group.choices.first().map(|choice| choice.at),
                question: question(asked.text, options, false, correct),
            });
        }
    }
    found
}

/// Returns what a group asks.
fn asked(
    tree: &Tree<'_>,
    groups: &[Group],
    ranges: &[std::ops::Range<usize>],
    number: usize,
) -> Asked {
    let before = number
        .checked_sub(1)
        .map_or(0, |before| ranges[before].end.min(ranges[number].start));
    let behind = ranges
        .get(number + 1)
        .map_or(tree.nodes.len(), |next| next.start);
    let choices = &groups[number].choices;
    let is_option = |at: usize| {
        choices
            .iter()
            .any(|choice| choice.at == at || (choice.item == at && tree.tag(at) != "select"))
    };
    question::question(
        tree,
        ranges[number].start,
        groups[number].root(tree),
        before,
        behind,
        &is_option,
    )
}

/// Returns the end of the outermost element that holds this group and not the next one.
fn unit_end(tree: &Tree<'_>, group: &Group, next: usize) -> usize {
    let root = group.root(tree);
    let outer = tree
        .ancestors(root)
        .take_while(|&at| tree.end(at) <= next)
        .last();
    tree.end(outer.unwrap_or(root))
}

/// Returns how a group is built: what kind of element its options and what holds them are.
fn shape(tree: &Tree<'_>, group: &Group) -> String {
    let item = group.choices.first().map_or(0, |choice| choice.item);
    let root = group.root(tree);
    let class = |at: usize| {
        tree.attribute(at, "class")
            .split_whitespace()
            .next()
            .unwrap_or_default()
    };
    format!(
        "{}.{} {}.{}",
        tree.tag(item),
        class(item),
        tree.tag(root),
        class(root)
    )
}

fn texts(group: &Group) -> Vec<String> {
    group
        .choices
        .iter()
        .map(|choice| choice.text.clone())
        .collect()
}

/// Returns options as they may be shown, markers off; `None` when they are too few, too many, empty or alike.
fn usable(texts: &[String]) -> Option<Vec<String>> {
    let mut options: Vec<String> = texts
        .iter()
        .map(|option| text::without_tex(option.trim()))
        .collect();
    marker::strip(&mut options);
    let is_blank = |option: &String| {
        option.trim().is_empty() || option.chars().all(|c| c.is_control() || c.is_whitespace())
    };
    if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&options.len()) || options.iter().any(is_blank) {
        return None;
    }
    let mut sorted = options.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == options.len()).then_some(options)
}

fn question(text: String, options: Vec<String>, several: bool, key: Vec<u32>) -> Question {
    let kind = match (several, words::are_true_and_false(&options)) {
        (true, _) => Kind::Multiple,
        (false, true) => Kind::TrueFalse,
        (false, false) => Kind::Single,
    };
    Question {
        text,
        options,
        kind,
        correct: usable_key(kind, key),
        id: None,
    }
}

/// Returns a key that fits its question: where one option is right, two marks are no key.
fn usable_key(kind: Kind, key: Vec<u32>) -> Option<Vec<u32>> {
    let fits = key.len() == 1 || (key.len() > 1 && kind == Kind::Multiple);
    fits.then_some(key)
}

#[cfg(test)]
mod tests;
