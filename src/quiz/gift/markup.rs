//! GIFT's text to plain text: escapes, wrapped lines, and HTML where a marker says so.

use crate::quiz::html;

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
        plain = html::text(&plain);
    }
    plain.trim().to_owned()
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
    fn html_needs_its_marker() {
        assert_eq!(plain("<b>left</b> \\= x", Markup::Html), "left = x");
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
