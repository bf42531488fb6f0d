//! How much of real pages is found: `cargo run --example score_pages -- FOLDER… [--render] [--show] [--only NAME]`
//!
//! A folder holds pages with what a person sees on them, see `tests/pages/README.md`. Without `--render`, the plain markup
//! alone is read, and pages that need a browser are left out; with it, each page is opened in Chromium. `--show` prints
//! what is missing (-), wrong (+) or of another kind or key (~).

mod score;
mod serve;

use anyhow::{Context as _, bail};
use quiz_stats::{
    app::App,
    config::Settings,
    extract::{Snapshot, extract},
    page::{PageRequest, PageSource},
    quiz::Question,
};
use score::{Page, Total};
use std::{env, fs, path::Path, time::Duration};

const USAGE: &str = "usage: score_pages FOLDER… [--render] [--show] [--only NAME]
  --render     open each page in Chromium, instead of reading the plain markup
  --show       print what is missing (-), wrong (+) or of another kind or key (~)
  --only NAME  only pages with NAME in their name";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut folders, mut render, mut show, mut only) = (Vec::new(), false, false, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--render" => render = true,
            "--show" => show = true,
            "--only" => only = arguments.next(),
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            folder => folders.push(folder.to_owned()),
        }
    }
    if folders.is_empty() {
        bail!("{USAGE}")
    }
    for folder in folders {
        let folder = Path::new(&folder);
        let mut pages =
            Page::all(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        pages.retain(|page| only.as_ref().is_none_or(|name| page.name.contains(name)));
        let total = match render {
            true => rendered(folder, &pages, show).await?,
            false => plain(&pages, show)?,
        };
        println!("{}\n{total}\n", folder.display());
    }
    Ok(())
}

fn plain(pages: &[Page], show: bool) -> anyhow::Result<Total> {
    let mut total = Total::default();
    for page in pages.iter().filter(|page| !page.is_rendered_only()) {
        let markup = String::from_utf8_lossy(&fs::read(&page.file)?).into_owned();
        note(
            &mut total,
            page,
            &extract(&Snapshot::of_html(&markup, None)).questions,
            show,
        );
    }
    Ok(total)
}

async fn rendered(folder: &Path, pages: &[Page], show: bool) -> anyhow::Result<Total> {
    let site = serve::start(folder.to_owned()).await?;
    let mut settings = Settings::default();
    settings.egress.ports = site.port().to_string();
    settings.egress.allowed_addresses = Some("127.0.0.1".to_owned());
    settings.scraper.politeness_ms = 0;
    // Some pages hold more than a quiz may have.
    settings.limits.max_questions = 5_000;
    let app = App::scraper(settings).await?;
    let mut total = Total::default();
    for page in pages {
        let path = page.file.strip_prefix(folder)?.display().to_string();
        let request = PageRequest {
            source: PageSource::Url(format!("http://{site}/{path}")),
            follow: false,
            render: true,
        };
        let questions = match app.pipeline().scrape(request).await {
            Ok(found) => found.questions,
            Err(failure) => {
                if failure.code != quiz_stats::analysis::FailureCode::NoQuestionsFound {
                    println!("{}: {}", page.name, failure.error);
                }
                Vec::new()
            }
        };
        note(&mut total, page, &questions, show);
    }
    app.drain(Duration::from_secs(5)).await;
    Ok(total)
}

fn note(total: &mut Total, page: &Page, found: &[Question], show: bool) {
    let score = page.score(found);
    if show && !score.is_exact() {
        println!("{} ({:.2})\n{score}", page.name, score.f1());
    }
    total.add(score);
}
