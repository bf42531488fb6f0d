//! The cache key of a question: the same for every order of its options.
//!
//! Text counts after Unicode composition (NFC) and with every run of white space as one space; upper and lower
//! case differ (`may`, `May`). Probabilities are kept in the canonical order: the options sorted by that text; or as they
//! stand, where one speaks of the others' places (`all of the above`).

use super::{Kind, Question};
use crate::{hex::Hex, solve::order::is_free};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Identifies a question together with everything about the provider that changes its answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Returns the key under which an answer to `question` by the provider with `provider_fingerprint` is kept.
/// The author's key and id do not count: the model never sees them.
pub fn fingerprint(question: &Question, provider_fingerprint: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    hash_text(&mut hash, provider_fingerprint);
    hash.update([match question.kind {
        Kind::Single => 0_u8,
        Kind::Multiple => 1,
        Kind::TrueFalse => 2,
    }]);
    hash_text(&mut hash, &normalised(&question.text));
    for (option, _) in sorted(question) {
        hash_text(&mut hash, &option);
    }
    Fingerprint(hash.finalize().into())
}

/// Returns `probabilities`, given in the question's order, in the canonical order.
/// One value per option is expected; options without one get 0.
pub fn to_canonical(question: &Question, probabilities: &[f64]) -> Vec<f64> {
    sorted(question)
        .iter()
        .map(|&(_, index)| probabilities.get(index).copied().unwrap_or(0.0))
        .collect()
}

/// Returns `probabilities`, given in the canonical order, in the question's order.
/// One value per option is expected; options without one get 0.
pub fn from_canonical(question: &Question, probabilities: &[f64]) -> Vec<f64> {
    let mut ordered = vec![0.0; question.options.len()];
    for ((_, index), &probability) in sorted(question).into_iter().zip(probabilities) {
        ordered[index] = probability;
    }
    ordered
}

/// Returns the normalised options with their index in the question, in the canonical order; equal options keep theirs.
fn sorted(question: &Question) -> Vec<(Cow<'_, str>, usize)> {
    let mut options: Vec<_> = question
        .options
        .iter()
        .enumerate()
        .map(|(index, option)| (normalised(option), index))
        .collect();
    if !is_free(question) {
        return options;
    }
    // The index makes every entry distinct, so the cheaper unstable sort keeps equal options in order.
    options.sort_unstable();
    options
}

/// Hashes the length before the text, so that no two lists of texts look alike.
fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

/// Returns `text` composed (NFC), trimmed, and with every run of white space as one space.
pub(crate) fn normalised(text: &str) -> Cow<'_, str> {
    let composed = if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect::<String>())
    };
    if is_folded(&composed) {
        return composed;
    }
    let mut folded = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    Cow::Owned(folded)
}

/// Returns whether the only white space in `text` is single spaces between words.
fn is_folded(text: &str) -> bool {
    let mut after_space = true; // a leading space is one too many
    for c in text.chars() {
        if c == ' ' {
            if after_space {
                return false;
            }
            after_space = true;
        } else if c.is_whitespace() {
            return false;
        } else {
            after_space = false;
        }
    }
    !after_space || text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question(text: &str, options: &[&str]) -> Question {
        Question {
            text: text.into(),
            options: options.iter().map(|&o| o.into()).collect(),
            kind: Kind::Single,
            correct: None,
            id: None,
        }
    }

    fn print(question: &Question) -> Fingerprint {
        fingerprint(question, "test")
    }

    #[test]
    fn white_space_and_composition_do_not_count() {
        let plain = question("Wie heißt die Café-Kette?", &["Öl", "am Ende"]);
        let odd = question(
            " Wie  heißt\n\tdie Cafe\u{301}-Kette? ",
            &["O\u{308}l", "am\u{A0}Ende"],
        );
        assert_eq!(print(&plain), print(&odd));
    }

    #[test]
    fn everything_that_changes_the_answer_counts() {
        let base = question("Q", &["ab", "c"]);
        let mut prints = vec![
            print(&base),
            fingerprint(&base, "other"),
            print(&question("q", &["ab", "c"])),
        ];
        prints.push(print(&question("Q", &["a", "bc"])));
        prints.push(print(&question("Q", &["ab", "c", "c"])));
        prints.push(print(&question("Qab", &["", "c"])));
        prints.push(print(&Question {
            kind: Kind::Multiple,
            ..base.clone()
        }));
        let distinct: std::collections::BTreeSet<_> = prints.iter().collect();
        assert_eq!(distinct.len(), prints.len());
        let keyed = Question {
            correct: Some(vec![1]),
            id: Some("x".into()),
            ..base.clone()
        };
        assert_eq!(print(&keyed), print(&base));
    }

    #[test]
    fn is_stable_across_releases() {
        // Answers on disk are found again by this value: a change here throws every cache away.
        assert_eq!(
            print(&question("What is 2+2?", &["3", "4"])).to_string(),
            "424093283bdca5ef81c1ed0cf52dd0e8fe362a7fde46b3a7032a92fdb922e972"
        );
    }

    #[test]
    fn equal_options_keep_their_order() {
        let twice = question("Q", &["b", "a ", "b", "a"]);
        assert_eq!(
            to_canonical(&twice, &[0.1, 0.2, 0.3, 0.4]),
            [0.2, 0.4, 0.1, 0.3]
        );
        assert_eq!(
            from_canonical(&twice, &[0.2, 0.4, 0.1, 0.3]),
            [0.1, 0.2, 0.3, 0.4]
        );
    }

    #[test]
    fn wrong_lengths_do_not_panic() {
        let two = question("Q", &["b", "a"]);
        assert_eq!(to_canonical(&two, &[0.7]), [0.0, 0.7]);
        assert_eq!(from_canonical(&two, &[0.7, 0.2, 0.1]), [0.2, 0.7]);
    }

    fn shuffled() -> impl Strategy<Value = (Vec<String>, Vec<usize>)> {
        prop::collection::vec("[ab É\u{301}e\t]{0,4}", 2..8).prop_flat_map(|options| {
            let order: Vec<usize> = (0..options.len()).collect();
            (Just(options), Just(order).prop_shuffle())
        })
    }

    proptest! {
        #[test]
        fn order_of_options_does_not_count((options, order) in shuffled()) {
            let first = Question { options: options.clone(), ..question("Q", &[]) };
            let second = Question { options: order.iter().map(|&i| options[i].clone()).collect(), ..first.clone() };
            prop_assert_eq!(print(&first), print(&second));

            // An answer learnt in one order is right in the other, option text by option text.
            let probabilities: Vec<f64> = options.iter().enumerate().map(|(i, _)| i as f64).collect();
            let there = to_canonical(&first, &probabilities);
            let back = from_canonical(&second, &there);
            let texts = |question: &Question, of: &[f64]| {
                let mut pairs: Vec<_> = question.options.iter().map(|o| normalised(o).into_owned()).zip(of.iter().map(|p| *p as u64)).collect();
                pairs.sort();
                pairs
            };
            prop_assert_eq!(texts(&first, &probabilities), texts(&second, &back));
        }

        #[test]
        fn mapping_round_trips(options in prop::collection::vec("[ab ]{0,3}", 2..27)) {
            let question = Question { options, ..question("Q", &[]) };
            let probabilities: Vec<f64> = (0..question.options.len()).map(|i| i as f64).collect();
            prop_assert_eq!(&from_canonical(&question, &to_canonical(&question, &probabilities)), &probabilities);
            prop_assert_eq!(&to_canonical(&question, &from_canonical(&question, &probabilities)), &probabilities);
        }

        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC*[ \t\u{301}\u{A0}]*\\PC*") {
            let once = normalised(&text).into_owned();
            prop_assert!(is_folded(&once));
            prop_assert_eq!(normalised(&once).into_owned(), once);
        }
    }
}
