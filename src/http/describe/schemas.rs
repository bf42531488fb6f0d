//! The schemas, from the types of the code, with what only the configuration knows.

use super::operations::Payload;
use crate::{
    analysis::Report,
    config::Limits,
    http::{
        analyses::Latest, analyze::Accepted, assets::Index, channels, error::ErrorBody, health,
        tickets::IssuedTicket,
    },
    page::Scraped,
    quiz::request::{ControlRequest, DisplayRequest, WireRequest},
    schema::generator,
    timeline::Timeline,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Something that can be seen, no control character but newline and tab, no override of direction: see `quiz::check`.
const VISIBLE: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202D\u202E]*[^\s\u0000-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u202D\u202E\u2060\uFEFF][^\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202D\u202E]*$";

/// Codes of the errors of each status.
const CODES: [(u16, &[&str]); 16] = [
    (
        400,
        &[
            "invalid_json",
            "invalid_request",
            "invalid_question",
            "invalid_quiz_file",
        ],
    ),
    (401, &["unauthenticated"]),
    (403, &["forbidden"]),
    (404, &["not_found"]),
    (405, &["method_not_allowed"]),
    (408, &["timed_out"]),
    (
        409,
        &[
            "already_finished",
            "runs_elsewhere",
            "cancelled",
            "channel_busy",
            "nothing_to_control",
        ],
    ),
    (413, &["too_large"]),
    (415, &["unsupported_media_type"]),
    (
        422,
        &[
            "no_questions_found",
            "page_blocked",
            "page_failed",
            "idempotency_key_reused",
        ],
    ),
    (426, &["invalid_request"]),
    (429, &["rate_limited"]),
    (500, &["internal", "interrupted"]),
    (502, &["ai_failed"]),
    (503, &["overloaded", "ai_unavailable", "draining"]),
    (504, &["timed_out"]),
];

/// See the module.
pub(super) struct Schemas {
    /// Of what clients send.
    requests: SchemaGenerator,
    /// Of what they get.
    answers: SchemaGenerator,
    errors: Map<String, Value>,
    limits: Limits,
}

impl Schemas {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            requests: generator(false),
            answers: generator(true),
            errors: Map::new(),
            limits: limits.clone(),
        }
    }

    /// Returns the schema of a body.
    pub(super) fn of(&mut self, payload: &Payload, media: &str) -> Value {
        match payload {
            Payload::Json(name) => self.named(name),
            Payload::Error(status) => self.error(*status),
            Payload::QuizFile => json!({
                "type": "string",
                "minLength": 1,
                "description": format!("A quiz in the format {media}."),
            }),
            Payload::Text(_) | Payload::Nothing => json!({ "type": "string" }),
        }
    }

    fn named(&mut self, name: &str) -> Value {
        fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
            generator.subschema_for::<T>().to_value()
        }
        let answers = &mut self.answers;
        match name {
            "AnalyzeRequest" => of::<WireRequest>(&mut self.requests),
            "ScrapeRequest" => {
                of::<WireRequest>(&mut self.requests);
                json!({ "$ref": "#/components/schemas/ScrapeRequest" })
            }
            "DisplayRequest" => of::<DisplayRequest>(&mut self.requests),
            "ControlRequest" => of::<ControlRequest>(&mut self.requests),
            "Report" => of::<Report>(answers),
            "Accepted" => of::<Accepted<'_>>(answers),
            "Scraped" => of::<Scraped<'_>>(answers),
            "Latest" => of::<Latest<'_>>(answers),
            "Displayed" => of::<channels::Displayed<'_>>(answers),
            "ChannelInfo" => of::<channels::ChannelInfo<'_>>(answers),
            "Timeline" => of::<Timeline>(answers),
            "IssuedTicket" => of::<IssuedTicket>(answers),
            "Index" => of::<Index>(answers),
            "Health" => of::<health::Health<'_>>(answers),
            "Live" => of::<health::Live>(answers),
            "Ready" => of::<health::Ready>(answers),
            "Version" => of::<health::Version>(answers),
            "Document" => json!({ "type": "object" }),
            other => unreachable!("no operation has {other}"),
        }
    }

    fn error(&mut self, status: u16) -> Value {
        let name = format!("Error{status}");
        let generator = &mut self.answers;
        self.errors.entry(&name).or_insert_with(|| {
            let mut schema = generator.root_schema_for::<ErrorBody<'_>>().to_value();
            let known = CODES.iter().find(|(known, _)| *known == status);
            let codes = known.map_or(&[] as &[&str], |(_, codes)| codes);
            schema["properties"]["code"] = json!({
                "type": "string", "enum": codes, "description": "What a program tests.",
            });
            // Shared with all the others.
            schema
                .as_object_mut()
                .and_then(|schema| schema.remove("components"));
            generator.subschema_for::<crate::quiz::problem::Problem>();
            schema
        });
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// Returns all that were used.
    pub(super) fn finish(mut self) -> Value {
        let mut all = self.requests.take_definitions(true);
        self.bound(&mut all);
        all.extend(self.answers.take_definitions(true));
        all.extend(self.errors);
        all.into()
    }

    /// Says what the code checks by its configuration, and which fields go together.
    fn bound(&self, schemas: &mut Map<String, Value>) {
        let limits = &self.limits;
        let visible = |schema: &mut Value, most: usize| {
            schema["maxLength"] = most.into();
            schema["pattern"] = VISIBLE.into();
        };
        if let Some(question) = schemas.get_mut("QuestionToAsk") {
            let fields = &mut question["properties"];
            visible(&mut fields["question"], limits.max_question_chars);
            visible(&mut fields["answers"]["items"], limits.max_option_chars);
            visible(&mut fields["id"], crate::quiz::check::MAX_ID_CHARS);
        }
        if let Some(display) = schemas.get_mut("DisplayRequest") {
            let answers = &mut display["properties"]["answers"];
            answers["minItems"] = 1.into();
            answers["maxItems"] = limits.max_questions.into();
        }
        let Some(analyze) = schemas.get_mut("AnalyzeRequest") else {
            return;
        };
        let fields = &mut analyze["properties"];
        fields["questions"]["minItems"] = 1.into();
        fields["questions"]["maxItems"] = limits.max_questions.into();
        fields["html"]["pattern"] = r"\S".into();
        let given = |name: &str, kind: &str| json!({ "required": [name], "properties": { name: { "type": kind } } });
        let (url, html) = (given("url", "string"), given("html", "string"));
        let page: Map<String, Value> = ["url", "html", "follow", "render"]
            .into_iter()
            .map(|name| (name.to_owned(), fields[name].clone()))
            .collect();
        let mut questions = given("questions", "array");
        for switch in ["follow", "render"] {
            questions["properties"][switch] = json!({ "type": "null" });
        }
        analyze["oneOf"] = json!([questions, url, html]);
        let scrape = json!({
            "type": "object",
            "description": "A page whose questions are wanted.",
            "properties": page,
            "additionalProperties": false,
            "oneOf": [url, html],
        });
        schemas.insert("ScrapeRequest".to_owned(), scrape);
    }
}
