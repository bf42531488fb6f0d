//! Reports: how they begin, and the outcome in words.

use super::StartRequest;
use crate::analysis::{Failure, FailureCode, Report, Status, Usage};

pub(super) fn first_report(id: &str, request: &StartRequest) -> Report {
    let questions = request.subject.questions().len();
    Report {
        status: Status::Running,
        answers: vec![None; questions],
        question_count: u32::try_from(questions).unwrap_or(u32::MAX),
        message: "Analysis running".to_owned(),
        analysis_id: id.to_owned(),
        channel: request.channel.clone(),
        position: None,
        results: Vec::new(),
        usage: Usage::default(),
        timeline: None,
        found: None,
        timestamp: request.timestamp.clone(),
        failure: None,
    }
}

/// Returns the outcome in words.
pub fn words(report: &Report, failure: Option<&Failure>) -> String {
    let (answered, all) = (
        report.answers.iter().flatten().count(),
        report.answers.len(),
    );
    match failure {
        Some(failure)
            if matches!(
                failure.code,
                FailureCode::Internal
                    | FailureCode::NoQuestionsFound
                    | FailureCode::PageBlocked
                    | FailureCode::PageFailed
            ) =>
        {
            failure.error.clone()
        }
        Some(_) => "No question could be answered".to_owned(),
        None if answered == all => "Questions analyzed successfully".to_owned(),
        None => format!("{answered} of {all} questions answered"),
    }
}
