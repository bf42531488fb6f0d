//! Reading a GGUF file: typed access to its metadata and tensors.
//!
//! GGUF is one file with everything a model needs: architecture, tokenizer, chat template and quantized weights.

use super::{error::ModelError, matrix::Matrix};
use candle_core::{
    Device, Tensor,
    quantized::{
        QTensor,
        gguf_file::{Content, Value},
    },
};
use std::{fs::File, io::BufReader, path::Path};

/// An open GGUF file.
pub(crate) struct Gguf {
    content: Content,
    reader: BufReader<File>,
}

impl Gguf {
    /// Opens `path` and reads its header, not its weights.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`] when the file is missing or is no GGUF file.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|error| ModelError::unreadable(path, error))?;
        let mut reader = BufReader::new(file);
        let content = Content::read(&mut reader).map_err(|error| {
            let reason = error.to_string();
            ModelError::unreadable(
                path,
                format!(
                    "not a GGUF file ({})",
                    reason.lines().next().unwrap_or_default()
                ),
            )
        })?;
        Ok(Self { content, reader })
    }

    /// Returns the family of the network, such as `llama` or `qwen2`.
    pub(crate) fn architecture(&self) -> &str {
        self.text("general.architecture").unwrap_or("unknown")
    }

    /// Returns how many weights the file holds.
    pub(crate) fn parameters(&self) -> u64 {
        self.content
            .tensor_infos
            .values()
            .map(|info| info.shape.elem_count() as u64)
            .sum()
    }

    /// Returns a text of the metadata.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.content
            .metadata
            .get(key)?
            .to_string()
            .ok()
            .map(String::as_str)
    }

    /// Returns a whole number of the metadata, whatever its width.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        let value = match self.content.metadata.get(key)? {
            Value::U8(v) => u64::from(*v),
            Value::U16(v) => u64::from(*v),
            Value::U32(v) => u64::from(*v),
            Value::U64(v) => *v,
            Value::I32(v) => u64::try_from(*v).ok()?,
            Value::I64(v) => u64::try_from(*v).ok()?,
            _ => return None,
        };
        usize::try_from(value).ok()
    }

    /// Returns a whole number that the model cannot do without.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when it is missing.
    pub(crate) fn required(&self, key: &str) -> Result<usize, ModelError> {
        self.number(key).filter(|value| *value > 0).ok_or_else(|| {
            ModelError::Unsupported(format!(
                "the model file has no `{key}`: take a complete GGUF of the model"
            ))
        })
    }

    /// Returns a fraction of the metadata.
    pub(crate) fn float(&self, key: &str) -> Option<f32> {
        self.content.metadata.get(key)?.to_f32().ok()
    }

    /// Returns a yes or no of the metadata.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.content.metadata.get(key)?.to_bool().ok()
    }

    /// Returns a list of texts of the metadata.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<&str>> {
        let values = self.content.metadata.get(key)?.to_vec().ok()?;
        values
            .iter()
            .map(|value| value.to_string().ok().map(String::as_str))
            .collect()
    }

    /// Returns whether the file holds a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Reads a small tensor in full precision: a norm or a bias.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when it is missing or cut off.
    pub(crate) fn dense(&mut self, name: &str) -> Result<Tensor, ModelError> {
        Ok(self.quantized(name)?.dequantize(&Device::Cpu)?)
    }

    /// Reads a matrix.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when it is missing or cut off.
    pub(super) fn matrix(&mut self, name: &str) -> Result<Matrix, ModelError> {
        Ok(Matrix::new(self.quantized(name)?)?)
    }

    fn quantized(&mut self, name: &str) -> Result<QTensor, ModelError> {
        Ok(self.content.tensor(&mut self.reader, name, &Device::Cpu)?)
    }
}
