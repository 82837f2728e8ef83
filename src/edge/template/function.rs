//! What templates may call: the functions `t`, `has_text`, `asset`, `has_asset`, `drawn`, and the filters `date`, `instant`, `grouped`,
//! `initial`, `href`, `src`, `links`.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, HtmlEscape, State};

use super::console::Drawn;
use super::edition::Speech;
use super::text::{Direction, MissingText};

/// What happens when a template asks for a text we do not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missing {
    /// The person sees what can be shown, the log tells.
    Show,
    /// The page fails: for tests, and for who looks over a theme.
    Fail,
}

/// Makes functions and filters known to the environment of a language.
pub(super) fn register(environment: &mut Environment<'static>, speech: &Speech) {
    let own = || speech.clone();
    let speech = own();
    environment.add_function("t", move |state: &State, key: &str, given: Kwargs| speech.say(state, key, &given));
    let speech = own();
    environment.add_function("has_text", move |name: &str| speech.shared.texts.has(speech.language.tag(), name));
    let speech = own();
    environment.add_function("asset", move |state: &State, name: &str| speech.asset_path(state, name));
    let speech = own();
    environment.add_function("has_asset", move |name: &str| speech.shared.assets.hashed_name(name).is_some());
    let speech = own();
    environment.add_function("drawn", move |state: &State, part: &str, menu: &Drawn| {
        let draw = |pages: &Value| {
            state.env().get_template(part)?.render(minijinja::context!(pages)).map(Value::from_safe_string)
        };
        menu.part((speech.language.tag(), part), draw)
    });
    let speech = own();
    environment.add_filter("date", move |seconds: i64| {
        let moment = moment(seconds)?;
        let mut arguments = FluentArgs::new();
        arguments.set("year", moment.year().to_string());
        arguments.set("month", FluentValue::from(moment.month()));
        arguments.set("day", moment.day().to_string());
        arguments.set("time", moment.format("%H:%M").to_string());
        speech.shown(speech.shared.texts.format(speech.language.tag(), "date", &arguments))
    });
    environment.add_filter("instant", |seconds: i64| {
        Ok::<_, Error>(moment(seconds)?.to_rfc3339_opts(SecondsFormat::Secs, true))
    });
    environment.add_filter("grouped", |code: Option<&str>| code.map(grouped));
    environment.add_filter("initial", |name: &str| initial(name));
    environment.add_filter("href", |uri: Option<&str>| uri.map(|uri| href(uri).to_owned()));
    environment.add_filter("src", |state: &State, uri: Option<&str>| {
        let development = frame(state)?.get_attr("development")?.is_true();
        Ok::<_, Error>(uri.map(|uri| if shows(uri, development) { uri } else { "" }.to_owned()))
    });
    environment.add_filter("links", |text: &str| Value::from_safe_string(links(text)));
}

impl Speech {
    /// The text of a key with its arguments; for HTML they are escaped.
    fn say(&self, state: &State, key: &str, given: &Kwargs) -> Result<Value, Error> {
        let html = matches!(state.auto_escape(), AutoEscape::Html);
        let (texts, tag) = (&self.shared.texts, self.language.tag());
        let mut names = given.args().peekable();
        if html
            && names.peek().is_none()
            && let Ok(text) = texts.plain(tag, key)
        {
            return Ok(text);
        }
        let mut arguments = FluentArgs::new();
        for name in names {
            let value: Value = given.get(name)?;
            let right_to_left = self.language.direction() == Direction::RightToLeft;
            arguments.set(name.to_owned(), argument(&value, html, right_to_left)?);
        }
        let text = self.shown(texts.format(tag, key, &arguments))?;
        Ok(if html { Value::from_safe_string(text) } else { Value::from(text) })
    }

    fn shown(&self, text: Result<String, MissingText>) -> Result<String, Error> {
        match (text, self.shared.missing) {
            (Ok(text), _) => Ok(text),
            (Err(problem), Missing::Show) => {
                tracing::warn!(reason = problem.reason, "a page lacks a text");
                Ok(problem.shown)
            }
            (Err(problem), Missing::Fail) => Err(invalid(problem.reason)),
        }
    }

    fn asset_path(&self, state: &State, name: &str) -> Result<Value, Error> {
        let base = frame(state)?.get_attr("base")?;
        let base = base.as_str().ok_or_else(|| invalid("a message has no assets".to_owned()))?;
        let hashed = self.shared.assets.hashed_name(name);
        let hashed = hashed.ok_or_else(|| invalid(format!("there is no asset {name:?}")))?;
        Ok(Value::from_safe_string(format!("{}/assets/{hashed}", HtmlEscape(base))))
    }
}

fn argument(value: &Value, html: bool, right_to_left: bool) -> Result<FluentValue<'static>, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "an argument of a text is undefined"));
    }
    if value.kind() == ValueKind::Number {
        return Ok(value.as_i64().map_or_else(|| FluentValue::from(value.to_string()), FluentValue::from));
    }
    let text = isolate(&value.to_string(), right_to_left);
    Ok(FluentValue::from(if html && !value.is_safe() { HtmlEscape(&text).to_string() } else { text }))
}

/// Keeps a name chosen by a stranger from reordering the sentence around it (Unicode UAX #9).
///
/// Its own directional controls are dropped; where its script or the sentence's needs it, it stands between isolates.
fn isolate(text: &str, right_to_left: bool) -> String {
    let is_control = |character: char| matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}');
    // Strong right-to-left letters live in these blocks.
    let is_right_to_left = |character: char| matches!(character, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}');
    let clean: String = text.chars().filter(|character| !is_control(*character)).collect();
    if right_to_left || clean.chars().any(is_right_to_left) { format!("\u{2068}{clean}\u{2069}") } else { clean }
}

fn frame(state: &State) -> Result<Value, Error> {
    state.lookup("frame").ok_or_else(|| invalid("there is no frame here".to_owned()))
}

fn moment(seconds: i64) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| invalid(format!("{seconds} is no moment")))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The letter that stands for a name where there is no picture.
fn initial(name: &str) -> String {
    name.chars()
        .find(|character| character.is_alphanumeric())
        .map_or_else(|| "·".to_owned(), |letter| letter.to_uppercase().collect())
}

/// A code as people read it aloud: `123 456`.
fn grouped(code: &str) -> String {
    let digits = code.len();
    let halves = digits >= 6 && digits.is_multiple_of(2) && code.bytes().all(|byte| byte.is_ascii_digit());
    match code.split_at_checked(digits / 2).filter(|_| halves) {
        Some((first, second)) => format!("{first} {second}"),
        None => code.to_owned(),
    }
}

/// A URI for `href`, or nothing when following it would run a script on our origin.
///
/// Registration refuses such URIs already; this is the second door.
fn href(uri: &str) -> &str {
    // The URL standard skips controls and spaces in front, and tabs and newlines anywhere.
    let scheme: String =
        uri.chars().filter(|character| !character.is_ascii_control() && *character != ' ').take(16).collect();
    let scheme = scheme.to_ascii_lowercase();
    if ["javascript:", "data:", "vbscript:"].iter().any(|refused| scheme.starts_with(refused)) { "" } else { uri }
}

/// Whether a page may show the picture at `uri`: the Content-Security-Policy lets the same ones through, so that no page has
/// a broken picture. A development server shows those of apps on this machine, too.
fn shows(uri: &str, development: bool) -> bool {
    let own = uri.starts_with('/') && !uri.starts_with("//");
    let local = ["http://localhost:", "http://localhost/", "http://127.0.0.1:", "http://127.0.0.1/"];
    own || uri.starts_with("https://")
        || uri.starts_with("data:image/")
        || development && local.iter().any(|start| uri.starts_with(start))
}

/// Plain text as HTML, its web addresses as links: for the development mailbox.
fn links(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = [rest.find("https://"), rest.find("http://")].into_iter().flatten().min() {
        let (before, address) = rest.split_at(start);
        let end = address
            .find(|character: char| character.is_whitespace() || "<>\"'`".contains(character))
            .unwrap_or(address.len());
        let (address, _) = address.split_at(end);
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
        let _ = write!(html, "{}<a href=\"{1}\">{1}</a>", HtmlEscape(before), HtmlEscape(address));
        rest = rest.split_at(start + address.len()).1;
    }
    let _ = write!(html, "{}", HtmlEscape(rest));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_from_where_the_policy_allows() {
        for (uri, production, development) in [
            ("https://app.example/logo.png", true, true),
            ("data:image/png;base64,x", true, true),
            ("/dev/picture/alice.svg", true, true),
            ("http://localhost:3000/logo.png", false, true),
            ("http://127.0.0.1:3000/logo.png", false, true),
            ("http://localhost.example.com/logo.png", false, false),
            ("http://app.example/logo.png", false, false),
            ("//app.example/logo.png", false, false),
            ("javascript:alert(1)", false, false),
            ("data:text/html,x", false, false),
            ("", false, false),
        ] {
            assert_eq!((shows(uri, false), shows(uri, true)), (production, development), "{uri}");
        }
    }

    #[test]
    fn scripts_are_never_linked() {
        let table = [
            ("https://app.example/", "https://app.example/"),
            ("com.example.app:/back", "com.example.app:/back"),
            ("/account", "/account"),
            ("javascript:alert(1)", ""),
            (" \u{1}JavaScript:alert(1)", ""),
            ("java\nscript:alert(1)", ""),
            ("data:text/html,x", ""),
            ("vbscript:x", ""),
        ];
        for (uri, expected) in table {
            assert_eq!(href(uri), expected, "{uri:?}");
        }
    }

    #[test]
    fn a_code_is_read_in_halves() {
        for (code, read) in [("123456", "123 456"), ("12345678", "1234 5678"), ("12345", "12345"), ("ABC-DE", "ABC-DE")]
        {
            assert_eq!(grouped(code), read);
        }
    }

    #[test]
    fn the_first_letter_stands_for_a_name() {
        for (name, expected) in
            [("alice", "A"), ("  (éclair)", "É"), ("42", "4"), ("", "·"), ("★", "·"), ("ßeta", "SS")]
        {
            assert_eq!(initial(name), expected, "{name:?}");
        }
    }

    #[test]
    fn addresses_in_a_text_become_links() {
        let table = [
            ("no address <b>", "no address &lt;b&gt;"),
            (
                "Open http://a.example/x?y=1&z=2.",
                "Open <a href=\"http:&#x2f;&#x2f;a.example&#x2f;x?y=1&amp;z=2\">http:&#x2f;&#x2f;a.example&#x2f;x?y=1&amp;z=2</a>.",
            ),
            ("http://a\"onclick=x", "<a href=\"http:&#x2f;&#x2f;a\">http:&#x2f;&#x2f;a</a>&quot;onclick=x"),
        ];
        for (text, expected) in table {
            assert_eq!(links(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_cannot_turn_the_sentence_around() {
        assert_eq!(isolate("Shop", false), "Shop");
        assert_eq!(isolate("Sh\u{202E}op\u{2069}", false), "Shop");
        assert_eq!(isolate("חנות", false), "\u{2068}חנות\u{2069}");
        assert_eq!(isolate("Shop", true), "\u{2068}Shop\u{2069}");
    }
}
