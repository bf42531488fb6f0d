//! Quantized matrices in the form in which this machine multiplies them fastest.

use candle_core::{
    Device, Result, Tensor,
    quantized::{GgmlDType, QMatMul, QTensor},
};

/// Candle's fastest kernels take rows of a multiple of this many numbers.
const ROW: usize = 256;

/// A quantized matrix.
#[derive(Clone)]
pub(super) struct Matrix {
    weights: QMatMul,
    /// Columns of the matrix itself.
    columns: usize,
    /// Columns of zeros behind them.
    padding: usize,
}

impl Matrix {
    /// Takes a matrix as it was stored.
    pub(super) fn new(stored: QTensor) -> Result<Self> {
        let columns = stored.shape().dims2()?.1;
        // Candle has vector instructions for 4.0, 8.0 and the K formats alone; the others it multiplies number by number,
        // about twenty times slower. Eight bits hold every value of the smaller formats almost exactly.
        let slow = matches!(
            stored.dtype(),
            GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1
        );
        // With zeros at the end of each row the products are the same, and four times as fast.
        let padding = match stored.dtype() {
            GgmlDType::Q8_0 => padding(columns),
            _ if slow => padding(columns),
            _ => 0,
        };
        let weights = if slow || padding > 0 {
            let dense = stored
                .dequantize(&Device::Cpu)?
                .pad_with_zeros(1, 0, padding)?;
            QTensor::quantize(&dense, GgmlDType::Q8_0)?
        } else {
            stored
        };
        Ok(Self {
            weights: QMatMul::from_qtensor(weights)?,
            columns,
            padding,
        })
    }

    /// Returns the product with each row of `x`.
    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let padded = if self.padding > 0 {
            &x.pad_with_zeros(1, 0, self.padding)?
        } else {
            x
        };
        candle_nn::Module::forward(&self.weights, padded)
    }

    /// Returns the rows with these numbers.
    pub(super) fn rows(&self, numbers: &Tensor) -> Result<Tensor> {
        let rows = self.weights.embedding(numbers)?;
        if self.padding > 0 {
            rows.narrow(1, 0, self.columns)?.contiguous()
        } else {
            Ok(rows)
        }
    }
}

/// Returns how many zeros to put behind `columns` numbers: none where the fast kernel does not run.
fn padding(columns: usize) -> usize {
    if has_byte_products() {
        columns.next_multiple_of(ROW) - columns
    } else {
        0
    }
}

/// Returns whether this processor multiplies bytes in groups (VNNI).
fn has_byte_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
        wide || (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni"))
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of 32 rows whose values do not repeat.
    fn dense(columns: usize) -> Tensor {
        let values: Vec<f32> = (0..32 * columns)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0)
            .collect();
        Tensor::from_vec(values, (32, columns), &Device::Cpu).unwrap()
    }

    fn close(a: &Tensor, b: &Tensor, tolerance: f32) {
        let difference = (a - b)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar::<f32>()
            .unwrap();
        assert!(difference < tolerance, "differ by {difference}");
    }

    #[test]
    fn products_and_rows_are_those_of_the_matrix_in_every_format() {
        for format in [
            GgmlDType::Q4_1,
            GgmlDType::Q5_0,
            GgmlDType::Q8_0,
            GgmlDType::F32,
        ] {
            // 96 columns need padding, 256 do not.
            for columns in [96, 256] {
                let stored = QTensor::quantize(&dense(columns), format).unwrap();
                let truth = stored.dequantize(&Device::Cpu).unwrap();
                let matrix = Matrix::new(stored).unwrap();
                let x = dense(columns)
                    .narrow(0, 3, 5)
                    .unwrap()
                    .contiguous()
                    .unwrap();
                close(
                    &matrix.apply(&x).unwrap(),
                    &x.matmul(&truth.t().unwrap()).unwrap(),
                    0.6,
                );
                let numbers = Tensor::new(&[7_u32, 0, 31], &Device::Cpu).unwrap();
                close(
                    &matrix.rows(&numbers).unwrap(),
                    &truth.index_select(&numbers, 0).unwrap(),
                    0.01,
                );
            }
        }
    }
}
