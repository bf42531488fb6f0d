//! For tests: GGUF files with a tiny network of random weights and a tokenizer of single bytes.

use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Value},
    },
};
use std::{fs::File, path::PathBuf};
use tempfile::TempDir;

/// Tokens that the tiny models read at most.
pub(super) const CONTEXT: usize = 1_024;

/// What a tiny model is like.
#[derive(Clone, Copy)]
pub(super) struct Tiny {
    /// `general.architecture`.
    pub(super) family: &'static str,
    /// Format of the matrices.
    pub(super) format: GgmlDType,
    /// Whether its metadata has a ChatML template.
    pub(super) chat: bool,
}

pub(super) const LLAMA: Tiny = Tiny {
    family: "llama",
    format: GgmlDType::Q4_1,
    chat: false,
};
pub(super) const QWEN2: Tiny = Tiny {
    family: "qwen2",
    format: GgmlDType::Q8_0,
    chat: true,
};

const WIDTH: usize = 64;
const FEED: usize = 96;
const HEADS: usize = 4;
const KEY_HEADS: usize = 2;
const BLOCKS: u32 = 2;

impl Tiny {
    /// Writes the model and returns its path; the folder must be kept as long as the file is needed.
    pub(super) fn write(self) -> (TempDir, PathBuf) {
        let tensors = self.tensors();
        let tensors: Vec<(&str, &QTensor)> = tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
            .collect();
        let metadata = self.metadata();
        let metadata: Vec<(&str, &Value)> = metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tiny.gguf");
        gguf_file::write(&mut File::create(&path).unwrap(), &metadata, &tensors).unwrap();
        (dir, path)
    }

    fn metadata(self) -> Vec<(String, Value)> {
        let number =
            |key: &str, value: usize| (format!("{}.{key}", self.family), Value::U32(value as u32));
        let mut metadata = vec![
            (
                "general.architecture".to_owned(),
                Value::String(self.family.to_owned()),
            ),
            number("attention.head_count", HEADS),
            number("attention.head_count_kv", KEY_HEADS),
            number("embedding_length", WIDTH),
            number("feed_forward_length", FEED),
            number("context_length", CONTEXT),
            number("block_count", BLOCKS as usize),
            (
                format!("{}.attention.layer_norm_rms_epsilon", self.family),
                Value::F32(1e-5),
            ),
            (
                "tokenizer.ggml.model".to_owned(),
                Value::String("gpt2".to_owned()),
            ),
            (
                "tokenizer.ggml.pre".to_owned(),
                Value::String(self.family.replace("llama", "smollm")),
            ),
            ("tokenizer.ggml.tokens".to_owned(), texts(vocabulary())),
            (
                "tokenizer.ggml.merges".to_owned(),
                texts(vec!["t h".to_owned(), "Ġ th".to_owned()]),
            ),
        ];
        if self.chat {
            let template = "{{'<|im_start|>' + message['role']}}".to_owned();
            metadata.push((
                "tokenizer.chat_template".to_owned(),
                Value::String(template),
            ));
        }
        metadata
    }

    fn tensors(self) -> Vec<(String, QTensor)> {
        let (key_width, mut seed) = (WIDTH / HEADS * KEY_HEADS, 1);
        let mut matrix = |rows: usize, columns: usize| {
            seed += 1;
            QTensor::quantize(&random(seed, (rows, columns)), self.format).unwrap()
        };
        let mut tensors = vec![(
            "token_embd.weight".to_owned(),
            matrix(vocabulary().len(), WIDTH),
        )];
        for block in 0..BLOCKS {
            for (name, rows, columns) in [
                ("attn_q", WIDTH, WIDTH),
                ("attn_k", key_width, WIDTH),
                ("attn_v", key_width, WIDTH),
                ("attn_output", WIDTH, WIDTH),
                ("ffn_gate", FEED, WIDTH),
                ("ffn_up", FEED, WIDTH),
                ("ffn_down", WIDTH, FEED),
            ] {
                tensors.push((format!("blk.{block}.{name}.weight"), matrix(rows, columns)));
            }
            if self.family == "qwen2" {
                for (name, width) in [
                    ("attn_q", WIDTH),
                    ("attn_k", key_width),
                    ("attn_v", key_width),
                ] {
                    tensors.push((
                        format!("blk.{block}.{name}.bias"),
                        vector(random(u64::from(block), (1, width))),
                    ));
                }
            }
            for name in ["attn_norm", "ffn_norm"] {
                tensors.push((format!("blk.{block}.{name}.weight"), ones()));
            }
        }
        tensors.push(("output_norm.weight".to_owned(), ones()));
        tensors
    }
}

/// The 256 bytes as byte-level BPE writes them, two merges, two control tokens; padded to a multiple of 16.
fn vocabulary() -> Vec<String> {
    let printable = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut hidden = 256..;
    let bytes = (0..256).map(|byte| {
        if printable(byte) {
            byte
        } else {
            hidden.next().unwrap()
        }
    });
    let mut tokens: Vec<String> = bytes
        .map(|code| char::from_u32(code).unwrap().to_string())
        .collect();
    tokens.extend(["th", "Ġth", "<|im_start|>", "<|im_end|>"].map(str::to_owned));
    tokens.extend((tokens.len()..272).map(|number| format!("<|unused{number}|>")));
    tokens
}

fn texts(texts: Vec<String>) -> Value {
    Value::Array(texts.into_iter().map(Value::String).collect())
}

fn ones() -> QTensor {
    vector(Tensor::ones((1, WIDTH), candle_core::DType::F32, &Device::Cpu).unwrap())
}

fn vector(row: Tensor) -> QTensor {
    QTensor::quantize(&row.flatten_all().unwrap(), GgmlDType::F32).unwrap()
}

/// Numbers between -0.5 and 0.5 that are the same on every run.
fn random(seed: u64, shape: (usize, usize)) -> Tensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let values: Vec<f32> = (0..shape.0 * shape.1).map(|_| next()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}
