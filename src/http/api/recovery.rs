//! `/password-resets` and `/recovery`: a forgotten password, a forgotten address (S-032 to S-037, S-121).
//!
//! `ACCOUNT_API.md` §3.2, PROTOCOL A13, A17. Whatever name is asked for, the answer is the same.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::reset::{ResetBegun, ResetChannel, ResetProof};
use crate::http::api::answer::{answer, nothing, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::caller::Guest;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::password::POLICY;
use crate::http::api::problem::{FieldError, Problem};
use crate::http::web::Web;
use crate::protocol::secret::Secret;

/// What a code can be refused with.
pub(super) const CODES: &[Code] = &[Code::WrongCode, Code::CodeAttemptsExceeded, Code::FlowExpired, Code::FlowInvalid];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/password-resets", Group::ResetMail), "Ask for a new password", begin)
            .takes::<ResetPassword>()
            .gives::<Sent>(StatusCode::ACCEPTED, "If the name is of an account, a message was sent to its owner.")
            .refuses(&[Code::Forbidden, Code::RateLimited, Code::UnauthorizedClient, Code::DeliveryFailed]),
        post(("/password-resets/inspect", Group::Reset), "Ask whether a link is good", inspect)
            .takes::<InspectReset>()
            .gives::<Inspected>(StatusCode::OK, "It is, and stays so.")
            .refuses(&[Code::PasswordResetLinkInvalid]),
        post(("/password-resets/confirm", Group::Reset), "Set a new password by a link or a code", confirm)
            .takes::<ConfirmReset>()
            .gives_nothing(StatusCode::NO_CONTENT, "The password is set; everything that the old one opened has ended.")
            .refuses(POLICY)
            .refuses(CODES)
            .refuses(&[Code::PasswordResetLinkInvalid, Code::PasswordsNotIdentical]),
        post(("/recovery/emails", Group::Recovery), "Ask for the addresses of an account by its phone", begin_emails)
            .takes::<RecoverEmails>()
            .gives::<Sent>(StatusCode::ACCEPTED, "If the number is proven of an account, a code was sent to it.")
            .refuses(&[Code::InvalidPhoneNumber, Code::Forbidden, Code::RateLimited]),
        post(("/recovery/emails/confirm", Group::Recovery), "See the addresses by the code", confirm_emails)
            .takes::<ConfirmEmails>()
            .gives::<Emails>(StatusCode::OK, "The addresses, masked.")
            .refuses(CODES),
    ]
}

choices! {
    /// The way to a new password.
    enum Channel {
        /// A link by mail.
        Link = "link",
        /// A code by mail.
        EmailCode = "email_code",
        /// A code by text message.
        SmsCode = "sms_code",
    }
}

body! {
    /// Whose password is wanted anew.
    struct ResetPassword {
        /// An e-mail address, username or phone number.
        identifier: String,
        /// How; by a link if it is left out.
        channel: Option<Channel>,
        /// The app that it is for.
        client_id: Option<String>,
    }
}

body! {
    /// A link.
    struct InspectReset {
        /// Its token.
        token: Secret,
    }
}

body! {
    /// A new password, and what allows it: the token of a link, or a code with its handle.
    struct ConfirmReset {
        /// The token of the link.
        token: Option<Secret>,
        /// The handle of the code.
        flow: Option<Secret>,
        /// The code.
        code: Option<String>,
        /// The new password.
        password: Secret,
        /// The same once more; checked where it is there.
        confirm_password: Option<Secret>,
    }
}

body! {
    /// Whose addresses are wanted.
    struct RecoverEmails {
        /// A phone number with its country.
        phone: String,
    }
}

body! {
    /// The code that was sent.
    struct ConfirmEmails {
        /// Its handle.
        flow: Secret,
        /// The code.
        code: String,
    }
}

/// A message that may have been sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent {
    /// The handle for the code; none for a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flow: Option<String>,
    /// Seconds that what was sent is good for.
    pub(super) expires_in: u64,
    /// Seconds until the message may be asked for again.
    pub(super) resend_after: u64,
}

/// A link that is good.
#[derive(Debug, Serialize, ToSchema)]
struct Inspected {
    /// `true`
    valid: bool,
}

/// Addresses that their owner recognises.
#[derive(Debug, Serialize, ToSchema)]
struct Emails {
    /// Each with its first letters and its end.
    emails: Vec<String>,
}

impl From<Channel> for ResetChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Link => Self::Link,
            Channel::EmailCode => Self::EmailCode,
            Channel::SmsCode => Self::SmsCode,
        }
    }
}

async fn begin(State(web): State<Web>, guest: Guest, Json(body): Json<ResetPassword>) -> Result<Response, Problem> {
    let asking = guest.asking(&web, body.client_id.as_deref()).await?;
    let channel = body.channel.map(ResetChannel::from).unwrap_or_default();
    let begun = web.provider.accounts.request_password_reset(&body.identifier, channel, &asking).await?;
    let ResetBegun { flow, expires_in, resend_after } = begun;
    let flow = flow.map(|flow| flow.expose().clone());
    Ok(answer(StatusCode::ACCEPTED, &Sent { flow, expires_in, resend_after }))
}

async fn inspect(State(web): State<Web>, _: Guest, Json(body): Json<InspectReset>) -> Result<Response, Problem> {
    if web.provider.accounts.can_reset(body.token.expose()).await? {
        Ok(ok(&Inspected { valid: true }))
    } else {
        Err(Problem::new(Code::PasswordResetLinkInvalid))
    }
}

async fn confirm(State(web): State<Web>, guest: Guest, Json(body): Json<ConfirmReset>) -> Result<Response, Problem> {
    let proof = match (body.token, body.flow, body.code) {
        (Some(token), None, None) => ResetProof::Link(token),
        (None, Some(flow), Some(code)) => ResetProof::Code { flow, code },
        (token, flow, code) => return Err(one_proof((token.is_some(), flow.is_some(), code.is_some()))),
    };
    let asking = guest.asking(&web, None).await?;
    let password = (&body.password, body.confirm_password.as_ref());
    web.provider.accounts.reset_password(&proof, password, &asking).await?;
    Ok(nothing())
}

/// Neither a token alone nor a flow with its code.
pub(super) fn one_proof((token, flow, code): (bool, bool, bool)) -> Problem {
    let field = |name: &'static str, code| FieldError::new(name, code);
    Problem::fields(match (token, flow, code) {
        (false, false, false) => vec![field("token", Code::Required)],
        (false, true, _) => vec![field("code", Code::Required)],
        (false, false, true) => vec![field("flow", Code::Required)],
        (true, ..) => [("flow", flow), ("code", code)]
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| field(name, Code::UnknownField))
            .collect(),
    })
}

async fn begin_emails(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<RecoverEmails>,
) -> Result<Response, Problem> {
    let asking = guest.asking(&web, None).await?;
    let begun = web.provider.accounts.request_email_recovery(&body.phone, &asking).await?;
    let flow = Some(begun.flow.expose().clone());
    Ok(answer(StatusCode::ACCEPTED, &Sent { flow, expires_in: begun.expires_in, resend_after: begun.resend_after }))
}

async fn confirm_emails(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<ConfirmEmails>,
) -> Result<Response, Problem> {
    let asking = guest.asking(&web, None).await?;
    let emails = web.provider.accounts.recover_emails(body.flow.expose(), &body.code, &asking).await?;
    Ok(ok(&Emails { emails }))
}
