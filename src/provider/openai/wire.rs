//! The JSON of a chat completion, as much of it as matters, read as leniently as servers differ.

use super::dialect::{Ask, Dialect};
use crate::page::Picture;
use crate::provider::ProviderError;
use crate::quiz::Question;
use crate::solve::{
    prompt::{self, Prompt},
    seen::needs_image,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

/// Most tokens for a reply in JSON: 26 options take some 400, the rest is room for models that think first.
const JSON_TOKENS: u32 = 1_024;

/// Tokens of the instructions and of what a chat template adds, rounded up.
const FRAME_TOKENS: u64 = 250;

/// Tokens of a picture, as OpenAI reckons the largest one in high detail.
const PICTURE_TOKENS: u64 = 1_500;

/// Returns the most tokens that a request may read and write: English has four characters to a token, and other scripts
/// hardly more tokens than a third of their bytes.
/// A question that needs its picture is reckoned with one.
pub(super) fn estimate(question: &Question, ask: Ask) -> (u64, u64) {
    let texts = question.options.iter().chain([&question.text]);
    // Each option has its own braces and names in JSON.
    let read: u64 = texts.map(|text| text.len() as u64 / 3 + 12).sum();
    let written = if ask == Ask::Letter { 1 } else { JSON_TOKENS };
    let picture = if needs_image(&question.text) {
        PICTURE_TOKENS
    } else {
        0
    };
    (FRAME_TOKENS + picture + read, u64::from(written))
}

/// A request for one completion.
#[derive(Debug, Serialize)]
pub(super) struct Request {
    model: String,
    messages: [Message; 2],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
}

#[derive(Debug, Serialize)]
struct Message {
    role: &'static str,
    content: Value,
}

impl Request {
    /// Puts `question` to `model` in the way that `dialect` says.
    pub(super) fn new(
        model: &str,
        question: &Question,
        picture: Option<&Picture>,
        dialect: &Dialect,
    ) -> Self {
        let ask = dialect.ask();
        let letter = ask == Ask::Letter;
        let Prompt { system, user } = if letter {
            prompt::letter(question)
        } else {
            prompt::structured(question)
        };
        let user = match picture {
            None => json!(user),
            Some(Picture { base64 }) => json!([
                { "type": "text", "text": user },
                { "type": "image_url", "image_url": { "url": format!("data:image/jpeg;base64,{base64}") } },
            ]),
        };
        let limit = Some(if letter { 1 } else { JSON_TOKENS });
        let newer = dialect.limit_is_max_completion_tokens();
        Self {
            model: model.to_owned(),
            messages: [Message { role: "system", content: json!(system) }, Message { role: "user", content: user }],
            stream: false,
            max_tokens: limit.filter(|_| !newer),
            max_completion_tokens: limit.filter(|_| newer),
            temperature: dialect.temperature(),
            reasoning_effort: dialect.reasoning_effort(),
            response_format: (ask == Ask::Schema).then(|| {
                json!({
                    "type": "json_schema",
                    "json_schema": {"name": "quiz_answer", "strict": true, "schema": prompt::schema(question)},
                })
            }),
            logprobs: letter.then_some(true),
            // The most that OpenAI gives; fewer would cut off the letters of long lists.
            top_logprobs: letter.then_some(20),
        }
    }
}

/// A completion. Whatever is missing or of another type counts as absent.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    #[serde(default, deserialize_with = "lenient")]
    choices: Vec<Choice>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Usage,
}

/// Tokens used.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) prompt_tokens: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) completion_tokens: u64,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default, deserialize_with = "lenient")]
    message: Reply,
    #[serde(default, deserialize_with = "lenient")]
    finish_reason: String,
    #[serde(default, deserialize_with = "lenient")]
    logprobs: Logprobs,
}

#[derive(Debug, Default, Deserialize)]
struct Reply {
    /// A string, or a list of parts with a `text` each.
    #[serde(default)]
    content: Value,
    #[serde(default, deserialize_with = "lenient")]
    refusal: String,
}

#[derive(Debug, Default, Deserialize)]
struct Logprobs {
    #[serde(default, deserialize_with = "lenient")]
    content: Vec<Token>,
}

#[derive(Debug, Deserialize)]
struct Token {
    #[serde(default, deserialize_with = "lenient")]
    top_logprobs: Vec<TopToken>,
}

#[derive(Debug, Deserialize)]
struct TopToken {
    token: String,
    logprob: f64,
}

impl Completion {
    /// Returns what the model wrote.
    pub(super) fn text(&self) -> Result<String, ProviderError> {
        let invalid = |what: &str| Err(ProviderError::Invalid(what.to_owned()));
        let Some(choice) = self.choices.first() else {
            return invalid("it holds no choice");
        };
        match choice.finish_reason.as_str() {
            "length" => return invalid("it was cut off at the token limit"),
            "content_filter" => return invalid("a content filter stopped it"),
            _ if !choice.message.refusal.is_empty() => {
                return invalid("the model refused to answer");
            }
            _ => {}
        }
        let text = match &choice.message.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .filter_map(|part| part.get("text")?.as_str())
                .collect(),
            _ => String::new(),
        };
        if text.trim().is_empty() {
            invalid("the reply is empty")
        } else {
            Ok(text)
        }
    }

    /// Returns the likeliest first tokens with their log-probabilities; `None` when the server gave none.
    pub(super) fn top_logprobs(&self) -> Option<impl Iterator<Item = (&str, f64)>> {
        let top = &self.choices.first()?.logprobs.content.first()?.top_logprobs;
        (!top.is_empty()).then(|| top.iter().map(|top| (top.token.as_str(), top.logprob)))
    }
}

/// Reads a value of the wrong type as the default.
fn lenient<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Right(T),
        Wrong(serde::de::IgnoredAny),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Right(value) => value,
        Either::Wrong(_) => T::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(value: Value) -> Completion {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn reads_through_what_servers_add_or_leave_out() {
        let full = completion(json!({
            "id": 7, "service_tier": "unheard-of", "usage": {"prompt_tokens": 12, "completion_tokens": null, "x": {}},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "B", "refusal": null}, "finish_reason": "stop", "logprobs": null}],
        }));
        assert_eq!(full.text().unwrap(), "B");
        assert_eq!(
            (full.usage.prompt_tokens, full.usage.completion_tokens),
            (12, 0)
        );
        assert!(full.top_logprobs().is_none());
        let parts = completion(
            json!({"choices": [{"message": {"content": [{"type": "text", "text": "B"}, {"type": "x"}]}}]}),
        );
        assert_eq!(parts.text().unwrap(), "B");
    }

    #[test]
    fn names_why_there_is_no_text() {
        for (value, why) in [
            (json!({"error": {"message": "x"}}), "no choice"),
            (json!({"choices": []}), "no choice"),
            (json!({"choices": "x"}), "no choice"),
            (json!({"choices": [{}]}), "empty"),
            (json!({"choices": [{"message": {"content": " "}}]}), "empty"),
            (
                json!({"choices": [{"message": {"content": "{"}, "finish_reason": "length"}]}),
                "token limit",
            ),
            (
                json!({"choices": [{"message": {"content": "{"}, "finish_reason": "content_filter"}]}),
                "filter",
            ),
            (
                json!({"choices": [{"message": {"content": null, "refusal": "no"}}]}),
                "refused",
            ),
        ] {
            let error = completion(value).text().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_picture_goes_along_as_data() {
        use crate::{config::AskMethod, provider::openai::dialect::Memory, quiz::Kind};
        let question = Question {
            text: "[image] What is it?".into(),
            options: vec!["a".into(), "b".into()],
            kind: Kind::Single,
            correct: None,
            id: None,
        };
        let dialect = Dialect::new(false, Kind::Single, AskMethod::Auto, &Memory::default());
        let picture = Picture {
            base64: "AAAA".into(),
        };
        let seen = json!(Request::new("m", &question, Some(&picture), &dialect));
        let content = &seen["messages"][1]["content"];
        assert_eq!(
            content[1]["image_url"]["url"],
            "data:image/jpeg;base64,AAAA"
        );
        assert!(
            content[0]["text"]
                .as_str()
                .unwrap()
                .starts_with("<question>")
        );
        let blind = json!(Request::new("m", &question, None, &dialect));
        assert_eq!(blind["messages"][1]["content"], content[0]["text"]);
    }

    #[test]
    fn reads_top_logprobs() {
        let value = json!({"choices": [{"logprobs": {"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": -0.1, "bytes": [65]}]}]}}]});
        assert_eq!(
            completion(value)
                .top_logprobs()
                .unwrap()
                .collect::<Vec<_>>(),
            [("A", -0.1)]
        );
    }
}
