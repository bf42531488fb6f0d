//! The model in the process as a provider of answers.

use super::{Provider, ProviderError};
use crate::{
    config::LocalModel,
    local_model::{Status, shelf, worker::Worker},
    quiz::Question,
    solve::Solution,
};
use futures_util::future::BoxFuture;
use std::path::Path;
use tokio::time::Instant;

/// Answers by a model in the process; see [`crate::local_model`].
pub struct LocalProvider {
    name: String,
    fingerprint: String,
    worker: Worker,
}

impl LocalProvider {
    /// Finds the configured weights and starts to load them on the model's own threads. Returns at once; questions that
    /// come before the weights are loaded wait for them.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when no weights are where the settings point; the text says how to get some.
    pub fn load(settings: &LocalModel, data_dir: &Path) -> Result<Self, ProviderError> {
        let choice = shelf::choose(&settings.model, data_dir)?;
        let fingerprint = choice.fingerprint()?;
        let name = choice.name.clone();
        let worker = Worker::start(choice, settings.threads)?;
        Ok(Self {
            name,
            fingerprint,
            worker,
        })
    }

    /// Returns whether the weights are loading, loaded, or could not be loaded.
    pub fn status(&self) -> Status {
        self.worker.status()
    }
}

impl Provider for LocalProvider {
    fn model(&self) -> &str {
        &self.name
    }

    fn system(&self) -> &'static str {
        "local"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn availability(&self) -> Result<(), String> {
        match self.worker.status() {
            // Questions that come while the weights are being read wait the second that it takes.
            Status::Loading | Status::Ready { .. } => Ok(()),
            Status::Failed(error) => Err(error.to_string()),
        }
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.worker.ready().await.map_err(|error| error.to_string()) })
    }

    fn solve<'a>(
        &'a self,
        question: &'a Question,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Solution, ProviderError>> {
        Box::pin(async move { Ok(self.worker.solve(question, deadline).await?) })
    }
}
