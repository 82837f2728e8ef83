//! What happened.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::model::event::{Actor, Event, EventName, Outcome, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, EventId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;

const INSERT: &str = "INSERT INTO event
    (id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const OF_USER: &str =
    "SELECT id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details
    FROM event WHERE user_id = $1 AND at >= $2 AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4";
const LATEST: &str =
    "SELECT id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details
    FROM event ORDER BY at DESC, id DESC LIMIT $1";
/// `$5`: from this id on, `$6`: before this one, since ids sort by time.
///
/// *Why no string building:* what is not asked for is NULL; the first words choose the index.
macro_rules! find {
    ($first:literal) => {
        concat!(
            "SELECT id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details
            FROM event WHERE ",
            $first,
            "id >= $5 AND id < $6 AND ($1 IS NULL OR name = $1) AND ($2 IS NULL OR outcome = $2)
            AND ($3 IS NULL OR user_id = $3) AND ($4 IS NULL OR client_id = $4) ORDER BY id DESC LIMIT $7"
        )
    };
}
const FIND: &str = find!("");
const FIND_OF_USER: &str = find!("user_id = $3 AND ");
const FIND_OF_CLIENT: &str = find!("client_id = $4 AND ");
const FIND_OF_NAME: &str = find!("name = $1 AND ");
const FIND_FAILED: &str = find!("outcome = 'failure' AND ");
/// *Why `||`:* so that no engine goes along all sign-ins of everybody.
const SEEN: &str = "SELECT user_agent, address FROM event
    WHERE user_id = $1 AND name || '' = 'sign_in' AND outcome = 'success'
    GROUP BY user_agent, address LIMIT 10000";
/// Where a person signed in before, compared with where they do now.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// Somewhere.
    pub anywhere: bool,
    /// With a browser or app of this name.
    pub same_browser: bool,
    /// With that, from this address.
    pub same_browser_and_address: bool,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only those of this name.
    pub name: Option<EventName>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those that concern this person.
    pub user: Option<UserId>,
    /// Only those through this client.
    pub client: Option<ClientId>,
    /// From this moment on.
    pub since: Option<NumericDate>,
    /// Before this moment.
    pub until: Option<NumericDate>,
    /// Before this event.
    pub before: Option<EventId>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// The events that a query asks for, the latest first.
    pub async fn find_events(&self, query: &EventQuery) -> Result<Vec<Event>, Fault> {
        let statement = match query {
            EventQuery { user: Some(_), .. } => FIND_OF_USER,
            EventQuery { client: Some(_), .. } => FIND_OF_CLIENT,
            EventQuery { name: Some(_), .. } => FIND_OF_NAME,
            EventQuery { outcome: Some(Outcome::Failure), .. } => FIND_FAILED,
            EventQuery { .. } => FIND,
        };
        let find = self.readers.query(statement).bind(query.name.map(EventName::as_str));
        let find = find.bind(query.outcome.map(Outcome::as_str)).bind(query.user.map(UserId::uuid));
        let find = find.bind(query.client.as_ref().map(|client| client.as_str().to_owned()));
        let since = query.since.map_or(Uuid::nil(), first_of);
        let until = query.until.map_or(Uuid::max(), first_of).min(query.before.map_or(Uuid::max(), EventId::uuid));
        let find = find.bind(since).bind(until).bind(i64::from(query.limit));
        let rows: Vec<EventRow> = find.fetch_all().await.context("find events")?;
        rows.into_iter().map(Event::try_from).collect()
    }

    /// What is remembered of earlier sign-ins of `user`, against one from there.
    pub async fn seen_at_sign_in(&self, user: UserId, from: &Provenance) -> Result<Seen, Fault> {
        let read = self.readers.query(SEEN).bind(user.uuid());
        let rows: Vec<(String, String)> = read.fetch_all().await.context("look for earlier sign-ins")?;
        let mut seen = Seen { anywhere: !rows.is_empty(), ..Seen::default() };
        for (user_agent, address) in rows {
            let same = user_agent == from.user_agent;
            seen.same_browser |= same;
            seen.same_browser_and_address |= same && address == from.address;
        }
        Ok(seen)
    }

    /// Writes an event down without waiting; it may be lost when the server is overloaded or dies, so that what must be told
    /// goes beside its fact.
    pub fn note_event(&self, event: Event) {
        debug_assert_eq!(event.name.check(&event.details), Ok(()), "an event tells what its catalogue does not");
        let fact = Fact::one(move |connection| async move { insert(connection, &event).await }.boxed());
        if let Err(fault) = self.recorder.post(fact) {
            tracing::warn!(error = %fault, "an event was not written down");
        }
    }

    /// Deletes at most `limit` events from before `since`, once they are chained; returns how many went.
    pub async fn clear_events(&self, since: NumericDate, limit: u32) -> Result<u64, Fault> {
        self.clear_chained(since.seconds(), limit).await
    }

    /// What concerned `user` since `since`, the latest first: at most `limit` events, those before `before` where it is given.
    pub async fn events_of(
        &self,
        user: UserId,
        since: NumericDate,
        (before, limit): (Option<EventId>, u32),
    ) -> Result<Vec<Event>, Fault> {
        let list = self.readers.query(OF_USER).bind(user.uuid()).bind(since.seconds());
        let list = list.bind(before.map(EventId::uuid)).bind(i64::from(limit));
        let rows: Vec<EventRow> = list.fetch_all().await.context("list events")?;
        rows.into_iter().map(Event::try_from).collect()
    }

    /// What happened, whoever it concerned, the latest first: at most `limit` events.
    pub async fn latest_events(&self, limit: u32) -> Result<Vec<Event>, Fault> {
        let list = self.readers.query(LATEST).bind(i64::from(limit));
        let rows: Vec<EventRow> = list.fetch_all().await.context("list the latest events")?;
        rows.into_iter().map(Event::try_from).collect()
    }
}

/// The last second that an id tells: it has 48 bits of milliseconds (RFC 9562 §5.7).
const LAST_SECOND: i64 = 281_474_976_710;

/// The first of all ids of this moment.
fn first_of(moment: NumericDate) -> Uuid {
    if moment.seconds() > LAST_SECOND { Uuid::max() } else { EventId::new(moment, [0; 10]).uuid() }
}

/// Writes an event down within the transaction of `connection`.
pub(super) async fn insert(connection: &mut Connection, event: &Event) -> Result<(), Fault> {
    debug_assert_eq!(event.name.check(&event.details), Ok(()), "an event tells what its catalogue does not");
    let insert = connection.query(INSERT).bind(event.id.uuid()).bind(event.at.seconds()).bind(event.name.as_str());
    let insert = insert.bind(event.outcome.as_str()).bind(event.user.map(UserId::uuid));
    let insert =
        insert.bind(to_json(&event.actor)?).bind(event.client.as_ref().map(|client| client.as_str().to_owned()));
    let insert = insert.bind(event.session.map(SessionId::uuid));
    let Provenance { address, user_agent, trace_id } = event.provenance.clone();
    let insert = insert.bind(address).bind(user_agent).bind(trace_id).bind(to_json(&event.details)?);
    insert.execute().await.context("record an event").map(|_| ())
}

#[derive(FromRow)]
struct EventRow {
    id: Uuid,
    at: i64,
    name: String,
    outcome: String,
    user_id: Option<Uuid>,
    actor: String,
    client_id: Option<String>,
    session_id: Option<Uuid>,
    address: String,
    user_agent: String,
    trace_id: String,
    details: String,
}

impl TryFrom<EventRow> for Event {
    type Error = Fault;

    fn try_from(row: EventRow) -> Result<Self, Fault> {
        let place = Place { table: "event", id: &row.id };
        let client = row.client_id.as_deref().map(|client| place.parse("client_id", client)).transpose()?;
        Ok(Self {
            id: EventId::from_uuid(row.id),
            at: NumericDate::from_seconds(row.at),
            name: EventName::parse(&row.name).ok_or_else(|| place.damaged("name"))?,
            outcome: Outcome::parse(&row.outcome).ok_or_else(|| place.damaged("outcome"))?,
            user: row.user_id.map(UserId::from_uuid),
            actor: place.json::<Actor>("actor", &row.actor)?,
            client,
            session: row.session_id.map(SessionId::from_uuid),
            details: place.json("details", &row.details)?,
            provenance: Provenance { address: row.address, user_agent: row.user_agent, trace_id: row.trace_id },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::plan_tests::plan;

    #[test]
    fn an_event_is_not_before_the_first_of_its_moment() {
        let moment = NumericDate::from_seconds(1_800_000_000);
        assert!(first_of(moment) <= EventId::new(moment, [0; 10]).uuid());
        assert!(first_of(moment) > EventId::new(NumericDate::from_seconds(1_799_999_999), [255; 10]).uuid());
        assert_eq!(first_of(NumericDate::from_seconds(i64::MAX)), Uuid::max());
        assert!(first_of(NumericDate::from_seconds(LAST_SECOND)) > first_of(moment));
    }

    #[tokio::test]
    async fn events_are_listed_by_indexes_in_their_order() {
        for (statement, index) in [
            (FIND, "sqlite_autoindex_event_1 (id>? AND id<?)"),
            (FIND_OF_USER, "event_of_user (user_id=? AND id>? AND id<?)"),
            (FIND_OF_CLIENT, "event_of_client (client_id=? AND id>? AND id<?)"),
            (FIND_OF_NAME, "event_of_name (name=? AND id>? AND id<?)"),
            (FIND_FAILED, "event_failed (id>? AND id<?)"),
            (OF_USER, "event_of_user (user_id=?)"),
        ] {
            let plan = plan(statement).await;
            let walked = plan.says(&format!("SEARCH event USING INDEX {index}"));
            assert!(walked && !plan.says("TEMP B-TREE"), "{statement}: {plan}");
        }
        let seen = plan(SEEN).await;
        assert!(seen.says("SEARCH event USING INDEX event_of_user (user_id=?)"), "{seen}");
        let latest = plan(LATEST).await;
        assert!(latest.says("USING INDEX event_by_time"), "{latest}");
    }
}
