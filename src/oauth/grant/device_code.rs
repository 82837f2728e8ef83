//! The device code grant at the token endpoint: a device asks until somebody has decided.
//!
//! RFC 8628 §3.4, §3.5. *Why a device code that comes again revokes nothing:* it never left client and server, and a client that lost
//! an answer asks once more by the book; what it gets is a refusal.

use std::sync::Arc;

use crate::edge::device_authorization::Polled;
use crate::model::authorization_code::AuthorizationCode;
use crate::model::client::Client;
use crate::model::device_authorization::{Approval, Asks, Decision, DeviceAuthorization};
use crate::oauth::device::verification_uri;
use crate::oauth::grant::authorization_code;
use crate::oauth::provider::Provider;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::TokenResponse;

/// Redeems a device code, once, when its person has agreed (§3.5).
///
/// # Errors
/// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`; `invalid_grant` when the code is unknown, used or not for this
/// client, or the person's account, session or consent no longer stands.
pub async fn redeem(
    provider: &Provider,
    client: Arc<Client>,
    device_code: &Secret,
) -> Result<TokenResponse, OAuthError> {
    let key = TokenHash::of(device_code.expose());
    let asked = provider.edges.device_under(&key).await?.filter(|asked| is_of(asked, &client)).ok_or_else(unknown)?;
    let approval = match provider.edges.poll_device(&key).await? {
        Polled::Unknown => return Err(unknown()),
        Polled::Expired => {
            let description = "the device code has expired; begin again";
            return Err(OAuthError::new(ErrorCode::ExpiredToken, description));
        }
        Polled::TooFast(interval) => {
            let description = format!("polled too often; wait {interval} seconds between two requests");
            return Err(OAuthError::new(ErrorCode::SlowDown, description));
        }
        Polled::Pending { .. } => {
            let description = "nobody has decided yet; ask again after the interval";
            return Err(OAuthError::new(ErrorCode::AuthorizationPending, description));
        }
        Polled::Decided(Decision::Denied) => return Err(OAuthError::access_denied("the person did not allow it")),
        Polled::Decided(Decision::Approved(approval)) => approval,
    };
    if !provider.edges.fetch_device(&key).await? {
        return Err(OAuthError::invalid_grant("the device code was used before"));
    }
    let code = code_of(provider, &client, (&asked, approval));
    let given = authorization_code::give(provider, client, (key, code), &[]).await;
    // A fault of ours uses nothing up (PROTOCOL T7); the main store says whether it did.
    if given.as_ref().is_err_and(is_ours) {
        provider.edges.put_device_back(&key, &asked).await?;
    }
    given
}

fn is_of(asked: &DeviceAuthorization, caller: &Client) -> bool {
    matches!(&asked.asks, Asks::Tokens { client, .. } if *client == caller.id)
}

fn is_ours(error: &OAuthError) -> bool {
    matches!(error.code(), ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable)
}

fn unknown() -> OAuthError {
    OAuthError::invalid_grant("the device code is unknown, or was given to another client")
}

/// What was agreed to, in the form in which every grant of a person is recorded.
fn code_of(
    provider: &Provider,
    client: &Client,
    (asked, approval): (&DeviceAuthorization, Approval),
) -> AuthorizationCode {
    AuthorizationCode {
        grant: approval.grant,
        client: client.id.clone(),
        session: approval.session,
        authentication: approval.authentication,
        redirect_uri: verification_uri(&provider.issuer, None),
        redirect_uri_given: false,
        scope: approval.scope,
        nonce: None,
        code_challenge: None,
        claims: ClaimsRequest::default(),
        claims_locales: Vec::new(),
        resource: Vec::new(),
        issued_at: approval.at,
        expires_at: asked.expires_at,
    }
}
