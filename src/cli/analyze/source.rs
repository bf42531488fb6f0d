//! The quiz: the questions of a file, or the page where they stand; or everything that keeps them from being asked.

use super::{AnalyzeArgs, PageArgs};
use crate::{
    cli::WrongUse,
    config::Limits,
    page::{PageRequest, PageSource},
    quiz::{
        Question,
        check::{check, is_blank},
        file::{self, Format, Parsed},
        problem::Problem,
        request::{Subject, check_url},
    },
    scrape::decode,
};
use anyhow::Context as _;
use clap::ValueEnum;
use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

/// Largest file that is read: far beyond any quiz.
const MAX_FILE_BYTES: u64 = 64 * 1_048_576;

/// Names of the formats.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum FormatArg {
    Json,
    Gift,
    Aiken,
    /// Moodle XML
    Moodle,
    /// IMS QTI 1.2 or 2
    Qti,
    /// Open Trivia DB's JSON
    Opentdb,
}

impl From<FormatArg> for Format {
    fn from(named: FormatArg) -> Self {
        match named {
            FormatArg::Json => Self::Json,
            FormatArg::Gift => Self::Gift,
            FormatArg::Aiken => Self::Aiken,
            FormatArg::Moodle => Self::Moodle,
            FormatArg::Qti => Self::Qti,
            FormatArg::Opentdb => Self::OpenTrivia,
        }
    }
}

/// Reads and checks the quiz that the arguments name.
///
/// # Errors
/// [`WrongUse`] with what to change.
pub(super) async fn subject(args: &AnalyzeArgs, limits: &Limits) -> anyhow::Result<Subject> {
    if let Some(page) = page(&args.file, args.page).await? {
        return Ok(Subject::Page(page));
    }
    if args.page.follow || args.page.render {
        let told = "--follow and --render are for pages: name an address or an HTML file";
        return Err(WrongUse(told.to_owned()).into());
    }
    Ok(Subject::Questions(questions(args, limits).await?))
}

/// Returns the page that `path` names, if it names one.
///
/// # Errors
/// [`WrongUse`] with what to change.
pub(in crate::cli) async fn page(
    path: &Path,
    args: PageArgs,
) -> anyhow::Result<Option<PageRequest>> {
    let PageArgs { follow, render } = args;
    let source = if is_web_address(path) {
        let text = path.to_string_lossy();
        let whole = match text.contains("://") {
            true => text.into_owned(),
            false => format!("https://{text}"),
        };
        let url =
            check_url(&whole).map_err(|problem| WrongUse(format!("the address {problem}")))?;
        PageSource::Url(url)
    } else if is_html(path) {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || read_page(&path)).await;
        PageSource::Html(read.context("reading the file failed")??)
    } else {
        return Ok(None);
    };
    Ok(Some(PageRequest {
        source,
        follow,
        render,
    }))
}

/// Returns the page whose markup comes through standard input.
///
/// # Errors
/// [`WrongUse`] with what to change.
pub(in crate::cli) async fn piped(args: PageArgs) -> anyhow::Result<PageRequest> {
    let read = tokio::task::spawn_blocking(|| read_page(Path::new("-"))).await;
    Ok(PageRequest {
        source: PageSource::Html(read.context("reading standard input failed")??),
        follow: args.follow,
        render: args.render,
    })
}

async fn questions(args: &AnalyzeArgs, limits: &Limits) -> anyhow::Result<Vec<Question>> {
    let text = read_aside(&args.file).await?;
    // A server has limits of its own, and tells them.
    let limits = args.server.is_none().then_some(limits);
    Ok(parse(&args.file, &text, args.format, limits)?)
}

/// Reads a quiz file where that holds nobody up.
///
/// # Errors
/// [`WrongUse`] with what to change.
pub(in crate::cli) async fn read_aside(path: &Path) -> anyhow::Result<String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    Ok(read.context("reading the file failed")??)
}

/// Returns the format that was named, else that of the file by its name and text.
pub(in crate::cli) fn format_of(named: Option<FormatArg>, path: &Path, text: &str) -> Format {
    named.map_or_else(|| Format::detect(Some(path), text), Format::from)
}

/// Lists problems, each on a line of its own.
pub(in crate::cli) fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {problem}"))
        .collect()
}

/// Reads a quiz file.
fn read(path: &Path) -> Result<String, WrongUse> {
    text(read_bytes(path)?).map_err(|problem| WrongUse(format!("{} {problem}", name(path))))
}

/// Reads a saved page, in whatever encoding it says it is.
fn read_page(path: &Path) -> Result<String, WrongUse> {
    let markup = decode(&read_bytes(path)?, "");
    match is_blank(&markup) {
        true => Err(WrongUse(format!(
            "{} is empty: save the page again",
            name(path)
        ))),
        false => Ok(markup),
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, WrongUse> {
    let name = name(path);
    let wrong = |problem: &str| WrongUse(format!("{name} {problem}"));
    let source: Box<dyn io::Read> = if is_stdin(path) {
        if io::stdin().is_terminal() {
            // Otherwise it looks as if nothing happened. Nothing is left to do when standard error is gone.
            let _gone = writeln!(
                io::stderr(),
                "reading from the terminal: end it with Ctrl-D"
            );
        }
        Box::new(io::stdin())
    } else if path.is_dir() {
        return Err(wrong("is a folder: name a file in it"));
    } else {
        Box::new(
            File::open(path).map_err(|error| WrongUse(format!("cannot open {name}: {error}")))?,
        )
    };
    let mut bytes = Vec::new();
    source
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| WrongUse(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(WrongUse(format!(
            "{name} is larger than {} MiB: split it",
            MAX_FILE_BYTES / 1_048_576
        )));
    }
    Ok(bytes)
}

/// Returns the bytes as text, or what is wrong with them.
fn text(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err("is UTF-16 text: save it as UTF-8");
    }
    if bytes.contains(&0) {
        return Err("is no text: a quiz file is JSON, GIFT, Aiken, Moodle XML or QTI");
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text: save it as UTF-8")?;
    if text.trim_start_matches('\u{FEFF}').trim().is_empty() {
        return Err("is empty: a quiz file holds at least one question");
    }
    Ok(text)
}

fn parse(
    path: &Path,
    text: &str,
    given: Option<FormatArg>,
    limits: Option<&Limits>,
) -> Result<Vec<Question>, WrongUse> {
    let format = format_of(given, path, text);
    let Parsed {
        questions,
        mut problems,
        ..
    } = file::parse(format, text);
    if problems.is_empty()
        && let Some(limits) = limits
    {
        problems = check(&questions, limits);
    }
    if problems.is_empty() {
        return Ok(questions);
    }
    let mut told = format!(
        "{}, read as {}, cannot be asked as it is:{}",
        name(path),
        format.title(),
        listed(&problems)
    );
    if given.is_none() && Format::of_name(path).is_none() {
        told += "\nif it is in another format, name that with --format json, gift, aiken, moodle, qti or opentdb";
    }
    Err(WrongUse(told))
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn is_web_address(path: &Path) -> bool {
    let text = path.to_string_lossy().to_ascii_lowercase();
    text.contains("://") || text.starts_with("www.")
}

fn is_html(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["html", "htm", "xhtml"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

pub(in crate::cli) fn name(path: &Path) -> String {
    match is_stdin(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str, format: Option<FormatArg>) -> String {
        parse(Path::new(path), text, format, Some(&Limits::default()))
            .unwrap_err()
            .0
    }

    #[test]
    fn every_problem_is_listed_with_the_format_that_was_read() {
        let told = told("quiz.txt", "# Notes\n\nBuy milk.\n", None);
        assert!(
            told.starts_with("quiz.txt, read as GIFT, cannot be asked as it is:\n  "),
            "{told}"
        );
        assert!(
            told.ends_with("--format json, gift, aiken, moodle, qti or opentdb"),
            "{told}"
        );
    }

    #[test]
    fn a_format_that_was_given_is_not_doubted() {
        let told = told("-", "Q {=a ~b}", Some(FormatArg::Json));
        assert!(
            told.starts_with("standard input, read as JSON,") && !told.contains("--format"),
            "{told}"
        );
    }

    #[test]
    fn a_good_file_gives_its_questions() {
        let questions = parse(Path::new("-"), "Q {=a ~b}", None, Some(&Limits::default())).unwrap();
        assert_eq!(questions[0].correct, Some(vec![1]));
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        for (bytes, problem) in [
            (&b"\xFF\xFEQ\0"[..], "UTF-16"),
            (b"\x7FELF\0\x01", "no text"),
            (b"caf\xE9", "not UTF-8"),
            (b"", "empty"),
            (b"\xEF\xBB\xBF \r\n", "empty"),
        ] {
            let told = text(bytes.to_vec()).unwrap_err();
            assert!(told.contains(problem), "{told}");
        }
        assert!(text("é".into()).is_ok());
    }

    #[test]
    fn files_that_cannot_be_read_are_wrong_use() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| read(path).unwrap_err().0;
        assert!(told(folder.path()).ends_with("is a folder: name a file in it"));
        assert!(told(&folder.path().join("none.gift")).starts_with("cannot open "));
    }

    #[tokio::test]
    async fn addresses_and_saved_pages_are_pages() {
        let plain = PageArgs {
            follow: true,
            render: false,
        };
        let named = |path: &'static str| async move {
            page(Path::new(path), plain).await.map(|page| {
                page.map(|page| {
                    assert!(page.follow && !page.render);
                    page.source
                })
            })
        };
        let url = |text: &str| Some(PageSource::Url(text.to_owned()));
        assert_eq!(
            named("HTTPS://quiz.example/1").await.unwrap(),
            url("https://quiz.example/1")
        );
        assert_eq!(
            named("www.quiz.example").await.unwrap(),
            url("https://www.quiz.example/")
        );
        assert_eq!(named("quiz.gift").await.unwrap(), None);
        let wrong = named("http://me:secret@quiz.example/").await.unwrap_err();
        assert!(
            wrong.to_string().starts_with("the address must not carry"),
            "{wrong}"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Saved.HTM");
        std::fs::write(&file, "<p>Quiz").unwrap();
        let saved = page(&file, plain).await.unwrap().unwrap();
        assert_eq!(saved.source, PageSource::Html("<p>Quiz".to_owned()));
        std::fs::write(&file, b"<meta charset=windows-1251>\xCF\xF0").unwrap();
        let saved = page(&file, plain).await.unwrap().unwrap();
        assert_eq!(
            saved.source,
            PageSource::Html("<meta charset=windows-1251>Пр".to_owned())
        );
        std::fs::write(&file, " ").unwrap();
        let wrong = page(&file, plain).await.unwrap_err();
        assert!(
            wrong.to_string().contains("is empty: save the page"),
            "{wrong}"
        );
    }
}
