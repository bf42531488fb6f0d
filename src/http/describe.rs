//! What is served, for programs: `openapi.json` and `asyncapi.json`, made of the types that requests are read into and
//! answers are written from, and of the table of routes. `/docs` shows both to people.

mod asyncapi;
mod operation;
mod operations;
mod parameters;
mod schemas;

use super::{router::Routes, routes::TABLE};
use crate::config::Limits;
use operation::{Operation, Parameter, Payload};
use schemas::Schemas;
use serde_json::{Map, Value, json};

pub use asyncapi::asyncapi;

/// Where the words are.
const GUIDE: &str = "What each call does in detail, with examples: docs/api.md of the project.";

/// Returns the OpenAPI 3.1 description of what a listener with these routes serves. `limits` are the configured ones.
pub fn openapi(routes: Routes, limits: &Limits) -> Value {
    let mut schemas = Schemas::new(limits);
    let mut paths = Map::new();
    for (pattern, route, methods, role) in TABLE {
        if !routes.has(route) {
            continue;
        }
        let mut path = Map::new();
        for method in ["GET", "POST", "DELETE"] {
            if !methods.contains(method) {
                continue;
            }
            let Some(operation) = operations::of(route, method) else {
                continue;
            };
            let written = write(&operation, pattern, role.is_some(), &mut schemas);
            path.insert(method.to_lowercase(), written);
        }
        if !path.is_empty() {
            paths.insert(pattern.to_owned(), path.into());
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "quiz-stats",
            "version": crate::version::VERSION,
            "description": GUIDE,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "bearer": { "type": "http", "scheme": "bearer", "description": "An API key, or a token (JWT)." },
            },
            "headers": {
                "X-Request-ID": {
                    "description": "The caller's, when it is well-formed, otherwise a new one.",
                    "required": true,
                    "schema": { "type": "string" },
                },
            },
        },
    })
}

fn write(operation: &Operation, pattern: &str, guarded: bool, schemas: &mut Schemas) -> Value {
    let mut answers = Map::new();
    for (status, told, payload) in operation.answers {
        answers.insert(status.to_string(), answer(told, payload, schemas));
    }
    for status in operation.errors(guarded) {
        let told = "It came to nothing; `code` says why.";
        let error = answer(told, &Payload::Error(status), schemas);
        answers.entry(status.to_string()).or_insert(error);
    }
    let in_path = pattern.contains('{').then(|| parameters::in_path(pattern));
    let parameters: Vec<Value> = in_path
        .iter()
        .chain(operation.parameters)
        .map(parameter)
        .collect();
    let mut written = json!({
        "summary": operation.summary,
        "operationId": operation.id,
        "parameters": parameters,
        "responses": answers,
    });
    if !operation.takes.is_empty() {
        let content = content(operation.takes, schemas);
        written["requestBody"] = json!({ "required": true, "content": content });
    }
    if guarded {
        // An installation without keys asks for none.
        written["security"] = json!([{ "key": [] }, { "bearer": [] }, {}]);
    }
    written
}

fn answer(told: &str, payload: &Payload, schemas: &mut Schemas) -> Value {
    let mut answer = json!({
        "description": told,
        "headers": { "X-Request-ID": { "$ref": "#/components/headers/X-Request-ID" } },
    });
    let content = content(std::slice::from_ref(payload), schemas);
    if content
        .as_object()
        .is_some_and(|content| !content.is_empty())
    {
        answer["content"] = content;
    }
    answer
}

fn content(payloads: &[Payload], schemas: &mut Schemas) -> Value {
    let mut content = Map::new();
    for payload in payloads {
        for media in payload.media_types() {
            let schema = schemas.of(payload, media);
            content.insert(media.to_owned(), json!({ "schema": schema }));
        }
    }
    content.into()
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.told,
        "schema": (parameter.schema)(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Value {
        openapi(Routes::All, &Limits::default())
    }

    #[test]
    fn every_route_is_described_but_the_files_of_the_pages() {
        let described = all();
        let missing: Vec<&str> = TABLE
            .iter()
            .map(|(pattern, ..)| *pattern)
            .filter(|pattern| described["paths"].get(pattern).is_none())
            .collect();
        assert_eq!(missing, ["/assets/{*path}"]);
        for (pattern, _, methods, _) in TABLE.iter().filter(|(pattern, ..)| !pattern.contains('*'))
        {
            for method in ["GET", "POST", "DELETE"] {
                let described = described["paths"][pattern].get(method.to_lowercase());
                assert_eq!(
                    described.is_some(),
                    methods.contains(method),
                    "{method} {pattern}"
                );
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(node: &Value, whole: &Value) {
            match node {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        let pointer = to.strip_prefix('#').expect("a local reference");
                        assert!(whole.pointer(pointer).is_some(), "{to}");
                    }
                    map.values().for_each(|node| check(node, whole));
                }
                Value::Array(list) => list.iter().for_each(|node| check(node, whole)),
                _ => {}
            }
        }
        for whole in [all(), asyncapi()] {
            check(&whole, &whole);
            assert!(
                !whole.to_string().contains("[`"),
                "no links of the code's own"
            );
        }
    }

    #[test]
    fn limits_are_the_configured_ones() {
        let limits = Limits {
            max_questions: 7,
            ..Limits::default()
        };
        let described = openapi(Routes::All, &limits);
        let schemas = &described["components"]["schemas"];
        let questions = &schemas["AnalyzeRequest"]["properties"]["questions"];
        assert_eq!(questions["maxItems"], 7, "{questions}");
        assert_eq!(
            schemas["DisplayRequest"]["properties"]["answers"]["maxItems"],
            7
        );
    }

    #[test]
    fn a_process_that_reads_pages_describes_that_alone() {
        let described = openapi(Routes::Scraper, &Limits::default());
        assert!(described["paths"].get("/api/scrape").is_some());
        assert!(described["paths"].get("/api/analyze").is_none());
    }
}
