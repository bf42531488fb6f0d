//! XML as a tree, for formats whose parts refer to each other.

use super::{place::Places, problem::Position};
use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

/// Most elements that may be open at once; exports of learning platforms have some 15.
const MAX_DEPTH: usize = 64;

/// An element with all that is in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    /// Without its prefix.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Child>,
    /// Where it begins.
    pub(super) at: Position,
}

/// What stands in an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    /// Returns the value of an attribute; nothing when there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Returns the elements directly in this one.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// Returns every element with one of these names in here, however deep, but none within another of them.
    pub(super) fn find_all<'a>(&'a self, names: &[&str]) -> Vec<&'a Self> {
        let mut found = Vec::new();
        self.collect(names, &mut found);
        found
    }

    fn collect<'a>(&'a self, names: &[&str], found: &mut Vec<&'a Self>) {
        for element in self.elements() {
            match names.contains(&element.name.as_str()) {
                true => found.push(element),
                false => element.collect(names, found),
            }
        }
    }

    /// Returns all text in here as it stands.
    pub(super) fn raw_text(&self) -> String {
        let pieces = self.children.iter().map(|child| match child {
            Child::Text(text) => text.clone(),
            Child::Element(element) => element.raw_text(),
        });
        pieces.collect()
    }
}

/// Returns the root of `text`.
///
/// # Errors
/// Where and why it is no XML that can be read.
pub(super) fn read(text: &str) -> Result<Element, (Position, &'static str)> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut places = Places::new(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let at = places.position(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        let wrong = |what| (at, what);
        let event = reader.read_event().map_err(|error| wrong(broken(&error)))?;
        match event {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(wrong("is nested too deep for a quiz file"));
                }
                if open.is_empty() && root.is_some() {
                    return Err(wrong("is a second root; an XML file has one"));
                }
                open.push(element(&start, at).map_err(wrong)?);
            }
            Event::End(_) => {
                let Some(done) = open.pop() else {
                    return Err(wrong("closes an element that is not open"));
                };
                match open.last_mut() {
                    Some(parent) => parent.children.push(Child::Element(done)),
                    None => root = Some(done),
                }
            }
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(reference) => add(&mut open, &resolved(&reference).map_err(wrong)?),
            Event::DocType(_) => {
                return Err(wrong(
                    "is a DOCTYPE, which a quiz file has no use for; remove it",
                ));
            }
            Event::Eof => match (root, open.is_empty()) {
                (Some(root), true) => return Ok(root),
                (_, false) => {
                    return Err(wrong(
                        "the file ends here, and an element is still open; is it whole?",
                    ));
                }
                (None, true) => return Err(wrong("holds no element")),
            },
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// Returns the text that a reference such as `&lt;` or `&#228;` stands for.
///
/// # Errors
/// XML does not know it.
pub(super) fn resolved(reference: &BytesRef<'_>) -> Result<String, &'static str> {
    let known = match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(c.to_string()),
        Ok(None) => quick_xml::escape::resolve_xml_entity(reference).map(ToOwned::to_owned),
        Err(_) => None,
    };
    known.ok_or("is a reference that XML does not know; write the character itself, or &#…; with its number")
}

/// The library's own words quote what they met, however long that is.
pub(super) fn broken(error: &quick_xml::Error) -> &'static str {
    use quick_xml::{Error, errors::IllFormedError};
    match error {
        Error::Syntax(_) => "opens something that is never closed; is the file whole?",
        Error::IllFormed(
            IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
        ) => "closes another element than the one that is open",
        _ => "is not well-formed XML",
    }
}

fn add(open: &mut [Element], piece: &str) {
    if let Some(element) = open.last_mut() {
        match element.children.last_mut() {
            Some(Child::Text(text)) => text.push_str(piece),
            _ => element.children.push(Child::Text(piece.to_owned())),
        }
    }
}

fn element(start: &BytesStart<'_>, at: Position) -> Result<Element, &'static str> {
    let local = |name: &str| name.rsplit(':').next().unwrap_or(name).to_owned();
    let broken = "has an attribute that is not name=\"value\"";
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.map_err(|_| broken)?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::default())
            .map_err(|_| broken)?;
        Ok((local(attribute.key.as_ref()), value.into_owned()))
    });
    Ok(Element {
        name: local(start.name().as_ref()),
        attributes: attributes.collect::<Result<_, &'static str>>()?,
        children: Vec::new(),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_tree_with_places() {
        let root =
            read("<?xml version=\"1.0\"?>\n<q:a x='1 &amp; 2'>\n  <b/>t&lt;<![CDATA[<i>]]></q:a>")
                .unwrap();
        assert_eq!(
            (root.name.as_str(), root.attribute("x"), root.attribute("y")),
            ("a", "1 & 2", "")
        );
        assert_eq!(root.find_all(&["b"])[0].at, Position { line: 3, column: 3 });
        assert_eq!(root.raw_text().trim(), "t<<i>");
    }

    #[test]
    fn says_where_it_is_broken() {
        for (text, line, what) in [
            ("<a>\n<b></a>", 2, "closes another element"),
            ("<a>\n&nbsp;</a>", 2, "reference"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a/>", 1, "DOCTYPE"),
            ("<a>\n", 2, "still open"),
            ("  ", 1, "no element"),
        ] {
            let (at, told) = read(text).unwrap_err();
            assert!(
                at.line == line && told.contains(what),
                "{text}: {at} {told}"
            );
        }
        assert!(read(&"<a>".repeat(100)).unwrap_err().1.contains("too deep"));
    }
}
