//! What can be set, as the settings themselves tell it: for the JSON schema, the README's table and `symbolon config print`.
//!
//! ARCHITECTURE.md §9. Names, texts and kinds come from the structs by `schemars`, defaults from their `Default`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use figment::Figment;
use figment::providers::Serialized;
use figment::value::{Dict, Value as Figure};
use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::Config;

/// One thing that can be set.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its path: `tokens.access_lifetime`.
    pub key: String,
    /// Its default, as one writes it; `None` where nothing is set.
    pub default: Option<Value>,
    /// What it is, in a sentence without its full stop.
    pub about: String,
    /// Whether it may be shown.
    pub shown: Shown,
}

/// Whether a value may be shown.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Shown {
    /// As it is.
    Plainly,
    /// Only where it stands.
    Never,
}

/// Everything that can be set, in the order of the structs.
pub fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let schema = schema();
        let defaults = serde_json::to_value(Config::default()).expect("settings are texts, lists and sections");
        let mut found = Vec::new();
        collect(&Section { schema: &schema, whole: &schema, defaults: &defaults, path: &[] }, &mut found);
        found
    });
    &SETTINGS
}

/// Whether `key` is a secret.
pub fn is_secret(key: &str) -> bool {
    settings().iter().any(|setting| setting.key == key && setting.shown == Shown::Never)
}

/// The JSON schema (2020-12) of the settings file; editors complete and check by it.
///
/// # Panics
/// Never: a schema is an object.
pub fn schema() -> Value {
    let mut schema = schema_for!(Config).to_value();
    let top = schema.as_object_mut().expect("a schema is an object");
    top.insert("title".to_owned(), "Settings of Symbolon".into());
    schema
}

/// The table of the README.
pub fn table() -> String {
    let mut rows = String::from("| setting | default | what it is |\n|---|---|---|");
    for Setting { key, default, about, .. } in settings() {
        let default = default.as_ref().map(|value| format!("`{}`", text(value))).unwrap_or_default();
        let default = if default.is_empty() { "|".to_owned() } else { format!("{default} |") };
        // Writing to a String does not fail.
        let _ = write!(rows, "\n| `{key}` | {default} {about} |");
    }
    rows
}

/// A value as one reads it: texts without quotation marks.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

struct Section<'a> {
    schema: &'a Value,
    whole: &'a Value,
    defaults: &'a Value,
    path: &'a [String],
}

fn collect(section: &Section<'_>, found: &mut Vec<Setting>) {
    let Some(properties) = section.schema.get("properties").and_then(Value::as_object) else { return };
    for name in order(section.path) {
        let Some(property) = properties.get(&name) else { continue };
        let path = [section.path, std::slice::from_ref(&name)].concat();
        let default = section.defaults.get(&name).unwrap_or(&Value::Null);
        let resolved = resolve(property, section.whole);
        if resolved.get("properties").is_some() {
            collect(&Section { schema: resolved, whole: section.whole, defaults: default, path: &path }, found);
            continue;
        }
        let about = property.get("description").or(resolved.get("description")).and_then(Value::as_str);
        let about = about.unwrap_or_default().split("\n\n").next().unwrap_or_default();
        found.push(Setting {
            key: path.join("."),
            default: (!is_empty(default)).then(|| default.clone()),
            about: about.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned(),
            shown: if is_write_only(property) { Shown::Never } else { Shown::Plainly },
        });
    }
}

/// Where nothing is set.
pub fn is_empty(value: &Value) -> bool {
    value.is_null() || *value == json!([]) || *value == json!({})
}

/// The definition that a schema refers to, or the schema itself.
fn resolve<'a>(schema: &'a Value, whole: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"));
    name.and_then(|name| whole.get("$defs")?.get(name)).unwrap_or(schema)
}

/// JSON Schema Validation §9.4; an optional secret is one of several.
fn is_write_only(schema: &Value) -> bool {
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    schema.get("writeOnly").is_some() || alternatives.is_some_and(|several| several.iter().any(is_write_only))
}

/// The keys of a section in the order of its struct, which the refusal of an unknown key lists; a schema sorts them.
fn order(path: &[String]) -> Vec<String> {
    const UNKNOWN: &str = "";
    let mut tree = Dict::from([(UNKNOWN.to_owned(), Figure::from(0))]);
    for name in path.iter().rev() {
        tree = Dict::from([(name.clone(), Figure::from(tree))]);
    }
    match Figment::from(Serialized::defaults(tree)).extract::<Config>().map_err(|error| error.kind) {
        Err(figment::error::Kind::UnknownField(_, known)) => known.iter().map(|key| (*key).to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Each key with its value, the default where it is not set; `Null` where there is none. Of a secret, where it stands.
///
/// # Panics
/// Never: settings are texts, lists and sections.
pub fn flat(config: &Config) -> Map<String, Value> {
    let tree = serde_json::to_value(config).expect("settings are texts, lists and sections");
    let value = |key: &str| key.split('.').try_fold(&tree, |at, name| at.get(name)).cloned().unwrap_or_default();
    settings().iter().map(|setting| (setting.key.clone(), value(&setting.key))).collect()
}
