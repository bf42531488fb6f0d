//! What holds whatever comes in, one function per door: run by `cargo fuzz` (see `fuzz/`) without end, and by the ordinary
//! tests on mutations of the same seeds. Only there: the program has none of it.

use crate::{
    config::Limits,
    extract::{Extraction, Snapshot, extract},
    quiz::{
        MAX_OPTIONS,
        check::check,
        file::{Format, parse},
        problem::Problem,
        request::{parse_analyze_request, parse_quiz_body},
        write::{with_notes, write},
    },
};
pub use crate::{
    config::fuzzing::configuration,
    http::fuzzing::{forwarded, websocket},
};

/// Takes whatever comes in; panics when something does not hold.
pub type Target = fn(&[u8]);

/// Every door by its name: that of its file in `fuzz/targets` and its folder in `fuzz/seeds`.
pub const TARGETS: [(&str, Target); 10] = [
    ("aiken", aiken),
    ("configuration", configuration),
    ("forwarded", forwarded),
    ("gift", gift),
    ("json", json),
    ("moodle", moodle),
    ("open_trivia", open_trivia),
    ("page", page),
    ("qti", qti),
    ("websocket", websocket),
];

/// Most entries of a list of problems: a hundred, and one that counts the rest.
const MOST_PROBLEMS: usize = 101;

/// The body of `POST /api/analyze`: accepted, it keeps every rule; refused, it has reasons.
///
/// # Panics
/// When it is not so, here and below.
pub fn json(data: &[u8]) {
    let limits = Limits::default();
    match parse_analyze_request(data, &limits) {
        Ok(request) => {
            let questions = request.subject.questions();
            assert!(questions.is_empty() || check(questions, &limits).is_empty());
        }
        Err(refused) => told(refused.problems()),
    }
    file(Format::Json, data);
}

/// A quiz in GIFT.
pub fn gift(data: &[u8]) {
    file(Format::Gift, data);
}

/// A quiz in Aiken.
pub fn aiken(data: &[u8]) {
    file(Format::Aiken, data);
}

/// A quiz in Moodle XML.
pub fn moodle(data: &[u8]) {
    file(Format::Moodle, data);
}

/// A quiz in IMS QTI.
pub fn qti(data: &[u8]) {
    file(Format::Qti, data);
}

/// A quiz in Open Trivia DB's JSON.
pub fn open_trivia(data: &[u8]) {
    file(Format::OpenTrivia, data);
}

/// A page: as a browser has seen it when it is the JSON of one, else as HTML.
pub fn page(data: &[u8]) {
    let snapshot = serde_json::from_slice(data)
        .unwrap_or_else(|_| Snapshot::of_html(&String::from_utf8_lossy(data), None));
    sound(&extract(&snapshot));
}

/// Whatever a page is, its questions can be asked, and their key names options.
pub(crate) fn sound(found: &Extraction) {
    for question in &found.questions {
        let count = question.options.len();
        assert!((2..=MAX_OPTIONS).contains(&count), "{question:?}");
        let mut texts = question.options.iter().chain([&question.text]);
        assert!(texts.all(|text| !text.trim().is_empty()), "{question:?}");
        let mut key = question.correct.iter().flatten();
        assert!(
            key.all(|&number| (1..=count).contains(&(number as usize))),
            "{question:?}"
        );
    }
}

/// A file either has sound questions, or tells where it is wrong; the program and the server agree which.
fn file(format: Format, data: &[u8]) {
    let limits = Limits {
        max_questions: usize::MAX,
        max_question_chars: usize::MAX,
        max_option_chars: usize::MAX,
        ..Limits::default()
    };
    let text = String::from_utf8_lossy(data);
    let parsed = parse(format, &text);
    assert_eq!(parsed.places.len(), parsed.questions.len());
    if !parsed.questions.is_empty() {
        let broken = check(&parsed.questions, &limits);
        assert!(broken.is_empty(), "{broken:?}");
        // What is written reads back the same, or is refused; what is noted changes nothing but its notes.
        if let Ok(written) = write(format, &parsed.questions, &[]) {
            assert_eq!(parse(format, &written).questions, parsed.questions);
        }
        let notes = vec![Some("a note".to_owned()); parsed.questions.len()];
        if let Ok(noted) = with_notes(format, &text, &parsed, &notes) {
            assert_eq!(parse(format, &noted).questions, parsed.questions, "{noted}");
        }
    }
    if parsed.problems.is_empty() {
        assert!(!parsed.questions.is_empty());
    } else {
        told(&parsed.problems);
    }
    let served = parse_quiz_body(format, data, &limits);
    let is_text = std::str::from_utf8(data).is_ok();
    assert_eq!(served.is_ok(), is_text && parsed.problems.is_empty());
}

/// Problems are there, not too many, and each names its place.
fn told(problems: &[Problem]) {
    assert!((1..=MOST_PROBLEMS).contains(&problems.len()));
    for Problem { path, problem } in problems {
        assert!(!path.is_empty() && !problem.is_empty(), "{problems:?}");
        let mut places = path
            .split(' ')
            .filter_map(|word| word.trim_end_matches(',').parse().ok());
        assert!(
            !path.starts_with("line ") || places.all(|place: usize| place > 0),
            "{path}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, sample::Index};
    use std::{fs, path::Path};

    /// Words that mean something to one of the readers.
    const WORDS: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\n",
        "\n\n",
        "\r",
        ":",
        ",",
        "=",
        "~",
        "#",
        "%50%",
        "//",
        "::",
        "ANSWER: A",
        "A. ",
        "<",
        ">",
        "</",
        "&amp;",
        "&#0;",
        "<![CDATA[",
        "]]>",
        "<question type=\"multichoice\">",
        "<text>",
        "null",
        "1e999",
        "\"type\":\"ping\"",
        "\"correct\":[1]",
        "for=",
        "[::1]",
        "10.0.0.1, ",
        "[server]\n",
        "\u{feff}",
        "\u{202e}",
        "\0",
        "\u{1b}[31m",
    ];

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/seeds")
            .join(target);
        let files =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    #[derive(Debug, Clone)]
    enum Change {
        Set(Index, u8),
        Insert(Index, &'static str),
        Remove(Index, Index),
        Repeat(Index, Index),
        Cut(Index),
    }

    fn change() -> impl Strategy<Value = Change> {
        let at = any::<Index>;
        prop_oneof![
            (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
            (at(), prop::sample::select(WORDS.to_vec()))
                .prop_map(|(at, word)| Change::Insert(at, word)),
            (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
            (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
            at().prop_map(Change::Cut),
        ]
    }

    fn apply(change: &Change, data: &mut Vec<u8>) {
        let place = |at: &Index| at.index(data.len() + 1);
        let span =
            |from: &Index, to: &Index| place(from).min(place(to))..place(from).max(place(to));
        match change {
            Change::Set(at, byte) if !data.is_empty() => {
                let at = at.index(data.len());
                data[at] = *byte;
            }
            Change::Set(..) => {}
            Change::Insert(at, word) => {
                let at = place(at);
                data.splice(at..at, word.bytes());
            }
            Change::Remove(from, to) => drop(data.drain(span(from, to))),
            Change::Repeat(from, to) => data.extend_from_within(span(from, to)),
            Change::Cut(at) => data.truncate(place(at)),
        }
    }

    #[test]
    fn every_target_has_its_program_and_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let names = |folder: &str| {
            let files = fs::read_dir(root.join(folder)).unwrap();
            let name = |file: fs::DirEntry| {
                file.path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            };
            let mut names: Vec<String> = files.map(|file| name(file.unwrap())).collect();
            names.sort();
            names
        };
        let targets = TARGETS.map(|(name, _)| name);
        assert_eq!(names("targets"), targets);
        assert_eq!(names("seeds"), targets);
        for (name, run) in TARGETS {
            let seeds = seeds(name);
            assert!(seeds.len() >= 3, "{name}");
            seeds.iter().for_each(|seed| run(seed));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn mutated_seeds_find_nothing(
            target in prop::sample::select(TARGETS.to_vec()),
            seed in any::<Index>(),
            changes in prop::collection::vec(change(), 1..8),
        ) {
            let (name, run) = target;
            let mut data = seed.get(&seeds(name)).clone();
            for change in &changes {
                apply(change, &mut data);
            }
            run(&data);
        }
    }
}
