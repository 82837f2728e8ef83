//! What each page shows: the contexts of `templates/page/*.html`, one type for each page.
//!
//! A page and the code that fills it meet here; every field is present, absent values are null.

use serde::Serialize;

pub mod account;
pub mod device;

/// The app that asks, as shown on sign-in, consent and sign-out.
#[derive(Clone, Debug, Serialize)]
pub struct Client {
    /// Its registered name.
    pub name: String,
    /// The host its answer goes to: what tells a person more than a name anybody may choose.
    pub host: String,
    /// `client_uri` (RFC 7591 §2), as the four below.
    pub client_uri: Option<String>,
    /// `logo_uri`; it gets the id `client-logo`.
    pub logo_uri: Option<String>,
    /// `policy_uri`; `client-policy`.
    pub policy_uri: Option<String>,
    /// `tos_uri`; `client-tos`.
    pub tos_uri: Option<String>,
    /// Whether nobody vouches for it: it registered itself (RFC 7591 §5).
    pub self_registered: bool,
}

/// The account somebody is signed in with.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The name to address the person by.
    pub name: String,
    /// What they type to sign in.
    pub login: String,
}

/// `page/sign_in.html`
#[derive(Clone, Debug, Serialize)]
pub struct SignIn {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// What the login field holds at first.
    pub login: String,
    /// Whether somebody who is signed in is to prove it once more.
    pub again: bool,
    /// Whether the account is settled: it is shown and cannot be changed.
    pub login_locked: bool,
    /// The end of a text key `sign-in-error-…`.
    pub error: Option<String>,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
    /// Where people make an account, if they may.
    pub register_uri: Option<String>,
    /// The end of the key of the field's label: `any`, else the kinds of names that are heard, such as `email-phone`.
    pub names: String,
    /// Where people find the way back who forgot their password, if they may.
    pub recover_uri: Option<String>,
    /// Servers elsewhere by which people sign in.
    pub providers: Vec<ProviderButton>,
    /// What is connected with the account after this sign-in.
    pub connects: Option<Connects>,
    /// The other ways to sign in.
    pub methods: Vec<Method>,
    /// Whether "keep me signed in" is offered.
    pub remember: bool,
    /// The accounts a development server offers with one click.
    pub development_users: Vec<DevelopmentUser>,
    /// What keeps programs from trying.
    pub captcha: Option<Captcha>,
    /// What the browser is asked for a passkey with.
    pub passkey: Option<Passkey>,
}

/// What the browser is asked for a passkey with, and the form that takes its answer: the ids `passkey-form`, `passkey-submit`.
#[derive(Clone, Serialize)]
pub struct Passkey {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// `publicKey` in JSON.
    pub options: String,
    /// The state of the challenge, sealed.
    pub state: String,
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passkey").field("action", &self.action).finish_non_exhaustive()
    }
}

/// `part/captcha.html`: a challenge of our own, or the widget of a service.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Captcha {
    /// A challenge in JSON.
    pub challenge: Option<String>,
    /// The script of a widget.
    pub script: Option<String>,
    /// The class of the element that becomes the widget.
    pub class: Option<String>,
    /// What the widget is told.
    pub site_key: Option<String>,
}

/// A server elsewhere by which people sign in.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderButton {
    /// Its name in URLs; it gets the id `provider-<slug>`.
    pub slug: String,
    /// Its name for people.
    pub label: String,
    /// Where signing in there begins.
    pub url: String,
    /// Its picture.
    pub logo_uri: Option<String>,
    /// Whether it was the last that was used in this browser.
    pub last_used: bool,
}

/// An identity elsewhere that waits for its account.
#[derive(Clone, Debug, Serialize)]
pub struct Connects {
    /// The server's name.
    pub provider: String,
    /// The address or name there.
    pub identity: String,
}

/// `page/connect.html`; the answer is `decision`: `connect` or `skip`.
#[derive(Clone, Debug, Serialize)]
pub struct Connect {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The server's name.
    pub provider: String,
    /// The address or name there.
    pub identity: String,
    /// The account here.
    pub account: Account,
}

/// Another way to sign in.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// The end of a text key `method-…`.
    pub name: String,
    /// Its page.
    pub url: String,
}

/// An account of a development server, with its password.
#[derive(Clone, Serialize)]
pub struct DevelopmentUser {
    /// The name of the person.
    pub name: String,
    /// What they sign in with.
    pub username: String,
    /// Generated for this data folder.
    pub password: String,
}

impl std::fmt::Debug for DevelopmentUser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DevelopmentUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// `page/select_account.html`; the choice is `account`, `current` or `other`.
#[derive(Clone, Debug, Serialize)]
pub struct SelectAccount {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The accounts of this browser.
    pub accounts: Vec<Account>,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// `page/consent.html`; the answer is `decision`: `accept`, `deny` or `switch`; optional scopes come as `scope`.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The app that asks.
    pub client: Client,
    /// Who is asked.
    pub account: Account,
    /// What it asks for.
    pub scopes: Vec<ConsentScope>,
    /// Claims it asks for one by one (OIDC Core §5.5).
    pub claims: Vec<String>,
    /// Whether it asks to stay connected (OIDC Core §11).
    pub offline_access: bool,
    /// The page where this can be taken back, if there is one.
    pub revoke_uri: Option<String>,
}

/// A scope as consent shows it.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentScope {
    /// The scope itself.
    pub name: String,
    /// Whether we know what it means.
    pub known: bool,
    /// Whether it comes on top of what was allowed before.
    pub is_new: bool,
    /// Whether the person may leave it out.
    pub optional: bool,
}

/// `page/link.html`: a link that signs in once.
#[derive(Clone, Serialize)]
pub struct LinkPage {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the link.
    pub token: String,
}

/// `page/second_factor.html`: the id `otp` is the field, `otp-submit` the button.
#[derive(Clone, Serialize)]
pub struct SecondFactor {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// Whether something is proven already.
    pub is_second: bool,
    /// Whether what is asked for has to be sent.
    pub sends: bool,
    /// Whether it was sent.
    pub sent: bool,
    /// The end of the text keys `second-about-…`.
    pub method: String,
    /// What the browser is asked for a passkey with, where one is asked for.
    pub passkey: Option<Passkey>,
    /// What is asked for, by its name in the sign-in.
    pub challenge: String,
    /// What tells it from others of its kind.
    pub hint: Option<String>,
    /// A secret that was made just now.
    pub setup: Option<TotpSetup>,
    /// What is typed where a link is opened in another browser.
    pub confirm_code: Option<String>,
    /// What else may be answered.
    pub others: Vec<OtherFactor>,
    /// The end of a text key `second-error-…`.
    pub error: Option<String>,
    /// For how many days this browser may be remembered, where it may.
    pub remember_days: Option<u64>,
    /// Where one begins anew.
    pub sign_in_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// `page/send_code.html`
#[derive(Clone, Debug, Serialize)]
pub struct SendCode {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// `email_code`, `sms_code` or `magic_link`.
    pub method: String,
    /// What the field holds.
    pub login: String,
    /// The end of a text key `mistake-…`.
    pub error: Option<String>,
    /// Where one signs in otherwise.
    pub sign_in_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
    /// What keeps programs from trying.
    pub captcha: Option<Captcha>,
}

/// `page/magic_link.html`: a link that was asked for, opened.
#[derive(Clone, Debug, Serialize)]
pub struct MagicLinkPage {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the link.
    pub token: String,
    /// Whether it was asked for in another browser, whose code has to be typed.
    pub asks_code: bool,
    /// The end of a text key `magic-error-…`.
    pub error: Option<String>,
}

/// `page/passkey_offer.html`: a passkey for who signed in by password just now.
#[derive(Clone, Debug, Serialize)]
pub struct PasskeyOffer {
    /// What makes one.
    pub passkey: Passkey,
    /// The end of a text key `mistake-…`.
    pub error: Option<String>,
}

/// Another way to go on.
#[derive(Clone, Debug, Serialize)]
pub struct OtherFactor {
    /// The end of a text key `second-use-…`.
    pub method: String,
    /// What tells it from others of its kind.
    pub hint: Option<String>,
    /// Where it is asked for.
    pub url: String,
}

/// `part/totp_setup.html`: a secret for a code app.
#[derive(Clone, Serialize)]
pub struct TotpSetup {
    /// In groups of four.
    pub secret: String,
    /// For an app on the same device.
    pub uri: String,
    /// An SVG element that we made.
    pub picture: String,
}

/// `page/backup_codes.html`
#[derive(Clone, Serialize)]
pub struct BackupCodes {
    /// Each good once.
    pub codes: Vec<String>,
    /// Where one goes on.
    pub continue_uri: String,
}

/// `page/form_post.html` (OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// The redirect URI.
    pub action: String,
    /// The parameters of the response.
    pub fields: Vec<FormField>,
}

/// A parameter of a form.
#[derive(Clone, Serialize)]
pub struct FormField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for FormField {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value may be an authorization code.
        formatter.debug_struct("FormField").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `page/error.html`
#[derive(Clone, Debug, Serialize)]
pub struct Error {
    /// The end of a text key `error-…` with `.cause` and `.cure`; an unknown one reads as the status says.
    pub key: String,
    /// A title in place of the key's own.
    pub title: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// What helps a developer, shown by a development server only.
    pub hint: Option<String>,
    /// The one way on: to the app, or to the start.
    pub back_uri: Option<String>,
    /// The app behind `back_uri`.
    pub client_name: Option<String>,
    /// The stable code of the refusal.
    pub code: Option<String>,
}

/// `page/error_docs.html`
#[derive(Clone, Debug, Serialize)]
pub struct ErrorDocs {
    /// What is explained.
    pub codes: Vec<ErrorDocsCode>,
    /// Whether the page is about one code only.
    pub single: bool,
}

/// A code and what explains it.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorDocsCode {
    /// The code.
    pub code: String,
    /// Clients receive it: the texts `docs-…` speak to their developers.
    pub of_clients: bool,
    /// People read it on a page, whose texts `error-…` are shown.
    pub of_pages: bool,
}

/// `page/logout.html`; the id `logout-confirm` signs out, `decision=stay` does not.
#[derive(Clone, Debug, Serialize)]
pub struct Logout {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// Who is signed in.
    pub account: Option<Account>,
}

/// `page/signed_out.html`
#[derive(Clone, Debug, Serialize)]
pub struct SignedOut {
    /// The app that asked, when one did.
    pub client: Option<Client>,
    /// A way back to it.
    pub back_uri: Option<String>,
    /// Where the browser goes by itself, once the apps of `frames` had a moment.
    pub onward: Option<String>,
    /// What the browser opens out of sight, so that apps end their sessions (Front-Channel Logout §3).
    pub frames: Vec<String>,
}

/// A person on their own page.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// The name to address the person by.
    pub name: String,
    /// What they sign in with.
    pub login: String,
    /// Their address.
    pub email: Option<String>,
    /// The URL of their picture.
    pub picture: Option<String>,
}

/// `page/admin.html`
#[derive(Clone, Debug, Serialize)]
pub struct Admin {
    /// Who looks.
    pub account: Account,
    /// The issuer.
    pub issuer: String,
    /// The version of the program.
    pub version: String,
    /// The clients.
    pub clients: Vec<AdminClient>,
    /// The users.
    pub users: Vec<AdminUser>,
    /// The signing keys.
    pub keys: Vec<AdminKey>,
    /// What was refused lately, newest first.
    pub refusals: Vec<Refusal>,
    /// The token of the forms.
    pub csrf: String,
    /// Where they post to.
    pub message_action: String,
    /// Messages that were given up on, the latest first.
    pub undelivered: Vec<UndeliveredMessage>,
}

/// A message that was given up on. What it says, and to whom, stays sealed.
#[derive(Clone, Debug, Serialize)]
pub struct UndeliveredMessage {
    /// Its job.
    pub id: String,
    /// `mail` or `sms`.
    pub queue: String,
    /// When it was asked for, in seconds.
    pub asked_at: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not go out.
    pub error: String,
}

/// A client in the overview.
#[derive(Clone, Debug, Serialize)]
pub struct AdminClient {
    /// Its id.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// The end of a text key `client-kind-…`, or any word.
    pub kind: String,
    /// Where its answers may go.
    pub redirect_uris: Vec<String>,
}

/// A user in the overview.
#[derive(Clone, Debug, Serialize)]
pub struct AdminUser {
    /// What they sign in with.
    pub username: String,
    /// Their address.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

/// A signing key in the overview.
#[derive(Clone, Debug, Serialize)]
pub struct AdminKey {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// The end of a text key `key-state-…`, or any word.
    pub state: String,
}

/// A request that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// When, in Unix seconds.
    pub at: i64,
    /// The client it named.
    pub client_id: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The error code.
    pub error: String,
    /// What the client was told.
    pub description: String,
    /// What helps its developer.
    pub hint: Option<String>,
}

/// `page/home.html`
#[derive(Clone, Debug, Serialize)]
pub struct Home {
    /// The issuer.
    pub issuer: String,
    /// Who is signed in, if anybody.
    pub account: Option<Account>,
    /// Where to go from here.
    pub links: Vec<Link>,
}

/// A link of the start page.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// The end of a text key `link-…` with `.about`; an unknown one shows its URL.
    pub id: String,
    /// Where it leads.
    pub url: String,
}

/// `dev/mailbox.html`
#[derive(Clone, Debug, Serialize)]
pub struct Mailbox {
    /// What was sent, newest first.
    pub messages: Vec<Message>,
}

/// A message of a development server.
#[derive(Clone, Serialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// `mail` or `sms`.
    pub channel: String,
    /// The address or number.
    pub to: String,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML of a mail.
    pub html: Option<String>,
    /// In Unix seconds.
    pub sent_at: i64,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold a code.
        formatter.debug_struct("Message").field("id", &self.id).field("channel", &self.channel).finish_non_exhaustive()
    }
}
