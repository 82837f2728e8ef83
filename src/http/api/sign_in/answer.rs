//! What a sign-in answers.
//!
//! `ACCOUNT_API.md` §3.1, §3.2.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::authn::flow::Challenge;
use crate::http::api::user::UserView;
use crate::http::web::Web;

/// What becomes of a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::api) struct SignInAnswer {
    /// `complete`, or `challenge` when one more proof is asked for.
    pub(in crate::http::api) status: &'static str,
    /// Who is signed in; where a session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) user: Option<UserView>,
    /// What belongs into `X-CSRF-Token` from now on; where a session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) csrf_token: Option<String>,
    /// Whether the account was made by this very sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) is_new_user: Option<bool>,
    /// For the token endpoint; where the app gets a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) authorization_code: Option<String>,
    /// Seconds that the code, or the sign-in under way, is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) expires_in: Option<u64>,
    /// `publicKey` of `navigator.credentials.get`, for a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(in crate::http::api) public_key: Option<Value>,
    /// What is typed where a link is opened in another browser than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) confirm_code: Option<String>,
    /// The path that the sign-in was begun for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) next: Option<String>,
    /// Seconds until the next message may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) resend_after: Option<u64>,
    /// The handle of the sign-in under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) flow: Option<String>,
    /// Why it is not complete: `2fa_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) code: Option<&'static str>,
    /// What may be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) challenges: Option<Vec<AskedChallenge>>,
    /// Codes for the day when a second factor is lost that was taken up in this sign-in; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) backup_codes: Option<Vec<String>>,
}

/// What the browser's call for a passkey takes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PasskeyOptions {
    /// `publicKey` of `navigator.credentials.get` (W3C Web Authentication).
    #[schema(value_type = Object)]
    pub(super) public_key: Value,
}

/// A code is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// Seconds until the next may be asked for.
    pub(super) resend_after: u64,
}

/// One way to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::api) struct AskedChallenge {
    /// Its name in this sign-in.
    id: String,
    /// Its kind.
    r#type: String,
    /// What tells it from others of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl SignInAnswer {
    /// The answer of this status, with nothing beside it.
    pub(in crate::http::api) const fn of(status: &'static str) -> Self {
        Self {
            status,
            user: None,
            csrf_token: None,
            is_new_user: None,
            authorization_code: None,
            expires_in: None,
            public_key: None,
            confirm_code: None,
            next: None,
            resend_after: None,
            flow: None,
            code: None,
            challenges: None,
            backup_codes: None,
        }
    }
}

/// The answer that asks for one more proof.
pub(in crate::http::api) fn asked(web: &Web, challenge: Challenge) -> SignInAnswer {
    let asked = challenge.asked.into_iter();
    let challenges =
        asked.map(|asked| AskedChallenge { id: asked.id, r#type: asked.method, hint: asked.hint }).collect();
    SignInAnswer {
        code: Some("2fa_required"),
        flow: Some(challenge.flow.expose().clone()),
        expires_in: Some(challenge.expires_at.since(web.provider.now()).as_secs()),
        challenges: Some(challenges),
        ..SignInAnswer::of("challenge")
    }
}
