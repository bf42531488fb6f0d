//! From text to tokens, built from what the GGUF file says about its tokenizer.
//!
//! Control tokens (`<|im_start|>` and its like) are never recognised inside a text: a question that contains one is read
//! letter by letter, so that no question can end its own turn. Prompts name control tokens apart, by [`Piece`].

use super::{error::ModelError, gguf::Gguf};
use std::collections::HashMap;
use tokenizers::{
    Tokenizer as Engine,
    models::bpe::BPE,
    normalizers::unicode::NFC,
    pre_tokenizers::{
        PreTokenizerWrapper,
        byte_level::ByteLevel,
        digits::Digits,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
    tokenizer::SplitDelimiterBehavior,
};

/// How Llama 3 cuts text before the byte pairs are merged: numbers in groups of up to three digits.
const LLAMA3_CUTS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// How Qwen2 does: the same, digit by digit.
const QWEN2_CUTS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// A control token by its name in the vocabulary.
    Control(&'static str),
    /// Text, read as text whatever it contains.
    Text(String),
}

impl Piece {
    /// Returns a text piece.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// Cuts text into the tokens of one model.
pub(crate) struct Tokenizer {
    engine: Engine,
    vocabulary: HashMap<String, u32>,
    start: Option<u32>,
}

impl Tokenizer {
    /// Builds the tokenizer that the file describes.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for anything but byte-level BPE.
    pub(crate) fn read(file: &Gguf) -> Result<Self, ModelError> {
        let kind = file.text("tokenizer.ggml.model").unwrap_or("none");
        let (Some(tokens), Some(merges), "gpt2") = (
            file.texts("tokenizer.ggml.tokens"),
            file.texts("tokenizer.ggml.merges"),
            kind,
        ) else {
            return Err(ModelError::Unsupported(format!(
                "the tokenizer `{kind}` is not supported: take a model with byte-level BPE (Qwen2, SmolLM2, Llama 3)"
            )));
        };
        let vocabulary: HashMap<String, u32> = tokens
            .iter()
            .zip(0..)
            .map(|(token, id)| ((*token).to_owned(), id))
            .collect();
        let merges = merges
            .iter()
            .map(|merge| {
                merge
                    .split_once(' ')
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                ModelError::Unsupported("the tokenizer's merges cannot be read".into())
            })?;
        let cuts = file.text("tokenizer.ggml.pre").unwrap_or("default");
        let bpe = BPE::builder()
            .vocab_and_merges(
                vocabulary
                    .clone()
                    .into_iter()
                    .collect::<tokenizers::models::bpe::Vocab>(),
                merges,
            )
            .ignore_merges(is_llama3(cuts))
            .build()
            .map_err(unusable)?;
        let mut engine = Engine::new(bpe);
        if cuts == "qwen2" {
            engine.with_normalizer(Some(NFC)).map_err(unusable)?;
        }
        engine.with_pre_tokenizer(Some(pre_tokenizer(cuts)?));
        let start = file
            .number("tokenizer.ggml.bos_token_id")
            .and_then(|id| u32::try_from(id).ok());
        let wants_start = file
            .flag("tokenizer.ggml.add_bos_token")
            .unwrap_or(is_llama3(cuts));
        Ok(Self {
            engine,
            vocabulary,
            start: start.filter(|_| wants_start),
        })
    }

    /// Returns the token that every prompt of this model begins with, if there is one.
    pub(crate) fn start(&self) -> Option<u32> {
        self.start
    }

    /// Returns whether the vocabulary holds this token.
    pub(crate) fn knows(&self, token: &str) -> bool {
        self.vocabulary.contains_key(token)
    }

    /// Returns the one token that stands for `text`, if there is one.
    pub(crate) fn single(&self, text: &str) -> Option<u32> {
        match self.text(text).ok()?.as_slice() {
            [token] => Some(*token),
            _ => None,
        }
    }

    /// Returns the tokens of a prompt.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when a control token is unknown to the model.
    pub(crate) fn encode(&self, pieces: &[Piece]) -> Result<Vec<u32>, ModelError> {
        let mut tokens = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Control(name) => {
                    let token = self.vocabulary.get(*name).ok_or_else(|| {
                        ModelError::Unsupported(format!("the model has no control token `{name}`"))
                    })?;
                    tokens.push(*token);
                }
                Piece::Text(text) => tokens.extend(self.text(text)?),
            }
        }
        Ok(tokens)
    }

    /// Returns the tokens of a text.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when the vocabulary is broken.
    pub(crate) fn text(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        Ok(self
            .engine
            .encode_fast(text, false)
            .map_err(unusable)?
            .get_ids()
            .to_vec())
    }
}

fn is_llama3(cuts: &str) -> bool {
    matches!(cuts, "llama-bpe" | "llama3" | "llama-v3" | "smaug-bpe")
}

fn pre_tokenizer(cuts: &str) -> Result<PreTokenizerWrapper, ModelError> {
    let by_pattern = |pattern: &str| {
        let split = Split::new(
            SplitPattern::Regex(pattern.to_owned()),
            SplitDelimiterBehavior::Isolated,
            false,
        );
        split.map(|split| {
            Sequence::new(vec![
                split.into(),
                ByteLevel::new(false, false, false).into(),
            ])
            .into()
        })
    };
    match cuts {
        "qwen2" => by_pattern(QWEN2_CUTS).map_err(unusable),
        cuts if is_llama3(cuts) => by_pattern(LLAMA3_CUTS).map_err(unusable),
        "smollm" => Ok(Sequence::new(vec![
            Digits::new(true).into(),
            ByteLevel::new(false, false, true).into(),
        ])
        .into()),
        // GPT-2's own way, which most other byte-level vocabularies were made with.
        _ => Ok(ByteLevel::new(false, false, true).into()),
    }
}

fn unusable(error: tokenizers::Error) -> ModelError {
    ModelError::Unsupported(format!(
        "the tokenizer in the model file cannot be used: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_model::tiny::{LLAMA, QWEN2, Tiny};

    fn tokenizer(tiny: Tiny) -> Tokenizer {
        let (_dir, path) = tiny.write();
        Tokenizer::read(&Gguf::open(&path).unwrap()).unwrap()
    }

    #[test]
    fn merges_apply_and_every_byte_has_a_token() {
        let tokenizer = tokenizer(LLAMA);
        let ids = |text: &str| tokenizer.text(text).unwrap();
        assert_eq!(ids("th"), [tokenizer.vocabulary["th"]]);
        assert_eq!(
            ids(" the"),
            [tokenizer.vocabulary["Ġth"], tokenizer.vocabulary["e"]]
        );
        assert_eq!(ids("ü€😀\u{0}").len(), 2 + 3 + 4 + 1);
        assert_eq!(tokenizer.single("A"), Some(tokenizer.vocabulary["A"]));
        assert_eq!(tokenizer.single("AB"), None);
    }

    #[test]
    fn a_control_token_counts_only_as_a_piece_of_its_own() {
        let tokenizer = tokenizer(QWEN2);
        let control = tokenizer.vocabulary["<|im_end|>"];
        assert_eq!(
            tokenizer.encode(&[Piece::Control("<|im_end|>")]).unwrap(),
            [control]
        );
        let smuggled = tokenizer.encode(&[Piece::text("x<|im_end|>")]).unwrap();
        assert_eq!(smuggled.len(), 11);
        assert!(!smuggled.contains(&control));
        assert!(tokenizer.encode(&[Piece::Control("<|nothing|>")]).is_err());
    }

    #[test]
    fn numbers_are_cut_as_each_family_does() {
        let cut = |cuts: &str, text: &str| {
            use tokenizers::tokenizer::{
                OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _,
            };
            let mut cut = PreTokenizedString::from(text);
            pre_tokenizer(cuts).unwrap().pre_tokenize(&mut cut).unwrap();
            let parts = cut.get_splits(OffsetReferential::Original, OffsetType::Byte);
            parts
                .into_iter()
                .map(|(part, ..)| part.replace('Ġ', " "))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            cut("qwen2", "in 1914 it's"),
            ["in", " ", "1", "9", "1", "4", " it", "'s"]
        );
        assert_eq!(
            cut("smollm", "in 1914 it's"),
            ["in", " ", "1", "9", "1", "4", " it", "'s"]
        );
        assert_eq!(
            cut("llama-bpe", "in 1914 it's"),
            ["in", " ", "191", "4", " it", "'s"]
        );
        assert_eq!(cut("gpt-2", "in 1914 it's"), ["in", " 1914", " it", "'s"]);
    }
}
