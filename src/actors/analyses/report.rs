//! Reports: how they begin, and the outcome in words.

use super::StartRequest;
use crate::analysis::{Failure, FailureCode, Report, Status, Usage};

pub(super) fn first_report(id: &str, request: &StartRequest) -> Report {
    let questions = u32::try_from(request.questions.len()).unwrap_or(u32::MAX);
    Report {
        status: Status::Running,
        answers: vec![None; request.questions.len()],
        question_count: questions,
        message: "Analysis running".to_owned(),
        analysis_id: id.to_owned(),
        channel: request.channel.clone(),
        position: None,
        results: Vec::new(),
        usage: Usage::default(),
        timeline: None,
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
        Some(failure) if failure.code == FailureCode::Internal => failure.error.clone(),
        Some(_) => "No question could be answered".to_owned(),
        None if answered == all => "Questions analyzed successfully".to_owned(),
        None => format!("{answered} of {all} questions answered"),
    }
}
