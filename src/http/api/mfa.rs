//! `/me/mfa` and `/me/backup-codes`: whether a person is asked for a second factor, and what helps when it is lost (S-099, S-109, S-111).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::second_factor::NotReleased;
use crate::authn::Refusal;
use crate::http::api::answer::{Moment, ok};
use crate::http::api::authenticators::{attempt, told};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::{Person, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get, patch, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::demand;
use crate::http::page::second_factor::stays;
use crate::http::web::{Web, with_cookies};
use crate::model::authentication::Demand;
use crate::protocol::secret::Secret;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/mfa", Group::Mfa), "Whether a second factor is asked for", show)
            .by_person()
            .gives::<Mfa>(StatusCode::OK, "How it stands."),
        patch(("/me/mfa", Group::Mfa), "Ask for a second factor, or for none", change)
            .by_person()
            .takes::<MfaChange>()
            .gives::<Mfa>(StatusCode::OK, "How it stands now. Where that changed, every other session has ended.")
            .refuses(&[
                Code::ReauthRequired,
                Code::NoConfirmedFactor,
                Code::TwoFactorNotEnabled,
                Code::LastDevice,
                Code::InvalidCredentials,
                Code::WrongCode,
                Code::TooManyAttempts,
            ]),
        get(("/me/backup-codes", Group::Mfa), "How many backup codes are left", count)
            .by_person()
            .gives::<BackupCodesView>(StatusCode::OK, "The numbers; the codes are never told again."),
        post(("/me/backup-codes", Group::Mfa), "Make new backup codes in the place of the old ones", renew)
            .by_person()
            .gives::<NewBackupCodes>(StatusCode::OK, "The codes, told once; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::TwoFactorNotEnabled]),
    ]
}

body! {
    /// A change of what is asked for; what proves the person once more is needed to switch it off.
    struct MfaChange {
        /// Whether a second factor is asked for at each sign-in.
        required: bool,
        /// The password.
        password: Option<Secret>,
        /// A code of the second factor, or a backup code.
        code: Option<Secret>,
    }
}

/// How a person stands to second factors.
#[derive(Debug, Serialize, ToSchema)]
struct Mfa {
    /// Whether one is asked for at each sign-in.
    required: bool,
    /// Whether the operator wants one of the person.
    required_by_policy: bool,
    /// How many confirmed authenticators there are.
    confirmed: usize,
    /// What belongs into `X-CSRF-Token` from now on, where the session got a new cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// How many backup codes there are.
#[derive(Debug, Serialize, ToSchema)]
struct BackupCodesView {
    /// In all.
    total: u32,
    /// Not used yet.
    remaining: u32,
    /// When they were made.
    generated_at: Option<Moment>,
}

/// New backup codes.
#[derive(Debug, Serialize, ToSchema)]
struct NewBackupCodes {
    /// Each good once.
    backup_codes: Vec<String>,
}

async fn standing(web: &Web, person: &Person) -> Result<Mfa, Problem> {
    let store = &web.provider.edges.store;
    let own = store.authenticators(person.user.id).await?;
    Ok(Mfa {
        required: store.second_factor(person.user.id).await?.required_at.is_some(),
        required_by_policy: web.provider.factors.house(&person.user).await? > Demand::OneFactor,
        confirmed: own.iter().filter(|own| own.confirmed_at.is_some()).count(),
        csrf_token: None,
    })
}

async fn show(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    Ok(ok(&standing(&web, &person).await?))
}

async fn change(State(web): State<Web>, person: Person, Json(body): Json<MfaChange>) -> Result<Response, Problem> {
    let (factors, attempt) = (&web.provider.factors, attempt(&web, &person)?);
    if body.required {
        demand(&web, &person).await?;
        factors.require(&person.user, &attempt).await?;
        return Ok(ok(&standing(&web, &person).await?));
    }
    if !standing(&web, &person).await?.required {
        return Err(Problem::new(Code::TwoFactorNotEnabled));
    }
    let password = body.password.ok_or_else(|| Problem::field("password", Code::Required))?;
    let code = body.code.ok_or_else(|| Problem::field("code", Code::Required))?;
    let released = factors.release(&person.user, (&password, &code), &web.methods, &attempt).await;
    let stay = released.map_err(|not| match not {
        NotReleased::Account(error) => error.into(),
        NotReleased::Code(Refusal::WrongCode(_)) => Problem::field("code", Code::WrongCode),
        NotReleased::Password(refusal) | NotReleased::Code(refusal) => Problem::from(refusal),
    })?;
    let csrf_token = stay.as_ref().map(|stay| csrf_token_of(&web, &stay.token));
    let answer = Mfa { csrf_token, ..standing(&web, &person).await? };
    Ok(with_cookies(ok(&answer), stay.map(|stay| stays(&web, &stay))))
}

async fn count(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let codes = web.provider.edges.store.second_factor(person.user.id).await?.backup_codes;
    let generated_at = codes.generated_at.map(Moment);
    Ok(ok(&BackupCodesView { total: codes.total, remaining: codes.remaining, generated_at }))
}

async fn renew(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    demand(&web, &person).await?;
    let codes = web.provider.factors.new_backup_codes(&person.user, &attempt(&web, &person)?).await?;
    Ok(ok(&NewBackupCodes { backup_codes: told(&codes) }))
}
