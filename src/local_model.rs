//! A language model in the process, for use without any account or server.
//!
//! `question → prompt → tokenizer → network (threads of its own) → score → probabilities`
//!
//! A GGUF file of the Llama or Qwen2 family is run by `candle`. It is asked in one of two ways: instruction models from
//! about half a billion weights by the probability of each option's letter, smaller ones by the likelihood of each
//! option's text. `docs/local-model.md` says how well that works.

pub mod catalogue;
pub mod engine;
mod error;
pub mod fetch;
mod gguf;
mod matrix;
mod network;
mod prompt;
mod score;
pub mod shelf;
pub mod threads;
#[cfg(test)]
mod tiny;
mod tokenizer;
pub(crate) mod worker;

pub use error::ModelError;
pub use worker::Status;
