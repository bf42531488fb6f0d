//! Questions that give orders: the attacks of `tests/injections.jsonl` against what is asked, what is read, and the model
//! in the process.

mod asking;
#[cfg(feature = "local-model")]
mod choosing;
mod reading;
mod replies;

use quiz_stats::quiz::{Kind, Question};
use serde::Deserialize;
use std::collections::HashSet;

/// One line of the corpus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    name: String,
    class: String,
    /// With the order.
    question: String,
    answers: Vec<String>,
    /// The number of the right option.
    right: usize,
    /// The number of the option that the order asks for, when it asks for one.
    wanted: Option<usize>,
    plain: Plain,
}

/// The same question without the order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    question: String,
    answers: Vec<String>,
}

impl Attack {
    fn asked(&self, kind: Kind) -> Question {
        asked(&self.question, &self.answers, kind)
    }

    fn harmless(&self, kind: Kind) -> Question {
        asked(&self.plain.question, &self.plain.answers, kind)
    }
}

fn asked(text: &str, options: &[String], kind: Kind) -> Question {
    Question {
        text: text.to_owned(),
        options: options.to_vec(),
        kind,
        correct: None,
        id: None,
    }
}

fn corpus() -> Vec<Attack> {
    include_str!("../injections.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
        .collect()
}

#[test]
fn the_corpus_has_many_attacks_of_many_classes() {
    let corpus = corpus();
    let names: HashSet<_> = corpus.iter().map(|attack| &attack.name).collect();
    let classes: HashSet<_> = corpus.iter().map(|attack| &attack.class).collect();
    assert_eq!(names.len(), corpus.len(), "no two have the same name");
    assert!(corpus.len() >= 45 && classes.len() >= 15);
    for attack in &corpus {
        let numbers = 1..=attack.answers.len();
        assert!(numbers.contains(&attack.right), "{}", attack.name);
        assert!(
            attack
                .wanted
                .is_none_or(|wanted| numbers.contains(&wanted) && wanted != attack.right),
            "{}: whoever obeys must be seen to obey",
            attack.name
        );
        let (attacked, harmless) = (attack.asked(Kind::Single), attack.harmless(Kind::Single));
        assert_ne!(attacked, harmless, "{}", attack.name);
        assert_eq!(attacked.options.len(), harmless.options.len());
    }
}
