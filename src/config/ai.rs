//! `[ai]`: The AI client.

use super::{check::Check, section::section};
use secrecy::SecretString;

section! {
    /// The AI client: which model, how patient, how many at once.
    [ai] Ai {
        /// Key for the OpenAI-compatible server. Alias `OPENAI_API_KEY`.
        api_key: Option<SecretString> = None,
        /// Base address, such as `http://127.0.0.1:11434/v1`. Alias `OPENAI_BASE_URL`.
        base_url: Option<String> = None,
        /// Model name on that server. Alias `OPENAI_MODEL`. The default is OpenAI's cheapest current model: it
        /// knows structured output, answers without reasoning first, and cost $0.10 per million tokens read and
        /// $0.50 per million written in November 2026. Any other server needs its own model's name here.
        model: String = "gpt-6-luna".to_owned(),
        /// Calls at the same time.
        concurrency: usize = 8,
        /// Questions that may wait for a call or run.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds for one call.
        call_timeout_ms: u64 = 30_000,
        /// Milliseconds to connect to the server.
        connect_timeout_ms: u64 = 5_000,
        /// Tries after the first, per question.
        max_retries: u32 = 3,
        /// First back-off in milliseconds; doubles, with full jitter.
        retry_base_ms: u64 = 250,
        /// Longest back-off in milliseconds.
        retry_max_ms: u64 = 8_000,
        /// Failures in a row that open the circuit.
        circuit_failures: u32 = 5,
        /// Milliseconds the circuit stays open before one trial call.
        circuit_open_ms: u64 = 10_000,
    }
}

impl Ai {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("concurrency", self.concurrency);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("call_timeout_ms", self.call_timeout_ms);
        check.milliseconds("connect_timeout_ms", self.connect_timeout_ms);
        check.between("max_retries", self.max_retries, 0, 20);
        check.milliseconds("retry_base_ms", self.retry_base_ms);
        check.milliseconds("retry_max_ms", self.retry_max_ms);
        check.that(
            "retry_max_ms",
            self.retry_max_ms >= self.retry_base_ms,
            "must be at least ai.retry_base_ms",
        );
        check.capacity("circuit_failures", self.circuit_failures);
        check.milliseconds("circuit_open_ms", self.circuit_open_ms);
        check.that("model", !self.model.trim().is_empty(), "must name a model");
        check.that(
            "base_url",
            self.base_url.as_deref().is_none_or(is_base_url),
            "must be an http or https address without credentials, such as http://127.0.0.1:11434/v1",
        );
    }
}

/// Returns whether `text` can stand before `/chat/completions`. Credentials belong into `api_key`: addresses are logged.
fn is_base_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    })
}
