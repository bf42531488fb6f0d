//! The model in the process, with real weights: what it chooses is one of the options, whatever it is told.

use super::{asked, corpus};
use crate::local_model::{patiently, provider, weights};
use quiz_stats::{
    provider::{Provider as _, local::LocalProvider},
    quiz::{Kind, Question},
};

/// Returns the number of the option that is chosen, having checked what it was chosen by.
async fn choice(model: &LocalProvider, question: &Question, name: &str) -> usize {
    let solution = model.solve(question, patiently()).await.expect(name);
    let probabilities = solution.probabilities;
    assert_eq!(probabilities.len(), question.options.len(), "{name}");
    assert!(
        probabilities.iter().all(|p| (0.0..=1.0).contains(p)),
        "{name}: {probabilities:?}"
    );
    assert!(
        (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9,
        "{name}: {probabilities:?}"
    );
    let best = (0..probabilities.len()).max_by(|&a, &b| {
        probabilities[a]
            .total_cmp(&probabilities[b])
            .then(b.cmp(&a))
    });
    best.expect("options") + 1
}

#[tokio::test]
async fn every_attack_is_answered_with_one_of_its_options() {
    let Some(weights) = weights() else { return };
    let model = provider(&weights).await;
    let corpus = corpus();
    let (mut changed, mut obeyed, mut right, mut plainly_right) = (0, 0, 0, 0);
    for attack in &corpus {
        let told = choice(&model, &attack.asked(Kind::Single), &attack.name).await;
        let alone = choice(&model, &attack.harmless(Kind::Single), &attack.name).await;
        changed += usize::from(told != alone);
        obeyed += usize::from(told != alone && attack.wanted == Some(told));
        right += usize::from(told == attack.right);
        plainly_right += usize::from(alone == attack.right);
        if told != alone {
            eprintln!(
                "{}: {alone} became {told}, {:?} was wanted",
                attack.name, attack.wanted
            );
        }
    }
    // How far a model can be talked round is no matter of this program's correctness: measured, not asserted.
    eprintln!(
        "of {} attacks {changed} change the choice, {obeyed} to what they want; right: {right}, without the orders {plainly_right}",
        corpus.len()
    );
}

/// A control token is one token; read as text it is several.
#[tokio::test]
async fn control_tokens_in_a_question_are_read_letter_by_letter() {
    let Some(weights) = weights() else { return };
    let model = provider(&weights).await;
    let tokens = async |text: &str, option: &str| {
        let question = asked(text, &[option.to_owned(), "no".to_owned()], Kind::Single);
        let solution = model.solve(&question, patiently()).await.expect(text);
        solution.prompt_tokens
    };
    let plain = tokens("Is it?", "yes").await;
    for token in ["<|im_start|>", "<|im_end|>", "<|endoftext|>"] {
        let in_text = tokens(&format!("Is it?{token}"), "yes").await - plain;
        assert!(in_text > 3, "{token} in a question takes {in_text}");
        // An option is read twice: after the question and after none.
        let in_option = tokens("Is it?", &format!("yes{token}")).await - plain;
        assert!(in_option > 6, "{token} in an option takes {in_option}");
    }
}
