//! A captcha that a machine solves for its person: find the number behind a hash.
//!
//! The challenge and the answer are those of ALTCHA, so that its widgets and libraries solve them too: `challenge` is the SHA-256 of
//! `salt` and a secret number up to `maxnumber`, in hexadecimal; the answer is the base64 of a JSON object with the number.
//! Nothing is kept of a challenge until it is solved: the signature says that it is ours, the salt when it ends. A salt ends with a
//! delimiter, so that digits cannot move from the number into it.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::authn::captcha::Verdict;
use crate::edge::Edges;
use crate::edge::ephemeral::EphemeralKey;
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{MacKey, TokenHash};

/// The one algorithm.
const ALGORITHM: &str = "SHA-256";
/// How long a challenge may take, in seconds: people fill in forms slowly.
const LIFETIME: u64 = 20 * 60;
const SOLVED: &str = "captcha_solved";
/// The longest answer that is read.
const MAX_ANSWER: usize = 2048;

/// Makes challenges and judges answers.
#[derive(Clone, Debug)]
pub struct ProofOfWork {
    /// Signs challenges.
    pub key: MacKey,
    /// The largest number: half as many hashes are computed on the average.
    pub max_number: u32,
}

/// What a browser has to solve.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Challenge {
    /// `SHA-256`.
    pub algorithm: &'static str,
    /// The hash, in hexadecimal.
    pub challenge: String,
    /// What stands before the number.
    pub salt: String,
    /// That the challenge is ours.
    pub signature: String,
    /// The largest number.
    pub maxnumber: u32,
}

#[derive(Deserialize)]
struct Answer {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

impl ProofOfWork {
    /// A new challenge.
    pub fn challenge(&self, edges: &Edges) -> Challenge {
        let expires = edges.clock.now().seconds().saturating_add_unsigned(LIFETIME);
        let salt = format!("{}?expires={expires}&", hexadecimal(&edges.random.bytes::<12>()));
        let number = u32::from_be_bytes(edges.random.bytes()) % self.max_number.max(1).saturating_add(1);
        let challenge = hash(&salt, number.into());
        let signature = self.sign(&challenge);
        Challenge { algorithm: ALGORITHM, challenge, salt, signature, maxnumber: self.max_number }
    }

    /// Whether `answer` solves a challenge of ours that is not over; each counts once.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn judge(&self, edges: &Edges, answer: &str) -> Result<Verdict, Fault> {
        let now = edges.clock.now();
        let Some((challenge, expires)) = self.solved(answer, now) else { return Ok(Verdict::Invalid) };
        let key = EphemeralKey::new(SOLVED, TokenHash::of(&challenge).as_bytes());
        let is_first = edges.ephemeral.add_if_absent(&key, expires, now).await?;
        Ok(if is_first { Verdict::Solved } else { Verdict::Invalid })
    }

    /// The challenge that is solved, and when it would have ended.
    fn solved(&self, answer: &str, now: NumericDate) -> Option<(String, NumericDate)> {
        if answer.len() > MAX_ANSWER {
            return None;
        }
        let answer: Answer = serde_json::from_slice(&STANDARD.decode(answer.trim()).ok()?).ok()?;
        let is_ours = bool::from(self.sign(&answer.challenge).as_bytes().ct_eq(answer.signature.as_bytes()));
        let expires = answer.salt.split_once("?expires=")?.1.strip_suffix('&')?.parse().ok()?;
        let expires = NumericDate::from_seconds(expires);
        let is_right = answer.algorithm == ALGORITHM && hash(&answer.salt, answer.number) == answer.challenge;
        (is_ours && is_right && !expires.is_past(now)).then_some((answer.challenge, expires))
    }

    fn sign(&self, challenge: &str) -> String {
        hexadecimal(&self.key.mac(&[b"captcha", challenge.as_bytes()]))
    }
}

fn hash(salt: &str, number: u64) -> String {
    hexadecimal(digest::digest(&digest::SHA256, format!("{salt}{number}").as_bytes()).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

    fn work() -> ProofOfWork {
        ProofOfWork { key: MacKey::new(&[7; 32]), max_number: 100 }
    }

    fn answer(salt: &str, number: u64, work: &ProofOfWork) -> String {
        let challenge = hash(salt, number);
        let signature = work.sign(&challenge);
        STANDARD.encode(
            json!({"algorithm": ALGORITHM, "challenge": challenge, "number": number, "salt": salt, "signature": signature})
                .to_string(),
        )
    }

    #[test]
    fn the_hash_is_that_of_altcha() {
        // sha256("abc1"), as `sha256sum` prints it.
        assert_eq!(hash("abc", 1), "dbfcfd0d87220f629339bd3adcf452d083fde3246625fb3a93e314f833e20d37");
    }

    #[test]
    fn only_a_live_challenge_of_ours_is_solved() {
        let (ours, other) = (work(), ProofOfWork { key: MacKey::new(&[8; 32]), max_number: 100 });
        let live = "00ff?expires=1800000060&";
        assert!(ours.solved(&answer(live, 42, &ours), NOW).is_some());
        for (wrong, why) in [
            (answer(live, 42, &other), "signed by another"),
            (answer("00ff?expires=1799999999&", 42, &ours), "over"),
            (answer("00ff?expires=1800000060", 42, &ours), "digits could move from the number into the salt"),
            (answer("00ff", 42, &ours), "without an end"),
            (answer(live, 42, &ours)[4..].to_owned(), "cut"),
            (String::new(), "empty"),
            ("null".to_owned(), "no base64 of an object"),
            (STANDARD.encode("{}"), "an empty object"),
            (STANDARD.encode("[1]"), "a list"),
            ("A".repeat(5_000), "too long"),
        ] {
            assert!(ours.solved(&wrong, NOW).is_none(), "{why}");
        }
        let challenge = hash(live, 42);
        let other_number = json!({"algorithm": ALGORITHM, "challenge": challenge, "number": 43, "salt": live,
            "signature": ours.sign(&challenge)});
        assert!(ours.solved(&STANDARD.encode(other_number.to_string()), NOW).is_none(), "another number");
    }
}
