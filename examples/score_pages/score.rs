//! Pages with what a person sees on them, and how much of that an extractor found. Shared with the tests.

use quiz_stats::quiz::Question;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};
use unicode_normalization::UnicodeNormalization as _;

/// One page and what is expected of it.
pub(crate) struct Page {
    /// What it is called.
    pub(crate) name: String,
    /// Its markup.
    pub(crate) file: PathBuf,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    /// Whether the quiz is there only after scripts ran, or in a frame.
    #[serde(default)]
    rendered_only: bool,
    questions: Vec<Question>,
}

impl Page {
    /// Reads the pages of a folder: `NAME.html` with `NAME.json`, or `NAME/index.html` with `NAME/expected.json`.
    pub(crate) fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut pages = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let (file, json) = match path.is_dir() {
                true => (path.join("index.html"), path.join("expected.json")),
                false => (path.clone(), path.with_extension("json")),
            };
            let is_page = file
                .extension()
                .is_some_and(|extension| extension == "html")
                && json.is_file();
            if is_page {
                pages.push(Self {
                    name: path
                        .file_stem()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                    file,
                    expected: serde_json::from_slice(&fs::read(&json)?)?,
                });
            }
        }
        pages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(pages)
    }

    /// Returns whether the plain markup does not hold the quiz.
    pub(crate) const fn is_rendered_only(&self) -> bool {
        self.expected.rendered_only
    }

    /// Compares what was found with what is expected.
    pub(crate) fn score(&self, found: &[Question]) -> Score {
        let expected: Vec<_> = self.expected.questions.iter().map(Seen::of).collect();
        let found_all: Vec<_> = found.iter().map(Seen::of).collect();
        let right = |one: &&Seen, all: &[Seen]| all.iter().any(|other| one.is(other));
        let matched = expected.iter().filter(|one| right(one, &found_all)).count();
        let pairs = self.expected.questions.iter().filter_map(|question| {
            let seen = Seen::of(question);
            Some((
                question,
                found.iter().find(|other| Seen::of(other).is(&seen))?,
            ))
        });
        let pairs: Vec<_> = pairs.collect();
        Score {
            expected: expected.len(),
            found: found_all.len(),
            matched,
            kinds: pairs.iter().filter(|(a, b)| a.kind == b.kind).count(),
            keys: pairs.iter().filter(|(a, b)| a.correct == b.correct).count(),
            missing: expected
                .iter()
                .filter(|one| !right(one, &found_all))
                .map(ToString::to_string)
                .collect(),
            wrong: found_all
                .iter()
                .filter(|one| !right(one, &expected))
                .map(ToString::to_string)
                .collect(),
            odd: (pairs.iter())
                .filter(|(a, b)| a.kind != b.kind || a.correct != b.correct)
                .map(|(a, b)| {
                    format!(
                        "{:.40}: {:?} {:?}, found {:?} {:?}",
                        a.text, a.kind, a.correct, b.kind, b.correct
                    )
                })
                .collect(),
        }
    }
}

/// A question as it is compared: blanks folded, compatible signs alike, options as a set.
struct Seen {
    text: String,
    options: BTreeSet<String>,
}

impl Seen {
    fn of(question: &Question) -> Self {
        Self {
            text: folded(&question.text),
            options: question
                .options
                .iter()
                .map(|option| folded(option))
                .collect(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.text == other.text && self.options == other.options
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        write!(f, "{} [{}]", self.text, options.join(" | "))
    }
}

fn folded(text: &str) -> String {
    let invisible = [
        '\u{AD}', '\u{200B}', '\u{FEFF}', '\u{200E}', '\u{200F}', '\u{2060}',
    ];
    let plain: String = text.nfkc().filter(|c| !invisible.contains(c)).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How much of a page was found.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) expected: usize,
    pub(crate) found: usize,
    pub(crate) matched: usize,
    kinds: usize,
    keys: usize,
    missing: Vec<String>,
    wrong: Vec<String>,
    odd: Vec<String>,
}

impl Score {
    /// Returns the harmonic mean of precision and recall; 1 where nothing was to be found and nothing was.
    #[expect(clippy::cast_precision_loss, reason = "a page has few questions")]
    pub(crate) fn f1(&self) -> f64 {
        match self.expected + self.found {
            0 => 1.0,
            all => 2.0 * self.matched as f64 / all as f64,
        }
    }

    /// Returns whether all is as expected, kinds and keys included.
    pub(crate) fn is_exact(&self) -> bool {
        self.missing.is_empty() && self.wrong.is_empty() && self.odd.is_empty()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sign, list) in [("-", &self.missing), ("+", &self.wrong), ("~", &self.odd)] {
            for line in list {
                writeln!(f, "    {sign} {line}")?;
            }
        }
        Ok(())
    }
}

/// The scores of many pages.
#[derive(Default)]
pub(crate) struct Total(Vec<Score>);

impl Total {
    /// Adds a page.
    pub(crate) fn add(&mut self, score: Score) {
        self.0.push(score);
    }

    fn with_quiz(&self) -> impl Iterator<Item = &Score> {
        self.0.iter().filter(|score| score.expected > 0)
    }

    /// Returns the mean F1 of the pages with a quiz.
    #[expect(clippy::cast_precision_loss, reason = "there are few pages")]
    pub(crate) fn f1(&self) -> f64 {
        self.with_quiz().map(Score::f1).sum::<f64>() / self.with_quiz().count().max(1) as f64
    }

    /// Returns how many pages have no quiz, and on how many of them one was found.
    pub(crate) fn without_quiz(&self) -> (usize, usize) {
        let without = || self.0.iter().filter(|score| score.expected == 0);
        (
            without().count(),
            without().filter(|score| score.found > 0).count(),
        )
    }
}

impl fmt::Display for Total {
    #[expect(clippy::cast_precision_loss, reason = "there are few pages")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Score) -> usize| self.0.iter().map(of).sum::<usize>();
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let (matched, pages) = (sum(|s| s.matched), self.with_quiz().count());
        let exact = self.with_quiz().filter(|score| score.is_exact()).count();
        let (without, false_pages) = self.without_quiz();
        writeln!(f, "pages with a quiz    {pages}, exactly right {exact}")?;
        writeln!(f, "page-averaged F1     {:.3}", self.f1())?;
        writeln!(
            f,
            "precision            {:.3}",
            share(matched, sum(|s| s.found))
        )?;
        writeln!(
            f,
            "recall               {:.3}",
            share(matched, sum(|s| s.expected))
        )?;
        writeln!(
            f,
            "kind right           {:.3}",
            share(sum(|s| s.kinds), matched)
        )?;
        writeln!(
            f,
            "key right            {:.3}",
            share(sum(|s| s.keys), matched)
        )?;
        write!(
            f,
            "pages without a quiz {without}, found one on {false_pages}"
        )
    }
}
