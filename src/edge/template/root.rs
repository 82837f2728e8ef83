//! What a template sees first: what it shows, the frame of its page, and the functions that speak its language.
//!
//! A page asks for thirty texts and as many members. Each is found by one comparison of its name: the functions know their language
//! when the page begins, so that none of them looks for the frame again.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, Serde, Value, from_args};
use minijinja::{AutoEscape, Error, State};
use serde::Serialize;

use super::Templates;
use super::asset::Assets;
use super::function::{Missing, invalid, translate};
use super::text::{Language, Texts};

/// The names of the functions, in the order of [`Root`].
const FUNCTIONS: [(&str, Function); 4] = [
    ("t", Function::Text),
    ("has_text", Function::HasText),
    ("asset", Function::Asset),
    ("has_asset", Function::HasAsset),
];

/// The outermost names of a template.
pub(super) struct Root {
    frame: Value,
    shown: Value,
    functions: [Value; 4],
}

/// What the functions know of the page that calls them.
pub(super) struct Speech {
    texts: Arc<Texts>,
    assets: Arc<Assets>,
    language: Language,
    /// In front of every path of ours; a message has none.
    base: Option<String>,
    missing: Missing,
}

#[derive(Copy, Clone, Debug)]
enum Function {
    Text,
    HasText,
    Asset,
    HasAsset,
}

struct Callable {
    function: Function,
    speech: Arc<Speech>,
}

impl Templates {
    /// The names that a template of that language sees: `frame`, the members of `context`, and the functions.
    pub(super) fn root(
        &self,
        (language, base): (&Language, Option<&str>),
        frame: &impl Serialize,
        context: &impl Serialize,
    ) -> Value {
        let speech = Arc::new(Speech {
            texts: Arc::clone(&self.texts),
            assets: Arc::clone(&self.assets),
            language: language.clone(),
            base: base.map(str::to_owned),
            missing: self.missing,
        });
        let functions =
            FUNCTIONS.map(|(_, function)| Value::from_object(Callable { function, speech: Arc::clone(&speech) }));
        Value::from_object(Root { frame: Value::from(Serde(frame)), shown: Value::from(Serde(context)), functions })
    }
}

impl fmt::Debug for Root {
    /// Without what it shows: that may hold what no log may tell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").finish_non_exhaustive()
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(function) = FUNCTIONS.iter().position(|(name, _)| *name == key) {
            return self.functions.get(function).cloned();
        }
        if key == "frame" {
            return Some(self.frame.clone());
        }
        self.shown.get_attr(key).ok().filter(|found| !found.is_undefined())
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)
    }
}

impl Object for Callable {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        let speech = &*self.speech;
        match self.function {
            Function::Text => {
                let html = matches!(state.auto_escape(), AutoEscape::Html);
                if html
                    && let [key] = arguments
                    && let Some(key) = key.as_str()
                    && let Ok(text) = speech.texts.plain(speech.language.tag(), key)
                {
                    return Ok(text);
                }
                let (key, given): (&str, Kwargs) = from_args(arguments)?;
                let text = translate((&speech.texts, &speech.language), (key, &given), (html, speech.missing))?;
                Ok(if html { Value::from_safe_string(text) } else { Value::from(text) })
            }
            Function::HasText => {
                let (name,): (&str,) = from_args(arguments)?;
                Ok(speech.texts.has(speech.language.tag(), name).into())
            }
            Function::Asset => {
                let (name,): (&str,) = from_args(arguments)?;
                let base = speech.base.as_ref().ok_or_else(|| invalid("a message has no assets".to_owned()))?;
                let hashed = speech.assets.hashed_name(name);
                let hashed = hashed.ok_or_else(|| invalid(format!("there is no asset {name:?}")))?;
                Ok(Value::from([base, "/assets/", hashed].concat()))
            }
            Function::HasAsset => {
                let (name,): (&str,) = from_args(arguments)?;
                Ok(speech.assets.hashed_name(name).is_some().into())
            }
        }
    }
}
