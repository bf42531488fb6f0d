//! What groups of options ask: for each, where its question may stand, and which of the lines there it is.

use super::{
    group::{Group, Source},
    lines::Line,
    question::{self, Asked, Scope},
    snapshot::Tree,
};
use std::ops::Range;

/// Classes and ids that quizzes give to a question's text.
const TEXT_CLASSES: [&str; 44] = [
    "qtext",
    "question_text",
    "wpProQuiz_question_text",
    "h5p-question-introduction",
    "h5p-question-text",
    "problem-group-label",
    "sd-question__title",
    "sv_q_title",
    "sv-question__title",
    "mlw_qmn_new_question",
    "qsm-question-title",
    "ays_quiz_question",
    "ays-quiz-question-title",
    "watu-question-text",
    "watupro-question-text",
    "question-text",
    "questionText",
    "QuestionText",
    "quiz-question-text",
    "question__text",
    "qti-prompt",
    "ilc_qtitle_Title",
    "ilc_question_text",
    "quizlib-question-title",
    "question-title-box",
    "questiontext",
    "freebirdFormviewerComponentsQuestionBaseTitle",
    "stem",
    "question-prompt",
    "question__prompt",
    "question-body",
    "question",
    "Question",
    "quiz-question",
    "quizQuestion",
    "question-title",
    "questionTitle",
    "frage",
    "pregunta",
    "pergunta",
    "soal",
    "pytanie",
    "otazka",
    "vopros",
];
/// Most lines between the element that a quiz system names as the question's and the options.
const MAX_BETWEEN: usize = 8;
/// Elements that hold more than one question's block.
const BROAD: [&str; 6] = ["body", "html", "main", "article", "form", "section"];

/// Returns what each of the groups asks; they are in the order of the page.
/// `barriers`: options of another sort, which belong to no question here.
pub(super) fn all(
    tree: &Tree<'_>,
    lines: &[Line],
    groups: &[&Group],
    barriers: &[Range<usize>],
) -> Vec<Asked> {
    let places: Vec<_> = (0..groups.len())
        .map(|number| place(tree, lines, groups, barriers, number))
        .collect();
    let counts: Vec<_> = places
        .iter()
        .skip(1)
        .filter(|(scope, _)| matches!(scope, Scope::Open(_)))
        .map(|(_, at)| question::count(&lines[at.clone()]))
        .collect();
    // Where as many lines stand before all options but the first, so many are their question.
    let typical = match counts.as_slice() {
        [first, second, ..]
            if first == second
                && counts.iter().filter(|count| *count == first).count() * 4
                    >= counts.len() * 3 =>
        {
            *first
        }
        _ => 1,
    };
    let rows: Vec<_> = places
        .iter()
        .map(|(_, at)| question::count(&lines[at.clone()]))
        .collect();
    let most = rows.iter().skip(1).copied().max().unwrap_or(0);
    let mut expected = None;
    let mut asked = Vec::new();
    for (number, (scope, at)) in places.iter().enumerate() {
        let scope = match scope {
            Scope::Open(_) => Scope::Open(typical),
            // What stands before the first of many questions may be the head of the page.
            Scope::Own if number == 0 && rows.len() > 2 && rows[0] > most && most > 0 => {
                Scope::Open(most)
            }
            other => *other,
        };
        // The first number is the one that the next group goes on with.
        let next = places
            .get(number + 1)
            .map(|(_, at)| question::numbers(&lines[at.clone()]));
        let own = question::numbers(&lines[at.clone()]);
        let goes_on = expected.filter(|number| own.contains(number)).or_else(|| {
            own.iter().rev().copied().find(|number| {
                next.as_ref()
                    .is_some_and(|next| next.contains(&(number + 1)))
            })
        });
        let found = question::choose(&lines[at.clone()], scope, goes_on);
        expected = found.number.map(|number| number + 1);
        asked.push(found);
    }
    asked
}

/// Returns the lines in which the question of a group is to be found.
fn place(
    tree: &Tree<'_>,
    lines: &[Line],
    groups: &[&Group],
    barriers: &[Range<usize>],
    number: usize,
) -> (Scope, Range<usize>) {
    let group = groups[number];
    let barrier = barriers
        .iter()
        .filter(|barrier| barrier.end <= group.range.start)
        .map(|barrier| lines.partition_point(|line| line.at.start < barrier.end))
        .max();
    let before = number
        .checked_sub(1)
        .map_or(0, |before| groups[before].lines.end)
        .max(barrier.unwrap_or(0))
        .min(group.lines.start);
    let after = groups
        .get(number + 1)
        .map_or(tree.nodes.len(), |next| next.range.start);
    let previous = number
        .checked_sub(1)
        .map(|before| groups[before].range.end - 1);
    let within = |at: usize| {
        let from = lines.partition_point(|line| line.at.end <= at).max(before);
        from.min(group.lines.start)..group.lines.start
    };
    let holds_other = |at: usize| {
        previous.is_some_and(|previous| tree.contains(at, previous)) || tree.contains(at, after)
    };
    let own: Vec<_> = tree
        .with_ancestors(group.root)
        .take_while(|&at| !holds_other(at))
        .collect();
    if let Some(named) = named(tree, lines, &own, group, before) {
        return (Scope::Named, named);
    }
    let is_question = |range: &Range<usize>| {
        !question::choose(&lines[range.clone()], Scope::Own, None)
            .text
            .is_empty()
    };
    // Where there are several groups, all that is in the element of one alone belongs to it.
    let is_unit = groups.len() > 1 && !matches!(group.source, Source::List);
    let mut levels = own
        .iter()
        .copied()
        .filter(|&at| !BROAD.contains(&tree.tag(at)));
    let unit = match is_unit {
        true => levels.next_back().map(within).filter(is_question),
        false => levels.map(within).find(is_question),
    };
    match unit {
        Some(unit) => (Scope::Own, unit),
        None => (Scope::Open(1), before..group.lines.start),
    }
}

/// Returns the lines of the element that a quiz system names as the question's, if one stands before the options.
fn named(
    tree: &Tree<'_>,
    lines: &[Line],
    own: &[usize],
    group: &Group,
    before: usize,
) -> Option<Range<usize>> {
    let outer = *own.last()?;
    let from = before
        .checked_sub(1)
        .map_or(outer, |last| lines[last].at.end)
        .max(outer);
    let is_named = |at: &usize| {
        let id = tree.attribute(*at, "id");
        !tree.is_text(*at)
            && !tree.is_hidden(*at)
            && tree.end(*at) <= group.range.start
            && (TEXT_CLASSES
                .iter()
                .any(|class| tree.has_class(*at, class) || id == *class)
                || tree.attribute(*at, "data-automation-id") == "questionTitle")
    };
    let found = (from..group.range.start).rev().filter(is_named).map(|at| {
        let first = lines.partition_point(|line| line.at.start < at);
        let last =
            lines.partition_point(|line| line.at.start < tree.end(at).min(group.range.start));
        let last = last.min(group.lines.start).max(first);
        if group.lines.start - last > MAX_BETWEEN {
            return first..first;
        }
        // Figures and code between the text and the options are part of the question.
        let rest = &lines[last..group.lines.start];
        match rest.iter().all(question::goes_with_text) {
            true => first..group.lines.start,
            false => first..last,
        }
    });
    let mut texts = found.filter(|range| {
        !question::choose(&lines[range.clone()], Scope::Named, None)
            .text
            .is_empty()
    });
    texts.next()
}
