//! Both sides: a service that is sent an address and answers with the questions of the page there.

use super::site::Site;
use crate::{
    Plan,
    http::{Connection, post},
    process::Family,
    server::Server,
};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What one page came to.
#[derive(Debug)]
pub(crate) struct Page {
    /// Questions that were found on it.
    pub(crate) questions: usize,
    /// Where the time went, as quiz-stats tells it: waiting, fetching, rendering and extracting, in milliseconds.
    pub(crate) timings: Option<[f64; 4]>,
}

/// See the module.
pub(crate) struct Reader {
    server: Server,
}

impl Reader {
    /// Starts quiz-stats, so that it may visit the site, and nothing else on this machine; so many pages at once.
    pub(crate) async fn quiz_stats(
        plan: &Plan,
        site: &Site,
        at_once: usize,
    ) -> anyhow::Result<Self> {
        Self::quiz_stats_with(plan, site, at_once, &[]).await
    }

    /// As [`Self::quiz_stats`], with further settings.
    pub(crate) async fn quiz_stats_with(
        plan: &Plan,
        site: &Site,
        at_once: usize,
        further: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let chromium = chromium()?;
        let mut settings = vec![
            ("EGRESS__PORTS", site.port().to_string()),
            ("EGRESS__ALLOWED_ADDRESSES", "127.0.0.1".to_owned()),
            ("SCRAPER__POLITENESS_MS", "0".to_owned()),
            ("SCRAPER__CONCURRENCY", at_once.to_string()),
            ("SCRAPER__CHROMIUM", chromium.display().to_string()),
        ];
        settings.extend(further.iter().cloned());
        let server = plan.launch.quiz_stats_with(&settings).await?;
        Ok(Self { server })
    }

    /// Starts Playwright with the same Chromium.
    pub(crate) async fn playwright(plan: &Plan) -> anyhow::Result<Self> {
        let chromium = chromium()?;
        let program = chromium
            .to_str()
            .context("Chromium's path is no plain text")?;
        let server = plan.launch.node("scrape.js", &[program]).await?;
        Ok(Self { server })
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Connection> {
        Connection::open(self.server.address).await
    }

    /// Reads one page on a connection of its own.
    pub(crate) async fn read(&self, request: &[u8]) -> anyhow::Result<Page> {
        page(self.open().await?.call(request).await?)
    }

    pub(crate) fn family(&self) -> anyhow::Result<Family> {
        self.server.family()
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop_family().await
    }
}

/// Understands an answer of either side.
pub(crate) fn page(answer: &[u8]) -> anyhow::Result<Page> {
    let answer: Value = serde_json::from_slice(answer)?;
    let questions = answer["questionCount"].as_u64().context("no count")?;
    let timings = &answer["timings"];
    Ok(Page {
        questions: usize::try_from(questions)?,
        timings: timings.is_object().then(|| {
            ["waitMs", "fetchMs", "renderMs", "extractMs"]
                .map(|name| timings[name].as_f64().unwrap_or(f64::NAN))
        }),
    })
}

/// Asks quiz-stats for a page, from the plain response when that has the quiz.
pub(crate) fn plain(url: &str) -> Vec<u8> {
    post("/api/scrape", &json!({ "url": url }).to_string())
}

/// Asks quiz-stats for a page in Chromium, whatever the plain response has.
pub(crate) fn rendered(url: &str) -> Vec<u8> {
    let body = json!({ "url": url, "render": true });
    post("/api/scrape", &body.to_string())
}

/// What Playwright waits for before it looks at a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Load,
    /// No request for 500 ms.
    NetworkIdle,
    /// Something that whoever wrote the script knew would come.
    Radio,
    /// So many milliseconds after it has loaded.
    Held(u64),
}

/// Asks Playwright for a page.
pub(crate) fn playwright(url: &str, until: Until) -> Vec<u8> {
    let mut body = json!({ "url": url, "waitUntil": "load" });
    match until {
        Until::Load => {}
        Until::NetworkIdle => body["waitUntil"] = "networkidle".into(),
        Until::Radio => body["waitFor"] = "input[type=radio]".into(),
        Until::Held(ms) => body["holdMs"] = ms.into(),
    }
    post("/", &body.to_string())
}

/// Returns the Chromium that quiz-stats would take.
#[cfg(feature = "browser")]
fn chromium() -> anyhow::Result<PathBuf> {
    use quiz_stats::{browser::find, config};
    find(&config::Scraper::default(), config::search_path()).map_err(anyhow::Error::msg)
}

#[cfg(not(feature = "browser"))]
fn chromium() -> anyhow::Result<PathBuf> {
    anyhow::bail!("this build cannot read pages in Chromium: it is without the feature `browser`")
}
