//! Codes that are sent: to a mailbox, or to a phone. A way to sign in of its own, and a second factor.
//!
//! NIST SP 800-63B-4 §3.1.3; PROTOCOL A6 to A8, A10, A17; S-018, S-039 to S-048, S-112. A code is good for one sign-in, one account,
//! one address and the browser that began; it is kept as a seal. An address that nobody has gets the same answers, and the same work, as
//! one that somebody has; an account is made when its code was right, never when it was asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::authn::guard::{Guard, Typed, Whose};
use crate::authn::limit::{Limits, Rule};
use crate::authn::otp_code::{OtpCodes, Verdict};
use crate::authn::password::hash::PasswordHasher;
use crate::authn::start::{About, Start, Starts};
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Offer, Refusal, Started, Unsent};
use crate::edge::Edges;
use crate::edge::ephemeral::Namespace;
use crate::edge::outbox::Handed;
use crate::edge::store::Beside;
use crate::edge::undelivered::{Outlook, Undelivered};
use crate::model::authentication::{Amr, Authentication};
use crate::model::authenticator::{Authenticator, AuthenticatorKind};
use crate::model::epoch::Epoch;
use crate::model::event::{Actor, EventName};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::identifier::{Email, Phone};
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, LookupName, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long the count of its tries is kept.
const REMEMBERED: Duration = Duration::from_mins(10);
/// What codes of sign-ins are for.
const PURPOSE: &str = "sign_in";

const SENT: Namespace<Sent> = Namespace::new("sign_in_code");

/// A code that waits to be typed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    /// Whose it is; nobody's where the address has no account.
    user: Option<UserId>,
    /// The person's epoch when it was sent: what ends everything ends it too.
    epoch: Option<Epoch>,
    /// Where it went.
    address: String,
    /// None is right where nothing was sent.
    code: Option<TokenHash>,
    expires_at: NumericDate,
}

/// By which way codes go.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// By mail: the method `email_code`.
    Mail,
    /// By text message: the method `sms_code`.
    Sms,
}

impl Way {
    const fn channel(self) -> Channel {
        match self {
            Self::Mail => Channel::Mail,
            Self::Sms => Channel::Sms,
        }
    }

    const fn kind(self) -> IdentifierKind {
        match self {
            Self::Mail => IdentifierKind::Email,
            Self::Sms => IdentifierKind::Phone,
        }
    }

    /// The authenticator that is such an address.
    pub const fn authenticator(self) -> AuthenticatorKind {
        match self {
            Self::Mail => AuthenticatorKind::Email,
            Self::Sms => AuthenticatorKind::Sms,
        }
    }
}

/// Makes an account for an address that was proven; `None` where nobody may have one.
pub type Newcomers = Arc<
    dyn Fn(Email, Attempt, NumericDate) -> BoxFuture<'static, Result<Option<(UserId, Epoch)>, Fault>> + Send + Sync,
>;

/// Whether rules of the operator take an address or number, or hear who calls from there (S-024).
pub type Allowed = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What the operator decided about codes.
#[derive(Clone, Debug)]
pub struct CodeSettings {
    /// Whether a code is sent to whom nothing is known of yet.
    pub to_anonymous: ToAnonymous,
    /// Accounts that sign in with a fixed code, for who reviews an app.
    pub review_accounts: Vec<ReviewAccount>,
    /// How long a code is good.
    pub lifetime: Duration,
}

/// Whether a code is sent in a sign-in that has proven nothing yet.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum ToAnonymous {
    /// It is: codes are a way to sign in.
    Sent,
    /// It is not: codes are second factors alone.
    Refused,
}

/// An account that signs in with a fixed code, until a day.
#[derive(Clone, Debug)]
pub struct ReviewAccount {
    /// Its address, exactly.
    pub address: String,
    /// The code, as a PHC string.
    pub code: Secret,
    /// The end.
    pub until: NumericDate,
    /// From where; nowhere else.
    pub from: Option<IpAddr>,
}

/// The methods `email_code` and `sms_code`.
#[derive(Clone)]
pub struct SentCode {
    /// By which way.
    pub way: Way,
    /// What it asks of the world.
    pub edges: Edges,
    /// Draws and judges.
    pub codes: OtpCodes,
    /// The pause between two messages.
    pub starts: Starts,
    /// How often strangers are heard, and how many text messages go out.
    pub limits: Limits,
    /// Wrong answers.
    pub guard: Guard,
    /// The bounded pool, for codes of review accounts.
    pub hasher: Arc<PasswordHasher>,
    /// What the operator decided.
    pub settings: CodeSettings,
    /// Rules for addresses and numbers.
    pub allowed: Allowed,
    /// Rules for who calls.
    pub allowed_caller: Allowed,
    /// Makes accounts; none where codes make none.
    pub newcomers: Option<Newcomers>,
}

/// Where a message goes, and whose it is.
pub(in crate::authn) struct Target {
    pub(in crate::authn) address: String,
    pub(in crate::authn) user: Option<Arc<User>>,
}

impl SentCode {
    /// The address that a typed name means: the one that its owner has proven, as they wrote it, or the primary proven one of the owner of
    /// another name. Where nobody has proven it, it is nobody's, and means itself.
    ///
    /// *Why not as it was typed:* names that are looked up as one may be two mailboxes (PROTOCOL A22).
    pub(in crate::authn) async fn target(&self, typed: &str) -> Result<Target, Fault> {
        let address = match self.way {
            Way::Mail => Email::parse(typed).map(|email| email.as_str().to_owned()),
            Way::Sms => Phone::parse(typed).map(|phone| phone.as_str().to_owned()),
        };
        let name = LookupName::parse(typed);
        let user = match &name {
            Some(name) => self.edges.store.user_by_name(name).await?,
            None => None,
        };
        // One name is read whoever has the address: an answer tells nothing by its time (S-025).
        let read = |value: &str| std::hint::black_box(LookupName::parse(value));
        let own = match (&user, &address) {
            (Some(user), Some(_)) => user.of_kind(self.way.kind()).find(|own| read(&own.value) == name),
            (Some(user), None) => user.primary(self.way.kind()),
            (None, _) => read(typed).and(None),
        };
        let own = own.filter(|own| own.verified_at.is_some());
        let own = own.map(|own| own.value.clone());
        let is_theirs = |user: &User| own.is_some() || name.as_ref().is_some_and(|name| user.owns(name));
        let user = user.filter(|user| is_theirs(user));
        Ok(Target { user, address: own.or(address).unwrap_or_else(|| typed.to_owned()) })
    }

    /// One mailbox has one pause, however its address is written (S-041).
    pub(in crate::authn) fn mailbox(&self, address: &str) -> String {
        match self.way {
            Way::Mail => Email::parse(address).map_or_else(|| address.to_lowercase(), |email| email.mailbox()),
            Way::Sms => address.to_owned(),
        }
    }

    /// By what messages to an address are counted, and what their pause is of: the mailbox, for strangers. Those who ask for codes in
    /// somebody's name use up neither the room of a browser that the account knows, nor that of who has proven something (PROTOCOL A5).
    pub(in crate::authn) fn counter(&self, attempt: &Attempt, target: &Target) -> String {
        let mailbox = self.mailbox(&target.address);
        let owner = target.user.as_ref().map(|user| user.id);
        let known = owner.zip(attempt.device.as_ref());
        match known.filter(|(user, mark)| self.guard.devices.recognises(*user, mark)) {
            _ if attempt.person.is_some() => format!("{mailbox} proven"),
            Some((_, mark)) => {
                format!("{mailbox} {}", URL_SAFE_NO_PAD.encode(TokenHash::of(mark.expose()).as_bytes()))
            }
            None => mailbox,
        }
    }

    /// Refuses a caller whom a rule denies (S-024), and an address that failed too often: they have nothing sent (S-123). A browser that
    /// the owner is known by is heard (PROTOCOL A5); one that somebody else is known by is not.
    pub(in crate::authn) async fn hears(&self, attempt: &Attempt, target: &Target) -> Result<(), Refusal> {
        if !(self.allowed_caller)(&attempt.from.address) {
            return Err(Refusal::Unsent(Unsent::Forbidden));
        }
        let owner = target.user.as_ref().map(|user| user.id);
        if self.guard.knows(owner, attempt.device.as_ref()) {
            return Ok(());
        }
        self.guard.throttle.check_address(&self.edges, &attempt.from.address, self.edges.clock.now()).await
    }

    /// Whether one more message may go to this address.
    pub(in crate::authn) async fn is_within(&self, attempt: &Attempt, target: &Target) -> Result<(), Refusal> {
        let now = self.edges.clock.now();
        let (ephemeral, counter) = (&*self.edges.ephemeral, self.counter(attempt, target));
        if let Err(exceeded) = self.limits.count(ephemeral, (Rule::CodeStart, &counter), now).await? {
            return Err(Refusal::Unsent(Unsent::TooOften(exceeded)));
        }
        if self.way == Way::Mail {
            return Ok(());
        }
        // Known browsers have one room together: marks can be had in any number, text messages cost money.
        let is_known = counter != self.mailbox(&target.address);
        let counter = if is_known { format!("{} known", target.address) } else { target.address.clone() };
        sms_budget(&self.edges, &self.limits, (&target.address, &counter)).await
    }

    /// The authenticator of the person that the attempt names.
    async fn own(&self, attempt: &Attempt, person: UserId) -> Result<Authenticator, Refusal> {
        let own = self.edges.store.authenticators(person).await?;
        let is_meant = |own: &&Authenticator| {
            own.kind == self.way.authenticator()
                && own.confirmed_at.is_some()
                && attempt.challenge.as_deref() == Some(own.id.to_string().as_str())
        };
        own.iter().find(is_meant).cloned().ok_or(Refusal::Wrong)
    }

    fn key(attempt: &Attempt) -> Result<TokenHash, Refusal> {
        let flow = attempt.flow.ok_or(Refusal::Wrong)?;
        let challenge = attempt.challenge.as_deref().unwrap_or_default();
        Ok(TokenHash::of_bytes(&[flow.as_bytes(), challenge.as_bytes()].concat()))
    }

    /// What a code is bound to, beside its purpose: the sign-in, the account and the address.
    fn bound(key: &TokenHash, user: Option<UserId>, address: &str) -> String {
        let user = user.map(|user| user.to_string()).unwrap_or_default();
        format!("{}:{user}:{address}", URL_SAFE_NO_PAD.encode(key.as_bytes()))
    }

    /// Whether something is really sent: to whom has an account that may be used, or may have one.
    pub(in crate::authn) fn is_sent(&self, target: &Target, attempt: &Attempt) -> bool {
        let is_address = match self.way {
            Way::Mail => Email::parse(&target.address).is_some(),
            Way::Sms => Phone::parse(&target.address).is_some(),
        };
        let may_come = self.newcomers.is_some()
            && self.way == Way::Mail
            && attempt.person.is_none()
            && (self.allowed)(&target.address);
        is_address && target.user.as_ref().map_or(may_come, |user| user.is_enabled())
    }

    /// Takes the pause before something is sent for `purpose`; another `content` makes it another start.
    pub(in crate::authn) async fn started(
        &self,
        (purpose, content): (&'static str, &[&str]),
        attempt: &Attempt,
        identifier: &str,
    ) -> Result<Started, Refusal> {
        if self.settings.to_anonymous == ToAnonymous::Refused {
            return Err(Refusal::Unsent(Unsent::SignInRequired));
        }
        // As it was typed: what is judged is the number, and not whether anybody has it.
        let typed = Phone::parse(identifier).filter(|_| self.way == Way::Sms);
        if typed.is_some_and(|number| !(self.allowed)(number.as_str())) {
            return Err(Refusal::Unsent(Unsent::NotAllowed));
        }
        let target = self.target(identifier).await?;
        self.hears(attempt, &target).await?;
        let address = self.counter(attempt, &target);
        let client = attempt.client.as_ref().map(ToString::to_string).unwrap_or_default();
        let content = contents(&client, content);
        let about = About { purpose, address: &address, binding: attempt.browser.as_ref(), content: &content };
        match self.starts.begin(about, self.edges.clock.now()).await? {
            Start::Fresh(handle) => Ok(Started { handle, is_fresh: true }),
            Start::Same(handle) => Ok(Started { handle, is_fresh: false }),
            Start::TooSoon(seconds) => Err(Refusal::Unsent(Unsent::Recently(seconds))),
        }
    }

    /// Hands over what came of something that took the pause of a [`counter`](Self::counter); the pause is given back where nothing was
    /// sent.
    pub(in crate::authn) async fn settle(
        &self,
        (purpose, content): (&'static str, &[&str]),
        (attempt, address): (&Attempt, String),
        sent: Result<Begun, Refusal>,
    ) -> Result<Begun, Refusal> {
        let client = attempt.client.as_ref().map(ToString::to_string).unwrap_or_default();
        let content = contents(&client, content);
        let about = About { purpose, address: &address, binding: attempt.browser.as_ref(), content: &content };
        self.starts.settled((about, self.edges.clock.now()), sent).await
    }

    /// Sends a message: at once or by the outbox, as the operator wants. For nobody the same is done, as far as it goes without an address.
    pub(in crate::authn) async fn dispatch(
        &self,
        message: Message,
        (is_sent, lifetime): (bool, Duration),
    ) -> Result<(), Refusal> {
        let now = self.edges.clock.now();
        let handed = self.edges.outbox.hand_over(message.channel, Some(&message).filter(|_| is_sent), now).await;
        match handed {
            Ok(Handed::Over) => Ok(()),
            Ok(Handed::Later) => {
                // For nobody the same is written, and thrown away.
                let useful = if is_sent { lifetime } else { Duration::ZERO };
                let job = self.edges.outbox.job(&message, None, (now, now.plus(useful)))?;
                Ok(self.edges.store.record(Beside::default().and_job(job)).await?)
            }
            // There is no such address: who asks is told no more than of any other.
            Err(Undelivered { reason, outlook: Outlook::Lasting }) => {
                tracing::warn!(reason, "a message was refused");
                Ok(())
            }
            Err(undelivered) => {
                tracing::error!(reason = undelivered.reason, "a message could not be handed over");
                Err(Refusal::Unsent(Unsent::Undelivered))
            }
        }
    }

    /// Who has read what was sent to an address: its owner while nothing has ended everything of theirs since, or the person of an account
    /// that is made by this. `epoch` was read before the answer was judged.
    pub(in crate::authn) async fn proven(
        &self,
        attempt: &Attempt,
        (owner, sent_in, address): (Option<UserId>, Option<Epoch>, &str),
        epoch: Option<Epoch>,
    ) -> Result<Option<(UserId, Epoch)>, Fault> {
        match (owner, Email::parse(address), &self.newcomers) {
            (Some(user), _, _) => {
                Ok(epoch.filter(|epoch| sent_in.is_some_and(|then| then >= *epoch)).map(|epoch| (user, epoch)))
            }
            (None, Some(email), Some(newcomers)) => newcomers(email, attempt.clone(), self.edges.clock.now()).await,
            _ => Ok(None),
        }
    }

    /// Sends a code; one that was sent before for the same is not good any more.
    async fn send(&self, attempt: &Attempt, target: Target) -> Result<Begun, Refusal> {
        let now = self.edges.clock.now();
        let key = Self::key(attempt)?;
        let is_sent = self.is_sent(&target, attempt);
        let Target { address, user } = target;
        let review = is_sent && self.review(&address, attempt).is_some();
        let epoch = match &user {
            Some(user) => self.edges.store.auth_epoch(user.id).await?,
            None => self.edges.store.auth_epoch(UserId::new([0; 16])).await?,
        };
        let code = self.codes.draw();
        let owner = user.as_ref().map(|user| user.id);
        let sealed = self.codes.seal(PURPOSE, &Self::bound(&key, owner, &address), &code);
        let sent = Sent {
            user: owner,
            epoch,
            address: address.clone(),
            code: is_sent.then_some(sealed),
            expires_at: now.plus(self.settings.lifetime),
        };
        SENT.put(&*self.edges.ephemeral, key.as_bytes(), &sent, sent.expires_at.plus(REMEMBERED)).await?;
        let message = Message {
            kind: MessageKind::SignInCode,
            channel: self.way.channel(),
            to: if is_sent { address } else { String::new() },
            user: owner,
            client: attempt.client.clone(),
            languages: user
                .iter()
                .filter_map(|user| user.profile.locale.clone())
                .chain(attempt.languages.clone())
                .collect(),
            data: MessageData {
                name: user.as_ref().and_then(|user| user.profile.name.clone()),
                code: Some(code.expose().clone()),
                valid_minutes: Some(self.settings.lifetime.as_secs().div_ceil(60)),
                request: Some(attempt.from.clone()),
                ..MessageData::default()
            },
        };
        if let Err(refusal) = self.dispatch(message, (is_sent && !review, self.settings.lifetime)).await {
            // No code is good that nobody got.
            SENT.take(&*self.edges.ephemeral, key.as_bytes(), now).await?;
            return Err(refusal);
        }
        Ok(Begun::Sent { resend_after: self.starts.pause().as_secs() })
    }

    /// The review account at this address, from there, now.
    fn review(&self, address: &str, attempt: &Attempt) -> Option<&ReviewAccount> {
        let now = self.edges.clock.now();
        self.settings.review_accounts.iter().find(|review| {
            review.address == address
                && !review.until.is_past(now)
                && review.from.is_none_or(|from| attempt.from.address == from.to_string())
        })
    }

    /// True when `typed` is the fixed code of the review account that this was sent to. Each use is written down.
    async fn is_review_code(&self, sent: &Sent, typed: &Secret, attempt: &Attempt) -> Result<bool, Refusal> {
        let Some(review) = self.review(&sent.address, attempt).filter(|_| sent.code.is_some()) else {
            return Ok(false);
        };
        let check = self.hasher.verify(typed, Some(review.code.expose().as_str())).await?;
        if check.is_right() {
            tracing::warn!(address = %review.address, "a review account signs in with its fixed code");
            let mut event = self.edges.event(EventName::SignIn).by(Actor::Anonymous).from(attempt.from.clone());
            event.user = sent.user;
            self.edges.store.note_event(event.telling("reason", "review_account"));
        }
        Ok(check.is_right())
    }
}

/// What makes two starts differ.
fn contents<'a>(client: &'a str, content: &[&'a str]) -> Vec<&'a [u8]> {
    std::iter::once(client).chain(content.iter().copied()).map(str::as_bytes).collect()
}

/// Counts a text message to `number`, and refuses one too many: to it, to numbers like it, or of all (S-051). What goes to the number is
/// counted by `counter`, which tells a browser that its owner is known by from strangers: those cannot use up its room. What is no number
/// (E.164) is counted apart: no message goes out.
///
/// # Errors
/// [`Unsent::Budget`]; a fault of the ephemeral store.
pub async fn sms_budget(edges: &Edges, limits: &Limits, (number, counter): (&str, &str)) -> Result<(), Refusal> {
    let now = edges.clock.now();
    // The country and the first digits of the network: who pumps messages buys numbers in a row.
    let prefix: String = number.chars().take(6).collect();
    let all = if number.starts_with('+') { "all" } else { number };
    for (rule, what) in [(Rule::SmsNumber, counter), (Rule::SmsPrefix, prefix.as_str()), (Rule::SmsTotal, all)] {
        if let Err(exceeded) = limits.count(&*edges.ephemeral, (rule, what), now).await? {
            let event = edges.event(EventName::SecurityBlocked).failed().by(Actor::Server);
            edges.store.note_event(event.telling("reason", "sms_budget").telling("rule", rule.as_str()));
            return Err(Refusal::Unsent(Unsent::Budget(exceeded)));
        }
    }
    Ok(())
}

#[async_trait]
impl Method for SentCode {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Mail => "email_code",
            Way::Sms => "sms_code",
        }
    }

    fn factor(&self) -> Factor {
        match self.way {
            Way::Mail => Factor::Mailbox,
            Way::Sms => Factor::Possession,
        }
    }

    async fn offers(&self, user: &User) -> Result<Vec<Offer>, Fault> {
        let own = self.edges.store.authenticators(user.id).await?.into_iter();
        let own = own.filter(|own| own.kind == self.way.authenticator() && own.confirmed_at.is_some());
        Ok(own.map(|own| Offer { id: own.id.to_string(), hint: Some(masked(self.way, &own.target)) }).collect())
    }

    fn sends(&self) -> bool {
        true
    }

    fn when_over(&self) -> Refusal {
        Refusal::CodeExpired
    }

    async fn start(&self, attempt: &Attempt, identifier: &str) -> Result<Started, Refusal> {
        self.started((self.name(), &[]), attempt, identifier).await
    }

    async fn begin_named(&self, attempt: &Attempt, identifier: &str) -> Result<Begun, Refusal> {
        let target = self.target(identifier).await?;
        self.is_within(attempt, &target).await?;
        self.send(attempt, target).await
    }

    async fn settled(
        &self,
        attempt: &Attempt,
        identifier: &str,
        sent: Result<Begun, Refusal>,
    ) -> Result<Begun, Refusal> {
        if sent.is_ok() {
            return sent;
        }
        let counter = self.counter(attempt, &self.target(identifier).await?);
        self.settle((self.name(), &[]), (attempt, counter), sent).await
    }

    async fn begin(&self, attempt: &Attempt) -> Result<Begun, Refusal> {
        let target = match (attempt.person, &attempt.named) {
            (Some(person), _) => {
                let own = self.own(attempt, person).await?;
                Target { address: own.target, user: self.edges.store.user(person).await? }
            }
            (None, Some(named)) => self.target(named).await?,
            (None, None) => return Err(Refusal::Wrong),
        };
        self.hears(attempt, &target).await?;
        let counter = self.counter(attempt, &target);
        if let Err(seconds) = self.starts.again((self.name(), &counter), self.edges.clock.now()).await? {
            return Err(Refusal::Unsent(Unsent::Recently(seconds)));
        }
        let sent = async {
            self.is_within(attempt, &target).await?;
            self.send(attempt, target).await
        };
        self.settle((self.name(), &[]), (attempt, counter), sent.await).await
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Code(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Code(typed) = answer else { return Err(Refusal::Wrong) };
        let now = self.edges.clock.now();
        let key = Self::key(attempt)?;
        let found = SENT.get(&*self.edges.ephemeral, key.as_bytes(), now).await?;
        let sent = found.ok_or(Refusal::WrongCode(None))?;
        if sent.expires_at.is_past(now) {
            return Err(Refusal::CodeExpired);
        }
        let mailbox = self.mailbox(&sent.address);
        let whose = sent.user.map_or(Whose::Address(&mailbox), Whose::User);
        let bound = Self::bound(&key, sent.user, &sent.address);
        let was_typed = self.codes.was_typed((PURPOSE, &bound), typed.expose(), now).await?;
        let counted = self.guard.count(attempt, whose, if was_typed { Typed::Again } else { Typed::Anew }).await?;
        let epoch = self.edges.store.auth_epoch(sent.user.unwrap_or_else(|| UserId::new([0; 16]))).await?;
        let until = sent.expires_at.plus(REMEMBERED);
        let verdict = self.codes.judge((PURPOSE, &bound), sent.code.as_ref(), typed.expose(), (now, until)).await?;
        let is_right = verdict == Verdict::Right || self.is_review_code(&sent, typed, attempt).await?;
        // Good once, in the main store: a lost cache makes no code good again.
        if !is_right
            || !counted.is_heard()
            || !self.edges.store.consume_once("sign_in_code", &TokenHash::of(&bound), until, now).await?
        {
            attempt.note_failure(&self.edges, self.name(), sent.user);
            return Err(Refusal::WrongCode(None));
        }
        self.guard.forgive(counted).await?;
        let amr = match self.way {
            Way::Mail => Amr::Mail,
            Way::Sms => Amr::Sms,
        };
        let proven = self.proven(attempt, (sent.user, sent.epoch, &sent.address), epoch).await?;
        proven.map(|proven| Authentication::new(proven, now, vec![amr])).ok_or(Refusal::WrongCode(None))
    }
}

/// An address as its owner recognises it.
fn masked(way: Way, address: &str) -> String {
    match way {
        Way::Mail => Email::parse(address).map(|email| email.masked()),
        Way::Sms => Phone::parse(address).map(|phone| phone.masked()),
    }
    .unwrap_or_default()
}
