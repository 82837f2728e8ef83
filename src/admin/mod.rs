//! What operators do: the functions behind the command line and the admin API, so that both do the same thing.
//!
//! Each is a method of [`Administration`], which knows who acts; it reads what it changes, says by a [`Refusal`] why it does not, and
//! otherwise records one fact with the event that tells of it. To add something: a file named for its noun with an
//! `impl Administration`, its fact in `edge/store/`, its command in `cli/` and its operation in `http/api/admin/`.
//!
//! *Why not in `account/`:* what people do for themselves is bounded by what is theirs; here it is bounded by rank.

pub mod api;
pub mod bulk;
pub mod claim_mapper;
pub mod client;
pub mod group;
pub mod group_scope;
pub mod invitation;
pub mod job;
pub mod key;
pub mod permission;
pub mod person;
pub mod provider;
pub mod refusal;
pub mod role;
pub mod rule;
pub mod second_factor;

use crate::edge::Edges;
use crate::edge::store::{Beside, Change};
use crate::model::event::{Actor, Event, EventName, Provenance};
use crate::model::user::{Role, User};
use crate::protocol::numeric_date::NumericDate;

pub use self::refusal::{AdminError, Refusal, Thing};

/// Somebody who administers this server.
#[derive(Clone)]
pub struct Administration {
    /// What it asks of the world.
    pub edges: Edges,
    /// Who acts.
    pub by: Actor,
    /// What they may do on this server.
    pub role: Role,
    /// From where.
    pub from: Provenance,
}

/// Whether a change changed anything.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    /// It did.
    Yes,
    /// It was so before.
    No,
}

impl Administration {
    /// An operator on the command line.
    pub fn of_operator(edges: &Edges) -> Self {
        Self { edges: edges.clone(), by: Actor::Operator, role: Role::Owner, from: Provenance::default() }
    }

    /// A person, with what their role lets them do.
    pub fn of_person(edges: &Edges, person: &User, from: Provenance) -> Self {
        Self { edges: edges.clone(), by: Actor::User(person.id), role: person.role, from }
    }

    /// The present moment.
    pub fn now(&self) -> NumericDate {
        self.edges.clock.now()
    }

    fn event(&self, name: EventName) -> Event {
        self.edges.event(name).by(self.by.clone()).from(self.from.clone())
    }

    fn told(&self, name: EventName, details: &[(&str, &str)]) -> Beside {
        let event = details.iter().fold(self.event(name), |event, (name, value)| event.telling(name, *value));
        Beside::event(event)
    }
}

/// What a change of the directory came to. `what` was changed; `named` is what it refers to.
fn settle(change: Change, what: Thing, named: (Thing, &str)) -> Result<Changed, AdminError> {
    let refusal = match change {
        Change::Done => return Ok(Changed::Yes),
        Change::Unchanged => return Ok(Changed::No),
        Change::Unknown => Refusal::Unknown { what: named.0, name: named.1.to_owned() },
        Change::Taken => Refusal::Taken { what },
        Change::Circle => Refusal::Circle,
        Change::TooDeep => Refusal::TooDeep,
        Change::InUse => Refusal::InUse,
        Change::Stale => Refusal::Stale,
    };
    Err(refusal.into())
}
