//! Audit: is the key of each question right, and is the question well made? Pure: the model's word comes as an analysis.
//!
//! The model never sees the key. What it thinks of each question is set against the key afterwards; beside that, rules of
//! item writing that need no model are checked.

pub mod flaws;
pub mod report;
pub mod verdict;

use crate::{
    analysis::{QuestionResult, Report, Usage},
    quiz::{OptionNumber, Question, problem::Problem},
};
use flaws::Flaw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use verdict::Verdict;

/// What was found of one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The question's number, counted from 1.
    pub index: u32,
    /// The author's name for the question.
    pub id: Option<String>,
    /// What is asked.
    pub question: String,
    /// The options.
    pub answers: Vec<String>,
    /// The author's key; `None` where the quiz carries none.
    pub correct: Option<Vec<OptionNumber>>,
    /// What the model thinks of the key; `None` where no model was asked.
    pub verdict: Option<Verdict>,
    /// What the model would have answered.
    pub selected: Vec<OptionNumber>,
    /// One probability per option.
    pub probabilities: Vec<f64>,
    /// The verdict in words; empty where no model was asked.
    pub reason: String,
    /// What is wrong with the question itself.
    pub flaws: Vec<Flaw>,
}

/// An audit of a whole quiz.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// `success`, always: a failure has the shape of an error.
    pub status: Done,
    /// How many questions there are.
    pub question_count: u32,
    /// How many keys are doubted.
    pub doubted_keys: u32,
    /// How many flaws were found, those of the quiz as a whole included.
    pub flaw_count: u32,
    /// The questions, in order.
    pub items: Vec<Item>,
    /// What is wrong with the quiz as a whole.
    pub quiz_flaws: Vec<Flaw>,
    /// Questions that could not be read.
    pub problems: Vec<Problem>,
    /// The model that was asked; `None` where none was.
    pub model: Option<String>,
    /// What it cost.
    pub usage: Usage,
}

/// The `status` of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Done {
    /// It came to its end.
    Success,
}

impl Audit {
    /// Sets what `report` says, if a model was asked, against the keys of `questions`.
    pub fn new(questions: &[Question], report: Option<&Report>, problems: Vec<Problem>) -> Self {
        let result = |index: usize| report.and_then(|report| report.results.get(index));
        let items: Vec<Item> = questions
            .iter()
            .enumerate()
            .map(|(index, question)| item(index, question, result(index)))
            .collect();
        let quiz_flaws = flaws::of_quiz(questions);
        let doubted = items
            .iter()
            .filter(|item| item.verdict.is_some_and(Verdict::is_doubt))
            .count();
        let flaws = quiz_flaws.len() + items.iter().map(|item| item.flaws.len()).sum::<usize>();
        let model = report.and_then(|report| {
            report
                .results
                .iter()
                .find_map(|result| result.model.clone())
        });
        Self {
            status: Done::Success,
            question_count: number(questions.len()),
            doubted_keys: number(doubted),
            flaw_count: number(flaws),
            items,
            quiz_flaws,
            problems,
            model,
            usage: report
                .map(|report| report.usage.clone())
                .unwrap_or_default(),
        }
    }

    /// Returns the outcome in words.
    pub fn summary(&self) -> String {
        let keys = match (&self.model, self.doubted_keys) {
            (None, _) => "no model was asked about the keys".to_owned(),
            (Some(_), 0) => "no key is doubted".to_owned(),
            (Some(_), 1) => "1 key is doubted".to_owned(),
            (Some(_), many) => format!("{many} keys are doubted"),
        };
        let flaws = match self.flaw_count {
            0 => "no flaw was found".to_owned(),
            1 => "1 flaw was found".to_owned(),
            many => format!("{many} flaws were found"),
        };
        let unread = match self.problems.len() {
            0 => String::new(),
            1 => ", 1 problem kept something from being read".to_owned(),
            many => format!(", {many} problems kept something from being read"),
        };
        let questions = if self.question_count == 1 {
            "question"
        } else {
            "questions"
        };
        format!(
            "{} {questions}: {keys}, {flaws}{unread}",
            self.question_count
        )
    }
}

fn item(index: usize, question: &Question, result: Option<&QuestionResult>) -> Item {
    let judged = result.map(|result| verdict::judge(question, result));
    let (verdict, reason) = judged.map_or((None, String::new()), |(verdict, reason)| {
        (Some(verdict), reason)
    });
    Item {
        index: number(index + 1),
        id: question.id.clone(),
        question: question.text.clone(),
        answers: question.options.clone(),
        correct: question.correct.clone(),
        verdict,
        selected: result
            .map(|result| result.selected.clone())
            .unwrap_or_default(),
        probabilities: result
            .map(|result| result.probabilities.clone())
            .unwrap_or_default(),
        reason,
        flaws: flaws::of_question(question),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
