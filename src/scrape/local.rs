//! Pages read by this process: from the plain response when that holds the quiz, else in Chromium.
//!
//! Each page has a gate of its own, through which everything leaves that is done for it: robots.txt, the plain request,
//! what Chromium loads. With the page, the gate closes.

use super::{
    PageReader,
    extractor::Extractor,
    fetch::{self, Fetched, Wanted},
    manners::{Manners, Visitor},
    render::{Rendered, Renderer},
    trouble,
};
use crate::{
    actors::{egress_guard::EgressGuardMsg, tree::Mailboxes},
    config::{self, Settings},
    egress::{Budget, Gate, Opening, Policy},
    extract::{Extraction, Snapshot, extract},
    page::{FailReason, FoundPage, PageError, PageRequest, PageSource, Timings, Via},
    runtime::Mailbox,
};
use futures_util::future::BoxFuture;
use reqwest::{Client, Url};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Said of markup without questions.
const UNLOADED: &str = "scripts and frames that the markup links are not loaded: send the address instead, or save \
    the page when it shows the questions";
/// Redirects that are followed, as many as browsers do.
const MAX_REDIRECTS: usize = 20;

/// See the module.
pub struct LocalReader {
    config: config::Scraper,
    policy: Policy,
    guard: Mailbox<EgressGuardMsg>,
    renderer: Renderer,
    manners: Manners,
    extractor: Extractor,
}

/// What the plain response showed.
struct Plain {
    /// Where it came from after redirects.
    url: Url,
    extraction: Extraction,
}

impl LocalReader {
    /// Creates a reader that works with these actors.
    pub fn new(settings: &Settings, mailboxes: &Mailboxes) -> Self {
        let extractor = Extractor::new();
        Self {
            config: settings.scraper.clone(),
            policy: Policy::new(&settings.egress),
            guard: mailboxes.egress_guard.clone(),
            renderer: Renderer::new(settings, mailboxes, extractor.clone()),
            manners: Manners::new(&settings.scraper),
            extractor,
        }
    }

    /// Waits until the site lets us read its page: robots.txt, then the host's turn.
    async fn wait_for(&self, address: &str, deadline: Instant) -> Result<(), PageError> {
        let (url, gate, client) = self.way_to(address, deadline).await?;
        let visitor = Visitor {
            manners: &self.manners,
            client: &client,
            gate: &gate,
            deadline,
        };
        visitor.wait(&url).await
    }

    /// Returns an address that may be visited, a gate for it, and a client that goes through the gate.
    async fn way_to(
        &self,
        address: &str,
        deadline: Instant,
    ) -> Result<(Url, Gate, Client), PageError> {
        let url = Url::parse(address).map_err(|_| unusable())?;
        self.check(&url)?;
        let gate = self.gate(None, deadline).await?;
        let client = fetch::client(&gate, &self.config.agent())?;
        Ok((url, gate, client))
    }

    /// Reads a page whose turn it is.
    async fn read_url(
        &self,
        page: &PageRequest,
        address: &str,
        deadline: Instant,
    ) -> Result<FoundPage, PageError> {
        let mut timings = Timings::default();
        let (url, gate, client) = self.way_to(address, deadline).await?;
        let visitor = Visitor {
            manners: &self.manners,
            client: &client,
            gate: &gate,
            deadline,
        };
        let mut plain = None;
        if self.config.http_first && !page.render && !page.follow {
            let began = Instant::now();
            let limit = deadline.min(began + Duration::from_millis(self.config.http_timeout_ms));
            let visitor = Visitor {
                deadline: limit,
                ..visitor
            };
            let (url, markup) = self.fetch(url.clone(), visitor).await?;
            timings.fetch_ms = millis(began);
            let read = self.read_plain(markup, url, deadline, &mut timings).await?;
            if read.extraction.static_enough && !self.renderer.wants_picture(&read.extraction) {
                return Ok(found(
                    Via::Http,
                    Some(read.url),
                    read.extraction,
                    Vec::new(),
                    timings,
                ));
            }
            plain = Some(read);
        }
        let target = plain.as_ref().map_or(&url, |plain| &plain.url);
        let permit = visitor.permit(target);
        let rendered = (self.renderer)
            .read(&gate, target, Some(&permit), page.follow, deadline)
            .await;
        match rendered {
            Ok(rendered) => Ok(with_browser(rendered, timings)),
            Err(PageError::Failed(FailReason::NoBrowser, why)) => {
                without_browser(Via::Http, plain, why, timings)
            }
            Err(error) => Err(error),
        }
    }

    async fn read_markup(
        &self,
        page: &PageRequest,
        markup: &str,
        deadline: Instant,
    ) -> Result<FoundPage, PageError> {
        let mut timings = Timings::default();
        let url = Url::parse(Gate::MARKUP_URL).map_err(|_| unusable())?;
        let plain = self
            .read_plain(markup.to_owned(), url.clone(), deadline, &mut timings)
            .await?;
        let is_enough =
            plain.extraction.static_enough && !self.renderer.wants_picture(&plain.extraction);
        if is_enough && !page.render && !page.follow {
            return Ok(found(
                Via::Html,
                None,
                plain.extraction,
                Vec::new(),
                timings,
            ));
        }
        let gate = self.gate(Some(markup.into()), deadline).await?;
        let rendered = (self.renderer)
            .read(&gate, &url, None, page.follow, deadline)
            .await;
        match rendered {
            Ok(mut rendered) => {
                if plain.extraction.scripted && rendered.extraction.questions.is_empty() {
                    rendered.notes.push(UNLOADED.to_owned());
                }
                Ok(FoundPage {
                    url: None,
                    ..with_browser(rendered, timings)
                })
            }
            Err(PageError::Failed(FailReason::NoBrowser, why)) => {
                let found = without_browser(Via::Html, Some(plain), why, timings)?;
                Ok(FoundPage { url: None, ..found })
            }
            Err(error) => Err(error),
        }
    }

    fn check(&self, url: &Url) -> Result<(), PageError> {
        let target = url.host_str().zip(url.port_or_known_default());
        match target.map(|(host, port)| self.policy.check_name(host, port)) {
            Some(Ok(_)) if matches!(url.scheme(), "http" | "https") => Ok(()),
            _ => Err(trouble::blocked(url)),
        }
    }

    async fn gate(&self, markup: Option<Arc<str>>, deadline: Instant) -> Result<Gate, PageError> {
        let opening = Opening {
            markup,
            budget: Budget {
                bytes: self.config.max_page_bytes,
                connections: self.config.max_page_requests,
            },
            deadline,
        };
        let opened = self
            .guard
            .ask(deadline, |reply| EgressGuardMsg::Open(opening, reply))
            .await;
        opened.map_err(|_| PageError::Overloaded(Duration::from_secs(1)))
    }

    /// Returns the markup of a page, and its address after redirects.
    async fn fetch(&self, mut url: Url, visitor: Visitor<'_>) -> Result<(Url, String), PageError> {
        let Visitor {
            client,
            gate,
            deadline,
            ..
        } = visitor;
        for _ in 0..=MAX_REDIRECTS {
            match fetch::fetch(client, gate, &url, Wanted::Page, deadline).await? {
                Fetched::Answer {
                    status,
                    media,
                    text,
                } => {
                    let markup = fetch::page(&url, status, &media, text)?;
                    return Ok((url, markup));
                }
                Fetched::Moved(to) => {
                    self.check(&to)?;
                    visitor.go_on(&url, &to).await?;
                    url = to;
                }
            }
        }
        Err(trouble::too_many_redirects(&url))
    }

    async fn read_plain(
        &self,
        markup: String,
        url: Url,
        deadline: Instant,
        timings: &mut Timings,
    ) -> Result<Plain, PageError> {
        let began = Instant::now();
        let plain = self.extractor.run(deadline, move || {
            let extraction = extract(&Snapshot::of_html(&markup, Some(url.as_str())));
            Plain { url, extraction }
        });
        let plain = plain.await?;
        timings.extract_ms += millis(began);
        Ok(plain)
    }
}

/// Returns what was found before Chromium turned out not to be there.
fn without_browser(
    via: Via,
    plain: Option<Plain>,
    why: String,
    timings: Timings,
) -> Result<FoundPage, PageError> {
    match plain {
        Some(plain) if !plain.extraction.questions.is_empty() => {
            let note = format!("only what the plain response holds was read: {why}");
            Ok(found(
                via,
                Some(plain.url),
                plain.extraction,
                vec![note],
                timings,
            ))
        }
        // Chromium would see no more.
        Some(plain) if !plain.extraction.scripted => Ok(found(
            via,
            Some(plain.url),
            plain.extraction,
            Vec::new(),
            timings,
        )),
        _ => Err(PageError::Failed(FailReason::NoBrowser, why)),
    }
}

fn with_browser(rendered: Rendered, mut timings: Timings) -> FoundPage {
    let Rendered {
        url,
        extraction,
        notes,
        picture,
        render_ms,
        extract_ms,
    } = rendered;
    timings.render_ms = render_ms;
    timings.extract_ms += extract_ms;
    FoundPage {
        picture,
        ..found(Via::Browser, Some(url), extraction, notes, timings)
    }
}

fn found(
    via: Via,
    url: Option<Url>,
    extraction: Extraction,
    mut notes: Vec<String>,
    timings: Timings,
) -> FoundPage {
    if extraction.hidden_questions {
        notes.push("the page holds more questions, which it does not show yet: ask with follow, or read its later pages".into());
    }
    if extraction.truncated {
        notes.push("the page is too long: its end was not read".into());
    }
    FoundPage {
        url: url.filter(|_| via != Via::Html).map(Into::into),
        title: extraction.title,
        via,
        questions: extraction.questions,
        notes,
        timings,
        picture: None,
    }
}

fn unusable() -> PageError {
    PageError::Failed(
        FailReason::NotAPage,
        "the address is not one of a web page".to_owned(),
    )
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl PageReader for LocalReader {
    fn availability(&self) -> Result<(), String> {
        self.renderer.availability()
    }

    fn wait_turn<'a>(
        &'a self,
        page: &'a PageRequest,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<(), PageError>> {
        Box::pin(async move {
            match &page.source {
                PageSource::Url(url) => self.wait_for(url, deadline).await,
                PageSource::Html(_) => Ok(()),
            }
        })
    }

    fn read<'a>(
        &'a self,
        page: &'a PageRequest,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<FoundPage, PageError>> {
        Box::pin(async move {
            match &page.source {
                PageSource::Url(url) => self.read_url(page, url, deadline).await,
                PageSource::Html(markup) => self.read_markup(page, markup, deadline).await,
            }
        })
    }
}
