//! Bodies: JSON objects whose mistakes are told field by field, all at once.
//!
//! RFC 8259; S-026, S-174: whatever JSON stands in a field, the answer is 422 and names it. *Why not serde:* it stops at the
//! first mistake, and its words are for programmers.
//!
//! A body is a struct in [`body!`]; a type that can stand in a field has an `impl` [`Field`]; a choice among words is an enum in
//! [`choices!`].

use axum::body::Body as Stream;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};

use crate::http::api::code::Code;
pub use crate::http::api::patch::Patch;
use crate::http::api::problem::{FieldError, Problem};
use crate::http::captcha;
use crate::http::extract::{Unreadable, body as wire};
use crate::http::web::Web;
use crate::protocol::jose::json::parse_object;
use crate::protocol::secret::Secret;

/// The longest text in a field that does not say more, in bytes.
pub const MAX_TEXT: usize = 4096;

/// A body that an operation takes; [`body!`] writes it.
pub trait Body: Sized + Send + 'static {
    /// Its name in the OpenAPI document.
    const NAME: &'static str;

    /// Takes its members out of `fields`, which notes what is wrong; `None` when something is.
    fn read(fields: &mut Fields) -> Option<Self>;

    /// Its schema.
    fn schema() -> Object;
}

/// A type that can stand in a field.
pub trait Field: Sized {
    /// What a missing member stands for; `None` when it must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads a member.
    ///
    /// # Errors
    /// What is wrong with it; the name of the field is filled in by the caller.
    fn read(value: Value) -> Result<Self, FieldError>;

    /// Its schema.
    fn schema() -> Schema;
}

/// One of several words; [`choices!`] writes it.
pub trait Choice: Field + Copy {
    /// The word.
    fn as_str(self) -> &'static str;
}

/// The members of a body, and what is wrong with them so far.
#[derive(Debug, Default)]
pub struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Takes the member called `name`.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Option<T> {
        let read = match self.members.remove(name) {
            Some(value) => T::read(value),
            None => T::absent().ok_or_else(|| FieldError::new(name, Code::Required)),
        };
        read.map_err(|error| self.errors.push(FieldError { field: name.into(), ..error })).ok()
    }

    /// Takes every member that nothing has taken.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.members)
    }

    /// Reads a whole body: mistakes of its members first, in the order of the struct, then members that it does not know.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn read<B: Body>(members: Map<String, Value>) -> Result<B, Problem> {
        let mut fields = Self { members, errors: Vec::new() };
        let body = B::read(&mut fields);
        let unknown = fields.members.keys().take(32).map(|name| {
            // A name of a stranger is told back, but not at any length.
            FieldError::new(name.chars().take(64).collect::<String>(), Code::UnknownField)
        });
        fields.errors.extend(unknown.collect::<Vec<_>>());
        match body {
            Some(body) if fields.errors.is_empty() => Ok(body),
            _ => Err(Problem::fields(fields.errors)),
        }
    }
}

/// The name of a member: a Rust keyword has a mark in front of it.
pub fn member_name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// The body of a request, read.
#[derive(Debug)]
pub struct Json<B>(pub B);

impl<B: Body> FromRequest<Web> for Json<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Web) -> Result<Self, Problem> {
        let (parts, stream) = request.into_parts();
        let mut members = members(&parts.headers, stream).await?;
        if parts.extensions.get::<captcha::Unasked>().is_some() {
            members.remove(captcha::FIELD);
        }
        Fields::read(members).map(Self)
    }
}

/// The members of the JSON object in a body; an empty body is an empty object.
async fn members(headers: &http::HeaderMap, stream: Stream) -> Result<Map<String, Value>, Problem> {
    let is_json = wire::has_type(headers, "application/json");
    let bytes = wire::read(stream).await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    parse_object(&bytes, "body").map_err(|error| Problem::new(Code::MalformedBody).hint(error.to_string()))
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        let code = match unreadable.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
            StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
            StatusCode::URI_TOO_LONG => Code::UriTooLong,
            _ => Code::MalformedBody,
        };
        Self::new(code).hint(unreadable.error().description().to_owned())
    }
}

/// Of another JSON type than `expected`.
pub fn wrong_type(expected: &'static str) -> FieldError {
    FieldError::new("", Code::WrongType).with("expected", expected)
}

/// A text of at most `max` bytes that is not empty.
fn text(value: Value, max: usize) -> Result<String, FieldError> {
    let Value::String(text) = value else { return Err(wrong_type("string")) };
    if text.is_empty() {
        return Err(FieldError::new("", Code::Blank));
    }
    if text.len() > max {
        return Err(FieldError::new("", Code::TooLong).with("max", max));
    }
    Ok(text)
}

/// A text that is not blank.
impl Field for String {
    fn read(value: Value) -> Result<Self, FieldError> {
        let text = text(value, MAX_TEXT)?;
        if text.trim().is_empty() { Err(FieldError::new("", Code::Blank)) } else { Ok(text) }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_TEXT)).into()
    }
}

/// A text that may be blank: what that means is decided by who takes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text(pub String);

impl Field for Text {
    fn read(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::String(text) if text.is_empty() => Ok(Self(text)),
            value => text(value, MAX_TEXT).map(Self),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_TEXT)).into()
    }
}

/// A password, code or token: taken as it is, spaces too.
impl Field for Secret {
    fn read(value: Value) -> Result<Self, FieldError> {
        text(value, MAX_TEXT).map(Self::new)
    }

    fn schema() -> Schema {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_TEXT));
        text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).into()
    }
}

impl Field for bool {
    fn read(value: Value) -> Result<Self, FieldError> {
        value.as_bool().ok_or_else(|| wrong_type("boolean"))
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

impl Field for u64 {
    fn read(value: Value) -> Result<Self, FieldError> {
        value.as_u64().ok_or_else(|| wrong_type("integer"))
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_u32)).into()
    }
}

/// An object of any members.
impl Field for Map<String, Value> {
    fn read(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(members) => Ok(members),
            _ => Err(wrong_type("object")),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Value) -> Result<Self, FieldError> {
        let Value::Array(values) = value else { return Err(wrong_type("array")) };
        values.into_iter().map(T::read).collect()
    }

    fn schema() -> Schema {
        ArrayBuilder::new().items(RefOr::T(T::schema())).into()
    }
}

/// It may be left out; `null` counts as left out.
impl<T: Field> Field for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }

    fn schema() -> Schema {
        nullable(T::schema())
    }
}

/// The same, or `null`.
pub(super) fn nullable(schema: Schema) -> Schema {
    use utoipa::openapi::schema::OneOfBuilder;
    OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(schema).into()
}

/// What describes a member: its schema, and whether it must be there.
pub fn describe<T: Field>(object: ObjectBuilder, name: &'static str, about: &str) -> ObjectBuilder {
    let mut schema = T::schema();
    let about = Some(about.trim().to_owned()).filter(|about| !about.is_empty());
    match &mut schema {
        Schema::Object(object) => object.description = about,
        Schema::Array(array) => array.description = about,
        Schema::OneOf(one_of) => one_of.description = about,
        _ => {}
    }
    let object = object.property(name, schema);
    if T::absent().is_none() { object.required(name) } else { object }
}

/// A body: a struct whose fields are [`Field`]s. Members that it does not know are refused.
macro_rules! body {
    ($(#[doc = $about:literal])* $visibility:vis struct $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty,)*
    }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug)]
        $visibility struct $name {
            $($(#[doc = $doc])* $visibility $field: $type,)*
        }

        impl $crate::http::api::body::Body for $name {
            const NAME: &'static str = stringify!($name);

            fn read(fields: &mut $crate::http::api::body::Fields) -> Option<Self> {
                $(let $field = fields.take::<$type>($crate::http::api::body::member_name(stringify!($field)));)*
                Some(Self { $($field: $field?,)* })
            }

            fn schema() -> utoipa::openapi::schema::Object {
                let object = utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::Object)
                    .description(Some(concat!($($about,)*).trim()));
                $(let object = $crate::http::api::body::describe::<$type>(
                    object,
                    $crate::http::api::body::member_name(stringify!($field)),
                    concat!($($doc,)*),
                );)*
                object
                    .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)))
                    .build()
            }
        }
    };
}
pub(crate) use body;

/// A choice among words: an enum that can stand in a field.
macro_rules! choices {
    ($(#[doc = $about:literal])* $visibility:vis enum $name:ident {
        $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)*
    }) => {
        $(#[doc = $about])*
        #[derive(Copy, Clone, Debug, Eq, PartialEq)]
        $visibility enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl $crate::http::api::body::Choice for $name {
            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl $crate::http::api::body::Field for $name {
            fn read(value: serde_json::Value) -> Result<Self, $crate::http::api::problem::FieldError> {
                let serde_json::Value::String(text) = value else {
                    return Err($crate::http::api::body::wrong_type("string"));
                };
                match text.as_str() {
                    $($text => Ok(Self::$variant),)*
                    "" => Err($crate::http::api::problem::FieldError::new("", $crate::http::api::code::Code::Blank)),
                    _ => Err($crate::http::api::problem::FieldError::new("", $crate::http::api::code::Code::InvalidValue)),
                }
            }

            fn schema() -> utoipa::openapi::schema::Schema {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($text),*]))
                    .into()
            }
        }
    };
}
pub(crate) use choices;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    choices! {
        /// A colour.
        enum Colour {
            /// Red.
            Red = "red",
        }
    }

    body! {
        /// A thing.
        struct Thing {
            /// Its name.
            name: String,
            /// Its secret.
            secret: Secret,
            /// What kind.
            r#type: Option<Colour>,
            /// How many.
            count: Option<u64>,
            /// Whether.
            flag: Option<bool>,
            /// More.
            tags: Option<Vec<String>>,
            /// A change.
            note: Patch<String>,
        }
    }

    fn read(value: Value) -> Result<Thing, Vec<(String, &'static str)>> {
        let Value::Object(members) = value else { panic!("an object") };
        Fields::read(members).map_err(|problem| {
            problem.errors.iter().map(|error| (error.field.to_string(), error.code.as_str())).collect()
        })
    }

    #[test]
    fn a_whole_body_is_read() {
        let thing = read(json!({
            "name": " x ", "secret": " ", "type": "red", "count": 3, "flag": false, "tags": ["a"], "note": null,
        }));
        let thing = thing.unwrap();
        assert_eq!((thing.name.as_str(), thing.secret.expose().as_str()), (" x ", " "));
        assert_eq!((thing.r#type, thing.count, thing.flag), (Some(Colour::Red), Some(3), Some(false)));
        assert_eq!((thing.tags.as_deref(), thing.note), (Some(&["a".to_owned()][..]), Patch::Clear));
        let least = read(json!({"name": "x", "secret": "y", "type": null})).unwrap();
        assert_eq!((least.r#type, least.note), (None, Patch::Keep));
        assert_eq!(Colour::Red.as_str(), "red");
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let refused = read(json!({
            "name": " ", "type": "blue", "count": -1, "flag": "yes", "tags": [1], "note": {}, "other": 1, "more": null,
        }));
        let expected = [
            ("name", "blank"),
            ("secret", "required"),
            ("type", "invalid_value"),
            ("count", "wrong_type"),
            ("flag", "wrong_type"),
            ("tags", "wrong_type"),
            ("note", "wrong_type"),
            ("more", "unknown_field"),
            ("other", "unknown_field"),
        ];
        let expected: Vec<(String, &str)> = expected.map(|(field, code)| (field.to_owned(), code)).into();
        assert_eq!(refused.unwrap_err(), expected);
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema = serde_json::to_value(Thing::schema()).unwrap();
        assert_eq!(schema["required"], json!(["name", "secret"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["type"]["oneOf"][1]["enum"], json!(["red"]));
        assert_eq!(schema["properties"]["name"]["description"], json!("Its name."));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((".{0,8}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_panics(value in any_json()) {
            let members = ["name", "secret", "type", "count", "flag", "tags", "note", "x"];
            let members = members.map(|name| (name.to_owned(), value.clone()));
            let refused = Fields::read::<Thing>(members.into_iter().collect());
            prop_assert_eq!(refused.err().map(|problem| problem.status.as_u16()), Some(422));
        }
    }
}
