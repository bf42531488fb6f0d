//! The snapshot of a plain response: what a browser without scripts and without linked style sheets would show.

use super::{
    bounds::bounded,
    dom::{Data, Dom, ROOT},
    snapshot::{BLOCK, CHECKED, CLICKABLE, DISABLED, HIDDEN, MAX_NODES, Node, Snapshot},
    style::Rules,
};

/// Elements deeper than this are taken as children of the last one above it.
const MAX_DEPTH: usize = 256;
/// Most text that is kept, in bytes.
const MAX_TEXT: usize = 4_194_304;
/// Longest attribute that is kept, in characters.
const MAX_VALUE: usize = 300;

/// Elements that nobody sees, and whose content is no text.
const SKIPPED: [&str; 17] = [
    "style", "noscript", "template", "object", "embed", "canvas", "video", "audio", "head", "link",
    "meta", "base", "param", "source", "track", "iframe", "svg",
];
const INLINE: [&str; 37] = [
    "ruby", "rb", "rt", "rp", "a", "abbr", "b", "bdi", "bdo", "big", "button", "cite", "code",
    "em", "font", "i", "img", "input", "ins", "del", "kbd", "label", "mark", "math", "q", "s",
    "samp", "select", "small", "span", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];
const KEPT: [&str; 16] = [
    "class",
    "id",
    "name",
    "type",
    "role",
    "for",
    "alt",
    "title",
    "value",
    "dir",
    "start",
    "href",
    "placeholder",
    "colspan",
    "action",
    "correct",
];
/// Classes by which the style sheets in use everywhere hide: Bootstrap, Tailwind, and many of their like.
const UTILITIES: [&str; 3] = ["hidden", "d-none", "is-hidden"];
/// Scripts from hosts that only measure do not build a page.
const MEASURING: [&str; 6] = [
    "analytics",
    "gtag",
    "googletagmanager",
    "matomo",
    "plausible",
    "adsbygoogle",
];

impl Snapshot {
    /// Returns the snapshot of a plain response. Visibility is approximated: `hidden`, inline style, and the rules of the
    /// page's own `<style>`.
    pub fn of_html(html: &str, url: Option<&str>) -> Self {
        let bounded = bounded(html);
        let dom = Dom::parse(bounded);
        let mut page = Page {
            snapshot: Self {
                url: url.unwrap_or_default().to_owned(),
                truncated: bounded.len() < html.len(),
                ..Self::default()
            },
            rules: Rules::default(),
            room: MAX_TEXT,
        };
        page.read_head(&dom);
        page.read_body(&dom);
        page.snapshot
    }
}

struct Page {
    snapshot: Snapshot,
    rules: Rules,
    room: usize,
}

/// What an element's children need to know of it.
#[derive(Clone, Copy)]
struct Place {
    parent: i64,
    hidden: bool,
    depth: usize,
}

impl Page {
    /// Reads title, style and scripts, wherever they stand.
    fn read_head(&mut self, dom: &Dom) {
        for at in dom.within(ROOT) {
            match dom.tag(at) {
                "title" if self.snapshot.title.is_empty() => {
                    self.snapshot.title = dom.text(at).trim().to_owned();
                }
                "style" => self.rules.read(&dom.text(at)),
                "script" => self.read_script(dom, at),
                // What it holds is not looked into.
                "iframe" | "frame" => self.snapshot.scripted = true,
                _ => {}
            }
        }
    }

    fn read_script(&mut self, dom: &Dom, script: usize) {
        let kind = dom.attribute(script, "type").unwrap_or_default();
        let source = dom.attribute(script, "src");
        let runs = kind.is_empty() || kind == "module" || kind.contains("javascript");
        let text = dom.text(script);
        let measures = |text: &str| MEASURING.iter().any(|word| text.contains(word));
        let builds = match source {
            Some(source) => !measures(source),
            None => !text.trim().is_empty() && !measures(&text),
        };
        self.snapshot.scripted |= runs && builds;
        let lower = text.to_lowercase();
        let tells = lower.contains("correct") || lower.contains("answer");
        if source.is_none() && text.len() <= 65_536 && tells {
            self.snapshot.scripts.push(text);
        }
    }

    fn read_body(&mut self, dom: &Dom) {
        let top = Place {
            parent: -1,
            hidden: false,
            depth: 0,
        };
        let mut waiting = vec![(ROOT, top)];
        while let Some((at, place)) = waiting.pop() {
            if self.snapshot.nodes.len() >= MAX_NODES {
                self.snapshot.truncated = true;
                return;
            }
            let inner = match dom.data(at) {
                Data::Text(text) => {
                    self.add_text(text, place);
                    continue;
                }
                Data::Element(..) => match self.add_element(dom, at, place) {
                    Some(inner) => inner,
                    None => continue,
                },
                Data::Other => place,
            };
            let closed = dom.tag(at) == "details" && dom.attribute(at, "open").is_none();
            for child in dom.children(at).rev() {
                let hidden = inner.hidden || (closed && dom.tag(child) != "summary");
                waiting.push((child, Place { hidden, ..inner }));
            }
        }
    }

    /// Adds an element; `None` when its content is of no interest.
    fn add_element(&mut self, dom: &Dom, element: usize, place: Place) -> Option<Place> {
        let tag = dom.tag(element);
        let has = |name: &str| dom.attribute(element, name).is_some();
        let value = |name: &str| dom.attribute(element, name).unwrap_or_default();
        let is_formula = tag == "script" && value("type").starts_with("math/");
        if SKIPPED.contains(&tag) || (tag == "script" && !is_formula) {
            return None;
        }
        if tag == "html" {
            return Some(place);
        }
        let style = value("style").to_lowercase().replace(' ', "");
        let hidden = place.hidden
            || has("hidden")
            || (tag == "input" && value("type").eq_ignore_ascii_case("hidden"))
            || (tag == "dialog" && !has("open"))
            || style.contains("display:none")
            || style.contains("visibility:hidden")
            || value("class")
                .split_whitespace()
                .any(|class| UTILITIES.contains(&class));
        let mut flags = if hidden { HIDDEN } else { 0 };
        if !INLINE.contains(&tag) {
            flags |= BLOCK;
        }
        if has("checked") || has("selected") || value("aria-checked") == "true" {
            flags |= CHECKED;
        }
        if has("disabled") || value("aria-disabled") == "true" {
            flags |= DISABLED;
        }
        if has("onclick") {
            flags |= CLICKABLE;
        }
        let is_kept = |name: &str| {
            KEPT.contains(&name) || name.starts_with("aria-") || name.starts_with("data-")
        };
        let kept = dom.attributes(element).filter(|(name, _)| is_kept(name));
        let list = style
            .split("list-style-type:")
            .nth(1)
            .or(style.split("list-style:").nth(1));
        let list = list
            .and_then(|style| style.split([';', '!']).next())
            .map(|style| ("list-style", style));
        let attributes = kept
            .chain(list)
            .map(|(name, value)| (name.to_owned(), value.chars().take(MAX_VALUE).collect()));
        let at = self.push(Node {
            parent: place.parent,
            tag: tag.to_owned(),
            attributes: attributes.collect(),
            flags,
            ..Node::default()
        });
        let hidden = hidden || self.hide();
        Some(match place.depth < MAX_DEPTH {
            true => Place {
                parent: at,
                hidden,
                depth: place.depth + 1,
            },
            false => Place { hidden, ..place },
        })
    }

    fn add_text(&mut self, text: &str, place: Place) {
        if text.len() > self.room {
            self.snapshot.truncated = true;
            return;
        }
        self.room -= text.len();
        let text = match text.trim().is_empty() && !text.contains('\u{A0}') {
            true => " ",
            false => text,
        };
        self.push(Node {
            parent: place.parent,
            text: text.to_owned(),
            flags: if place.hidden { HIDDEN } else { 0 },
            ..Node::default()
        });
    }

    /// Hides the element just added if a rule of the page does.
    fn hide(&mut self) -> bool {
        let at = self.snapshot.nodes.len() - 1;
        let hides = self.rules.hide(&self.snapshot.nodes, at);
        if hides {
            self.snapshot.nodes[at].flags |= HIDDEN;
        }
        hides
    }

    fn push(&mut self, node: Node) -> i64 {
        self.snapshot.nodes.push(node);
        i64::try_from(self.snapshot.nodes.len() - 1).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(html: &str) -> String {
        let page = Snapshot::of_html(html, None);
        let seen = page.nodes.iter().filter(|node| node.flags & HIDDEN == 0);
        let words: Vec<_> = seen
            .map(|node| node.text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        words.join("|")
    }

    #[test]
    fn what_a_browser_hides_is_hidden() {
        let html = "<style>.gone, #x b {display: none} @media print {p {display:none}}</style><p>a<p class=gone>b\
            <div id=x><b>c</b>d</div><i hidden>e</i><i style='visibility: hidden'>f</i>\
            <details><summary>g</summary>h</details><template>i</template><script>j</script>";
        assert_eq!(visible(html), "a|d|g");
    }

    #[test]
    fn scripts_that_only_measure_build_nothing() {
        let scripted = |html: &str| Snapshot::of_html(html, None).scripted;
        assert!(!scripted(
            "<script src=https://a.example/analytics.js></script><p>a"
        ));
        assert!(!scripted("<script type=application/json>{}</script><p>a"));
        assert!(scripted("<script src=app.js></script><p>a"));
        assert!(scripted("<p>a<script>build()</script>"));
    }
}
