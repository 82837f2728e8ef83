//! Every page, mail and text message with sample data, in every language and for every app that has words of its own: what an author
//! of a theme wants to know before people see it.

use std::collections::BTreeSet;
use std::path::Path;

use super::function::Missing;
use super::message::{Wording, candidates, client_of};
use super::message_sample::{CODE, Fill, LINK, carries, message};
use super::sample::samples;
use super::source::{self, Kind, Origin};
use super::{Frame, Language, TemplateError, Templates};
use crate::edge::sms::gsm7;
use crate::model::id::ClientId;
use crate::model::message::MessageKind;
use crate::protocol::authorization_request::Display;

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// The languages, by tag.
    pub languages: Vec<String>,
    /// The apps with words of their own.
    pub clients: Vec<ClientId>,
    /// Everything that was rendered.
    pub rendered: Vec<Rendered>,
    /// What is wrong, or could be better.
    pub problems: Vec<Problem>,
}

/// A page or part of a message with sample data.
#[derive(Debug)]
pub struct Rendered {
    /// A path that tells what it is: `de/page/sign_in.html`, `de/client/shop/mail/sign_in_code/subject.txt`.
    pub name: String,
    /// What people see.
    pub text: String,
}

/// Something to mend.
#[derive(Debug, Eq, PartialEq)]
pub struct Problem {
    /// How bad it is.
    pub weight: Weight,
    /// Where: a file, or what was rendered.
    pub place: String,
    /// What, in one sentence.
    pub message: String,
}

/// How bad a problem is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Weight {
    /// People would see an error, or not what they need.
    Error,
    /// It works, and could be better.
    Warning,
}

/// The parts of a mail, and of a text message.
const PARTS: &[(&str, &[&str])] = &[("mail", &["subject.txt", "body.txt", "body.html"]), ("sms", &["text.txt"])];

/// Reads the built-in templates and those of the theme folder, and renders whatever can be.
///
/// # Errors
/// When the folder cannot be read or a file in it does not parse; the message names the file.
pub fn check(theme: Option<&Path>) -> Result<Checked, TemplateError> {
    let templates = Templates::load(theme, Missing::Fail)?;
    let languages: Vec<Language> = templates.shared.texts.languages().cloned().collect();
    let mut checked = Checked {
        languages: languages.iter().map(|language| language.tag().to_owned()).collect(),
        ..Checked::default()
    };
    checked.look_at_files(theme, &languages)?;
    for language in &languages {
        checked.render_pages(&templates, language);
        for client in std::iter::once(None).chain(checked.clients.clone().into_iter().map(Some)) {
            for kind in MessageKind::ALL {
                let wording = Wording { language, client: client.as_ref() };
                checked.render_message(&templates, wording, *kind);
            }
        }
    }
    for (language, keys) in templates.shared.texts.lacking().filter(|(_, keys)| !keys.is_empty()) {
        let first: Vec<&str> = keys.iter().take(5).copied().collect();
        let more = if keys.len() > first.len() { ", …" } else { "" };
        let message = format!("{} texts are missing and stand in English: {}{more}", keys.len(), first.join(", "));
        checked.tell(Weight::Warning, format!("locale/{}", language.tag()), message);
    }
    Ok(checked)
}

impl Checked {
    fn tell(&mut self, weight: Weight, place: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { weight, place: place.into(), message: message.into() });
    }

    /// Which apps have words of their own, and which files nobody would ever read.
    fn look_at_files(&mut self, theme: Option<&Path>, languages: &[Language]) -> Result<(), TemplateError> {
        let sources = source::sources(theme)?;
        let own = sources.iter().filter(|source| source.origin == Origin::Theme && source.kind == Kind::Template);
        let names: Vec<&str> = own.map(|source| source.name.as_str()).collect();
        let folders: BTreeSet<&str> =
            names.iter().filter_map(|name| name.strip_prefix("client/")?.split('/').next()).collect();
        for folder in folders {
            match client_of(folder) {
                Some(client) => self.clients.push(client),
                None => self.tell(Weight::Warning, format!("client/{folder}"), "is no client id as folders are named"),
            }
        }
        let used = self.places(languages);
        for name in names {
            let is_part = PARTS.iter().any(|(_, parts)| parts.iter().any(|part| name.ends_with(&format!("/{part}"))));
            if is_part && !used.contains(name) {
                self.tell(
                    Weight::Warning,
                    name,
                    "is never used: it stands below no kind of message, language or app that is known",
                );
            }
        }
        Ok(())
    }

    /// Every file that a part of a message may come from.
    fn places(&self, languages: &[Language]) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for (channel, parts) in PARTS {
            for part in *parts {
                places.insert(format!("{channel}/{part}"));
                for language in languages {
                    for client in std::iter::once(None).chain(self.clients.iter().map(Some)) {
                        let wording = Wording { language, client };
                        for kind in MessageKind::ALL {
                            places.extend(candidates((channel, part), wording, *kind));
                        }
                    }
                }
            }
        }
        places
    }

    fn render_pages(&mut self, templates: &Templates, language: &Language) {
        let frame = Frame {
            base: String::new(),
            language: language.clone(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            development: false,
            display: Display::Page,
        };
        for sample in samples() {
            let folder = sample.template.split('/').next().unwrap_or_default();
            let name = format!("{}/{folder}/{}.html", language.tag(), sample.picture);
            match templates.page(sample.template, &frame, &sample.context) {
                Ok(text) => self.rendered.push(Rendered { name, text }),
                Err(error) => self.tell(Weight::Error, name, cause(&error)),
            }
        }
    }

    fn render_message(&mut self, templates: &Templates, wording: Wording<'_>, kind: MessageKind) {
        let owner = wording.client.map(|client| format!("client/{}/", client.as_str())).unwrap_or_default();
        let folder = |channel| format!("{}/{owner}{channel}/{}", wording.language.tag(), kind.as_str());
        for fill in [Fill::Bare, Fill::Whole] {
            let context = message(kind, fill);
            match templates.mail(wording, &context) {
                Ok(letter) => {
                    let parts =
                        [("subject.txt", letter.subject), ("body.txt", letter.text), ("body.html", letter.html)];
                    for (part, text) in parts {
                        self.keep(format!("{}/{part}", folder("mail")), (text, kind, fill));
                    }
                }
                Err(error) => self.tell(Weight::Error, folder("mail"), cause(&error)),
            }
            match templates.sms(wording, &context) {
                Ok(text) => {
                    let name = format!("{}/text.txt", folder("sms"));
                    let taken = gsm7::places(&gsm7::spelt(&text)).filter(|taken| *taken > gsm7::PLACES);
                    if let Some(taken) = taken.filter(|_| fill == Fill::Whole) {
                        let message = format!(
                            "loses its last words: it takes {taken} places, and one message has {}",
                            gsm7::PLACES
                        );
                        self.tell(Weight::Warning, name.as_str(), message);
                    }
                    self.keep(name, (gsm7::fit(&text), kind, fill));
                }
                Err(error) => self.tell(Weight::Error, folder("sms"), cause(&error)),
            }
        }
    }

    /// Keeps a part of a message, once, and tells what it lacks.
    fn keep(&mut self, name: String, (text, kind, fill): (String, MessageKind, Fill)) {
        if fill == Fill::Whole {
            let (has_code, has_link) = carries(kind);
            let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
            let is_subject = name.ends_with("subject.txt");
            if text.is_empty() {
                self.tell(Weight::Error, name.as_str(), "is empty");
            } else if has_code && !digits.contains(CODE) {
                let weight = if is_subject { Weight::Warning } else { Weight::Error };
                self.tell(weight, name.as_str(), "does not show the code");
            }
            // HTML writes `=` and `/` of a link as they are, and `&` as `&amp;`; samples have none.
            if has_link && !is_subject && !text.replace("&#x2f;", "/").contains(LINK) {
                self.tell(Weight::Error, name.as_str(), "does not show the link");
            }
            self.rendered.push(Rendered { name, text });
        }
    }
}

/// The error and what led to it, in one line.
fn cause(error: &TemplateError) -> String {
    let mut line = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        line = format!("{line}: {inner}");
        source = inner.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_ship_is_sound() {
        let checked = check(None).unwrap();
        assert!(checked.problems.is_empty(), "{:#?}", checked.problems);
        for name in ["de/page/sign_in.html", "en/mail/sign_in_code/subject.txt", "de/sms/magic_link/text.txt"] {
            assert!(checked.rendered.iter().any(|rendered| rendered.name == name), "{name}");
        }
    }

    #[test]
    fn the_mistakes_of_a_theme_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        write("mail/sign_in_code/subject.txt", "Sign in");
        write("mail/sign_in_code/body.txt", "Ask us for the code.");
        write("mail/magic_link/body.html", "{{ user.nickname }}");
        write("mail/magic_lnk/body.html", "{{ url }}");
        write("mail/test/fr/subject.txt", "Test");
        write("sms/sign_in_code/text.txt", &format!("{{{{ code }}}} {}", "and more ".repeat(30)));
        write("client/shop/mail/body.txt", "{{ code }} {{ url }}");
        write("client/sh op/mail/body.txt", "{{ code }}");
        write("page/signed_out.html", "{{ t('unheard-of') }}");
        let checked = check(Some(folder.path())).unwrap();
        assert_eq!(checked.clients, ["shop".parse().unwrap()]);
        let told: BTreeSet<String> = checked
            .problems
            .iter()
            .filter(|problem| !problem.place.starts_with("de/"))
            .map(|Problem { weight, place, message }| format!("{weight:?} {place}: {message}"))
            .collect();
        for expected in [
            "Warning en/mail/sign_in_code/subject.txt: does not show the code",
            "Error en/mail/sign_in_code/body.txt: does not show the code",
            "Warning mail/magic_lnk/body.html: is never used: it stands below no kind of message, language or app that is known",
            "Warning mail/test/fr/subject.txt: is never used: it stands below no kind of message, language or app that is known",
            "Warning client/sh op: is no client id as folders are named",
            "Warning en/sms/sign_in_code/text.txt: loses its last words: it takes 276 places, and one message has 160",
        ] {
            assert!(told.contains(expected), "{expected}\nis not among\n{told:#?}");
        }
        for start in
            ["Error en/mail/magic_link: page mail/magic_link/body.html cannot", "Error en/page/signed_out.html: "]
        {
            assert!(told.iter().any(|line| line.starts_with(start)), "{start}\nis not among\n{told:#?}");
        }
    }
}
