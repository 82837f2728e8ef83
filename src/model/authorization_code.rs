//! An authorization code that waits to be redeemed.

use serde::{Deserialize, Serialize};

use crate::model::authentication::Authentication;
use crate::model::id::{ClientId, GrantId, SessionId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::scope::Scope;

/// What a code stands for (RFC 6749 §4.1.3). It waits in the ephemeral store under the code's hash.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The grant that redeeming it makes.
    pub grant: GrantId,
    /// The client that asked.
    pub client: ClientId,
    /// The session it was given in.
    pub session: SessionId,
    /// Who signed in.
    pub authentication: Authentication,
    /// The URI the code was sent to.
    pub redirect_uri: String,
    /// True when the request named the URI, so that the token request must too.
    pub redirect_uri_given: bool,
    /// What was allowed.
    pub scope: Scope,
    /// For the ID token.
    pub nonce: Option<String>,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// Claims asked for one by one.
    pub claims: ClaimsRequest,
    /// Languages for claims.
    pub claims_locales: Vec<String>,
    /// Which resource servers tokens shall be for (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// When it was made.
    pub issued_at: NumericDate,
    /// The end.
    pub expires_at: NumericDate,
}
