//! The forward pass of the Llama and Qwen2 families over quantized weights.
//!
//! Written here rather than taken from a model library for three reasons: the state after a question must be reusable for
//! every option, all options must fit into one pass (each as a branch that sees the question and itself, not the others),
//! and the word table must stay quantized (in full precision it is the largest part of a small model).

use super::{error::ModelError, gguf::Gguf, matrix::Matrix};
use candle_core::{D, Device, IndexOp, Result, Tensor};
use candle_nn::{ops, rotary_emb};

/// Most tokens of context that are ever used: a question at the limits of the service fits, memory stays small.
const MAX_CONTEXT: usize = 8_192;
/// Tokens computed at once when reading a long text. Bounds memory, and the time between two looks at the deadline.
pub(crate) const CHUNK: usize = 256;

/// A loaded network. Immutable: everything that changes is in a [`State`].
pub(crate) struct Network {
    words: Matrix,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Matrix,
    rope: Rope,
    sizes: Sizes,
}

/// What the network remembers of the tokens read so far. Cloning is cheap: the tensors are shared.
#[derive(Clone, Default)]
pub(crate) struct State {
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
}

struct Sizes {
    heads: usize,
    key_heads: usize,
    head: usize,
    context: usize,
    epsilon: f32,
}

struct Layer {
    attention_norm: Tensor,
    query: Projection,
    key: Projection,
    value: Projection,
    attention_output: Matrix,
    feed_norm: Tensor,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

struct Projection {
    weight: Matrix,
    /// Qwen2 has one, Llama has none.
    bias: Option<Tensor>,
}

impl Projection {
    fn read(file: &mut Gguf, name: &str) -> std::result::Result<Self, ModelError> {
        let bias = format!("{name}.bias");
        Ok(Self {
            weight: file.matrix(&format!("{name}.weight"))?,
            bias: if file.has(&bias) {
                Some(file.dense(&bias)?)
            } else {
                None
            },
        })
    }

    /// Returns `x` projected and split into heads: (1, heads, tokens, head).
    fn heads(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        let y = self.weight.apply(x)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        let (tokens, width) = y.dims2()?;
        y.reshape((1, tokens, heads, width / heads))?
            .transpose(1, 2)?
            .contiguous()
    }
}

/// Rotary position embedding: the angles of every position, and which numbers of a head turn together.
struct Rope {
    cos: Tensor,
    sin: Tensor,
    /// Neighbours turn together (Llama) or the first half with the second (Qwen2).
    interleaved: bool,
}

impl Rope {
    fn read(
        file: &mut Gguf,
        family: &str,
        head: usize,
        context: usize,
    ) -> std::result::Result<Self, ModelError> {
        let base = file
            .float(&format!("{family}.rope.freq_base"))
            .unwrap_or(10_000.0);
        let width = file
            .number(&format!("{family}.rope.dimension_count"))
            .unwrap_or(head);
        if width != head {
            return Err(ModelError::Unsupported(
                "a model that turns only a part of each head is not supported".into(),
            ));
        }
        // Llama 3.1 and later stretch the slow angles by factors that the file carries.
        let factors = match file.has("rope_freqs.weight") {
            true => file.dense("rope_freqs.weight")?.to_vec1::<f32>()?,
            false => vec![1.0; head / 2],
        };
        let pace = |i: usize| {
            1.0 / base.powf((2 * i) as f32 / head as f32) / factors.get(i).copied().unwrap_or(1.0)
        };
        let paces: Vec<f32> = (0..head / 2).map(pace).collect();
        let paces = Tensor::from_vec(paces, (1, head / 2), &Device::Cpu)?;
        let positions =
            Tensor::arange(0, context as u32, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?;
        let angles = positions.reshape((context, 1))?.matmul(&paces)?;
        Ok(Self {
            cos: angles.cos()?,
            sin: angles.sin()?,
            interleaved: family == "llama",
        })
    }

    fn turn(&self, x: &Tensor, positions: &Tensor) -> Result<Tensor> {
        let (cos, sin) = (
            self.cos.index_select(positions, 0)?,
            self.sin.index_select(positions, 0)?,
        );
        if self.interleaved {
            rotary_emb::rope_i(x, &cos, &sin)
        } else {
            rotary_emb::rope(x, &cos, &sin)
        }
    }
}

impl Network {
    /// Reads the weights.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for a family other than Llama and Qwen2; [`ModelError::Compute`] for a damaged file.
    pub(crate) fn read(file: &mut Gguf) -> std::result::Result<Self, ModelError> {
        let family = file.architecture().to_owned();
        if !matches!(family.as_str(), "llama" | "qwen2") {
            return Err(ModelError::Unsupported(format!(
                "models of the family `{family}` are not supported: take a GGUF of the Llama or Qwen2 family"
            )));
        }
        let heads = file.required(&format!("{family}.attention.head_count"))?;
        let width = file.required(&format!("{family}.embedding_length"))?;
        let sizes = Sizes {
            heads,
            key_heads: file
                .number(&format!("{family}.attention.head_count_kv"))
                .unwrap_or(heads),
            head: width / heads,
            context: file
                .required(&format!("{family}.context_length"))?
                .min(MAX_CONTEXT),
            epsilon: file
                .float(&format!("{family}.attention.layer_norm_rms_epsilon"))
                .unwrap_or(1e-5),
        };
        let rope = Rope::read(file, &family, sizes.head, sizes.context)?;
        let blocks = file.required(&format!("{family}.block_count"))?;
        let layers = (0..blocks)
            .map(|i| Layer::read(file, i))
            .collect::<std::result::Result<_, _>>()?;
        let words = file.matrix("token_embd.weight")?;
        // Small models have no output matrix of their own: the word table serves both ways.
        let output = if file.has("output.weight") {
            file.matrix("output.weight")?
        } else {
            words.clone()
        };
        Ok(Self {
            words,
            layers,
            norm: file.dense("output_norm.weight")?,
            output,
            rope,
            sizes,
        })
    }

    /// Reads `tokens` after `past`. Returns the hidden value after the last token, shape (1, width), and the new state.
    ///
    /// # Errors
    /// [`ModelError::TooLong`], [`ModelError::Interrupted`] when `check` says so, [`ModelError::Compute`].
    pub(crate) fn read_text(
        &self,
        tokens: &[u32],
        past: &State,
        check: &mut dyn FnMut() -> std::result::Result<(), ModelError>,
    ) -> std::result::Result<(Tensor, State), ModelError> {
        let total = past.length + tokens.len();
        if total > self.sizes.context {
            return Err(ModelError::TooLong {
                tokens: total,
                limit: self.sizes.context,
            });
        }
        let mut state = past.clone();
        let mut last = None;
        for chunk in tokens.chunks(CHUNK) {
            check()?;
            let (hidden, next) = self.pass(chunk, &[chunk.len()], &state)?;
            last = Some(hidden.i(chunk.len() - 1..)?);
            state = next;
        }
        let last =
            last.ok_or_else(|| ModelError::Compute("an empty text was to be read".into()))?;
        Ok((last, state))
    }

    /// Reads every branch after the same `past`, in one pass. Returns the hidden values of all tokens, branch after branch.
    ///
    /// # Errors
    /// [`ModelError::TooLong`], [`ModelError::Compute`].
    pub(crate) fn read_branches(
        &self,
        branches: &[&[u32]],
        past: &State,
    ) -> std::result::Result<Tensor, ModelError> {
        let lengths: Vec<usize> = branches.iter().map(|branch| branch.len()).collect();
        let longest = past.length + lengths.iter().copied().max().unwrap_or(0);
        if longest > self.sizes.context {
            return Err(ModelError::TooLong {
                tokens: longest,
                limit: self.sizes.context,
            });
        }
        Ok(self.pass(&branches.concat(), &lengths, past)?.0)
    }

    /// Returns the log-probability of every word after each row of `hidden`, shape (rows, words), unnormalised.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub(crate) fn logits(&self, hidden: &Tensor) -> std::result::Result<Vec<Vec<f32>>, ModelError> {
        Ok(self.output.apply(hidden)?.to_vec2()?)
    }

    fn pass(&self, tokens: &[u32], branches: &[usize], past: &State) -> Result<(Tensor, State)> {
        let ids = Tensor::new(tokens, &Device::Cpu)?;
        let start = past.length as u32;
        let positions: Vec<u32> = branches
            .iter()
            .flat_map(|&length| (0..length as u32).map(move |i| start + i))
            .collect();
        let positions = Tensor::new(positions, &Device::Cpu)?;
        let mask = mask(branches, past.length)?;
        let mut x = self.words.rows(&ids)?;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let normed = ops::rms_norm(&x, &layer.attention_norm, self.sizes.epsilon)?;
            let (attended, memory) =
                self.attend(layer, &normed, &positions, &mask, past.layers.get(index))?;
            layers.push(memory);
            x = (x + attended)?;
            let normed = ops::rms_norm(&x, &layer.feed_norm, self.sizes.epsilon)?;
            x = (x + layer.feed(&normed)?)?;
        }
        let x = ops::rms_norm(&x, &self.norm, self.sizes.epsilon)?;
        Ok((
            x,
            State {
                layers,
                length: past.length + tokens.len(),
            },
        ))
    }

    fn attend(
        &self,
        layer: &Layer,
        x: &Tensor,
        positions: &Tensor,
        mask: &Tensor,
        past: Option<&(Tensor, Tensor)>,
    ) -> Result<(Tensor, (Tensor, Tensor))> {
        let Sizes {
            heads,
            key_heads,
            head,
            ..
        } = self.sizes;
        let tokens = x.dim(0)?;
        let query = self.rope.turn(&layer.query.heads(x, heads)?, positions)?;
        let key = self.rope.turn(&layer.key.heads(x, key_heads)?, positions)?;
        let value = layer.value.heads(x, key_heads)?;
        let (key, value) = match past {
            Some((keys, values)) => (
                Tensor::cat(&[keys, &key], 2)?,
                Tensor::cat(&[values, &value], 2)?,
            ),
            None => (key, value),
        };
        // Several query heads share one key head: stacked as rows, they need no copies of the keys.
        let rows = heads / key_heads * tokens;
        let query = query.reshape((key_heads, rows, head))?;
        let scores = (query.matmul(&key.squeeze(0)?.t()?)? / (head as f64).sqrt())?;
        let seen = scores.dim(D::Minus1)?;
        let scores = scores.reshape((heads, tokens, seen))?.broadcast_add(mask)?;
        let weights = ops::softmax_last_dim(&scores)?.reshape((key_heads, rows, seen))?;
        let mixed = weights.matmul(&value.squeeze(0)?)?;
        let mixed = mixed
            .reshape((heads, tokens, head))?
            .transpose(0, 1)?
            .reshape((tokens, heads * head))?;
        Ok((layer.attention_output.apply(&mixed)?, (key, value)))
    }
}

impl Layer {
    fn read(file: &mut Gguf, index: usize) -> std::result::Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{index}.{part}");
        Ok(Self {
            attention_norm: file.dense(&name("attn_norm.weight"))?,
            query: Projection::read(file, &name("attn_q"))?,
            key: Projection::read(file, &name("attn_k"))?,
            value: Projection::read(file, &name("attn_v"))?,
            attention_output: file.matrix(&name("attn_output.weight"))?,
            feed_norm: file.dense(&name("ffn_norm.weight"))?,
            gate: file.matrix(&name("ffn_gate.weight"))?,
            up: file.matrix(&name("ffn_up.weight"))?,
            down: file.matrix(&name("ffn_down.weight"))?,
        })
    }

    fn feed(&self, x: &Tensor) -> Result<Tensor> {
        self.down
            .apply(&(self.gate.apply(x)?.silu()? * self.up.apply(x)?)?)
    }
}

/// Returns what each new token must not see, as minus infinity: (new tokens, past + new tokens).
/// A token sees the past, and its own branch up to itself.
fn mask(branches: &[usize], past: usize) -> Result<Tensor> {
    let tokens: usize = branches.iter().sum();
    let width = past + tokens;
    let mut cells = vec![f32::NEG_INFINITY; tokens * width];
    let mut start = 0;
    for &length in branches {
        for row in start..start + length {
            let line = &mut cells[row * width..(row + 1) * width];
            line[..past].fill(0.0);
            line[past + start..=past + row].fill(0.0);
        }
        start += length;
    }
    Tensor::from_vec(cells, (tokens, width), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_model::tiny::{CONTEXT, LLAMA, QWEN2, Tiny};

    fn network(tiny: Tiny) -> Network {
        let (_dir, path) = tiny.write();
        Network::read(&mut Gguf::open(&path).unwrap()).unwrap()
    }

    fn tokens(count: usize) -> Vec<u32> {
        (0..count as u32).map(|i| i * 31 % 250).collect()
    }

    fn after(network: &Network, tokens: &[u32], past: &State) -> (Vec<f32>, State) {
        let (hidden, state) = network.read_text(tokens, past, &mut || Ok(())).unwrap();
        (network.logits(&hidden).unwrap().remove(0), state)
    }

    fn close(a: &[f32], b: &[f32]) {
        let difference = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        let size = a.iter().map(|a| a.abs()).fold(0.0, f32::max);
        assert!(difference < 0.02 * size, "differ by {difference} of {size}");
    }

    #[test]
    fn the_same_text_gives_the_same_prediction() {
        for tiny in [LLAMA, QWEN2] {
            let network = network(tiny);
            let (first, _) = after(&network, &tokens(20), &State::default());
            let (second, _) = after(&network, &tokens(20), &State::default());
            assert_eq!(first, second);
            assert!(first.iter().all(|x| x.is_finite()));
            let (other, _) = after(&network, &tokens(19), &State::default());
            assert_ne!(first, other);
        }
    }

    #[test]
    fn going_on_from_a_state_equals_reading_all_at_once() {
        for tiny in [LLAMA, QWEN2] {
            let network = network(tiny);
            let text = tokens(40);
            let (whole, _) = after(&network, &text, &State::default());
            let (_, state) = after(&network, &text[..23], &State::default());
            let (continued, _) = after(&network, &text[23..], &state);
            close(&whole, &continued);
            // The state was not used up: a second reader gets the same.
            assert_eq!(after(&network, &text[23..], &state).0, continued);
        }
    }

    #[test]
    fn a_long_text_is_read_in_chunks_with_the_same_result() {
        let network = network(LLAMA);
        let text = tokens(CHUNK + 40);
        let (whole, _) = after(&network, &text, &State::default());
        let (_, state) = after(&network, &text[..CHUNK + 13], &State::default());
        close(&whole, &after(&network, &text[CHUNK + 13..], &state).0);
    }

    #[test]
    fn a_branch_sees_the_text_and_itself_but_not_its_neighbours() {
        for tiny in [LLAMA, QWEN2] {
            let network = network(tiny);
            let (_, state) = after(&network, &tokens(12), &State::default());
            let branches: [&[u32]; 4] = [&[1, 2, 3], &[], &[200], &[9, 8]];
            let rows = network
                .logits(&network.read_branches(&branches, &state).unwrap())
                .unwrap();
            assert_eq!(rows.len(), 6);
            let mut rows = rows.into_iter();
            for branch in branches {
                for end in 1..=branch.len() {
                    close(
                        &after(&network, &branch[..end], &state).0,
                        &rows.next().unwrap(),
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_beyond_the_context_is_refused_with_both_numbers() {
        let network = network(QWEN2);
        let error = network
            .read_text(&tokens(CONTEXT + 1), &State::default(), &mut || Ok(()))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error,
            ModelError::TooLong {
                tokens: CONTEXT + 1,
                limit: CONTEXT
            }
        );
        let (_, state) = after(&network, &tokens(CONTEXT - 2), &State::default());
        assert!(network.read_branches(&[&[1, 2]], &state).is_ok());
        assert!(network.read_branches(&[&[1, 2, 3]], &state).is_err());
    }

    #[test]
    fn reading_can_be_interrupted_between_chunks() {
        let network = network(LLAMA);
        let mut chunks = 0;
        let mut check = || {
            chunks += 1;
            if chunks > 1 {
                Err(ModelError::Interrupted)
            } else {
                Ok(())
            }
        };
        let read = network.read_text(&tokens(3 * CHUNK), &State::default(), &mut check);
        assert_eq!(read.map(|_| ()).unwrap_err(), ModelError::Interrupted);
        assert_eq!(chunks, 2);
    }

    #[test]
    fn another_family_is_refused_by_name() {
        let (_dir, path) = Tiny {
            family: "gemma",
            ..LLAMA
        }
        .write();
        let error = Network::read(&mut Gguf::open(&path).unwrap())
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains("gemma"), "{error}");
    }
}
