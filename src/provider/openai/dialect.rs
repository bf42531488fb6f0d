//! Which of the ways to ask a server understands, learnt from what it refuses.

use super::refusal::Refusal;
use crate::{config::AskMethod, quiz::Kind};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// `response_format: json_schema` is refused.
const NO_SCHEMA: u8 = 1;
/// `logprobs` and `top_logprobs` are refused or left out of the answer.
const NO_LOGPROBS: u8 = 1 << 1;
/// The other of `max_tokens` and `max_completion_tokens` is wanted.
const OTHER_LIMIT: u8 = 1 << 2;
/// `temperature` is refused.
const NO_TEMPERATURE: u8 = 1 << 3;
/// `reasoning_effort` is refused.
const NO_EFFORT: u8 = 1 << 4;

/// How a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// For JSON that keeps a schema.
    Schema,
    /// For one letter with its log-probabilities.
    Letter,
    /// For JSON, in words.
    Words,
}

/// What a provider has learnt about its server; bits are only ever added.
#[derive(Debug, Default)]
pub(super) struct Memory {
    given_up: AtomicU8,
    /// Replies in a row that did not begin with a letter.
    misses: AtomicU32,
}

/// So many replies in a row without a letter, and the model is taken for one that thinks aloud first.
const MISSES: u32 = 5;

impl Memory {
    /// Notes a reply that did not begin with a letter.
    pub(super) fn missed(&self) {
        if self.misses.fetch_add(1, Ordering::Relaxed) + 1 >= MISSES {
            self.given_up.fetch_or(NO_LOGPROBS, Ordering::Relaxed);
        }
    }

    /// Notes a reply that began with a letter.
    pub(super) fn hit(&self) {
        self.misses.store(0, Ordering::Relaxed);
    }

    /// Keeps what `dialect` has given up, now that the server has accepted it.
    pub(super) fn learn(&self, dialect: &Dialect) {
        // No other memory is published through the bits.
        self.given_up.fetch_or(dialect.given_up, Ordering::Relaxed);
    }
}

/// How one question is being put, while it is being found out what the server takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    hosted: bool,
    kind: Kind,
    method: AskMethod,
    given_up: u8,
}

impl Dialect {
    /// Starts from what is known of the server.
    pub(super) fn new(hosted: bool, kind: Kind, method: AskMethod, memory: &Memory) -> Self {
        Self {
            hosted,
            kind,
            method,
            given_up: memory.given_up.load(Ordering::Relaxed),
        }
    }

    /// Returns how to put the question.
    pub(super) fn ask(&self) -> Ask {
        let by_letter = match self.method {
            // One letter cannot name several options.
            _ if self.kind == Kind::Multiple => false,
            AskMethod::Auto => !self.has_given_up(NO_LOGPROBS),
            AskMethod::Logprobs => true,
            AskMethod::Votes => false,
        };
        if by_letter {
            Ask::Letter
        } else if !self.has_given_up(NO_SCHEMA) {
            Ask::Schema
        } else {
            Ask::Words
        }
    }

    /// Returns whether the limit goes by its newer name. OpenAI's newer models know that one alone, many other
    /// servers `max_tokens` alone, and some of these ignore what they do not know, so the first guess matters.
    pub(super) fn limit_is_max_completion_tokens(&self) -> bool {
        self.hosted != self.has_given_up(OTHER_LIMIT)
    }

    /// Returns the temperature to ask for: 0, except that OpenAI's newer models take none.
    pub(super) fn temperature(&self) -> Option<f64> {
        (!self.hosted && !self.has_given_up(NO_TEMPERATURE)).then_some(0.0)
    }

    /// Returns the reasoning effort to ask for: `none` at OpenAI, whose current models otherwise think first.
    pub(super) fn reasoning_effort(&self) -> Option<&'static str> {
        (self.hosted && !self.has_given_up(NO_EFFORT)).then_some("none")
    }

    /// Gives up asking for log-probabilities; false where nothing else is allowed.
    pub(super) fn give_up_logprobs(&mut self) -> bool {
        self.given_up |= NO_LOGPROBS;
        self.method != AskMethod::Logprobs
    }

    /// Gives up what `refusal` is about; returns false when there is nothing to give up, and the refusal stands.
    pub(super) fn give_up(&mut self, refusal: &Refusal) -> bool {
        if !refusal.may_be_about_a_parameter() {
            return false;
        }
        let ask = self.ask();
        let about = |names: &[&str]| names.iter().any(|name| refusal.mentions(name));
        // Log-probabilities first: who refuses them may name the reasoning that forbids them.
        let given_up =
            if ask == Ask::Letter && self.method == AskMethod::Auto && about(&["logprob"]) {
                NO_LOGPROBS
            } else if self.temperature().is_some() && about(&["temperature"]) {
                NO_TEMPERATURE
            } else if self.reasoning_effort().is_some() && about(&["reasoning"]) {
                NO_EFFORT
            } else if ask == Ask::Schema
                && about(&["response_format", "json_schema", "structured", "grammar"])
            {
                NO_SCHEMA
            } else if !self.has_given_up(OTHER_LIMIT)
                && about(&["max_tokens", "max_completion_tokens"])
            {
                OTHER_LIMIT
            } else {
                match ask {
                    // It did not say what it refuses: the least usual thing in the request is the likeliest.
                    Ask::Schema if refusal.is_unexplained() => NO_SCHEMA,
                    Ask::Letter if refusal.is_unexplained() && self.method == AskMethod::Auto => {
                        NO_LOGPROBS
                    }
                    _ => return false,
                }
            };
        self.given_up |= given_up;
        true
    }

    fn has_given_up(&self, what: u8) -> bool {
        self.given_up & what != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, message: &str) -> Refusal {
        let body = serde_json::json!({"error": {"message": message}}).to_string();
        Refusal::new(status, &reqwest::header::HeaderMap::new(), body.as_bytes())
    }

    fn dialect(hosted: bool) -> Dialect {
        Dialect::new(hosted, Kind::Single, AskMethod::Auto, &Memory::default())
    }

    #[test]
    fn first_guess_depends_on_the_server() {
        let openai = dialect(true);
        assert!(openai.limit_is_max_completion_tokens());
        assert_eq!(
            (openai.temperature(), openai.reasoning_effort()),
            (None, Some("none"))
        );
        let other = dialect(false);
        assert!(!other.limit_is_max_completion_tokens());
        assert_eq!(
            (other.temperature(), other.reasoning_effort()),
            (Some(0.0), None)
        );
    }

    #[test]
    fn gives_up_what_is_named() {
        let mut other = dialect(false);
        assert!(other.give_up(&refusal(
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'"
        )));
        assert!(other.limit_is_max_completion_tokens());
        assert!(other.give_up(&refusal(
            400,
            "'temperature' does not support 0 with this model"
        )));
        assert_eq!(other.temperature(), None);
        assert_eq!(other.ask(), Ask::Letter);
        assert!(other.give_up(&refusal(422, "top_logprobs must be at most 5")));
        assert_eq!(other.ask(), Ask::Schema);
        assert!(other.give_up(&refusal(404, "response_format is not available")));
        assert_eq!(other.ask(), Ask::Words);
        assert!(
            !other.give_up(&refusal(400, "max_tokens")),
            "nothing is left to give up"
        );
    }

    #[test]
    fn log_probabilities_that_a_reasoning_model_lacks_are_given_up_and_not_its_effort() {
        let mut openai = dialect(true);
        assert!(openai.give_up(&refusal(
            400,
            "logprobs are not supported with reasoning models"
        )));
        assert_eq!(
            (openai.ask(), openai.reasoning_effort()),
            (Ask::Schema, Some("none"))
        );
    }

    #[test]
    fn a_refusal_without_reason_gives_up_the_form() {
        let mut other = dialect(false);
        assert!(other.give_up(&refusal(400, "Bad Request")));
        assert_eq!(other.ask(), Ask::Schema);
        assert!(!other.give_up(&refusal(404, "The model `x` does not exist")));
        assert!(!other.give_up(&refusal(400, "context_length_exceeded")));
        assert!(!other.give_up(&refusal(403, "response_format")));
    }

    #[test]
    fn memory_keeps_what_was_accepted() {
        let memory = Memory::default();
        let start = || Dialect::new(false, Kind::Single, AskMethod::Auto, &memory);
        let mut first = start();
        assert!(first.give_up_logprobs());
        assert!(first.give_up(&refusal(400, "json_schema")));
        assert_eq!(start().ask(), Ask::Letter);
        memory.learn(&first);
        assert_eq!(start().ask(), Ask::Words);
    }

    #[test]
    fn a_model_that_never_begins_with_a_letter_is_asked_otherwise() {
        let memory = Memory::default();
        let ask = || Dialect::new(false, Kind::Single, AskMethod::Auto, &memory).ask();
        for _ in 0..MISSES - 1 {
            memory.missed();
        }
        memory.hit();
        memory.missed();
        assert_eq!(ask(), Ask::Letter, "never so many in a row");
        for _ in 0..MISSES {
            memory.missed();
        }
        assert_eq!(ask(), Ask::Schema);
    }

    #[test]
    fn the_configured_method_is_kept_to() {
        let memory = Memory::default();
        let start = |method| Dialect::new(false, Kind::Single, method, &memory);
        assert_eq!(start(AskMethod::Votes).ask(), Ask::Schema);
        let mut letters = start(AskMethod::Logprobs);
        assert!(
            !letters.give_up(&refusal(400, "logprobs are not supported")),
            "nothing else is allowed"
        );
        assert!(!letters.give_up_logprobs());
        assert_eq!(letters.ask(), Ask::Letter);
    }

    #[test]
    fn several_right_options_are_never_asked_by_letter() {
        let mut several = Dialect::new(false, Kind::Multiple, AskMethod::Auto, &Memory::default());
        assert!(several.give_up(&refusal(400, "json_schema")));
        assert_eq!(several.ask(), Ask::Words);
    }
}
