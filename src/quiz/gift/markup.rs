//! GIFT's text to plain text: escapes, wrapped lines, and HTML where a marker says so.

/// How a text is written, by the marker before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// No marker or `[moodle]`: line ends are wrapping, `\n` is a new line.
    Moodle,
    /// `[html]`: tags and character references.
    Html,
    /// `[plain]` or `[markdown]`: line ends count; markup is left as it is written.
    Lines,
}

impl Markup {
    /// Returns the markup that the marker at the start of `text` names and the marker's length; none: 0.
    pub(super) fn marker(text: &str) -> (Self, usize) {
        for (marker, markup) in [
            ("[html]", Self::Html),
            ("[moodle]", Self::Moodle),
            ("[plain]", Self::Lines),
            ("[markdown]", Self::Lines),
        ] {
            if text
                .get(..marker.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(marker))
            {
                return (markup, marker.len());
            }
        }
        (Self::Moodle, 0)
    }
}

/// Returns `text` as plain text without white space around it.
pub(super) fn plain(text: &str, markup: Markup) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(c @ ('~' | '=' | '#' | '{' | '}' | ':' | '\\')) => plain.push(c),
                other => plain.extend([c].into_iter().chain(other)),
            },
            c if c.is_whitespace() && markup != Markup::Lines => {
                if !plain.ends_with([' ', '\n']) {
                    plain.push(' ');
                }
            }
            c => plain.push(c),
        }
    }
    if markup == Markup::Html {
        plain = without_tags(&plain);
    }
    plain.trim().to_owned()
}

/// Returns the text of HTML on one line. Superscripts keep a `^`: 10² must not turn into 102.
fn without_tags(html: &str) -> String {
    const BLOCKS: [&str; 8] = ["br", "p", "div", "li", "ul", "ol", "tr", "td"];
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    let mut tags_ahead = true;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((c, length)) = reference(rest) {
            text.push(c);
            rest = &rest[length..];
            continue;
        }
        let opens = rest.starts_with('<')
            && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        // Without a `>` ahead nothing later is a tag either; looking again each time would be quadratic.
        let end = if opens && tags_ahead {
            rest.find('>')
        } else {
            None
        };
        tags_ahead &= !opens || end.is_some();
        match end {
            Some(end) => {
                let name: String = rest[1..end]
                    .trim_start_matches('/')
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                let name = name.to_ascii_lowercase();
                if BLOCKS.contains(&name.as_str()) {
                    text.push(' ');
                } else if rest[1..].starts_with("sup") && name == "sup" {
                    text.push('^');
                }
                rest = &rest[end + 1..];
            }
            None => {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the character of the reference at the start of `text`, such as `&amp;` or `&#228;`, and its length.
fn reference(text: &str) -> Option<(char, usize)> {
    const NAMED: [(&str, char); 24] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("deg", '°'),
        ("times", '×'),
        ("euro", '€'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("bdquo", '„'),
    ];
    let body = text.strip_prefix('&')?;
    // The longest reference that is understood is `#x10FFFF`.
    let end = body.bytes().take(10).position(|b| b == b';')?;
    let name = &body[..end];
    let c = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_wrapping() {
        assert_eq!(
            plain(r" a\=b \~ \# \{x\} 10\:30\nnew \\ \q ", Markup::Moodle),
            "a=b ~ # {x} 10:30\nnew \\ \\q"
        );
        assert_eq!(plain("two\n   lines ", Markup::Moodle), "two lines");
        assert_eq!(plain("two\n  lines ", Markup::Lines), "two\n  lines");
        assert_eq!(plain("at the end\\", Markup::Moodle), "at the end\\");
    }

    #[test]
    fn html_becomes_text() {
        assert_eq!(
            plain(
                "<p>What is <b>10<sup>2</sup></b>?<br/>Yes</p>",
                Markup::Html
            ),
            "What is 10^2? Yes"
        );
        assert_eq!(
            plain(
                "a &lt; b &amp;&#228;&#xE9;&nbsp;&uuml; &unknown; &#0x; 1 < 2 <",
                Markup::Html
            ),
            "a < b &äé ü &unknown; &#0x; 1 < 2 <"
        );
        assert_eq!(plain("<b>left</b>", Markup::Moodle), "<b>left</b>");
    }

    #[test]
    fn markers() {
        assert_eq!(Markup::marker("[HTML]x"), (Markup::Html, 6));
        assert_eq!(Markup::marker("[markdown]x"), (Markup::Lines, 10));
        assert_eq!(Markup::marker("[x]"), (Markup::Moodle, 0));
        assert_eq!(Markup::marker("äöüäöü"), (Markup::Moodle, 0));
    }
}
