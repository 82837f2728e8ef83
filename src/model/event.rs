//! What happened, in the words of one catalogue: a person's history, the operator's audit and later the webhooks read the same record.
//!
//! PROTOCOL O3. The names, and what each has to tell, stand in `event_catalogue`. No secret, code or whole token is ever told.

use serde::{Deserialize, Serialize};

pub use crate::model::event_catalogue::EventName;
use crate::model::id::{ClientId, EventId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// Where a request came from.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The address as limits count it.
    pub address: String,
    /// The browser's name for itself, cut to 256 characters.
    pub user_agent: String,
    /// The name of the request in the log.
    pub trace_id: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The row.
    pub id: EventId,
    /// When.
    pub at: NumericDate,
    /// What.
    pub name: EventName,
    /// How it ended.
    pub outcome: Outcome,
    /// Whom it concerns.
    pub user: Option<UserId>,
    /// Who did it.
    pub actor: Actor,
    /// Through which app.
    pub client: Option<ClientId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// Where the request came from.
    pub provenance: Provenance,
    /// What else there is to tell, as the catalogue says of its name.
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl Event {
    /// Something that happened `at` a moment: a success of the server's own, until it is said whom it concerns.
    pub fn new(id: EventId, at: NumericDate, name: EventName) -> Self {
        Self {
            id,
            at,
            name,
            outcome: Outcome::Success,
            user: None,
            actor: Actor::Server,
            client: None,
            session: None,
            provenance: Provenance::default(),
            details: serde_json::Map::new(),
        }
    }

    /// It concerns `user`, who did it themselves.
    #[must_use]
    pub fn of(self, user: UserId) -> Self {
        Self { user: Some(user), actor: Actor::User(user), ..self }
    }

    /// It concerns `user`; somebody else did it.
    #[must_use]
    pub fn concerning(self, user: UserId) -> Self {
        Self { user: Some(user), ..self }
    }

    /// `actor` did it.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// It was refused.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { outcome: Outcome::Failure, ..self }
    }

    /// Through the app `client`.
    #[must_use]
    pub fn through(self, client: &ClientId) -> Self {
        Self { client: Some(client.clone()), ..self }
    }

    /// In `session`.
    #[must_use]
    pub fn within(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The request came from there.
    #[must_use]
    pub fn from(self, provenance: Provenance) -> Self {
        Self { provenance, ..self }
    }

    /// With one more thing to tell; never a secret, a code or a whole token.
    #[must_use]
    pub fn telling(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// How something ended.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As asked.
    Success,
    /// It was refused.
    Failure,
}

impl Outcome {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The outcome stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Failure].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Who did something.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Somebody who has not proven who they are.
    Anonymous,
    /// The person it concerns, or an administrator.
    User(UserId),
    /// An app.
    Client(ClientId),
    /// An operator on the command line.
    Operator,
    /// The server, by its own rules.
    Server,
}
