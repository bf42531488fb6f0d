//! Options without controls: lines with a full row of markers below a question.

use super::{
    evidence::is_elsewhere,
    key,
    marker::{Marker, NUMBERS, marker},
    question::{Asked, clean},
    snapshot::{BLOCK, Tree},
    text::{self, PLAIN, Reading},
    words,
};

/// A line of the page.
#[derive(Debug, Clone)]
struct Line {
    at: usize,
    text: String,
    marker: Option<Marker>,
}

/// A question with the lines below it.
#[derive(Debug)]
pub(super) struct Lettered {
    /// Where its options begin.
    pub(super) at: usize,
    pub(super) asked: Asked,
    pub(super) options: Vec<String>,
    pub(super) key: Vec<u32>,
}

/// What a row of lettered lines must reach.
const ENOUGH: i32 = 4;
/// Options longer than this on average are paragraphs.
const MAX_MEAN_CHARS: usize = 200;

/// Returns the questions whose options are lettered lines. `taken`: parts that belong to other questions.
pub(super) fn questions(tree: &Tree<'_>, taken: &dyn Fn(usize) -> bool) -> Vec<Lettered> {
    let lines = lines(tree, taken);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        match run(&lines, at) {
            Some(end) => {
                runs.push((at, end));
                at = end;
            }
            None => at += 1,
        }
    }
    // Lettered statements belong to the question: the last row before the next question is the options.
    let is_options = |number: usize| {
        let Some(&(next, _)) = runs.get(number + 1) else {
            return true;
        };
        let (start, end) = runs[number];
        let between = &lines[end..next];
        let another = lines[start].marker.as_ref().map(|m| m.style)
            != lines[next].marker.as_ref().map(|m| m.style);
        let is_new = |line: &Line| {
            line.marker.is_some()
                || key::announced(&line.text).is_some()
                || words::is_badge(&line.text)
        };
        !another || between.is_empty() || between.len() > 2 || between.iter().any(is_new)
    };
    let mut found: Vec<(Lettered, i32)> = Vec::new();
    let mut from = 0;
    for (number, &(start, end)) in runs.iter().enumerate() {
        if !is_options(number) {
            continue;
        }
        let options: Vec<String> = lines[start..end]
            .iter()
            .filter_map(|line| {
                let marker = line.marker.as_ref()?;
                Some(text::without_tex(&line.text[marker.len..]))
            })
            .collect();
        let before: Vec<_> = lines[from..start]
            .iter()
            .map(|line| line.text.as_str())
            .collect();
        let asked = clean(&before.join("\n"), 1, Asked::default());
        let next = runs.get(number + 1).map_or(lines.len(), |run| run.0);
        let told = lines[end..next]
            .iter()
            .take(4)
            .map(|line| key::in_line(&line.text, &options))
            .find(|key| !key.is_empty());
        from = end
            + lines[end..next]
                .iter()
                .take(4)
                .position(|line| key::announced(&line.text).is_some())
                .map_or(0, |place| place + 1);
        if asked.text.is_empty() || options.iter().any(|option| option.trim().is_empty()) {
            continue;
        }
        let score = score(&lines[start], &asked, &options, told.is_some());
        found.push((
            Lettered {
                at: lines[start].at,
                asked,
                options,
                key: told.unwrap_or_default(),
            },
            score,
        ));
    }
    let alike = match found
        .iter()
        .filter(|(_, score)| *score >= ENOUGH - 1)
        .count()
    {
        0 | 1 => 0,
        _ => 1,
    };
    found
        .into_iter()
        .filter(|(_, score)| score + alike >= ENOUGH)
        .map(|(question, _)| question)
        .collect()
}

fn score(first: &Line, asked: &Asked, options: &[String], keyed: bool) -> i32 {
    let texts: Vec<_> = options.iter().map(String::as_str).collect();
    let mut score = super::evidence::text_score(asked, &texts);
    if !words::has_question(&asked.text) && !asked.text.contains("__") && !keyed {
        score -= 2;
    }
    if first
        .marker
        .as_ref()
        .is_some_and(|marker| marker.style.row == NUMBERS)
    {
        score -= 2;
    }
    let chars: usize = options.iter().map(|option| option.chars().count()).sum();
    if chars > MAX_MEAN_CHARS * options.len() {
        score -= 3;
    }
    // A clause that ends so goes on in its list.
    if options
        .iter()
        .filter(|option| option.ends_with([';', ',']))
        .count()
        * 2
        >= options.len()
    {
        score -= 4;
    }
    score + 1 + 4 * i32::from(keyed)
}

/// Returns the end of a row of markers that begins at `start`.
fn run(lines: &[Line], start: usize) -> Option<usize> {
    let first = lines[start]
        .marker
        .as_ref()
        .filter(|marker| marker.place == 0)?;
    let mut end = start + 1;
    while let Some(next) = lines.get(end) {
        let goes_on = next
            .marker
            .as_ref()
            .is_some_and(|marker| marker.style == first.style && marker.place == end - start);
        if !goes_on || end - start >= 10 {
            break;
        }
        end += 1;
    }
    let least = if first.style.row == NUMBERS { 3 } else { 2 };
    (end - start >= least).then_some(end)
}

/// Returns the visible lines of the page, several options on one line apart.
fn lines(tree: &Tree<'_>, taken: &dyn Fn(usize) -> bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let skip = |at: usize| taken(at) || (!tree.is_text(at) && super::question::is_aside(tree, at));
    let reading = Reading {
        skip: &skip,
        ..PLAIN
    };
    let mut starts = vec![0];
    let breaks =
        |at: usize| matches!(tree.tag(at), "br" | "td" | "th") || tree.node(at).flags & BLOCK != 0;
    for at in 0..tree.nodes.len() {
        if !tree.is_text(at) && breaks(at) {
            starts.push(at);
            starts.push(tree.end(at));
        }
    }
    starts.push(tree.nodes.len());
    starts.sort_unstable();
    starts.dedup();
    let inside_code = |at: usize| {
        std::iter::once(at)
            .chain(tree.ancestors(at))
            .any(|at| tree.tag(at) == "pre")
    };
    for pair in starts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        if from >= tree.nodes.len() || tree.ancestors(from).any(&skip) || is_elsewhere(tree, from) {
            continue;
        }
        let text = text::between(tree, from, to, reading);
        let marked = list_marker(tree, from).filter(|_| !text.is_empty());
        let whole = marked.map_or(text.clone(), |sign| format!("{sign} {text}"));
        if inside_code(from) {
            lines.extend((!whole.is_empty()).then(|| Line {
                at: from,
                text: whole,
                marker: None,
            }));
            continue;
        }
        for line in whole.lines().flat_map(apart) {
            let marker = marker(&line).filter(|marker| line.len() > marker.len);
            lines.push(Line {
                at: from,
                text: line,
                marker,
            });
        }
    }
    lines
}

/// Returns the marker that a list draws before its item.
fn list_marker(tree: &Tree<'_>, at: usize) -> Option<String> {
    let item = std::iter::once(at)
        .chain(tree.ancestors(at).take(2))
        .find(|&at| tree.tag(at) == "li")?;
    // Only the first line of an item has it.
    if item != at && (item + 1..at).any(|before| !tree.node(before).text.trim().is_empty()) {
        return None;
    }
    let list = tree.parent(item).filter(|&list| tree.tag(list) == "ol")?;
    let style = tree.attribute(list, "type");
    let row = match style {
        "a" => "abcdefghij",
        "A" => "ABCDEFGHIJ",
        _ => return None,
    };
    let place = tree
        .children(list)
        .iter()
        .filter(|&&sibling| tree.tag(sibling) == "li" && sibling < item)
        .count();
    row.chars().nth(place).map(|sign| format!("{sign})"))
}

/// Splits a line that holds a whole row of options: "A) x B) y C) z".
fn apart(line: &str) -> Vec<String> {
    let mut cuts: Vec<usize> = Vec::new();
    let mut first: Option<Marker> = None;
    let starts = line.char_indices().filter(|&(at, c)| {
        !c.is_whitespace() && (at == 0 || line[..at].ends_with(char::is_whitespace))
    });
    for (at, _) in starts {
        let Some(found) = marker(&line[at..]) else {
            continue;
        };
        let goes_on = match &first {
            Some(first) => found.style == first.style && found.place == cuts.len(),
            None => found.place == 0 && found.style.row != NUMBERS,
        };
        if goes_on {
            first.get_or_insert(found);
            cuts.push(at);
        }
    }
    if cuts.len() < 3 {
        return vec![line.to_owned()];
    }
    let ends = cuts.iter().skip(1).copied().chain([line.len()]);
    let head = line[..cuts[0]].trim();
    let options = cuts
        .iter()
        .zip(ends)
        .map(|(&from, to)| line[from..to].trim().to_owned());
    (!head.is_empty())
        .then(|| head.to_owned())
        .into_iter()
        .chain(options)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::Snapshot, *};

    fn found(html: &str) -> Vec<Lettered> {
        let page = Snapshot::of_html(html, None);
        questions(&Tree::new(&page), &|_| false)
    }

    #[test]
    fn lettered_paragraphs_with_a_key() {
        let found = found(
            "<p>Welcome</p><p>1. What is red?</p><p>A. grass</p><p>B. blood</p><p>Answer: B</p><p>2. What is 1?</p><p>A. one<br>B. two</p>",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].asked.text, "What is red?");
        assert_eq!(
            (found[0].options.as_slice(), found[0].key.as_slice()),
            (
                ["grass".to_owned(), "blood".to_owned()].as_slice(),
                [2].as_slice()
            )
        );
        assert_eq!(found[1].asked.text, "What is 1?");
    }

    #[test]
    fn statements_belong_to_the_question() {
        let found = found(
            "<p>Consider:<br>a) ice floats<br>b) iron floats</p><p>Which of them is right?</p><p>A) only a</p><p>B) both</p>",
        );
        assert_eq!(found.len(), 1);
        assert!(
            found[0].asked.text.ends_with("Which of them is right?"),
            "{:?}",
            found[0].asked
        );
        assert_eq!(found[0].options, ["only a", "both"]);
    }

    #[test]
    fn options_on_one_line_and_in_a_list() {
        assert_eq!(
            apart("Who? A) he B) she C) it"),
            ["Who?", "A) he", "B) she", "C) it"]
        );
        assert_eq!(
            found("<p>Which is it?</p><ol type=A><li>x<li>y<li>z</ol>")[0].options,
            ["x", "y", "z"]
        );
    }

    #[test]
    fn clauses_and_steps_are_none() {
        assert!(found("<p>The user shall not:</p><p>(a) copy the work;</p><p>(b) sell it; or</p><p>(c) lend it.</p>").is_empty());
        assert!(
            found("<h2>How do I bake bread?</h2><p>1. Mix.</p><p>2. Wait.</p><p>3. Bake.</p>")
                .is_empty()
        );
    }
}
