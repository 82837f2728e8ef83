//! `/event-types`: every event there is, each with the JSON Schema of what is told of it.
//!
//! PROTOCOL O3; JSON Schema 2020-12. Made from `model::event_catalogue`, so that what is written and what is said of it cannot differ.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::http::api::admin::asked::Named;
use crate::http::api::answer::ok;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::problem::Problem;
use crate::model::event::EventName;
use crate::model::event_catalogue::{Detail, Kind, Presence};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/event-types", Group::Core), "What can happen", list)
            .gives::<EventTypes>(StatusCode::OK, "Every event that is told of."),
        get(("/event-types/{name}", Group::Core), "The JSON Schema of an event", show)
            .gives::<EventSchema>(StatusCode::OK, "JSON Schema 2020-12.")
            .refuses(&[Code::NotFound]),
    ]
}

/// Every event that is told of.
#[derive(Debug, Serialize, ToSchema)]
struct EventTypes {
    /// The events.
    event_types: Vec<EventType>,
}

/// An event that is told of.
#[derive(Debug, Serialize, ToSchema)]
struct EventType {
    /// Its name, which stays as it is.
    event: &'static str,
    /// What happened.
    description: &'static str,
    /// What every event of this name tells among its details.
    always: Vec<&'static str>,
    /// What it tells where there is something to tell.
    maybe: Vec<&'static str>,
}

/// A JSON Schema.
#[derive(Debug, Serialize, ToSchema)]
struct EventSchema {
    /// The dialect.
    #[serde(rename = "$schema")]
    schema: String,
    /// Its name.
    #[serde(rename = "$id")]
    id: String,
}

async fn list() -> Response {
    let told = |name: EventName, presence: Presence| {
        name.details().iter().filter(|detail| detail.presence == presence).map(|detail| detail.name).collect()
    };
    let event_type = |name: &EventName| EventType {
        event: name.as_str(),
        description: name.meaning(),
        always: told(*name, Presence::Always),
        maybe: told(*name, Presence::Maybe),
    };
    ok(&EventTypes { event_types: EventName::ALL.iter().map(event_type).collect() })
}

async fn show(named: Named) -> Result<Response, Problem> {
    let name = EventName::parse(named.first()).ok_or(Code::NotFound)?;
    Ok(ok(&schema(name)))
}

/// The schema of an event as it is told.
pub fn schema(name: EventName) -> Value {
    let uuid = json!({"type": "string", "format": "uuid"});
    let uuid_or_null = json!({"type": ["string", "null"], "format": "uuid"});
    let text_or_null = json!({"type": ["string", "null"]});
    let of_one = |kind: &str, schema: &Value| json!({"type": "object", "properties": {kind: schema}, "required": [kind], "additionalProperties": false});
    let actor = json!({
        "description": "Who did it.",
        "oneOf": [
            {"enum": ["anonymous", "operator", "server"]},
            of_one("user", &uuid),
            of_one("client", &json!({"type": "string"})),
        ],
    });
    let properties = json!({
        "id": uuid,
        "at": {"type": "string", "format": "date-time", "description": "When, to the second."},
        "event": {"const": name.as_str()},
        "outcome": {"enum": ["success", "failure"]},
        "actor": actor,
        "user_id": uuid_or_null,
        "client_id": text_or_null,
        "session_id": uuid_or_null,
        "ip": {"type": "string", "description": "Where the request came from; empty where there was none, or it was forgotten."},
        "user_agent": {"type": "string"},
        "request_id": {"type": "string"},
        "details": details(name.details()),
    });
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:symbolon:event:{}", name.as_str()),
        "title": name.as_str(),
        "description": name.meaning(),
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn details(details: &[Detail]) -> Value {
    let properties: Map<String, Value> =
        details.iter().map(|detail| (detail.name.to_owned(), described(detail))).collect();
    let always = details.iter().filter(|detail| detail.presence == Presence::Always);
    let required: Vec<&str> = always.map(|detail| detail.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn described(detail: &Detail) -> Value {
    let mut schema = match detail.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Id => json!({"type": "string", "format": "uuid"}),
        Kind::Moment => json!({"type": "integer"}),
        Kind::Number => json!({"type": "integer", "minimum": 0}),
        Kind::Word(words) => json!({"enum": words}),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), detail.meaning().into());
    }
    schema
}
