//! Codes for the day when every other factor is lost.
//!
//! NIST SP 800-63B-4 §3.1.2, §4.2.1; PROTOCOL A16, S-109, S-110: of 65 bits each, shown once, kept as hashes under a key of the server's,
//! good once each. They share the counter of wrong answers with every other second factor.

use async_trait::async_trait;

use crate::authn::guard::{Guard, Typed};
use crate::authn::second_factor::SecondFactors;
use crate::authn::{Answer, Attempt, Factor, Method, Offer, Refusal};
use crate::edge::random::Random;
use crate::model::authentication::{Amr, Authentication};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::user::User;
use crate::protocol::secret::{Secret, TokenHash};

/// Thirty-two characters that are not taken for one another, five bits each (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a code: 65 bits.
const LENGTH: usize = 13;

/// The method `backup_code`.
pub struct BackupCode {
    /// Keys and notices.
    pub factors: SecondFactors,
    /// Limits.
    pub guard: Guard,
}

/// Codes as they are shown, once, and as they are kept.
#[derive(Debug)]
pub struct Drawn {
    /// For the person.
    pub shown: Vec<Secret>,
    /// For the store.
    pub kept: Vec<TokenHash>,
}

impl SecondFactors {
    /// New backup codes for `user`.
    pub fn draw_backup_codes(&self, user: UserId) -> Drawn {
        let shown: Vec<Secret> = (0..self.policy.backup_codes).map(|_| draw(&*self.edges.random)).collect();
        let kept = shown.iter().filter_map(|code| self.backup_code_hash(user, code)).collect();
        Drawn { shown, kept }
    }

    /// The hash by which a code of `user` is known; `None` when `typed` has not the form of one.
    fn backup_code_hash(&self, user: UserId, typed: &Secret) -> Option<TokenHash> {
        let code = canonical(typed.expose())?;
        TokenHash::from_slice(&self.key.mac(&[b"backup_code", user.as_bytes(), code.as_bytes()]))
    }
}

/// A code in groups: `k3x9-8mzq-w0d4a`.
fn draw(random: &dyn Random) -> Secret {
    let bytes: [u8; LENGTH] = random.bytes();
    let mut code = String::with_capacity(LENGTH + 2);
    for (index, byte) in bytes.into_iter().enumerate() {
        if index == 4 || index == 8 {
            code.push('-');
        }
        code.push(char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0')));
    }
    Secret::new(code)
}

/// A code as it is hashed, however it was typed: letters of either case, with whatever stands between them.
fn canonical(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH + 1);
    let code: String = letters
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    let is_code = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then_some(code)
}

#[async_trait]
impl Method for BackupCode {
    fn name(&self) -> &'static str {
        "backup_code"
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    async fn offers(&self, user: &User) -> Result<Vec<Offer>, Fault> {
        let codes = self.factors.edges.store.second_factor(user.id).await?.backup_codes;
        let offer = Offer { id: self.name().to_owned(), hint: None };
        Ok(if codes.remaining > 0 { vec![offer] } else { Vec::new() })
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Code(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let (Answer::Code(code), Some(person)) = (answer, attempt.person) else { return Err(Refusal::Wrong) };
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        let counted = self.guard.count(attempt, person, Typed::Anew).await?;
        let epoch = edges.store.auth_epoch(person).await?;
        let user = edges.store.user(person).await?;
        let hash = self.factors.backup_code_hash(person, code);
        let left = match (hash, &user) {
            (Some(hash), Some(user)) => {
                let (factors, attempt, user) = (self.factors.clone(), attempt.clone(), user.clone());
                let tell = move |left| factors.backup_code_used(&attempt, &user, left);
                edges.store.use_backup_code(person, hash, now, tell).await?
            }
            _ => None,
        };
        let Some((_, epoch)) = left.zip(epoch) else {
            attempt.note_failure(edges, self.name(), Some(person));
            return Err(Refusal::WrongCode(None));
        };
        self.guard.forgive(counted).await?;
        Ok(Authentication::new((person, epoch), now, vec![Amr::Otp]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = draw(&SystemRandom);
        let plain = canonical(code.expose()).expect("a code");
        assert_eq!(plain.len(), LENGTH);
        for typed in [code.expose().to_uppercase(), code.expose().replace('-', " "), format!(" {plain}\n")] {
            assert_eq!(canonical(&typed).as_ref(), Some(&plain), "{typed}");
        }
        assert_eq!(canonical("OIL0123456789").as_deref(), Some("0110123456789"));
        for bad in ["", "123456", "0123456789abcd", "0123456789abu", "0123456789ab\u{e9}"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
