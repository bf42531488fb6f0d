//! How much of a page's markup the parser may have: at every tag it looks through all open elements, and at every
//! attribute through all of the tag's, which takes time with the square of their number.

/// Most elements that may be open at once; the deepest real pages have about a hundred.
const MAX_OPEN: usize = 1_024;
/// Most attributes of one tag; real ones have some dozens.
const MAX_ATTRIBUTES: usize = 256;
/// Elements that need no end, and so do not nest.
const LEAVES: [&str; 17] = [
    "p", "li", "br", "hr", "img", "input", "meta", "link", "td", "th", "tr", "option", "dt", "dd",
    "col", "source", "wbr",
];
/// Elements whose content is text, whatever it looks like.
const RAW: [&str; 6] = ["script", "style", "textarea", "title", "xmp", "iframe"];

/// Returns the page up to where it nests too deep, or a tag has too many attributes.
pub(super) fn bounded(html: &str) -> &str {
    let mut depth = 0_usize;
    // Open `svg` and `math`, in which a tag may close itself.
    let mut foreign = 0_usize;
    let mut at = 0;
    while let Some(tag) = html[at..].find('<') {
        let start = at + tag;
        let rest = &html[start + 1..];
        at = start + 1;
        if rest.starts_with("!--") {
            at += rest.find("-->").unwrap_or(rest.len());
            continue;
        }
        let is_end = rest.starts_with('/');
        let name = name(rest.trim_start_matches('/'));
        if name.is_empty() {
            continue;
        }
        let Tag {
            length,
            attributes,
            closes_itself,
        } = read(rest);
        at += length;
        if is_end {
            depth = depth.saturating_sub(1);
            foreign = foreign.saturating_sub(usize::from(is_foreign(&name)));
            continue;
        }
        let is_leaf = LEAVES.contains(&name.as_str()) || (closes_itself && foreign > 0);
        depth += usize::from(!is_leaf);
        foreign += usize::from(is_foreign(&name) && !closes_itself);
        if depth > MAX_OPEN || attributes > MAX_ATTRIBUTES {
            return &html[..start];
        }
        if RAW.contains(&name.as_str()) && foreign == 0 {
            at += end_of_raw(&html[at..], &name);
        }
    }
    html
}

/// A tag, from behind its `<`.
struct Tag {
    /// Up to its `>`, in bytes.
    length: usize,
    /// How many words there are behind its name, at least as many as attributes.
    attributes: usize,
    closes_itself: bool,
}

fn read(rest: &str) -> Tag {
    let (mut quote, mut last, mut attributes) = (None, b' ', 0);
    for (at, byte) in rest.bytes().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'>' => {
                    return Tag {
                        length: at + 1,
                        attributes,
                        closes_itself: last == b'/',
                    };
                }
                b'"' | b'\'' if last == b'=' => quote = Some(byte),
                _ if last.is_ascii_whitespace() || last == b'/' => {
                    attributes += usize::from(!byte.is_ascii_whitespace() && byte != b'=');
                }
                _ => {}
            },
        }
        if quote.is_none() && !(byte.is_ascii_whitespace() && last == b'=') {
            last = byte;
        } else if quote.is_some() {
            last = b'q';
        }
    }
    Tag {
        length: rest.len(),
        attributes,
        closes_itself: false,
    }
}

fn name(rest: &str) -> String {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    match rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => rest
            .chars()
            .take(16)
            .take_while(is_name)
            .collect::<String>()
            .to_ascii_lowercase(),
        false => String::new(),
    }
}

fn is_foreign(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

/// Returns where the end tag of such an element begins.
fn end_of_raw(content: &str, name: &str) -> usize {
    let ends = content.match_indices("</");
    let mut own = ends.filter(|(at, _)| {
        let word = content.as_bytes().get(at + 2..at + 2 + name.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    });
    own.next().map_or(content.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Snapshot;

    fn is_whole(html: &str) -> bool {
        bounded(html) == html
    }

    #[test]
    fn endless_nesting_ends() {
        let deep = "<div>".repeat(100_000);
        assert_eq!(bounded(&deep).len(), MAX_OPEN * "<div>".len());
        assert!(Snapshot::of_html(&deep, None).truncated);
        assert!(
            !is_whole(&"<div/>".repeat(2_000)),
            "a slash closes nothing in HTML"
        );
    }

    #[test]
    fn a_tag_of_attributes_alone_ends_the_page() {
        let attributes: String = (0..1_000).map(|n| format!(" a{n}=1")).collect();
        for attributes in [attributes.clone(), attributes.replace('1', "\"x y\"")] {
            let html = format!("<p>Quiz<input{attributes}>rest");
            assert_eq!(bounded(&html), "<p>Quiz");
        }
        let text = "one two three ".repeat(1_000);
        assert!(is_whole(&format!(
            "<p title=\"{text}\" id = '{text}'>{text}"
        )));
    }

    #[test]
    fn ordinary_pages_are_whole() {
        for html in [
            "<ul><li>a<li>b</ul>".repeat(5_000),
            format!(
                "<svg>{}</svg><p>1. What?",
                "<circle r=\"1\"/>".repeat(3_000)
            ),
            format!(
                "<script>{}</script><p>1. What?",
                "for(i=0;i<n;i++){}".repeat(3_000)
            ),
            format!("<!-- {} --><p>1. What?", "<div>".repeat(3_000)),
            format!("<STYLE>{}</Style><p>1. What?", "a<b".repeat(3_000)),
            "<p>a < b and c <= d".repeat(3_000),
        ] {
            assert!(is_whole(&html), "{}", &html[..40]);
        }
    }
}
