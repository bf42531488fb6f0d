//! What models cost: `MODEL=READ/WRITTEN`, in US dollars per million tokens, separated by commas.

use std::collections::BTreeMap;

/// What one model costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// US dollars per million tokens that it reads.
    pub read: f64,
    /// US dollars per million tokens that it writes.
    pub written: f64,
}

impl Price {
    /// Returns US dollars for so many tokens.
    #[expect(
        clippy::cast_precision_loss,
        reason = "tokens of one call are far below 2^52"
    )]
    pub fn of(self, read: u64, written: u64) -> f64 {
        const MILLION: f64 = 1e6;
        (self.read * read as f64 + self.written * written as f64) / MILLION
    }
}

/// Reads the prices by model.
///
/// # Errors
/// The entry that is wrong, and what would be right.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, Price>, String> {
    let entries = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let price = entry.rsplit_once('=').and_then(|(model, price)| {
                let (read, written) = price.split_once('/')?;
                let (read, written) = (amount(read)?, amount(written)?);
                let model = model.trim();
                (!model.is_empty()).then(|| (model.to_owned(), Price { read, written }))
            });
            price.ok_or_else(|| {
                format!("{entry:?} is not a price: write gpt-6-luna=0.10/0.50, US dollars per million tokens read/written")
            })
        })
        .collect()
}

fn amount(text: &str) -> Option<f64> {
    let amount: f64 = text.trim().parse().ok()?;
    (amount.is_finite() && amount >= 0.0).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_and_applied() {
        let prices = read(" gpt-6-luna=0.10/0.50, qwen2.5:7b = 0/0 ,").unwrap();
        assert_eq!(prices.len(), 2);
        assert!((prices["gpt-6-luna"].of(143, 1) - 0.000_014_8).abs() < 1e-12);
        assert_eq!(prices["qwen2.5:7b"].of(1_000, 1_000), 0.0);
    }

    #[test]
    fn what_is_no_price_is_named() {
        for wrong in ["gpt", "gpt=1", "=1/2", "gpt=a/b", "gpt=-1/2", "gpt=NaN/1"] {
            let told = read(wrong).unwrap_err();
            assert!(told.contains("0.10/0.50"), "{told}");
        }
    }
}
