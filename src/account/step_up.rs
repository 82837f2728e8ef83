//! Step-up: before something sensitive a person proves again who they are.
//!
//! S-098, RFC 9470. A proof counts for a while: a sign-in, or what [`StepUp::prove`] wrote down since. That is bound to where the
//! person acts: to the session of a browser, which gets a new cookie with it, or to the grant of the access token an app presents.
//! A sign-in stays as old as it is (`auth_time`), since only part of it was done again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::authn::{self, Answer, Attempt, Method, Refusal};
use crate::edge::Edges;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::{Beside, Here, Kept};
use crate::model::fault::Fault;
use crate::model::grant::Grant;
use crate::model::id::{ClientId, GrantId, SessionId, UserId};
use crate::model::session::Session;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a proof counts where nothing else is set (`DECISIONS.md`, lifetimes).
pub const STEP_UP_LIFETIME: Duration = Duration::from_mins(10);
/// How long a handle is good.
pub const FLOW_LIFETIME: Duration = Duration::from_mins(5);
/// How long a handle is remembered, so that one that ran out is told from one that never was.
const REMEMBERED: Duration = Duration::from_hours(1);

/// A step-up that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flow {
    place: Place,
    expires_at: NumericDate,
}

/// When somebody proved again who they are, by grant.
const PROVEN: Namespace<NumericDate> = Namespace::new("step_up_proven");
/// What waits to be proven, by handle.
const FLOW: Namespace<Flow> = Namespace::new("step_up_flow");

/// Asks for fresh proofs and writes them down.
#[derive(Clone)]
pub struct StepUp {
    /// What it asks of the world.
    pub edges: Edges,
    /// How long a proof counts.
    pub lifetime: Duration,
}

/// Where a person acts.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the session of a browser.
    Session(SessionId),
    /// Through an app, by an access token of this grant.
    Grant(GrantId),
}

/// A person where they act, and what is known of their last proof.
#[derive(Clone, Debug)]
pub enum Acting {
    /// In the session of a browser.
    Session(Arc<Session>),
    /// Through an app.
    Grant(Arc<Grant>),
}

/// That a person proved who they are a short while ago: only [`StepUp::recent`] says so.
#[derive(Clone, Debug)]
pub struct Recent {
    user: UserId,
}

impl Recent {
    /// Who.
    pub const fn user(&self) -> UserId {
        self.user
    }
}

/// What became of a handle.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum FlowState {
    /// It waits, here.
    Open,
    /// It ran out.
    Expired,
    /// It is used, unknown, or of somebody else.
    Invalid,
}

/// A session after a proof, and the value of its new cookie.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The session.
    pub session: Arc<Session>,
    /// For the cookie.
    pub token: Secret,
}

impl Acting {
    /// Where.
    pub fn place(&self) -> Place {
        match self {
            Self::Session(session) => Place::Session(session.id),
            Self::Grant(grant) => Place::Grant(grant.id),
        }
    }

    /// Who.
    pub fn user(&self) -> UserId {
        match self {
            Self::Session(session) => session.authentication.user,
            Self::Grant(grant) => grant.user,
        }
    }

    /// In which session; for a grant the one that it was given in.
    pub fn session(&self) -> SessionId {
        match self {
            Self::Session(session) => session.id,
            Self::Grant(grant) => grant.session,
        }
    }

    /// What goes on where everything else of the person ends.
    pub fn here(&self) -> Here {
        let grant = match self {
            Self::Session(_) => None,
            Self::Grant(grant) => Some(grant.id),
        };
        Here { session: self.session(), grant }
    }

    /// Through which app, if through one.
    pub fn client(&self) -> Option<&ClientId> {
        match self {
            Self::Session(_) => None,
            Self::Grant(grant) => Some(&grant.client),
        }
    }
}

/// Has `method` judge an answer of the person who acts, whom the attempt names.
///
/// # Errors
/// What the method says; [`Refusal::Wrong`] too when somebody else is proven.
pub async fn judge(method: &dyn Method, attempt: &Attempt, answer: &Answer) -> Result<(), Refusal> {
    let proof = authn::judge(method, attempt, answer).await?;
    if attempt.person == Some(proof.user) { Ok(()) } else { Err(Refusal::Wrong) }
}

impl StepUp {
    /// Whether the person proved who they are within the lifetime of a proof.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn recent(&self, acting: &Acting) -> Result<Option<Recent>, Fault> {
        let now = self.edges.clock.now();
        let proven_at = match acting {
            Acting::Session(session) => session.proven_at(),
            Acting::Grant(grant) => {
                let since = PROVEN.get(&*self.edges.ephemeral, grant.id.as_bytes(), now).await?;
                let signed_in_at = grant.details.authentication.at;
                since.map_or(signed_in_at, |since| since.max(signed_in_at))
            }
        };
        let is_recent = !proven_at.plus(self.lifetime).is_past(now);
        Ok(is_recent.then(|| Recent { user: acting.user() }))
    }

    /// Begins a step-up for where the person acts; returns its handle.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn begin(&self, acting: &Acting) -> Result<Secret, Fault> {
        let now = self.edges.clock.now();
        let handle = self.edges.random.token();
        let flow = Flow { place: acting.place(), expires_at: now.plus(FLOW_LIFETIME) };
        FLOW.put(&*self.edges.ephemeral, TokenHash::of(handle.expose()).as_bytes(), &flow, now.plus(REMEMBERED))
            .await?;
        Ok(handle)
    }

    /// Whether a handle waits for a proof where the person acts.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn flow(&self, handle: &Secret, acting: &Acting) -> Result<FlowState, Fault> {
        let now = self.edges.clock.now();
        let flow = FLOW.get(&*self.edges.ephemeral, TokenHash::of(handle.expose()).as_bytes(), now).await?;
        Ok(match flow {
            Some(flow) if flow.place != acting.place() => FlowState::Invalid,
            Some(flow) if flow.expires_at.is_past(now) => FlowState::Expired,
            Some(_) => FlowState::Open,
            None => FlowState::Invalid,
        })
    }

    /// Uses a handle up.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn close(&self, handle: &Secret) -> Result<(), Fault> {
        let key = TokenHash::of(handle.expose());
        FLOW.take(&*self.edges.ephemeral, key.as_bytes(), self.edges.clock.now()).await.map(|_| ())
    }

    /// Writes down that the person proved again who they are; a session gets a new cookie with it. `None` for a grant, and for a
    /// session that has ended meanwhile.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn prove(&self, acting: &Acting, beside: Beside) -> Result<Option<Proven>, Fault> {
        let now = self.edges.clock.now();
        match acting {
            Acting::Session(session) => {
                let token = self.edges.random.token();
                let kept = Kept { session: session.id, token: TokenHash::of(token.expose()) };
                let session = self.edges.store.prove_session(acting.user(), kept, now, beside).await?;
                Ok(session.map(|session| Proven { session, token }))
            }
            Acting::Grant(grant) => {
                self.edges.store.record(beside).await?;
                PROVEN.put(&*self.edges.ephemeral, grant.id.as_bytes(), &now, now.plus(self.lifetime)).await?;
                Ok(None)
            }
        }
    }
}
