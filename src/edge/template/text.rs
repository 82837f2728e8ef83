//! The texts of the pages, in every language we have.
//!
//! Project Fluent for the texts, RFC 4647 §3.4 (lookup) and RFC 9110 §12.5.4 (Accept-Language) for the choice among them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use minijinja::value::Value;
use serde::Serialize;
use unic_langid::{CharacterDirection, LanguageIdentifier};

use super::TemplateError;

/// The language that is complete, and stands in where another lacks a text.
pub(super) const DEFAULT: &str = "en";

/// Ranges of one request that are looked at. Browsers send fewer than ten; RFC 9110 sets no bound.
const MAX_RANGES: usize = 32;

/// A language we have texts in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Language {
    tag: Arc<str>,
    direction: Direction,
}

impl Language {
    /// The language tag (BCP 47), as `lang` and `Content-Language` want it.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The direction it is written in, as `dir` wants it.
    pub fn direction(&self) -> Direction {
        self.direction
    }
}

/// The direction of a script.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Direction {
    /// Left to right.
    #[serde(rename = "ltr")]
    LeftToRight,
    /// Right to left.
    #[serde(rename = "rtl")]
    RightToLeft,
}

/// All texts, by language.
pub(super) struct Texts {
    translations: BTreeMap<Arc<str>, Written>,
    default: Language,
}

/// The texts of a language as they are written. Ours are read when somebody speaks it: most servers speak one, and each takes a megabyte.
struct Written {
    language: Language,
    identifier: LanguageIdentifier,
    /// Path and content, later ones overriding earlier ones.
    sources: Vec<(String, Cow<'static, str>)>,
    read: OnceLock<Translation>,
}

struct Translation {
    bundle: FluentBundle<FluentResource>,
    /// Its keys (`name`, `name.attribute`), with what they say without arguments in HTML, once somebody has asked.
    keys: HashMap<String, OnceLock<Value>>,
}

/// Why a text could not be given as it was asked for.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct MissingText {
    /// What can be shown all the same: the text without the missing argument, or the key.
    pub(super) shown: String,
    /// What is wrong, for the log.
    pub(super) reason: String,
}

impl Texts {
    /// Takes Fluent sources: path (`en/page.ftl`: the folder is the language) and content, later ones overriding earlier ones. What
    /// is not built into the program is read at once, as is English.
    ///
    /// # Errors
    /// When a folder is no language tag, a source does not parse, or English is not among them.
    pub(super) fn new(sources: impl IntoIterator<Item = (String, Cow<'static, str>)>) -> Result<Self, TemplateError> {
        let mut translations = BTreeMap::new();
        for (path, source) in sources {
            let tag = path.split('/').next().unwrap_or_default();
            let identifier: LanguageIdentifier =
                tag.parse().map_err(|error| refused(&path, format!("{tag:?} is no language tag: {error}")))?;
            let written = translations
                .entry(Arc::from(identifier.to_string()))
                .or_insert_with_key(|tag| Written::new(Arc::clone(tag), identifier));
            written.sources.push((path, source));
        }
        for written in translations.values() {
            let is_ours = written.sources.iter().all(|(_, source)| matches!(source, Cow::Borrowed(_)));
            if written.language.tag() == DEFAULT || !is_ours {
                let _ = written.read.set(written.read()?);
            }
        }
        let default = translations.get(DEFAULT).map(|written: &Written| written.language.clone());
        let default = default
            .ok_or_else(|| refused(&format!("{DEFAULT}/*.ftl"), "the default language is missing".to_owned()))?;
        Ok(Self { translations, default })
    }

    /// The text of `key` (`name` or `name.attribute`), in English where the language lacks it.
    pub(super) fn format(&self, language: &str, key: &str, arguments: &FluentArgs) -> Result<String, MissingText> {
        let (name, attribute) = key.split_once('.').map_or((key, None), |(name, attribute)| (name, Some(attribute)));
        for bundle in self.chain(language) {
            let Some(message) = bundle.get_message(name) else { continue };
            let pattern = match attribute {
                Some(attribute) => message.get_attribute(attribute).map(|attribute| attribute.value()),
                None => message.value(),
            };
            let Some(pattern) = pattern else { continue };
            let mut errors = Vec::new();
            let text = bundle.format_pattern(pattern, Some(arguments), &mut errors).into_owned();
            return match errors.first() {
                None => Ok(text),
                Some(error) => Err(MissingText { shown: text, reason: format!("text {key:?}: {error}") }),
            };
        }
        Err(MissingText { shown: key.to_owned(), reason: format!("there is no text {key:?}") })
    }

    /// The text of a key that takes no arguments, for HTML: made once for each language, since nine of ten are such.
    pub(super) fn plain(&self, language: &str, key: &str) -> Result<Value, MissingText> {
        let place = self.translations(language).find_map(|translation| translation.keys.get(key));
        if let Some(made) = place.and_then(OnceLock::get) {
            return Ok(made.clone());
        }
        let made = self.format(language, key, &FluentArgs::new()).map(Value::from_safe_string)?;
        Ok(place.map_or_else(|| made.clone(), |place| place.get_or_init(|| made.clone()).clone()))
    }

    /// Whether there is a text of that name, without its attributes.
    pub(super) fn has(&self, language: &str, name: &str) -> bool {
        self.chain(language).any(|bundle| bundle.has_message(name))
    }

    /// The ends of the names that begin with `prefix`, where the text says cause and cure, in order.
    pub(super) fn explained<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let keys: BTreeSet<&str> = self.translations(DEFAULT).flat_map(Translation::keys).collect();
        let named = keys.clone().into_iter().filter_map(move |name| Some((name, name.strip_prefix(prefix)?)));
        let says = move |name: &str| [".cause", ".cure"].iter().all(|part| keys.contains(&*[name, part].concat()));
        named.filter(move |(name, _)| says(name)).map(|(_, end)| end)
    }

    /// The best language for a person; `ui_locales` (OIDC Core §3.1.2.1) goes before the browser's own wish.
    pub(super) fn negotiate(&self, ui_locales: &[String], accept_language: Option<&str>) -> Language {
        let wished = ui_locales.iter().map(String::as_str).take(MAX_RANGES);
        let accepted = ranges(accept_language.unwrap_or_default());
        wished.chain(accepted).find_map(|range| self.lookup(range)).unwrap_or(&self.default).clone()
    }

    /// RFC 4647 §3.4: the range itself, then ever shorter; at last any variety of the same language.
    fn lookup(&self, range: &str) -> Option<&Language> {
        let mut rest = range;
        loop {
            if let Some(found) = self.languages().find(|language| language.tag.eq_ignore_ascii_case(rest)) {
                return Some(found);
            }
            let Some((shorter, _)) = rest.rsplit_once('-') else { break };
            rest = shorter;
        }
        self.languages()
            .find(|language| language.tag.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(rest)))
    }

    pub(super) fn languages(&self) -> impl Iterator<Item = &Language> {
        self.translations.values().map(|written| &written.language)
    }

    /// The keys that English has and a language lacks, by language.
    pub(super) fn lacking(&self) -> impl Iterator<Item = (&Language, Vec<&str>)> {
        let complete: BTreeSet<&str> = self.translations(DEFAULT).flat_map(Translation::keys).collect();
        self.translations.values().map(move |written| {
            let missing = complete.iter().filter(|key| !written.translation().keys.contains_key(**key));
            (&written.language, missing.copied().collect())
        })
    }

    fn chain<'a>(&'a self, language: &str) -> impl Iterator<Item = &'a FluentBundle<FluentResource>> {
        self.translations(language).map(|translation| &translation.bundle)
    }

    /// The language, then English.
    fn translations<'a>(&'a self, language: &str) -> impl Iterator<Item = &'a Translation> {
        let first = (language != DEFAULT).then(|| self.translations.get(language)).flatten();
        first.into_iter().chain(self.translations.get(DEFAULT)).map(Written::translation)
    }
}

impl Written {
    fn new(tag: Arc<str>, identifier: LanguageIdentifier) -> Self {
        let direction = match identifier.character_direction() {
            CharacterDirection::RTL => Direction::RightToLeft,
            _ => Direction::LeftToRight,
        };
        Self { language: Language { tag, direction }, identifier, sources: Vec::new(), read: OnceLock::new() }
    }

    fn translation(&self) -> &Translation {
        self.read.get_or_init(|| {
            self.read().unwrap_or_else(|error| {
                // The tests read all of ours.
                tracing::error!(error = &error as &dyn std::error::Error, "texts cannot be read; English stands in");
                Translation::new(self.identifier.clone())
            })
        })
    }

    fn read(&self) -> Result<Translation, TemplateError> {
        let mut translation = Translation::new(self.identifier.clone());
        for (path, source) in &self.sources {
            let resource = FluentResource::try_new(source.to_string()).map_err(|(_, errors)| {
                refused(path, errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            })?;
            translation.keys.extend(keys(source).into_iter().map(|key| (key, OnceLock::new())));
            translation.bundle.add_resource_overriding(resource);
        }
        Ok(translation)
    }
}

impl Translation {
    fn new(identifier: LanguageIdentifier) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Arguments that need isolation get it where they enter (function.rs); the rest stays free of invisible characters.
        bundle.set_use_isolating(false);
        Self { bundle, keys: HashMap::new() }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }
}

fn refused(path: &str, message: String) -> TemplateError {
    TemplateError::Text { path: path.to_owned(), message }
}

/// The keys of a source that parses, those of attributes with the name of their message in front: `name.attribute`.
fn keys(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut message = "";
    for line in source.lines() {
        let Some((name, _)) = line.split_once('=') else { continue };
        if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            message = name.trim_end();
            found.insert(message.to_owned());
        } else if let Some(attribute) = name.trim().strip_prefix('.') {
            found.insert(format!("{message}.{attribute}"));
        }
    }
    found
}

/// The ranges of an Accept-Language field, best first; refused ones (`q=0`) and `*` left out.
fn ranges(accept_language: &str) -> Vec<&str> {
    let mut ranges: Vec<(u16, &str)> = accept_language
        .split(',')
        .take(MAX_RANGES)
        .filter_map(|item| {
            let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
            let range = range.trim();
            let weight = weight(parameters)?;
            (weight > 0 && !range.is_empty() && range != "*").then_some((weight, range))
        })
        .collect();
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(_, range)| range).collect()
}

/// `q` in thousandths (RFC 9110 §12.4.2); None when it is malformed.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let value = parameters.strip_prefix("q=").or_else(|| parameters.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a theme brings them: read at once.
    fn of(sources: &[(&str, &str)]) -> Result<Texts, TemplateError> {
        Texts::new(sources.iter().map(|(path, source)| ((*path).to_owned(), Cow::Owned((*source).to_owned()))))
    }

    fn texts() -> Texts {
        of(&[
            ("en/page.ftl", "hello = Hello { $name }\n    .again = Again\nonly = Only here"),
            ("de/page.ftl", "hello = Hallo { $name }"),
            ("pt-BR/page.ftl", "hello = Olá { $name }"),
            ("he/page.ftl", "hello = שלום { $name }"),
            ("zh-Hant/page.ftl", "hello = 你好 { $name }"),
        ])
        .unwrap()
    }

    #[test]
    fn the_best_language_is_found() {
        let texts = texts();
        let table: &[(&[&str], Option<&str>, &str)] = &[
            (&[], None, "en"),
            (&[], Some(""), "en"),
            (&[], Some("*"), "en"),
            (&[], Some("de"), "de"),
            (&[], Some("DE-at"), "de"),
            (&[], Some("fr, de;q=0.5, en;q=0.8"), "en"),
            (&[], Some("fr;q=0.9,de;q=0.9"), "de"),
            (&[], Some("de;q=0, he;q=0.1"), "he"),
            (&[], Some("de;q=nan, he;q=1.000"), "he"),
            (&[], Some("pt"), "pt-BR"),
            (&[], Some("pt-PT"), "pt-BR"),
            (&[], Some("zh-Hant-TW"), "zh-Hant"),
            (&["de"], Some("en"), "de"),
            (&["fr", "pt-br"], Some("de"), "pt-BR"),
            (&["fr"], Some("de"), "de"),
            (&["", "-", "--", "x-x-x-x-x-x-x-x-x-x-x-x-x"], Some(";;,=,q=1,\u{0}"), "en"),
        ];
        for (ui_locales, accept_language, expected) in table {
            let ui_locales: Vec<String> = ui_locales.iter().map(ToString::to_string).collect();
            let language = texts.negotiate(&ui_locales, *accept_language);
            assert_eq!(language.tag(), *expected, "{ui_locales:?} {accept_language:?}");
        }
    }

    #[test]
    fn the_direction_follows_the_script() {
        let texts = texts();
        assert_eq!(texts.negotiate(&[], Some("he")).direction(), Direction::RightToLeft);
        assert_eq!(texts.negotiate(&[], Some("de")).direction(), Direction::LeftToRight);
    }

    #[test]
    fn english_stands_in_for_a_missing_text() {
        let texts = texts();
        let mut arguments = FluentArgs::new();
        arguments.set("name", "Ana");
        assert_eq!(texts.format("de", "hello", &arguments).unwrap(), "Hallo Ana");
        assert_eq!(texts.format("de", "only", &arguments).unwrap(), "Only here");
        assert_eq!(texts.format("de", "hello.again", &arguments).unwrap(), "Again");
        for _ in 0..2 {
            assert_eq!(texts.plain("de", "only").unwrap().to_string(), "Only here");
            assert_eq!(texts.plain("de", "hello.again").unwrap().to_string(), "Again");
            assert_eq!(texts.plain("de", "unheard-of").unwrap_err().shown, "unheard-of");
            assert_eq!(texts.plain("de", "hello").unwrap_err().shown, "Hallo {$name}");
        }
        assert_eq!(texts.format("de", "unheard-of", &arguments).unwrap_err().shown, "unheard-of");
        assert!(texts.format("en", "hello", &FluentArgs::new()).is_err());
    }

    #[test]
    fn what_is_built_in_is_read_when_it_is_spoken_and_english_stands_in_for_what_is_broken() {
        let sources = [("en/page.ftl", "a = A"), ("de/page.ftl", "a = Ä"), ("fr/page.ftl", "= nonsense")];
        let sources = sources.map(|(path, source)| (path.to_owned(), Cow::Borrowed(source)));
        let texts = Texts::new(sources).unwrap();
        let is_read = |tag: &str| texts.translations[tag].read.get().is_some();
        assert_eq!(["en", "de", "fr"].map(is_read), [true, false, false]);
        for (tag, said) in [("de", "Ä"), ("fr", "A")] {
            assert_eq!(texts.format(tag, "a", &FluentArgs::new()).unwrap(), said);
            assert!(is_read(tag));
        }
    }

    #[test]
    fn broken_sources_are_refused_by_name() {
        let english = ("en/page.ftl", "a = A");
        let error = of(&[english, ("de/page.ftl", "= nonsense")]).err().unwrap();
        assert!(error.to_string().contains("de/page.ftl"), "{error}");
        assert!(of(&[english, ("not a tag/page.ftl", "a = A")]).is_err());
        assert!(of(&[("de/page.ftl", "a = A")]).is_err());
    }
}
