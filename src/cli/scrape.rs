//! `quiz-stats scrape URL|FILE`: a page in, its questions out; no model is asked.

use super::{
    address,
    analyze::{PageArgs, page, piped, refusal, remote},
    print,
    signals::Signals,
};
use crate::{
    analysis::Failure,
    app::App,
    config::Settings,
    page::{FoundPage, PageRequest, Scraped},
    quiz::{Kind, Question},
};
use anyhow::{Context as _, anyhow};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;
use secrecy::SecretString;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

const EXAMPLES: &str = "\
Examples:
  quiz-stats scrape https://quiz.example/page      the questions, as a list
  quiz-stats scrape saved.html --json > quiz.json  a saved page, as a quiz file that `analyze` reads
  quiz-stats scrape https://quiz.example/1 --follow
  API_KEY=… quiz-stats scrape https://quiz.example/page --server https://quiz-stats.example

The site's robots.txt is obeyed, and only addresses of the public internet are visited. Exceptions are in the section
[egress] of the configuration: see `quiz-stats config --default`.

Exit codes: 0 questions were found, 1 none, or the page could not be read, 2 wrong arguments.";

/// Most of an answer that is read from a server.
const MAX_ANSWER_BYTES: usize = 16 * 1_048_576;

/// What `scrape` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ScrapeArgs {
    /// The page: its address, or the file of a saved page, or `-` for its HTML through standard input
    #[arg(value_name = "URL|FILE")]
    page: PathBuf,
    /// Print the answer of POST /api/scrape as JSON instead of a list
    #[arg(long)]
    json: bool,
    /// Let this server read the page instead of this process; its key comes from API_KEY
    #[arg(long, value_name = "URL", value_parser = address::http)]
    server: Option<Url>,
    #[command(flatten)]
    how: PageArgs,
}

pub(super) async fn run(args: ScrapeArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let page = match args.page == Path::new("-") {
        true => signals.or(piped(args.how)).await??,
        false => {
            let page = signals.or(page(&args.page, args.how)).await??;
            page.ok_or_else(|| super::WrongUse(no_page(&args.page)))?
        }
    };
    let progress = Progress::start();
    let found = match &args.server {
        Some(server) => {
            let key = settings.auth.api_key.as_ref();
            signals.or(ask(server, key, &page)).await??
        }
        None => here(settings, page, &mut signals).await?,
    };
    drop(progress);
    print(&match args.json {
        true => serde_json::to_string_pretty(&Scraped::from(&found))? + "\n",
        false => list(&found),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong with something that names no page.
fn no_page(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_host = text.contains('.') && !text.starts_with(['.', '/']) && !path.exists();
    let hint = match is_host {
        true => format!("for a page on the web, write https://{text}; "),
        false => String::new(),
    };
    format!(
        "{text} is neither a web address nor an HTML file: {hint}a saved page has a name that ends in .html, or comes \
         through standard input as `-`; to read a quiz file, use `quiz-stats analyze`"
    )
}

/// Reads the page in this process.
async fn here(
    settings: Settings,
    page: PageRequest,
    signals: &mut Signals,
) -> anyhow::Result<FoundPage> {
    let limit = Duration::from_millis(settings.server.drain_timeout_ms);
    let app = signals.or(Box::pin(App::scraper(settings))).await??;
    let scraped = signals.or(app.pipeline().scrape(page)).await;
    app.drain(limit).await;
    scraped?.map_err(told)
}

/// Lets a server read the page.
async fn ask(
    server: &Url,
    key: Option<&SecretString>,
    page: &PageRequest,
) -> anyhow::Result<FoundPage> {
    let (mut response, shown) =
        remote::post(server, "api/scrape", key, &remote::Asked::from(page)).await?;
    if !response.status().is_success() {
        return Err(refusal::read(response, shown, key.is_some()).await);
    }
    let mut answer = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)?
    {
        answer.extend_from_slice(&piece);
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(anyhow!("the answer of {shown} is too long"));
        }
    }
    serde_json::from_slice(&answer).with_context(|| {
        format!("{shown} answers in another language: is it the address of a quiz-stats server?")
    })
}

/// Returns a failure with its details, as people read it.
fn told(failure: Failure) -> anyhow::Error {
    let details: String = (failure.details.iter())
        .map(|detail| format!("\n  {detail}"))
        .collect();
    anyhow!("{}{details}", failure.error)
}

/// Returns the questions as people read them.
fn list(found: &FoundPage) -> String {
    let mut text = String::new();
    let name = found.title.as_deref().or(found.url.as_deref());
    let _ = writeln!(text, "{}\n", name.unwrap_or("the page"));
    for (number, question) in (1..).zip(&found.questions) {
        let _ = write!(text, "{}", entry(number, question));
    }
    let count = found.questions.len();
    let plural = if count == 1 { "" } else { "s" };
    let seconds = Duration::from_millis(found.timings.total_ms).as_secs_f64();
    let way = found.via.word();
    let _ = writeln!(text, "{count} question{plural} · {way} · {seconds:.1} s");
    for note in &found.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn entry(number: usize, question: &Question) -> String {
    let indent = |text: &str, by: usize| text.replace('\n', &format!("\n{:by$}", ""));
    let mut text = format!("{number:>3}. {}", indent(&question.text, 5));
    match question.kind {
        Kind::Multiple => text += "  (more than one may be right)",
        Kind::Single | Kind::TrueFalse => {}
    }
    text += "\n";
    for (option, letter) in question.options.iter().zip('A'..='Z') {
        let place = letter as u32 - 'A' as u32 + 1;
        let is_key = question
            .correct
            .as_ref()
            .is_some_and(|correct| correct.contains(&place));
        let mark = if is_key { "✓" } else { " " };
        let _ = writeln!(text, "   {mark} {letter}) {}", indent(option, 8));
    }
    text + "\n"
}

/// A line on the terminal while the page is read.
struct Progress(ProgressBar);

impl Progress {
    fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} reading the page · {elapsed}");
        let bar = ProgressBar::new_spinner().with_style(style.expect("a fixed template"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Drop for Progress {
    /// Leaves a clean terminal behind, on errors too.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Timings, Via};

    #[test]
    fn the_list_shows_letters_and_the_key() {
        let question = Question {
            text: "What does this print?\nprint(1)".into(),
            options: vec!["1".into(), "one".into()],
            kind: Kind::Multiple,
            correct: Some(vec![1]),
            id: None,
        };
        let found = FoundPage {
            url: Some("https://quiz.example/".into()),
            title: Some("Python".into()),
            via: Via::Http,
            questions: vec![question],
            notes: vec!["more questions are hidden".into()],
            timings: Timings {
                total_ms: 1_234,
                ..Timings::default()
            },
            picture: None,
        };
        assert_eq!(
            list(&found),
            "Python\n\n  1. What does this print?\n     print(1)  (more than one may be right)\n   ✓ A) 1\n     B) one\n\n\
             1 question · http · 1.2 s\nnote: more questions are hidden\n"
        );
    }
}
