//! The body of `POST /api/audit` when it is JSON.

use super::{RequestError, begin, finish, read_list_of_questions};
use crate::{
    config::Limits,
    quiz::{Question, json::WireQuestions},
};
use schemars::JsonSchema;

/// A body that wants an audit.
const AUDIT_EXAMPLE: &str = r#"{"questions":[{"question":"…","answers":["…","…"],"correct":[2]}]}"#;

/// Questions whose keys are to be doubted, as the descriptions have it.
#[derive(JsonSchema)]
#[schemars(rename = "AuditRequest", rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the descriptions are made from it; the reader that finds every problem reads"
)]
pub(crate) struct WireAudit {
    /// The questions, with their keys.
    questions: WireQuestions,
}

/// Returns the questions that the JSON in `body` wants audited.
///
/// # Errors
/// Every problem of the body, see [`RequestError`].
pub fn parse_audit_request(body: &[u8], limits: &Limits) -> Result<Vec<Question>, RequestError> {
    let ([questions], mut problems) = begin(body, AUDIT_EXAMPLE, ["questions"])?;
    let questions = match questions {
        Some(questions) => read_list_of_questions(questions, limits, &mut problems),
        None => {
            problems.add(
                "questions",
                "is missing: send the questions with their keys",
            );
            Vec::new()
        }
    };
    finish(questions, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_and_nothing_else() {
        let read = |body: &str| parse_audit_request(body.as_bytes(), &Limits::default());
        let questions =
            read(r#"{"questions":[{"question":"Q","answers":["a","b"],"correct":[2]}]}"#).unwrap();
        assert_eq!(questions[0].correct, Some(vec![2]));
        assert!(read(r#"{"questions":[]}"#).is_err());
        assert!(
            read("{}")
                .unwrap_err()
                .to_string()
                .contains("with their keys")
        );
        assert!(
            read(r#"{"questions":[{"question":"Q","answers":["a","b"]}],"channel":"x"}"#).is_err()
        );
    }
}
