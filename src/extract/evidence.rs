//! Whether options are those of a quiz. Radios prove nothing: salutations, search scopes, ratings and delivery options
//! have them too; and lettered lists prove less. Each sign for or against has a weight; together they must reach
//! [`enough`].

#[rustfmt::skip]
mod lists;

use super::{
    group::{Group, Source},
    marker::NUMBERS,
    question::Asked,
    scene::Scene,
    snapshot::Tree,
    words::{are_true_and_false, asks, ends_as_question, has_gap, has_question},
};
use lists::{ELSEWHERE, PERSONAL, POLLS, QUIZ, TO_VISITORS, YES_AND_NO, YOU};

/// What counts for a group besides its own question and options.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Company {
    /// How many groups of the page look the same and have a question.
    pub(super) alike: usize,
    /// Whether its number follows that of the group before, or that of the next follows it.
    pub(super) chained: bool,
    /// Whether the page tells which option is right.
    pub(super) keyed: bool,
}

/// Returns what a group of this kind must reach. Buttons, links, lists and letters are mostly there for something else.
pub(super) const fn enough(source: Source) -> i32 {
    match source {
        Source::Radio | Source::Checkbox => 4,
        Source::Lettered(_) => 5,
        Source::Clickable | Source::List => 6,
    }
}

/// Weighs a group with its question.
pub(super) fn weigh(
    tree: &Tree<'_>,
    scene: &Scene,
    group: &Group,
    asked: &Asked,
    options: &[String],
    company: Company,
) -> i32 {
    let mut score =
        question_score(asked) + options_score(options) + 3 * i32::from(are_true_and_false(options));
    score += match company.alike {
        0 | 1 => 0,
        2 => 1,
        _ => 2,
    };
    score += 2 * i32::from(company.chained) + 3 * i32::from(company.keyed);
    score += scene.score();
    let around = surroundings(tree, group.root);
    if asked.lettered && !matches!(group.source, Source::Lettered(_)) {
        score -= 6;
    }
    let proven = asked.badge || asked.named || company.keyed;
    score += match group.source {
        Source::Lettered(_) => around.min(0) + lettered_score(asked, group, options, company),
        Source::Clickable | Source::List => {
            let visits = visitor_score(asked, options);
            around + visits - 3 * i32::from(!asked.direct && !asked.named)
        }
        Source::Radio | Source::Checkbox => {
            let visits = visitor_score(asked, options) + scene.form_score(tree, group.root);
            around + if proven { visits / 2 } else { visits }
        }
    };
    score
}

/// Weighs how a question asks.
fn question_score(asked: &Asked) -> i32 {
    let text = asked.text.trim_end();
    let mut score = if has_question(text) || has_gap(text) {
        3
    } else {
        i32::from(text.ends_with([':', '…', '：']) || text.ends_with("..."))
    };
    score += i32::from(asks(text));
    score +=
        3 * i32::from(asked.badge) + 2 * i32::from(asked.instruction) + 3 * i32::from(asked.named);
    if !asked.badge {
        score += i32::from(asked.number.is_some());
    }
    // Many lines of which the last does not ask are something else.
    if asked.lines > 2 && !asked.direct && !asked.named && asked.number.is_none() {
        score -= 3;
    }
    let words = text.split_whitespace().count();
    if words >= 4 || (!text.is_ascii() && text.chars().count() >= 8) {
        score += 1;
    } else if !ends_as_question(text) && !has_gap(text) {
        score -= 2;
    }
    score
}

/// Weighs what options say.
fn options_score(options: &[String]) -> i32 {
    let share = |of: &dyn Fn(&String) -> bool| {
        options.iter().filter(|option| of(option)).count() * 2 >= options.len()
    };
    let mut score = 0;
    if share(&|option| is_personal(option)) {
        score -= 5;
    }
    if share(&|option| has_price(option)) {
        score -= 4;
    }
    // "Wood (21)": so many things are of this sort.
    if options.len() > 2 && share(&|option| has_count(option)) {
        score -= 5;
    }
    let is_scale = options
        .iter()
        .enumerate()
        .all(|(place, option)| option.trim() == (place + 1).to_string());
    score - 8 * i32::from(is_scale)
}

/// Weighs whether the reader himself is asked.
fn visitor_score(asked: &Asked, options: &[String]) -> i32 {
    let text = asked.text.to_lowercase();
    let mut score = 0;
    if TO_VISITORS.iter().any(|words| text.contains(words)) {
        score -= 4;
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let addressed =
        words.any(|word| YOU.contains(&word)) || text.contains('您') || text.contains("あなた");
    let bare = |option: &String| option.trim().trim_end_matches('.').to_lowercase();
    let yes_and_no = match options {
        [a, b] => YES_AND_NO.iter().any(|(yes, no)| {
            let (a, b) = (bare(a), bare(b));
            (a == *yes && b == *no) || (a == *no && b == *yes)
        }),
        _ => false,
    };
    if text
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| POLLS.contains(&word))
    {
        score -= 4;
    }
    if addressed {
        score -= 2 + 2 * i32::from(yes_and_no);
    }
    score
}

/// Weighs what makes lettered lines options, or clauses, steps, contents and notes.
fn lettered_score(asked: &Asked, group: &Group, options: &[String], company: Company) -> i32 {
    let mut score = i32::from(company.keyed) + 2 * i32::from(company.chained && asked.direct);
    let alone = company.alike < 2 && !company.keyed && !company.chained && !asked.badge;
    score -= 2 * i32::from(alone);
    let share = |of: &dyn Fn(&str) -> bool| {
        options.iter().filter(|option| of(option.trim())).count() * 2 >= options.len()
    };
    let text = asked.text.trim_end();
    let in_series = company.alike > 2 && (company.chained || has_question(text));
    if !(asked.direct || company.keyed || asked.badge || in_series) {
        score -= 3;
    }
    // A question that is answered already: "May I? Yes. There are:"
    let mut lines = text.lines();
    let answered = lines.next().is_some_and(ends_as_question)
        && lines
            .next_back()
            .is_some_and(|last| last.ends_with(':') && !asks(last));
    score -= 3 * i32::from(answered);
    if !has_question(text)
        && !has_gap(text)
        && text.ends_with([':', '：'])
        && !company.keyed
        && !company.chained
    {
        score -= 2;
    }
    if matches!(group.source, Source::Lettered(style) if style.row == NUMBERS) {
        score -= 2;
    }
    let chars: usize = options.iter().map(|option| option.chars().count()).sum();
    if chars > 250 * options.len() {
        score -= 3;
    }
    // Clauses go on from one to the next, and only the last ends. (Where all end alike, it may be code.)
    let goes_on = |option: &str| option.ends_with([';', ',', '；']);
    let leads_on = |option: &String| {
        [" and", " or", ", und", " oder", " et", " ou", " y", " o"]
            .iter()
            .any(|word| option.ends_with(word))
    };
    let last = options.last().is_some_and(|option| goes_on(option.trim()));
    if (share(&goes_on) && !last) || options.iter().any(leads_on) {
        score -= 5;
    }
    // Contents: the number of a page stands at the end.
    let with_number = |option: &str| {
        option.ends_with(|c: char| c.is_ascii_digit()) && option.starts_with(char::is_alphabetic)
    };
    if share(&with_number) && !company.keyed && !company.chained {
        score -= 3;
    }
    score
}

fn is_personal(option: &str) -> bool {
    let lower = option.to_lowercase();
    let words: Vec<_> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    words.len() <= 4 && words.iter().any(|word| PERSONAL.contains(word))
}

fn has_price(option: &str) -> bool {
    option.contains(['€', '$', '£', '¥', '₽']) && option.contains(|c: char| c.is_ascii_digit())
}

fn has_count(option: &str) -> bool {
    let Some(rest) = option.trim_end().strip_suffix(')') else {
        return false;
    };
    rest.rsplit_once(" (")
        .is_some_and(|(_, count)| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit()))
}

/// Weighs the names of the elements around.
fn surroundings(tree: &Tree<'_>, root: usize) -> i32 {
    let levels: Vec<_> = tree.with_ancestors(root).take(7).collect();
    let named = |words: &[&str]| {
        levels
            .iter()
            .filter(|&&at| !matches!(tree.tag(at), "body" | "html"))
            .any(|&at| {
                let names = tree.names(at);
                words.iter().any(|word| names.contains(word))
            })
    };
    let mut score = 2 * i32::from(named(&QUIZ)) - 4 * i32::from(named(&ELSEWHERE));
    if levels
        .iter()
        .any(|&at| matches!(tree.tag(at), "nav" | "footer" | "aside"))
    {
        score -= 4;
    }
    let role = |at: &usize| matches!(tree.attribute(*at, "role"), "search" | "navigation");
    score - 3 * i32::from(levels.iter().any(role))
}

/// Returns whether an element, or one around it, is part of a quiz by its name.
pub(super) fn is_in_quiz(tree: &Tree<'_>, at: usize) -> bool {
    tree.with_ancestors(at).take(6).any(|at| {
        let names = tree.names(at);
        !matches!(tree.tag(at), "body" | "html")
            && [
                "quiz", "question", "answer", "trivia", "choice", "option", "game",
            ]
            .iter()
            .any(|word| names.contains(word))
    })
}

/// Returns whether an element stands where pages put other things.
pub(super) fn is_elsewhere(tree: &Tree<'_>, at: usize) -> bool {
    tree.with_ancestors(at).any(|at| {
        if tree.is_text(at) || matches!(tree.tag(at), "body" | "html") {
            return false;
        }
        let names = tree.names(at);
        matches!(tree.tag(at), "nav" | "footer" | "aside" | "header")
            || [
                "cookie",
                "consent",
                "breadcrumb",
                "pagination",
                "navbar",
                "sidebar",
            ]
            .iter()
            .any(|word| names.contains(word))
    })
}
