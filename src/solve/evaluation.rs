//! How often answers are right, and how well their confidence says so. Pure.

mod diagram;

pub use diagram::reliability_diagram;

/// Bins of equal width in which confidence is compared with the share of right answers.
const BINS: usize = 10;

/// What became of one question whose key is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The stated probability that the answer is right, 0 to 1.
    pub confidence: f64,
    /// Whether it is.
    pub is_right: bool,
    /// Sum over the options of the squared difference between probability and truth (Brier 1950), 0 to 2.
    pub brier: f64,
}

/// The figures of a set of questions. Each is a share from 0 to 1, except `brier`, from 0 to 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Questions that were answered.
    pub answered: usize,
    /// Questions in all: one without an answer counts as wrong.
    pub asked: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Expected calibration error: the mean distance between confidence and accuracy over ten bins of equal width, weighted
    /// by their questions (Naeini, Cooper, Hauskrecht: Obtaining well calibrated probabilities using Bayesian binning,
    /// AAAI 2015).
    pub ece: f64,
    /// Mean Brier score.
    pub brier: f64,
    /// Probability that a right answer has more confidence than a wrong one; `None` where all are right, or all wrong.
    pub auroc: Option<f64>,
    /// Share of right answers among the surest half, and among the surest four fifths.
    pub accuracy_at_coverage: [(f64, f64); 2],
}

/// Returns the figures of `outcomes`, out of `asked` questions.
pub fn figures(outcomes: &[Outcome], asked: usize) -> Figures {
    let right = outcomes.iter().filter(|outcome| outcome.is_right).count();
    Figures {
        answered: outcomes.len(),
        asked,
        accuracy: share(right, asked),
        ece: bins(outcomes)
            .iter()
            .map(|bin| bin.weight * (bin.confidence - bin.accuracy).abs())
            .sum(),
        brier: outcomes.iter().map(|outcome| outcome.brier).sum::<f64>()
            / outcomes.len().max(1) as f64,
        auroc: auroc(outcomes),
        accuracy_at_coverage: [0.5, 0.8]
            .map(|coverage| (coverage, at_coverage(outcomes, coverage))),
    }
}

/// One bar of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Share of the questions in it.
    pub weight: f64,
    /// Their mean confidence.
    pub confidence: f64,
    /// Share of right answers among them.
    pub accuracy: f64,
}

/// Returns the bins that hold questions, by rising confidence.
pub fn bins(outcomes: &[Outcome]) -> Vec<Bin> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of ten bins"
    )]
    let bin_of = |outcome: &&Outcome| ((outcome.confidence * BINS as f64) as usize).min(BINS - 1);
    (0..BINS)
        .filter_map(|number| {
            let held: Vec<_> = outcomes
                .iter()
                .filter(|outcome| bin_of(outcome) == number)
                .collect();
            let right = held.iter().filter(|outcome| outcome.is_right).count();
            let sum: f64 = held.iter().map(|outcome| outcome.confidence).sum();
            (!held.is_empty()).then(|| Bin {
                weight: share(held.len(), outcomes.len()),
                confidence: sum / held.len() as f64,
                accuracy: share(right, held.len()),
            })
        })
        .collect()
}

/// By ranks: the statistic of Mann and Whitney, ties counting half.
fn auroc(outcomes: &[Outcome]) -> Option<f64> {
    let (right, wrong): (Vec<&Outcome>, Vec<&Outcome>) =
        outcomes.iter().partition(|outcome| outcome.is_right);
    if right.is_empty() || wrong.is_empty() {
        return None;
    }
    let mut all: Vec<&Outcome> = outcomes.iter().collect();
    all.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let (mut ranks, mut at) = (0.0, 0);
    while at < all.len() {
        let ties = all[at..]
            .iter()
            .take_while(|other| other.confidence.total_cmp(&all[at].confidence).is_eq())
            .count();
        let rank = at as f64 + (ties as f64 + 1.0) / 2.0;
        ranks += rank
            * all[at..at + ties]
                .iter()
                .filter(|outcome| outcome.is_right)
                .count() as f64;
        at += ties;
    }
    let (right, wrong) = (right.len() as f64, wrong.len() as f64);
    Some((ranks - right * (right + 1.0) / 2.0) / (right * wrong))
}

fn at_coverage(outcomes: &[Outcome], coverage: f64) -> f64 {
    let mut all: Vec<&Outcome> = outcomes.iter().collect();
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let kept = (all.len() as f64 * coverage).round() as usize;
    share(
        all[..kept]
            .iter()
            .filter(|outcome| outcome.is_right)
            .count(),
        kept,
    )
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(given: &[(f64, bool)]) -> Vec<Outcome> {
        given
            .iter()
            .map(|&(confidence, is_right)| Outcome {
                confidence,
                is_right,
                brier: 0.5,
            })
            .collect()
    }

    #[test]
    fn figures_of_a_small_set_by_hand() {
        let figures = figures(
            &outcomes(&[(0.95, true), (0.95, true), (0.95, false), (0.35, false)]),
            5,
        );
        assert!(
            (figures.accuracy - 0.4).abs() < 1e-12,
            "the one without an answer counts as wrong"
        );
        // Three of four at 0.95 of which two thirds are right, one at 0.35 and wrong.
        let ece = 0.75 * (0.95 - 2.0 / 3.0) + 0.25 * 0.35;
        assert!((figures.ece - ece).abs() < 1e-12, "{figures:?}");
        // Two right against two wrong: one pair of ties twice, two wins.
        assert_eq!(figures.auroc, Some(0.75));
        assert_eq!(figures.accuracy_at_coverage, [(0.5, 1.0), (0.8, 2.0 / 3.0)]);
    }

    #[test]
    fn nothing_and_all_right_have_no_order() {
        assert_eq!(figures(&[], 0).auroc, None);
        let all = figures(&outcomes(&[(0.9, true), (1.0, true)]), 2);
        assert_eq!((all.auroc, all.accuracy), (None, 1.0));
        assert!(
            (all.ece - 0.05).abs() < 1e-9,
            "0.9 and 1.0 share a bin: {all:?}"
        );
    }

    #[test]
    fn the_diagram_is_whole_and_has_a_bar_per_bin() {
        let svg = reliability_diagram(
            "a & b",
            &outcomes(&[(0.95, true), (0.35, false), (0.31, true)]),
        );
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("class=\"bar\"").count(), 2, "{svg}");
        assert!(svg.contains("a &amp; b"));
    }
}
