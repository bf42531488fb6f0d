//! One question's way: known already, being asked by somebody else, or to be asked of the model.

use crate::{
    actors::{
        ai_client::{Account, AiClientMsg, SolveError},
        cache::{CacheMsg, Lease, Resolution, SharedFailure},
    },
    analysis::{CacheUse, Failure, FailureCode, QuestionResult, Source, Wishes},
    provider::ProviderError,
    quiz::{
        Question,
        fingerprint::{Fingerprint, fingerprint, from_canonical, to_canonical},
    },
    runtime::{AskError, Mailbox},
    solve::{
        Solution,
        calibration::Calibrations,
        decide::{NEEDS_IMAGE, decide, prediction_set},
        seen::needs_image,
    },
};
use std::sync::Arc;
use tokio::time::Instant;
use tracing::warn;

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
    /// How the models' probabilities are to be read.
    pub calibrations: Arc<Calibrations>,
    /// Tries after failures that the questions of one analysis share.
    pub retries: u32,
}

/// One question of an analysis, and what its client wishes.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) index: u32,
    pub(super) question: Arc<Question>,
    pub(super) wishes: Arc<Wishes>,
    pub(super) account: Arc<Account>,
    pub(super) deadline: Instant,
}

/// What became of one question.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: QuestionResult,
    pub(super) failure: Option<SharedFailure>,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    pub(super) cost_usd: f64,
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
    /// Returns an answer, or the reason why there is none, by its deadline.
    pub(super) async fn solve(&self, asked: &Asked) -> Outcome {
        let question = &asked.question;
        #[cfg(test)]
        assert!(
            !question.text.starts_with("deadly"),
            "an analysis was made to die"
        );
        if needs_image(&question.text) {
            // The picture is no part of the fingerprint, so nothing is looked up and nothing kept.
            return match asked.account.picture {
                Some(_) => {
                    let outcome = self.ask_model(asked).await;
                    self.outcome(asked, outcome)
                }
                None => unseen(asked),
            };
        }
        let fingerprint = fingerprint(question, &self.provider_fingerprint);
        let looked_up = match asked.wishes.cache {
            CacheUse::Normal => {
                let resolve = || {
                    self.cache.ask(asked.deadline, |reply| CacheMsg::Resolve {
                        fingerprint,
                        reply,
                    })
                };
                again(resolve).await
            }
            CacheUse::Refresh | CacheUse::Bypass => return self.ask_anew(asked, fingerprint).await,
            CacheUse::Only => return self.look_up(asked, fingerprint).await,
        };
        match looked_up {
            Ok(Resolution::Known(solution)) => self.answered(asked, &solution, Source::Cache),
            Ok(Resolution::Shared(Ok(solution))) => {
                self.answered(asked, &solution, Source::Coalesced)
            }
            Ok(Resolution::Shared(Err(failure))) => failed(asked, failure),
            Ok(Resolution::Lead(lease)) => {
                let outcome = self.ask_model(asked).await;
                Lease::settle(lease, outcome.clone(), asked.deadline).await;
                self.outcome(asked, outcome)
            }
            // Without its cache the service is dearer, not down.
            Err(AskError::Down) => {
                let outcome = self.ask_model(asked).await;
                self.outcome(asked, outcome)
            }
            Err(error) => failed(asked, error.into()),
        }
    }

    /// Asks the model whatever is known, and keeps the answer if that is wished.
    async fn ask_anew(&self, asked: &Asked, fingerprint: Fingerprint) -> Outcome {
        let outcome = self.ask_model(asked).await;
        if asked.wishes.cache == CacheUse::Refresh && outcome.is_ok() {
            let kept = self.cache.ask(asked.deadline, |reply| CacheMsg::Settle {
                fingerprint,
                outcome: outcome.clone(),
                reply,
            });
            if let Err(error) = kept.await {
                warn!(%error, "cannot keep an answer");
            }
        }
        self.outcome(asked, outcome)
    }

    /// Returns what is known, and asks nobody.
    async fn look_up(&self, asked: &Asked, fingerprint: Fingerprint) -> Outcome {
        let look = || {
            self.cache.ask(asked.deadline, |reply| CacheMsg::LookUp {
                fingerprint,
                reply,
            })
        };
        match again(look).await {
            Ok(Some(solution)) => self.answered(asked, &solution, Source::Cache),
            Ok(None) => failed(
                asked,
                SharedFailure {
                    code: FailureCode::NotCached,
                    error: "no answer is known, and Cache-Control: only-if-cached forbids to ask"
                        .to_owned(),
                    retry_after: None,
                },
            ),
            Err(error) => failed(asked, error.into()),
        }
    }

    /// Asks the model; probabilities are in the canonical order.
    async fn ask_model(&self, asked: &Asked) -> Result<Arc<Solution>, SharedFailure> {
        let (question, deadline) = (&asked.question, asked.deadline);
        let ask = || {
            let (question, account) = (Arc::clone(question), Arc::clone(&asked.account));
            self.ai_client.ask(deadline, |reply| AiClientMsg::Solve {
                question,
                account,
                deadline,
                reply,
            })
        };
        let solution = again(ask).await??;
        let probabilities = to_canonical(question, &solution.probabilities);
        Ok(Arc::new(Solution {
            probabilities,
            ..solution
        }))
    }

    fn outcome(&self, asked: &Asked, outcome: Result<Arc<Solution>, SharedFailure>) -> Outcome {
        match outcome {
            Ok(solution) => self.answered(asked, &solution, Source::Model),
            Err(failure) => failed(asked, failure),
        }
    }

    fn answered(&self, asked: &Asked, solution: &Solution, source: Source) -> Outcome {
        let was_asked = source == Source::Model;
        let paid = |tokens| if was_asked { tokens } else { 0 };
        let with_set = asked.wishes.prediction_set;
        Outcome {
            result: known_result(
                asked.index,
                &asked.question,
                solution,
                source,
                &self.calibrations,
                with_set,
            ),
            failure: None,
            prompt_tokens: paid(solution.prompt_tokens),
            completion_tokens: paid(solution.completion_tokens),
            cost_usd: if was_asked { solution.cost_usd } else { 0.0 },
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
    calibrations: &Calibrations,
    with_set: bool,
) -> QuestionResult {
    let probabilities = from_canonical(question, &solution.probabilities);
    let solution = Solution {
        probabilities,
        ..solution.clone()
    };
    let reading = calibrations.reading(&solution.model, solution.method);
    let decision = decide(question, &solution, reading);
    QuestionResult {
        index,
        id: question.id.clone(),
        answer: decision.selected.first().copied(),
        prediction_set: with_set.then(|| prediction_set(question, &decision, reading.calibration)),
        selected: decision.selected,
        confidence: Some(decision.confidence),
        probabilities: decision.probabilities,
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

fn failed(asked: &Asked, failure: SharedFailure) -> Outcome {
    let result = QuestionResult {
        index: asked.index,
        id: asked.question.id.clone(),
        answer: None,
        selected: Vec::new(),
        confidence: None,
        probabilities: Vec::new(),
        source: None,
        model: None,
        method: None,
        calls: 0,
        flags: Vec::new(),
        prediction_set: None,
        error: Some(failure.error.clone()),
    };
    Outcome {
        result,
        failure: Some(failure),
        prompt_tokens: 0,
        completion_tokens: 0,
        cost_usd: 0.0,
    }
}

/// A model that cannot see would guess, and its guess would look like an answer.
fn unseen(asked: &Asked) -> Outcome {
    let failure = SharedFailure {
        code: FailureCode::NeedsImage,
        error: "the question cannot be answered without its picture: describe what the picture shows as [image: …]".to_owned(),
        retry_after: None,
    };
    let mut outcome = failed(asked, failure);
    outcome.result.flags.push(NEEDS_IMAGE.to_owned());
    outcome
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
            SolveError::Budget(exhausted) => (
                FailureCode::BudgetExhausted,
                exhausted.retry_after.map(|wait| wait.as_secs().max(1)),
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
