//! Answers from any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp and others.
//!
//! Asks for JSON by schema; a server that refuses is asked for the log-probabilities of the option letters, and one that
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

use super::{Provider, ProviderError, install_crypto};
use crate::config::Ai;
use crate::quiz::Question;
use crate::solve::{Method, Solution, logprobs, prompt, reply};
use async_openai::Client;
use dialect::{Ask, Dialect, Memory};
use endpoint::Endpoint;
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;
use transport::{Failure, Transport};
use wire::{Completion, Request};

/// A model behind an OpenAI-compatible server. One HTTP request per call, never a hidden retry.
#[derive(Debug)]
pub struct OpenAiProvider {
    client: Client<Endpoint>,
    model: String,
    fingerprint: String,
    /// Whether the server is OpenAI's own, whose newer models know other parameters than most servers.
    hosted: bool,
    memory: Memory,
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
                "openai:{}:{}:p{}",
                endpoint.base(),
                settings.model,
                prompt::PROMPT_VERSION
            ),
            model: settings.model.clone(),
            hosted: endpoint.is_hosted(),
            // `with_http_service` replaces a default that retries up to three times and honours any Retry-After.
            client: Client::build(http.clone(), endpoint).with_http_service(Transport::new(http)),
            memory: Memory::default(),
        })
    }

    async fn ask(&self, question: &Question) -> Result<Solution, ProviderError> {
        let mut dialect = Dialect::new(self.hosted, question.kind, &self.memory);
        let mut solution = Solution {
            probabilities: Vec::new(),
            method: Method::Stated,
            model: self.model.clone(),
            prompt_tokens: 0,
            completion_tokens: 0,
            calls: 0,
        };
        // Each turn but the last gives up one thing that the server does not know, so there are few.
        loop {
            solution.calls += 1;
            let completion = match self.call(question, &dialect).await {
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
                    dialect.give_up_logprobs();
                    self.memory.learn(&dialect);
                    continue;
                };
                let Some(probabilities) =
                    logprobs::option_probabilities(top, question.options.len())
                else {
                    // This model did not begin with a letter this time; another question may fare better.
                    dialect.give_up_logprobs();
                    continue;
                };
                return Ok(Solution {
                    probabilities,
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

    async fn call(&self, question: &Question, dialect: &Dialect) -> Result<Completion, Failure> {
        let request = Request::new(&self.model, question, dialect);
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
            tokio::time::timeout_at(deadline, self.ask(question))
                .await
                .unwrap_or(Err(ProviderError::Timeout))
        })
    }
}
