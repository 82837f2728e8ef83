//! A person's second factors: taken up by a first code, given up by who proved who they are, with a notice each time.
//!
//! S-099, S-101 to S-104, S-109, S-111; PROTOCOL A15.

use std::sync::Arc;

use crate::account::{AccountError, Why};
use crate::authn::second_factor::SecondFactors;
use crate::authn::totp::TotpSetup;
use crate::authn::{Answer, Attempt, Method, Refusal, judge};
use crate::edge::store::{Beside, Elsewhere, Kept, LastOne, Removal};
use crate::model::authentication::Demand;
use crate::model::authenticator::{Authenticator, AuthenticatorKind, RememberedBrowser};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::{AuthenticatorId, RememberedId};
use crate::model::session::Session;
use crate::model::user::User;
use crate::protocol::secret::{Secret, TokenHash};

/// The longest name of an authenticator, in characters.
pub const MAX_NAME: usize = 64;

/// A name that somebody gives what is theirs; `None` when it is empty, too long or not one line.
pub fn own_name(typed: &str) -> Option<String> {
    let name = typed.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

/// A session that stays when everything else ends, and the value of its new cookie.
#[derive(Clone, Debug)]
pub struct Stays {
    /// The session.
    pub session: Arc<Session>,
    /// For the cookie.
    pub token: Secret,
}

/// Why a second factor was not switched off.
#[derive(Clone, Debug)]
pub enum NotReleased {
    /// It is not on, or everybody here needs one.
    Account(AccountError),
    /// The password.
    Password(Refusal),
    /// The code.
    Code(Refusal),
}

impl From<AccountError> for NotReleased {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<Why> for NotReleased {
    fn from(why: Why) -> Self {
        Self::Account(why.into())
    }
}

impl From<Fault> for NotReleased {
    fn from(fault: Fault) -> Self {
        Self::Account(fault.into())
    }
}

impl SecondFactors {
    /// Begins with codes of the time: a secret that waits for its first code.
    ///
    /// # Errors
    /// `2fa_already_enabled` for who has them.
    pub async fn begin_totp(&self, user: &User, name: &str) -> Result<TotpSetup, AccountError> {
        self.set_up_totp(user, name).await?.ok_or_else(|| Why::TwoFactorAlreadyEnabled.into())
    }

    /// The authenticator of a person that `id` names: its id, or its kind where there is one of it.
    ///
    /// # Errors
    /// `device_does_not_exist`; `setup_required` for codes of the time that nobody began with.
    pub async fn authenticator(&self, user: &User, id: &str) -> Result<Authenticator, AccountError> {
        let own = self.edges.store.authenticators(user.id).await?;
        let is_meant = |own: &Authenticator| match AuthenticatorKind::parse(id) {
            Some(kind) => own.kind == kind,
            None => id.parse::<AuthenticatorId>().is_ok_and(|id| own.id == id),
        };
        let missing = if AuthenticatorKind::parse(id).is_some() { Why::SetupRequired } else { Why::DeviceDoesNotExist };
        own.into_iter().find(is_meant).ok_or_else(|| missing.into())
    }

    /// Takes codes of the time up by the first of them. From now on a second factor is asked for, and everything but where the person acts
    /// ends; returns backup codes, to be shown once, for who has none.
    ///
    /// # Errors
    /// That it was done before, waits no longer, or that the code is not right.
    pub async fn confirm_totp(
        &self,
        user: &User,
        (own, code): (&Authenticator, &Secret),
        attempt: &Attempt,
    ) -> Result<Vec<Secret>, AccountError> {
        let now = self.edges.clock.now();
        if own.confirmed_at.is_some() {
            return Err(Why::TwoFactorAlreadyEnabled.into());
        }
        if !own.is_waiting(now) {
            return Err(Why::SetupRequired.into());
        }
        let step = self.totp_step(own, code)?.ok_or(Why::WrongCode)?;
        self.take_up(user, (own.id, Some(step)), (attempt, "totp_added")).await
    }

    /// Takes an authenticator up whose first proof was right; returns backup codes for who has none.
    pub(super) async fn take_up(
        &self,
        user: &User,
        (id, step): (AuthenticatorId, Option<i64>),
        (attempt, change): (&Attempt, &'static str),
    ) -> Result<Vec<Secret>, AccountError> {
        let now = self.edges.clock.now();
        let before = self.edges.store.second_factor(user.id).await?;
        let drawn = self.draw_backup_codes(user.id);
        let (shown, kept) =
            if before.backup_codes.remaining == 0 { (drawn.shown, drawn.kept) } else { (Vec::new(), Vec::new()) };
        let beside = self.changed(attempt, user, change)?;
        let confirmed = (user.id, id, step);
        if self.edges.store.confirm_authenticator(confirmed, kept, (attempt.here, now), beside).await?.is_none() {
            return Err(Why::SetupRequired.into());
        }
        Ok(shown)
    }

    /// Removes an authenticator, and ends everything but where the person acts.
    ///
    /// # Errors
    /// `last_device` while one is required; `device_does_not_exist`.
    pub async fn remove(&self, user: &User, own: &Authenticator, attempt: &Attempt) -> Result<(), AccountError> {
        let beside = if own.confirmed_at.is_some() {
            self.changed(attempt, user, "removed")?
        } else {
            crate::edge::store::Beside::default()
        };
        let last = if self.house(user).await? > Demand::OneFactor { LastOne::Stays } else { LastOne::UnlessRequired };
        let here = (attempt.here, self.edges.clock.now());
        match self.edges.store.remove_authenticator((user.id, own.id), last, here, beside).await? {
            Removal::Removed => Ok(()),
            Removal::Last => Err(Why::LastDevice.into()),
            Removal::Missing => Err(Why::DeviceDoesNotExist.into()),
        }
    }

    /// Calls an authenticator something else.
    ///
    /// # Errors
    /// `device_does_not_exist`.
    pub async fn rename(&self, own: &Authenticator, name: &str) -> Result<(), AccountError> {
        let renamed = self.edges.store.rename_authenticator((own.user, own.id), name.to_owned()).await?;
        if renamed { Ok(()) } else { Err(Why::DeviceDoesNotExist.into()) }
    }

    /// Browsers in which no second factor is asked of a person, the newest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn remembered(&self, user: &User) -> Result<Vec<RememberedBrowser>, Fault> {
        self.edges.store.remembered_browsers((user.id, user.auth_epoch), self.edges.clock.now()).await
    }

    /// Asks for the second factor in one of them again, or in all of them.
    ///
    /// # Errors
    /// `not_found` when it is not remembered.
    pub async fn forget(&self, user: &User, only: Option<RememberedId>, attempt: &Attempt) -> Result<(), AccountError> {
        let event = self.edges.event(EventName::MfaChanged).of(user.id).from(attempt.from.clone());
        let mut event = event.telling("change", "browser_forgotten");
        event.session = attempt.again_in;
        let forgotten = self.edges.store.forget_browsers(user.id, only, Beside::event(event)).await?;
        if forgotten || only.is_none() { Ok(()) } else { Err(Why::NotFound.into()) }
    }

    /// Asks for a second factor from now on, and ends everything but where the person acts.
    ///
    /// # Errors
    /// `no_confirmed_factor` for who has none.
    pub async fn require(&self, user: &User, attempt: &Attempt) -> Result<(), AccountError> {
        let store = &self.edges.store;
        if store.second_factor(user.id).await?.required_at.is_some() {
            return Ok(());
        }
        if !store.authenticators(user.id).await?.iter().any(|own| own.confirmed_at.is_some()) {
            return Err(Why::NoConfirmedFactor.into());
        }
        let beside = self.changed(attempt, user, "required")?;
        let elsewhere = Elsewhere::Ends(attempt.here);
        Ok(store.require_second_factor(user.id, elsewhere, self.edges.clock.now(), beside).await?)
    }

    /// New backup codes in the place of the old ones, to be shown once; everything but where the person acts ends.
    ///
    /// # Errors
    /// `2fa_not_enabled` for who has no second factor.
    pub async fn new_backup_codes(&self, user: &User, attempt: &Attempt) -> Result<Vec<Secret>, AccountError> {
        self.make_backup_codes(user, Elsewhere::Ends(attempt.here), attempt).await
    }

    /// The same for who took a second factor up in a sign-in: everything else has ended with that, and what begins now stays.
    ///
    /// # Errors
    /// As [`SecondFactors::new_backup_codes`].
    pub async fn first_backup_codes(&self, user: &User, attempt: &Attempt) -> Result<Vec<Secret>, AccountError> {
        self.make_backup_codes(user, Elsewhere::Stays, attempt).await
    }

    async fn make_backup_codes(
        &self,
        user: &User,
        elsewhere: Elsewhere,
        attempt: &Attempt,
    ) -> Result<Vec<Secret>, AccountError> {
        if !self.edges.store.authenticators(user.id).await?.iter().any(|own| own.confirmed_at.is_some()) {
            return Err(Why::TwoFactorNotEnabled.into());
        }
        let drawn = self.draw_backup_codes(user.id);
        let beside = self.changed(attempt, user, "backup_codes_made")?;
        let (made, now) = ((user.id, drawn.kept), self.edges.clock.now());
        self.edges.store.replace_backup_codes(made, elsewhere, now, beside).await?;
        Ok(drawn.shown)
    }

    /// Asks for a second factor no longer, after both were proven once more: the secret of the code app and the backup codes go, and
    /// everything but the session that asks ends, which goes on under a new cookie.
    ///
    /// `methods` judge the answers: the password, and one of the codes that `code` can be.
    ///
    /// # Errors
    /// [`NotReleased`].
    pub async fn release(
        &self,
        user: &User,
        (password, code): (&Secret, &Secret),
        methods: &[Box<dyn Method>],
        attempt: &Attempt,
    ) -> Result<Option<Stays>, NotReleased> {
        let store = &self.edges.store;
        if store.second_factor(user.id).await?.required_at.is_none() {
            return Err(Why::TwoFactorNotEnabled.into());
        }
        if self.house(user).await? > Demand::OneFactor {
            return Err(Why::LastDevice.into());
        }
        let password = Answer::Password { login: String::new(), password: password.clone() };
        prove(methods, "password", (attempt, &password)).await.map_err(NotReleased::Password)?;
        self.prove_by_code(code, methods, attempt).await.map_err(NotReleased::Code)?;
        let now = self.edges.clock.now();
        let token = self.edges.random.token();
        let kept = attempt.client.is_none().then_some(attempt.again_in).flatten();
        let kept = kept.map(|session| Kept { session, token: TokenHash::of(token.expose()) });
        let beside = self.changed(attempt, user, "released")?;
        let session = store.release_second_factor(user.id, kept, now, beside).await?;
        Ok(session.map(|session| Stays { session, token }))
    }

    /// Judges a code of the person whom the attempt names: one of the time, or a backup code.
    ///
    /// # Errors
    /// What the method says.
    pub async fn prove_by_code(
        &self,
        code: &Secret,
        methods: &[Box<dyn Method>],
        attempt: &Attempt,
    ) -> Result<&'static str, Refusal> {
        let digits = code.expose().chars().filter(|c| !c.is_whitespace()).count();
        let method = if digits <= 8 { "totp" } else { "backup_code" };
        prove(methods, method, (attempt, &Answer::Code(code.clone()))).await?;
        Ok(method)
    }
}

async fn prove(methods: &[Box<dyn Method>], name: &str, (attempt, answer): (&Attempt, &Answer)) -> Result<(), Refusal> {
    let method = methods.iter().find(|method| method.name() == name);
    let method = method.ok_or_else(|| Fault::internal("there is no such method"))?;
    let proof = judge(method.as_ref(), attempt, answer).await?;
    if attempt.person == Some(proof.user) { Ok(()) } else { Err(Refusal::Wrong) }
}
