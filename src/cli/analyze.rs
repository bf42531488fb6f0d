//! `quiz-stats analyze FILE|-`: a quiz file in, a table of answers out.

mod progress;
mod remote;
mod sse;
mod table;

use super::{FAILED, PARTLY, WRONG_USE, print};
use crate::{
    analysis::{Report, Status},
    config::Settings,
    quiz::{
        Question,
        check::check,
        file::{self, Format, Parsed},
        problem::Problem,
    },
};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use progress::Progress;
use reqwest::Url;
use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Largest file that is read: far beyond any quiz.
const MAX_FILE_BYTES: u64 = 64 * 1_048_576;
/// Columns of the table where no terminal says otherwise.
const DEFAULT_COLUMNS: u16 = 120;

/// Arguments of `analyze`.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// The quiz: JSON, GIFT or Aiken; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Ask this server instead of answering in this process; its key comes from API_KEY
    #[arg(long, value_name = "URL")]
    server: Option<Url>,
    /// Print the whole report as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Play the show on this channel of the server
    #[arg(long, requires = "server")]
    channel: Option<String>,
    /// Play no show
    #[arg(long, requires = "server")]
    no_animate: bool,
    /// The file's format [default: by its name, else by its text]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
}

/// Names of the formats.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Json,
    Gift,
    Aiken,
}

pub(super) async fn run(args: AnalyzeArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let questions = match read(&args, &settings).await? {
        Ok(questions) => questions,
        Err(problems) => {
            tell(&args.file, &problems);
            return Ok(ExitCode::from(WRONG_USE));
        }
    };
    let mut progress = Progress::start(questions.len());
    let report = match &args.server {
        Some(server) => {
            let request = remote::Request {
                questions: &questions,
                channel: args.channel.as_deref(),
                animate: !args.no_animate,
            };
            remote::run(server, settings.auth.api_key.as_ref(), &request, |result| {
                progress.add(result);
            })
            .await?
        }
        None => bail!("answering in this process comes with the wiring: give --server URL"),
    };
    drop(progress);
    print(&if args.json {
        json(&report)?
    } else {
        text(&questions, &report)
    })?;
    Ok(verdict(&report))
}

/// Reads and checks the file: its questions, or everything that is wrong with them.
async fn read(
    args: &AnalyzeArgs,
    settings: &Settings,
) -> anyhow::Result<Result<Vec<Question>, Vec<Problem>>> {
    let path = args.file.clone();
    let text = tokio::task::spawn_blocking(move || read_text(&path))
        .await
        .context("reading the file failed")??;
    let format = match args.format {
        Some(FormatArg::Json) => Format::Json,
        Some(FormatArg::Gift) => Format::Gift,
        Some(FormatArg::Aiken) => Format::Aiken,
        None => Format::detect(Some(&args.file), &text),
    };
    let Parsed {
        questions,
        problems,
    } = file::parse(format, &text);
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    let problems = check(&questions, &settings.limits);
    Ok(if problems.is_empty() {
        Ok(questions)
    } else {
        Err(problems)
    })
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin {
        "standard input".into()
    } else {
        path.display().to_string()
    };
    let source: Box<dyn io::Read> = if is_stdin {
        Box::new(io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?)
    };
    let mut bytes = Vec::new();
    source
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        bail!(
            "{name} is larger than {} MiB: split it",
            MAX_FILE_BYTES / 1_048_576
        );
    }
    String::from_utf8(bytes)
        .ok()
        .with_context(|| format!("{name} is not UTF-8 text: save it as UTF-8"))
}

fn tell(path: &Path, problems: &[Problem]) {
    let mut lines = format!("quiz-stats: {} cannot be asked as it is:\n", path.display());
    problems
        .iter()
        .for_each(|problem| lines += &format!("  {problem}\n"));
    // Nothing is left to do when standard error is gone.
    let _gone = io::stderr().write_all(lines.as_bytes());
}

fn json(report: &Report) -> anyhow::Result<String> {
    Ok(
        serde_json::to_string_pretty(report).context("the report cannot be written as JSON")?
            + "\n",
    )
}

fn text(questions: &[Question], report: &Report) -> String {
    let columns = if io::stdout().is_terminal() {
        ratatui::crossterm::terminal::size().map_or(DEFAULT_COLUMNS, |(columns, _)| columns)
    } else {
        DEFAULT_COLUMNS
    };
    let table = table::table(questions, &report.results, columns);
    let summary = table::summary(questions, &report.results, &report.usage);
    let failure = report
        .failure
        .iter()
        .map(|failure| format!("failed: {}\n", failure.error));
    std::iter::once(format!("{table}\n{summary}\n"))
        .chain(failure)
        .collect()
}

/// Returns the exit code that a report deserves.
fn verdict(report: &Report) -> ExitCode {
    let answered = report.answers.iter().flatten().count();
    match report.status {
        Status::Success if answered == report.answers.len() => ExitCode::SUCCESS,
        _ if answered > 0 => ExitCode::from(PARTLY),
        _ => ExitCode::from(FAILED),
    }
}
