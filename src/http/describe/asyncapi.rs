//! The WebSocket, as AsyncAPI 3.0 describes it.

use super::super::websocket::Inbound;
use crate::{
    event::{Authenticated, Connection, Event, Gap, Pong, Refusal},
    quiz::request::CHANNEL_PATTERN,
    schema::{generator, whole},
    store::Position,
    timeline::Timeline,
};
use schemars::generate::Contract;
use serde_json::{Map, Value, json};

/// Returns the description of what is said on a WebSocket, and of the `data` of an event stream.
pub fn asyncapi() -> Value {
    let (mut says, mut hears) = (
        generator(Contract::Serialize),
        generator(Contract::Deserialize),
    );
    let position = whole::<Position>(&mut says);
    let mut server = parts(whole::<Event<'_>>(&mut says));
    server.push(whole::<Timeline>(&mut says));
    // So far these are the events of the stream, each of which has its place in front.
    for event in &mut server {
        for name in ["epoch", "offset"] {
            event["properties"][name] = position["properties"][name].clone();
            if let Some(required) = event["required"].as_array_mut() {
                required.push(name.into());
            }
        }
    }
    server.extend([
        whole::<Connection<'_>>(&mut says),
        whole::<Gap<'_>>(&mut says),
        whole::<Pong>(&mut says),
        whole::<Authenticated>(&mut says),
        whole::<Refusal>(&mut says),
    ]);
    let client = parts(whole::<Inbound>(&mut hears));
    let mut schemas = hears.take_definitions(true);
    schemas.extend(says.take_definitions(true));
    let (server, client) = (messages(server), messages(client));
    let names = |of: &Map<String, Value>| -> Vec<Value> {
        of.keys()
            .map(|name| json!({ "$ref": format!("#/channels/viewers/messages/{name}") }))
            .collect()
    };
    let channel = json!({ "$ref": "#/channels/viewers" });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "quiz-stats",
            "version": crate::version::VERSION,
            "description": "What viewers are told and may say: one JSON object per text frame. \
                            An event stream (GET /events) has the same objects as data.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "operations": {
            "tell": { "action": "send", "channel": channel, "messages": names(&server) },
            "hear": { "action": "receive", "channel": channel, "messages": names(&client) },
        },
        "channels": {
            "viewers": {
                "address": "/ws",
                "description": "The query names the channel, and where to go on.",
                "messages": server.into_iter().chain(client).collect::<Map<_, _>>(),
                "bindings": { "ws": { "query": {
                    "type": "object",
                    "properties": {
                        "channel": { "type": "string", "pattern": CHANNEL_PATTERN },
                        "epoch": position["properties"]["epoch"],
                        "offset": position["properties"]["offset"],
                        "ticket": { "type": "string" },
                    },
                } } },
            },
        },
        "components": { "schemas": schemas },
    })
}

/// Returns the variants of an enum.
fn parts(mut schema: Value) -> Vec<Value> {
    match schema["oneOf"].take() {
        Value::Array(parts) => parts,
        _ => unreachable!("an enum has variants"),
    }
}

/// Names messages by their `type`.
fn messages(schemas: Vec<Value>) -> Map<String, Value> {
    schemas
        .into_iter()
        .map(|schema| {
            let name = schema["properties"]["type"]["const"].as_str();
            let name = name.expect("each has a type").to_owned();
            (name.clone(), json!({ "name": name, "payload": schema }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_there() {
        let described = asyncapi();
        let messages = described["channels"]["viewers"]["messages"].as_object();
        let names: Vec<&str> = messages.unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "analysis_failed",
                "analysis_started",
                "answer_ready",
                "answers_ready",
                "auth",
                "authenticated",
                "connection",
                "error",
                "gap",
                "ping",
                "pong",
                "subscribe",
                "timeline",
                "unsubscribe",
            ]
        );
        let timeline = &described["channels"]["viewers"]["messages"]["timeline"]["payload"];
        assert_eq!(timeline["properties"]["epoch"]["pattern"], "^[0-9a-f]{16}$");
    }
}
