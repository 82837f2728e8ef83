//! What a person, or a client for itself, allowed. Every token belongs to a grant: revoke the grant, revoke them all.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::authentication::Authentication;
use crate::model::id::{ClientId, ConsentId, GrantId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// One authorization that was redeemed.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The row.
    pub id: GrantId,
    /// Hash of the code it came from; UNIQUE in the store, which makes a code single-use.
    pub code_hash: TokenHash,
    /// The person.
    pub user: UserId,
    /// The client.
    pub client: ClientId,
    /// The session it was given in; `sid`.
    pub session: SessionId,
    /// What was allowed.
    pub scope: Scope,
    /// Everything else that later tokens need.
    pub details: GrantDetails,
    /// When.
    pub created_at: NumericDate,
    /// When its last token dies; the row may be cleared away after that.
    pub expires_at: NumericDate,
    /// When it was taken back.
    pub revoked_at: Option<NumericDate>,
}

/// What tokens of a grant are built from; stored as JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct GrantDetails {
    /// Who proved what.
    pub authentication: Authentication,
    /// Claims asked for one by one.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// Languages for claims.
    #[serde(default)]
    pub claims_locales: Vec<String>,
    /// `aud` of its access tokens where no resource is named.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Which resource servers its tokens are for (RFC 8707); empty: none was named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// `nonce` of the request; it stays the same in ID tokens of later refreshes (OIDC Core §12.2 asks for none).
    #[serde(default)]
    pub nonce: Option<String>,
    /// What the app set of the operator's own claims ([`crate::model::own_claim`]).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub own_claims: Map<String, Value>,
    /// Who holds the session that it was given in.
    #[serde(default)]
    pub session_holder: SessionHolder,
}

/// Who holds a session.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionHolder {
    /// A browser, by its cookie.
    #[default]
    Browser,
    /// The app that signed the person in on a screen of its own: the session is there for this grant alone.
    App,
}

impl Grant {
    /// True when it was not taken back.
    pub const fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }
}

/// What an app has of a person: by a consent that is remembered, or by a grant that is good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppAccess {
    /// The app.
    pub client: ClientId,
    /// What it may see.
    pub scope: Scope,
    /// Since when, as far as it is known: the latest agreement or sign-in.
    pub granted_at: NumericDate,
}

/// A consent that is remembered: one for each person and client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// The row.
    pub id: ConsentId,
    /// The person.
    pub user: UserId,
    /// The client.
    pub client: ClientId,
    /// What they agreed to, so far.
    pub scope: Scope,
    /// Names of single claims they agreed to.
    pub claims: Vec<String>,
    /// When they last agreed.
    pub granted_at: NumericDate,
}
