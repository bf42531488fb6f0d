//! The schemas, from the types of the code, with what only the configuration knows.

use super::operation::Payload;
use crate::{
    config::Limits,
    http::error::{CODES, ErrorBody},
    quiz::{
        check::{MAX_ID_CHARS, VISIBLE_PATTERN},
        request::WireRequest,
    },
    schema::{generator, whole},
};
use schemars::{JsonSchema, SchemaGenerator, generate::Contract};
use serde_json::{Map, Value, json};

/// Refers to the schema of what a client sends.
pub(super) fn request<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    schemas.requests.subschema_for::<T>().to_value()
}

/// Refers to the schema of the part of [`WireRequest`] that names a page.
pub(super) fn page_request(schemas: &mut Schemas) -> Value {
    request::<WireRequest>(schemas);
    json!({ "$ref": "#/components/schemas/ScrapeRequest" })
}

/// Refers to the schema of what a client gets.
pub(super) fn answer<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    schemas.answers.subschema_for::<T>().to_value()
}

/// Describes a description.
pub(super) fn document(_: &mut Schemas) -> Value {
    json!({ "type": "object" })
}

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
            requests: generator(Contract::Deserialize),
            answers: generator(Contract::Serialize),
            errors: Map::new(),
            limits: limits.clone(),
        }
    }

    /// Returns the schema of a body.
    pub(super) fn of(&mut self, payload: &Payload, media: &str) -> Value {
        match payload {
            Payload::Json(schema) => schema(self),
            Payload::Error(status) => self.error(*status),
            Payload::QuizFile => json!({
                "type": "string",
                "minLength": 1,
                "description": format!("A quiz in the format {media}."),
            }),
            Payload::Text(_) | Payload::Nothing => json!({ "type": "string" }),
        }
    }

    fn error(&mut self, status: u16) -> Value {
        let name = format!("Error{status}");
        let generator = &mut self.answers;
        self.errors.entry(&name).or_insert_with(|| {
            let mut schema = whole::<ErrorBody<'_>>(generator);
            schema["title"] = ErrorBody::schema_name().into();
            let known = CODES.iter().find(|(known, _)| *known == status);
            let (_, codes) = known.expect("each status of an error has codes");
            schema["properties"]["code"] = json!({
                "type": "string", "enum": codes, "description": "What a program tests.",
            });
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
            schema["pattern"] = VISIBLE_PATTERN.into();
        };
        if let Some(question) = schemas.get_mut("QuestionToAsk") {
            let fields = &mut question["properties"];
            visible(&mut fields["question"], limits.max_question_chars);
            visible(&mut fields["answers"]["items"], limits.max_option_chars);
            visible(&mut fields["id"], MAX_ID_CHARS);
        }
        if let Some(display) = schemas.get_mut("DisplayRequest") {
            let answers = &mut display["properties"]["answers"];
            answers["minItems"] = 1.into();
            answers["maxItems"] = limits.max_questions.into();
        }
        if let Some(audit) = schemas.get_mut("AuditRequest") {
            let questions = &mut audit["properties"]["questions"];
            questions["minItems"] = 1.into();
            questions["maxItems"] = limits.max_questions.into();
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
