//! The text of a question: found by looking outwards from its options.

use super::{
    snapshot::Tree,
    text::{self, PLAIN, Reading},
    words,
};

/// Classes that quiz systems give to a question's text.
const TEXT_CLASSES: [&str; 30] = [
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
    "forminator-question",
    "question-text",
    "questionText",
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
];
/// A level of the page with more lines than this before the options holds more than their question.
const MAX_LINES: usize = 8;

/// A question's text and what was said around it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The text, clean.
    pub(super) text: String,
    /// Whether a badge (number, points, state) stood with it.
    pub(super) badge: bool,
    /// Whether an instruction stood with it.
    pub(super) instruction: bool,
    /// Whether a quiz system's own element held it.
    pub(super) named: bool,
}

/// Returns what options ask. `first`, `root`: where they begin and what holds them all; `before`, `behind`: the end of
/// the options before them and the start of those behind.
pub(super) fn question(
    tree: &Tree<'_>,
    first: usize,
    root: usize,
    before: usize,
    behind: usize,
    is_option: &dyn Fn(usize) -> bool,
) -> Asked {
    let skip = |at: usize| is_option(at) || is_aside(tree, at);
    let reading = Reading {
        skip: &skip,
        ..PLAIN
    };
    let mut around = Asked::default();
    let levels: Vec<_> = std::iter::once(root).chain(tree.ancestors(root)).collect();
    for &level in &levels {
        if let Some(text) = named(tree, level, first.max(level), before, reading) {
            let asked = clean(&text, usize::MAX, around);
            if !asked.text.is_empty() {
                return Asked {
                    named: true,
                    ..asked
                };
            }
            around = asked;
        }
        if let Some(text) = labelled(tree, level, root, reading) {
            let asked = clean(
                &text,
                usize::MAX,
                Asked {
                    text: String::new(),
                    ..around
                },
            );
            if !asked.text.is_empty() {
                return asked;
            }
            around = asked;
        }
        let from = (level + 1).max(before);
        if from < first {
            let text = text::between(tree, from, first, reading);
            let shared = level < before || tree.end(level) > behind;
            let broad = matches!(
                tree.tag(level),
                "body" | "main" | "article" | "form" | "section"
            ) || text.lines().count() > MAX_LINES;
            let limit = if shared || broad { 1 } else { usize::MAX };
            let asked = clean(&text, limit, around);
            if !asked.text.is_empty() {
                return asked;
            }
            around = asked;
        }
        if level < before {
            break;
        }
    }
    around
}

/// Returns the text of the element that a quiz system names as the question's, if one stands before the options.
fn named(
    tree: &Tree<'_>,
    level: usize,
    first: usize,
    before: usize,
    reading: Reading<'_>,
) -> Option<String> {
    let is_named = |&at: &usize| {
        !tree.is_text(at)
            && (TEXT_CLASSES.iter().any(|class| tree.has_class(at, class))
                || tree.attribute(at, "data-automation-id") == "questionTitle"
                || (tree.attribute(at, "role") == "heading"
                    && tree.attribute(at, "aria-level") == "3"))
            && !tree.is_hidden(at)
    };
    let found = (level.max(before)..first).find(is_named)?;
    let text = text::between(tree, found, tree.end(found).min(first), reading);
    (!text.is_empty()).then_some(text)
}

/// Returns the legend or the accessible name of a level that holds these options alone.
fn labelled(tree: &Tree<'_>, level: usize, root: usize, reading: Reading<'_>) -> Option<String> {
    if tree.tag(level) == "fieldset" {
        let legend = tree
            .children(level)
            .iter()
            .copied()
            .find(|&child| tree.tag(child) == "legend")?;
        let text = text::of(tree, legend, reading);
        return (!text.is_empty()).then_some(text);
    }
    let is_group = matches!(
        tree.attribute(level, "role"),
        "radiogroup" | "group" | "listbox"
    ) || level == root;
    if !is_group {
        return None;
    }
    let ids = tree.attribute(level, "aria-labelledby").split_whitespace();
    let texts: Vec<_> = ids
        .filter_map(|id| tree.by_id(id))
        .map(|at| text::of(tree, at, reading))
        .filter(|text| !text.is_empty())
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Cleans the lines before options, and keeps so many questions' worth of them from the end.
pub(super) fn clean(text: &str, limit: usize, around: Asked) -> Asked {
    let mut asked = Asked {
        text: String::new(),
        ..around
    };
    let text = text::without_tex(text);
    let mut lines: Vec<String> = Vec::new();
    // The line where the last question begins.
    let mut start = None;
    for line in text.lines() {
        if words::is_badge(line) {
            asked.badge = true;
            start = Some(lines.len());
            continue;
        }
        if words::is_instruction(line) {
            asked.instruction = true;
            continue;
        }
        let stripped = match lines.is_empty() || limit == 1 {
            true => words::strip_badges(line),
            false => line.to_owned(),
        };
        let numbered = stripped.len() < line.trim().len();
        asked.badge |= numbered;
        if numbered {
            start = Some(lines.len());
        }
        lines.push(if stripped.is_empty() {
            line.to_owned()
        } else {
            stripped
        });
    }
    if limit == 1 && !lines.is_empty() {
        let last_question = lines.iter().rposition(|line| words::ends_as_question(line));
        let from = match (start.filter(|&start| start < lines.len()), last_question) {
            (Some(start), _) => start,
            (None, Some(question)) => question,
            (None, None) => lines.len() - 1,
        };
        lines.drain(..from);
    }
    asked.text = lines.join("\n").trim().to_owned();
    asked
}

/// Returns whether a part stands beside the questions: menus, footers, feedback, a player's buttons.
pub(super) fn is_aside(tree: &Tree<'_>, at: usize) -> bool {
    if tree.is_text(at) {
        return false;
    }
    if matches!(tree.tag(at), "nav" | "footer" | "aside")
        || matches!(
            tree.attribute(at, "role"),
            "navigation"
                | "banner"
                | "contentinfo"
                | "search"
                | "alert"
                | "status"
                | "progressbar"
                | "timer"
        )
    {
        return true;
    }
    let names = tree.names(at);
    [
        "breadcrumb",
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "accesshide",
        "screenreader",
        "feedback",
        "cookie",
        "sharedaddy",
        "toolbar",
        "progress",
        "timer",
        "questionflag",
        "editquestion",
    ]
    .iter()
    .any(|word| names.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_question_is_kept_where_many_lines_stand() {
        let text = "Welcome\nRead this first.\nQuestion 1\nWhat is it?\ncode()";
        assert_eq!(clean(text, 1, Asked::default()).text, "What is it?\ncode()");
        let text = "Welcome\nWhat is it?";
        assert_eq!(clean(text, 1, Asked::default()).text, "What is it?");
        assert_eq!(clean("a\nb", usize::MAX, Asked::default()).text, "a\nb");
        assert!(
            clean("Question 1\nSelect one:", 1, Asked::default())
                .text
                .is_empty()
        );
    }
}
