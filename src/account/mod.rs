//! What a user does for themselves: make an account, find the way back into it, change what it says, take it along, end it.
//!
//! Pages and the API are two skins of the functions here. Each changes the store by one fact, which takes the messages and events along
//! that follow from it: nothing is announced that did not happen. What strangers may ask (`registration`, `reset`, `recovery`) takes
//! the same path for an address that has an account and for one that has none: the same statements, the same answer.
//!
//! To add something: a file with an `impl Accounts`, its fact in `edge/store/`, its route in `http/api/` and its page.

pub mod attribute;
pub mod avatar;
pub mod code_factor;
pub mod contact;
mod contact_notice;
pub mod deletion;
mod dispatch;
pub mod email_change;
pub mod export;
pub mod handover;
pub mod identity;
pub mod intruder;
pub mod mistake;
pub mod new_device;
pub mod password;
pub mod password_change;
pub mod profile;
pub mod recovery;
pub mod registration;
pub mod reset;
pub mod rule;
pub mod second_factor;
pub mod settings;
pub mod site;
pub mod step_up;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::account::settings::AccountSettings;
use crate::account::site::Site;
use crate::account::start::Starts;
use crate::authn::Refusal;
use crate::authn::guard::Guard;
use crate::authn::limit::{Exceeded, Limits, Rule};
use crate::authn::otp_code::{CodeForm, OtpCodes, Verdict};
use crate::authn::password::hash::PasswordHasher;
use crate::authn::password::policy::PasswordPolicy;
use crate::edge::Edges;
use crate::edge::store::Here;
use crate::model::client::Client;
use crate::model::event::{Actor, Event, EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, SessionId, UserId};
use crate::model::identifier::Email;
use crate::model::job::NewJob;
use crate::model::mailed_link::{LinkPurpose, MailedLink};
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{MacKey, Secret, TokenHash};

pub use self::mistake::{AccountError, Mistake, Why};
pub use crate::authn::start;

/// Everything that people do with their accounts.
pub struct Accounts {
    /// What it asks of the world.
    pub edges: Edges,
    /// The bounded pool.
    pub hasher: Arc<PasswordHasher>,
    /// What a new password has to hold.
    pub passwords: PasswordPolicy,
    /// What the operator decided.
    pub settings: AccountSettings,
    /// Where links lead.
    pub site: Site,
    /// Codes.
    pub codes: OtpCodes,
    /// Starts, and how soon they may follow one another.
    pub starts: Starts,
    /// How often strangers are heard, beside the pause between two messages to one address.
    pub limits: Limits,
    /// Addresses that fail, and browsers that are known.
    pub guard: Guard,
}

/// Who asks, and from where.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    /// Where the request comes from.
    pub provenance: Provenance,
    /// What a handle is bound to: the browser's cookie, or the caller's key. A handle opens nothing for anybody else.
    pub binding: Option<TokenHash>,
    /// The app it is for.
    pub client: Option<ClientId>,
    /// The authorization request that waits, so that a link of a mail leads back into it.
    pub flow: Option<String>,
    /// BCP 47 tags, the most wanted first.
    pub languages: Vec<String>,
    /// The session of a signed-in person.
    pub session: Option<SessionId>,
    /// What goes on where a change ends everything else of the person.
    pub here: Option<Here>,
    /// The mark that the browser carries, if any.
    pub device: Option<Secret>,
}

/// A code that was sent and is waited for.
#[derive(Copy, Clone)]
struct Sent<'a> {
    /// What for.
    purpose: &'static str,
    /// The handle it was sent with.
    handle: &'a str,
    /// What is kept of it; none is right where there is none.
    sealed: Option<&'a TokenHash>,
    /// How long its tries are remembered: a new code does not bring new tries.
    until: NumericDate,
    /// Whose guesses are counted together: of an address as it was typed, or of an account that is signed in.
    whose: &'a str,
    /// The account that may know the browser, if there is one.
    owner: Option<UserId>,
}

impl Asking {
    /// True when a handle that is bound so is the asker's. One that was given to nobody in particular is good for whoever has it.
    fn holds(&self, binding: Option<&TokenHash>) -> bool {
        binding.is_none_or(|binding| self.binding.as_ref() == Some(binding))
    }
}

impl Accounts {
    /// A key of `edges` makes codes and handles.
    pub fn new(
        edges: &Edges,
        (hasher, passwords): (Arc<PasswordHasher>, PasswordPolicy),
        key: &MacKey,
        (settings, site): (AccountSettings, Site),
        (limits, guard): (Limits, Guard),
    ) -> Self {
        Self {
            codes: OtpCodes::new(edges, key.clone()),
            starts: Starts::new(edges, key.clone()),
            edges: edges.clone(),
            hasher,
            passwords,
            settings,
            site,
            limits,
            guard,
        }
    }

    /// With codes of another form.
    #[must_use]
    pub fn with_codes_of(self, form: CodeForm) -> Self {
        Self { codes: self.codes.with_form(form), ..self }
    }

    /// With another pause between two messages of one purpose to one address.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { starts: self.starts.with_pause(pause), ..self }
    }

    /// The present moment.
    pub fn now(&self) -> NumericDate {
        self.edges.clock.now()
    }

    fn event(&self, name: EventName, asking: &Asking) -> Event {
        let mut event = self.edges.event(name).by(Actor::Anonymous).from(asking.provenance.clone());
        event.client.clone_from(&asking.client);
        event.session = asking.session;
        event
    }

    fn event_of(&self, name: EventName, user: UserId, asking: &Asking) -> Event {
        let event = self.event(name, asking);
        event.of(user)
    }

    /// A job that sends a message; of no use after `lifetime`.
    fn message(
        &self,
        kind: (MessageKind, Channel),
        to: &str,
        about: (Option<&User>, &Asking),
        (data, lifetime): (MessageData, Duration),
    ) -> Result<NewJob, Fault> {
        let now = self.now();
        self.edges.outbox.job(&Self::written(kind, to, about, data), None, (now, now.plus(lifetime)))
    }

    /// A message, in the languages of who gets it, then of who asks.
    fn written(
        (kind, channel): (MessageKind, Channel),
        to: &str,
        (user, asking): (Option<&User>, &Asking),
        data: MessageData,
    ) -> Message {
        let own = user.and_then(|user| user.profile.locale.clone());
        Message {
            kind,
            channel,
            to: to.to_owned(),
            user: user.map(|user| user.id),
            client: asking.client.clone(),
            languages: own.into_iter().chain(asking.languages.iter().cloned()).collect(),
            data: MessageData {
                name: data.name.or_else(|| user.and_then(|user| user.profile.name.clone())),
                request: Some(asking.provenance.clone()),
                ..data
            },
        }
    }

    /// A link for `user`, with the token that stands in its URL; for nobody, a link that opens nothing.
    fn link(
        &self,
        purpose: LinkPurpose,
        (user, address): (Option<&User>, &str),
        asking: &Asking,
        lifetime: Duration,
    ) -> (Secret, MailedLink) {
        let now = self.now();
        let token = self.edges.random.token();
        let mut details = serde_json::Map::new();
        if let Some(flow) = &asking.flow {
            details.insert("flow".to_owned(), flow.as_str().into());
        }
        if let Some(client) = &asking.client {
            details.insert("client_id".to_owned(), client.as_str().into());
        }
        let link = MailedLink {
            hash: TokenHash::of(token.expose()),
            purpose,
            user: user.map(|user| user.id),
            address: address.to_owned(),
            epoch: user.map_or(crate::model::epoch::Epoch::FIRST, |user| user.auth_epoch),
            details,
            created_at: now,
            expires_at: now.plus(lifetime),
        };
        (token, link)
    }

    /// The URL of a link: at the app that asks, where that has an address of its own.
    async fn url(&self, purpose: LinkPurpose, token: &Secret, asking: &Asking) -> Result<String, Fault> {
        let client = match &asking.client {
            Some(id) => self.edges.store.client(id).await?,
            None => None,
        };
        Ok(self.site.url(purpose, token, client.as_deref().and_then(Client::frontend_url)))
    }

    /// Counts one use of `what`; by how much it is one too many when `rule` allows no more.
    async fn is_within(&self, (rule, what): (Rule, &str)) -> Result<Option<Exceeded>, Fault> {
        Ok(self.limits.count(&*self.edges.ephemeral, (rule, what), self.now()).await?.err())
    }

    /// Refuses one message too many of one purpose to an address or number, whoever has it (S-122, S-051).
    async fn may_send(&self, (purpose, channel): (&str, Channel), to: &str) -> Result<(), AccountError> {
        if let Some(exceeded) = self.is_within((Rule::CodeStart, &counted(purpose, to))).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        match channel {
            Channel::Mail => Ok(()),
            Channel::Sms => self.sms_budget(to).await,
        }
    }

    /// Whether a text message may go to a number that the asker is told nothing about (S-051). A number that was typed is to be counted
    /// whoever has it: another operation that tells of its budget would tell of its owner too. Where there is none, the same is counted
    /// under `handle`, which is nothing's: it takes as long.
    async fn may_text(&self, number: Option<&str>, handle: &Secret) -> Result<bool, Fault> {
        match self.sms_budget(number.unwrap_or(handle.expose())).await {
            Ok(()) => Ok(number.is_some_and(|number| self.settings.rules.allow(number))),
            Err(AccountError::Fault(fault)) => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// Judges the code that was typed for `sent`. Fine when it is right.
    ///
    /// A wrong one is a failure of its address too, as in a sign-in (S-123): not from a browser that the owner is known by, and not once
    /// more when it is typed again.
    async fn judge_code(&self, sent: Sent<'_>, typed: &str, asking: &Asking) -> Result<(), AccountError> {
        let Sent { purpose, handle, sealed, until, whose, owner } = sent;
        let (throttle, address, now) = (self.guard.throttle, asking.provenance.address.as_str(), self.now());
        let is_guess = !self.codes.was_typed((purpose, handle), typed, now).await?;
        let counts = is_guess && !self.guard.knows(owner, asking.device.as_ref());
        if counts {
            throttle.count_guess(&self.edges, address, now).await.map_err(unheard)?;
        }
        if is_guess && let Some(exceeded) = self.is_within((Rule::CodeConfirm, &counted(purpose, whose))).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        match self.codes.judge((purpose, handle), sealed, typed, (now, until)).await? {
            Verdict::Right if counts => {
                throttle.forgive_address(&*self.edges.ephemeral, address).await.map_err(unheard)
            }
            Verdict::Right => Ok(()),
            Verdict::Wrong { .. } => Err(Why::WrongCode.into()),
            Verdict::Exhausted => Err(Why::CodeAttemptsExceeded.into()),
        }
    }

    /// Refuses callers that a rule denies. How often they may ask is counted by address before (`http::rate_limit`).
    fn hear(&self, asking: &Asking) -> Result<(), AccountError> {
        if self.settings.rules.allow_caller(&asking.provenance.address) { Ok(()) } else { Err(Why::Forbidden.into()) }
    }
}

/// Why nothing is heard from an address.
fn unheard(refusal: Refusal) -> AccountError {
    match refusal {
        Refusal::TooMany(seconds) => AccountError::TooManyAttempts(seconds),
        Refusal::Fault(fault) => fault.into(),
        _ => Fault::internal("an address is refused without a time").into(),
    }
}

/// By what messages and guesses of one purpose are counted: a mailbox is one, however its address is written.
fn counted(purpose: &str, whose: &str) -> String {
    let mailbox = Email::parse(whose).map(|email| email.mailbox());
    format!("{purpose}:{}", mailbox.as_deref().unwrap_or(whose))
}

/// Minutes for a message, rounded up.
fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(60)
}
