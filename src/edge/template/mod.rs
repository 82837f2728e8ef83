//! The pages and messages people see: templates, their texts and their static files.
//!
//! MiniJinja renders `templates/**`, Project Fluent gives the texts of `templates/locale/<tag>/*.ftl`, and both ship in the
//! binary. A theme folder overrides them file by file, with the same layout: `page/sign_in.html` in place of ours (it may
//! still `{% extends "default/page/sign_in.html" %}`), texts of ours one by one in `locale/<tag>/*.ftl`, a whole new language
//! beside them, and `style.css` or, for a few changed colours, `theme.css`, which is loaded after it.
//!
//! What a theme brings is read and compiled at start: a file that does not parse stops the start and never a sign-in. Of ours, which the
//! tests compile, a template is compiled when it is first shown: most servers never show most of them.
//!
//! To add a page: `templates/page/<name>.html` on `base.html` (a card) or `wide.html` (a document), its texts in
//! `locale/en/page.ftl`, its context in `context.rs` and a sample of it in `sample.rs`; the tests below then check it.

mod asset;
pub mod check;
pub mod console;
pub mod context;
mod edition;
mod function;
pub mod message;
mod message_sample;
mod sample;
mod settle;
mod source;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use minijinja::Environment;
use serde::Serialize;

pub use self::asset::Asset;
use self::asset::Assets;
use self::edition::{Root, Shared, edition};
use self::function::Missing;
use self::source::{Kind, Origin};
use self::text::Texts;
pub use self::text::{Direction, Language};
use crate::protocol::authorization_request::Display;

/// Everything that makes pages, read at start. Shared behind an `Arc`.
pub struct Templates {
    shared: Arc<Shared>,
    /// The templates of each language.
    editions: BTreeMap<String, Environment<'static>>,
}

/// What every page needs, whichever it is.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// The path of the issuer, in front of every path of ours: empty, or `/tenant` without a slash at its end.
    pub base: String,
    /// The language of the page.
    pub language: Language,
    /// The name of this request in the log, shown where something went wrong.
    pub trace_id: String,
    /// Whether this is a development server: pages say so, and errors show their hint.
    pub development: bool,
    /// How the app wants its pages shown (OIDC Core §3.1.2.1); a class of the page.
    pub display: Display,
}

impl Frame {
    /// The same, for an app that asked for `display`.
    #[must_use]
    pub fn shown_as(self, display: Display) -> Self {
        Self { display, ..self }
    }
}

/// Why templates could not be read, or a page not be made.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The theme folder cannot be read.
    #[error("theme: cannot read {}", path.display())]
    Theme {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A template or text file is not UTF-8.
    #[error("{path} is not UTF-8")]
    Encoding {
        /// The file, below `templates/` or the theme folder.
        path: String,
        /// Where it stops being UTF-8.
        source: std::str::Utf8Error,
    },
    /// A text file is broken.
    #[error("texts in locale/{path}: {message}")]
    Text {
        /// The file, below `locale/`.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A template does not compile.
    #[error("template {name} does not compile")]
    Compile {
        /// The template.
        name: String,
        /// Where and why.
        source: minijinja::Error,
    },
    /// A page could not be rendered: unknown, or its context lacks something.
    #[error("page {name} cannot be rendered")]
    Render {
        /// The page.
        name: String,
        /// Where and why.
        source: minijinja::Error,
    },
}

impl Templates {
    /// Reads and compiles the built-in templates and, in their place, those of the theme folder.
    ///
    /// # Errors
    /// When the folder cannot be read or a file in it is broken; the message names the file.
    pub fn new(theme: Option<&Path>) -> Result<Self, TemplateError> {
        Self::load(theme, Missing::Show)
    }

    fn load(theme: Option<&Path>, missing: Missing) -> Result<Self, TemplateError> {
        let sources = source::sources(theme)?;
        // Texts of the theme come last, so that they override ours one by one.
        let (mut built_in_texts, mut theme_texts) = (Vec::new(), Vec::new());
        let (mut assets, mut templates) = (Assets::default(), BTreeMap::new());
        for source in &sources {
            match source.kind {
                Kind::Asset => {
                    let name = source.name.strip_prefix("asset/").unwrap_or(&source.name);
                    assets.add(name, Bytes::copy_from_slice(&source.bytes));
                }
                Kind::Text => {
                    let path = source.name.strip_prefix("locale/").unwrap_or(&source.name);
                    built_in_texts.extend(source.replaced_text()?.map(|replaced| (path.to_owned(), replaced)));
                    let texts = match source.origin {
                        Origin::BuiltIn => &mut built_in_texts,
                        Origin::Theme => &mut theme_texts,
                    };
                    texts.push((path.to_owned(), source.text()?));
                }
                Kind::Template if source.origin == Origin::Theme => {
                    templates.insert(source.name.clone(), source.text()?.into_owned());
                }
                Kind::Template => {}
            }
        }
        let texts = Texts::new(built_in_texts.into_iter().chain(theme_texts))?;
        let shared = Arc::new(Shared { texts, assets, theme: templates, missing });
        let editions = shared.texts.languages();
        let editions = editions.map(|language| Ok((language.tag().to_owned(), edition(&shared, language)?)));
        let editions = editions.collect::<Result<_, TemplateError>>()?;
        Ok(Self { shared, editions })
    }

    /// The templates of a language.
    fn edition(&self, language: &Language) -> &Environment<'static> {
        let own = self.editions.get(language.tag()).or_else(|| self.editions.get(text::DEFAULT));
        own.expect("English is always among them")
    }

    /// Renders a page, such as `page/sign_in.html`.
    ///
    /// # Errors
    /// When there is no such page, or `context` lacks what it shows.
    pub fn page<C: Serialize>(&self, name: &str, frame: &Frame, context: &C) -> Result<String, TemplateError> {
        let refuse = |source| TemplateError::Render { name: name.to_owned(), source };
        let template = self.edition(&frame.language).get_template(name).map_err(refuse)?;
        template.render(Root::of(frame, context)).map_err(refuse)
    }

    /// A text that needs no arguments, in English where the language lacks it; the key where English does too.
    pub fn text(&self, language: &Language, key: &str) -> String {
        self.shared.texts.format(language.tag(), key, &fluent_bundle::FluentArgs::new()).unwrap_or_else(|missing| {
            tracing::warn!(reason = missing.reason, "an answer lacks a text");
            missing.shown
        })
    }

    /// The tags of the languages we have texts in, in their order.
    pub fn languages(&self) -> Vec<String> {
        self.shared.texts.languages().map(|language| language.tag().to_owned()).collect()
    }

    /// The best language we have: `ui_locales` first, then `Accept-Language`, else English.
    pub fn negotiate(&self, ui_locales: &[String], accept_language: Option<&str>) -> Language {
        self.shared.texts.negotiate(ui_locales, accept_language)
    }

    /// The ends of all text keys that begin with `prefix` and have a `.cause` and a `.cure`, in order.
    pub fn explained<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.shared.texts.explained(prefix)
    }

    /// The static file of that name below `{base}/assets/`. The name changes with the content, so it may be cached for good.
    pub fn asset(&self, name: &str) -> Option<Asset> {
        self.shared.assets.get(name)
    }
}

#[cfg(test)]
mod tests;
