//! Pages that must be opened in Chromium: loading, waiting for rest, looking, and going on where that is asked for.

use super::{extractor::Extractor, trouble};
use crate::{
    actors::{
        browser::{BrowserMsg, Lease},
        tree::Mailboxes,
    },
    browser::{BrowserError, Loaded, Tab, TabConfig, find},
    config::{self, Settings, search_path},
    egress::Gate,
    extract::{Extraction, Snapshot, extract},
    page::{FailReason, PageError, Permit, Picture},
    quiz::request::MAX_URL_CHARS,
    runtime::{AskError, Mailbox},
    solve::seen::needs_image,
};
use reqwest::Url;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

/// How long after its markup a page that shows no question is looked at again: some build themselves late.
const LATE: Duration = Duration::from_secs(2);
/// Between two looks at such a page.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What is left of a page's time for what comes after Chromium.
const RESERVE: Duration = Duration::from_millis(500);
/// Media types that Chromium shows as pages. `text/plain` has no structure to find questions by.
const PAGES: [&str; 4] = [
    "text/html",
    "application/xhtml+xml",
    "text/xml",
    "application/xml",
];

/// What Chromium showed.
pub(super) struct Rendered {
    /// Where the page was in the end.
    pub(super) url: Url,
    pub(super) extraction: Extraction,
    pub(super) notes: Vec<String>,
    pub(super) picture: Option<Picture>,
    pub(super) render_ms: u64,
    pub(super) extract_ms: u64,
}

/// See the module.
pub(super) struct Renderer {
    scraper: config::Scraper,
    config: config::Browser,
    browser: Mailbox<BrowserMsg>,
    extractor: Extractor,
    /// Whether a model may see pictures.
    vision: bool,
}

/// One look at a page.
struct Look {
    snapshot: Snapshot,
    extraction: Extraction,
}

impl Renderer {
    pub(super) fn new(settings: &Settings, mailboxes: &Mailboxes, extractor: Extractor) -> Self {
        Self {
            extractor,
            scraper: settings.scraper.clone(),
            config: settings.browser.clone(),
            browser: mailboxes.browser.clone(),
            vision: settings.ai.vision,
        }
    }

    /// Says whether there is a Chromium; otherwise what to install.
    pub(super) fn availability(&self) -> Result<(), String> {
        find(&self.scraper, search_path()).map(|_| ())
    }

    /// Says whether a picture of the page is of use: a question needs one, and a model may see it.
    pub(super) fn wants_picture(&self, extraction: &Extraction) -> bool {
        self.vision
            && extraction
                .questions
                .iter()
                .any(|question| needs_image(&question.text))
    }

    /// Reads the page at `url`, and goes on from there where `permit` allows it.
    ///
    /// # Errors
    /// See [`PageError`]; [`FailReason::NoBrowser`] without Chromium.
    pub(super) async fn read(
        &self,
        gate: &Gate,
        url: &Url,
        permit: Option<&dyn Permit>,
        follow: bool,
        deadline: Instant,
    ) -> Result<Rendered, PageError> {
        let lease = match self.browser.ask(deadline, BrowserMsg::Acquire).await {
            Ok(Ok(lease)) => lease,
            Ok(Err(error)) => {
                return Err(trouble::failed(FailReason::NoBrowser, error.to_string()));
            }
            Err(AskError::Overloaded | AskError::TimedOut) => {
                return Err(PageError::Overloaded(Duration::from_secs(5)));
            }
            Err(AskError::Down) => return Err(crashed()),
        };
        let outcome = tokio::select! {
            outcome = timeout_at(deadline, self.in_tab(&lease, gate, url, permit, follow, deadline)) => outcome,
            () = gate.meter().exhausted() => return Err(trouble::too_large(url)),
        };
        match outcome.unwrap_or(Err(BrowserError::TimedOut.into())) {
            Ok(rendered) => Ok(rendered),
            Err(Stopped::Page(error)) => Err(error),
            Err(Stopped::Browser(error)) => {
                debug!(%error, "page not rendered");
                if error == BrowserError::TimedOut {
                    self.browser.offer(BrowserMsg::Suspect(lease.number));
                }
                Err(told(&error, gate, url))
            }
        }
    }

    async fn in_tab(
        &self,
        lease: &Lease,
        gate: &Gate,
        url: &Url,
        permit: Option<&dyn Permit>,
        follow: bool,
        deadline: Instant,
    ) -> Result<Rendered, Stopped> {
        let began = Instant::now();
        let script_timeout = Duration::from_millis(self.config.script_timeout_ms);
        let config = TabConfig {
            max_requests: self.scraper.max_page_requests,
            script_timeout,
            quiet: Duration::from_millis(self.config.quiet_ms),
            images: self.vision,
        };
        let mut tab = lease
            .chromium
            .open(
                &gate.proxy(),
                config,
                permit,
                deadline.min(began + script_timeout),
            )
            .await?;
        let by =
            deadline.min(Instant::now() + Duration::from_millis(self.config.navigation_timeout_ms));
        let loaded = tab.goto(url.as_str(), by).await?;
        let refused = || permit.and_then(Permit::refused);
        match refused() {
            Some(refused) if loaded.error.is_some() => return Err(Stopped::Page(refused)),
            _ => check(&loaded, gate, url)?,
        }
        let mut extracting = Duration::ZERO;
        let mut look = self.look(&mut tab, deadline, &mut extracting).await?;
        let mut notes = Vec::new();
        if follow {
            self.follow(&mut tab, &mut look, deadline, &mut extracting, &mut notes)
                .await?;
        }
        match refused() {
            Some(refused) if look.extraction.questions.is_empty() => {
                return Err(Stopped::Page(refused));
            }
            Some(refused) => notes.push(format!("not all was read: {refused}")),
            None => {}
        }
        // Without its picture the rest of the page is still worth having.
        let picture = match self.wants_picture(&look.extraction) {
            true => tab
                .picture(deadline.min(Instant::now() + script_timeout))
                .await
                .ok()
                .flatten(),
            false => None,
        };
        let address = Some(&look.snapshot.url).filter(|address| address.len() <= MAX_URL_CHARS);
        let address = address.and_then(|address| Url::parse(address).ok());
        let address = address.unwrap_or_else(|| url.clone());
        Ok(Rendered {
            url: address,
            extraction: look.extraction,
            notes,
            picture,
            render_ms: millis(began.elapsed().saturating_sub(extracting)),
            extract_ms: millis(extracting),
        })
    }

    /// Waits until the page rests, and looks. One that shows nothing is looked at again for a while.
    async fn look(
        &self,
        tab: &mut Tab<'_>,
        deadline: Instant,
        extracting: &mut Duration,
    ) -> Result<Look, Stopped> {
        let began = Instant::now();
        let until =
            (deadline - RESERVE).min(began + Duration::from_millis(self.config.settle_timeout_ms));
        loop {
            tab.settle(until).await?;
            let snapshot = tab.snapshot().await?;
            let looked = Instant::now();
            let look = self.extractor.run(deadline, move || {
                let extraction = extract(&snapshot);
                Look {
                    snapshot,
                    extraction,
                }
            });
            let look = look.await.map_err(Stopped::Page)?;
            *extracting += looked.elapsed();
            let late = Instant::now() >= until.min(began + LATE);
            if !look.extraction.questions.is_empty() || late {
                return Ok(look);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Goes on with "next" and gathers what comes, until nothing new does.
    async fn follow(
        &self,
        tab: &mut Tab<'_>,
        look: &mut Look,
        deadline: Instant,
        extracting: &mut Duration,
        notes: &mut Vec<String>,
    ) -> Result<(), Stopped> {
        let mut all = std::mem::take(&mut look.extraction.questions);
        let mut shown = all.clone();
        let mut chose = false;
        for step in 0.. {
            let Some(next) = look.extraction.next else {
                break;
            };
            if step == self.scraper.max_follow || Instant::now() + RESERVE >= deadline {
                notes.push("there may be more questions: following ended at its limit".to_owned());
                break;
            }
            let mut after = self
                .click_and_look(tab, look, next, deadline, extracting)
                .await?;
            if after.extraction.questions == shown
                && let (Some(choice), Some(next)) =
                    (after.extraction.first_choice, after.extraction.next)
            {
                // Many quizzes go on only when something is chosen.
                tab.click(&after.snapshot, choice).await?;
                after = self
                    .click_and_look(tab, &after, next, deadline, extracting)
                    .await?;
                chose |= after.extraction.questions != shown;
            }
            let questions = std::mem::take(&mut after.extraction.questions);
            let is_new = questions.iter().any(|question| !all.contains(question));
            all.extend(
                questions
                    .iter()
                    .filter(|question| !all.contains(question))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            shown = questions;
            *look = after;
            if !is_new {
                break;
            }
        }
        if chose {
            notes.push(
                "to go on, the first option was chosen where the page asked for one".to_owned(),
            );
        }
        look.extraction.questions = all;
        look.extraction.hidden_questions = false;
        Ok(())
    }

    async fn click_and_look(
        &self,
        tab: &mut Tab<'_>,
        look: &Look,
        node: usize,
        deadline: Instant,
        extracting: &mut Duration,
    ) -> Result<Look, Stopped> {
        tab.click(&look.snapshot, node).await?;
        self.look(tab, deadline, extracting).await
    }
}

/// Why there is nothing to show: the page, or Chromium.
enum Stopped {
    Page(PageError),
    Browser(BrowserError),
}

impl From<BrowserError> for Stopped {
    fn from(error: BrowserError) -> Self {
        Self::Browser(error)
    }
}

/// Checks what came of going to `url`.
fn check(loaded: &Loaded, gate: &Gate, url: &Url) -> Result<(), Stopped> {
    let at = Url::parse(&loaded.url).unwrap_or_else(|_| url.clone());
    let failed = loaded.error.is_some() || loaded.status >= 400;
    let trouble = if gate.meter().is_exhausted() {
        trouble::too_large(url)
    } else if failed && let Some(fault) = trouble::fault(gate, &at) {
        // What the gate itself answers looks like the site's answer.
        fault
    } else if loaded.status >= 400 {
        trouble::status(&at, u16::try_from(loaded.status).unwrap_or_default())
    } else if let Some(error) = &loaded.error {
        net(error, &at)
    } else if !loaded.mime.is_empty() && !PAGES.contains(&loaded.mime.as_str()) {
        trouble::not_a_page(&at, &loaded.mime)
    } else {
        return Ok(());
    };
    Err(Stopped::Page(trouble))
}

fn told(error: &BrowserError, gate: &Gate, url: &Url) -> PageError {
    if gate.meter().is_exhausted() {
        return trouble::too_large(url);
    }
    match error {
        BrowserError::TimedOut => trouble::too_slow(url),
        BrowserError::TooManyRequests => trouble::too_large(url),
        BrowserError::Unavailable(_)
        | BrowserError::Gone
        | BrowserError::PageCrashed
        | BrowserError::Refused { .. } => crashed(),
    }
}

/// Returns what one of Chromium's own names of errors means.
fn net(name: &str, url: &Url) -> PageError {
    let name = name.trim_start_matches("net::");
    if name.starts_with("ERR_CERT") || name.starts_with("ERR_SSL") {
        return trouble::untrusted(url);
    }
    match name {
        "ERR_NAME_NOT_RESOLVED" => trouble::unknown_name(url),
        "ERR_TIMED_OUT" | "ERR_CONNECTION_TIMED_OUT" => trouble::too_slow(url),
        "ERR_TOO_MANY_REDIRECTS" => trouble::too_many_redirects(url),
        "ERR_BLOCKED_BY_ADMINISTRATOR"
        | "ERR_UNSAFE_PORT"
        | "ERR_DISALLOWED_URL_SCHEME"
        | "ERR_UNSAFE_REDIRECT"
        | "ERR_UNKNOWN_URL_SCHEME" => trouble::blocked(url),
        // A download, or an answer without content.
        "ERR_ABORTED" => trouble::not_a_page(url, ""),
        _ => trouble::broken(url),
    }
}

fn crashed() -> PageError {
    let told = "Chromium crashed over the page: try again, or save the page and send its HTML";
    trouble::failed(FailReason::Crashed, told.to_owned())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
