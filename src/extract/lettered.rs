//! Options without controls: lines with a full row of markers.

use super::{
    group::{Choice, Group, Source},
    key,
    lines::{Line, LineKind},
    marker::{Marker, NUMBERS, marker},
    number::number,
    snapshot::Tree,
    words,
};
use std::ops::Range;

/// Most options of a question that is only text.
const MAX_OPTIONS: usize = 12;
/// Most lines behind a marker that belong to its option.
const MAX_CONTINUED: usize = 3;

/// One option: its lines, and its marker.
#[derive(Debug, Clone)]
struct Entry {
    lines: Range<usize>,
    marker: Marker,
}

/// Returns the rows of lettered lines. `taken`: whether a line belongs to something else.
pub(super) fn groups(tree: &Tree<'_>, lines: &[Line], taken: &dyn Fn(&Line) -> bool) -> Vec<Group> {
    let markers: Vec<Option<Marker>> = lines
        .iter()
        .map(|line| (!taken(line)).then(|| marker_of(line)).flatten())
        .collect();
    let mut runs: Vec<Vec<Entry>> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        match run(lines, &markers, at) {
            Some(run) => {
                at = run.last().map_or(at, |entry| entry.lines.end);
                runs.push(run);
            }
            None => at += 1,
        }
    }
    let options = (0..runs.len()).filter(|&number| is_options(lines, &runs, number));
    options
        .map(|number| made(tree, lines, &runs[number]))
        .collect()
}

/// Returns the marker of a line: in its text, or drawn by its list.
fn marker_of(line: &Line) -> Option<Marker> {
    if line.kind == LineKind::Code {
        return None;
    }
    if let Some(drawn) = line.bullet.as_deref().and_then(marker) {
        return Some(Marker { len: 0, ..drawn });
    }
    // Marks of the right option, and boxes to be ticked on paper, stand before the marker.
    let boxes = ['*', '✓', '✔', '•', '·', '-', ' ', '☐', '□', '○', '◯', '〇'];
    let text = line.text.trim_start_matches(boxes);
    let found = marker(text)?;
    Some(Marker {
        len: line.text.len() - text.len() + found.len,
        ..found
    })
}

/// Returns the row of markers that begins with a line.
fn run(lines: &[Line], markers: &[Option<Marker>], start: usize) -> Option<Vec<Entry>> {
    let first = markers[start].as_ref().filter(|marker| marker.place == 0)?;
    let mut entries = vec![Entry {
        lines: start..start + 1,
        marker: first.clone(),
    }];
    let mut at = start + 1;
    while at < lines.len() && entries.len() < MAX_OPTIONS {
        let goes_on = markers[at]
            .as_ref()
            .filter(|marker| marker.style == first.style);
        match goes_on {
            Some(marker)
                if entries
                    .iter()
                    .any(|entry| entry.marker.place == marker.place) =>
            {
                break;
            }
            Some(marker) if marker.place <= entries.len() + 2 => {
                // What stands between two markers belongs to the first.
                if let Some(last) = entries.last_mut() {
                    last.lines.end = at;
                }
                entries.push(Entry {
                    lines: at..at + 1,
                    marker: marker.clone(),
                });
                at += 1;
            }
            Some(_) => break,
            None => {
                let open = at + 1 - entries.last().map_or(at, |entry| entry.lines.start);
                // A marker alone has its text on the next line.
                let waits = entries.last().is_some_and(|last| {
                    at == last.lines.start + 1 && is_alone(&lines[last.lines.start], &last.marker)
                });
                if open > MAX_CONTINUED || (!waits && ends_options(&lines[at])) {
                    break;
                }
                at += 1;
            }
        }
    }
    let mut places: Vec<_> = entries.iter().map(|entry| entry.marker.place).collect();
    places.sort_unstable();
    let full = places
        .iter()
        .enumerate()
        .all(|(place, found)| place == *found);
    // Two columns may be read one after the other; anything else comes in order.
    let in_order = entries
        .windows(2)
        .all(|pair| pair[0].marker.place < pair[1].marker.place);
    let in_columns = entries.len() >= 4 && entries.len() % 2 == 0;
    let least = if first.style.row == NUMBERS { 3 } else { 2 };
    if !full || !(in_order || in_columns) || entries.len() < least {
        // What comes after a break in the row may be something else.
        let whole = places
            .iter()
            .enumerate()
            .take_while(|(place, found)| place == *found)
            .count();
        let ordered = entries
            .iter()
            .enumerate()
            .take_while(|(place, entry)| *place == entry.marker.place)
            .count();
        entries.truncate(whole.min(ordered));
        if entries.len() < least {
            return None;
        }
    }
    if let Some(last) = entries.last_mut() {
        let alone = is_alone(&lines[last.lines.start], &last.marker);
        if last.lines.len() == 1 && alone && last.lines.end < lines.len() {
            last.lines.end += 1;
        }
    }
    Some(entries)
}

/// Returns whether a line holds a marker and nothing else.
fn is_alone(line: &Line, marker: &Marker) -> bool {
    line.bullet.is_none() && line.text.trim_end().len() <= marker.len
}

/// Returns whether a line cannot belong to the option before it.
fn ends_options(line: &Line) -> bool {
    line.kind == LineKind::Heading
        || key::announced(&line.text).is_some()
        || words::is_badge(&line.text)
        || words::is_explanation(&line.text)
        || words::ends_as_question(&line.text)
        || number(&line.text).is_some()
}

/// Returns whether a row is not statements of a question whose options follow: the last row before the next question is
/// the options.
fn is_options(lines: &[Line], runs: &[Vec<Entry>], number_of_run: usize) -> bool {
    let style = |run: &[Entry]| run.first().map(|entry| entry.marker.style);
    let Some(next) = runs.get(number_of_run + 1) else {
        return true;
    };
    let run = &runs[number_of_run];
    let (Some(last), Some(first)) = (run.last(), next.first()) else {
        return true;
    };
    let between = &lines[last.lines.end..first.lines.start];
    let is_new = |line: &Line| {
        number(&line.text).is_some()
            || key::announced(&line.text).is_some()
            || words::is_badge(&line.text)
            || line.kind == LineKind::Heading
    };
    let another = style(run) != style(next);
    !another || between.is_empty() || between.len() > 2 || between.iter().any(is_new)
}

fn made(tree: &Tree<'_>, lines: &[Line], entries: &[Entry]) -> Group {
    let mut entries = entries.to_vec();
    let range = (
        entries
            .iter()
            .map(|entry| entry.lines.start)
            .min()
            .unwrap_or(0),
        entries
            .iter()
            .map(|entry| entry.lines.end)
            .max()
            .unwrap_or(0),
    );
    let style = entries
        .first()
        .map(|entry| entry.marker.style)
        .unwrap_or_default();
    // Where letters run down two columns, the order of the letters is that of the options.
    entries.sort_by_key(|entry| entry.marker.place);
    let choices = entries.iter().map(|entry| {
        let own = &lines[entry.lines.clone()];
        let first = own[0].text.get(entry.marker.len..).unwrap_or_default();
        let rest = own[1..].iter().map(|line| line.text.as_str());
        let texts: Vec<_> = std::iter::once(first)
            .chain(rest)
            .map(str::trim_end)
            .filter(|text| !text.is_empty())
            .collect();
        Choice {
            at: own[0].at.start,
            item: own[0].at.start,
            start: own[0].at.start,
            end: own[0].at.end,
            text: texts.join("\n"),
        }
    });
    let mut group = Group::new(tree, lines, Source::Lettered(style), choices.collect());
    group.lines = range.0..range.1;
    group.range = lines[range.0].at.start..lines[range.1 - 1].at.end;
    group.root = tree
        .common(group.range.start, group.range.end - 1)
        .unwrap_or(0);
    group
}

#[cfg(test)]
mod tests {
    use super::{
        super::{lines, snapshot::Snapshot},
        *,
    };

    fn found(html: &str) -> Vec<Vec<String>> {
        let page = Snapshot::of_html(html, None);
        let tree = Tree::new(&page);
        let lines = lines::lines(&tree);
        groups(&tree, &lines, &|_| false)
            .iter()
            .map(|group| group.choices.iter().map(|c| c.text.clone()).collect())
            .collect()
    }

    #[test]
    fn full_rows_are_options() {
        assert_eq!(
            found(
                "<p>1. What is red?</p><p>A. grass</p><p>B. blood</p><p>Answer: B</p><p>2. What is 1?</p><p>A. one<br>B. two</p>"
            ),
            [["grass", "blood"], ["one", "two"]]
        );
        assert_eq!(
            found("<p>Which?</p><ol type=A><li>x<li>y<li>z</ol>"),
            [["x", "y", "z"]]
        );
        assert_eq!(found("<p>Who?<p>A) he B) she C) it"), [["he", "she", "it"]]);
        assert_eq!(found("<p>Which?<p>a.<p>x<p>b.<p>y"), [["x", "y"]]);
        assert_eq!(
            found("<p>Which?<table><tr><td>a) 1<td>c) 3<tr><td>b) 2<td>d) 4</table>"),
            [["1", "2", "3", "4"]]
        );
    }

    #[test]
    fn an_option_may_have_several_lines() {
        assert_eq!(
            found("<p>Which?<p>A. x<pre>code</pre><p>B. y"),
            [["x\ncode", "y"]]
        );
    }

    #[test]
    fn statements_belong_to_the_question() {
        assert_eq!(
            found(
                "<p>Consider:<br>a) ice floats<br>b) iron floats</p><p>Which of them is right?</p><p>A) only a</p><p>B) both</p>"
            ),
            [["only a", "both"]]
        );
    }

    #[test]
    fn what_is_no_row_is_none() {
        assert!(found("<p>A. one<p>C. three").is_empty());
        assert!(found("<p>1. Mix.<p>2. Wait.").is_empty());
        assert!(found("<p>A cat<p>B. Miller").is_empty());
    }
}
