//! Weights, tokenizer and way of scoring put together: a question in, probabilities out.

use super::{
    error::ModelError,
    gguf::Gguf,
    network::{CHUNK, Network, State},
    prompt, score,
    tokenizer::Tokenizer,
};
use crate::{
    quiz::{Kind, Question},
    solve::{Method, Solution, logprobs},
};
use std::path::Path;

/// From this many weights on, a model knows what the letters of a multiple-choice question stand for. Between 0.14 and
/// 0.5 billion, where the change lies, no model is in the catalogue.
const LETTERS_FROM: u64 = 400_000_000;
/// Letters as tokenizers write them at the start of a reply.
const LETTER_FORMS: [&str; 2] = ["", " "];

/// A model ready to answer. Immutable, so any number of threads may ask it at once.
pub struct Engine {
    network: Network,
    tokenizer: Tokenizer,
    way: Way,
}

/// How the model is asked, with what it has read beforehand.
enum Way {
    Letters {
        chat: bool,
        opening: Vec<u32>,
    },
    Likelihood {
        examples: State,
        no_question: Reading,
    },
}

/// A text that was read: what may follow, and the state to go on from.
struct Reading {
    next: Vec<f32>,
    state: State,
}

/// Called between steps; an error ends the work.
pub type Check<'a> = &'a mut dyn FnMut() -> Result<(), ModelError>;

/// Returns how a model of this size is asked when the catalogue does not say.
fn method_for(parameters: u64) -> Method {
    if parameters >= LETTERS_FROM {
        Method::Logprobs
    } else {
        Method::Likelihood
    }
}

impl Engine {
    /// Loads the weights at `path`. Takes about a second per gigabyte, and blocks.
    ///
    /// `method` is how to ask, [`Method::Logprobs`] or [`Method::Likelihood`]; without it the number of weights decides.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`], [`ModelError::Unsupported`], [`ModelError::Compute`] for a damaged file.
    pub fn load(path: &Path, method: Option<Method>) -> Result<Self, ModelError> {
        let mut file = Gguf::open(path)?;
        let method = method.unwrap_or_else(|| method_for(file.parameters()));
        let chat = file
            .text("tokenizer.chat_template")
            .is_some_and(|template| template.contains("<|im_start|>"));
        let tokenizer = Tokenizer::read(&file)?;
        let network = Network::read(&mut file).map_err(|error| match error {
            ModelError::Compute(reason) => ModelError::unreadable(path, reason),
            other => other,
        })?;
        let opening: Vec<u32> = tokenizer.start().into_iter().collect();
        let way = match method {
            Method::Likelihood => {
                let mut start = opening;
                start.extend(tokenizer.encode(&prompt::examples())?);
                let (_, examples) = network.read_text(&start, &State::default(), &mut || Ok(()))?;
                let nothing = tokenizer.encode(&prompt::no_question())?;
                let no_question = read(&network, &nothing, &examples, &mut || Ok(()))?;
                Way::Likelihood {
                    examples,
                    no_question,
                }
            }
            _ => Way::Letters {
                chat: chat && tokenizer.knows("<|im_start|>") && tokenizer.knows("<|im_end|>"),
                opening,
            },
        };
        Ok(Self {
            network,
            tokenizer,
            way,
        })
    }

    /// Returns how this model is asked.
    pub fn method(&self) -> Method {
        match self.way {
            Way::Letters { .. } => Method::Logprobs,
            Way::Likelihood { .. } => Method::Likelihood,
        }
    }

    /// Answers `question`. Blocks for the time of the computation.
    ///
    /// # Errors
    /// [`ModelError::TooLong`]; [`ModelError::Interrupted`] when `check` says so; [`ModelError::Compute`].
    pub fn solve(
        &self,
        question: &Question,
        model: &str,
        check: Check<'_>,
    ) -> Result<Solution, ModelError> {
        let (together, outside, prompt_tokens) = match &self.way {
            Way::Letters { chat, opening } => self.by_letters(question, *chat, opening, check)?,
            Way::Likelihood {
                examples,
                no_question,
            } => {
                let (together, tokens) =
                    self.by_likelihood(question, examples, no_question, check)?;
                (together, 0.0, tokens)
            }
        };
        let probabilities = match question.kind {
            Kind::Single | Kind::TrueFalse => together,
            Kind::Multiple => score::each_for_itself(&together),
        };
        Ok(Solution {
            probabilities,
            outside,
            method: self.method(),
            model: model.to_owned(),
            prompt_tokens: prompt_tokens as u64,
            completion_tokens: 0,
            calls: 1,
            cost_usd: 0.0,
        })
    }

    /// Returns the probability of each option's letter as the first token of the reply, that of everything else, and the
    /// tokens read.
    fn by_letters(
        &self,
        question: &Question,
        chat: bool,
        opening: &[u32],
        check: Check<'_>,
    ) -> Result<(Vec<f64>, f64, usize), ModelError> {
        let mut tokens = opening.to_vec();
        tokens.extend(
            self.tokenizer
                .encode(&prompt::lettered_question(question, chat))?,
        );
        let reading = read(&self.network, &tokens, &State::default(), check)?;
        let whole = score::log_sum_exp(&reading.next);
        let letters: Vec<String> = ('A'..='Z')
            .take(question.options.len())
            .map(String::from)
            .collect();
        let forms = letters.iter().flat_map(|letter| {
            LETTER_FORMS.map(|lead| (letter.as_str(), format!("{lead}{letter}")))
        });
        let top = forms.filter_map(|(letter, form)| {
            let token = self.tokenizer.single(&form)?;
            Some((
                letter,
                f64::from(*reading.next.get(token as usize)?) - whole,
            ))
        });
        let scored = logprobs::option_probabilities(top, letters.len()).ok_or_else(|| {
            ModelError::Compute("the model does not reply with the letter of an option".into())
        })?;
        Ok((scored.probabilities, scored.outside, tokens.len()))
    }

    /// Returns one probability per option by the likelihood of its text, and the tokens read.
    fn by_likelihood(
        &self,
        question: &Question,
        examples: &State,
        no_question: &Reading,
        check: Check<'_>,
    ) -> Result<(Vec<f64>, usize), ModelError> {
        let asked = self.tokenizer.encode(&prompt::open_question(question))?;
        let options = question
            .options
            .iter()
            .map(|text| self.tokenizer.text(&prompt::option(text)));
        let options: Vec<Vec<u32>> = options.collect::<Result<_, _>>()?;
        let reading = read(&self.network, &asked, examples, check)?;
        let after_question = self.likelihoods(&options, &reading, check)?;
        let after_nothing = self.likelihoods(&options, no_question, check)?;
        let likelihoods = after_question.into_iter().zip(after_nothing).zip(&options);
        let likelihoods: Vec<_> = likelihoods
            .map(|((asked, unasked), option)| score::Likelihood {
                asked,
                unasked,
                tokens: option.len(),
            })
            .collect();
        let tokens = asked.len() + 2 * options.iter().map(Vec::len).sum::<usize>();
        Ok((score::by_likelihood(&likelihoods), tokens))
    }

    /// Returns the log-likelihood of each option's tokens after `reading`: as many options in one pass as fit.
    fn likelihoods(
        &self,
        options: &[Vec<u32>],
        reading: &Reading,
        check: Check<'_>,
    ) -> Result<Vec<f64>, ModelError> {
        let first_whole = score::log_sum_exp(&reading.next);
        let mut likelihoods = Vec::with_capacity(options.len());
        let mut rest = options;
        while !rest.is_empty() {
            check()?;
            let mut tokens = 0;
            let fitting = rest.iter().take_while(|option| {
                tokens += option.len();
                tokens <= CHUNK
            });
            let (group, later) = rest.split_at(fitting.count().max(1));
            rest = later;
            // The last token of an option predicts what comes after it, which nobody asks for.
            let inner: Vec<&[u32]> = group
                .iter()
                .map(|option| &option[..option.len() - 1])
                .collect();
            let mut rows = self.predictions(&inner, &reading.state)?.into_iter();
            for option in group {
                let first = f64::from(reading.next[option[0] as usize]) - first_whole;
                let others = option[1..]
                    .iter()
                    .zip(rows.by_ref())
                    .map(|(&token, row)| f64::from(row[token as usize]) - score::log_sum_exp(&row));
                likelihoods.push(first + others.sum::<f64>());
            }
        }
        Ok(likelihoods)
    }

    /// Returns what may follow each token of each branch.
    fn predictions(&self, branches: &[&[u32]], state: &State) -> Result<Vec<Vec<f32>>, ModelError> {
        if branches.iter().all(|branch| branch.is_empty()) {
            return Ok(Vec::new());
        }
        self.network
            .logits(&self.network.read_branches(branches, state)?)
    }
}

fn read(
    network: &Network,
    tokens: &[u32],
    past: &State,
    check: Check<'_>,
) -> Result<Reading, ModelError> {
    let (last, state) = network.read_text(tokens, past, check)?;
    let next = network
        .logits(&last)?
        .pop()
        .ok_or_else(|| ModelError::Compute("no prediction".into()))?;
    Ok(Reading { next, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_model::tiny::{LLAMA, QWEN2, Tiny};
    use std::fs;

    fn engine(tiny: Tiny, method: Method) -> Engine {
        let (_dir, path) = tiny.write();
        Engine::load(&path, Some(method)).unwrap()
    }

    fn question(kind: Kind, options: &[&str]) -> Question {
        Question {
            text: "What is 2 + 2?".into(),
            options: options.iter().map(|&option| option.into()).collect(),
            kind,
            correct: None,
            id: None,
        }
    }

    fn solve(engine: &Engine, question: &Question) -> Solution {
        engine.solve(question, "tiny", &mut || Ok(())).unwrap()
    }

    #[test]
    fn likelihoods_give_a_distribution_that_follows_the_options() {
        let engine = engine(LLAMA, Method::Likelihood);
        let solution = solve(
            &engine,
            &question(
                Kind::Single,
                &["three", "four", "a much longer answer", "x"],
            ),
        );
        assert_eq!(solution.method, Method::Likelihood);
        assert!((solution.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(
            solution,
            solve(
                &engine,
                &question(
                    Kind::Single,
                    &["three", "four", "a much longer answer", "x"]
                )
            )
        );
        let turned = solve(
            &engine,
            &question(
                Kind::Single,
                &["x", "a much longer answer", "four", "three"],
            ),
        );
        for (p, q) in solution
            .probabilities
            .iter()
            .zip(turned.probabilities.iter().rev())
        {
            assert!(
                (p - q).abs() < 0.02,
                "the order of the options matters: {p} {q}"
            );
        }
    }

    #[test]
    fn options_that_do_not_fit_into_one_pass_are_scored_the_same() {
        let engine = engine(LLAMA, Method::Likelihood);
        let long = "long ".repeat(40);
        let options: Vec<String> = (0..26).map(|i| format!("{long}{i}")).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let all = solve(&engine, &question(Kind::Single, &options)).probabilities;
        let two = solve(&engine, &question(Kind::Single, &[options[0], options[25]])).probabilities;
        assert_eq!(all.len(), 26);
        assert!(
            (all[0] / (all[0] + all[25]) - two[0]).abs() < 0.02,
            "{all:?} {two:?}"
        );
    }

    #[test]
    fn several_right_options_stand_for_themselves() {
        let engine = engine(LLAMA, Method::Likelihood);
        let solution = solve(
            &engine,
            &question(Kind::Multiple, &["2", "4", "6", "8", "9"]),
        );
        assert!(
            solution
                .probabilities
                .iter()
                .all(|p| (0.0..=1.0).contains(p))
        );
        assert!(
            (solution.probabilities.iter().sum::<f64>() - 1.0).abs() > 0.2,
            "{:?}",
            solution.probabilities
        );
    }

    #[test]
    fn letters_are_read_off_one_prediction() {
        for tiny in [QWEN2, LLAMA] {
            let engine = engine(tiny, Method::Logprobs);
            // Random weights seldom favour a letter; with all 26 enough falls on them now and then.
            let options = ["x"; 26];
            match engine.solve(&question(Kind::Single, &options), "tiny", &mut || Ok(())) {
                Ok(solution) => {
                    assert!((solution.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                }
                Err(error) => assert!(error.to_string().contains("letter"), "{error}"),
            }
        }
    }

    #[test]
    fn a_question_beyond_the_context_is_too_long() {
        let engine = engine(QWEN2, Method::Logprobs);
        let mut question = question(Kind::Single, &["a", "b"]);
        question.text = "long ".repeat(1_000);
        let solved = engine.solve(&question, "tiny", &mut || Ok(()));
        assert!(
            matches!(solved, Err(ModelError::TooLong { .. })),
            "{solved:?}"
        );
    }

    #[test]
    fn work_that_nobody_wants_is_given_up() {
        let engine = engine(LLAMA, Method::Likelihood);
        let solved = engine.solve(&question(Kind::Single, &["a", "b"]), "tiny", &mut || {
            Err(ModelError::Interrupted)
        });
        assert_eq!(solved, Err(ModelError::Interrupted));
    }

    #[test]
    fn broken_files_are_named_and_do_not_panic() {
        let (dir, path) = LLAMA.write();
        let whole = fs::read(&path).unwrap();
        for length in [0, 3, 40, whole.len() / 2, whole.len() - 1_000] {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Engine::load(&path, None).map(|_| ()).unwrap_err();
            assert!(
                matches!(error, ModelError::Unreadable { .. }),
                "{length}: {error}"
            );
        }
        let missing = Engine::load(&dir.path().join("none.gguf"), None)
            .map(|_| ())
            .unwrap_err();
        assert!(missing.to_string().contains("none.gguf"), "{missing}");
    }

    #[test]
    fn the_number_of_weights_decides_how_an_unknown_model_is_asked() {
        assert_eq!(method_for(135_000_000), Method::Likelihood);
        assert_eq!(method_for(494_000_000), Method::Logprobs);
    }
}
