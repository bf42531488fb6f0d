//! Pages read by other processes: `quiz-stats serve --role scraper`, the least busy of them first.

use super::PageReader;
use crate::{
    config,
    page::{BlockReason, FailReason, FoundPage, PageError, PageRequest, PageSource},
    trace,
};
use futures_util::future::BoxFuture;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tracing::warn;

/// Longest answer that is read: 200 questions of the longest sort fit many times over.
const MAX_ANSWER_BYTES: usize = 16 * 1_048_576;
/// To connect inside one network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one that was not reached is asked last.
const DOWN_FOR: Duration = Duration::from_secs(10);
/// What a scraper's answer may take on its way, beyond the page's own time.
const MARGIN: Duration = Duration::from_secs(1);

/// See the module.
pub struct RemoteReader {
    services: Vec<Service>,
    token: Option<SecretString>,
    client: reqwest::Client,
}

struct Service {
    url: Url,
    busy: AtomicUsize,
    /// When a call last failed to reach it.
    failed: Mutex<Option<Instant>>,
}

impl Service {
    /// Returns whether it could not be reached lately. After a while it is asked again like any other.
    fn is_down(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < DOWN_FOR)
    }

    fn note(&self, failed: bool) {
        let now = failed.then(Instant::now);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

/// Counts one page at a service for as long as it lives.
struct Place<'a>(&'a Service);

impl<'a> Place<'a> {
    fn at(service: &'a Service) -> Self {
        service.busy.fetch_add(1, Ordering::Relaxed);
        Self(service)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The error shape of the contracts, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    code: String,
    error: String,
    #[serde(default)]
    details: Vec<Detail>,
    retry_after: Option<u64>,
}

#[derive(Deserialize)]
struct Detail {
    path: String,
    problem: String,
}

impl RemoteReader {
    /// Creates a reader for the addresses of `scraper.remote_url`, which the configuration has checked.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(config: &config::Scraper) -> anyhow::Result<Self> {
        crate::provider::install_crypto();
        let services = config.remotes().into_iter().map(|url| {
            Ok(Service {
                url: Url::parse(url)?.join("/api/scrape")?,
                busy: AtomicUsize::new(0),
                failed: Mutex::default(),
            })
        });
        Ok(Self {
            services: services.collect::<Result<_, url::ParseError>>()?,
            token: config.remote_token.clone(),
            client: reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
        })
    }

    /// Asks the services one after another until one is reached.
    async fn ask(&self, page: &PageRequest, deadline: Instant) -> Result<FoundPage, PageError> {
        let mut order: Vec<_> = self.services.iter().collect();
        order.sort_by_key(|service| (service.is_down(), service.busy.load(Ordering::Relaxed)));
        let mut last = PageError::Unavailable("no scraper can be reached");
        for service in order {
            let _place = Place::at(service);
            match self.ask_one(service, page, deadline).await {
                Ok(outcome) => {
                    let refused = matches!(outcome, Err(PageError::Unavailable(_)));
                    service.note(refused);
                    match outcome {
                        // Another one may have room, or know our key.
                        Err(error @ (PageError::Overloaded(_) | PageError::Unavailable(_))) => {
                            warn!(scraper = %service.url.authority(), %error, "scraper passed over");
                            last = error;
                        }
                        outcome => return outcome,
                    }
                }
                Err(error) => {
                    service.note(true);
                    warn!(scraper = %service.url.authority(), %error, "scraper not reached");
                }
            }
        }
        Err(last)
    }

    /// Returns the outcome that a service gave; an error when the next one is to be asked.
    async fn ask_one(
        &self,
        service: &Service,
        page: &PageRequest,
        deadline: Instant,
    ) -> Result<Result<FoundPage, PageError>, String> {
        let mut body = json!({ "follow": page.follow, "render": page.render });
        match &page.source {
            PageSource::Url(url) => body["url"] = url.as_str().into(),
            PageSource::Html(html) => body["html"] = html.as_str().into(),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = self
            .client
            .post(service.url.clone())
            .timeout(left + MARGIN)
            .json(&body);
        if let Some(place) = trace::current() {
            request = request.header(trace::TRACEPARENT, place.to_string());
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() && !error.is_connect() => return Ok(Err(too_late())),
            Err(error) => return Err(error.without_url().to_string()),
        };
        let mut answer = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => answer.extend_from_slice(&piece),
                Ok(None) => break,
                Err(error) if error.is_timeout() => return Ok(Err(too_late())),
                Err(error) => return Err(error.without_url().to_string()),
            }
            if answer.len() > MAX_ANSWER_BYTES {
                // The page's fault, not the scraper's.
                return Ok(Err(too_long()));
            }
        }
        if response.status().is_success() {
            return serde_json::from_slice(&answer)
                .map(Ok)
                .map_err(|_| "its answer is none of a scraper's".to_owned());
        }
        let refusal = serde_json::from_slice::<Refusal>(&answer)
            .map_err(|_| format!("it answered {}", response.status()))?;
        refusal.into_outcome().map(Err)
    }
}

impl Refusal {
    /// Returns what became of the page; an error when this was no answer about the page.
    fn into_outcome(self) -> Result<PageError, String> {
        let reason = self.details.iter().find(|detail| detail.path == "reason");
        let reason = reason.map(|detail| serde_json::Value::from(detail.problem.as_str()));
        let wait = Duration::from_secs(self.retry_after.unwrap_or(1));
        match self.code.as_str() {
            "no_questions_found" => {
                let standard = PageError::NoQuestions(String::new()).to_string();
                let more = self.error.strip_prefix(&standard).unwrap_or_default();
                Ok(PageError::NoQuestions(more.to_owned()))
            }
            "page_blocked" => {
                let reason = reason.and_then(|reason| serde_json::from_value(reason).ok());
                Ok(PageError::Blocked(
                    reason.unwrap_or(BlockReason::Address),
                    self.error,
                ))
            }
            "page_failed" => {
                let reason = reason.and_then(|reason| serde_json::from_value(reason).ok());
                Ok(PageError::Failed(
                    reason.unwrap_or(FailReason::Refused),
                    self.error,
                ))
            }
            "timed_out" => Ok(too_late()),
            "too_large" => Ok(too_long()),
            "unauthenticated" => Ok(PageError::Unavailable(
                "the scraper does not accept the key in scraper.remote_token",
            )),
            "overloaded" | "rate_limited" | "draining" => Ok(PageError::Overloaded(wait)),
            _ => Err(format!("it answered {}: {}", self.code, self.error)),
        }
    }
}

fn too_long() -> PageError {
    let told = "the page is longer than its scraper takes: send only the part with the quiz";
    PageError::Failed(FailReason::TooLarge, told.to_owned())
}

fn too_late() -> PageError {
    let told = "the page took too long: try again, or save it and send its HTML";
    PageError::Failed(FailReason::Timeout, told.to_owned())
}

impl PageReader for RemoteReader {
    /// The scraper itself has tried a page again that took its Chromium along.
    fn tries_again(&self) -> bool {
        false
    }

    fn availability(&self) -> Result<(), String> {
        match self.services.iter().all(Service::is_down) {
            false => Ok(()),
            true => Err(
                "no scraper can be used: look at scraper.remote_url, scraper.remote_token, and whether they run"
                    .to_owned(),
            ),
        }
    }

    fn read<'a>(
        &'a self,
        page: &'a PageRequest,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<FoundPage, PageError>> {
        Box::pin(self.ask(page, deadline))
    }
}

#[cfg(test)]
mod tests;
