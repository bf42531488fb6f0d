//! Answers from any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp and others.
//!
//! Asks for the log-probabilities of the option letters; a server that gives none is asked for JSON by schema, and one that
//! knows neither is asked in words. What a server refuses is remembered for the life of the provider.

mod dialect;
mod endpoint;
mod refusal;
mod transport;
mod wire;

#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;

use super::{Chain, Provider, ProviderError, install_crypto};
use crate::config::{Ai, AskMethod};
use crate::page::Picture;
use crate::quiz::Question;
use crate::solve::{Method, Solution, logprobs, prompt, reply};
use async_openai::Client;
use dialect::{Ask, Dialect, Memory};
use endpoint::Endpoint;
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use transport::{Failure, Transport};
use wire::{Completion, Request};

/// A model behind an OpenAI-compatible server. One HTTP request per call, never a hidden retry.
#[derive(Debug)]
pub struct OpenAiProvider {
    client: Client<Endpoint>,
    name: String,
    model: String,
    method: AskMethod,
    fingerprint: String,
    /// Whether the server is OpenAI's own, whose newer models know other parameters than most servers.
    hosted: bool,
    memory: Memory,
}

/// Returns the providers that `settings` name: the first server, those after it, and the second model on the first.
///
/// # Errors
/// As [`OpenAiProvider::new`].
pub fn chain(settings: &Ai) -> Result<Chain, ProviderError> {
    let mut members: Vec<Arc<dyn Provider>> = vec![Arc::new(OpenAiProvider::new(settings)?)];
    for fallback in settings.fallbacks() {
        let settings = Ai {
            api_key: fallback.key,
            base_url: Some(fallback.base_url),
            model: fallback.model,
            ..settings.clone()
        };
        let provider = OpenAiProvider::new(&settings)?;
        members.push(Arc::new(OpenAiProvider {
            name: fallback.name,
            ..provider
        }));
    }
    let second = settings.second_model.clone().map(|model| {
        let settings = Ai {
            model,
            ..settings.clone()
        };
        let provider = OpenAiProvider::new(&settings)?;
        Ok::<_, ProviderError>(Arc::new(OpenAiProvider {
            name: "second".to_owned(),
            ..provider
        }) as Arc<dyn Provider>)
    });
    Ok(Chain {
        members,
        second: second.transpose()?,
    })
}

impl OpenAiProvider {
    /// Prepares calls to the server in `settings`; connects to nothing yet.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when there is neither a key nor a base address, or one of them cannot be used.
    pub fn new(settings: &Ai) -> Result<Self, ProviderError> {
        install_crypto();
        let endpoint = Endpoint::new(settings)?;
        let call_timeout = Duration::from_millis(settings.call_timeout_ms);
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .read_timeout(call_timeout)
            .timeout(call_timeout)
            // A redirected POST arrives as a GET without its body: better to say that the address is wrong.
            .redirect(reqwest::redirect::Policy::none());
        if endpoint.is_loopback() {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| {
            ProviderError::Unavailable(format!("no HTTP client: {}", transport::innermost(&error)))
        })?;
        Ok(Self {
            fingerprint: format!(
                "openai:{}:{}:p{}:{:?}",
                endpoint.base(),
                settings.model,
                prompt::PROMPT_VERSION,
                settings.method,
            ),
            name: "openai".to_owned(),
            method: settings.method,
            model: settings.model.clone(),
            hosted: endpoint.is_hosted(),
            // `with_http_service` replaces a default that retries up to three times and honours any Retry-After.
            client: Client::build(http.clone(), endpoint).with_http_service(Transport::new(http)),
            memory: Memory::default(),
        })
    }

    async fn ask(
        &self,
        question: &Question,
        picture: Option<&Picture>,
    ) -> Result<Solution, ProviderError> {
        let mut dialect = Dialect::new(self.hosted, question.kind, self.method, &self.memory);
        let mut solution = Solution {
            probabilities: Vec::new(),
            outside: 0.0,
            method: Method::Stated,
            model: self.model.clone(),
            prompt_tokens: 0,
            completion_tokens: 0,
            calls: 0,
            cost_usd: 0.0,
        };
        // Each turn but the last gives up one thing that the server does not know, so there are few.
        loop {
            solution.calls += 1;
            let completion = match self.call(question, picture, &dialect).await {
                Ok(completion) => completion,
                Err(Failure::Refused(refusal)) => {
                    if dialect.give_up(&refusal) {
                        continue;
                    }
                    return Err(refusal.into_error());
                }
                Err(Failure::Other(error)) => return Err(error),
            };
            self.memory.learn(&dialect);
            solution.prompt_tokens += completion.usage.prompt_tokens;
            solution.completion_tokens += completion.usage.completion_tokens;

            if dialect.ask() == Ask::Letter {
                let Some(top) = completion.top_logprobs() else {
                    if !dialect.give_up_logprobs() {
                        return Err(ProviderError::NoLogprobs(
                            "the server gives no log-probabilities",
                        ));
                    }
                    self.memory.learn(&dialect);
                    continue;
                };
                let Some(scored) = logprobs::option_probabilities(top, question.options.len())
                else {
                    // This model did not begin with a letter this time; another question may fare better.
                    self.memory.missed();
                    if !dialect.give_up_logprobs() {
                        return Err(ProviderError::NoLogprobs(
                            "the model does not begin with a letter",
                        ));
                    }
                    continue;
                };
                self.memory.hit();
                return Ok(Solution {
                    probabilities: scored.probabilities,
                    outside: scored.outside,
                    method: Method::Logprobs,
                    ..solution
                });
            }
            let text = completion.text()?;
            let reply = reply::read(&text, question)
                .map_err(|error| ProviderError::Invalid(error.to_string()))?;
            return Ok(Solution {
                probabilities: reply.probabilities,
                method: reply.method,
                ..solution
            });
        }
    }

    async fn call(
        &self,
        question: &Question,
        picture: Option<&Picture>,
        dialect: &Dialect,
    ) -> Result<Completion, Failure> {
        let request = Request::new(&self.model, question, picture, dialect);
        let value: serde_json::Value = self.client.chat().create_byot(request).await?;
        serde_json::from_value(value).map_err(|_| transport::not_a_completion())
    }
}

impl Provider for OpenAiProvider {
    fn model(&self) -> &str {
        &self.model
    }

    fn system(&self) -> &'static str {
        "openai"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn estimate(&self, question: &Question) -> (u64, u64) {
        wire::estimate(
            question,
            Dialect::new(self.hosted, question.kind, self.method, &self.memory).ask(),
        )
    }

    /// The way of asking is left out: it depends on what the server refuses, and the answer says which it was.
    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn solve<'a>(
        &'a self,
        question: &'a Question,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        Box::pin(async move {
            tokio::time::timeout_at(deadline, self.ask(question, None))
                .await
                .unwrap_or(Err(ProviderError::Timeout))
        })
    }

    fn solve_seeing<'a>(
        &'a self,
        question: &'a Question,
        picture: &'a Picture,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        Box::pin(async move {
            tokio::time::timeout_at(deadline, self.ask(question, Some(picture)))
                .await
                .unwrap_or(Err(ProviderError::Timeout))
        })
    }
}
