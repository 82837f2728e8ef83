//! Codes that a person types: drawn, kept sealed, judged. One life for all of them, whatever they prove.
//!
//! NIST SP 800-63B-4 §3.1.3, §3.2.2; DECISIONS.md (six digits, five tries). A code is good for one purpose and for the handle it was
//! sent with: the right code under another handle is a wrong code. What waits holds no code, only a seal under a key of the server's
//! own, so that whoever reads the store cannot try a million of them.
//!
//! *Why guesses are counted by what was typed:* fifty requests at once with one code are one guess, so that an impatient person does
//! not use up the tries; and each new code takes one of five places before it is judged, so that fifty guesses at once are not heard.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::edge::Edges;
use crate::edge::ephemeral::{EphemeralKey, EphemeralStore};
use crate::edge::random::Random;
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{MacKey, Secret, TokenHash};

/// How many different codes may be typed.
pub const TRIES: u8 = 5;

const TRY: &str = "otp_try";
const GUESS: &str = "otp_guess";

/// What codes look like (S-046).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct CodeForm {
    /// How many characters, six at least.
    pub length: u8,
    /// Of what.
    pub alphabet: Alphabet,
}

/// What codes consist of.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// Digits.
    Digits,
    /// Twenty consonants: no words, nothing that is taken for something else (RFC 8628 §6.1).
    Base20,
}

impl Alphabet {
    const fn letters(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Base20 => b"BCDFGHJKLMNPQRSTVWXZ",
        }
    }
}

impl Default for CodeForm {
    fn default() -> Self {
        Self { length: 6, alphabet: Alphabet::Digits }
    }
}

/// Draws, seals and judges codes. Clones share the stores.
#[derive(Clone)]
pub struct OtpCodes {
    ephemeral: Arc<dyn EphemeralStore>,
    random: Arc<dyn Random>,
    key: MacKey,
    form: CodeForm,
}

/// What a typed code is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The one that was sent.
    Right,
    /// Another; so many may still be tried.
    Wrong {
        /// How many different ones may still be tried; none when this was the last.
        left: u8,
    },
    /// All tries were used before: not even the right one is heard.
    Exhausted,
}

impl OtpCodes {
    /// Codes of this server; `key` is one of its own, for codes alone.
    pub fn new(edges: &Edges, key: MacKey) -> Self {
        Self {
            ephemeral: Arc::clone(&edges.ephemeral),
            random: Arc::clone(&edges.random),
            key,
            form: CodeForm::default(),
        }
    }

    /// With codes of another form.
    #[must_use]
    pub fn with_form(self, form: CodeForm) -> Self {
        Self { form, ..self }
    }

    /// A code, each equally likely.
    pub fn draw(&self) -> Secret {
        let letters = self.form.alphabet.letters();
        let mut code = String::with_capacity(usize::from(self.form.length));
        while code.len() < usize::from(self.form.length) {
            let [byte] = self.random.bytes();
            // The largest multiple below 256: what is above would make the first letters more likely.
            let end = 256 / letters.len() * letters.len();
            if let Some(letter) = letters.get(usize::from(byte) % letters.len()).filter(|_| usize::from(byte) < end) {
                code.push(char::from(*letter));
            }
        }
        Secret::new(code)
    }

    /// The code that belongs to a handle: the same each time, and nobody makes it without our key.
    pub fn derive(&self, purpose: &'static str, handle: &str) -> Secret {
        let letters = self.form.alphabet.letters();
        let end = 256 / letters.len() * letters.len();
        let mut code = String::with_capacity(usize::from(self.form.length));
        for round in 0_u64.. {
            for byte in self.key.mac(&[b"derived", purpose.as_bytes(), handle.as_bytes(), &round.to_be_bytes()]) {
                if code.len() == usize::from(self.form.length) {
                    return Secret::new(code);
                }
                code.extend(
                    letters
                        .get(usize::from(byte) % letters.len())
                        .filter(|_| usize::from(byte) < end)
                        .map(|letter| char::from(*letter)),
                );
            }
        }
        Secret::new(code)
    }

    /// What is kept of a code: good for this `purpose` and `handle` alone.
    pub fn seal(&self, purpose: &'static str, handle: &str, code: &Secret) -> TokenHash {
        self.seal_text(purpose, handle, code.expose())
    }

    /// Whether this very code was typed before: to type it again is no guess.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn was_typed(
        &self,
        (purpose, handle): (&'static str, &str),
        typed: &str,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let guess = self.seal_text(purpose, handle, &self.plain(typed));
        Ok(self.ephemeral.get(&EphemeralKey::new(GUESS, guess.as_bytes()), now).await?.is_some())
    }

    /// Judges what was typed. Blanks between digits are nothing: people copy `123 456`.
    ///
    /// `expires_at` is when the code, and with it the count of its tries, runs out.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn judge(
        &self,
        (purpose, handle): (&'static str, &str),
        sealed: Option<&TokenHash>,
        typed: &str,
        (now, expires_at): (NumericDate, NumericDate),
    ) -> Result<Verdict, Fault> {
        let guess = self.seal_text(purpose, handle, &self.plain(typed));
        let last = self.place(purpose, handle, TRIES);
        let is_new = self.ephemeral.add_if_absent(&EphemeralKey::new(GUESS, guess.as_bytes()), expires_at, now).await?;
        let mut left = TRIES;
        if is_new {
            let Some(place) = self.take_place((purpose, handle), (now, expires_at)).await? else {
                return Ok(Verdict::Exhausted);
            };
            left = TRIES - place;
        } else if self.ephemeral.get(&last, now).await?.is_some() {
            // It was judged before, or came when no place was left.
            return Ok(Verdict::Exhausted);
        }
        let is_right = sealed.is_some_and(|sealed| sealed.matches(&guess));
        Ok(if is_right { Verdict::Right } else { Verdict::Wrong { left } })
    }

    /// A code as it was drawn, however it is written.
    fn plain(&self, typed: &str) -> String {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(32).collect();
        if self.form.alphabet == Alphabet::Base20 { typed.to_uppercase() } else { typed }
    }

    /// The first free place, counted from one.
    async fn take_place(
        &self,
        (purpose, handle): (&'static str, &str),
        (now, expires_at): (NumericDate, NumericDate),
    ) -> Result<Option<u8>, Fault> {
        for place in 1..=TRIES {
            if self.ephemeral.add_if_absent(&self.place(purpose, handle, place), expires_at, now).await? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn place(&self, purpose: &'static str, handle: &str, number: u8) -> EphemeralKey {
        let key = self.key.mac(&[b"try", purpose.as_bytes(), handle.as_bytes(), &[number]]);
        EphemeralKey::new(TRY, &key)
    }

    fn seal_text(&self, purpose: &'static str, handle: &str, code: &str) -> TokenHash {
        let seal = self.key.mac(&[b"code", purpose.as_bytes(), handle.as_bytes(), code.as_bytes()]);
        TokenHash::from_slice(&seal).expect("a MAC has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ephemeral::MemoryStore;
    use crate::edge::random::SystemRandom;

    const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);
    const END: NumericDate = NumericDate::from_seconds(1_800_000_300);

    fn codes() -> OtpCodes {
        OtpCodes {
            ephemeral: Arc::new(MemoryStore::default()),
            random: Arc::new(SystemRandom),
            key: MacKey::new(&[1; 32]),
            form: CodeForm::default(),
        }
    }

    async fn judge(codes: &OtpCodes, sealed: &TokenHash, typed: &str) -> Verdict {
        codes.judge(("sign_in", "handle"), Some(sealed), typed, (NOW, END)).await.expect("judged")
    }

    #[tokio::test]
    async fn a_code_is_good_for_its_purpose_and_handle_alone() {
        let codes = codes();
        let code = codes.draw();
        assert!(code.expose().len() == 6 && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
        let sealed = codes.seal("sign_in", "handle", &code);
        let (first, second) = code.expose().split_at(3);
        assert_eq!(judge(&codes, &sealed, &format!(" {first} {second}\n")).await, Verdict::Right);
        for (purpose, handle) in [("reset", "handle"), ("sign_in", "other")] {
            let verdict = codes.judge((purpose, handle), Some(&sealed), code.expose(), (NOW, END)).await;
            assert_eq!(verdict.expect("judged"), Verdict::Wrong { left: 4 }, "{purpose} {handle}");
        }
        let nothing = codes.judge(("sign_in", "nobody"), None, code.expose(), (NOW, END)).await;
        assert_eq!(nothing.expect("judged"), Verdict::Wrong { left: 4 });
    }

    #[tokio::test]
    async fn after_five_wrong_codes_the_right_one_is_not_heard() {
        let codes = codes();
        let sealed = codes.seal("sign_in", "handle", &Secret::from("123456"));
        for number in 0..5_u8 {
            let verdict = judge(&codes, &sealed, &format!("00000{number}")).await;
            assert_eq!(verdict, Verdict::Wrong { left: 4 - number });
        }
        for typed in ["123456", "123456", "000001"] {
            assert_eq!(judge(&codes, &sealed, typed).await, Verdict::Exhausted, "{typed}");
        }
    }

    #[tokio::test]
    async fn the_same_code_again_is_the_same_guess() {
        let codes = codes();
        let sealed = codes.seal("sign_in", "handle", &Secret::from("123456"));
        for _ in 0..50 {
            assert_ne!(judge(&codes, &sealed, "999999").await, Verdict::Exhausted);
        }
        for _ in 0..50 {
            assert_eq!(judge(&codes, &sealed, "123456").await, Verdict::Right);
        }
    }
}
