//! `[ai]`: The AI client.

use super::{
    Fallback, Price,
    check::Check,
    prices, providers,
    section::section,
    setting::{SecretLines, choice},
};
use secrecy::SecretString;

/// How a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskMethod {
    /// For log-probabilities where the server gives them, otherwise for votes.
    #[default]
    Auto,
    /// For the log-probabilities of the options' letters, or not at all.
    Logprobs,
    /// For its stated confidence, several times in different orders.
    Votes,
}

choice!(AskMethod { Auto = "auto", Logprobs = "logprobs", Votes = "votes" });

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
        /// How a model is asked: "logprobs" reads the probabilities of the options' letters from one token; "votes" asks for
        /// JSON with confidences, at least twice in different orders; "auto" finds out what the server can do.
        method: AskMethod = AskMethod::Auto,
        /// Servers that are asked when those before them cannot answer, one per line: a name, a base address, a model, and
        /// key=… where one is needed. Better in a file of its own: QUIZ_STATS__AI__PROVIDERS_FILE.
        providers: Option<SecretLines> = None,
        /// A stronger model on the first server, asked where the first model is in doubt.
        second_model: Option<String> = None,
        /// What models cost: MODEL=READ/WRITTEN in US dollars per million tokens, separated by commas.
        prices: String = "gpt-6-luna=0.10/0.50".to_owned(),
        /// There is doubt while the two best options are less than this apart; then the question is asked again with its
        /// options in another order.
        doubt_below: f64 = 0.2,
        /// Most calls for one question to one model, failed ones aside.
        max_looks: u32 = 4,
        /// Share of questions, in percent, that are asked in every rotation of their options, to learn which letters the
        /// model favours whatever stands there.
        prior_sample_percent: u32 = 3,
        /// Milliseconds after which a call is made a second time beside the first, at the next server if there is one; 0 for
        /// never. The faster answer counts, both are paid for.
        hedge_after_ms: u64 = 0,
        /// Whether a question that cannot be answered without its picture is shown to the model together with a picture of the
        /// page that it was read from, where Chromium opened that page in this process. The model must be one that sees.
        vision: bool = false,
        /// Calls at the same time to one server; fewer while it refuses for their rate.
        concurrency: usize = 8,
        /// Questions that may wait for a call or run.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds for one call.
        call_timeout_ms: u64 = 30_000,
        /// Milliseconds to connect to the server.
        connect_timeout_ms: u64 = 5_000,
        /// Tries after the first, per question.
        max_retries: u32 = 3,
        /// Tries after the first that the questions of one analysis share.
        retries_per_analysis: u32 = 50,
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
    /// Returns what `model` costs; nothing, where no price is known.
    pub fn price(&self, model: &str) -> Price {
        // Settings that can be used have been checked.
        let prices = prices::read(&self.prices).unwrap_or_default();
        prices.get(model).copied().unwrap_or(Price {
            read: 0.0,
            written: 0.0,
        })
    }

    /// Returns the servers that are asked after the first.
    pub fn fallbacks(&self) -> Vec<Fallback> {
        let lines = self
            .providers
            .as_ref()
            .map(|lines| providers::read(lines.expose()));
        // Settings that can be used have been checked.
        lines.and_then(Result::ok).unwrap_or_default()
    }

    /// Returns the first model that may be asked and whose price is not known.
    pub(super) fn unpriced(&self) -> Option<String> {
        let prices = prices::read(&self.prices).unwrap_or_default();
        let models = [self.model.clone()]
            .into_iter()
            .chain(self.second_model.clone());
        let mut models = models.chain(self.fallbacks().into_iter().map(|fallback| fallback.model));
        models.find(|model| !prices.contains_key(model))
    }

    fn validate(&self, check: &mut Check<'_>) {
        if let Some(Err(wrong)) = self
            .providers
            .as_ref()
            .map(|lines| providers::read(lines.expose()))
        {
            check.that(
                "providers",
                false,
                format!("must be servers, one per line: {wrong}"),
            );
        }
        check.that(
            "providers",
            self.providers.is_none() || self.api_key.is_some() || self.base_url.is_some(),
            "must come after a first server: set OPENAI_API_KEY or OPENAI_BASE_URL",
        );
        if let Err(wrong) = prices::read(&self.prices) {
            check.that("prices", false, format!("must be prices: {wrong}"));
        }
        check.that(
            "second_model",
            self.second_model
                .as_deref()
                .is_none_or(|model| !model.trim().is_empty() && model != self.model),
            "must name another model than ai.model",
        );
        check.that(
            "doubt_below",
            self.doubt_below <= 1.0,
            "must be from 0 to 1",
        );
        check.between("max_looks", self.max_looks, 1, 26);
        check.between("prior_sample_percent", self.prior_sample_percent, 0, 100);
        check.between("hedge_after_ms", self.hedge_after_ms, 0, 86_400_000);
        check.between(
            "retries_per_analysis",
            self.retries_per_analysis,
            0,
            1_000_000,
        );
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
pub(super) fn is_base_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    })
}
