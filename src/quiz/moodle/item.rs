//! One `<question>` of a Moodle file: what its elements say, and the question that they make.

use crate::quiz::check::MAX_ID_CHARS;
use crate::quiz::problem::Position;
use crate::quiz::{Kind, OptionNumber, Question, html};
use std::borrow::Cow;

/// The elements that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Quiz,
    Question,
    Name,
    QuestionText,
    Answer,
    Single,
    Text,
    Other,
}

impl Element {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "quiz" => Self::Quiz,
            "question" => Self::Question,
            "name" => Self::Name,
            "questiontext" => Self::QuestionText,
            "answer" => Self::Answer,
            "single" => Self::Single,
            "text" => Self::Text,
            _ => Self::Other,
        }
    }
}

/// A text and how it is written.
#[derive(Debug, Default)]
struct Written {
    text: String,
    /// HTML, which is what no format means too.
    is_html: bool,
}

#[derive(Debug)]
struct Answer {
    written: Written,
    /// Percent of the points that this option brings.
    fraction: Option<f64>,
}

/// A question as far as it has been read.
#[derive(Debug)]
pub(super) struct Item {
    /// Where it begins.
    pub(super) at: Position,
    kind: String,
    name: String,
    asked: Written,
    single: String,
    answers: Vec<Answer>,
    /// A part of it cannot be read.
    problem: Option<&'static str>,
}

impl Item {
    pub(super) fn new(kind: String, at: Position) -> Self {
        Self {
            at,
            kind,
            name: String::new(),
            asked: Written::default(),
            single: String::new(),
            answers: Vec::new(),
            problem: None,
        }
    }

    /// Takes the beginning of `element`, which stands in the elements of `path`.
    ///
    /// # Errors
    /// Those of `attribute`.
    pub(super) fn start(
        &mut self,
        path: &[Element],
        element: Element,
        attribute: impl Fn(&str) -> Result<String, &'static str>,
    ) -> Result<(), &'static str> {
        let is_html = |format: &str| matches!(format, "" | "html" | "moodle_auto_format");
        match (path, element) {
            ([], Element::QuestionText) => self.asked.is_html = is_html(&attribute("format")?),
            ([], Element::Answer) => {
                let written = Written {
                    text: String::new(),
                    is_html: is_html(&attribute("format")?),
                };
                let fraction = attribute("fraction")?.trim().parse().ok();
                self.answers.push(Answer { written, fraction });
            }
            ([Element::QuestionText | Element::Answer, Element::Text, ..], _) => {
                self.problem = Some(
                    "has a <text> with elements in it; put its HTML into <![CDATA[…]]>, as Moodle does",
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a piece of the text in the elements of `path`.
    pub(super) fn text(&mut self, path: &[Element], piece: &str) {
        match path {
            [Element::Name, Element::Text] => self.name.push_str(piece),
            [Element::QuestionText, Element::Text] => self.asked.text.push_str(piece),
            [Element::Single] => self.single.push_str(piece),
            [Element::Answer, Element::Text] => {
                if let Some(answer) = self.answers.last_mut() {
                    answer.written.text.push_str(piece);
                }
            }
            _ => {}
        }
    }

    /// Returns the question; none when this is but a category.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn question(self) -> Result<Option<Question>, Cow<'static, str>> {
        if let Some(problem) = self.problem {
            return Err(problem.into());
        }
        let (options, kind, correct) = match self.kind.as_str() {
            "category" => return Ok(None),
            "multichoice" => choices(&self.answers, !is_false(&self.single)),
            "truefalse" => true_or_false(&self.answers),
            "" => return Err("has no type; write <question type=\"multichoice\">".into()),
            other => return Err(unshowable(other)),
        };
        let id: String = self.name.trim().chars().take(MAX_ID_CHARS).collect();
        Ok(Some(Question {
            text: self.asked.plain(),
            options,
            kind,
            correct: Some(correct).filter(|correct| !correct.is_empty()),
            id: Some(id).filter(|id| !id.is_empty()),
        }))
    }
}

impl Written {
    fn plain(&self) -> String {
        match self.is_html {
            true => html::text(&self.text),
            false => self.text.trim().to_owned(),
        }
    }
}

/// One option is right when it brings all points; of several, each that brings any.
fn choices(answers: &[Answer], single: bool) -> (Vec<String>, Kind, Vec<OptionNumber>) {
    let least = if single { 99.9 } else { f64::MIN_POSITIVE };
    let right = (1..)
        .zip(answers)
        .filter(|(_, answer)| answer.fraction.is_some_and(|fraction| fraction >= least));
    let correct: Vec<OptionNumber> = right.map(|(number, _)| number).collect();
    let kind = match !single || correct.len() > 1 {
        true => Kind::Multiple,
        false => Kind::Single,
    };
    let options = answers.iter().map(|answer| answer.written.plain());
    (options.collect(), kind, correct)
}

fn true_or_false(answers: &[Answer]) -> (Vec<String>, Kind, Vec<OptionNumber>) {
    let full = |answer: &&Answer| answer.fraction.is_some_and(|fraction| fraction > 0.0);
    let right = answers.iter().find(full);
    let correct = right.map(|answer| match is_false(&answer.written.text) {
        true => 2,
        false => 1,
    });
    let options = vec!["True".to_owned(), "False".to_owned()];
    (options, Kind::TrueFalse, correct.into_iter().collect())
}

fn is_false(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "false" | "0")
}

fn unshowable(kind: &str) -> Cow<'static, str> {
    match kind {
        "shortanswer" => "is a short-answer question, which has no wrong options to show".into(),
        "essay" => "is an essay question, which has no options to show".into(),
        "numerical" => "is a numeric question, which has no options to show".into(),
        "matching" => "is a matching question, which cannot be shown as options".into(),
        "description" => "is a description, which asks nothing".into(),
        other => {
            let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
            let named: String = other.chars().take(40).filter(plain).collect();
            format!(
                "is of the type {named}, which cannot be shown; multichoice and truefalse can be"
            )
            .into()
        }
    }
}
