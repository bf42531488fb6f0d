//! One question's way: known already, being asked by somebody else, or to be asked of the model.

use crate::{
    actors::{
        ai_client::{AiClientMsg, SolveError},
        cache::{CacheMsg, Lease, Resolution, SharedFailure},
    },
    analysis::{Failure, FailureCode, QuestionResult, Source},
    provider::ProviderError,
    quiz::{
        Question,
        fingerprint::{fingerprint, from_canonical, to_canonical},
    },
    runtime::{AskError, Mailbox},
    solve::{Solution, decide::decide},
};
use std::sync::Arc;
use tokio::time::Instant;

/// Times that a question is asked again after an actor died over it. A restart takes a fraction of a second.
const ASK_AGAIN: u32 = 3;

/// How a question finds its answer. Cheap to clone.
#[derive(Clone)]
pub struct Solver {
    /// Answers already known.
    pub cache: Mailbox<CacheMsg>,
    /// Who asks the model.
    pub ai_client: Mailbox<AiClientMsg>,
    /// What besides the question determines an answer.
    pub provider_fingerprint: Arc<str>,
}

/// What became of one question.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: QuestionResult,
    pub(super) failure: Option<SharedFailure>,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
}

impl Outcome {
    /// Returns why the whole analysis failed, when no question has an answer.
    pub(super) fn common_failure(outcomes: &[Self]) -> Option<Failure> {
        let failures: Option<Vec<_>> = outcomes
            .iter()
            .map(|outcome| outcome.failure.as_ref())
            .collect();
        let first = failures?.into_iter().next()?;
        Some(Failure {
            code: first.code,
            error: first.error.clone(),
            retry_after: first.retry_after,
            details: Vec::new(),
        })
    }
}

impl Solver {
    /// Returns an answer, or the reason why there is none, by `deadline`.
    pub(super) async fn solve(
        &self,
        index: u32,
        question: &Arc<Question>,
        deadline: Instant,
    ) -> Outcome {
        #[cfg(test)]
        assert!(
            !question.text.starts_with("deadly"),
            "an analysis was made to die"
        );
        let fingerprint = fingerprint(question, &self.provider_fingerprint);
        let resolve = || {
            self.cache
                .ask(deadline, |reply| CacheMsg::Resolve { fingerprint, reply })
        };
        match again(resolve).await {
            Ok(Resolution::Known(solution)) => answered(index, question, &solution, Source::Cache),
            Ok(Resolution::Shared(Ok(solution))) => {
                answered(index, question, &solution, Source::Coalesced)
            }
            Ok(Resolution::Shared(Err(failure))) => failed(index, question, failure),
            Ok(Resolution::Lead(lease)) => {
                self.ask_model(index, question, Some(lease), deadline).await
            }
            // Without its cache the service is dearer, not down.
            Err(AskError::Down) => self.ask_model(index, question, None, deadline).await,
            Err(error) => failed(index, question, error.into()),
        }
    }

    async fn ask_model(
        &self,
        index: u32,
        question: &Arc<Question>,
        lease: Option<Lease>,
        deadline: Instant,
    ) -> Outcome {
        let ask = || {
            let question = Arc::clone(question);
            self.ai_client.ask(deadline, |reply| AiClientMsg::Solve {
                question,
                deadline,
                reply,
            })
        };
        let outcome = match again(ask).await {
            Ok(Ok(solution)) if solution.probabilities.len() == question.options.len() => {
                let probabilities = to_canonical(question, &solution.probabilities);
                Ok(Arc::new(Solution {
                    probabilities,
                    ..solution
                }))
            }
            Ok(Ok(_)) => Err(SharedFailure::from(SolveError::Provider(
                ProviderError::Invalid("it does not fit the number of options".to_owned()),
            ))),
            Ok(Err(error)) => Err(SharedFailure::from(error)),
            Err(error) => Err(SharedFailure::from(error)),
        };
        if let Some(lease) = lease {
            lease.settle(outcome.clone(), deadline).await;
        }
        match outcome {
            Ok(solution) => answered(index, question, &solution, Source::Model),
            Err(failure) => failed(index, question, failure),
        }
    }
}

/// Asks again when the actor died over it. Whatever is asked so must do no harm when it is done twice.
pub(super) async fn again<T, F: Future<Output = Result<T, AskError>>>(
    ask: impl Fn() -> F,
) -> Result<T, AskError> {
    let mut left = ASK_AGAIN;
    loop {
        match ask().await {
            Err(AskError::Down) if left > 0 => left -= 1,
            outcome => return outcome,
        }
    }
}

/// Turns a solution in canonical order into the result for this question.
pub fn known_result(
    index: u32,
    question: &Question,
    solution: &Solution,
    source: Source,
) -> QuestionResult {
    let probabilities = from_canonical(question, &solution.probabilities);
    let solution = Solution {
        probabilities,
        ..solution.clone()
    };
    let decision = decide(question, &solution);
    QuestionResult {
        index,
        id: question.id.clone(),
        answer: decision.selected.first().copied(),
        selected: decision.selected,
        confidence: Some(decision.confidence),
        probabilities: solution.probabilities,
        source: Some(source),
        model: Some(solution.model),
        method: Some(solution.method),
        calls: if source == Source::Model {
            solution.calls
        } else {
            0
        },
        flags: decision.flags,
        error: None,
    }
}

fn answered(index: u32, question: &Question, solution: &Solution, source: Source) -> Outcome {
    let asked = source == Source::Model;
    Outcome {
        result: known_result(index, question, solution, source),
        failure: None,
        prompt_tokens: if asked { solution.prompt_tokens } else { 0 },
        completion_tokens: if asked { solution.completion_tokens } else { 0 },
    }
}

fn failed(index: u32, question: &Question, failure: SharedFailure) -> Outcome {
    let result = QuestionResult {
        index,
        id: question.id.clone(),
        answer: None,
        selected: Vec::new(),
        confidence: None,
        probabilities: Vec::new(),
        source: None,
        model: None,
        method: None,
        calls: 0,
        flags: Vec::new(),
        error: Some(failure.error.clone()),
    };
    Outcome {
        result,
        failure: Some(failure),
        prompt_tokens: 0,
        completion_tokens: 0,
    }
}

impl From<AskError> for SharedFailure {
    fn from(error: AskError) -> Self {
        let Failure {
            code,
            error,
            retry_after,
            details: _,
        } = Failure::from(error);
        Self {
            code,
            error,
            retry_after,
        }
    }
}

impl From<SolveError> for SharedFailure {
    fn from(error: SolveError) -> Self {
        let text = error.to_string();
        let (code, retry_after) = match error {
            SolveError::CircuitOpen { retry_after, .. } => (
                FailureCode::AiUnavailable,
                Some(retry_after.as_secs().max(1)),
            ),
            SolveError::Provider(ProviderError::Timeout) => (FailureCode::TimedOut, None),
            SolveError::Provider(ProviderError::Unavailable(_)) => {
                (FailureCode::AiUnavailable, Some(10))
            }
            SolveError::Provider(ProviderError::RateLimited { retry_after }) => (
                FailureCode::AiUnavailable,
                Some(retry_after.map_or(5, |after| after.as_secs().max(1))),
            ),
            SolveError::Provider(_) => (FailureCode::AiFailed, None),
        };
        Self {
            code,
            error: text,
            retry_after,
        }
    }
}
