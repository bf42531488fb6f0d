//! A JSON document as it was written, duplicate keys included, and strict objects for serde.
//!
//! `serde_json::Value` keeps the last of two equal keys in silence; here the second one can be refused.

use super::json::cut;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Number, Value};
use std::{borrow::Cow, collections::HashSet, fmt, marker::PhantomData};

/// One JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Entries in the order written; a key may come twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns what a person calls this value: `a string`.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Map(_) => "an object",
        }
    }

    /// Returns the path of a key that an object in here, which is at `path`, has twice.
    pub(crate) fn doubled(&self, path: &str) -> Option<String> {
        match self {
            Self::List(list) => {
                let mut list = list.iter().enumerate();
                list.find_map(|(index, node)| node.doubled(&format!("{path}[{index}]")))
            }
            Self::Map(map) => {
                let mut seen = HashSet::new();
                map.iter().find_map(|(key, node)| {
                    let path = format!("{path}.{}", cut(key));
                    match seen.insert(key) {
                        true => node.doubled(&path),
                        false => Some(path),
                    }
                })
            }
            _ => None,
        }
    }

    /// Returns the same value as serde_json knows it; of two equal keys the last stays.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(bool),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text),
            Self::List(list) => Value::Array(list.into_iter().map(Self::into_value).collect()),
            Self::Map(map) => Value::Object(
                map.into_iter()
                    .map(|(key, node)| (key, node.into_value()))
                    .collect(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl Serialize for Node {
    /// Writes entries in the order in which they were written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(map) => serializer.collect_map(map.iter().map(|(key, node)| (key, node))),
        }
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<Node, E> {
        Ok(Node::Bool(bool))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Node, E> {
        Number::from_f64(number)
            .map(Node::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

/// `T` from a JSON object alone: a derived struct would also take its fields from an array, in order.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map))
            }
        }
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Object<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_duplicate_keys() {
        let node: Node = serde_json::from_str(r#"{"a":1,"a":[null,true,-2,0.5,"x"]}"#).unwrap();
        let Node::Map(entries) = &node else {
            panic!("{node:?}")
        };
        assert_eq!(entries.len(), 2);
        assert_eq!(
            node.into_value(),
            serde_json::json!({"a": [null, true, -2, 0.5, "x"]})
        );
    }

    #[test]
    fn tells_which_key_is_given_twice() {
        let doubled = |text| serde_json::from_str::<Node>(text).unwrap().doubled("t");
        assert_eq!(
            doubled(r#"{"a":[1,{"b":1,"c":2,"b":3}]}"#).as_deref(),
            Some("t.a[1].b")
        );
        assert_eq!(doubled(r#"[{"a":1},{"a":1}]"#), None);
    }

    #[test]
    fn object_refuses_an_array() {
        #[derive(Debug, serde::Deserialize)]
        struct Pair {
            a: u8,
        }
        assert_eq!(
            serde_json::from_str::<Object<Pair>>(r#"{"a":1}"#)
                .unwrap()
                .0
                .a,
            1
        );
        assert!(serde_json::from_str::<Object<Pair>>("[1]").is_err());
    }
}
