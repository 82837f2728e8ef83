//! Codes of the time, made by an app that the person has.
//!
//! RFC 6238; PROTOCOL A9, S-103 to S-105. The seed is sealed by the vault; a code is heard within one step of thirty seconds before and
//! after its own, and each step once, on all nodes: the main store remembers the last.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use totp_rs::{Algorithm, Builder};

use crate::authn::guard::{Guard, Typed};
use crate::authn::second_factor::SecondFactors;
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Offer, Refusal};
use crate::edge::vault::Place;
use crate::model::authentication::{Amr, Authentication};
use crate::model::authenticator::{Authenticator, AuthenticatorKind};
use crate::model::fault::Fault;
use crate::model::id::{AuthenticatorId, UserId};
use crate::model::user::{IdentifierKind, User};
use crate::protocol::secret::Secret;

/// How long a secret waits for its first code.
pub const SETUP_LIFETIME: Duration = Duration::from_mins(10);
/// Steps before and after the present one: clocks of phones drift.
const SKEW: u16 = 1;

/// The method `totp`.
pub struct Totp {
    /// Keys and notices.
    pub factors: SecondFactors,
    /// Limits.
    pub guard: Guard,
}

/// The method `totp_setup`: within a sign-in that asks for a second factor, by somebody who has none.
pub struct Setup {
    /// Keys and notices.
    pub factors: SecondFactors,
}

/// A secret that a person takes into their app. It is shown once.
#[derive(Clone, Debug)]
pub struct TotpSetup {
    /// The authenticator that waits for its first code.
    pub id: AuthenticatorId,
    /// The secret in base32, for who cannot take a picture.
    pub secret: Secret,
    /// The same with everything that an app wants to know, for the picture.
    pub uri: Secret,
}

impl SecondFactors {
    /// Makes a secret for `user`, in the place of one that waits; `None` when they have confirmed one already.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn set_up_totp(&self, user: &User, name: &str) -> Result<Option<TotpSetup>, Fault> {
        let (edges, now) = (&self.edges, self.edges.clock.now());
        let own = edges.store.authenticators(user.id).await?;
        let before = own.iter().find(|own| own.kind == AuthenticatorKind::Totp);
        if before.is_some_and(|before| before.confirmed_at.is_some()) {
            return Ok(None);
        }
        let id = before.map_or_else(|| AuthenticatorId::new(now, edges.random.bytes()), |before| before.id);
        let seed: [u8; 20] = edges.random.bytes();
        let row = id.to_string();
        let added = edges.store.add_authenticator(Authenticator {
            id,
            user: user.id,
            kind: AuthenticatorKind::Totp,
            target: String::new(),
            name: name.to_owned(),
            secret: Some(self.vault.seal(&place(&row), &seed, &*edges.random)),
            created_at: now,
            expires_at: Some(now.plus(SETUP_LIFETIME)),
            confirmed_at: None,
            last_used_at: None,
        });
        Ok(added.await?.then(|| self.described(user, id, &seed)))
    }

    /// The secret of an authenticator that waits, once more: for the page that asks for its first code again.
    ///
    /// # Errors
    /// A fault of the vault.
    pub fn totp_again(&self, user: &User, waiting: &Authenticator) -> Result<TotpSetup, Fault> {
        let seed = self.seed(waiting)?;
        Ok(self.described(user, waiting.id, seed.expose()))
    }

    /// The time step whose code `typed` is, if it is of one near now.
    ///
    /// # Errors
    /// A fault of the vault.
    pub fn totp_step(&self, authenticator: &Authenticator, typed: &Secret) -> Result<Option<i64>, Fault> {
        let seed = self.seed(authenticator)?;
        let code: String = typed.expose().chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
        let now = u64::try_from(self.edges.clock.now().seconds()).unwrap_or_default();
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        let step = is_code.then(|| generator(seed.expose()).check(&code, now)).flatten();
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    fn seed(&self, authenticator: &Authenticator) -> Result<Secret<Vec<u8>>, Fault> {
        let row = authenticator.id.to_string();
        let sealed = authenticator.secret.as_deref();
        let sealed = sealed.ok_or_else(|| Fault::internal(format!("authenticator {row} has no secret")))?;
        self.vault.open(&place(&row), sealed)
    }

    fn described(&self, user: &User, id: AuthenticatorId, seed: &[u8]) -> TotpSetup {
        let secret = Secret::new(generator(seed).secret().to_base32());
        let account = user.primary(IdentifierKind::Email).map_or_else(|| user.login(), |email| &email.value);
        let (site, account) = (encoded(&self.site), encoded(account));
        let uri = format!(
            "otpauth://totp/{site}:{account}?secret={}&issuer={site}&algorithm=SHA1&digits=6&period=30",
            secret.expose()
        );
        TotpSetup { id, secret, uri: Secret::new(uri) }
    }
}

/// A text in a URL; `@` stands for itself, as apps expect it in names of accounts.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes it");
        }
        encoded
    })
}

/// What apps of all makers understand: SHA-1, six digits, thirty seconds.
fn generator(seed: &[u8]) -> totp_rs::Totp {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30).with_skew(SKEW);
    builder.with_secret(seed.to_vec()).build().expect("a seed of 160 bits and RFC 6238's own numbers")
}

fn place(row: &str) -> Place<'_> {
    Place { table: "authenticator", row, column: "secret" }
}

impl SecondFactors {
    async fn totp_of(&self, user: UserId) -> Result<Option<Authenticator>, Fault> {
        let own = self.edges.store.authenticators(user).await?;
        Ok(own.into_iter().find(|own| own.kind == AuthenticatorKind::Totp))
    }
}

#[async_trait]
impl Method for Totp {
    fn name(&self) -> &'static str {
        "totp"
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    async fn offers(&self, user: &User) -> Result<Vec<Offer>, Fault> {
        let own = self.factors.totp_of(user.id).await?.filter(|own| own.confirmed_at.is_some());
        Ok(own.map(|own| Offer { id: own.id.to_string(), hint: Some(own.name) }).into_iter().collect())
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
        let own = self.factors.totp_of(person).await?.filter(|own| own.confirmed_at.is_some());
        let step = match &own {
            Some(own) => self.factors.totp_step(own, code)?,
            None => None,
        };
        let Some(((own, step), epoch)) = own.zip(step).zip(epoch) else {
            attempt.note_failure(edges, self.name(), Some(person));
            return Err(Refusal::WrongCode(None));
        };
        let is_first = edges.store.use_totp_step(own.id, step, now).await?;
        self.guard.forgive(counted).await?;
        if !is_first {
            attempt.note_failure(edges, self.name(), Some(person));
            return Err(Refusal::WrongCode(None));
        }
        Ok(Authentication::new((person, epoch), now, vec![Amr::Otp]))
    }
}

#[async_trait]
impl Method for Setup {
    fn name(&self) -> &'static str {
        "totp_setup"
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    fn enrols(&self) -> bool {
        true
    }

    async fn begin(&self, attempt: &Attempt) -> Result<Begun, Refusal> {
        let store = &self.factors.edges.store;
        let person = attempt.person.ok_or(Refusal::Wrong)?;
        let user = store.user(person).await?.ok_or(Refusal::Wrong)?;
        let setup = self.factors.set_up_totp(&user, "").await?;
        // Confirmed a moment ago, in another window: that one is to be asked for.
        setup.map(Begun::Setup).ok_or(Refusal::FlowInvalid)
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Code(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let (Answer::Code(code), Some(person)) = (answer, attempt.person) else { return Err(Refusal::Wrong) };
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        let user = edges.store.user(person).await?;
        let waiting = self.factors.totp_of(person).await?.filter(|own| own.is_waiting(now));
        let step = match &waiting {
            Some(waiting) => self.factors.totp_step(waiting, code)?,
            None => None,
        };
        let Some(((waiting, step), user)) = waiting.zip(step).zip(user) else {
            return Err(Refusal::WrongCode(None));
        };
        let beside = self.factors.changed(attempt, &user, "totp_added")?;
        let confirmed = (person, waiting.id, Some(step));
        // The epoch that begins with it is that of the proof.
        let epoch = edges.store.confirm_authenticator(confirmed, Vec::new(), (attempt.here, now), beside).await?;
        let epoch = epoch.ok_or(Refusal::WrongCode(None))?;
        Ok(Authentication::new((person, epoch), now, vec![Amr::Otp]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, with the last six of its eight digits.
    #[test]
    fn the_codes_of_the_specification() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(generator(b"12345678901234567890").generate(time).to_string(), code);
        }
    }

    #[test]
    fn a_name_stands_in_a_uri() {
        assert_eq!(encoded("alice@example.com"), "alice@example.com");
        assert_eq!(encoded("Zoë: x+y"), "Zo%C3%AB%3A%20x%2By");
    }
}
