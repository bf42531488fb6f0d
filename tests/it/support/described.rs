//! Whatever the server says is what its descriptions say: every reply that a test reads, and every frame that a viewer
//! gets, is held against `openapi.json` and `asyncapi.json`.

use super::Reply;
use jsonschema::Validator;
use quiz_stats::{
    config::Limits,
    http::{Routes, asyncapi, openapi},
};
use serde_json::{Value, json};
use std::sync::LazyLock;

static OPENAPI: LazyLock<Value> =
    LazyLock::new(|| closed(openapi(Routes::All, &Limits::default())));

static FRAMES: LazyLock<Validator> = LazyLock::new(|| {
    let described = closed(asyncapi());
    let viewers = &described["channels"]["viewers"]["messages"];
    let told = described["operations"]["tell"]["messages"].as_array();
    let payloads: Vec<&Value> = told
        .expect("messages")
        .iter()
        .map(|message| {
            message["$ref"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
        })
        .map(|name| &viewers[name]["payload"])
        .collect();
    compile(json!({ "oneOf": payloads, "components": described["components"] }))
});

/// Lets no object have a member that is not described: clients may ignore such, our tests may not.
fn closed(mut node: Value) -> Value {
    match &mut node {
        Value::Object(map) => {
            for member in map.values_mut() {
                *member = closed(member.take());
            }
            if map.contains_key("properties") && map.get("type") == Some(&json!("object")) {
                map.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| *item = closed(item.take())),
        _ => {}
    }
    node
}

fn compile(schema: Value) -> Validator {
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{error} in {schema}"))
}

/// Fails the test unless `reply` to a request is described.
pub(super) fn check_reply(method: &str, path: &str, reply: &Reply) {
    // Not from the server, or not of the API.
    if reply.header("x-request-id").is_empty() || path.starts_with("/assets/") {
        return;
    }
    let paths = OPENAPI["paths"].as_object().unwrap();
    let Some((pattern, methods)) = paths.iter().find(|(pattern, _)| fits(pattern, path)) else {
        assert!(reply.status >= 400, "{method} {path} is not described");
        return;
    };
    let method = if method == "HEAD" {
        "get"
    } else {
        &method.to_lowercase()
    };
    let Some(operation) = methods.get(method) else {
        assert!(
            [204, 403, 404, 405].contains(&reply.status),
            "{method} {path}: {}",
            reply.status
        );
        return;
    };
    let status = reply.status.to_string();
    // The browser has the page already; a listener has not every route; methods are written in capitals.
    if [304, 404, 405].contains(&reply.status) {
        return;
    }
    let described = &operation["responses"][&status];
    assert!(
        described.is_object(),
        "{method} {pattern} {status} is not described"
    );
    let media = reply.header("content-type").split(';').next().unwrap();
    if reply.body.is_empty() || media != "application/json" {
        return;
    }
    let schema = &described["content"][media]["schema"];
    assert!(
        schema.is_object(),
        "{method} {pattern} {status}: no {media}"
    );
    let schema = json!({ "allOf": [schema], "components": OPENAPI["components"] });
    if let Err(error) = compile(schema).validate(&reply.json()) {
        panic!(
            "{method} {pattern} {status}: {error} at {}",
            error.instance_path()
        );
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// Fails the test unless a frame is described.
pub(crate) fn check_frame(frame: &Value) {
    assert!(FRAMES.is_valid(frame), "not described: {frame}");
}
