//! Who the user is: one folder for each way to prove it.
//!
//! A method answers one question: is this attempt a proof, and of whom? `flow` collects proofs until `policy` is content; what
//! they are good for (a session, a code, step-up) is decided above. To add one: a folder with an `impl Method`, a line in
//! [`methods`].

pub mod backup_code;
pub mod captcha;
pub mod device;
pub mod flow;
pub mod guard;
pub mod limit;
pub mod magic_link;
pub mod one_time_link;
pub mod otp_code;
pub mod passkey;
pub mod password;
pub mod policy;
pub mod qr;
pub mod second_factor;
pub mod sent_code;
pub mod start;
pub mod throttle;
pub mod totp;
pub mod upstream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::authn::backup_code::BackupCode;
use crate::authn::device::Devices;
use crate::authn::guard::Guard;
use crate::authn::limit::Exceeded;
use crate::authn::magic_link::{LinkUrl, MagicLink};
use crate::authn::one_time_link::OneTimeLink;
use crate::authn::passkey::Passkeys;
use crate::authn::password::Password;
use crate::authn::password::hash::PasswordHasher;
use crate::authn::qr::Qr;
use crate::authn::second_factor::SecondFactors;
use crate::authn::sent_code::{SentCode, Way};
use crate::authn::throttle::Throttle;
use crate::authn::totp::{Totp, TotpSetup};
use crate::authn::upstream::Upstream;
use crate::edge::store::Here;
use crate::edge::{Edges, meter};
use crate::model::authentication::Authentication;
use crate::model::device_authorization::DeviceAuthorization;
use crate::model::event::{Actor, EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, SessionId, UserId};
use crate::model::user::{IdentifierKind, User};
use crate::protocol::secret::{Secret, TokenHash};

pub use crate::model::authentication::Factor;

/// A way to prove who one is.
#[async_trait]
pub trait Method: Send + Sync {
    /// Its name in URLs and configuration.
    fn name(&self) -> &'static str;

    /// The kind of thing that it proves.
    fn factor(&self) -> Factor;

    /// All that it proves at once.
    fn proves(&self) -> Vec<Factor> {
        vec![self.factor()]
    }

    /// True when it can answer for a name that was typed, with nothing proven before.
    fn proves_a_name(&self) -> bool {
        false
    }

    /// What this person can be asked for after another proof; nothing for a method that only begins a sign-in.
    ///
    /// # Errors
    /// A fault of a store.
    async fn offers(&self, _user: &User) -> Result<Vec<Offer>, Fault> {
        Ok(Vec::new())
    }

    /// True when a person who has nothing else may set it up within a sign-in that asks for more.
    fn enrols(&self) -> bool {
        false
    }

    /// Sends or makes what the answer needs, where it needs something. The attempt names the person and the challenge.
    ///
    /// # Errors
    /// A [`Refusal`]; [`Refusal::Wrong`] for a method whose answer needs nothing.
    async fn begin(&self, _attempt: &Attempt) -> Result<Begun, Refusal> {
        Err(Refusal::Wrong)
    }

    /// True when it begins a sign-in without a name: the proof says whose it is.
    fn begins_unnamed(&self) -> bool {
        false
    }

    /// How long what it sends is good, and the sign-in that waits for it, where that is not as long as any sign-in.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// What is told when that is over.
    fn when_over(&self) -> Refusal {
        Refusal::FlowExpired
    }

    /// True when it can begin a sign-in of who typed a name, by sending something to them.
    fn sends(&self) -> bool {
        false
    }

    /// Takes the pause before something is sent for a name that was typed; the handle of the sign-in.
    ///
    /// # Errors
    /// [`Refusal::Unsent`]; [`Refusal::Wrong`] for a method that sends nothing.
    async fn start(&self, _attempt: &Attempt, _identifier: &str) -> Result<Started, Refusal> {
        Err(Refusal::Wrong)
    }

    /// Sends it, after [`start`](Self::start).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    async fn begin_named(&self, _attempt: &Attempt, _identifier: &str) -> Result<Begun, Refusal> {
        Err(Refusal::Wrong)
    }

    /// Hands over what came of a [`start`](Self::start) that was fresh; one that came to nothing is taken back.
    ///
    /// # Errors
    /// That of `sent`.
    async fn settled(
        &self,
        _attempt: &Attempt,
        _identifier: &str,
        sent: Result<Begun, Refusal>,
    ) -> Result<Begun, Refusal> {
        sent
    }

    /// Makes an answer of the one value that a challenge is answered with; `identifier` is the name that was typed.
    fn read(&self, identifier: Option<&str>, value: Secret) -> Answer;

    /// Decides whether `answer` proves a person.
    ///
    /// # Errors
    /// A [`Refusal`] that says as much as a stranger may know.
    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal>;
}

/// One thing that a person can be asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Its name among the challenges of a sign-in.
    pub id: String,
    /// What tells it from others of its kind: a masked address.
    pub hint: Option<String>,
}

/// What the answer of a challenge needs.
#[derive(Clone, Debug)]
pub enum Begun {
    /// A secret that the person takes into their app.
    Setup(TotpSetup),
    /// `publicKey` of the browser's call, in JSON.
    PublicKey(serde_json::Value),
    /// A picture for somebody who is signed in elsewhere.
    Picture(Box<DeviceAuthorization>),
    /// A message; seconds until the next may be asked for.
    Sent {
        /// Seconds.
        resend_after: u64,
    },
}

/// A sign-in that begins with something that is sent.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its handle; the same for the same start within a few seconds.
    pub handle: Secret,
    /// False for the same start once more: nothing is sent again.
    pub is_fresh: bool,
}

/// Why nothing was sent.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Unsent {
    /// Something was sent to the address a moment ago; seconds to wait.
    Recently(u64),
    /// Too much was sent to the address lately.
    TooOften(Exceeded),
    /// Too many text messages.
    Budget(Exceeded),
    /// Only who has proven something gets a code here.
    SignInRequired,
    /// It could not be handed over.
    Undelivered,
    /// The operator lets nothing be sent to such a number, whoever has it.
    NotAllowed,
    /// The operator lets nothing be sent for who calls from there.
    Forbidden,
}

/// Where an attempt comes from, and what for.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// Where the request comes from: its address counts for limits, and all of it is written down with what came of it.
    pub from: Provenance,
    /// The mark that the browser carries, if any ([`device`]).
    pub device: Option<Secret>,
    /// Who has to be proven, when something is proven already.
    pub person: Option<UserId>,
    /// The session in which a person proves again who they are; `None` for a sign-in.
    pub again_in: Option<SessionId>,
    /// What goes on where a change ends everything else of the person: the session of the browser, and what an app was given through which
    /// they act.
    pub here: Option<Here>,
    /// The app that the person signs in for, or acts through.
    pub client: Option<ClientId>,
    /// The mark of a browser in which no second factor is asked for ([`second_factor`]).
    pub remembered: Option<Secret>,
    /// The sign-in under way, by the hash of its handle.
    pub flow: Option<TokenHash>,
    /// The challenge that is answered, by its name in the sign-in.
    pub challenge: Option<String>,
    /// The name that the sign-in began with, while nobody is proven.
    pub named: Option<String>,
    /// The browser that began.
    pub browser: Option<TokenHash>,
    /// Where a link leads that is sent now.
    pub onward: Onward,
    /// Languages of what is sent, the most wanted first.
    pub languages: Vec<String>,
}

impl Attempt {
    /// Writes down that the attempt failed: in the history of `user`, or in nobody's, so that both cost the same. What was
    /// typed is not told.
    pub fn note_failure(&self, edges: &Edges, method: &'static str, user: Option<UserId>) {
        let name = if self.again_in.is_some() { EventName::StepUp } else { EventName::SignIn };
        let mut event = edges.event(name).by(Actor::Anonymous).failed().from(self.from.clone());
        event = event.telling("method", method);
        event.user = user;
        event.session = self.again_in;
        event.client.clone_from(&self.client);
        edges.store.note_event(event);
    }
}

/// Where a sign-in leads that is finished by a link.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Onward {
    /// A path of this server ([`magic_link::safe_path`]).
    pub path: Option<String>,
    /// The request of an app that waits for it in this browser.
    pub request: Option<WaitingRequest>,
    /// Whether this browser keeps the session after it is closed.
    pub remember: bool,
}

/// The request of an app, as our pages name it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitingRequest {
    /// Its id; it opens nothing in another browser.
    pub flow: String,
    /// The app.
    pub client: ClientId,
}

/// What the person sent.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A name and a password.
    Password {
        /// The name, as typed.
        login: String,
        /// The password.
        password: Secret,
    },
    /// The token of a link.
    Link(Secret),
    /// The token of a link that was asked for, and what the browser that asked shows.
    MagicLink {
        /// The token.
        token: Secret,
        /// What was typed, in another browser.
        shown: Option<Secret>,
    },
    /// A code.
    Code(Secret),
    /// A person whom another server vouches for, as [`upstream`] made sure.
    Vouched(Authentication),
    /// The credential of a passkey, in JSON, or an object of it and the state that stood beside it in a page.
    Passkey(Secret),
}

/// Why an attempt is no proof.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Name, password or link are not right; which one is not told.
    Wrong,
    /// A code is not right; how many more the sign-in hears, where it counts them.
    WrongCode(Option<u8>),
    /// The code is over.
    CodeExpired,
    /// The link is used, over, unknown, or of another sign-in.
    LinkInvalid,
    /// Nothing was sent.
    Unsent(Unsent),
    /// Too many attempts; seconds until the next is heard.
    TooMany(u64),
    /// Too many failures in a row: waiting does not help, a link does. Only a browser that the account knows is told.
    Closed,
    /// The person is proven, and the account may not be used.
    Disabled,
    /// The person is proven, and the account waits for its activation.
    NotActivated,
    /// The sign-in took too long.
    FlowExpired,
    /// The sign-in is used, dead, unknown or of somebody else.
    FlowInvalid,
    /// We could not find out.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Has `method` judge an answer, and counts what came of it.
///
/// # Errors
/// What the method says.
pub async fn judge(method: &dyn Method, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
    let judged = method.finish(attempt, answer).await;
    let outcome = match &judged {
        Ok(_) => "ok",
        Err(Refusal::Wrong | Refusal::WrongCode(_) | Refusal::LinkInvalid) => "wrong",
        Err(Refusal::TooMany(_)) => "too_many",
        Err(Refusal::Closed) => "closed",
        Err(Refusal::Disabled) => "disabled",
        Err(Refusal::NotActivated) => "not_activated",
        Err(Refusal::FlowExpired | Refusal::FlowInvalid | Refusal::CodeExpired | Refusal::Unsent(_)) => "flow",
        Err(Refusal::Fault(_)) => "fault",
    };
    meter::login(method.name(), outcome);
    judged
}

/// Every method, in the order in which pages offer them; a name that is typed must be one of `names`.
pub fn methods(
    (edges, hasher): (&Edges, Arc<PasswordHasher>),
    (throttle, devices): (Throttle, Devices),
    (names, qr): (Vec<IdentifierKind>, Option<Qr>),
    (factors, passkeys): (&SecondFactors, Option<Passkeys>),
    (sent_codes, link_url): (&dyn Fn(Way, Guard) -> SentCode, LinkUrl),
) -> Vec<Box<dyn Method>> {
    let guard = Guard { edges: edges.clone(), throttle, devices: devices.clone() };
    let codes = [Way::Mail, Way::Sms].map(|way| Box::new(sent_codes(way, guard.clone())) as Box<dyn Method>);
    let mut methods: Vec<Box<dyn Method>> = vec![
        Box::new(Password { edges: edges.clone(), hasher, throttle, devices, names }),
        Box::new(OneTimeLink { edges: edges.clone(), throttle }),
    ];
    methods.extend(passkeys.clone().map(|passkeys| Box::new(passkeys) as Box<dyn Method>));
    methods.push(Box::new(Totp { factors: factors.clone(), guard: guard.clone() }));
    methods.extend(codes);
    methods.push(Box::new(MagicLink { by_mail: sent_codes(Way::Mail, guard.clone()), url: link_url }));
    methods.extend(qr.map(|qr| Box::new(qr) as Box<dyn Method>));
    methods.push(Box::new(BackupCode { factors: factors.clone(), guard }));
    methods.push(Box::new(totp::Setup { factors: factors.clone() }));
    methods.extend(passkeys.map(|passkeys| Box::new(passkey::Setup { passkeys }) as Box<dyn Method>));
    methods.push(Box::new(Upstream));
    methods
}
