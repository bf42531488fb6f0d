//! JSON Schemas of the types that clients see.

use schemars::{
    Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::json;

/// Returns a generator whose references lead to `#/components/schemas`, where OpenAPI and AsyncAPI keep them: of what
/// clients get when `answers`, otherwise of what they send.
pub(crate) fn generator(answers: bool) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let settings = match answers {
        true => settings.for_serialize(),
        false => settings.for_deserialize(),
    };
    settings.with_transform(InJson).into_generator()
}

/// Speaks of JSON where the code speaks of Rust.
#[derive(Debug, Clone)]
struct InJson;

impl Transform for InJson {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(told) = schema.get("description").and_then(|told| told.as_str()) {
            let told = told.replace("`None`", "null");
            schema.insert("description".to_owned(), told.into());
        }
    }
}

/// Adds the `type` of a struct that serde tags, which schemars does not.
pub(crate) fn tagged(name: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        let schema = schema.ensure_object();
        schema.entry("properties").or_insert(json!({}))["type"] =
            json!({ "type": "string", "const": name });
        if let Some(required) = schema.entry("required").or_insert(json!([])).as_array_mut() {
            required.push("type".into());
        }
    }
}
