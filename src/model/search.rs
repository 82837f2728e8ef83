//! How people are found: by the beginning of a name, an address or a number.
//!
//! S-138. *Why beginnings and not parts:* those that begin alike stand side by side in an index, however many people there are.

use unicode_normalization::UnicodeNormalization;

use crate::protocol::oidc::claims::Profile;

/// The most words of a name from which on it is found.
const MAX_WORDS: usize = 8;
/// The most characters of a name that are compared.
const MAX_LENGTH: usize = 64;

/// What the names that are looked for begin with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beginning(String);

impl Beginning {
    /// What `typed` is compared as; `None` when no name begins so.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut form = canonical(typed);
        // A number is written in many ways, also its beginning.
        if form.starts_with('+') && form.chars().all(|c| c.is_ascii_digit() || "+ -().".contains(c)) {
            form.retain(|c| c == '+' || c.is_ascii_digit());
        }
        let usable = !form.is_empty() && !form.chars().any(char::is_control);
        usable.then_some(Self(form))
    }

    /// The first of all names that begin so.
    pub fn first(&self) -> &str {
        &self.0
    }

    /// Behind the last of them, byte by byte.
    pub fn end(&self) -> String {
        format!("{}{}", self.0, char::MAX)
    }
}

/// The names of a person in the form that is compared: each from every word on, without those that another begins with.
pub fn names(profile: &Profile) -> Vec<String> {
    let text = |claim: &Option<String>| claim.clone().unwrap_or_default();
    let (given, family) = (text(&profile.given_name), text(&profile.family_name));
    let told = [text(&profile.name), format!("{given} {family}"), format!("{family} {given}"), text(&profile.nickname)];
    let mut names: Vec<String> = told.iter().flat_map(|name| from_each_word(name)).collect();
    names.sort_unstable();
    let next: Vec<String> = names.iter().skip(1).cloned().chain([String::new()]).collect();
    names.into_iter().zip(next).filter(|(name, next)| !next.starts_with(name.as_str())).map(|(name, _)| name).collect()
}

fn from_each_word(name: &str) -> Vec<String> {
    let form = canonical(name);
    let words: Vec<&str> = form.split(' ').filter(|word| !word.is_empty()).collect();
    let from = |first: usize| words.iter().skip(first).copied().collect::<Vec<_>>().join(" ");
    (0..words.len().min(MAX_WORDS)).map(|first| from(first).chars().take(MAX_LENGTH).collect()).collect()
}

/// NFKC, lower case, one blank between words, none around them, no control characters.
fn canonical(text: &str) -> String {
    let form = text.nfkc().collect::<String>().to_lowercase();
    let words: Vec<&str> = form.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_from_each_word_on() {
        let profile = Profile {
            name: Some("Ann-Marie  MILLER".to_owned()),
            given_name: Some("Ann-Marie".to_owned()),
            family_name: Some("Miller".to_owned()),
            nickname: Some("Ａｎｎ".to_owned()),
            ..Profile::default()
        };
        assert_eq!(names(&profile), ["ann-marie miller", "miller ann-marie"]);
        assert!(names(&Profile::default()).is_empty());
        let long = Profile { name: Some("x ".repeat(500)), ..Profile::default() };
        assert!(names(&long).iter().all(|name| name.len() <= MAX_LENGTH));
    }

    #[test]
    fn a_beginning_is_compared_in_one_form() {
        for (typed, form) in [
            (" ALI", Some("ali")),
            ("+49 (30) 90-18", Some("+49309018")),
            ("Ann  Mar", Some("ann mar")),
            ("%", Some("%")),
            ("", None),
            (" \t ", None),
            ("a\0b", None),
        ] {
            assert_eq!(Beginning::parse(typed).as_ref().map(Beginning::first), form, "{typed:?}");
        }
        let ali = Beginning::parse("ali").expect("a name");
        assert!("alice" < ali.end().as_str() && "alj" > ali.end().as_str());
    }
}
