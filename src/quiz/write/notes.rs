//! Notes put as comments into the very file that a quiz was read from: everything else in it stays as it is.

use super::{WriteError, one_line, xml_comment};
use crate::quiz::{
    file::{Format, Parsed, Place},
    node::Node,
};
use std::{borrow::Cow, collections::BTreeMap};

/// Returns `text`, which was read as `parsed`, with a comment before each question that has a note.
///
/// # Errors
/// [`WriteError::NoComments`].
pub fn with_notes(
    format: Format,
    text: &str,
    parsed: &Parsed,
    notes: &[Option<String>],
) -> Result<String, WriteError> {
    // A lone carriage return ends a line for the readers, and for nobody else.
    let lone = text.contains('\r') && text.replace("\r\n", "").contains('\r');
    let text = &match lone {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    };
    let noted = parsed
        .places
        .iter()
        .zip(notes)
        .filter_map(|(place, note)| Some((*place, note.as_deref()?)));
    match format {
        Format::Aiken if notes.iter().any(Option::is_some) => Err(WriteError::NoComments),
        Format::Aiken => Ok(text.to_string()),
        Format::Gift => Ok(insert(
            text,
            noted,
            |note| format!("// {}\n", one_line(note)),
            true,
        )),
        Format::Moodle | Format::Qti => {
            Ok(insert(text, noted, |note| xml_comment(note) + "\n", false))
        }
        Format::Json | Format::OpenTrivia => Ok(json(text, noted)),
    }
}

/// Puts what `written` makes of each note before its place; at the start of the line, if `whole_lines`.
fn insert<'a>(
    text: &str,
    noted: impl Iterator<Item = (Place, &'a str)>,
    written: impl Fn(&str) -> String,
    whole_lines: bool,
) -> String {
    let mut by_line: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    for (place, note) in noted {
        if let Place::At { line, column } = place {
            let column = if whole_lines { 1 } else { column };
            by_line
                .entry(line)
                .or_default()
                .push((column, written(note)));
        }
    }
    let mut out = String::with_capacity(text.len() + 100 * by_line.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        // A byte-order mark is no column of the file as it was read.
        let (mark, line) = match number {
            1 => line
                .strip_prefix('\u{FEFF}')
                .map_or(("", line), |rest| ("\u{FEFF}", rest)),
            _ => ("", line),
        };
        out.push_str(mark);
        let mut comments = by_line.remove(&number).unwrap_or_default();
        comments.sort_by_key(|(column, _)| *column);
        let mut comments = comments.into_iter().peekable();
        for (column, c) in (1..).zip(line.chars()) {
            while let Some((_, comment)) = comments.next_if(|(at, _)| *at <= column) {
                out.push_str(&comment);
            }
            out.push(c);
        }
    }
    out
}

fn json<'a>(text: &str, noted: impl Iterator<Item = (Place, &'a str)>) -> String {
    // It was read before, so it can be read again.
    let Ok(mut root) = serde_json::from_str::<Node>(text.trim_start_matches('\u{FEFF}')) else {
        return text.to_owned();
    };
    let list = match &mut root {
        Node::Map(entries) => entries
            .iter_mut()
            .find(|(name, _)| name == "questions" || name == "results")
            .map(|(_, list)| list),
        list => Some(list),
    };
    if let Some(Node::List(list)) = list {
        for (place, note) in noted {
            if let Place::Nth(index) = place
                && let Some(Node::Map(entries)) = list.get_mut(index)
            {
                entries.retain(|(name, _)| name != "comment");
                entries.push(("comment".to_owned(), Node::Text(note.to_owned())));
            }
        }
    }
    serde_json::to_string_pretty(&root).expect("what was read can be written") + "\n"
}
