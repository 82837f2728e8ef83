//! A forgotten password (S-032 … S-037): a link, or a code by mail or text message, and then a new one.
//!
//! NIST SP 800-63B-4 §4.2, PROTOCOL A13. Every identifier gets the same answer; only the owner of an account that may be used gets a
//! message, at an address or number of the account and never at one that the request names. Whoever proves the address activates an
//! account that waited for it; one that an administrator disabled stays disabled.

use serde::{Deserialize, Serialize};

use crate::account::intruder::WentAway;
use crate::account::password::{changed_notices, differs};
use crate::account::start::{About, Start};
use crate::account::{AccountError, Accounts, Asking, Sent, Why, minutes};
use crate::authn::limit::Rule;
use crate::authn::password::strength::Known;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::event::{Actor, EventName};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::identifier::Phone;
use crate::model::mailed_link::{GoodLink, LinkPurpose};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const PURPOSE: &str = "password_reset";
/// Resets by code under way, under the hash of their handle.
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);
const VERSION: u8 = 1;
/// How long one that ran out is still known as such.
const REMEMBERED: std::time::Duration = std::time::Duration::from_hours(1);

/// The way to a new password.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum ResetChannel {
    /// A link by mail.
    #[default]
    Link,
    /// A code by mail.
    EmailCode,
    /// A code by text message.
    SmsCode,
}

/// A reset that was asked for.
#[derive(Clone, Debug)]
pub struct ResetBegun {
    /// The handle for the code, where one was sent.
    pub flow: Option<Secret>,
    /// How long link or code are good, in seconds.
    pub expires_in: u64,
    /// When the next may be asked for, in seconds.
    pub resend_after: u64,
}

/// What allows a new password.
#[derive(Clone, Debug)]
pub enum ResetProof {
    /// The token of a link.
    Link(Secret),
    /// A code, with its handle.
    Code {
        /// The handle.
        flow: Secret,
        /// What was typed.
        code: String,
    },
}

/// A password that was set.
#[derive(Clone, Debug)]
pub struct ResetDone {
    /// The authorization request that the link belongs to.
    pub flow: Option<String>,
    /// The app it was for.
    pub client_id: Option<String>,
    /// Whose it is.
    pub user: UserId,
}

/// A reset by code that waits. The link stands for the code in the main store: it is used up with the new password.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    version: u8,
    binding: Option<TokenHash>,
    /// As it was typed: an account has several, and strangers are not told that they are of one.
    #[serde(default)]
    name: String,
    code: Option<TokenHash>,
    link: TokenHash,
    expires_at: NumericDate,
}

impl Accounts {
    /// Sends a link or code to the owner of `identifier`, if there is one whose account may be used.
    ///
    /// # Errors
    /// That the caller asks too often; a fault of a store. Never that there is no such account.
    pub async fn request_password_reset(
        &self,
        identifier: &str,
        channel: ResetChannel,
        asking: &Asking,
    ) -> Result<ResetBegun, AccountError> {
        self.hear(asking)?;
        let now = self.now();
        let name = LookupName::parse(identifier);
        let canonical = name.as_ref().map(LookupName::as_str).unwrap_or_default();
        let kind: &[u8] = match channel {
            ResetChannel::Link => b"link",
            ResetChannel::EmailCode => b"email",
            ResetChannel::SmsCode => b"sms",
        };
        let about = About {
            purpose: PURPOSE,
            address: canonical,
            binding: asking.binding.as_ref(),
            content: &[kind, asking.flow.as_deref().unwrap_or_default().as_bytes()],
        };
        match self.starts.begin(about, now).await? {
            Start::Fresh(handle) => {
                let typed = name.as_ref().map(|name| (name, identifier));
                let sent = self.send_reset_to(typed, (&handle, canonical), channel, asking).await;
                self.starts.settled((about, now), sent).await?;
                Ok(self.reset_begun(channel, handle))
            }
            Start::Same(handle) => Ok(self.reset_begun(channel, handle)),
            // The answer tells strangers nothing: a code that was sent stays good under its own handle.
            Start::TooSoon(_) => {
                let handle = self.edges.random.token();
                self.send_reset_to(None, (&handle, canonical), channel, asking).await?;
                Ok(self.reset_begun(channel, handle))
            }
        }
    }

    /// Finds out whose `typed` is, and sends what they get; nobody's where the caller is not heard.
    async fn send_reset_to(
        &self,
        typed: Option<(&LookupName, &str)>,
        (handle, canonical): (&Secret, &str),
        channel: ResetChannel,
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let lifetime = self.reset_lifetime(channel);
        let name = typed.map(|(name, _)| name);
        let user = match name {
            Some(name) => self.edges.store.user_by_name(name).await?,
            None => None,
        };
        let user = user.filter(|user| matches!(user.state, AccountState::Active | AccountState::Pending { .. }));
        let target = user.as_ref().and_then(|user| target(user, channel, name));
        let within = match &user {
            Some(user) => self.is_within((Rule::PasswordResetAccount, &user.id.to_string())).await?.is_none(),
            None => self.is_within((Rule::PasswordResetAccount, canonical)).await?.is_none(),
        };
        let mut sent = user.as_deref().zip(target.map(|target| target.value.clone())).filter(|_| within);
        if channel == ResetChannel::SmsCode {
            // A number that was typed is counted whoever has it.
            let typed = typed.and_then(|(_, identifier)| Phone::parse(identifier));
            let own = sent.as_ref().map(|(_, number)| number.as_str());
            let may = self.may_text(own.or(typed.as_ref().map(Phone::as_str)), handle).await?;
            sent = sent.filter(|_| may);
        }
        self.send_reset((handle, canonical), channel, sent, (lifetime, asking)).await
    }

    /// What is written for an account, and the same for none: it is of no use then.
    async fn send_reset(
        &self,
        (handle, name): (&Secret, &str),
        channel: ResetChannel,
        to: Option<(&User, String)>,
        (lifetime, asking): (std::time::Duration, &Asking),
    ) -> Result<(), AccountError> {
        let now = self.now();
        let (user, address) = (to.as_ref().map(|(user, _)| *user), to.as_ref().map_or("", |(_, address)| address));
        let (token, link) = self.link(LinkPurpose::PasswordReset, (user, address), asking, lifetime);
        let code = self.codes.draw();
        let sealed = self.codes.seal(PURPOSE, handle.expose(), &code);
        let (kind, way, data) = match channel {
            ResetChannel::Link => {
                let url = self.url(LinkPurpose::PasswordReset, &token, asking).await?;
                (MessageKind::PasswordReset, Channel::Mail, MessageData { url: Some(url), ..MessageData::default() })
            }
            ResetChannel::EmailCode | ResetChannel::SmsCode => {
                let way = if channel == ResetChannel::SmsCode { Channel::Sms } else { Channel::Mail };
                let code = Some(code.expose().clone());
                (MessageKind::PasswordResetCode, way, MessageData { code, ..MessageData::default() })
            }
        };
        let data = MessageData { valid_minutes: Some(minutes(lifetime)), ..data };
        // For nobody the job is over before anyone looks at it.
        let useful = if user.is_some() { lifetime } else { std::time::Duration::ZERO };
        let job = self.dispatch(&Self::written((kind, way), address, (user, asking), data), useful).await?;
        if channel != ResetChannel::Link {
            let waiting = Waiting {
                version: VERSION,
                binding: asking.binding,
                name: name.to_owned(),
                code: user.map(|_| sealed),
                link: link.hash,
                expires_at: now.plus(lifetime),
            };
            let key = TokenHash::of(handle.expose());
            let remembered = waiting.expires_at.plus(REMEMBERED);
            WAITING.put(&*self.edges.ephemeral, key.as_bytes(), &waiting, remembered).await?;
        }
        let event = match user {
            Some(user) => self.event(EventName::PasswordResetRequested, asking).of(user.id).by(Actor::Anonymous),
            None => self.event(EventName::PasswordResetRequested, asking).failed(),
        };
        let beside = job.into_iter().fold(Beside::event(event), Beside::and_job);
        Ok(self.edges.store.record(beside.and_link(link)).await?)
    }

    /// True when a link allows a new password; it stays good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn can_reset(&self, token: &str) -> Result<bool, Fault> {
        Ok(self.reset_link_of(token).await?.is_some())
    }

    /// What was taken out of the account before a link was made that allows a new password; `None` when it allows none.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn reset_link_of(&self, token: &str) -> Result<Option<WentAway>, Fault> {
        let link = self.reset_link(&TokenHash::of(token)).await?;
        Ok(link.map(|link| WentAway::told(&link.details)))
    }

    /// By what the account is known that a link sets a password for, to judge one that is tried; `None` when the link is not good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn known_by_reset(&self, token: &Secret) -> Result<Option<Known>, Fault> {
        let Some(link) = self.reset_link(&TokenHash::of(token.expose())).await? else { return Ok(None) };
        Ok(self.edges.store.user(link.user).await?.as_deref().map(Known::of))
    }

    /// Sets a new password, which must be the same `again` where that was asked for, ends everything that the old one opened, and tells the owner
    /// at every address that is known to be theirs.
    ///
    /// # Errors
    /// What is wrong with the password, and then the proof stays good; that the proof is wrong, used or over.
    pub async fn reset_password(
        &self,
        proof: &ResetProof,
        (password, again): (&Secret, Option<&Secret>),
        asking: &Asking,
    ) -> Result<ResetDone, AccountError> {
        let (hash, refused) = match proof {
            ResetProof::Link(token) => (TokenHash::of(token.expose()), Why::PasswordResetLinkInvalid),
            ResetProof::Code { flow, code } => (self.judge_reset(flow.expose(), code, asking).await?, Why::FlowInvalid),
        };
        let link = self.reset_link(&hash).await?.ok_or(refused)?;
        let user = self.edges.store.user(link.user).await?.ok_or(refused)?;
        let mut mistakes = self.password_mistakes(password, Known::of(&user)).await?;
        mistakes.extend(differs(password, again));
        if !mistakes.is_empty() {
            return Err(AccountError::Fields(mistakes));
        }
        let phc = self.hasher.hash(password).await?;
        let mut beside = Beside::event(self.event_of(EventName::PasswordReset, user.id, asking));
        let url = self.settings.resets.then(|| self.site.page("/recover"));
        let data = MessageData { url, ..MessageData::default() };
        let kind = (MessageKind::PasswordChanged, Channel::Mail);
        let message = Self::written(kind, "", (Some(&user), asking), data);
        for notice in changed_notices(&self.edges, (&user, Some(&link.address)), &message)? {
            beside = beside.and_job(notice);
        }
        if !self.edges.store.reset_password_by((&hash, link.purpose), &phc, self.now(), beside).await? {
            return Err(refused.into());
        }
        let text = |name: &str| link.details.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        Ok(ResetDone { flow: text("flow"), client_id: text("client_id"), user: user.id })
    }

    /// A link that sets a password: of a forgotten one, or the first.
    async fn reset_link(&self, hash: &TokenHash) -> Result<Option<GoodLink>, Fault> {
        let now = self.now();
        for purpose in [LinkPurpose::PasswordReset, LinkPurpose::SetPassword] {
            if let Some(link) = self.edges.store.mailed_link(hash, purpose, now).await? {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// The link that a right code stands for.
    async fn judge_reset(&self, flow: &str, code: &str, asking: &Asking) -> Result<TokenHash, AccountError> {
        let now = self.now();
        let found = WAITING.get(&*self.edges.ephemeral, TokenHash::of(flow).as_bytes(), now).await?;
        let own = found.filter(|waiting| waiting.version == VERSION && asking.holds(waiting.binding.as_ref()));
        let waiting = own.ok_or(Why::FlowInvalid)?;
        if waiting.expires_at.is_past(now) {
            return Err(Why::FlowExpired.into());
        }
        let remembered = waiting.expires_at.plus(REMEMBERED);
        let (sealed, whose) = (waiting.code.as_ref(), waiting.name.as_str());
        let owner = match LookupName::parse(whose) {
            Some(name) => self.owner(&name).await?.map(|owner| owner.id),
            None => None,
        };
        let sent = Sent { purpose: PURPOSE, handle: flow, sealed, until: remembered, whose, owner };
        self.judge_code(sent, code, asking).await?;
        Ok(waiting.link)
    }

    fn reset_lifetime(&self, channel: ResetChannel) -> std::time::Duration {
        match channel {
            ResetChannel::Link => self.settings.lifetimes.reset,
            ResetChannel::EmailCode | ResetChannel::SmsCode => self.settings.lifetimes.code,
        }
    }

    fn reset_begun(&self, channel: ResetChannel, handle: Secret) -> ResetBegun {
        ResetBegun {
            flow: (channel != ResetChannel::Link).then_some(handle),
            expires_in: self.reset_lifetime(channel).as_secs(),
            resend_after: self.starts.pause().as_secs(),
        }
    }
}

/// Where the message goes: the address that was typed, if it is one of the account, else its primary one. A number only once it is
/// proven; an address also before, since whoever reads it proves it.
fn target<'a>(user: &'a User, channel: ResetChannel, typed: Option<&LookupName>) -> Option<&'a Identifier> {
    let kind = match channel {
        ResetChannel::Link | ResetChannel::EmailCode => IdentifierKind::Email,
        ResetChannel::SmsCode => IdentifierKind::Phone,
    };
    let named = typed.and_then(|typed| user.named(typed)).filter(|identifier| identifier.kind == kind);
    named.or_else(|| user.primary(kind)).filter(|found| kind == IdentifierKind::Email || found.verified_at.is_some())
}
