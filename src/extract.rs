//! From a page as it was seen to its questions. Pure: no browser, no socket, no clock.
//!
//! `Snapshot → lines, and options that belong together (controls, clickables, lettered) → their question (asked) → is it
//! one? (evidence) → the key (key)`
//!
//! What decides is structure: like controls near each other, full rows of markers, what stands before them. Names that
//! quiz systems give to their elements only help.

mod asked;
mod bounds;
mod clickables;
mod controls;
mod dom;
mod evidence;
mod formula;
mod group;
mod html;
mod key;
mod labels;
mod lettered;
mod lines;
mod marker;
mod number;
mod question;
mod scene;
mod snapshot;
mod style;
mod text;
mod words;

pub use snapshot::{Node, Snapshot};

use crate::quiz::{Kind, MAX_OPTIONS, MIN_OPTIONS, Question};
use evidence::Company;
use group::{Choice, Group, Source};
use key::sheet::{self, Entry};
use lines::Line;
use scene::Scene;
use snapshot::Tree;
use std::{collections::HashMap, ops::Range, time::Duration};
use text::{PLAIN, Reading};

/// Run in a page, its value is the page's [`Snapshot`].
pub const SNAPSHOT_SCRIPT: &str = include_str!("../assets/page/snapshot.js");

/// Longest title that is told, in characters.
const MAX_TITLE: usize = 300;
/// By how much the evidence must be more than enough beside questions of another sort.
const BESIDE_MAIN: i32 = 4;
/// Waits for a page to come to rest.
const SETTLE_FUNCTION: &str = include_str!("../assets/page/settle.js");

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
        "(() => {{ const element = {element}; element?.closest('a')?.removeAttribute('target'); element?.click(); \
         return Boolean(element?.isConnected); }})()"
    )
}

/// Returns an expression that waits until the page has not changed for `quiet`, at most `limit`; its value says whether
/// it came to rest.
pub fn settle_script(quiet: Duration, limit: Duration) -> String {
    let (quiet, limit) = (quiet.as_millis(), limit.as_millis());
    format!("({SETTLE_FUNCTION})({quiet}, {limit})")
}

/// A question and where its options stand.
struct Found {
    at: usize,
    end: usize,
    /// Its number on the page.
    number: Option<u32>,
    /// What is clicked to choose its first option, if anything is.
    choice: Option<usize>,
    /// How its options are built.
    shape: String,
    /// By how much its evidence is more than enough.
    beyond: i32,
    question: Question,
}

/// The page, looked at from all sides.
struct Page<'a> {
    tree: &'a Tree<'a>,
    lines: &'a [Line],
    scene: Scene,
}

/// Returns the questions of a page.
pub fn extract(snapshot: &Snapshot) -> Extraction {
    let tree = Tree::new(snapshot);
    let lines = lines::lines(&tree);
    let page = Page {
        tree: &tree,
        lines: &lines,
        scene: Scene::of(&tree, &snapshot.title),
    };
    let (unseen, seen): (Vec<_>, Vec<_>) = controls::groups(&tree, &lines)
        .into_iter()
        .partition(|group| group.hidden);
    let ranges: Vec<_> = seen.iter().map(|group| group.range.clone()).collect();
    let taken = |line: &Line| ranges.iter().any(|range| range.contains(&line.at.start));
    let free = |mut groups: Vec<Group>| {
        let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        groups.retain(|group| !ranges.iter().any(|range| overlap(range, &group.range)));
        innermost(groups)
    };
    // A list that asks by itself stands among the controls of a form.
    let mut lists = free(clickables::selects(&tree, &lines));
    let asking = page.judge(&lists, &ranges);
    lists.retain(|group| asking.iter().any(|found| found.at == group.range.start));
    let mut controls = [seen, lists].concat();
    controls.sort_by_key(|group| group.range.start);
    let mut found = main_source([
        page.judge(&controls, &[]),
        page.judge(&free(clickables::buttons(&tree, &lines)), &ranges),
        page.judge(&lettered::groups(&tree, &lines, &taken), &ranges),
    ]);
    found.sort_by_key(|found| found.at);
    let more = unseen.iter().any(|group| {
        let is_new = usable(group).is_some_and(|(options, _)| {
            found.iter().all(|found| found.question.options != options)
        });
        // Its options may be of another sort: radios here, checkboxes there.
        let built = group.built(&tree);
        is_new && found.iter().any(|found| found.shape.ends_with(&built))
    });
    add_sheet_keys(&tree, &mut found);
    let first_choice = found.first().and_then(|found| found.choice);
    let mut questions: Vec<Question> = Vec::new();
    for found in found {
        // Pages hold some of their parts twice, one for each width of screen.
        if !questions.contains(&found.question) {
            questions.push(found.question);
        }
    }
    add_listed_keys(snapshot, &mut questions);
    Extraction {
        title: title(&snapshot.title),
        hidden_questions: more,
        next: clickables::next(&tree),
        first_choice,
        truncated: snapshot.truncated,
        scripted: snapshot.scripted,
        static_enough: !questions.is_empty()
            && (!snapshot.scripted || (questions.len() > 1 && !more)),
        questions,
    }
}

/// Returns a title as it may be shown: on one line, bounded, without signs that steer a terminal or turn the text.
fn title(told: &str) -> Option<String> {
    let words: Vec<_> = told.split_whitespace().collect();
    let title: String = (words.join(" ").chars())
        .filter(|&c| !c.is_control() && !text::turns(c))
        .take(MAX_TITLE)
        .collect();
    (!title.is_empty()).then_some(title)
}

/// Returns the questions of the source that most of them come from, and of the others what needs no doubt.
fn main_source(found: [Vec<Found>; 3]) -> Vec<Found> {
    let most = found.iter().map(Vec::len).max().unwrap_or(0);
    let main = found
        .iter()
        .position(|found| found.len() == most)
        .unwrap_or(0);
    let mut all: Vec<Found> = Vec::new();
    for (number, found) in found.into_iter().enumerate() {
        let sure = |found: &Found| found.beyond >= BESIDE_MAIN;
        all.extend(
            found
                .into_iter()
                .filter(|found| number == main || sure(found)),
        );
    }
    all
}

/// Leaves out groups that hold another one.
fn innermost(mut groups: Vec<Group>) -> Vec<Group> {
    let ranges: Vec<_> = groups.iter().map(|group| group.range.clone()).collect();
    groups.retain(|group| {
        let holds = |other: &Range<usize>| {
            *other != group.range
                && group.range.start <= other.start
                && other.end <= group.range.end
        };
        !ranges.iter().any(holds)
    });
    groups.sort_by_key(|group| group.range.start);
    groups
}

/// Adds the keys of an answer sheet behind the last question.
fn add_sheet_keys(tree: &Tree<'_>, found: &mut [Found]) {
    let entries: Vec<_> = found
        .iter()
        .map(|found| Entry {
            number: found.number,
            options: found.question.options.len(),
        })
        .collect();
    let Some(last) = found.last() else {
        return;
    };
    let reading = Reading {
        hidden: true,
        ..PLAIN
    };
    let behind = text::between(tree, last.end, tree.nodes.len(), reading);
    for (found, key) in found.iter_mut().zip(sheet::keys(&behind, &entries)) {
        let question = &mut found.question;
        if question.correct.is_none() {
            question.correct = usable_key(question.kind, key);
        }
    }
}

fn add_listed_keys(snapshot: &Snapshot, questions: &mut [Question]) {
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
}

impl Page<'_> {
    /// Returns the questions among groups of one kind, which are in the order of the page.
    /// `barriers`: options of another sort, which belong to no question here.
    fn judge(&self, groups: &[Group], barriers: &[Range<usize>]) -> Vec<Found> {
        // A lone control is no group, and what it stands beside is no question of its.
        let groups: Vec<_> = groups
            .iter()
            .filter(|group| group.choices.len() >= MIN_OPTIONS)
            .collect();
        let asked = asked::all(self.tree, self.lines, &groups, barriers);
        let shapes: Vec<_> = groups.iter().map(|group| group.shape(self.tree)).collect();
        let mut alike: HashMap<&str, usize> = HashMap::new();
        for (shape, asked) in shapes.iter().zip(&asked) {
            *alike.entry(shape).or_default() += usize::from(!asked.text.is_empty());
        }
        let numbers: Vec<_> = asked.iter().map(|asked| asked.number).collect();
        let follows = |a: Option<&Option<u32>>, b: Option<&Option<u32>>| matches!((a, b), (Some(Some(a)), Some(Some(b))) if a + 1 == *b);
        let mut found = Vec::new();
        for (number, (group, asked)) in groups.iter().zip(asked).enumerate() {
            let Some((options, choices)) = usable(group) else {
                continue;
            };
            let among_controls = group.source == Source::List
                && groups.iter().any(|group| group.source.is_control());
            let in_quiz = group.source.is_control()
                || matches!(group.source, Source::Lettered(_))
                || asked.badge
                || asked.instruction
                || asked.named
                || among_controls
                || self.scene.is_quiz()
                || (alike[shapes[number].as_str()] > 2 && asked.direct)
                || evidence::is_in_quiz(self.tree, group.root);
            if asked.text.is_empty() || !in_quiz {
                continue;
            }
            let next = groups.get(number + 1).map(|group| group.range.start);
            let correct = self.key(group, &choices, next, &options);
            let before = number.checked_sub(1).and_then(|before| numbers.get(before));
            let company = Company {
                alike: alike[shapes[number].as_str()],
                chained: follows(before, numbers.get(number))
                    || follows(numbers.get(number), numbers.get(number + 1)),
                keyed: !correct.is_empty(),
            };
            let score = evidence::weigh(self.tree, &self.scene, group, &asked, &options, company);
            if score < evidence::enough(group.source) {
                continue;
            }
            let several = match group.source {
                Source::Checkbox => true,
                Source::Radio | Source::List => false,
                Source::Clickable | Source::Lettered(_) => {
                    correct.len() > 1 || words::wants_several(&asked.text)
                }
            };
            found.push(Found {
                at: group.range.start,
                end: group.range.end,
                number: asked.number,
                choice: group
                    .choices
                    .first()
                    .map(|choice| choice.at)
                    .filter(|_| group.source != Source::List),
                shape: shapes[number].clone(),
                beyond: score - evidence::enough(group.source),
                question: question(asked.text, options, several, correct),
            });
        }
        found
    }

    /// Returns the key that the page reveals for a group: told behind it, or marked.
    fn key(
        &self,
        group: &Group,
        choices: &[Choice],
        next: Option<usize>,
        options: &[String],
    ) -> Vec<u32> {
        let (from, behind) = (group.range.end, next.unwrap_or(self.tree.nodes.len()));
        let told = match group.source {
            Source::Lettered(_) => {
                let lines = self.lines.get(group.lines.end..).unwrap_or_default();
                let seen = key::told_in(lines, options);
                match seen.is_empty() {
                    true => key::told(self.tree, from..behind, key::MAX_LINES_BEHIND, options),
                    false => seen,
                }
            }
            _ => {
                let end = behind.min(unit_end(self.tree, group, behind));
                key::told(self.tree, from..end, usize::MAX, options)
            }
        };
        match told.is_empty() {
            true => key::marked(self.tree, choices),
            false => told,
        }
    }
}

/// Returns the end of the outermost element that holds this group and not the next one.
fn unit_end(tree: &Tree<'_>, group: &Group, next: usize) -> usize {
    let outer = tree
        .ancestors(group.root)
        .take_while(|&at| tree.end(at) <= next)
        .last();
    tree.end(outer.unwrap_or(group.root))
}

/// Returns the options of a group as they may be shown, markers and marks off, each once, with where they come from;
/// `None` when they are too few, too many, or one of them is empty.
fn usable(group: &Group) -> Option<(Vec<String>, Vec<Choice>)> {
    let clean = |choice: &Choice| {
        text::without_tex(words::strip_verdict(words::strip_bullet(&choice.text)))
    };
    let mut options: Vec<String> = group.choices.iter().map(clean).collect();
    marker::strip(&mut options);
    let is_blank = |option: &String| option.chars().all(|c| c.is_control() || c.is_whitespace());
    if options.iter().any(is_blank) {
        return None;
    }
    let mut kept: (Vec<String>, Vec<Choice>) = (Vec::new(), Vec::new());
    for (option, choice) in options.into_iter().zip(&group.choices) {
        if !kept.0.contains(&option) {
            kept.0.push(option);
            kept.1.push(choice.clone());
        }
    }
    (MIN_OPTIONS..=MAX_OPTIONS)
        .contains(&kept.0.len())
        .then_some(kept)
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
