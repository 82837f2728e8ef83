//! Making an account (S-002 … S-012, S-017).
//!
//! By code nothing is kept as an account until the code is right: what somebody typed waits for ten minutes under a handle that is
//! bound to their browser, the password as its hash. By link the account is made, and may not be used until its link is. In both
//! an address that has an account gets the same answer as any other, and its owner a mail.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::settings::{Answers, Presence, SignUp};
use crate::account::start::{About, Start};
use crate::account::{AccountError, Accounts, Asking, Mistake, Sent, Why};
use crate::authn::Attempt;
use crate::authn::password::strength::Known;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::{Beside, Once, Registered};
use crate::model::authentication::{Amr, Authentication};
use crate::model::epoch::Epoch;
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::{ClientId, IdentifierId, UserId};
use crate::model::identifier::{Email, Phone, Username};
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::Channel;
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::{Secret, TokenHash};

mod elsewhere;
mod invited;
mod message;
mod names;

pub use self::elsewhere::MadeElsewhere;
pub use self::names::unfit_mistake;

/// What codes and pauses are for.
const PURPOSE: &str = "registration";
/// Registrations under way, under the hash of their handle.
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);
/// The layout of [`Waiting`].
const VERSION: u8 = 1;
/// How long one that ran out is still known as such.
const REMEMBERED: std::time::Duration = std::time::Duration::from_hours(1);

/// What somebody types who makes an account.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Their address.
    pub email: Option<String>,
    /// Their number, where they register by it.
    pub phone: Option<String>,
    /// The name they choose.
    pub username: Option<String>,
    /// Their password, if they want one.
    pub password: Option<Secret>,
    /// The same once more, if it was asked for.
    pub confirm_password: Option<Secret>,
    /// Their names.
    pub profile: Profile,
    /// What else was sent: attributes by their names.
    pub attributes: Map<String, Value>,
}

/// A registration that began.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The handle for what follows.
    pub registration: Secret,
    /// Until when it can be confirmed.
    pub expires_in: u64,
    /// When the next message may be asked for, in seconds.
    pub resend_after: u64,
}

/// An account that was made or activated.
#[derive(Clone, Debug)]
pub struct Made {
    /// The account.
    pub user: User,
    /// The authorization request that the link or registration belongs to.
    pub flow: Option<String>,
    /// The app it was for.
    pub client_id: Option<String>,
    /// The token with which a password is set, where the one that was chosen is dropped.
    pub reset: Option<Secret>,
}

impl Made {
    /// The sign-in of who proved the address or number a moment ago, and chose the password with it.
    pub fn authentication(&self, now: NumericDate) -> Authentication {
        let has_email = self.user.primary(IdentifierKind::Email).is_some_and(|email| email.verified_at.is_some());
        let amr = if has_email { Amr::Mail } else { Amr::Sms };
        Authentication::new((self.user.id, self.user.auth_epoch), now, vec![amr])
    }
}

/// The member of a link's details that holds the browser that registered (none is null), where somebody else had registered the address
/// before and not activated the account.
const CONTESTED: &str = "contested_in";

/// A registration that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    version: u8,
    binding: Option<TokenHash>,
    /// How it is confirmed.
    by: By,
    /// Where the message goes.
    contact: Contact,
    account: Typed,
    flow: Option<String>,
    /// The app that it is for.
    #[serde(default)]
    client: Option<ClientId>,
    /// Somebody else had registered the address before, and not activated the account.
    #[serde(default)]
    is_contested: bool,
    expires_at: NumericDate,
}

impl Waiting {
    /// Who asks, for the app and within the request that it began with: it may go on without naming either.
    fn asked_by(&self, asking: &Asking) -> Asking {
        Asking {
            flow: self.flow.clone().or_else(|| asking.flow.clone()),
            client: self.client.clone().or_else(|| asking.client.clone()),
            ..asking.clone()
        }
    }
}

/// How a registration is confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// By a code. None is right where the address has an account.
    Code(Option<TokenHash>),
    /// By the link of a mail.
    Link(Option<UserId>),
}

/// Where the message of a registration goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Contact {
    kind: IdentifierKind,
    value: String,
}

/// What was typed, judged and ready to be an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Typed {
    email: Option<String>,
    phone: Option<String>,
    username: Option<String>,
    phc: Option<String>,
    profile: Profile,
    attributes: Map<String, Value>,
}

impl Accounts {
    /// Begins to make an account, and sends a message to the address or number.
    ///
    /// # Errors
    /// Every field that cannot be taken; that nobody may register; that a message was sent a moment ago.
    pub async fn start_registration(&self, new: NewAccount, asking: &Asking) -> Result<Begun, AccountError> {
        if self.settings.sign_up == SignUp::Off {
            return Err(Why::SignupNotAllowed.into());
        }
        let password = new.password.clone();
        let (contact, typed) = self.judge(new).await?;
        let name = LookupName::parse(&contact.value).ok_or(Why::InvalidEmail)?;
        let now = self.now();
        let owner = self.owner(&name).await?;
        if self.settings.answers == Answers::Explicit
            && let Some(owner) = &owner
        {
            return Err(taken(owner, &name).into());
        }
        let content =
            serde_json::to_vec(&(&typed.email, &typed.phone, &typed.username, &typed.profile, &typed.attributes))
                .unwrap_or_default();
        let secret = password.as_ref().map(|password| password.expose().as_bytes()).unwrap_or_default();
        let about = About {
            purpose: PURPOSE,
            address: name.as_str(),
            binding: asking.binding.as_ref(),
            content: &[&content, secret],
        };
        // Before anything begins: whoever is not heard now may begin later.
        self.hear(asking)?;
        let handle = match self.starts.begin(about, now).await? {
            Start::Fresh(handle) => handle,
            Start::Same(handle) => return Ok(self.begun(handle, contact.kind)),
            Start::TooSoon(seconds) => return Err(AccountError::RecentlySent(seconds)),
        };
        let kind = contact.kind;
        let sent = self.send_first(&handle, (contact, typed, password.as_ref()), (&name, owner.as_ref()), asking).await;
        self.starts.settled((about, now), sent).await?;
        Ok(self.begun(handle, kind))
    }

    /// Keeps what was typed, and sends the first message.
    async fn send_first(
        &self,
        handle: &Secret,
        (contact, mut typed, password): (Contact, Typed, Option<&Secret>),
        (name, owner): (&LookupName, Option<&std::sync::Arc<User>>),
        asking: &Asking,
    ) -> Result<(), AccountError> {
        self.may_send((PURPOSE, channel(contact.kind)), name.as_str()).await?;
        // Whoever the address belongs to: the hash takes most of the time.
        if let Some(password) = password {
            typed.phc = Some(self.hasher.hash(password).await?);
        }
        let kind = contact.kind;
        let waiting = Waiting {
            version: VERSION,
            binding: asking.binding,
            by: By::Code(None),
            contact,
            account: typed,
            flow: asking.flow.clone(),
            client: asking.client.clone(),
            is_contested: false,
            expires_at: self.now().plus(self.lifetime(kind)),
        };
        self.send(handle, waiting, (owner, asking)).await
    }

    /// Sends the message of a registration once more, with a new code or link.
    ///
    /// # Errors
    /// That there is no such registration, that it ran out, that the caller is not heard, or that a message was sent a moment ago.
    pub async fn resend_registration(&self, handle: &str, asking: &Asking) -> Result<Begun, AccountError> {
        self.hear(asking)?;
        let waiting = self.waiting(handle, asking).await?;
        let name = LookupName::parse(&waiting.contact.value).ok_or(Why::RegistrationInvalid)?;
        if let Err(seconds) = self.starts.again((PURPOSE, name.as_str()), self.now()).await? {
            return Err(AccountError::RecentlySent(seconds));
        }
        let kind = waiting.contact.kind;
        self.may_send((PURPOSE, channel(kind)), name.as_str()).await?;
        let owner = self.owner(&name).await?;
        let handle = Secret::from(handle);
        let sent = self.send(&handle, waiting, (owner.as_ref(), asking)).await;
        if matches!(sent, Err(AccountError::Undelivered)) {
            let about = About { purpose: PURPOSE, address: name.as_str(), binding: None, content: &[] };
            self.starts.take_back(about, self.now()).await?;
        }
        sent?;
        Ok(self.begun(handle, kind))
    }

    /// Makes the account when the code is right. `username` replaces the one that was chosen, where that turned out to be taken.
    ///
    /// # Errors
    /// That the code is wrong, that the registration ran out, was used or is another browser's, that a name was taken meanwhile.
    pub async fn confirm_registration(
        &self,
        (handle, code): (&str, &str),
        username: Option<&str>,
        asking: &Asking,
    ) -> Result<Made, AccountError> {
        let waiting = self.waiting(handle, asking).await?;
        let By::Code(sealed) = &waiting.by else { return Err(Why::RegistrationInvalid.into()) };
        let remembered = waiting.expires_at.plus(REMEMBERED);
        let sealed = sealed.as_ref();
        let whose = waiting.contact.value.as_str();
        // Nobody has the account yet, and no browser is known by it.
        let sent = Sent { purpose: PURPOSE, handle, sealed, until: remembered, whose, owner: None };
        self.judge_code(sent, code, asking).await?;
        let mut typed = waiting.account.clone();
        if let Some(username) = username {
            typed.username = Some(self.username(username)?.as_str().to_owned());
        }
        let asking = waiting.asked_by(asking);
        let once = Once { kind: PURPOSE, hash: TokenHash::of(handle), expires_at: remembered };
        loop {
            let user = self.user(&typed, AccountState::Active, Some(&waiting.contact)).await?;
            let beside = Beside::event(self.event_of(EventName::UserCreated, user.id, &asking));
            let account = (&user, typed.phc.as_deref());
            match self.edges.store.register(account, Some(once.clone()), beside).await? {
                Registered::Created => {
                    let client_id = asking.client.as_ref().map(ToString::to_string);
                    return Ok(Made { user, flow: asking.flow, client_id, reset: None });
                }
                Registered::Already => return Err(Why::AlreadyVerified.into()),
                Registered::Taken => {}
            }
            let mistake = self.which_is_taken(&user).await?;
            if typed.phone.is_none() || !self.hides_number(&mistake, &waiting.contact) {
                return Err(mistake.into());
            }
            typed.phone = None;
        }
    }

    /// Whether a number that is somebody else's is left out of an account, to be added with its proof: a stranger is not told whether it
    /// has an owner (PROTOCOL A6).
    fn hides_number(&self, taken: &Mistake, proven: &Contact) -> bool {
        taken.field == "phone" && proven.kind != IdentifierKind::Phone && self.settings.answers != Answers::Explicit
    }

    /// By what somebody is known who registers, to judge a password that is tried; `None` when there is no such registration.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn known_by_registration(&self, handle: &Secret, asking: &Asking) -> Result<Option<Known>, Fault> {
        let Typed { email, username, profile, .. } = match self.waiting(handle.expose(), asking).await {
            Ok(waiting) => waiting.account,
            Err(AccountError::Fault(fault)) => return Err(fault),
            Err(_) => return Ok(None),
        };
        let names = [email, username, profile.given_name, profile.family_name];
        Ok(Some(names.iter().flatten().fold(Known::default(), |known, name| known.with(name))))
    }

    /// Makes an account for an address that a code of a sign-in has proven (S-018); `None` where nobody may have one so: registration is
    /// off, the rules do not take the address or hear the caller, or more must be known of people.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn newcomer(
        &self,
        email: &Email,
        attempt: &Attempt,
        now: NumericDate,
    ) -> Result<Option<(UserId, Epoch)>, Fault> {
        let settings = &self.settings;
        if !settings.rules.allow_caller(&attempt.from.address) {
            return Ok(None);
        }
        let asks_more =
            settings.username == Presence::Required || settings.attributes.asked().any(|asked| asked.required);
        if settings.sign_up == SignUp::Off || asks_more || self.email(email.as_str()).is_err() {
            return Ok(None);
        }
        let typed = Typed {
            email: Some(email.as_str().to_owned()),
            phone: None,
            username: None,
            phc: None,
            profile: Profile::default(),
            attributes: Map::new(),
        };
        let contact = Contact { kind: IdentifierKind::Email, value: email.as_str().to_owned() };
        let user = match self.user(&typed, AccountState::Active, Some(&contact)).await {
            Ok(user) => User { created_at: now, ..user },
            Err(AccountError::Fault(fault)) => return Err(fault),
            Err(_) => return Ok(None),
        };
        let mut event = self.edges.event(EventName::UserCreated).of(user.id).from(attempt.from.clone());
        event.client.clone_from(&attempt.client);
        match self.edges.store.register((&user, None), None, Beside::event(event.telling("step", "sign_in"))).await? {
            Registered::Created => Ok(Some((user.id, user.auth_epoch))),
            Registered::Already | Registered::Taken => Ok(None),
        }
    }

    /// Activates the account of a link.
    ///
    /// Where somebody else had registered the address before, and the link is opened in another browser than the one that registered,
    /// nobody knows whose password it is: it is dropped, and a new one is chosen (PROTOCOL A22).
    ///
    /// # Errors
    /// That the link is used, over or unknown.
    pub async fn activate(&self, token: &str, asking: &Asking) -> Result<Made, AccountError> {
        let (hash, now) = (TokenHash::of(token), self.now());
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::Activation, now).await?;
        let link = link.ok_or(Why::ActivationLinkInvalid)?;
        let beside = Beside::event(self.event_of(EventName::UserActivated, link.user, asking));
        let browser =
            link.details.get(CONTESTED).map(|browser| serde_json::from_value::<Option<TokenHash>>(browser.clone()));
        let is_same = |browser: &TokenHash| asking.binding.is_some_and(|binding| binding.matches(browser));
        let keeps_password = browser.is_none_or(|browser| browser.ok().flatten().as_ref().is_some_and(is_same));
        let activated = self.edges.store.activate((&hash, keeps_password), now, beside).await?;
        let activated = activated.ok_or(Why::ActivationLinkInvalid)?;
        let user = self.edges.store.user(activated).await?.ok_or(Why::ActivationLinkInvalid)?;
        let text = |name: &str| link.details.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut made =
            Made { user: user.as_ref().clone(), flow: text("flow"), client_id: text("client_id"), reset: None };
        if !keeps_password {
            let about = (Some(&*user), link.address.as_str());
            let (reset, link) = self.link(LinkPurpose::PasswordReset, about, asking, self.settings.lifetimes.reset);
            self.edges.store.record(Beside::default().and_link(link)).await?;
            made.reset = Some(reset);
        }
        Ok(made)
    }

    /// True when a link activates an account; it stays good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn can_activate(&self, token: &str) -> Result<bool, Fault> {
        let link = self.edges.store.mailed_link(&TokenHash::of(token), LinkPurpose::Activation, self.now()).await?;
        Ok(link.is_some())
    }

    /// How what goes to an address or number of this `kind` is confirmed: links are for mails.
    pub fn confirms_by_link(&self, kind: IdentifierKind) -> bool {
        self.settings.sign_up == SignUp::Link && channel(kind) == Channel::Mail
    }

    fn lifetime(&self, kind: IdentifierKind) -> std::time::Duration {
        if self.confirms_by_link(kind) {
            self.settings.lifetimes.activation
        } else {
            self.settings.lifetimes.registration
        }
    }

    fn begun(&self, registration: Secret, kind: IdentifierKind) -> Begun {
        Begun { registration, expires_in: self.lifetime(kind).as_secs(), resend_after: self.starts.pause().as_secs() }
    }

    /// Whose address or number it is.
    pub(super) async fn owner(&self, name: &LookupName) -> Result<Option<std::sync::Arc<User>>, Fault> {
        Ok(self.edges.store.user_by_name(name).await?.filter(|user| user.owns(name)))
    }

    async fn keep(&self, handle: &Secret, waiting: &Waiting) -> Result<(), Fault> {
        let key = TokenHash::of(handle.expose());
        WAITING.put(&*self.edges.ephemeral, key.as_bytes(), waiting, waiting.expires_at.plus(REMEMBERED)).await
    }

    /// The registration of a handle, in the browser that began it.
    async fn waiting(&self, handle: &str, asking: &Asking) -> Result<Waiting, AccountError> {
        let now = self.now();
        let found = WAITING.get(&*self.edges.ephemeral, TokenHash::of(handle).as_bytes(), now).await?;
        let own = found.filter(|waiting| waiting.version == VERSION && asking.holds(waiting.binding.as_ref()));
        let waiting = own.ok_or(Why::RegistrationInvalid)?;
        if waiting.expires_at.is_past(now) { Err(Why::RegistrationExpired.into()) } else { Ok(waiting) }
    }

    /// The person that `typed` describes; what was `proven` is theirs.
    async fn user(&self, typed: &Typed, state: AccountState, proven: Option<&Contact>) -> Result<User, AccountError> {
        let now = self.now();
        let identifier = |kind, value: &String| Identifier {
            id: IdentifierId::new(now, self.edges.random.bytes()),
            kind,
            value: value.clone(),
            verified_at: proven.filter(|proven| proven.kind == kind && proven.value == *value).map(|_| now),
            is_primary: true,
        };
        let username = match (&typed.username, self.settings.username) {
            (Some(username), _) => Some(username.clone()),
            (None, Presence::Optional) => Some(self.free_username(typed).await?),
            (None, Presence::Required | Presence::Off) => None,
        };
        let named = [
            username.as_ref().map(|name| identifier(IdentifierKind::Username, name)),
            typed.email.as_ref().map(|email| identifier(IdentifierKind::Email, email)),
            typed.phone.as_ref().map(|phone| identifier(IdentifierKind::Phone, phone)),
        ];
        Ok(User {
            id: UserId::new(self.edges.random.bytes()),
            profile: typed.profile.clone(),
            identifiers: named.into_iter().flatten().collect(),
            role: Role::Member,
            auth_epoch: Epoch::FIRST,
            created_at: now,
            updated_at: now,
            state,
            attributes: typed.attributes.clone(),
            last_sign_in_at: None,
        })
    }

    /// Which of the names of somebody who proved their address belongs to somebody else.
    async fn which_is_taken(&self, user: &User) -> Result<Mistake, Fault> {
        for identifier in &user.identifiers {
            let Some(name) = LookupName::parse(&identifier.value) else { continue };
            if let Some(owner) = self.edges.store.user_by_name(&name).await? {
                return Ok(taken(&owner, &name));
            }
        }
        Ok(Mistake::new("email", Why::EmailTaken))
    }
}

/// The way to an address or number.
const fn channel(kind: IdentifierKind) -> Channel {
    match kind {
        IdentifierKind::Phone => Channel::Sms,
        IdentifierKind::Email | IdentifierKind::Username => Channel::Mail,
    }
}

/// What belongs to `owner`, as a mistake of whoever wants it.
fn taken(owner: &User, name: &LookupName) -> Mistake {
    match owner.named(name).map(|identifier| identifier.kind) {
        Some(IdentifierKind::Username) => Mistake::new("username", Why::UsernameTaken),
        Some(IdentifierKind::Phone) => Mistake::new("phone", Why::PhoneTaken),
        Some(IdentifierKind::Email) | None => Mistake::new("email", Why::EmailTaken),
    }
}

/// Reads addresses and numbers as they are kept.
fn contact(email: Option<&Email>, phone: Option<&Phone>) -> Option<Contact> {
    match (email, phone) {
        (Some(email), _) => Some(Contact { kind: IdentifierKind::Email, value: email.as_str().to_owned() }),
        (None, Some(phone)) => Some(Contact { kind: IdentifierKind::Phone, value: phone.as_str().to_owned() }),
        (None, None) => None,
    }
}

/// As it is kept: a name in one form.
fn kept(username: &Username) -> String {
    username.as_str().to_owned()
}
