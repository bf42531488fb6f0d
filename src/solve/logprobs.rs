//! From the log-probabilities of the first token of a reply to one probability per option.

/// Least probability that must lie on the letters together; below it the model was saying something else.
const MIN_MASS: f64 = 0.05;

/// What the first token of a reply says.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One probability per option, summing to 1.
    pub probabilities: Vec<f64>,
    /// Probability of everything else, 0 to 1.
    pub outside: f64,
}

/// Returns one probability per option, summing to 1, and what lies outside of them, from the likeliest first tokens with their natural
/// log-probabilities. Tokens that name the same letter (`A`, ` A`, `a`, `A)`) count together; an option whose letter is
/// not among them gets 0.
///
/// `None` when the letters hold less than 5 % of the probability, or a value is not a log-probability.
pub fn option_probabilities<'a>(
    top: impl IntoIterator<Item = (&'a str, f64)>,
    options: usize,
) -> Option<Scored> {
    let mut probabilities = vec![0.0; options];
    for (token, logprob) in top {
        // A hair above 0 is rounding; NaN and +infinity are not log-probabilities at all.
        if logprob.is_nan() || logprob > 0.01 {
            return None;
        }
        if let Some(probability) =
            letter_index(token).and_then(|index| probabilities.get_mut(index))
        {
            *probability += logprob.exp();
        }
    }
    let mass: f64 = probabilities.iter().sum();
    if mass < MIN_MASS {
        return None;
    }
    probabilities
        .iter_mut()
        .for_each(|probability| *probability /= mass);
    Some(Scored {
        probabilities,
        outside: (1.0 - mass).clamp(0.0, 1.0),
    })
}

/// Returns the index of the option whose letter `token` is, with or without the marks that tokenisers and people put
/// around it. `Ġ` and `▁` are how some servers write the leading space of a token.
fn letter_index(token: &str) -> Option<usize> {
    let bare = token
        .trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '(' | '[' | '"' | '\'' | '*' | 'Ġ' | '▁')
        })
        .trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, ')' | ']' | '"' | '\'' | '*' | '.' | ':' | ',')
        });
    match bare.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => {
            Some(usize::from(letter.to_ascii_uppercase() - b'A'))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_of_one_letter_count_together() {
        let top = [
            ("A", 0.2_f64.ln()),
            (" A", 0.1_f64.ln()),
            ("a)", 0.1_f64.ln()),
            ("ĠB", 0.4_f64.ln()),
            ("The", 0.2_f64.ln()),
        ];
        let Scored {
            probabilities,
            outside,
        } = option_probabilities(top, 3).unwrap();
        assert!((outside - 0.2).abs() < 1e-9);
        assert!((probabilities[0] - 0.5).abs() < 1e-9, "{probabilities:?}");
        assert!((probabilities[1] - 0.5).abs() < 1e-9);
        assert_eq!(probabilities[2], 0.0);
    }

    #[test]
    fn letters_beyond_the_options_do_not_count() {
        assert_eq!(
            option_probabilities([("C", -0.1), ("A", -2.9)], 2)
                .unwrap()
                .probabilities,
            [1.0, 0.0]
        );
        assert_eq!(option_probabilities([("Z", -0.1)], 2), None);
    }

    #[test]
    fn refuses_when_the_model_says_something_else() {
        assert_eq!(option_probabilities([("The", -0.01), ("A", -6.0)], 4), None);
        assert_eq!(option_probabilities([], 4), None);
        assert_eq!(option_probabilities([("A", f64::NAN)], 4), None);
        assert_eq!(option_probabilities([("A", f64::INFINITY)], 4), None);
        assert_eq!(option_probabilities([("A", 3.0)], 4), None);
        assert_eq!(
            option_probabilities([("B", f64::NEG_INFINITY), ("A", 0.0)], 2)
                .unwrap()
                .probabilities,
            [1.0, 0.0]
        );
    }

    proptest! {
        #[test]
        fn sums_to_one(top in prop::collection::vec(("[ (]?[A-Za-z]{1,2}[).]?", -30.0..0.0), 0..20), options in 2_usize..=26) {
            if let Some(Scored { probabilities, .. }) = option_probabilities(top.iter().map(|(token, p)| (token.as_str(), *p)), options) {
                prop_assert_eq!(probabilities.len(), options);
                prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
    }
}
