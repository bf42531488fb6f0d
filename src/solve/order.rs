//! The order in which the options of a question are shown to a model. Pure.
//!
//! Models favour letters and places whatever stands there (Zheng et al., ICLR 2024, arXiv:2309.03882), so the author's
//! order must not decide: the options are shuffled, and where there is doubt shown again in cyclic rotations, until each
//! has stood at each place once.

use crate::quiz::Question;

/// Which option stands at which place, both counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(pub(super) Vec<usize>);

impl Order {
    /// Returns the author's order.
    pub fn given(options: usize) -> Self {
        Self((0..options).collect())
    }

    /// Returns the order of the options' texts, which is the same however the author arranged them.
    pub fn sorted(question: &Question) -> Self {
        let mut order: Vec<usize> = (0..question.options.len()).collect();
        order.sort_by_key(|&option| &question.options[option]);
        Self(order)
    }

    /// Returns an order that `seed` decides, each as likely as the others.
    pub fn shuffled(mut self, mut seed: u64) -> Self {
        // Fisher and Yates. The remainder is uneven by less than one in 2^59 for 26 options.
        for last in (1..self.0.len()).rev() {
            let other = split_mix(&mut seed) % (last as u64 + 1);
            self.0.swap(
                last,
                usize::try_from(other).expect("below the number of options"),
            );
        }
        self
    }

    /// Returns this order with every option `by` places further on, those at the end going to the front.
    pub fn rotated(&self, by: usize) -> Self {
        let mut order = self.0.clone();
        let options = order.len().max(1);
        order.rotate_right(by % options);
        Self(order)
    }

    /// Returns how many options there are.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a question has two options at least"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the question as it is shown: options in this order, without the author's key and name.
    pub fn shown(&self, question: &Question) -> Question {
        Question {
            text: question.text.clone(),
            options: self
                .0
                .iter()
                .map(|&option| question.options[option].clone())
                .collect(),
            kind: question.kind,
            correct: None,
            id: None,
        }
    }

    /// Returns values by option from values by place. A place without a value gives 0.
    pub fn by_option(&self, by_place: &[f64]) -> Vec<f64> {
        let mut by_option = vec![0.0; self.0.len()];
        for (&option, &value) in self.0.iter().zip(by_place) {
            by_option[option] = value;
        }
        by_option
    }
}

/// Words by which an option speaks of the others' places.
const PLACES: [&str; 16] = [
    "above",
    "below",
    "previous",
    "preceding",
    "following",
    "these options",
    "these answers",
    "of these",
    "of them",
    "both of",
    "obigen",
    "genannten",
    "davon",
    "keine der",
    "précédent",
    "anteriores",
];

/// Returns whether the options can stand in any order: none speaks of the others (`all of the above`, `both A and C`).
pub fn is_free(question: &Question) -> bool {
    !question.options.iter().any(|option| {
        // One word speaks of nothing else; most options are one, and known answers must be found fast.
        let several = option
            .bytes()
            .any(|byte| byte.is_ascii_whitespace() || b",&/+".contains(&byte));
        several && {
            let lower = option.to_lowercase();
            PLACES.iter().any(|word| lower.contains(word)) || names_letters(option)
        }
    })
}

/// Returns whether `option` names two letters of options, as in `A and C`, `A, B` and `(i) A & B`.
fn names_letters(option: &str) -> bool {
    let words = option.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | '&' | '/' | '(' | ')' | '.' | ';' | '+')
    });
    let is_letter = |word: &&str| matches!(word.as_bytes(), [b'A'..=b'H']);
    let is_rest = |word: &&str| {
        [
            "", "and", "or", "both", "only", "nor", "neither", "und", "oder", "nur", "et", "ou",
            "y", "o",
        ]
        .contains(&word.to_lowercase().as_str())
    };
    let words: Vec<&str> = words.collect();
    let letters = words.iter().filter(|word| is_letter(word)).count();
    letters >= 2 && words.iter().all(|word| is_letter(word) || is_rest(word))
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiz::Kind;
    use proptest::prelude::*;

    fn question(options: &[&str]) -> Question {
        Question {
            text: "Q".into(),
            options: options.iter().map(|&option| option.into()).collect(),
            kind: Kind::Single,
            correct: Some(vec![1]),
            id: Some("id".into()),
        }
    }

    #[test]
    fn a_cycle_brings_each_option_to_each_place_once() {
        let question = question(&["a", "b", "c", "d"]);
        let base = Order::given(4).shuffled(7);
        let mut seen = std::collections::HashSet::new();
        for by in 0..4 {
            let shown = base.rotated(by).shown(&question);
            assert_eq!(
                (shown.correct, shown.id),
                (None, None),
                "the key is the author's secret"
            );
            for place in shown
                .options
                .iter()
                .enumerate()
                .map(|(place, option)| (place, option.clone()))
            {
                assert!(seen.insert(place));
            }
        }
        assert_eq!(seen.len(), 16);
        assert_eq!(base.rotated(4), base);
    }

    #[test]
    fn every_order_is_as_likely_as_the_others() {
        let mut counts = std::collections::HashMap::new();
        for seed in 0..6_000 {
            *counts.entry(Order::given(3).shuffled(seed).0).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|&count| (850..1_150).contains(&count)),
            "{counts:?}"
        );
    }

    #[test]
    fn options_that_speak_of_others_stay_where_they_are() {
        for option in [
            "All of the above",
            "None of these",
            "Both A and C",
            "A, B",
            "A & B only",
            "Keine der Antworten",
            "Alle oben genannten",
        ] {
            assert!(!is_free(&question(&["x", option])), "{option}");
        }
        for option in [
            "Vitamin A",
            "A",
            "Plan B and a half",
            "AB",
            "the House of Lords",
            "C major",
        ] {
            assert!(is_free(&question(&["x", option])), "{option}");
        }
    }

    proptest! {
        #[test]
        fn values_find_their_options(options in 2_usize..=26, seed: u64, by in 0_usize..30) {
            let order = Order::given(options).shuffled(seed).rotated(by);
            let texts: Vec<String> = (0..options).map(|n| n.to_string()).collect();
            let question = question(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let by_place: Vec<f64> = order.shown(&question).options.iter().map(|text| text.parse().unwrap()).collect();
            let by_option: Vec<f64> = (0..options).map(|n| n as f64).collect();
            prop_assert_eq!(order.by_option(&by_place), by_option);
        }
    }
}
