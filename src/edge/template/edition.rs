//! The templates in one language: an environment of MiniJinja for each, since what a template says to everybody is written into its
//! source ([`settle`](super::settle)), and its functions know the language they speak.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::asset::Assets;
use super::function::{self, Missing};
use super::settle::{Known, settled};
use super::text::{Language, Texts};
use super::{TemplateError, source};

/// What the editions of all languages have in common.
pub(super) struct Shared {
    pub(super) texts: Texts,
    pub(super) assets: Assets,
    /// The templates that the theme brings.
    pub(super) theme: BTreeMap<String, String>,
    pub(super) missing: Missing,
}

/// The edition of one language, as its templates know it.
#[derive(Clone)]
pub(super) struct Speech {
    pub(super) shared: Arc<Shared>,
    pub(super) language: Language,
}

/// The templates of that language.
///
/// # Errors
/// When one that the theme brings does not compile; of ours, which the tests compile, each is compiled when it is first shown.
pub(super) fn edition(shared: &Arc<Shared>, language: &Language) -> Result<Environment<'static>, TemplateError> {
    let speech = Speech { shared: Arc::clone(shared), language: language.clone() };
    let mut environment = environment();
    function::register(&mut environment, &speech);
    for (name, source) in &shared.theme {
        let refuse = |cause| TemplateError::Compile { name: name.clone(), source: cause };
        // As it was written, so that what is wrong with it is told by its own lines.
        environment.template_from_named_str(name, source).map_err(refuse)?;
    }
    environment.set_loader(move |name| Ok(speech.template(name)));
    for name in shared.theme.keys() {
        let refuse = |cause| TemplateError::Compile { name: name.clone(), source: cause };
        environment.get_template(name).map_err(refuse)?;
    }
    Ok(environment)
}

impl Speech {
    /// The source of a template in this language: the theme's, or ours.
    fn template(&self, name: &str) -> Option<String> {
        let source = self.source(name)?;
        Some(if is_html(name) { settled(&source, self) } else { source })
    }
}

impl Known for Speech {
    fn text(&self, key: &str) -> Option<String> {
        self.shared.texts.plain(self.language.tag(), key).ok().map(|text| text.to_string())
    }

    fn asset(&self, name: &str) -> Option<String> {
        self.shared.assets.hashed_name(name).map(str::to_owned)
    }

    fn source(&self, name: &str) -> Option<String> {
        let ours = || source::built_in(name.strip_prefix("default/").unwrap_or(name)).map(str::to_owned);
        self.shared.theme.get(name).cloned().or_else(ours)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Debug information quotes the context, and with it CSRF tokens, into errors that are logged.
    environment.set_debug(false);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the default delimiters are valid"),
    );
    environment.set_auto_escape_callback(|name| if is_html(name) { AutoEscape::Html } else { AutoEscape::None });
    environment
}

fn is_html(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"))
}

/// The outermost names of a template: `frame`, and the members of what it shows.
pub(super) struct Root {
    frame: Value,
    shown: Value,
}

impl Root {
    /// The names for a template that stands in `frame` and shows the members of `shown`.
    pub(super) fn of(frame: &impl Serialize, shown: &impl Serialize) -> Value {
        Value::from_object(Self { frame: Value::from(Serde(frame)), shown: Value::from(Serde(shown)) })
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
        if key == "frame" {
            return Some(self.frame.clone());
        }
        self.shown.get_attr(key).ok().filter(|found| !found.is_undefined())
    }
}
