//! Which elements the rules of a page's own `<style>` hide. Linked style sheets are not fetched, and rules for print or
//! for other widths are passed over: an approximation that the browser's snapshot does not need.

use scraper::{ElementRef, Selector};

/// Most rules that are kept.
const MAX_RULES: usize = 300;

/// Selectors whose rules hide or show, in the order of the page: the last one that means an element counts.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<(Selector, bool)>);

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
        for selector in selectors.split(',') {
            // States such as `:hover` and parts such as `::before` do not parse, and are none of ours.
            if let Ok(selector) = Selector::parse(selector)
                && self.0.len() < MAX_RULES
            {
                self.0.push((selector, hides));
            }
        }
    }

    /// Returns whether the last rule that means `element` hides it.
    pub(super) fn hide(&self, element: &ElementRef<'_>) -> bool {
        let means = |(selector, _): &&(Selector, bool)| selector.matches(element);
        self.0
            .iter()
            .rev()
            .find(means)
            .is_some_and(|(_, hides)| *hides)
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
    use super::*;
    use scraper::Html;

    #[test]
    fn the_last_rule_that_means_an_element_counts() {
        let mut rules = Rules::default();
        rules.read(
            "/* a {display:none} */ .q { display : none } .quiz .q.on{display:block} a:hover{display:none}
             @media print { p {display:none} } [data-x='1'] > b {visibility: hidden}",
        );
        let page = Html::parse_document(
            "<p class=q id=hidden></p><p class='q on' id=hidden2></p><div class=quiz><p class='q on'></p><a></a>
             <i data-x=1><b id=hidden3></b></i></div>",
        );
        let all = page.root_element();
        for element in all.descendent_elements() {
            let expected = element
                .attr("id")
                .is_some_and(|id| id.starts_with("hidden"));
            assert_eq!(rules.hide(&element), expected, "{}", element.html());
        }
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
        ];
        for sheet in sheets {
            Rules::default().read(sheet);
        }
    }
}
