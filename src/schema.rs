//! JSON Schemas of the types that clients see.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    transform::{Transform, transform_subschemas},
};
use serde_json::{Value, json};

/// Returns a generator whose references lead to `#/components/schemas`, where OpenAPI and AsyncAPI keep them: of what is
/// written, or of what is read.
pub(crate) fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.with_transform(InJson).into_generator()
}

/// Returns a type's own schema; those it refers to are among the generator's definitions.
pub(crate) fn whole<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = T::json_schema(generator);
    let transforms = generator.transforms_mut();
    transforms.for_each(|transform| transform.transform(&mut schema));
    schema.to_value()
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
