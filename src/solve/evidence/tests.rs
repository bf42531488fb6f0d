//! Units, and simulations with respondents whose knowledge and bias are known.

use super::*;
use crate::solve::{order::split_mix, prior::Priors};

const RULES: Rules = Rules {
    margin: 0.2,
    max_looks: 4,
};

fn question(kind: Kind, options: usize) -> Question {
    Question {
        text: "Q".into(),
        options: (0..options).map(|n| format!("option {n}")).collect(),
        kind,
        correct: None,
        id: None,
    }
}

#[test]
fn one_clear_look_at_letters_is_enough_and_an_unclear_one_is_not() {
    let question = question(Kind::Single, 4);
    let mut clear = Evidence::new(&question, 1, false);
    let order = clear.next(RULES, None).unwrap();
    clear.add(order, vec![0.1, 0.7, 0.1, 0.1], 0.0, Method::Logprobs);
    assert_eq!(clear.next(RULES, None), None);

    let mut unclear = Evidence::new(&question, 1, false);
    let mut looks = 0;
    while let Some(order) = unclear.next(RULES, None) {
        unclear.add(order, vec![0.4, 0.35, 0.15, 0.1], 0.0, Method::Logprobs);
        looks += 1;
    }
    assert_eq!(looks, 4, "each option at each letter");
    let estimate = unclear.estimate(None);
    assert!(
        estimate.iter().all(|p| (p - 0.25).abs() < 1e-9),
        "all was bias: {estimate:?}"
    );
    assert!(unclear.rotations().is_some());
}

#[test]
fn stated_answers_need_a_second_that_agrees() {
    let mut evidence = Evidence::new(&question(Kind::Single, 4), 1, true);
    let order = evidence.next(RULES, None).unwrap();
    evidence.add(order.clone(), order.by_place(0, 0.9), 0.0, Method::Stated);
    let order = evidence.next(RULES, None).expect("a second look");
    evidence.add(order.clone(), order.by_place(0, 0.9), 0.0, Method::Stated);
    assert_eq!(evidence.next(RULES, None), None, "both say the same");
    assert!(
        evidence.rotations().is_none(),
        "words teach nothing of letters"
    );

    let mut evidence = Evidence::new(&question(Kind::Single, 4), 1, false);
    for option in [0, 1] {
        let order = evidence.next(RULES, None).unwrap();
        evidence.add(
            order.clone(),
            order.by_place(option, 0.9),
            0.0,
            Method::Stated,
        );
    }
    assert!(
        evidence.next(RULES, None).is_some(),
        "one vote each: a third decides"
    );
}

#[test]
fn statements_are_seen_both_ways_round_and_likelihoods_once() {
    let mut evidence = Evidence::new(&question(Kind::TrueFalse, 2), 1, false);
    for _ in 0..2 {
        let order = evidence.next(RULES, None).unwrap();
        evidence.add(order, vec![0.95, 0.05], 0.0, Method::Logprobs);
    }
    assert_eq!(evidence.next(RULES, None), None);
    assert!(
        (evidence.estimate(None)[0] - 0.5).abs() < 1e-9,
        "it always says the first"
    );

    let mut evidence = Evidence::new(&question(Kind::Single, 4), 1, true);
    let order = evidence.next(RULES, None).unwrap();
    evidence.add(order, vec![0.25; 4], 0.0, Method::Likelihood);
    assert_eq!(evidence.next(RULES, None), None);
}

#[test]
fn options_that_speak_of_places_are_seen_once_as_they_stand() {
    let mut asked = question(Kind::Single, 4);
    asked.options[3] = "all of the above".into();
    let mut evidence = Evidence::new(&asked, 1, true);
    let order = evidence.next(RULES, Some(&[0.7, 0.1, 0.1, 0.1])).unwrap();
    assert_eq!(order, Order::given(4));
    evidence.add(order, vec![0.3, 0.25, 0.25, 0.2], 0.1, Method::Logprobs);
    assert_eq!(evidence.next(RULES, None), None);
    assert_eq!(
        evidence.estimate(Some(&[0.7, 0.1, 0.1, 0.1])),
        [0.3, 0.25, 0.25, 0.2]
    );
    assert!((evidence.outside() - 0.1).abs() < 1e-12);
}

impl Order {
    /// Most of the probability on one option, the rest shared by the others, by place.
    fn by_place(&self, option: usize, p: f64) -> Vec<f64> {
        let rest = (1.0 - p) / (self.len() - 1) as f64;
        self.0
            .iter()
            .map(|&shown| if shown == option { p } else { rest })
            .collect()
    }
}

/// Knows the right option with some strength, and favours letters.
struct Respondent {
    favours: [f64; 4],
    seed: u64,
}

impl Respondent {
    /// Its log-odds for the right option of question `number`: from sure and right to sure and wrong, right more often.
    fn knowledge(&self, number: u64) -> [f64; 4] {
        let mut state = number.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ self.seed;
        let mut uniform = || (split_mix(&mut state) >> 11) as f64 / (1_u64 << 53) as f64;
        let mut scores = [uniform(), uniform(), uniform(), uniform()];
        scores[0] += 0.9;
        scores.map(|score| 2.5 * score)
    }

    fn look(&self, number: u64, order: &Order) -> Vec<f64> {
        let knowledge = self.knowledge(number);
        let weights: Vec<f64> = order
            .0
            .iter()
            .zip(self.favours)
            .map(|(&option, favour)| knowledge[option].exp() * favour)
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}

fn best(estimate: &[f64]) -> usize {
    (0..estimate.len())
        .max_by(|&a, &b| estimate[a].total_cmp(&estimate[b]))
        .unwrap()
}

#[test]
fn the_estimator_recovers_a_known_bias_from_a_sample() {
    let respondent = Respondent {
        favours: [0.5, 0.2, 0.2, 0.1],
        seed: 3,
    };
    let mut priors = Priors::default();
    let mut shares = Vec::new();
    // Three in a hundred of two thousand questions.
    for number in 0..60 {
        let asked = question(Kind::Single, 4);
        let mut evidence = Evidence::new(&asked, number, true);
        while let Some(order) = evidence.next(RULES, None) {
            let by_place = respondent.look(number, &order);
            evidence.add(order, by_place, 0.0, Method::Logprobs);
        }
        shares = priors.observe("m", &evidence.rotations().expect("a whole cycle"));
    }
    for (share, favour) in shares.iter().zip(respondent.favours) {
        assert!((share - favour).abs() < 0.04, "{shares:?}");
    }
}

#[test]
fn dividing_the_bias_out_makes_single_looks_right_more_often_at_no_further_call() {
    let respondent = Respondent {
        favours: [0.55, 0.2, 0.15, 0.1],
        seed: 11,
    };
    let mut priors = Priors::default();
    for number in 0..60 {
        let mut evidence = Evidence::new(&question(Kind::Single, 4), number, true);
        while let Some(order) = evidence.next(RULES, None) {
            let by_place = respondent.look(number, &order);
            evidence.add(order, by_place, 0.0, Method::Logprobs);
        }
        priors.observe("m", &evidence.rotations().unwrap());
    }
    let shares = priors.shares("m", 4).unwrap();
    let (mut raw, mut freed, mut knows) = (0, 0, 0);
    for number in 1_000..3_000 {
        let order = Order::given(4).shuffled(number);
        let mut evidence = Evidence::new(&question(Kind::Single, 4), number, false);
        let by_place = respondent.look(number, &order);
        evidence.add(order, by_place, 0.0, Method::Logprobs);
        raw += u32::from(best(&evidence.estimate(None)) == 0);
        freed += u32::from(best(&evidence.estimate(Some(&shares))) == 0);
        knows += u32::from(best(&respondent.knowledge(number)) == 0);
    }
    assert!(
        freed > raw + 200,
        "{raw} of 2000 with the bias, {freed} without"
    );
    assert!(
        knows.abs_diff(freed) < 40,
        "it knows {knows}, and {freed} come out"
    );
}

#[test]
fn looking_again_only_where_there_is_doubt_costs_little_and_gains_most_of_it() {
    let respondent = Respondent {
        favours: [0.55, 0.2, 0.15, 0.1],
        seed: 5,
    };
    let (mut calls, mut right, mut first, mut knows) = (0, 0, 0, 0);
    for number in 0..2_000 {
        let mut evidence = Evidence::new(&question(Kind::Single, 4), number, false);
        while let Some(order) = evidence.next(RULES, None) {
            let by_place = respondent.look(number, &order);
            evidence.add(order, by_place, 0.0, Method::Logprobs);
            if evidence.looks.len() == 1 {
                first += u32::from(best(&evidence.estimate(None)) == 0);
            }
            calls += 1;
        }
        right += u32::from(best(&evidence.estimate(None)) == 0);
        knows += u32::from(best(&respondent.knowledge(number)) == 0);
    }
    assert!(
        right > first,
        "{first} right at the first look, {right} in the end, {knows} known"
    );
    assert!(
        (right - first) * 3 > (knows - first),
        "a third of what bias cost comes back: {first}, {right}, {knows}"
    );
    assert!(calls < 2_000 * 5 / 2, "{calls} calls for 2000 questions");
}
