//! What is kept of a page's questions: those that may be asked, and a note on every one that may not.

use crate::{
    config::Limits,
    page::{FoundPage, PageError},
    quiz::check::check,
};

/// Leaves out questions beyond `limits`, and says so in the notes: one odd question must not cost the whole page.
///
/// # Errors
/// [`PageError::NoQuestions`] when none is left.
pub fn keep(mut found: FoundPage, limits: &Limits) -> Result<FoundPage, PageError> {
    let mut notes = Vec::new();
    let mut number = 0;
    found.questions.retain(|question| {
        number += 1;
        let problems = check(std::slice::from_ref(question), limits);
        if let Some(problem) = problems.first() {
            let path = problem.path.replacen("questions[0].", "", 1);
            notes.push(format!(
                "question {number} of the page was left out: its {path} {}",
                problem.problem
            ));
        }
        problems.is_empty()
    });
    let (kept, most) = (found.questions.len(), limits.max_questions);
    if kept > most {
        found.questions.truncate(most);
        notes.push(format!(
            "the page has {kept} questions, of which the first {most} were taken"
        ));
    }
    if found.questions.is_empty() {
        let left_out = notes
            .first()
            .map(|note| format!(" that can be asked: {note}"));
        let why = left_out.or_else(|| found.notes.first().map(|note| format!(": {note}")));
        return Err(PageError::NoQuestions(why.unwrap_or_default()));
    }
    found.notes.append(&mut notes);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        page::{Timings, Via},
        quiz::{Kind, Question},
    };

    fn found(texts: &[&str]) -> FoundPage {
        let question = |text: &&str| Question {
            text: (*text).to_owned(),
            options: vec!["a".into(), "b".into()],
            kind: Kind::Single,
            correct: None,
            id: None,
        };
        FoundPage {
            url: None,
            title: None,
            via: Via::Http,
            questions: texts.iter().map(question).collect(),
            notes: Vec::new(),
            timings: Timings::default(),
            picture: None,
        }
    }

    #[test]
    fn what_cannot_be_asked_is_left_out_with_a_note() {
        let limits = Limits {
            max_question_chars: 5,
            max_questions: 2,
            ..Limits::default()
        };
        let kept = keep(found(&["one", "too long", "two", "three"]), &limits).unwrap();
        let texts: Vec<_> = kept.questions.iter().map(|q| q.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"]);
        assert_eq!(
            kept.notes,
            [
                "question 2 of the page was left out: its question must have at most 5 characters, has 8",
                "the page has 3 questions, of which the first 2 were taken",
            ]
        );
    }

    #[test]
    fn a_page_of_which_nothing_is_left_has_no_questions() {
        let error = keep(found(&["\u{7}"]), &Limits::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no questions were found on the page that can be asked: question 1"),
            "{error}"
        );
        let error = keep(found(&[]), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "no questions were found on the page");
    }
}
