//! Passkeys: a way to sign in of its own, and a second factor.
//!
//! W3C Web Authentication Level 3 §7.1, §7.2; PROTOCOL A11, A12; S-113. User verification is demanded each time, so that one passkey is
//! two factors. A challenge is good once, for five minutes, in the browser or the sign-in that it was made for: what stands in a page is
//! under our seal and bound to the browser's cookie, so that showing the page writes nothing down.

mod maker;
mod setup;

use std::sync::Arc;
use std::time::Duration;

pub use self::setup::{NAME as SETUP, Setup};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder,
};

use crate::authn::second_factor::SecondFactors;
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Offer, Refusal, Started};
use crate::edge::ephemeral::Namespace;
use crate::edge::vault::Place;
use crate::model::authentication::{Amr, Authentication};
use crate::model::authenticator::{Authenticator, AuthenticatorKind};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{AuthenticatorId, UserId};
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a challenge is good.
pub const LIFETIME: Duration = Duration::from_mins(5);

/// States of sign-ins of the API, by the hash of their handle.
const WAITING: Namespace<Sealed<DiscoverableAuthentication>> = Namespace::new("passkey_sign_in");
/// States of registrations of the API, by the id that the authenticator will have.
const REGISTERING: Namespace<Sealed<PasskeyRegistration>> = Namespace::new("passkey_registration");

/// Registers and judges passkeys. Clones share everything.
#[derive(Clone)]
pub struct Passkeys {
    /// Keys and notices.
    pub factors: SecondFactors,
    webauthn: Arc<Webauthn>,
}

/// What a page or an app hands to the browser, and what comes back with its answer.
#[derive(Clone, Debug)]
pub struct Ceremony<O> {
    /// `publicKey` of the browser's call.
    pub options: O,
    /// For the form beside it: the state, under our seal.
    pub state: String,
}

/// A state with its end.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    state: T,
    until: NumericDate,
}

/// An answer as it comes from a form: the credential, and the state that stood beside it.
#[derive(Deserialize)]
struct Answered {
    credential: Value,
    state: Option<String>,
}

impl Passkeys {
    /// Passkeys of the server at `issuer`; `None` where it has no name, since passkeys are bound to one.
    pub fn new(factors: &SecondFactors, issuer: &url::Url) -> Option<Self> {
        let domain = issuer.domain()?;
        let origin = issuer.origin().ascii_serialization().parse().ok()?;
        let webauthn = WebauthnBuilder::new(domain, &origin).ok()?.rp_name(domain).timeout(LIFETIME).build().ok()?;
        Some(Self { factors: factors.clone(), webauthn: Arc::new(webauthn) })
    }

    /// What begins a sign-in on a page of the browser `binding`.
    ///
    /// # Errors
    /// Internal, when the library cannot make a challenge.
    pub fn sign_in_page(&self, binding: &TokenHash) -> Result<Ceremony<impl Serialize + use<>>, Fault> {
        let (options, state) = self.challenge()?;
        Ok(Ceremony { options, state: self.sealed("sign_in", binding, state)? })
    }

    /// What registers another passkey of `user` on a page of the browser `binding`.
    ///
    /// # Errors
    /// A fault of the store; internal, when the library cannot make a challenge.
    pub async fn registration_page(&self, user: &User, binding: &TokenHash) -> Result<Ceremony<Value>, Fault> {
        let (options, state) = self.registration(user).await?;
        Ok(Ceremony { options, state: self.sealed("register", binding, state)? })
    }

    /// The same for an app: its state waits here, under the id that the passkey will have.
    ///
    /// # Errors
    /// As [`Passkeys::registration_page`].
    pub async fn begin_registration(&self, user: &User) -> Result<(AuthenticatorId, Value), Fault> {
        let (options, state) = self.registration(user).await?;
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        let id = AuthenticatorId::new(now, edges.random.bytes());
        let until = now.plus(LIFETIME);
        let key = bound(user.id, id);
        REGISTERING.put(&*edges.ephemeral, &key, &Sealed { state, until }, until).await?;
        Ok((id, options))
    }

    /// Registers the passkey of a page's form.
    ///
    /// # Errors
    /// [`Refusal::Wrong`] when the answer is not good.
    pub async fn register_from_page(
        &self,
        user: &User,
        (credential, state, name): (&str, &str, &str),
        attempt: &Attempt,
    ) -> Result<(), Refusal> {
        let state = self.registration_of_page(state, attempt).await?;
        self.register((user, self.new_id()), (credential, name), state, attempt).await.map(drop)
    }

    /// The state of a page's form, once.
    async fn registration_of_page(&self, state: &str, attempt: &Attempt) -> Result<PasskeyRegistration, Refusal> {
        self.opened("register", &attempt.browser.ok_or(Refusal::Wrong)?, state).await
    }

    fn new_id(&self) -> AuthenticatorId {
        AuthenticatorId::new(self.factors.edges.clock.now(), self.factors.edges.random.bytes())
    }

    /// Registers the passkey of an app's answer.
    ///
    /// # Errors
    /// [`Refusal::FlowInvalid`] when none waits under this id, [`Refusal::Wrong`] when the answer is not good.
    pub async fn finish_registration(
        &self,
        user: &User,
        id: AuthenticatorId,
        (credential, name): (&str, &str),
        attempt: &Attempt,
    ) -> Result<(), Refusal> {
        let edges = &self.factors.edges;
        let waiting = REGISTERING.take(&*edges.ephemeral, &bound(user.id, id), edges.clock.now()).await?;
        let waiting = waiting.ok_or(Refusal::FlowInvalid)?;
        self.register((user, id), (credential, name), waiting.state, attempt).await.map(drop)
    }

    fn challenge(&self) -> Result<(impl Serialize + use<>, DiscoverableAuthentication), Fault> {
        let (options, state) = self.webauthn.start_discoverable_authentication().map_err(failed)?;
        Ok((options.public_key, state))
    }

    async fn registration(&self, user: &User) -> Result<(Value, PasskeyRegistration), Fault> {
        let own = self.factors.edges.store.authenticators(user.id).await?;
        let known = own.iter().filter(|own| own.kind == AuthenticatorKind::Passkey);
        let known = known.filter_map(|own| URL_SAFE_NO_PAD.decode(&own.target).ok()).collect();
        let handle = self.handle(user.id);
        let started = self.webauthn.start_passkey_registration(handle, user.login(), user.display_name(), Some(known));
        let (options, state) = started.map_err(failed)?;
        let mut options = json(&options.public_key)?;
        // Found without a name: that is what makes a credential a passkey (WebAuthn L3 §5.4.6).
        let selection = options.get_mut("authenticatorSelection").and_then(Value::as_object_mut);
        let selection = selection.ok_or_else(|| Fault::internal("select an authenticator for a passkey"))?;
        selection.insert("residentKey".to_owned(), "required".into());
        selection.insert("requireResidentKey".to_owned(), true.into());
        Ok((options, state))
    }

    /// Writes a passkey down, by which everything but where the person acts ends. Its kind, and the epoch that begins with it.
    async fn register(
        &self,
        (user, id): (&User, AuthenticatorId),
        (credential, name): (&str, &str),
        state: PasskeyRegistration,
        attempt: &Attempt,
    ) -> Result<(Amr, Epoch), Refusal> {
        let answer: RegisterPublicKeyCredential = serde_json::from_str(credential).map_err(|_| Refusal::Wrong)?;
        let name = if name.is_empty() { maker::name(&answer.response.attestation_object) } else { name.to_owned() };
        let credential = self.webauthn.finish_passkey_registration(&answer, &state).map_err(|_| Refusal::Wrong)?;
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        let passkey = Authenticator {
            id,
            user: user.id,
            kind: AuthenticatorKind::Passkey,
            target: URL_SAFE_NO_PAD.encode(credential.cred_id()),
            name,
            secret: Some(self.kept(id, &credential)?),
            created_at: now,
            expires_at: None,
            confirmed_at: Some(now),
            last_used_at: None,
        };
        let beside = self.factors.changed(attempt, user, "passkey_added")?;
        let is_eligible = maker::is_backup_eligible(&answer.response.attestation_object);
        let epoch = edges.store.add_passkey(passkey, attempt.here, beside).await?;
        epoch.map(|epoch| (kind(is_eligible), epoch)).ok_or(Refusal::Wrong)
    }

    /// Whom an assertion proves.
    async fn judge(&self, credential: &Value, state: DiscoverableAuthentication) -> Result<Authentication, Refusal> {
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        let answer = PublicKeyCredential::deserialize(credential).map_err(|_| Refusal::Wrong)?;
        let (handle, id) = self.webauthn.identify_discoverable_authentication(&answer).map_err(|_| Refusal::Wrong)?;
        let own = edges.store.passkey(&URL_SAFE_NO_PAD.encode(id)).await?.ok_or(Refusal::Wrong)?;
        let epoch = edges.store.auth_epoch(own.user).await?.ok_or(Refusal::Wrong)?;
        // The credential says whose it is, and we know whose it is: both must agree.
        if handle != self.handle(own.user) {
            return Err(Refusal::Wrong);
        }
        let before = own.secret.as_deref().ok_or(Refusal::Wrong)?;
        let opened = self.factors.vault.open(&place(&own.id.to_string()), before)?;
        let mut known: Credential = serde_json::from_slice(opened.expose())
            .map_err(|cause| Fault::internal(format!("read the passkey {}", own.id)).caused_by(cause))?;
        let key = DiscoverableKey::from(&known);
        let result = self.webauthn.finish_discoverable_authentication_v2(&answer, state, &key);
        let result = result.map_err(|_| Refusal::Wrong)?;
        if !result.user_verified() {
            return Err(Refusal::Wrong);
        }
        known.update_credential(&result);
        // Guarded by what was read: a counter never goes back, whichever node was first.
        let after = self.kept(own.id, &known)?;
        edges.store.use_passkey(own.id, (before, after), now).await?;
        Ok(Authentication::new((own.user, epoch), now, vec![kind(result.backup_eligible()), Amr::User]))
    }

    fn kept(&self, id: AuthenticatorId, credential: &Credential) -> Result<Vec<u8>, Fault> {
        let plain = serde_json::to_vec(credential)
            .map_err(|cause| Fault::internal("write a passkey as JSON").caused_by(cause))?;
        Ok(self.factors.vault.seal(&place(&id.to_string()), &plain, &*self.factors.edges.random))
    }

    /// What a credential calls its owner: of the person alone, and not their public `sub`.
    fn handle(&self, user: UserId) -> Uuid {
        let whole = self.factors.key.mac(&[b"passkey", user.as_bytes()]);
        let (first, _) = whole.split_first_chunk::<16>().expect("16 of 32 bytes");
        Uuid::from_bytes(*first)
    }

    /// A state for a form of the browser `binding`.
    fn sealed<T: Serialize>(&self, purpose: &str, binding: &TokenHash, state: T) -> Result<String, Fault> {
        let until = self.factors.edges.clock.now().plus(LIFETIME);
        let text = serde_json::to_vec(&Sealed { state, until }).map_err(unwritten)?;
        let text = URL_SAFE_NO_PAD.encode(text);
        let seal = self.seal(purpose, binding, &text);
        Ok(format!("{text}.{seal}"))
    }

    /// The state of a form, once.
    async fn opened<T: DeserializeOwned>(
        &self,
        purpose: &str,
        binding: &TokenHash,
        sealed: &str,
    ) -> Result<T, Refusal> {
        let (text, seal) = sealed.split_once('.').ok_or(Refusal::Wrong)?;
        if !bool::from(self.seal(purpose, binding, text).as_bytes().ct_eq(seal.as_bytes())) {
            return Err(Refusal::Wrong);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Wrong)?;
        let Sealed { state, until } = serde_json::from_slice(&bytes).map_err(|_| Refusal::Wrong)?;
        let edges = &self.factors.edges;
        let now = edges.clock.now();
        if until.is_past(now) {
            return Err(Refusal::FlowExpired);
        }
        if !edges.store.consume_once("passkey_challenge", &TokenHash::of(text), until, now).await? {
            return Err(Refusal::FlowInvalid);
        }
        Ok(state)
    }

    fn seal(&self, purpose: &str, binding: &TokenHash, text: &str) -> String {
        self.factors.key.mac_text(&[b"passkey_state", purpose.as_bytes(), binding.as_bytes(), text.as_bytes()])
    }
}

/// A key that may be copied is none of hardware (RFC 8176 §2).
const fn kind(is_backup_eligible: bool) -> Amr {
    if is_backup_eligible { Amr::Swk } else { Amr::Hwk }
}

fn failed(cause: webauthn_rs::prelude::WebauthnError) -> Fault {
    Fault::internal("make a challenge for a passkey").caused_by(cause)
}

/// `publicKey` of the browser's call, for an answer in JSON.
///
/// # Errors
/// Internal, when the library's own values cannot be written.
pub fn json(options: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(options).map_err(unwritten)
}

/// The same as text, for a page.
///
/// # Errors
/// As there.
pub fn text(options: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(options).map_err(unwritten)
}

fn unwritten(cause: serde_json::Error) -> Fault {
    Fault::internal("write a challenge as JSON").caused_by(cause)
}

fn bound(user: UserId, id: AuthenticatorId) -> Vec<u8> {
    [user.as_bytes().as_slice(), id.as_bytes()].concat()
}

fn place(row: &str) -> Place<'_> {
    Place { table: "authenticator", row, column: "secret" }
}

#[async_trait]
impl Method for Passkeys {
    fn name(&self) -> &'static str {
        "passkey"
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    fn proves(&self) -> Vec<Factor> {
        vec![Factor::Possession, Factor::Inherence]
    }

    async fn offers(&self, user: &User) -> Result<Vec<Offer>, Fault> {
        let own = self.factors.edges.store.authenticators(user.id).await?;
        let has = own.iter().any(|own| own.kind == AuthenticatorKind::Passkey);
        let offer = Offer { id: self.name().to_owned(), hint: None };
        Ok(if has { vec![offer] } else { Vec::new() })
    }

    fn begins_unnamed(&self) -> bool {
        true
    }

    async fn start(&self, _: &Attempt, _: &str) -> Result<Started, Refusal> {
        Ok(Started { handle: self.factors.edges.random.token(), is_fresh: true })
    }

    async fn begin_named(&self, attempt: &Attempt, _: &str) -> Result<Begun, Refusal> {
        self.begin(attempt).await
    }

    async fn begin(&self, attempt: &Attempt) -> Result<Begun, Refusal> {
        let edges = &self.factors.edges;
        let key = attempt.flow.ok_or(Refusal::Wrong)?;
        let (options, state) = self.challenge()?;
        let until = edges.clock.now().plus(LIFETIME);
        WAITING.put(&*edges.ephemeral, key.as_bytes(), &Sealed { state, until }, until).await?;
        Ok(Begun::PublicKey(json(&options)?))
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Passkey(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Passkey(answer) = answer else { return Err(Refusal::Wrong) };
        let edges = &self.factors.edges;
        let value: Value = serde_json::from_str(answer.expose()).map_err(|_| Refusal::Wrong)?;
        let answered = Answered::deserialize(&value).unwrap_or(Answered { credential: value, state: None });
        let state = match (&answered.state, attempt.browser, attempt.flow) {
            (Some(state), Some(binding), _) => self.opened("sign_in", &binding, state).await?,
            (None, _, Some(key)) => {
                let waiting = WAITING.take(&*edges.ephemeral, key.as_bytes(), edges.clock.now()).await?;
                waiting.ok_or(Refusal::Wrong)?.state
            }
            _ => return Err(Refusal::Wrong),
        };
        let proof = self.judge(&answered.credential, state).await;
        if matches!(proof, Err(Refusal::Wrong)) {
            attempt.note_failure(edges, self.name(), attempt.person);
        }
        proof
    }
}
