//! What one model has said about one question, look by look, and whether to look again. Pure.
//!
//! A look shows the question once, with its options in one order. One look at log-probabilities is enough where they are
//! clear; what a model states of its own confidence is not, so a second look must agree. `true_false` is always seen both
//! ways round.

use super::{
    Method,
    order::{self, Order},
    prior,
};
use crate::quiz::{Kind, Question};

/// Most options of a question from which the letter prior is learnt: it costs a call for each.
const MOST_SAMPLED: usize = 6;

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The two best options must be this far apart, or there is doubt.
    pub margin: f64,
    /// Most looks at one question.
    pub max_looks: u32,
}

/// One look.
#[derive(Debug, Clone)]
struct Look {
    order: Order,
    by_place: Vec<f64>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Evidence {
    kind: Kind,
    base: Order,
    free: bool,
    /// Whether every rotation is to be seen, to learn what the model thinks of the letters.
    sampled: bool,
    method: Option<Method>,
    looks: Vec<Look>,
    outside: f64,
}

impl Evidence {
    /// Starts without any. `seed` decides the first order; `sampled`, whether the question serves to learn the prior.
    pub fn new(question: &Question, seed: u64, sampled: bool) -> Self {
        let options = question.options.len();
        let free = order::is_free(question);
        Self {
            kind: question.kind,
            base: match free {
                true => Order::sorted(question).shuffled(seed),
                false => Order::given(options),
            },
            free,
            sampled: sampled && free && options <= MOST_SAMPLED && question.kind == Kind::Single,
            method: None,
            looks: Vec::new(),
            outside: 0.0,
        }
    }

    /// Returns the order to show next, or `None` when enough was seen.
    pub fn next(&self, rules: Rules, shares: Option<&[f64]>) -> Option<Order> {
        let seen = self.looks.len();
        let all = self.options();
        let more = match self.method {
            None => true,
            // The texts' likelihoods do not depend on any order.
            Some(Method::Likelihood) => false,
            Some(_) if !self.free || seen >= all => false,
            Some(Method::Logprobs) if self.sampled => true,
            Some(_) if seen >= rules.max_looks as usize => false,
            Some(method) => seen < self.least(method) || self.doubt(shares) < rules.margin,
        };
        more.then(|| self.base.rotated(seen))
    }

    /// Adds a look: probabilities by place, as `order` showed the options.
    pub fn add(&mut self, order: Order, by_place: Vec<f64>, outside: f64, method: Method) {
        // A server that changes its ways in between is judged by the less certain one.
        if self.method.is_none_or(|known| known == Method::Logprobs) {
            self.method = Some(method);
        }
        self.looks.push(Look { order, by_place });
        self.outside += (outside - self.outside) / self.looks.len() as f64;
    }

    /// Returns whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty()
    }

    /// Returns one probability per option, in the question's order.
    ///
    /// The mean over the looks; those at letters are first freed of the letters' `shares`, unless each option has stood at
    /// each letter.
    pub fn estimate(&self, shares: Option<&[f64]>) -> Vec<f64> {
        let options = self.options();
        let shares = shares.filter(|_| {
            self.free
                && self.method == Some(Method::Logprobs)
                && self.kind != Kind::Multiple
                && self.looks.len() < options
        });
        let mut mean = vec![0.0; options];
        for (number, look) in (1_u32..).zip(&self.looks) {
            let freed = shares.map(|shares| prior::without(&look.by_place, shares));
            let by_option = look
                .order
                .by_option(freed.as_ref().unwrap_or(&look.by_place));
            for (mean, p) in mean.iter_mut().zip(by_option) {
                *mean += (p - *mean) / f64::from(number);
            }
        }
        mean
    }

    /// Returns how far the two best options are apart; for `multiple`, twice how far the nearest is from one half.
    pub fn doubt(&self, shares: Option<&[f64]>) -> f64 {
        let mut estimate = self.estimate(shares);
        if self.kind == Kind::Multiple {
            let distances = estimate.iter().map(|p| 2.0 * (p - 0.5).abs());
            return distances.fold(1.0, f64::min);
        }
        estimate.sort_unstable_by(|a, b| b.total_cmp(a));
        estimate.first().copied().unwrap_or(0.0) - estimate.get(1).copied().unwrap_or(0.0)
    }

    /// Returns the probability that lay outside the options, on the mean.
    pub fn outside(&self) -> f64 {
        self.outside
    }

    /// Returns how the probabilities were obtained.
    pub fn method(&self) -> Option<Method> {
        self.method
    }

    /// Returns what every letter was given in every rotation, once all were seen.
    pub fn rotations(&self) -> Option<Vec<Vec<f64>>> {
        let whole = self.looks.len() == self.options()
            && self.method == Some(Method::Logprobs)
            && self.free;
        (whole && self.kind == Kind::Single).then(|| {
            self.looks
                .iter()
                .map(|look| look.by_place.clone())
                .collect()
        })
    }

    /// Returns how many looks are taken even without doubt.
    fn least(&self, method: Method) -> usize {
        match (self.kind, method) {
            (Kind::TrueFalse, _) => 2,
            (Kind::Multiple, _) | (_, Method::Logprobs | Method::Likelihood) => 1,
            (Kind::Single, Method::Stated | Method::Parsed) => 2,
        }
    }

    fn options(&self) -> usize {
        self.base.len()
    }
}

#[cfg(test)]
mod tests;
