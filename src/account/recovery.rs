//! A forgotten address (S-121): whoever reads a proven number of the account is told its proven addresses, masked.

use serde::{Deserialize, Serialize};

use crate::account::start::{About, Start};
use crate::account::{AccountError, Accounts, Asking, Sent, Why, minutes};
use crate::authn::limit::Rule;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::event::{Actor, EventName};
use crate::model::id::UserId;
use crate::model::identifier::{Email, Phone};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, LookupName};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const PURPOSE: &str = "email_recovery";
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);
const VERSION: u8 = 1;

/// A look-up that waits for its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    version: u8,
    binding: Option<TokenHash>,
    user: Option<UserId>,
    /// As it was typed.
    #[serde(default)]
    number: String,
    code: Option<TokenHash>,
    expires_at: NumericDate,
}

/// Whether anything is sent for who asks.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Caller {
    /// It may be.
    Heard,
    /// Not so soon; the answer tells nothing of it.
    TooSoon,
}

/// A look-up that began.
#[derive(Clone, Debug)]
pub struct RecoveryBegun {
    /// The handle for the code.
    pub flow: Secret,
    /// How long the code is good, in seconds.
    pub expires_in: u64,
    /// When the next may be asked for, in seconds.
    pub resend_after: u64,
}

impl Accounts {
    /// Sends a code to the number, if it is a proven one of an account that may be used. Every number gets the same answer.
    ///
    /// # Errors
    /// That it is no number; that the caller asks too often; a fault of a store.
    pub async fn request_email_recovery(&self, phone: &str, asking: &Asking) -> Result<RecoveryBegun, AccountError> {
        let phone = Phone::parse(phone)
            .ok_or_else(|| AccountError::from(crate::account::Mistake::new("phone", Why::InvalidPhoneNumber)))?;
        self.hear(asking)?;
        let now = self.now();
        let about = About { purpose: PURPOSE, address: phone.as_str(), binding: asking.binding.as_ref(), content: &[] };
        match self.starts.begin(about, now).await? {
            Start::Fresh(flow) => {
                let sent = self.send_recovery((&phone, &flow), Caller::Heard, asking).await;
                self.starts.settled((about, now), sent).await?;
                Ok(self.begun_recovery(flow))
            }
            Start::Same(flow) => Ok(self.begun_recovery(flow)),
            Start::TooSoon(_) => {
                let flow = self.edges.random.token();
                self.send_recovery((&phone, &flow), Caller::TooSoon, asking).await?;
                Ok(self.begun_recovery(flow))
            }
        }
    }

    /// What is written for an account, and the same for none; for who is not heard nothing is sent.
    async fn send_recovery(
        &self,
        (phone, flow): (&Phone, &Secret),
        caller: Caller,
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let (now, lifetime, is_heard) = (self.now(), self.settings.lifetimes.code, caller == Caller::Heard);
        let is_within = self.is_within((Rule::Recovery, phone.as_str())).await?.is_none();
        let name = LookupName::parse(phone.as_str());
        let user = match name.as_ref().filter(|_| is_heard && is_within) {
            Some(name) => self
                .edges
                .store
                .user_by_name(name)
                .await?
                .filter(|user| user.is_enabled() && user.proven(name).is_some()),
            None => None,
        };
        // Whoever has the number, or nobody: what is counted tells nothing.
        let number = Some(phone.as_str()).filter(|_| is_heard && is_within);
        let may = self.may_text(number, flow).await?;
        let user = user.filter(|_| may);
        let code = self.codes.draw();
        let sealed = self.codes.seal(PURPOSE, flow.expose(), &code);
        let waiting = Waiting {
            version: VERSION,
            binding: asking.binding,
            user: user.as_ref().map(|user| user.id),
            number: phone.as_str().to_owned(),
            code: user.as_ref().map(|_| sealed),
            expires_at: now.plus(lifetime),
        };
        WAITING
            .put(&*self.edges.ephemeral, TokenHash::of(flow.expose()).as_bytes(), &waiting, waiting.expires_at)
            .await?;
        let data = MessageData {
            code: Some(code.expose().clone()),
            valid_minutes: Some(minutes(lifetime)),
            ..MessageData::default()
        };
        let useful = if user.is_some() { lifetime } else { std::time::Duration::ZERO };
        let to = if user.is_some() { phone.as_str() } else { "" };
        let job =
            self.message((MessageKind::RecoveryCode, Channel::Sms), to, (user.as_deref(), asking), (data, useful))?;
        let event = self.event(EventName::EmailRecoveryRequested, asking);
        let event = match &user {
            Some(user) => event.of(user.id).by(Actor::Anonymous),
            None => event.failed(),
        };
        Ok(self.edges.store.record(Beside::event(event).and_job(job)).await?)
    }

    /// The masked, proven addresses of the account, when the code is right; once.
    ///
    /// # Errors
    /// That the code is wrong, or the look-up used, over or another browser's.
    pub async fn recover_emails(&self, flow: &str, code: &str, asking: &Asking) -> Result<Vec<String>, AccountError> {
        let now = self.now();
        let key = TokenHash::of(flow);
        let found = WAITING.get(&*self.edges.ephemeral, key.as_bytes(), now).await?;
        let own = found.filter(|waiting| waiting.version == VERSION && asking.holds(waiting.binding.as_ref()));
        let waiting = own.ok_or(Why::FlowInvalid)?;
        let (sealed, whose) = (waiting.code.as_ref(), waiting.number.as_str());
        let owner = waiting.user;
        let sent = Sent { purpose: PURPOSE, handle: flow, sealed, until: waiting.expires_at, whose, owner };
        self.judge_code(sent, code, asking).await?;
        if !self.edges.store.consume_once(PURPOSE, &key, waiting.expires_at, now).await? {
            return Err(Why::FlowInvalid.into());
        }
        let user = match waiting.user {
            Some(user) => self.edges.store.user(user).await?.filter(|user| user.is_enabled()),
            None => None,
        };
        let user = user.ok_or(Why::FlowInvalid)?;
        // What nobody has proven belongs to nobody (PROTOCOL A22).
        let emails = user.of_kind(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
        Ok(emails.filter_map(|email| Email::parse(&email.value)).map(|email| email.masked()).collect())
    }

    fn begun_recovery(&self, flow: Secret) -> RecoveryBegun {
        let lifetime = self.settings.lifetimes.code;
        RecoveryBegun { flow, expires_in: lifetime.as_secs(), resend_after: self.starts.pause().as_secs() }
    }
}
