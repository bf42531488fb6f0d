//! Which of the lines before some options are their question.

use super::{
    key,
    lines::{Line, LineKind},
    marker,
    number::number,
    text, words,
};

/// More lines than this before options hold more than their question.
const MAX_LINES: usize = 8;
/// So far up a question is looked for whose last lines do not ask.
const LOOK_BACK: usize = 4;

/// A question's text and what was said around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The text, clean.
    pub(super) text: String,
    /// Whether a badge (number with a word, points, state) stood with it.
    pub(super) badge: bool,
    /// Whether an instruction stood with it.
    pub(super) instruction: bool,
    /// Whether a quiz system's own element held it.
    pub(super) named: bool,
    /// Its number.
    pub(super) number: Option<u32>,
    /// Whether the line before the options asks.
    pub(super) direct: bool,
    /// How many lines it has.
    pub(super) lines: usize,
    /// Whether it holds a row of lettered lines, which are the options of something else.
    pub(super) lettered: bool,
}

/// Where lines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// An element that a quiz system gives to a question's text.
    Named,
    /// The element of this question alone.
    Own,
    /// Everything since the options before, or since the start of the page; so many lines belong to a question there.
    Open(usize),
}

/// A line, looked at.
#[derive(Debug, Clone)]
struct Row {
    text: String,
    kind: LineKind,
    number: Option<u32>,
    strong: bool,
}

/// What lines hold besides questions.
#[derive(Debug, Default)]
struct Seen {
    rows: Vec<Row>,
    /// Places before which a badge stood.
    badges: Vec<usize>,
    badge_number: Option<u32>,
    badge: bool,
    instruction: bool,
}

/// Returns the question among lines. `expected`: the number that comes next.
pub(super) fn choose(lines: &[Line], scope: Scope, expected: Option<u32>) -> Asked {
    let mut seen = look(lines);
    if scope != Scope::Named {
        let start = below_heading(&seen.rows, start(&seen, scope, expected));
        seen.rows.drain(..start);
        // On open ground, only what stands with the question is its badge.
        if matches!(scope, Scope::Open(_)) && !seen.badges.iter().any(|&place| place >= start) {
            (seen.badge, seen.badge_number) = (false, None);
        }
    }
    let number = seen
        .rows
        .first()
        .and_then(|row| row.number)
        .or(seen.badge_number);
    if let Some(first) = seen.rows.first_mut()
        && let Some(found) = number_of(&first.text)
        && found.1 < first.text.len()
    {
        seen.badge |= found.2;
        first.text.drain(..found.1);
    }
    let direct = seen.rows.last().is_some_and(asks);
    let count = seen.rows.len();
    let is_letter = |row: &&Row| {
        marker::marker(&row.text).is_some_and(|marker| marker.style.row != marker::NUMBERS)
    };
    let lettered = !direct && seen.rows.iter().filter(is_letter).count() >= 3;
    let texts: Vec<_> = (seen.rows.iter().enumerate())
        .map(|(place, row)| match row.kind {
            LineKind::Code => row.text.clone(),
            _ if place + 1 == count || place == 0 => words::strip_tail(&row.text).to_owned(),
            _ => row.text.clone(),
        })
        .collect();
    seen.instruction |= seen.rows.iter().any(|row| words::tells_how(&row.text));
    seen.badge |= seen.rows.iter().any(|row| words::tells_points(&row.text));
    Asked {
        text: text::without_tex(texts.join("\n").trim()),
        badge: seen.badge,
        instruction: seen.instruction,
        named: scope == Scope::Named,
        number,
        direct,
        lines: count,
        lettered,
    }
}

/// Returns how many lines of question lie between two groups of options, for [`Scope::Open`].
pub(super) fn count(lines: &[Line]) -> usize {
    look(lines).rows.len()
}

/// Returns whether a line behind a question's text belongs to it, or is nothing.
pub(super) fn goes_with_text(line: &Line) -> bool {
    line.kind == LineKind::Code
        || line.text.starts_with("[image: ")
        || words::is_instruction(&line.text)
        || words::is_badge(&line.text)
}

/// Returns the numbers that begin lines.
pub(super) fn numbers(lines: &[Line]) -> Vec<u32> {
    let seen = look(lines);
    seen.rows
        .iter()
        .filter_map(|row| row.number)
        .chain(seen.badge_number)
        .collect()
}

/// Tells questions from badges and instructions, and leaves out what belongs to the question before.
fn look(lines: &[Line]) -> Seen {
    let lines = &lines[tail(lines)..];
    let mut seen = Seen::default();
    for line in lines {
        let text = line.text.trim_start_matches('\n').trim_end();
        if line.kind != LineKind::Code && words::is_badge(text) {
            seen.badge = true;
            seen.badge_number = number(text)
                .map(|number| number.value)
                .or(seen.badge_number);
            seen.badges.push(seen.rows.len());
            continue;
        }
        if line.kind != LineKind::Code && words::is_instruction(text) {
            seen.instruction = true;
            continue;
        }
        let found = number(text).filter(|_| line.kind != LineKind::Code);
        seen.rows.push(Row {
            text: text.to_owned(),
            kind: line.kind,
            number: found.map(|number| number.value),
            strong: found.is_some_and(|number| number.strong),
        });
    }
    // A number on a line of its own belongs to the next.
    let mut place = 0;
    while place < seen.rows.len() {
        let alone = number(&seen.rows[place].text)
            .is_some_and(|found| found.len >= seen.rows[place].text.len());
        if alone {
            let row = seen.rows.remove(place);
            seen.badge |= row.strong;
            seen.badge_number = row.number;
            seen.badges.push(place);
        } else {
            place += 1;
        }
    }
    seen.badges.sort_unstable();
    seen
}

/// Returns how many lines at the start tell the key of the question before, or explain it.
fn tail(lines: &[Line]) -> usize {
    let told = lines.iter().rposition(|line| {
        key::announced(&line.text).is_some() || words::is_explanation(&line.text)
    });
    told.map_or(0, |place| place + 1).min(lines.len())
}

/// Returns the row that the question begins with.
fn start(seen: &Seen, scope: Scope, expected: Option<u32>) -> usize {
    let rows = &seen.rows;
    let last = rows.len().saturating_sub(1);
    if let Some(place) = rows
        .iter()
        .rposition(|row| row.number.is_some() && row.number == expected)
    {
        return place;
    }
    if let Some(place) = rows.iter().rposition(|row| row.strong) {
        return place;
    }
    // What stands after the badges; a badge may also end the question.
    if let Some(&place) = seen.badges.iter().rev().find(|&&place| place <= last)
        && rows.len() - place <= MAX_LINES
    {
        return place + captions(&rows[place..]);
    }
    if let Some(place) = rows.iter().rposition(|row| row.number.is_some()) {
        // Statements that are counted belong to the question, and so does the line that announces them.
        let mut first = place;
        while first > 0 && follows(rows, first) {
            first -= 1;
        }
        let announced = first > 0 && first < place && place < last;
        if announced
            && rows[first - 1].text.ends_with([':', '：', '.', '。'])
            && rows[first - 1].kind == LineKind::Text
        {
            return first - 1;
        }
        return first;
    }
    match scope {
        Scope::Open(typical) => open(rows, typical),
        _ if rows.len() > MAX_LINES => open(rows, 1),
        // A heading over a question is none of it, unless it is the question; and so is a caption.
        _ => {
            let content = rows
                .iter()
                .position(|row| row.kind != LineKind::Heading || asks(row));
            let first = content.unwrap_or(last);
            first + rows.get(first..).map_or(0, captions)
        }
    }
}

/// Returns where a question goes on below the last heading in it: another part of the page begins there.
fn below_heading(rows: &[Row], start: usize) -> usize {
    let is_head = |row: &Row| row.kind == LineKind::Heading && !asks(row);
    // Some pages make headings of all that is not an option.
    let is_text = |head: &usize| {
        rows[start..*head]
            .iter()
            .all(|row| row.kind != LineKind::Heading)
    };
    match rows
        .iter()
        .rposition(is_head)
        .filter(|&head| head > start)
        .filter(is_text)
    {
        Some(head) => (head + 1).min(rows.len() - 1),
        None => start,
    }
}

/// Returns whether the numbers of two rows follow each other.
fn follows(rows: &[Row], place: usize) -> bool {
    let number = rows[place].number;
    (1..=2).any(|back| {
        let before = place
            .checked_sub(back)
            .and_then(|before| rows[before].number);
        before.is_some() && before.map(|before| before + 1) == number
    })
}

/// Returns where a question begins among lines of which the first may be anything.
fn open(rows: &[Row], typical: usize) -> usize {
    let last = rows.len().saturating_sub(1);
    if typical > 1 && typical <= MAX_LINES {
        return rows.len().saturating_sub(typical);
    }
    let from = last.saturating_sub(LOOK_BACK);
    let is_code = |place: usize| {
        rows.get(place)
            .is_some_and(|row| row.kind == LineKind::Code)
    };
    let asking = (from..=last)
        .rev()
        .find(|&place| rows.get(place).is_some_and(asks));
    // Only code, tables and figures may stand between what asks and the options.
    let mut start = match asking {
        Some(place) if (place + 1..=last).all(is_code) || place == last => place,
        Some(place) if is_code(last) => place,
        _ => last,
    };
    while start > 0 && is_code(start - 1) {
        start -= 1;
    }
    if is_code(start) && start > 0 && asks(&rows[start - 1]) {
        start -= 1;
    }
    start
}

/// Returns how many rows at the start only name the question behind them.
fn captions(rows: &[Row]) -> usize {
    let captions = rows.iter().take_while(|row| is_caption(row)).count();
    match rows.get(captions) {
        Some(row) if asks(row) => captions,
        _ => 0,
    }
}

/// Returns whether a row only names what follows.
fn is_caption(row: &Row) -> bool {
    if row.kind == LineKind::Link && !asks(row) {
        return true;
    }
    row.kind != LineKind::Code
        && (row.text.split_whitespace().count() <= 3 || row.kind == LineKind::Heading)
        && !asks(row)
        && !row.text.ends_with(['.', '!', ',', ';', '。'])
        && !row.text.contains("[image: ")
}

/// Returns whether a row asks for one of the options below it.
fn asks(row: &Row) -> bool {
    let text = words::without_how(words::strip_tail(&row.text));
    words::ends_as_question(text)
        || words::has_gap(text)
        || text.ends_with([':', '：', '…'])
        || text.ends_with("...")
}

/// Returns the number that a text begins with, its length, and whether a word stands with it.
fn number_of(text: &str) -> Option<(u32, usize, bool)> {
    let found = number(text)?;
    Some((found.value, found.len, found.strong))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        let kind = |line: &str| match line.as_bytes() {
            [b'#', ..] => LineKind::Heading,
            [b'`', ..] => LineKind::Code,
            _ => LineKind::Text,
        };
        let lines = text.split('|').map(|line| Line {
            at: 0..1,
            kind: kind(line),
            bullet: None,
            text: line.trim_start_matches(['#', '`']).to_owned(),
        });
        lines.collect()
    }

    fn chosen(text: &str, scope: Scope, expected: Option<u32>) -> String {
        choose(&lines(text), scope, expected).text
    }

    #[test]
    fn a_number_begins_a_question() {
        let open = Scope::Open(1);
        assert_eq!(
            chosen(
                "#Welcome|Read this first.|1. What is it?|`code()",
                open,
                None
            ),
            "What is it?\ncode()"
        );
        assert_eq!(
            chosen("Answer: B|Because.|7. Which?", open, Some(7)),
            "Which?"
        );
        assert_eq!(
            chosen(
                "3. Consider:|1. Ice floats.|2. Iron floats.|Which is right?",
                open,
                Some(3)
            ),
            "Consider:\n1. Ice floats.\n2. Iron floats.\nWhich is right?"
        );
        assert_eq!(
            choose(
                &lines("Question 4|Not yet answered|Which?"),
                Scope::Own,
                None
            )
            .number,
            Some(4)
        );
        assert_eq!(
            chosen("Topic 1|Which two? (Choose two.)", Scope::Own, None),
            "Which two? (Choose two.)"
        );
    }

    #[test]
    fn its_own_element_is_taken_whole() {
        assert_eq!(
            chosen("#Part 2|A stone falls.|How far?", Scope::Own, None),
            "A stone falls.\nHow far?"
        );
        assert_eq!(
            chosen("#How far?|10 s later", Scope::Own, None),
            "How far?\n10 s later"
        );
        assert_eq!(chosen("Which?|Select one:", Scope::Own, None), "Which?");
        assert!(chosen("Question 1|Select one:", Scope::Own, None).is_empty());
    }

    #[test]
    fn of_open_ground_the_last_is_taken() {
        let open = Scope::Open(1);
        assert_eq!(
            chosen("#Quiz|Welcome.|What is red?", open, None),
            "What is red?"
        );
        assert_eq!(
            chosen("Welcome.|What prints this?|`a|b", open, None),
            "What prints this?\na\nb"
        );
        assert_eq!(
            chosen("Welcome.|What prints this?|`a", open, None),
            "What prints this?\na"
        );
        assert_eq!(
            chosen("Welcome.|`a|The code prints:", open, None),
            "a\nThe code prints:"
        );
        assert_eq!(
            chosen("x|A stone falls.|How far?", Scope::Open(2), None),
            "A stone falls.\nHow far?"
        );
    }
}
