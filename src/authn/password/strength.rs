//! Whether a new password is good enough: every rule that it breaks, at once.
//!
//! NIST SP 800-63B-4 §3.1.1.2, PROTOCOL A1, S-027: a length, a list of common ones, the person's own names, and an estimate of how
//! many guesses it stands (zxcvbn). No rule about kinds of characters. Pure, but not cheap: ask through [`PasswordPolicy`].
//!
//! [`PasswordPolicy`]: crate::authn::password::policy::PasswordPolicy

use unicode_normalization::UnicodeNormalization as _;

use crate::authn::password::blocklist::is_common;
use crate::authn::password::hash::MAX_BYTES;
use crate::model::user::User;

/// From which share of equal text on a password is like a name. As in Django's validator of the same purpose.
const SIMILAR: f64 = 0.7;
/// How many characters zxcvbn looks at: its time grows faster than the text.
const ESTIMATED: usize = 100;
/// How many characters are compared with a name.
const COMPARED: usize = 256;
/// The least score of zxcvbn: ten to the eighth guesses.
const LEAST_SCORE: u8 = 3;

/// What a new password has to hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The fewest characters; eight, or fifteen where a password is the only factor.
    pub min_length: usize,
    /// Words that nobody should build a password from here: the name of the service, its host.
    pub site_words: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { min_length: 8, site_words: Vec::new() }
    }
}

/// What is known of the person whose password it will be: names that it must not be like.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Known(Vec<String>);

impl Known {
    /// Everything that an account holds.
    pub fn of(user: &User) -> Self {
        let profile = &user.profile;
        let named = [&profile.name, &profile.given_name, &profile.middle_name, &profile.family_name, &profile.nickname];
        let identifiers = user.identifiers.iter().map(|identifier| identifier.value.as_str());
        identifiers.chain(named.into_iter().filter_map(|name| name.as_deref())).fold(Self::default(), Self::with)
    }

    /// With one more name.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        let name: String = name.nfc().collect::<String>().trim().to_lowercase();
        if !name.is_empty() {
            self.0.push(name);
        }
        self
    }
}

/// A rule that a password breaks.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Weakness {
    /// Fewer characters than this.
    TooShort {
        /// The fewest.
        min: usize,
    },
    /// More bytes than this.
    TooLong {
        /// The most.
        max: usize,
    },
    /// It is much like a name or an address of the person.
    TooSimilar,
    /// It is on a list of common ones, or falls within a hundred million guesses.
    TooCommon,
    /// It is made of digits alone.
    EntirelyNumeric,
    /// It is on the operator's list of stolen ones.
    Breached,
    /// The operator's list of stolen ones cannot be read, and the operator wants no password that was not looked up.
    Unchecked,
}

impl Weakness {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong { .. } => "too_long",
            Self::TooSimilar => "password_too_similar",
            Self::TooCommon => "password_too_common",
            Self::EntirelyNumeric => "password_entirely_numeric",
            Self::Breached => "password_breached",
            Self::Unchecked => "password_unchecked",
        }
    }

    /// The number that the code is about, by its name.
    pub const fn param(self) -> Option<(&'static str, usize)> {
        match self {
            Self::TooShort { min } => Some(("min", min)),
            Self::TooLong { max } => Some(("max", max)),
            _ => None,
        }
    }
}

/// Every rule that `password` breaks; none when it is good. Nothing is trimmed: spaces count.
///
/// The estimate is asked last and only of what no other rule refuses: a short password is always easy to guess, and to say so would
/// hide what to do about it.
pub fn weaknesses(password: &str, known: &Known, rules: &Rules) -> Vec<Weakness> {
    if password.len() > MAX_BYTES {
        return vec![Weakness::TooLong { max: MAX_BYTES }];
    }
    let password: String = password.nfc().collect();
    let length = password.chars().count();
    let found = [
        (length < rules.min_length, Weakness::TooShort { min: rules.min_length }),
        // NFC makes some texts longer; what is hashed is what counts.
        (password.len() > MAX_BYTES, Weakness::TooLong { max: MAX_BYTES }),
        (is_like_a_name(&password, known), Weakness::TooSimilar),
        (is_common(&password), Weakness::TooCommon),
        (length > 0 && password.chars().all(char::is_numeric), Weakness::EntirelyNumeric),
    ];
    let mut found: Vec<Weakness> =
        found.into_iter().filter_map(|(is_so, weakness)| is_so.then_some(weakness)).collect();
    if found.is_empty() && is_easy_to_guess(&password, known, rules) {
        found.push(Weakness::TooCommon);
    }
    found
}

fn is_easy_to_guess(password: &str, known: &Known, rules: &Rules) -> bool {
    let beginning: String = password.chars().take(ESTIMATED).collect();
    let parts = known.0.iter().flat_map(|name| parts(name));
    let words: Vec<&str> = parts.chain(rules.site_words.iter().map(String::as_str)).collect();
    u8::from(zxcvbn::zxcvbn(&beginning, &words).score()) < LEAST_SCORE
}

/// Whether the password is like a name as a whole or like a part of one: `bob` of `bob@example.com`.
fn is_like_a_name(password: &str, known: &Known) -> bool {
    let password: Vec<char> = password.to_lowercase().chars().take(COMPARED).collect();
    known.0.iter().flat_map(|name| parts(name)).any(|part| {
        let part: Vec<char> = part.chars().take(COMPARED).collect();
        similarity(&password, &part) >= SIMILAR
    })
}

/// The words of a name, what stands before the @ of an address, and the whole.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).filter(|word| !word.is_empty());
    words.chain(name.rsplit_once('@').map(|(local, _)| local)).chain(std::iter::once(name))
}

/// The share of two texts that is the same, in the same order (Ratcliff and Obershelp): twice what matches, by both lengths.
fn similarity(one: &[char], other: &[char]) -> f64 {
    let both = one.len() + other.len();
    if both == 0 {
        return 0.0;
    }
    let share = |matching: usize| ratio(2 * matching, both);
    // No more can match than the shorter one has.
    if share(one.len().min(other.len())) < SIMILAR {
        return 0.0;
    }
    share(matching(one, other))
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole)
}

/// How many characters of the longest common piece, and of what is before and behind it, are the same.
fn matching(one: &[char], other: &[char]) -> usize {
    let mut sum = 0;
    let mut waiting = vec![(one, other)];
    while let Some((one, other)) = waiting.pop() {
        let Some((at, at_other, length)) = longest_common(one, other) else { continue };
        sum += length;
        let (before, behind) = (one.split_at(at).0, one.split_at(at + length).1);
        let (before_other, behind_other) = (other.split_at(at_other).0, other.split_at(at_other + length).1);
        waiting.push((before, before_other));
        waiting.push((behind, behind_other));
    }
    sum
}

/// Where the longest common piece begins in both, and its length.
fn longest_common(one: &[char], other: &[char]) -> Option<(usize, usize, usize)> {
    let mut best: Option<(usize, usize, usize)> = None;
    // Lengths of common pieces that end at the letter before, for each letter of the other.
    let mut ending = vec![0_usize; other.len() + 1];
    for (at, letter) in one.iter().enumerate() {
        let mut diagonal = 0;
        for (at_other, (other_letter, cell)) in other.iter().zip(ending.iter_mut().skip(1)).enumerate() {
            let length = if letter == other_letter { diagonal + 1 } else { 0 };
            diagonal = std::mem::replace(cell, length);
            if length > best.map_or(0, |(_, _, longest)| longest) {
                best = Some((at + 1 - length, at_other + 1 - length, length));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(password: &str, names: &[&str]) -> Vec<&'static str> {
        let known = names.iter().fold(Known::default(), |known, name| known.with(name));
        weaknesses(password, &known, &Rules::default()).into_iter().map(Weakness::code).collect()
    }

    #[test]
    fn every_broken_rule_is_told_at_once() {
        let bob = &["bob", "bob@example.com", "Robert Example"][..];
        for (password, expected) in [
            ("kq7Vx", &["password_too_short"][..]),
            ("12345678901", &["password_too_common", "password_entirely_numeric"]),
            ("bob@example.com", &["password_too_similar"]),
            ("BOB@Example.com", &["password_too_similar"]),
            ("robert example", &["password_too_similar"]),
            ("example1", &["password_too_similar"]),
            ("Password123", &["password_too_common"]),
            ("123456", &["password_too_short", "password_too_common", "password_entirely_numeric"]),
            ("٣٤٥٦٧٨٩٠١٢", &["password_entirely_numeric"]),
            ("", &["password_too_short"]),
            ("aaaaaaaaaaaa", &["password_too_common"]),
            // On no list, and yet easy to guess: a keyboard's row, a year, a name with decoration.
            ("qwertzuiop2026", &["password_too_common"]),
            ("correct horse battery staple", &[]),
            ("  Vx7 ~ leading", &[]),
            ("пароль-для-моей-кошки", &[]),
            ("tr0mbone & Zimtstern", &[]),
        ] {
            assert_eq!(codes(password, bob), expected, "{password}");
        }
    }

    #[test]
    fn length_is_in_characters_and_bounded_in_bytes() {
        let eight = "ä7ß☂kÖ9q";
        assert!(!codes(eight, &[]).contains(&"password_too_short"));
        let decomposed: String = "a\u{308}7ß☂k".to_owned();
        assert_eq!(codes(&decomposed, &[]), ["password_too_short"], "two code points that are one letter count once");
        let long = "☂ kq7".repeat(200);
        let long = long.get(..1024).map_or_else(|| long.chars().take(300).collect(), str::to_owned);
        assert!(codes(&long, &[]).is_empty() || codes(&long, &[]) == ["password_too_common"]);
        assert_eq!(codes(&"p".repeat(1025), &[]), ["too_long"]);
        let rules = Rules { min_length: 15, ..Rules::default() };
        let found = weaknesses("kq7 Vx~ umb0la", &Known::default(), &rules);
        assert_eq!(found, [Weakness::TooShort { min: 15 }]);
        assert_eq!(found[0].param(), Some(("min", 15)));
    }

    #[test]
    fn a_long_name_is_not_like_a_long_password_of_the_same_letters() {
        // Counting letters alone, as the quick estimate of difflib does, would refuse it.
        assert_eq!(codes("great-hats at melee, exp. red", &["alexander.the.great@example.com"]), [""; 0]);
        assert_eq!(codes("carol.jones", &["carol.jones@example.com"]), ["password_too_similar"]);
        assert_eq!(codes("alexander.the.gReat", &["alexander.the.great@example.com"]), ["password_too_similar"]);
    }

    #[test]
    fn words_of_the_site_do_not_make_a_password() {
        let rules = Rules { site_words: vec!["umbracorp".to_owned()], ..Rules::default() };
        assert_eq!(weaknesses("umbracorp7", &Known::default(), &rules), [Weakness::TooCommon]);
    }

    #[test]
    fn the_largest_password_and_the_longest_names_are_judged_in_time() {
        let names: Vec<String> =
            (0..20).map(|number| format!("{}@example.com", number.to_string().repeat(100))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for letters in ["a", "ab", "1", "q@3$!", "ﬁ"] {
            let password: String = letters.chars().cycle().take(1024 / letters.len()).collect();
            let _ = codes(&password, &names);
        }
    }
}
