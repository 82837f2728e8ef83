//! An identity at a provider that is connected to an account here.
//!
//! PROTOCOL A20: it is known by issuer and `sub` (OIDC Core §2), never by an address.

use serde::{Deserialize, Serialize};

use crate::model::id::{LinkId, ProviderId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;

/// An identity there, and whose it is here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpstreamLink {
    /// The row.
    pub id: LinkId,
    /// By which provider it came.
    pub provider: ProviderId,
    /// Who says so.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// Whose it is here.
    pub user: UserId,
    /// What tells it from others of theirs: the address or name there.
    pub label: Option<String>,
    /// Since when.
    pub linked_at: NumericDate,
    /// When it was last signed in by.
    pub last_used_at: Option<NumericDate>,
}

/// What a provider says of a person whom it let in, as far as it is believed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct UpstreamIdentity {
    /// Who says so.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// An address, in form.
    pub email: Option<String>,
    /// The provider says that the address is proven: by a boolean, or in its own way where its documents say so.
    pub email_verified: bool,
    /// Names and the like.
    pub profile: Profile,
    /// What tells it from others: the address, or the name there.
    pub label: Option<String>,
    /// `acr` there; kept beside, never taken for ours.
    pub acr: Option<String>,
    /// `amr` there; kept beside.
    pub amr: Vec<String>,
    /// The session there, where it has a name.
    #[serde(default)]
    pub sid: Option<String>,
    /// The groups there, by the claim that the operator named; `None` where nothing was said of them.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// When the provider says so: `iat` of an ID token.
    #[serde(default)]
    pub told_at: Option<NumericDate>,
    /// Until when what it says is good: `exp` of an ID token.
    #[serde(default)]
    pub good_until: Option<NumericDate>,
    /// When the person last proved there who they are: `auth_time`.
    #[serde(default)]
    pub proven_at: Option<NumericDate>,
}

impl UpstreamIdentity {
    /// True when the provider said so since `since`, and that its person proved themselves there since then. One that does not say when
    /// they did may have asked nobody: a session there answers by itself.
    pub fn is_fresh_since(&self, since: NumericDate) -> bool {
        let is_since = |moment: Option<NumericDate>| moment.is_some_and(|moment| moment >= since);
        is_since(self.told_at) && is_since(self.proven_at)
    }
}
