//! A mailbox or a phone as a second factor: taken up by the code that reaches it.
//!
//! S-047, S-101, S-112; NIST SP 800-63B-4 §3.1.3.1. It proves nothing before that, and is told to no app: it is no contact.

use serde::{Deserialize, Serialize};

use crate::account::{AccountError, Accounts, Asking, Mistake, Sent, Why, minutes};
use crate::authn::Attempt;
use crate::authn::limit::Rule;
use crate::authn::second_factor::SecondFactors;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::authenticator::{Authenticator, AuthenticatorKind};
use crate::model::fault::Fault;
use crate::model::id::AuthenticatorId;
use crate::model::identifier::Email;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const PURPOSE: &str = "code_factor";
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);

/// A code that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    code: TokenHash,
    expires_at: NumericDate,
}

/// An address that waits for its code.
#[derive(Clone, Debug)]
pub struct CodeFactorBegun {
    /// The authenticator.
    pub id: AuthenticatorId,
    /// The address as it is kept.
    pub address: String,
    /// How long the code is good, in seconds.
    pub expires_in: u64,
    /// When the next may be asked for, in seconds.
    pub resend_after: u64,
}

impl Accounts {
    /// Sends a code to an address that shall be a second factor; without one to the person's own number.
    ///
    /// # Errors
    /// That it is none, is taken up already, or that a message was sent a moment ago.
    pub async fn begin_code_factor(
        &self,
        user: &User,
        (kind, typed, name): (AuthenticatorKind, Option<&str>, &str),
        asking: &Asking,
    ) -> Result<CodeFactorBegun, AccountError> {
        let (address, channel) = match kind {
            AuthenticatorKind::Email => {
                let address = typed.and_then(Email::parse).map(|email| email.as_str().to_owned());
                (address.ok_or_else(|| Mistake::new("address", Why::InvalidEmail))?, Channel::Mail)
            }
            AuthenticatorKind::Sms => {
                let own = user.primary(IdentifierKind::Phone).map(|phone| phone.value.as_str());
                let phone = self.phone(typed.or(own).unwrap_or_default());
                let phone = phone.map_err(|mistake| Mistake { field: "address".into(), ..mistake })?;
                (phone.as_str().to_owned(), Channel::Sms)
            }
            AuthenticatorKind::Totp | AuthenticatorKind::Passkey => {
                return Err(Mistake::new("type", Why::InvalidValue).into());
            }
        };
        let now = self.now();
        let target = address.to_lowercase();
        let own = self.edges.store.authenticators(user.id).await?;
        let before = own.iter().find(|own| own.kind == kind && own.target.to_lowercase() == target);
        if before.is_some_and(|before| before.confirmed_at.is_some()) {
            return Err(Why::AlreadyVerified.into());
        }
        if let Err(seconds) = self.starts.again((PURPOSE, &target), now).await? {
            return Err(AccountError::RecentlySent(seconds));
        }
        if let Some(exceeded) = self.is_within((Rule::CodeStart, &user.id.to_string())).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        self.may_send((PURPOSE, channel), &address).await?;
        let lifetime = self.settings.lifetimes.contact;
        let id = before.map_or_else(|| AuthenticatorId::new(now, self.edges.random.bytes()), |before| before.id);
        let added = self.edges.store.add_authenticator(Authenticator {
            id,
            user: user.id,
            kind,
            target: address.clone(),
            name: name.to_owned(),
            secret: None,
            created_at: now,
            expires_at: Some(now.plus(lifetime)),
            confirmed_at: None,
            last_used_at: None,
        });
        if !added.await? {
            return Err(Why::AlreadyVerified.into());
        }
        let code = self.codes.draw();
        let code_hash = self.codes.seal(PURPOSE, &id.to_string(), &code);
        let waiting = Waiting { code: code_hash, expires_at: now.plus(lifetime) };
        WAITING.put(&*self.edges.ephemeral, id.as_bytes(), &waiting, waiting.expires_at).await?;
        let data = MessageData {
            code: Some(code.expose().clone()),
            valid_minutes: Some(minutes(lifetime)),
            ..MessageData::default()
        };
        let job =
            self.message((MessageKind::ContactCode, channel), &address, (Some(user), asking), (data, lifetime))?;
        self.edges.store.record(Beside::default().and_job(job)).await?;
        Ok(CodeFactorBegun { id, address, expires_in: lifetime.as_secs(), resend_after: self.starts.pause().as_secs() })
    }

    /// Takes the address up by its code. From now on a second factor is asked for; returns backup codes for who has none.
    ///
    /// # Errors
    /// That the code is wrong, or over.
    pub async fn confirm_code_factor(
        &self,
        factors: &SecondFactors,
        user: &User,
        (own, code): (&Authenticator, &Secret),
        attempt: &Attempt,
    ) -> Result<Vec<Secret>, AccountError> {
        let now = self.now();
        if own.confirmed_at.is_some() {
            return Err(Why::AlreadyVerified.into());
        }
        let found = WAITING.get(&*self.edges.ephemeral, own.id.as_bytes(), now).await?;
        let waiting = found.filter(|_| own.is_waiting(now)).ok_or(Why::CodeExpired)?;
        let (handle, until) = (own.id.to_string(), waiting.expires_at);
        let (whose, sealed) = (user.id.to_string(), Some(&waiting.code));
        let sent = Sent { purpose: PURPOSE, handle: &handle, sealed, until, whose: &whose, owner: Some(user.id) };
        let asking = Asking { provenance: attempt.from.clone(), device: attempt.device.clone(), ..Asking::default() };
        self.judge_code(sent, code.expose(), &asking).await?;
        factors.take_up(user, (own.id, None), (attempt, "code_factor_added")).await
    }

    /// Refuses a text message that is one too many (S-051).
    pub(super) async fn sms_budget(&self, number: &str) -> Result<(), AccountError> {
        use crate::authn::{Refusal, Unsent, sent_code};
        match sent_code::sms_budget(&self.edges, &self.limits, (number, number)).await {
            Ok(()) => Ok(()),
            Err(Refusal::Fault(fault)) => Err(fault.into()),
            Err(Refusal::Unsent(Unsent::Budget(exceeded))) => Err(AccountError::SmsBudget(exceeded)),
            Err(_) => Err(Fault::internal("a budget is refused without a rate").into()),
        }
    }
}
