//! Another address in the place of the primary one (S-116 … S-119).
//!
//! The new address gets a link and a code, the old one a notice with a link that takes the change back, for a week. The proof is bound
//! to account and address: a second wish voids the first. No address stands in any URL.

use serde::{Deserialize, Serialize};

use crate::account::intruder::WentAway;
use crate::account::start::{About, Start};
use crate::account::{AccountError, Accounts, Asking, Mistake, Sent, Why, minutes};
use crate::authn::limit::Rule;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::{Added, Beside, Denial, Kept};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::{IdentifierId, UserId};
use crate::model::identifier::Email;
use crate::model::job::NewJob;
use crate::model::mailed_link::{GoodLink, LinkPurpose, MailedLink};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{Identifier, IdentifierKind, LookupName, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const PURPOSE: &str = "email_change";
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);
const VERSION: u8 = 1;
/// Where the link that takes a change back says since when there was the session that asked for it.
const SESSION_SINCE: &str = "session_since";

/// A change that waits for its code. The link stands for the code in the main store.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    version: u8,
    code: Option<TokenHash>,
    link: TokenHash,
    /// The account.
    #[serde(default)]
    whose: String,
    expires_at: NumericDate,
}

/// A change that was asked for.
#[derive(Clone, Debug)]
pub struct EmailChangeBegun {
    /// The handle for the code.
    pub flow: Secret,
    /// How long link and code are good, in seconds.
    pub expires_in: u64,
    /// When the next may be asked for, in seconds.
    pub resend_after: u64,
}

/// What proves the new address.
#[derive(Clone, Debug)]
pub enum EmailChangeProof {
    /// The token of the link.
    Link(Secret),
    /// The code, with its handle.
    Code {
        /// The handle.
        flow: Secret,
        /// What was typed.
        code: String,
    },
}

impl Accounts {
    /// Sends a link and a code to the new address, and a notice to the old one. An address of somebody else gets the same answer.
    ///
    /// # Errors
    /// That it is no address, not allowed, or the person's own; that a message was sent a moment ago.
    pub async fn request_email_change(
        &self,
        user: &User,
        typed: &str,
        asking: &Asking,
    ) -> Result<EmailChangeBegun, AccountError> {
        let email = self.email(typed).map_err(|mistake| Mistake { field: "new_email".into(), ..mistake })?;
        let name = LookupName::parse(email.as_str()).ok_or_else(|| Mistake::new("new_email", Why::InvalidEmail))?;
        let before = user.primary(IdentifierKind::Email);
        if before.is_some_and(|before| before.value == email.as_str() && before.verified_at.is_some()) {
            return Err(Why::AlreadyVerified.into());
        }
        let now = self.now();
        let owner = user.id.to_string();
        let about = About { purpose: PURPOSE, address: name.as_str(), binding: None, content: &[owner.as_bytes()] };
        let flow = match self.starts.begin(about, now).await? {
            Start::Fresh(flow) => flow,
            Start::Same(flow) => return Ok(self.begun_change(flow)),
            Start::TooSoon(seconds) => return Err(AccountError::RecentlySent(seconds)),
        };
        let sent = self.send_email_change((user, before), (&email, &name), &flow, asking).await;
        self.starts.settled((about, now), sent).await?;
        Ok(self.begun_change(flow))
    }

    /// Writes to both addresses.
    async fn send_email_change(
        &self,
        (user, before): (&User, Option<&Identifier>),
        (email, name): (&Email, &LookupName),
        flow: &Secret,
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let (now, lifetime) = (self.now(), self.settings.lifetimes.email_change);
        let owner = user.id.to_string();
        if let Some(exceeded) = self.is_within((Rule::CodeStart, &owner)).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        self.may_send((PURPOSE, Channel::Mail), email.as_str()).await?;
        // What nobody has proven belongs to nobody (PROTOCOL A22).
        let owner_of_new = self.edges.store.user_by_name(name).await?;
        let is_free = owner_of_new.is_none_or(|owner| owner.id == user.id || !owner.owns(name));
        let (token, link) = self.link(LinkPurpose::EmailChange, (Some(user), email.as_str()), asking, lifetime);
        let code = self.codes.draw();
        let sealed = self.codes.seal(PURPOSE, flow.expose(), &code);
        let waiting = Waiting {
            version: VERSION,
            code: is_free.then_some(sealed),
            link: link.hash,
            whose: owner,
            expires_at: now.plus(lifetime),
        };
        WAITING
            .put(&*self.edges.ephemeral, TokenHash::of(flow.expose()).as_bytes(), &waiting, waiting.expires_at)
            .await?;
        let data = MessageData {
            code: Some(code.expose().clone()),
            url: Some(self.url(LinkPurpose::EmailChange, &token, asking).await?),
            valid_minutes: Some(minutes(lifetime)),
            ..MessageData::default()
        };
        let useful = if is_free { lifetime } else { std::time::Duration::ZERO };
        let kind = (MessageKind::EmailChange, Channel::Mail);
        let job = self.message(kind, email.as_str(), (Some(user), asking), (data, useful))?;
        let event = self.event_of(EventName::EmailChangeRequested, user.id, asking);
        let mut beside = Beside::event(event).and_job(job).and_link(link);
        if let Some(before) = before.filter(|before| before.verified_at.is_some()) {
            let (job, link) = self.email_change_notice((user, before), email.masked(), asking).await?;
            beside = beside.and_job(job).and_link(link);
        }
        Ok(self.edges.store.record_after_voiding((user.id, LinkPurpose::EmailChange), now, beside).await?)
    }

    /// The notice to an address, proven and primary, that another stands in its place from now on or soon, with the link that takes that
    /// back. `address` is the other, masked.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) async fn email_change_notice(
        &self,
        (user, before): (&User, &Identifier),
        address: String,
        asking: &Asking,
    ) -> Result<(NewJob, MailedLink), Fault> {
        let undo = self.settings.lifetimes.email_change_undo;
        let (token, mut link) = self.link(LinkPurpose::EmailChangeUndo, (Some(user), &before.value), asking, undo);
        if let Some(here) = asking.here
            && let Some(session) = self.edges.store.session(here.session).await?
        {
            link.details.insert(SESSION_SINCE.to_owned(), session.created_at.seconds().into());
        }
        let data = MessageData {
            url: Some(self.url(LinkPurpose::EmailChangeUndo, &token, asking).await?),
            valid_minutes: Some(minutes(undo)),
            address: Some(address),
            ..MessageData::default()
        };
        let kind = (MessageKind::EmailChangeNotice, Channel::Mail);
        Ok((self.message(kind, &before.value, (Some(user), asking), (data, undo))?, link))
    }

    /// The link of a change, while it is good: for the page that shows its button.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn email_change(&self, token: &str, purpose: LinkPurpose) -> Result<Option<GoodLink>, Fault> {
        self.edges.store.mailed_link(&TokenHash::of(token), purpose, self.now()).await
    }

    /// Puts the new address in the place of the primary one, and ends everything but the session `keep`, if it is of the same person.
    ///
    /// # Errors
    /// That the proof is wrong, used or over; that somebody else has the address by now.
    pub async fn confirm_email_change(
        &self,
        proof: &EmailChangeProof,
        keep: Option<Kept>,
        asking: &Asking,
    ) -> Result<(UserId, Identifier), AccountError> {
        let now = self.now();
        let hash = match proof {
            EmailChangeProof::Link(token) => TokenHash::of(token.expose()),
            EmailChangeProof::Code { flow, code } => self.judge_email_change(flow.expose(), code, asking).await?,
        };
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::EmailChange, now).await?;
        let link = link.ok_or(Why::EmailChangeExpired)?;
        let email = self.proven(&link.address)?;
        let event = self.event_of(EventName::EmailChanged, link.user, asking).telling("change", "replaced");
        match self.edges.store.change_email((&hash, keep), email.clone(), now, Beside::event(event)).await? {
            Added::Added => Ok((link.user, email)),
            Added::Taken => Err(Mistake::new("email", Why::EmailTaken).into()),
            Added::Void => Err(Why::EmailChangeExpired.into()),
        }
    }

    /// Puts the old address back, or stops the change that was asked for, ends everything, and takes away what was set up in the session
    /// that asked for it, or since. Returns whose address it is, and what went.
    ///
    /// # Errors
    /// That the link is used, over or unknown; that somebody else has the address by now.
    pub async fn undo_email_change(&self, token: &str, asking: &Asking) -> Result<(UserId, WentAway), AccountError> {
        let (hash, now) = (TokenHash::of(token), self.now());
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::EmailChangeUndo, now).await?;
        let link = link.ok_or(Why::LinkInvalid)?;
        let address = self.proven(&link.address)?;
        let user = self.edges.store.user(link.user).await?.ok_or(Why::LinkInvalid)?;
        let event = self.event_of(EventName::EmailChanged, link.user, asking).telling("change", "undone");
        let told = self.told_of_gone((&user, &link.address), event, asking).await?;
        let session = link.details.get(SESSION_SINCE).and_then(serde_json::Value::as_i64);
        let at = session.map_or(link.created_at, NumericDate::from_seconds);
        let denial = Denial { link: hash, address, since: Self::since(&user, at) };
        match self.edges.store.undo_email_change(denial, now, told).await? {
            (Added::Added, gone) => Ok((link.user, WentAway::of(&gone))),
            (Added::Taken, _) => Err(Mistake::new("email", Why::EmailTaken).into()),
            (Added::Void, _) => Err(Why::LinkInvalid.into()),
        }
    }

    /// The address of a link, proven by it.
    pub(super) fn proven(&self, address: &str) -> Result<Identifier, AccountError> {
        let email = Email::parse(address).ok_or(Why::LinkInvalid)?;
        let now = self.now();
        Ok(Identifier {
            id: IdentifierId::new(now, self.edges.random.bytes()),
            kind: IdentifierKind::Email,
            value: email.as_str().to_owned(),
            verified_at: Some(now),
            is_primary: true,
        })
    }

    async fn judge_email_change(&self, flow: &str, code: &str, asking: &Asking) -> Result<TokenHash, AccountError> {
        let now = self.now();
        let found = WAITING.get(&*self.edges.ephemeral, TokenHash::of(flow).as_bytes(), now).await?;
        let waiting = found.filter(|waiting| waiting.version == VERSION).ok_or(Why::EmailChangeExpired)?;
        let (sealed, whose) = (waiting.code.as_ref(), waiting.whose.as_str());
        let owner = whose.parse().ok();
        let sent = Sent { purpose: PURPOSE, handle: flow, sealed, until: waiting.expires_at, whose, owner };
        self.judge_code(sent, code, asking).await?;
        Ok(waiting.link)
    }

    fn begun_change(&self, flow: Secret) -> EmailChangeBegun {
        let lifetime = self.settings.lifetimes.email_change;
        EmailChangeBegun { flow, expires_in: lifetime.as_secs(), resend_after: self.starts.pause().as_secs() }
    }
}
