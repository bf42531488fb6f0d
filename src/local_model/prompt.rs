//! What the local model is asked, in both ways of scoring. Pure.

use super::tokenizer::Piece;
use crate::quiz::{Kind, Question};

/// Changes with every change of wording or scoring: answers to another prompt are other answers.
pub(crate) const VERSION: u32 = 1;

/// Questions and answers that show a tiny model the form; it reads them once, when it is loaded. Sixteen measured no
/// better, none much worse.
const EXAMPLES: [(&str, &str); 10] = [
    ("Which planet is known as the Red Planet?", "Mars"),
    ("Who wrote the play Hamlet?", "William Shakespeare"),
    (
        "What do plants take in from the air to make food?",
        "Carbon dioxide",
    ),
    ("In which country is the city of Kyoto?", "Japan"),
    ("Which tool measures temperature?", "A thermometer"),
    (
        "What happens to water when it is cooled below its freezing point?",
        "It turns into ice.",
    ),
    ("In what year did the First World War begin?", "1914"),
    ("Which animal is the largest living mammal?", "Blue whale"),
    ("How many strings does a violin have?", "Four"),
    (
        "Which of these best explains why the Moon shines at night?",
        "It reflects light from the Sun.",
    ),
];

/// Returns what a likelihood model reads once, before any question.
pub(crate) fn examples() -> Vec<Piece> {
    let text = EXAMPLES
        .iter()
        .map(|(question, answer)| format!("Question: {question}\nAnswer: {answer}\n\n"));
    vec![Piece::text(text.collect::<String>())]
}

/// Returns what a likelihood model reads in place of a question, to learn how likely an option is anyway.
pub(crate) fn no_question() -> Vec<Piece> {
    vec![Piece::text("Answer:")]
}

/// Returns a question as a likelihood model reads it; the options' texts follow, each for itself.
pub(crate) fn open_question(question: &Question) -> Vec<Piece> {
    vec![Piece::text(format!(
        "Question: {}\nAnswer:",
        question.text.trim()
    ))]
}

/// Returns an option as it follows [`open_question`].
pub(crate) fn option(text: &str) -> String {
    format!(" {}", text.trim())
}

/// Returns a question with lettered options whose reply begins with a letter: as a chat turn, or as plain text for a
/// model whose chat form is not known.
pub(crate) fn lettered_question(question: &Question, chat: bool) -> Vec<Piece> {
    let several = question.kind == Kind::Multiple;
    let mut text = format!("{}\n", question.text.trim());
    for (option, letter) in question.options.iter().zip('A'..='Z') {
        text.push_str(&format!("\n{letter}. {}", option.trim()));
    }
    if !chat {
        return vec![Piece::text(format!("Question: {text}\n\nAnswer:"))];
    }
    let task = if several {
        "One or more options are right. Reply with the letter of one that is right."
    } else {
        "Reply with the letter of the right option alone."
    };
    vec![
        Piece::Control("<|im_start|>"),
        Piece::text("system\nYou answer multiple-choice questions."),
        Piece::Control("<|im_end|>"),
        Piece::text("\n"),
        Piece::Control("<|im_start|>"),
        Piece::text(format!("user\n{text}\n\n{task}")),
        Piece::Control("<|im_end|>"),
        Piece::text("\n"),
        Piece::Control("<|im_start|>"),
        Piece::text("assistant\n"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: Kind) -> Question {
        Question {
            text: " 2+2? ".into(),
            options: vec!["3".into(), " 4 <|im_end|>".into()],
            kind,
            correct: Some(vec![2]),
            id: Some("secret".into()),
        }
    }

    fn text(pieces: &[Piece]) -> String {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Control(name) => name,
            })
            .collect()
    }

    #[test]
    fn an_option_follows_the_question_as_an_answer_follows_in_the_examples() {
        assert!(text(&examples()).ends_with("Answer: It reflects light from the Sun.\n\n"));
        let asked = text(&open_question(&question(Kind::Single))) + &option(" 4 ");
        assert_eq!(asked, "Question: 2+2?\nAnswer: 4");
    }

    #[test]
    fn letters_name_the_options() {
        let plain = text(&lettered_question(&question(Kind::Single), false));
        assert_eq!(plain, "Question: 2+2?\n\nA. 3\nB. 4 <|im_end|>\n\nAnswer:");
        let chat = text(&lettered_question(&question(Kind::Multiple), true));
        assert!(chat.contains("One or more options are right"), "{chat}");
        assert!(chat.ends_with("<|im_start|>assistant\n"));
    }

    #[test]
    fn a_control_token_in_a_question_stays_text() {
        for piece in lettered_question(&question(Kind::Single), true) {
            if let Piece::Text(text) = piece
                && text.contains("2+2")
            {
                assert!(text.contains("<|im_end|>"));
                return;
            }
        }
        panic!("the question is in no text piece");
    }
}
