//! Quiz files: which format one is in, and its questions.

use super::check::{Lengths, check_question};
use super::problem::{Position, Problem, Problems};
use super::{Question, aiken, gift, json, moodle, open_trivia, qti};
use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

/// A format that quizzes are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// An array of questions, or an object with `questions`.
    Json,
    /// Moodle's GIFT.
    Gift,
    /// Aiken: text, options with letters, `ANSWER: B`.
    Aiken,
    /// Moodle XML.
    Moodle,
    /// IMS QTI 1.2 or 2.x.
    Qti,
    /// Open Trivia DB's JSON.
    OpenTrivia,
}

/// Where a question stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It begins at this line and column, both counted from 1; columns count characters.
    At {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It is the entry with this index, counted from 0, of the list of questions.
    Nth(usize),
}

/// What a file holds. A question with a problem is left out, the others are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The questions that can be asked; each keeps the rules of [`check`](super::check::check) but for configured lengths.
    pub questions: Vec<Question>,
    /// Where each of them stands.
    pub places: Vec<Place>,
    /// What is wrong with the others; empty when there are none.
    pub problems: Vec<Problem>,
}

/// What a body is called in each format.
const CONTENT_TYPES: [(&str, Format); 6] = [
    ("application/json", Format::Json),
    ("text/x-gift", Format::Gift),
    ("text/x-aiken", Format::Aiken),
    ("application/vnd.moodle+xml", Format::Moodle),
    ("application/vnd.ims.qti+xml", Format::Qti),
    ("application/vnd.opentdb+json", Format::OpenTrivia),
];

impl Format {
    /// Returns the content types of quiz files, which JSON is not.
    pub(crate) fn quiz_files() -> impl Iterator<Item = &'static str> {
        let quiz_files = CONTENT_TYPES
            .into_iter()
            .filter(|(_, format)| *format != Self::Json);
        quiz_files.map(|(name, _)| name)
    }

    /// Returns the format of a body by its `Content-Type`; `None` for any other type.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        CONTENT_TYPES
            .into_iter()
            .find(|(name, _)| essence.eq_ignore_ascii_case(name))
            .map(|(_, format)| format)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Gift => "GIFT",
            Self::Aiken => "Aiken",
            Self::Moodle => "Moodle XML",
            Self::Qti => "QTI",
            Self::OpenTrivia => "Open Trivia DB's JSON",
        }
    }

    /// Returns the format of a file by its extension; `None` for `.txt`, any other and none. What `.xml` and `.json` hold
    /// their text says: [`Self::detect`].
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "json" => Some(Self::Json),
            "gift" => Some(Self::Gift),
            "aiken" => Some(Self::Aiken),
            "xml" => Some(Self::Moodle),
            _ => None,
        }
    }

    /// Returns the format of a file by its extension, else by its text.
    pub fn detect(path: Option<&Path>, text: &str) -> Self {
        match path
            .and_then(Self::of_name)
            .unwrap_or_else(|| Self::of_text(text))
        {
            Self::Moodle if qti::is_in(text) => Self::Qti,
            Self::Json if open_trivia::is_in(text) => Self::OpenTrivia,
            format => format,
        }
    }

    fn of_text(text: &str) -> Self {
        let text = text.trim_start_matches('\u{FEFF}').trim_start();
        if moodle::begins(text) || qti::is_in(text) && text.starts_with('<') {
            return Self::Moodle;
        }
        let mut start = text.chars();
        let opens = matches!(start.next(), Some('{' | '['));
        // GIFT may begin with a bracket too: `[html]`.
        if opens
            && matches!(
                start.as_str().trim_start().chars().next(),
                None | Some('"' | '{' | '[' | '}' | ']')
            )
        {
            Self::Json
        } else if text.lines().any(aiken::is_answer_line) {
            Self::Aiken
        } else {
            Self::Gift
        }
    }
}

/// Returns what `text` holds, read as `format`. A byte-order mark and line ends of any kind are understood.
pub fn parse(format: Format, text: &str) -> Parsed {
    let text = text.trim_start_matches('\u{FEFF}');
    let parsed = match format {
        Format::Json => json::parse(text),
        Format::Gift => gift::parse(&unix_lines(text)),
        Format::Aiken => aiken::parse(&unix_lines(text)),
        Format::Moodle => moodle::parse(&unix_lines(text)),
        Format::Qti => qti::parse(&unix_lines(text)),
        Format::OpenTrivia => open_trivia::parse(text),
    };
    if parsed.questions.is_empty() && parsed.problems.is_empty() {
        return Parsed {
            problems: vec![Problem::new(
                "file",
                "must have at least 1 question, has none",
            )],
            ..parsed
        };
    }
    parsed
}

fn unix_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What has been read of a file so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    questions: Vec<Question>,
    places: Vec<Place>,
    pub(super) problems: Problems,
}

impl Reading {
    /// Keeps `question`, which begins at `position`, when it can be asked; else notes its problems.
    pub(super) fn keep(&mut self, question: Question, position: Position) {
        let mut found = Problems::default();
        check_question(&question, Lengths::NONE, "", &mut found);
        if found.is_empty() {
            self.questions.push(question);
            let Position { line, column } = position;
            self.places.push(Place::At { line, column });
        }
        for Problem { path, problem } in found.into_vec() {
            let told = format_args!("{} {problem}", path.trim_start_matches('.'));
            self.problems.add(position, told);
        }
    }

    /// Keeps what was read of the entry with this index, which is at `path`, when it can be asked; else notes its problems.
    pub(super) fn keep_nth(
        &mut self,
        question: Option<Question>,
        index: usize,
        path: &str,
        mut found: Problems,
    ) {
        if let Some(question) = &question {
            check_question(question, Lengths::NONE, path, &mut found);
        }
        if let Some(question) = question.filter(|_| found.is_empty()) {
            self.questions.push(question);
            self.places.push(Place::Nth(index));
        }
        for Problem { path, problem } in found.into_vec() {
            self.problems.add(path, problem);
        }
    }

    /// Notes what is wrong at `position`.
    pub(super) fn problem(&mut self, position: Position, what: impl Display) {
        self.problems.add(position, what);
    }

    pub(super) fn done(self) -> Parsed {
        Parsed {
            questions: self.questions,
            places: self.places,
            problems: self.problems.into_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        assert_eq!(
            Format::from_content_type("Text/X-GIFT; charset=utf-8"),
            Some(Format::Gift)
        );
        assert_eq!(
            Format::from_content_type("text/x-aiken"),
            Some(Format::Aiken)
        );
        assert_eq!(
            Format::from_content_type("application/json"),
            Some(Format::Json)
        );
        assert_eq!(
            Format::from_content_type("application/vnd.moodle+xml"),
            Some(Format::Moodle)
        );
        assert_eq!(Format::from_content_type("text/plain"), None);
    }

    #[test]
    fn extension_counts_before_text() {
        assert_eq!(
            Format::detect(Some(Path::new("a/quiz.GIFT")), "[]"),
            Format::Gift
        );
        assert_eq!(
            Format::detect(Some(Path::new("quiz.aiken")), ""),
            Format::Aiken
        );
        assert_eq!(
            Format::detect(Some(Path::new("quiz.json")), ""),
            Format::Json
        );
    }

    #[test]
    fn text_tells_the_format() {
        for (text, format) in [
            ("\u{FEFF}\n [ {\"question\":", Format::Json),
            ("{\"questions\":[]}", Format::Json),
            ("[html]<p>Q</p>{=a ~b}", Format::Gift),
            ("Q {=a ~b}", Format::Gift),
            ("\u{FEFF}\n<?xml version=\"1.0\"?>\n<quiz>", Format::Moodle),
            ("<quiz/>", Format::Moodle),
            ("<?xml version=\"1.0\"?><questestinterop/>", Format::Qti),
            ("<assessmentItem/>", Format::Qti),
            (
                "{\"results\":[{\"incorrect_answers\":[]}]}",
                Format::OpenTrivia,
            ),
            ("<p>Is it? {T}", Format::Gift),
            ("Q\r\nA. a\r\nB. b\r\nAnswer : B", Format::Aiken),
        ] {
            assert_eq!(Format::detect(None, text), format, "{text}");
            assert_eq!(
                Format::detect(Some(Path::new("quiz.txt")), text),
                format,
                "{text}"
            );
        }
    }

    #[test]
    fn windows_files_read_like_others() {
        let parsed = parse(Format::Aiken, "\u{FEFF}Q\r\nA. a\r\nB. b\r\nANSWER: B\r\n");
        assert_eq!((parsed.questions.len(), parsed.problems.len()), (1, 0));
        assert_eq!(parsed.questions[0].options, ["a", "b"]);
    }

    #[test]
    fn the_examples_are_whole() {
        for (name, text) in [
            (
                "general-knowledge.json",
                include_str!("../../examples/general-knowledge.json"),
            ),
            ("science.gift", include_str!("../../examples/science.gift")),
            (
                "deutsch.aiken",
                include_str!("../../examples/deutsch.aiken"),
            ),
            (
                "geography.xml",
                include_str!("../../examples/geography.xml"),
            ),
        ] {
            let format = Format::detect(Some(Path::new(name)), text);
            assert_eq!(Format::detect(None, text), format, "{name}");
            let parsed = parse(format, text);
            assert_eq!(parsed.problems, [], "{name}");
            assert_eq!(parsed.questions.len(), 20, "{name}");
            let mut keys = [0; 4];
            for question in &parsed.questions {
                let key = question
                    .correct
                    .as_ref()
                    .expect("every example carries its key");
                keys[key[0] as usize - 1] += 1;
            }
            assert!(
                keys.iter().all(|&count| count >= 3),
                "{name}: the key is lopsided: {keys:?}"
            );
        }
    }

    #[test]
    fn an_empty_file_is_a_problem() {
        for (_, format) in CONTENT_TYPES {
            assert!(!parse(format, " \n").problems.is_empty());
        }
        assert_eq!(
            parse(Format::Json, "[]").problems[0].problem,
            "must have at least 1 question, has none"
        );
    }
}
