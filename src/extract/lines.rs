//! The page as lines: what stands between two breaks, in the order of the document.

use super::{
    controls, marker,
    snapshot::Tree,
    text::{self, PLAIN, Reading},
};
use std::ops::Range;

/// Classes and ids of what stands beside the matter.
const ASIDE: [&str; 14] = [
    "sr",
    "offscreen",
    "screen-reader",
    "breadcrumb",
    "breadcrumbs",
    "questionflag",
    "editquestion",
    "timer",
    "sharedaddy",
    "skip-link",
    "skiplink",
    "toolbar",
    "progressbar",
    "progress",
];
/// Pieces of classes and ids of what is for screen readers alone, or covers the page.
const UNSEEN: [&str; 9] = [
    "sr-only",
    "sr_only",
    "visually-hidden",
    "hidden-label",
    "visuallyhidden",
    "accesshide",
    "screenreader",
    "screen-reader-text",
    "cookie",
];

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Running text.
    Text,
    /// A heading.
    Heading,
    /// Text that is a link as a whole.
    Link,
    /// Code, with its own line breaks in it.
    Code,
}

/// One line. Rows of tables are lines, their cells are not.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its place: the nodes that it is made of.
    pub(super) at: Range<usize>,
    pub(super) text: String,
    pub(super) kind: LineKind,
    /// The marker that a list draws before it, such as `A)`.
    pub(super) bullet: Option<String>,
}

/// Returns the visible lines of the page that are not beside the matter: see [`is_aside`].
pub(super) fn lines(tree: &Tree<'_>) -> Vec<Line> {
    let skip = |at: usize| is_aside(tree, at);
    let reading = Reading {
        skip: &skip,
        ..PLAIN
    };
    let mut breaks = Vec::new();
    let mut at = 0;
    while at < tree.nodes.len() {
        let end = tree.end(at);
        if text::is_atomic(tree, at) {
            at = end;
            continue;
        }
        let is_cell = matches!(tree.tag(at), "td" | "th");
        // Cells of a row are one line, unless they are options of their own.
        let is_block = tree.is_block(at) && (!is_cell || is_lettered(tree, at));
        // The label of a control is a line of its own, even where it looks like running text.
        if is_block
            || tree.tag(at) == "label"
            || tree.tag(at) == "br"
            || tree.tag(at) == "select"
            || controls::control(tree, at).is_some()
        {
            breaks.extend([at, end]);
        }
        at = match tree.is_hidden(at) || (!tree.is_text(at) && skip(at)) {
            true => end,
            false => at + 1,
        };
    }
    breaks.extend([0, tree.nodes.len()]);
    breaks.sort_unstable();
    breaks.dedup();
    let segments = breaks.windows(2).map(|pair| pair[0]..pair[1]);
    let mut lines = Vec::new();
    for at in segments {
        if tree.ancestors(at.start).any(skip) {
            continue;
        }
        let text = text::between(tree, at.start, at.end, reading);
        if text.trim().is_empty() {
            continue;
        }
        let kind = kind(tree, at.clone());
        let parts = match kind {
            LineKind::Code => vec![text],
            LineKind::Heading | LineKind::Link | LineKind::Text => {
                text.lines().flat_map(marker::apart).collect()
            }
        };
        let bullet = bullet(tree, at.start);
        lines.extend(parts.into_iter().enumerate().map(|(place, text)| Line {
            at: at.clone(),
            text,
            kind,
            bullet: bullet.clone().filter(|_| place == 0),
        }));
    }
    lines
}

/// Returns the marker that a list draws before the item that begins here.
fn bullet(tree: &Tree<'_>, at: usize) -> Option<String> {
    let item = tree
        .with_ancestors(at)
        .take(4)
        .find(|&at| tree.tag(at) == "li")?;
    // Only the first line of an item has it.
    if (item + 1..at)
        .any(|before| !tree.is_hidden(before) && !tree.node(before).text.trim().is_empty())
    {
        return None;
    }
    let list = tree.parent(item)?;
    let drawn = match tree.attribute(item, "list-style") {
        "" => tree.attribute(list, "type"),
        style => style,
    };
    let row = match drawn {
        "a" | "lower-alpha" | "lower-latin" => 'a',
        "A" | "upper-alpha" | "upper-latin" => 'A',
        _ => return None,
    };
    let items = tree
        .children(list)
        .iter()
        .filter(|&&sibling| tree.tag(sibling) == "li");
    let place = items.take_while(|&&sibling| sibling < item).count();
    (row..)
        .nth(place)
        .filter(char::is_ascii_alphabetic)
        .map(|sign| format!("{sign})"))
}

/// Returns whether a cell begins with a letter as options have it.
fn is_lettered(tree: &Tree<'_>, cell: usize) -> bool {
    let text = text::of(tree, cell, PLAIN);
    marker::marker(&text).is_some_and(|marker| marker.style.row != marker::NUMBERS)
}

fn kind(tree: &Tree<'_>, at: Range<usize>) -> LineKind {
    let text = at
        .clone()
        .find(|&at| tree.is_text(at) && !tree.node(at).text.trim().is_empty());
    let (from, to) = (at.start, at.end);
    let around = tree.with_ancestors(text.unwrap_or(from));
    for at in around {
        match tree.tag(at) {
            "a" if is_all(tree, at, from..to) => return LineKind::Link,
            "pre" => return LineKind::Code,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => return LineKind::Heading,
            _ if tree.attribute(at, "role") == "heading" => return LineKind::Heading,
            _ => {}
        }
    }
    LineKind::Text
}

/// Returns whether an element holds all the text of a line.
fn is_all(tree: &Tree<'_>, element: usize, line: Range<usize>) -> bool {
    let mut texts = line.filter(|&at| tree.is_text(at) && !tree.node(at).text.trim().is_empty());
    texts.all(|at| tree.contains(element, at))
}

/// Returns whether a part stands beside the matter: menus, footers, what is for screen readers alone, a player's state.
pub(super) fn is_aside(tree: &Tree<'_>, at: usize) -> bool {
    if tree.is_text(at) {
        return false;
    }
    let role = tree.attribute(at, "role");
    if matches!(tree.tag(at), "nav" | "footer" | "aside" | "rp" | "rt")
        || matches!(
            role,
            "navigation"
                | "banner"
                | "contentinfo"
                | "complementary"
                | "search"
                | "alert"
                | "status"
                | "progressbar"
                | "timer"
        )
    {
        return true;
    }
    let classes = tree.attribute(at, "class").split_whitespace();
    classes.chain([tree.attribute(at, "id")]).any(|name| {
        let name = name.to_ascii_lowercase();
        ASIDE.contains(&name.as_str()) || UNSEEN.iter().any(|word| name.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::Snapshot, *};

    fn read(html: &str) -> Vec<(String, LineKind)> {
        let page = Snapshot::of_html(html, None);
        let lines = lines(&Tree::new(&page));
        lines
            .into_iter()
            .map(|line| (line.text, line.kind))
            .collect()
    }

    #[test]
    fn blocks_breaks_and_controls_end_lines() {
        let text = |text: &str| (text.to_owned(), LineKind::Text);
        assert_eq!(
            read(
                "<h2>Quiz</h2><nav>Menu</nav><p>What <b>is</b> it?<br>Choose <input type=radio> a <input type=radio> b<pre>x\n y</pre>"
            ),
            [
                ("Quiz".to_owned(), LineKind::Heading),
                text("What is it?"),
                text("Choose"),
                text("a"),
                text("b"),
                ("x\n y".to_owned(), LineKind::Code),
            ]
        );
        assert_eq!(
            read("<table><tr><td>a<td>b<tr><td>c<td>d</table>"),
            [text("a b"), text("c d")]
        );
    }

    #[test]
    fn formulas_are_whole() {
        let katex = "<span class=katex><span class=katex-mathml><math><mi>x</mi></math></span>\
            <div class=katex-html aria-hidden=true><div>x</div></div></span>";
        assert_eq!(
            read(&format!("<div>Is {katex} right?</div>"))[0].0,
            "Is x right?"
        );
    }
}
