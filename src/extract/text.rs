//! The text of a part of a page as a person reads it: blocks on lines of their own, code as it stands, formulas and
//! images in words.

use super::{
    formula::{mathml, raised, raw, tex},
    snapshot::{BLOCK, Tree},
    words,
};

/// Returns whether a character changes the direction of what follows, beyond its own line perhaps.
pub(super) const fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What to leave out.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Parts that are not read, with everything in them.
    pub(super) skip: &'a dyn Fn(usize) -> bool,
    /// Whether hidden parts are read as well.
    pub(super) hidden: bool,
    /// Whether buttons are read.
    pub(super) buttons: bool,
}

/// Reads visible text, buttons aside.
pub(super) const PLAIN: Reading<'static> = Reading {
    skip: &|_| false,
    hidden: false,
    buttons: false,
};

/// Returns the text of one node and everything in it.
pub(super) fn of(tree: &Tree<'_>, at: usize, reading: Reading<'_>) -> String {
    between(tree, at, tree.end(at), reading)
}

/// Returns the text from one place to another in document order.
pub(super) fn between(tree: &Tree<'_>, from: usize, to: usize, reading: Reading<'_>) -> String {
    if from >= to {
        return String::new();
    }
    let mut page = Writer::default();
    // Where blocks that have been entered end, the innermost last.
    let mut open: Vec<usize> = Vec::new();
    let mut pre_until = match std::iter::once(from)
        .chain(tree.ancestors(from))
        .find(|&at| tree.tag(at) == "pre")
    {
        Some(pre) => tree.end(pre),
        None => 0,
    };
    let mut at = from;
    while at < to {
        while open.last().is_some_and(|&end| end <= at) {
            open.pop();
            page.line();
        }
        let node = tree.node(at);
        let end = tree.end(at);
        if let Some(formula) = formula(tree, at) {
            if formula.1 {
                page.word(&formula.0);
            }
            at = end;
            continue;
        }
        if (tree.is_hidden(at) && !reading.hidden)
            || matches!(node.tag.as_str(), "rt" | "rp")
            || (reading.skip)(at)
        {
            at = end;
            continue;
        }
        match node.tag.as_str() {
            "" if at < pre_until => page.code(&node.text),
            "" => page.text(&node.text),
            "br" => page.line(),
            "input" | "textarea" | "select" | "script" | "option" => {
                at = end;
                continue;
            }
            "button" if !reading.buttons => {
                at = end;
                continue;
            }
            "img" | "svg" => {
                let alt = match tree.attribute(at, "alt") {
                    "" => tree.attribute(at, "aria-label"),
                    alt => alt,
                };
                if !alt.trim().is_empty() && !words::is_verdict(alt) && !words::is_badge(alt) {
                    page.word(&format!("[image: {}]", alt.trim()));
                }
            }
            "sub" | "sup" => {
                let sign = if node.tag == "sub" { '_' } else { '^' };
                let inner = between(tree, at + 1, end, reading);
                page.join(&raised(sign, &inner, page.text.chars().last()));
                at = end;
                continue;
            }
            "td" | "th" => page.gap(),
            tag => {
                if tag == "pre" {
                    pre_until = pre_until.max(end);
                }
                if node.flags & BLOCK != 0 {
                    page.line();
                    open.push(end);
                }
            }
        }
        at += 1;
    }
    page.finish()
}

/// Returns whether a node is read as a whole, whatever is in it.
pub(super) fn is_atomic(tree: &Tree<'_>, at: usize) -> bool {
    formula(tree, at).is_some()
}

/// Returns the formula that begins here, and whether it is to be read; libraries hold each of them twice.
fn formula(tree: &Tree<'_>, at: usize) -> Option<(String, bool)> {
    let inside = |tag: &str| (at..tree.end(at)).find(|&inner| tree.tag(inner) == tag);
    match tree.tag(at) {
        "math" => Some((mathml(tree, at), true)),
        "mjx-container" => match inside("math") {
            Some(math) => Some((mathml(tree, math), true)),
            None => Some((tree.attribute(at, "aria-label").to_owned(), true)),
        },
        "script" if tree.attribute(at, "type").starts_with("math/") => {
            let source = raw(tree, at);
            match tree.attribute(at, "type").contains("mml") {
                true => None,
                false => Some((tex(&source), true)),
            }
        }
        "span" | "div" | "nobr" => {
            if tree.has_class(at, "katex") {
                return inside("math").map(|math| (mathml(tree, math), true));
            }
            let drawn = [
                "MathJax",
                "MathJax_Preview",
                "MathJax_SVG",
                "MathJax_CHTML",
                "MathJax_Display",
                "mjx-chtml",
                "MJX_Assistive_MathML",
            ];
            let source_follows = || {
                let parent = tree.parent(at)?;
                let mut siblings = tree
                    .children(parent)
                    .iter()
                    .skip_while(|&&sibling| sibling <= at);
                siblings.find(|&&sibling| tree.attribute(sibling, "type").starts_with("math/"))
            };
            let is_drawn = drawn.iter().any(|class| tree.has_class(at, class));
            (is_drawn && source_follows().is_some()).then(|| (String::new(), false))
        }
        _ => None,
    }
}

/// Puts text together: runs of white space become one blank, blocks become lines.
#[derive(Default)]
struct Writer {
    text: String,
    /// A blank is due before the next word.
    blank: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let visible: String = text.chars().filter(|&c| !is_invisible(c)).collect();
        for (number, word) in visible.split(char::is_whitespace).enumerate() {
            self.blank |= number > 0;
            if !word.is_empty() {
                self.put(word);
            }
        }
    }

    fn put(&mut self, word: &str) {
        if self.blank && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        self.blank = false;
        self.text.push_str(word);
    }

    /// Puts a word as it is.
    fn word(&mut self, word: &str) {
        if !word.trim().is_empty() {
            self.put(word.trim());
        }
    }

    /// Puts what belongs to the word before it.
    fn join(&mut self, word: &str) {
        self.put(word);
    }

    fn code(&mut self, text: &str) {
        self.put(&text.replace("\r\n", "\n").replace('\u{A0}', " "));
    }

    fn gap(&mut self) {
        self.blank = true;
    }

    fn line(&mut self) {
        self.blank = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn finish(self) -> String {
        let lines = self.text.lines().map(str::trim_end).collect::<Vec<_>>();
        lines.join("\n").trim_matches('\n').trim_end().to_owned()
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{FEFF}' | '\u{AD}' | '\u{2060}')
}

/// Returns text in which TeX between its delimiters is readable.
pub(super) fn without_tex(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    loop {
        let next = [(r"\(", r"\)"), (r"\[", r"\]"), ("$$", "$$")]
            .into_iter()
            .filter_map(|(open, close)| {
                let start = rest.find(open)?;
                let inner = start + open.len();
                let end = inner + rest[inner..].find(close)?;
                Some((start, inner, end, end + close.len()))
            })
            .min();
        let Some((start, inner, end, after)) = next else {
            return kept + rest;
        };
        kept.push_str(&rest[..start]);
        kept.push_str(&tex(&rest[inner..end]));
        rest = &rest[after..];
    }
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::Snapshot, *};

    fn read(html: &str) -> String {
        let page = Snapshot::of_html(html, None);
        between(&Tree::new(&page), 0, page.nodes.len(), PLAIN)
    }

    #[test]
    fn blocks_are_lines_and_code_keeps_its_own() {
        assert_eq!(
            read(
                "<p>What  does\n this print?</p><pre>for i in x:\n    print(i)\n</pre><p>a<br>b <b>c</b>d"
            ),
            "What does this print?\nfor i in x:\n    print(i)\na\nb cd"
        );
        assert_eq!(
            read("<table><tr><td>a<td>b</tr><tr><td>c</table>"),
            "a b\nc"
        );
    }

    #[test]
    fn formulas_are_read_once() {
        assert_eq!(
            read("H<sub>2</sub>O, x<sup>n+1</sup>, 1<sup>st</sup>"),
            "H_2O, x^(n+1), 1st"
        );
        let katex = "<span class=katex><span class=katex-mathml><math><semantics><mrow><mi>x</mi></mrow>\
            <annotation encoding=application/x-tex>\\frac{1}{2}</annotation></semantics></math></span>\
            <span class=katex-html aria-hidden=true>12</span></span>";
        assert_eq!(read(&format!("half: {katex}!")), "half: 1/2!");
        assert_eq!(
            read(
                "<span class=MathJax_Preview>x2</span><span class=MathJax>x2</span><script type=math/tex>x^2</script>"
            ),
            "x^2"
        );
        assert_eq!(
            without_tex(r"a \(x^2\) b $$\sqrt{2}$$ \( c"),
            r"a x^2 b √2 \( c"
        );
    }

    #[test]
    fn images_are_named() {
        assert_eq!(read("<img alt='A map'> <img alt=''>x"), "[image: A map] x");
    }
}
