//! Messages to people: mails and text messages, from the same templates and texts as the pages.
//!
//! A mail has three parts, `subject.txt`, `body.txt` and `body.html`. For each of them the first of these files is taken:
//!
//! 1. `client/<client id>/mail/<kind>/<language>/<part>`, then without the language, then without the kind: one app's own
//! 2. `mail/<kind>/<language>/<part>`, then without the language: one kind of message
//! 3. `mail/<part>`: what all kinds share
//!
//! A text message has one part, `text.txt`, below `sms/` in the same order. Ours are those of the third rank; their words are
//! texts `mail-<kind>` and `sms-<kind>` of `locale/<tag>/message.ftl`. What a client id has besides letters, digits, `.`, `_` and
//! `-` is written as `%2F` in the name of a folder.

use std::fmt::Write as _;

use serde::Serialize;

use super::edition::Root;
use super::{Language, TemplateError, Templates};
use crate::model::id::ClientId;
use crate::model::message::MessageKind;

/// A mail in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What the templates of a message may tell.
#[derive(Clone, Serialize)]
pub struct MessageContext {
    /// The kind, as files and texts are named.
    pub kind: MessageKind,
    /// Who gets it.
    pub user: Addressee,
    /// A code to be typed.
    pub code: Option<String>,
    /// A link to be opened.
    pub url: Option<String>,
    /// How long code or link are good.
    pub valid_minutes: Option<u64>,
    /// Another address or number that it is about.
    pub address: Option<String>,
    /// How many are left, where something is used up.
    pub remaining: Option<u32>,
    /// The server elsewhere that it is about.
    pub provider: Option<String>,
    /// The request that led to it.
    pub request: Option<Request>,
    /// The app it is sent for.
    pub client: Option<App>,
    /// The issuer.
    pub issuer: String,
    /// The host of the page where a code is typed, for browsers that fill it in.
    pub host: String,
    /// What the operator adds for templates of their own.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// Who gets a message.
#[derive(Clone, Debug, Serialize)]
pub struct Addressee {
    /// What they are called, where it is known and reads like a name.
    pub name: Option<String>,
    /// The address or number it goes to.
    pub to: String,
}

/// The request that led to a message.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Where it came from.
    pub address: String,
    /// The browser and system in short.
    pub device: String,
    /// When, in Unix seconds.
    pub at: i64,
}

/// The app a message is sent for.
#[derive(Clone, Debug, Serialize)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its page.
    pub uri: Option<String>,
}

/// In which words: the language, and whose templates.
#[derive(Copy, Clone)]
pub struct Wording<'a> {
    /// The language.
    pub language: &'a Language,
    /// The app whose templates go before ours.
    pub client: Option<&'a ClientId>,
}

/// What the functions of templates look for in each page; a message has less of it.
#[derive(Serialize)]
struct Frame<'a> {
    language: &'a Language,
}

/// The most characters of a subject.
const SUBJECT: usize = 200;

impl Templates {
    /// Puts a mail into words.
    ///
    /// # Errors
    /// When a template does not render; the message names it.
    pub fn mail(&self, wording: Wording<'_>, context: &MessageContext) -> Result<Letter, TemplateError> {
        Ok(Letter {
            subject: one_line(&self.part("mail", "subject.txt", wording, context)?),
            text: tidy(&self.part("mail", "body.txt", wording, context)?),
            html: self.part("mail", "body.html", wording, context)?,
        })
    }

    /// Puts a text message into words.
    ///
    /// # Errors
    /// When a template does not render; the message names it.
    pub fn sms(&self, wording: Wording<'_>, context: &MessageContext) -> Result<String, TemplateError> {
        self.part("sms", "text.txt", wording, context).map(|text| tidy(&text).trim_end().to_owned())
    }

    fn part(
        &self,
        channel: &str,
        part: &str,
        wording: Wording<'_>,
        context: &MessageContext,
    ) -> Result<String, TemplateError> {
        let edition = self.edition(wording.language);
        let names = candidates((channel, part), wording, context.kind);
        let found = names.iter().find_map(|name| edition.get_template(name).ok().map(|found| (name, found)));
        let shared = format!("{channel}/{part}");
        let (name, template) = if let Some((name, template)) = found {
            (name.clone(), template)
        } else {
            let refuse = |source| TemplateError::Render { name: shared.clone(), source };
            (shared.clone(), edition.get_template(&shared).map_err(refuse)?)
        };
        template
            .render(Root::of(&Frame { language: wording.language }, context))
            .map_err(|source| TemplateError::Render { name, source })
    }
}

/// The files that may hold a part, the most special first; the shared one is not among them.
pub(super) fn candidates((channel, part): (&str, &str), wording: Wording<'_>, kind: MessageKind) -> Vec<String> {
    let (kind, tag) = (kind.as_str(), wording.language.tag());
    let own = wording.client.map(|client| format!("client/{}/", folder_name(client.as_str())));
    let mut names = Vec::with_capacity(5);
    for owner in own.iter().map(String::as_str).chain([""]) {
        names.push(format!("{owner}{channel}/{kind}/{tag}/{part}"));
        names.push(format!("{owner}{channel}/{kind}/{part}"));
        if !owner.is_empty() {
            names.push(format!("{owner}{channel}/{part}"));
        }
    }
    names
}

/// A client id as the name of a folder.
pub fn folder_name(client: &str) -> String {
    let mut name = String::with_capacity(client.len());
    for byte in client.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            // A leading dot would hide the folder.
            b'.' if !name.is_empty() => name.push('.'),
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    name
}

/// The client id that a folder is named for; `None` when it is named for none.
pub(super) fn client_of(folder: &str) -> Option<ClientId> {
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder;
    while let Some(first) = rest.chars().next() {
        let taken = if first == '%' {
            bytes.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
            3
        } else {
            bytes.extend_from_slice(rest.get(..first.len_utf8())?.as_bytes());
            first.len_utf8()
        };
        rest = rest.get(taken..)?;
    }
    let client: ClientId = String::from_utf8(bytes).ok()?.parse().ok()?;
    (folder_name(client.as_str()) == folder).then_some(client)
}

/// A subject: one line without controls, of at most 200 characters (RFC 5322 §2.2: a line break would begin another field).
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(SUBJECT).collect()
}

/// Plain text without the blank lines that stand where a template had nothing to say.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

/// A name as a message may begin with it: `None` when it might be more than a name. Whoever registers chooses it, and we send
/// it to an address that may be another's.
pub fn salutation(name: &str) -> Option<String> {
    let name = one_line(name);
    let characters: Vec<char> = name.chars().collect();
    let has_domain = characters.windows(2).any(|pair| matches!(pair, ['.', after] if after.is_alphanumeric()));
    let is_name = !name.is_empty() && characters.len() <= 60 && !has_domain && !name.contains(['/', '\\', '@', ':']);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line_whatever_stands_in_it() {
        assert_eq!(one_line("  Hello\r\nBcc: all@example.com\t x\u{2028}y \u{0}z"), "Hello Bcc: all@example.com x y z");
        assert_eq!(one_line(&"é".repeat(300)).chars().count(), 200);
    }

    #[test]
    fn blank_lines_never_pile_up() {
        assert_eq!(tidy("\n\na  \n\n\n\nb\n\n"), "a\n\nb\n");
    }

    #[test]
    fn a_name_that_may_be_an_advertisement_is_left_out() {
        for (name, greeted) in [
            ("Alice", Some("Alice")),
            ("  Ana  María\n Núñez ", Some("Ana María Núñez")),
            ("Dr. Jekyll", Some("Dr. Jekyll")),
            ("O’Brien <b>", Some("O’Brien <b>")),
            ("You won, see evil.example", None),
            ("http://evil", None),
            ("a@b", None),
            ("", None),
            ("\u{7}", None),
        ] {
            assert_eq!(salutation(name).as_deref(), greeted, "{name:?}");
        }
        assert_eq!(salutation(&"x".repeat(61)), None);
    }

    #[test]
    fn a_client_id_makes_a_folder_name() {
        for (client, folder) in [
            ("demo-web", "demo-web"),
            ("https://app.example/id", "https%3A%2F%2Fapp.example%2Fid"),
            ("..", "%2E."),
            (".hidden", "%2Ehidden"),
        ] {
            assert_eq!(folder_name(client), folder);
            assert_eq!(client_of(folder).as_ref().map(ClientId::as_str), Some(client));
        }
        for folder in ["", "a b", "%", "%2", "%zz", "a%2", "%61bc", "é"] {
            assert_eq!(client_of(folder), None, "{folder}");
        }
    }
}
