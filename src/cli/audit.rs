//! `quiz-stats audit FILE`: a quiz with its keys in, what is doubtful about it out.

use super::{
    FAILED, PARTLY, WrongUse, address,
    analyze::{
        News, local,
        progress::Progress,
        refusal, remote,
        source::{FormatArg, format_of, listed, name, read_aside},
    },
    print,
    signals::Signals,
};
use crate::{
    audit::{Audit, report},
    config::Settings,
    quiz::{
        Question,
        check::check,
        file::{self, Format, Parsed},
        request::Subject,
        write::{WriteError, with_notes, write},
    },
};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use ratatui::crossterm::{style::Colored, terminal};
use reqwest::Url;
use serde_json::json;
use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Columns of the table where no terminal says otherwise.
const DEFAULT_COLUMNS: u16 = 140;

const EXAMPLES: &str = "\
Examples:
  quiz-stats audit quiz.gift                            a table
  quiz-stats audit quiz.xml --rules-only                flaws of item writing alone; no model is asked
  quiz-stats audit quiz.gift --report junit -o audit.xml   for the checks of a repository
  quiz-stats audit quiz.gift --report html -o audit.html
  quiz-stats audit quiz.gift --fix noted.gift           the quiz, with a comment where a key is doubted
  OPENAI_API_KEY=… quiz-stats audit quiz.gift           a model worth asking

The model never sees the key. Verdicts: agrees, probably_wrong_key, two_answers, no_right_answer, unclear.

Exit codes: 0 nothing was found, 1 something was (see --fail-on), or the audit failed, 2 the quiz or the arguments are
wrong, 3 nothing was found in what could be read, and something could not be read.";

/// How the audit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportArg {
    Table,
    /// As POST /api/audit answers
    Json,
    /// JUnit XML: a test case per question
    Junit,
    /// One page, with charts
    Html,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A doubted key or a flaw
    Any,
    /// A doubted key
    Key,
    /// Nothing
    Never,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArgs {
    /// The quiz with its keys: JSON, GIFT, Aiken, Moodle XML, QTI or Open Trivia DB; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file's format [default: by its name, else by its text]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Let this server ask its model instead of this process; its key comes from API_KEY
    #[arg(long, value_name = "URL", value_parser = address::http)]
    server: Option<Url>,
    /// Look for flaws of item writing alone; no model is asked
    #[arg(long, conflicts_with = "server")]
    rules_only: bool,
    /// How to write what was found
    #[arg(long, value_enum, default_value = "table")]
    report: ReportArg,
    /// Write it to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the quiz to this file, with a comment before each question whose key is doubted; in its own format nothing
    /// else changes, another one is taken by the file's name
    #[arg(long, value_name = "OUT")]
    fix: Option<PathBuf>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value = "any")]
    fail_on: FailOn,
}

/// The quiz as it was read.
struct Source {
    text: String,
    format: Format,
    parsed: Parsed,
}

pub(super) async fn run(args: AuditArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let source = source(&args, &settings).await?;
    // Whatever cannot be written is told before a model is paid.
    let fix = args
        .fix
        .as_deref()
        .map(|out| Fix::new(out, source.format))
        .transpose()?;
    let Parsed {
        questions,
        problems,
        ..
    } = &source.parsed;
    let mut audit = match (&args.server, args.rules_only) {
        (_, true) => Audit::new(questions, None, Vec::new()),
        (Some(server), false) => {
            signals
                .or(at_server(server, &settings, questions))
                .await??
        }
        (None, false) => {
            let progress = Progress::start(Some(questions.len()));
            let on_news = |news: News| match news {
                News::Questions(count) => progress.expect(count),
                News::Result => progress.add(),
            };
            let subject = Subject::Questions(questions.clone());
            let answered = local::run(settings, subject, &mut signals, on_news).await?;
            Audit::new(questions, Some(&answered.report), Vec::new())
        }
    };
    audit.problems.clone_from(problems);
    let title = name(&args.file);
    let text = match args.report {
        ReportArg::Table => table(&audit, args.output.is_none()),
        ReportArg::Json => serde_json::to_string_pretty(&audit)? + "\n",
        ReportArg::Junit => report::junit(&audit, &title),
        ReportArg::Html => report::html(&audit, &title),
    };
    match &args.output {
        Some(path) => {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        None => print(&text)?,
    }
    if let Some(fix) = fix {
        fix.write(&source, &audit)?;
    }
    if args.output.is_some() || args.report != ReportArg::Table {
        // Nothing is left to do when standard error is gone.
        let _gone = writeln!(io::stderr(), "{}", audit.summary());
    }
    Ok(verdict(&audit, args.fail_on))
}

async fn source(args: &AuditArgs, settings: &Settings) -> anyhow::Result<Source> {
    let text = read_aside(&args.file).await?;
    let format = format_of(args.format, &args.file, &text);
    let parsed = file::parse(format, &text);
    let problems = match parsed.questions.is_empty() {
        true => parsed.problems.clone(),
        // A server has limits of its own, and tells them.
        false if args.server.is_none() => check(&parsed.questions, &settings.limits),
        false => Vec::new(),
    };
    if !problems.is_empty() {
        let told = format!(
            "{}, read as {}, cannot be audited as it is:{}",
            name(&args.file),
            format.title(),
            listed(&problems)
        );
        return Err(WrongUse(told).into());
    }
    if parsed
        .questions
        .iter()
        .all(|question| question.correct.is_none())
        && !args.rules_only
    {
        let told = format!(
            "{} has no keys: add them, or look for flaws alone with --rules-only",
            name(&args.file)
        );
        return Err(WrongUse(told).into());
    }
    Ok(Source {
        text,
        format,
        parsed,
    })
}

async fn at_server(
    server: &Url,
    settings: &Settings,
    questions: &[Question],
) -> anyhow::Result<Audit> {
    let key = settings.auth.api_key.as_ref();
    let body = json!({ "questions": questions });
    let (response, named) = remote::post(server, "api/audit", key, &body).await?;
    if !response.status().is_success() {
        return Err(refusal::read(response, named, key.is_some()).await);
    }
    response
        .json()
        .await
        .with_context(|| format!("{named} answers in another language: is it a quiz-stats server?"))
}

fn table(audit: &Audit, to_terminal: bool) -> String {
    let is_terminal = to_terminal && io::stdout().is_terminal();
    let columns = terminal::size()
        .ok()
        .filter(|(columns, _)| is_terminal && *columns > 0);
    let columns = columns.map_or(DEFAULT_COLUMNS, |(columns, _)| columns);
    // NO_COLOR is known to the terminal library.
    report::table(
        audit,
        columns,
        is_terminal && !Colored::ansi_color_disabled_memoized(),
    )
}

/// Where the noted quiz goes.
struct Fix<'a> {
    out: &'a Path,
    format: Format,
}

impl<'a> Fix<'a> {
    fn new(out: &'a Path, own: Format) -> anyhow::Result<Self> {
        let format = match (Format::of_name(out), own) {
            // Both are named alike.
            (Some(Format::Moodle), Format::Qti)
            | (Some(Format::Json), Format::OpenTrivia)
            | (None, _) => own,
            (Some(named), _) => named,
        };
        match format {
            Format::Aiken => Err(WrongUse(WriteError::NoComments.to_string()).into()),
            _ => Ok(Self { out, format }),
        }
    }

    fn write(&self, source: &Source, audit: &Audit) -> anyhow::Result<()> {
        let note = |item: &crate::audit::Item| {
            let verdict = item.verdict.filter(|verdict| verdict.is_doubt())?;
            Some(format!("quiz-stats: {}: {}", verdict.name(), item.reason))
        };
        let notes: Vec<_> = audit.items.iter().map(note).collect();
        let text = match self.format == source.format {
            true => with_notes(self.format, &source.text, &source.parsed, &notes)?,
            false => write(self.format, &source.parsed.questions, &notes)?,
        };
        fs::write(self.out, text).with_context(|| format!("cannot write {}", self.out.display()))
    }
}

fn verdict(audit: &Audit, fail_on: FailOn) -> ExitCode {
    let doubted = audit.doubted_keys > 0;
    let found = match fail_on {
        FailOn::Any => doubted || audit.flaw_count > 0,
        FailOn::Key => doubted,
        FailOn::Never => false,
    };
    match (found, audit.problems.is_empty()) {
        (true, _) => ExitCode::from(FAILED),
        (false, false) => ExitCode::from(PARTLY),
        (false, true) => ExitCode::SUCCESS,
    }
}
