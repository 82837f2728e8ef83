//! An authorization request under way: `Pending → Authenticated → Answered`, each state carrying its data.

use serde::{Deserialize, Serialize};

use crate::model::id::{ClientId, SessionId};
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// A request that waits for a person. It lives in the ephemeral store under the hash of its id and is bound to a browser.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The layout of this value; another layout counts as expired.
    pub version: u8,
    /// Hash of the browser's flow cookie: the id in the URL alone opens nothing.
    pub browser: TokenHash,
    /// Who asks.
    pub client: ClientId,
    /// What is asked.
    pub request: AuthorizationRequest,
    /// How far it is.
    pub progress: Progress,
    /// When it began.
    pub created_at: NumericDate,
    /// The end.
    pub expires_at: NumericDate,
}

/// How far an interaction is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Progress {
    /// Nothing was asked of the person yet.
    Pending,
    /// The person signed in, or chose an account, for this very request.
    Authenticated(Authenticated),
    /// The client has its answer; the id only leads the person back.
    Answered,
}

/// A person took part in this request.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Authenticated {
    /// The session they did it in.
    pub session: SessionId,
    /// When.
    pub at: NumericDate,
    /// By proving who they are, or by choosing among accounts already proven.
    pub by: Participation,
}

/// How a person took part.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Participation {
    /// They proved who they are.
    SignedIn,
    /// They chose the account they were signed in with.
    ChoseAccount,
}

/// What a person agreed to on the consent page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsentGiven {
    /// The scope they agreed to.
    pub scope: Scope,
    /// Names of single claims they agreed to.
    pub claims: Vec<String>,
}

impl Interaction {
    /// The layout written today.
    pub const VERSION: u8 = 1;

    /// True when it can still be gone on with, in the browser that began it.
    pub fn is_open_to(&self, browser: Option<&TokenHash>, now: NumericDate) -> bool {
        self.version == Self::VERSION
            && !self.expires_at.is_past(now)
            && browser.is_some_and(|browser| browser.matches(&self.browser))
    }

    /// The person signed in, or chose an account.
    #[must_use]
    pub fn authenticated(self, authenticated: Authenticated) -> Self {
        Self { progress: Progress::Authenticated(authenticated), ..self }
    }

    /// The client has its answer.
    #[must_use]
    pub fn answered(self) -> Self {
        Self { progress: Progress::Answered, ..self }
    }
}
