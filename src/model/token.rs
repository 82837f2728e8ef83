//! Tokens as we remember them: by their hashes.

use crate::model::id::{ClientId, GrantId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// A refresh token: one link of the chain that belongs to a grant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshToken {
    /// What we know it by.
    pub hash: TokenHash,
    /// The family.
    pub grant: GrantId,
    /// What it can renew; the whole of the grant unless a request narrowed it for its access token only.
    pub scope: Scope,
    /// When it was made.
    pub issued_at: NumericDate,
    /// The end, if it is not used before.
    pub expires_at: NumericDate,
    /// The end of the family, which rotation cannot move.
    pub family_expires_at: NumericDate,
    /// When it was exchanged for its successor.
    pub used_at: Option<NumericDate>,
}

/// An opaque access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpaqueAccessToken {
    /// What we know it by.
    pub hash: TokenHash,
    /// The grant it belongs to; `None` for a client's own token.
    pub grant: Option<GrantId>,
    /// The client it was given to.
    pub client: ClientId,
    /// What it allows.
    pub scope: Scope,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// When it was made.
    pub issued_at: NumericDate,
    /// The end.
    pub expires_at: NumericDate,
}

/// What became of a code that was presented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CodeRedemption {
    /// It was good; grant and tokens are recorded.
    Recorded,
    /// It had been redeemed before; that grant is now revoked.
    Replayed,
}

/// What became of a refresh token that was presented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RefreshRotation {
    /// It was exchanged; the successor is recorded.
    Rotated,
    /// It was exchanged a moment ago and the successor is unused: the same successor stands.
    Repeated,
    /// It had been used before: the whole family is now revoked.
    Reused,
    /// No such token, or its end has come.
    Unknown,
}
