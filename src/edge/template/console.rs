//! What the pages of the account console show: the contexts of `templates/page/account*.html` and `page/again.html`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::Error;
use minijinja::value::{Object, Serde, Value};
use serde::{Serialize, Serializer};

use crate::edge::template::context::account::FieldMistake;
use crate::edge::template::context::{Passkey, Profile, ProviderButton, TotpSetup};

/// What stands around every page of the console (`console.html`).
#[derive(Clone, Debug, Serialize)]
pub struct Console {
    /// Whose account it is.
    pub account: Profile,
    /// The token of the forms.
    pub csrf: String,
    /// Where signing out posts to.
    pub sign_out_action: String,
    /// The pages.
    pub menu: Menu,
}

/// The pages of the console as one of them shows them: the same for everybody who may see the same pages, so that what is made of them
/// is made once, for each language and part. Clones share it.
#[derive(Clone, Debug)]
pub struct Menu(Arc<Drawn>);

/// A menu as templates hold it: `pages`, and what the function `drawn` made of them.
#[derive(Debug)]
pub(super) struct Drawn {
    pages: Value,
    /// By language and name.
    parts: RwLock<BTreeMap<String, BTreeMap<String, Value>>>,
}

impl Menu {
    /// The menu of these pages.
    pub fn new(pages: &[ConsoleLink]) -> Self {
        Self(Arc::new(Drawn { pages: Value::from(Serde(pages)), parts: RwLock::default() }))
    }
}

impl Serialize for Menu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from_dyn_object(Arc::clone(&self.0)).serialize(serializer)
    }
}

impl Object for Drawn {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "pages").then(|| self.pages.clone())
    }
}

impl Drawn {
    /// The part of that name in that language, drawn from the pages if it has not been.
    pub(super) fn part(
        &self,
        (language, part): (&str, &str),
        draw: impl FnOnce(&Value) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = parts.get(language).and_then(|parts| parts.get(part)) {
            return Ok(drawn.clone());
        }
        drop(parts);
        let drawn = draw(&self.pages)?;
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        parts.entry(language.to_owned()).or_default().insert(part.to_owned(), drawn.clone());
        Ok(drawn)
    }
}

/// A page of the console.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleLink {
    /// Its name, which ends the ids of its links.
    pub id: &'static str,
    /// The key of its text.
    pub text: &'static str,
    /// The key of the text about it.
    pub about: &'static str,
    /// Where it is.
    pub url: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// `page/account.html`
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The frame.
    pub console: Console,
}

/// `page/account_security.html`
#[derive(Clone, Serialize)]
pub struct Security {
    /// The frame.
    pub console: Console,
    /// Where the forms post to.
    pub action: String,
    /// Whether anything is confirmed.
    pub has_factor: bool,
    /// The app that makes codes of the time.
    pub totp: Option<Factor>,
    /// Browsers in which no second factor is asked for.
    pub remembered: Vec<Remembered>,
    /// Passkeys.
    pub passkeys: Vec<Factor>,
    /// What the browser is asked for another one with; none where there are none.
    pub new_passkey: Option<Passkey>,
    /// Mailboxes and phones that get codes.
    pub addresses: Vec<CodeAddress>,
    /// One that waits for its code.
    pub waiting: Option<CodeAddress>,
    /// A secret that was made just now.
    pub setup: Option<TotpSetup>,
    /// Backup codes that were made just now.
    pub codes: Vec<String>,
    /// How many backup codes are left.
    pub codes_left: u32,
    /// How many there were.
    pub codes_total: u32,
    /// Whether a second factor is asked for at each sign-in.
    pub required: bool,
    /// Whether everybody here needs one.
    pub required_by_policy: bool,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
}

/// Something that a person proves themselves with.
#[derive(Clone, Debug, Serialize)]
pub struct Factor {
    /// Its name in forms.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Since when, in Unix seconds.
    pub since: i64,
    /// When it was last used, in Unix seconds.
    pub last_used: Option<i64>,
}

/// A browser in which no second factor is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Remembered {
    /// Its name in forms.
    pub id: String,
    /// What it is, as far as it says so; empty where it does not.
    pub device: String,
    /// From where it was when that was asked for.
    pub address: String,
    /// When that was, in Unix seconds.
    pub since: i64,
    /// Until when, in Unix seconds.
    pub until: i64,
}

/// A mailbox or phone that gets codes.
#[derive(Clone, Debug, Serialize)]
pub struct CodeAddress {
    /// Its name in forms.
    pub id: String,
    /// `email` or `sms`.
    pub kind: String,
    /// The address or number.
    pub address: String,
}

/// `page/account_invitations.html`
#[derive(Clone, Debug, Serialize)]
pub struct Invitations {
    /// The frame.
    pub console: Console,
    /// Where the forms post to.
    pub action: String,
    /// Whether the person may ask others in.
    pub may_invite: bool,
    /// What the field for an address or number holds.
    pub contact: String,
    /// What the field of the given name holds.
    pub first_name: String,
    /// What the field of the family name holds.
    pub last_name: String,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// Whether one was sent a moment ago.
    pub sent: bool,
    /// Whom the person has asked in, the newest first.
    pub invitations: Vec<SentInvitation>,
    /// Where older ones are.
    pub older_uri: Option<String>,
}

/// Somebody who was asked in.
#[derive(Clone, Debug, Serialize)]
pub struct SentInvitation {
    /// Its name in forms.
    pub id: String,
    /// The address or number.
    pub address: String,
    /// What the person is called, as far as it is known.
    pub name: String,
    /// The end of a text key `invitation-state-…`.
    pub state: String,
    /// Whether it can be taken back.
    pub waits: bool,
    /// In Unix seconds.
    pub sent_at: i64,
    /// In Unix seconds.
    pub expires_at: i64,
}

/// `page/account_apps.html`
#[derive(Clone, Debug, Serialize)]
pub struct Apps {
    /// The frame.
    pub console: Console,
    /// The apps that may see something.
    pub apps: Vec<AuthorizedApp>,
}

/// An app a person allowed something.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizedApp {
    /// Its id.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// What it may see.
    pub scopes: Vec<String>,
    /// When, in Unix seconds.
    pub granted_at: i64,
    /// Where taking it back posts to.
    pub revoke_action: String,
}

/// `page/account_identities.html`
#[derive(Clone, Debug, Serialize)]
pub struct Identities {
    /// The frame.
    pub console: Console,
    /// Identities elsewhere that open the account.
    pub identities: Vec<ConnectedIdentity>,
    /// Servers whose identities could be connected.
    pub offered: Vec<OfferedProvider>,
}

/// An identity elsewhere that opens the account.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectedIdentity {
    /// Its row.
    pub id: String,
    /// The server's name.
    pub provider: String,
    /// The address or name there.
    pub label: String,
    /// Since when, in Unix seconds.
    pub linked_at: i64,
    /// When it was last used, in Unix seconds.
    pub last_used_at: Option<i64>,
    /// Where cutting the connection posts to.
    pub cut_action: String,
}

/// A server whose identities could be connected.
#[derive(Clone, Debug, Serialize)]
pub struct OfferedProvider {
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub label: String,
    /// Where connecting posts to.
    pub connect_action: String,
}

/// `page/account_sessions.html`
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    /// The frame.
    pub console: Console,
    /// The browsers that are signed in.
    pub sessions: Vec<BrowserSession>,
    /// Where ending all others posts to.
    pub end_others_action: String,
}

/// A browser that is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct BrowserSession {
    /// What the browser calls itself, in short.
    pub device: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Where it signed in from; empty when that is not known.
    pub address: String,
    /// The app it signed in for.
    pub client: Option<String>,
    /// The provider that vouched for the person.
    pub provider: Option<String>,
    /// In Unix seconds.
    pub began: i64,
    /// In Unix seconds.
    pub last_seen: i64,
    /// Where ending it posts to.
    pub end_action: String,
}

/// `page/account_history.html`
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// The frame.
    pub console: Console,
    /// What happened, the latest first.
    pub events: Vec<Happened>,
    /// Where what happened before that is.
    pub older_uri: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Happened {
    /// The end of a text key `event-…`, or any word.
    pub name: String,
    /// Whether it was refused.
    pub failed: bool,
    /// In Unix seconds.
    pub at: i64,
    /// What the browser calls itself, in short; empty when that is not known.
    pub device: String,
    /// Where it came from; empty when that is not known.
    pub address: String,
    /// The end of a text key `event-method-…`, or any word.
    pub method: Option<String>,
    /// Through which app.
    pub client: Option<String>,
}

/// `page/again.html`
#[derive(Clone, Debug, Serialize)]
pub struct Again {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// Who is to prove it.
    pub login: String,
    /// What asks for a passkey of theirs, where they have one.
    pub passkey: Option<Passkey>,
    /// The end of a text key `again-error-…`.
    pub error: Option<String>,
    /// Where to go in place of it.
    pub stay_uri: String,
    /// Where to sign in by something else.
    pub other_uri: String,
    /// Accounts elsewhere by which they may prove it.
    pub providers: Vec<ProviderButton>,
}

/// `page/account_password.html`
#[derive(Clone, Debug, Serialize)]
pub struct PasswordPage {
    /// The frame.
    pub console: Console,
    /// Where the form posts to.
    pub action: String,
    /// Whose password it is, for the browser's memory.
    pub login: String,
    /// Whether there is one that has to be typed.
    pub has_password: bool,
    /// Whether other sessions may stay.
    pub may_keep_others: bool,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// Whether it was changed a moment ago.
    pub changed: bool,
}
