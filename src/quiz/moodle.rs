//! Moodle XML, as Moodle exports its question bank: `<quiz><question type="multichoice">…`.
//!
//! Read are single choice, multiple choice (by `fraction`) and true or false. Categories are passed over. Questions of
//! other types cannot be shown: each is a problem, and the rest is still read.

mod item;

use super::file::{Parsed, Reading};
use super::{place::Places, problem::Position, xml};
use item::{Element, Item};

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

/// Most elements that may be open at once; Moodle's own files have 5.
const MAX_DEPTH: usize = 32;

/// Returns whether `text` looks like XML, as far as its beginning tells.
pub(super) fn begins(text: &str) -> bool {
    ["<?xml", "<quiz", "<!--", "<!DOCTYPE"].iter().any(|start| {
        text.get(..start.len())
            .is_some_and(|begins| begins.eq_ignore_ascii_case(start))
    })
}

/// Returns the questions in `text`, whose lines end in `\n`, and every problem with its line and column.
///
/// Where the XML itself is broken, what came before is there and nothing after it.
pub fn parse(text: &str) -> Parsed {
    let mut file = File {
        places: Places::new(text),
        open: Vec::new(),
        at: Position { line: 1, column: 1 },
        has_quiz: false,
        item: None,
        reading: Reading::default(),
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    if let Err(problem) = file.read(&mut reader) {
        file.reading.problem(file.at, problem);
    }
    file.reading.done()
}

struct File<'a> {
    places: Places<'a>,
    /// The elements that are open, the innermost last.
    open: Vec<Element>,
    /// Where the present piece of XML begins.
    at: Position,
    has_quiz: bool,
    /// The question that is open.
    item: Option<Item>,
    reading: Reading,
}

impl File<'_> {
    /// Reads to the end.
    ///
    /// # Errors
    /// What is wrong with the XML at `self.at`, after which nothing can be read.
    fn read(&mut self, reader: &mut Reader<&[u8]>) -> Result<(), &'static str> {
        loop {
            let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            self.at = self.places.position(offset);
            let event = reader.read_event().map_err(|error| xml::broken(&error))?;
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text)?,
                Event::CData(text) => self.text(&text)?,
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::DocType(_) => {
                    return Err("is a DOCTYPE, which a Moodle file has no use for; remove it");
                }
                Event::Eof if self.open.is_empty() && self.has_quiz => return Ok(()),
                Event::Eof if self.open.is_empty() => {
                    return Err("is no Moodle XML: it must have a <quiz> with its <question>s");
                }
                Event::Eof => {
                    return Err("the file ends here, and an element is still open; is it whole?");
                }
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), &'static str> {
        let element = Element::of(start.name().as_ref());
        match (self.open.as_slice(), element) {
            ([], Element::Quiz) if !self.has_quiz => self.has_quiz = true,
            ([], _) => {
                return Err("must be the one <quiz> of the file, with its <question>s in it");
            }
            ([Element::Quiz], Element::Question) => {
                let kind = attribute(start, "type")?;
                self.item = Some(Item::new(kind, self.at));
            }
            ([Element::Quiz, Element::Question, path @ ..], _) => {
                if let Some(item) = &mut self.item {
                    item.start(path, element, |name| attribute(start, name))?;
                }
            }
            _ => {}
        }
        if self.open.len() >= MAX_DEPTH {
            return Err("is nested too deep for a Moodle file");
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        self.open.pop();
        if matches!(self.open.as_slice(), [Element::Quiz])
            && let Some(item) = self.item.take()
        {
            let at = item.at;
            match item.question() {
                Ok(Some(question)) => self.reading.keep(question, at),
                Ok(None) => {}
                Err(problem) => self.reading.problem(at, problem),
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        match (self.open.as_slice(), &mut self.item) {
            ([Element::Quiz, Element::Question, path @ ..], Some(item)) => item.text(path, text),
            ([], _) if !text.trim().is_empty() => {
                return Err("is no XML; a Moodle file begins with <?xml or <quiz>");
            }
            _ => {}
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), &'static str> {
        self.text(&xml::resolved(reference)?)
    }
}

/// Returns the value of an attribute; nothing when there is none.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<String, &'static str> {
    let broken = "has an attribute that is not name=\"value\"";
    match start.try_get_attribute(name) {
        Ok(Some(found)) => match found.normalized_value(quick_xml::XmlVersion::default()) {
            Ok(value) => Ok(value.into_owned()),
            Err(_) => Err(broken),
        },
        Ok(None) => Ok(String::new()),
        Err(_) => Err(broken),
    }
}

#[cfg(test)]
mod tests;
