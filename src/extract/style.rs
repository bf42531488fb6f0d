//! Which elements the rules of a page's own `<style>` hide. Linked style sheets are not fetched, and rules for print or
//! for other widths are passed over: an approximation that the browser's snapshot does not need.

mod selector;

use super::snapshot::Node;
use selector::Selector;

/// Most rules that are kept.
const MAX_RULES: usize = 300;

/// Rules that hide or show, with what decides which one counts: importance and specificity.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    selector: Selector,
    weight: (bool, (usize, usize, usize)),
    hides: bool,
}

impl Rules {
    /// Reads a style sheet.
    pub(super) fn read(&mut self, sheet: &str) {
        let sheet = without_comments(sheet);
        let mut rest = sheet.as_str();
        while let Some(open) = rest.find('{') {
            let selectors = rest[..open].trim();
            let body = &rest[open + 1..];
            let end = match selectors.starts_with('@') {
                true => closing(body),
                false => body.find('}').unwrap_or(body.len()),
            };
            if !selectors.starts_with('@') {
                self.add(selectors, &body[..end]);
            }
            rest = body.get(end + 1..).unwrap_or_default();
        }
    }

    fn add(&mut self, selectors: &str, body: &str) {
        let body: String = body.to_lowercase().split_whitespace().collect();
        let hides = body.contains("display:none") || body.contains("visibility:hidden");
        let shows = body.contains("display:") || body.contains("visibility:visible");
        // What is shown where nothing was hidden needs no rule.
        if !hides && (!shows || self.0.is_empty()) {
            return;
        }
        for selector in selectors.split(',').filter_map(Selector::parse) {
            if self.0.len() < MAX_RULES {
                self.0.push(Rule {
                    weight: (body.contains("!important"), selector.specificity()),
                    selector,
                    hides,
                });
            }
        }
    }

    /// Returns whether the rule that counts for the element at `at` hides it: of the weightiest, the last.
    pub(super) fn hide(&self, nodes: &[Node], at: usize) -> bool {
        let meant = self.0.iter().filter(|r| r.selector.matches(nodes, at));
        meant
            .max_by_key(|rule| rule.weight)
            .is_some_and(|r| r.hides)
    }
}

fn without_comments(sheet: &str) -> String {
    let mut kept = String::new();
    let mut rest = sheet;
    while let Some(open) = rest.find("/*") {
        kept.push_str(&rest[..open]);
        rest = rest[open..]
            .find("*/")
            .map_or("", |close| &rest[open + close + 2..]);
    }
    kept + rest
}

/// Returns where the brace closes that was open before `body`.
fn closing(body: &str) -> usize {
    let mut depth = 1;
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use crate::extract::snapshot::{HIDDEN, Snapshot};

    #[test]
    fn the_rule_that_counts_decides() {
        let sheet = "/* a {display:none} */ .q { display : none } .quiz .q.on{display:block} a:hover{display:none}
             @media print { p {display:none} } [data-x='1'] > b {visibility: hidden} .quiz>p{display:none}
             .quiz .on.q{display:flex} #top > div .low {display:none!important} .low.low.low{display:block}
             a[href^='#'], a[href$=pdf] {display:none} > p{display:none} p + a{display:none}";
        let body = "<p class=q id=hidden></p><p class='q on' id=hidden2></p><div class=quiz><p class='q on'></p><a></a>
             <i data-x=1><b id=hidden3></b></i><i data-x=1><u><b></b></u></i></div>
             <div id=top><div><p><u class=low id=hidden4></u></p></div></div>
             <a href='#x' id=hidden5></a><a href='x#'></a><a href=x.pdf id=hidden6></a>";
        let page = Snapshot::of_html(&format!("<style>{sheet}</style>{body}"), None);
        let mut seen = 0;
        for node in page.nodes.iter().filter(|node| !node.tag.is_empty()) {
            let id = node.attributes.get("id").map_or("", String::as_str);
            seen += usize::from(id.starts_with("hidden"));
            let hides = node.flags & HIDDEN != 0;
            assert_eq!(hides, id.starts_with("hidden"), "{node:?}");
        }
        assert_eq!(seen, 6);
    }

    #[test]
    fn rubbish_is_passed_over() {
        let sheets = [
            "{",
            "}",
            "a{",
            "@media {a{",
            "é.{display:none}",
            ",,{display:none}",
            "/*",
            ".{display:none}",
            "[{display:none}",
            "[a=\u{e9}{display:none}",
            "a >{display:none}",
            "p~a{display:none}",
        ];
        for sheet in sheets {
            let page = format!("<style>{sheet}</style><p>shown</p>");
            let page = Snapshot::of_html(&page, None);
            assert!(
                page.nodes.iter().all(|node| node.flags & HIDDEN == 0),
                "{sheet}"
            );
        }
    }
}
