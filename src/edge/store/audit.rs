//! The chain of events: what was changed, taken away or put in another order is found.
//!
//! PROTOCOL O3, S-144. Each hash is a MAC under a key of the server's own, which does not stand in the database: whoever can write rows
//! cannot write a chain. *Why a second late and not with the event:* the hash of an event needs the one before, and every transaction
//! that tells something would wait for all before it.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::model::audit::{Finding, Report};
use crate::model::fault::Fault;
use crate::model::id::EventId;
use crate::protocol::secret::MacKey;

const BEGIN: &str = "INSERT INTO audit_head (id, seq, hash, cleared_seq, cleared_hash) VALUES (1, 0, $1, 0, $1)
    ON CONFLICT DO NOTHING";
/// Locks it as well.
const TAKE_HEAD: &str = "UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash, cleared_seq, cleared_hash";
const READ_HEAD: &str = "SELECT seq, hash, cleared_seq, cleared_hash FROM audit_head WHERE id = 1";
const MOVE_HEAD: &str = "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1";
const UNCHAINED: &str =
    "SELECT id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details,
    chain_seq, chain_hash, place_hash FROM event WHERE chain_seq IS NULL ORDER BY id LIMIT $1";
const COUNT_UNCHAINED: &str = "SELECT COUNT(*) FROM event WHERE chain_seq IS NULL";
const CHAIN: &str =
    "UPDATE event SET chain_seq = $2, chain_hash = $3, place_hash = $4 WHERE id = $1 AND chain_seq IS NULL";
const PAGE: &str =
    "SELECT id, at, name, outcome, user_id, actor, client_id, session_id, address, user_agent, trace_id, details,
    chain_seq, chain_hash, place_hash FROM event WHERE chain_seq > $1 ORDER BY chain_seq LIMIT $2";
/// The first of the chain that is to be kept.
const KEEP_FROM: &str = "SELECT MIN(chain_seq) FROM event WHERE chain_seq IS NOT NULL AND at >= $1";
const HASH_OF: &str = "SELECT chain_hash FROM event WHERE chain_seq = $1";
const CLEAR: &str = "DELETE FROM event WHERE chain_seq <= $1";
const CLEARED: &str = "UPDATE audit_head SET cleared_seq = $1, cleared_hash = $2 WHERE id = 1";

/// Where the chain begins.
const GENESIS: [u8; 32] = [0; 32];
/// Events of one page.
const ROWS: i64 = 1_000;

impl Store {
    /// Chains at most `limit` events that are not yet; returns how many.
    pub async fn chain_events(&self, key: &MacKey, limit: u32) -> Result<u64, Fault> {
        if self.count_unchained().await? == 0 {
            return Ok(0);
        }
        let key = key.clone();
        let fact = Fact::several(move |connection| {
            async move {
                connection.query(BEGIN).bind(GENESIS.to_vec()).execute().await.context("begin the chain of events")?;
                let head: HeadRow =
                    connection.query(TAKE_HEAD).fetch_one().await.context("take the head of the chain")?;
                let unchained = connection.query(UNCHAINED).bind(i64::from(limit));
                let rows: Vec<AuditRow> = unchained.fetch_all().await.context("list events to chain")?;
                chain(connection, &key, (head, rows)).await
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    async fn count_unchained(&self) -> Result<u64, Fault> {
        let count: i64 = self.readers.query(COUNT_UNCHAINED).scalar_one().await.context("count events to chain")?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Goes along the whole chain, and says what is not as it was written.
    pub async fn verify_events(&self, key: &MacKey) -> Result<Report, Fault> {
        loop {
            let Some(begun) = self.audit_head().await? else {
                return Ok(Report { unchained: self.count_unchained().await?, ..Report::default() });
            };
            let mut walk = Walk::from(&begun);
            loop {
                let page = self.readers.query(PAGE).bind(walk.seq).bind(ROWS);
                let rows: Vec<AuditRow> = page.fetch_all().await.context("read the chain of events")?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    walk.step(key, row);
                }
            }
            let ended = self.audit_head().await?;
            // Old events may have been cleared away under our feet: then we have missed what nobody took.
            if ended.is_none_or(|ended| ended.cleared_seq == begun.cleared_seq) {
                if walk.seq < begun.seq {
                    walk.report.findings.push(Finding::Missing { from: walk.seq + 1, to: begun.seq });
                }
                walk.report.head = walk.seq;
                walk.report.head_hash = hex(&walk.hash);
                walk.report.unchained = self.count_unchained().await?;
                return Ok(walk.report);
            }
        }
    }

    async fn audit_head(&self) -> Result<Option<HeadRow>, Fault> {
        self.readers.query(READ_HEAD).fetch_optional().await.context("read the head of the chain")
    }

    /// Clears away what was chained, at most `limit` events of it from before `since`; the chain goes on from there.
    pub(super) async fn clear_chained(&self, since: i64, limit: u32) -> Result<u64, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let head: Option<HeadRow> =
                    connection.query(TAKE_HEAD).fetch_optional().await.context("take the head of the chain")?;
                let Some(head) = head else { return Ok(0) };
                let keep: Option<i64> =
                    connection.query(KEEP_FROM).bind(since).scalar_one().await.context("look which events to keep")?;
                let last = keep.map_or(head.seq, |keep| keep - 1).min(head.cleared_seq + i64::from(limit));
                if last <= head.cleared_seq {
                    return Ok(0);
                }
                let hash: Option<Vec<u8>> =
                    connection.query(HASH_OF).bind(last).scalar_optional().await.context("read a hash of the chain")?;
                // A gap is for `audit verify` to tell, not for us to close.
                let Some(hash) = hash else { return Ok(0) };
                let cleared = connection.query(CLEAR).bind(last).execute().await.context("clear away old events")?;
                let note = connection.query(CLEARED).bind(last).bind(hash);
                note.execute().await.context("note which events were cleared away")?;
                Ok(cleared)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

async fn chain(
    connection: &mut Connection,
    key: &MacKey,
    (head, rows): (HeadRow, Vec<AuditRow>),
) -> Result<u64, Fault> {
    let (mut seq, mut hash) = (head.seq, head.hash);
    for row in &rows {
        seq += 1;
        let place = row.place(key);
        hash = row.link(key, (&hash, seq), &place).to_vec();
        let chain = connection.query(CHAIN).bind(row.id).bind(seq).bind(hash.clone()).bind(place.to_vec());
        if chain.execute().await.context("chain an event")? != 1 {
            return Err(Place { table: "event", id: &row.id }.damaged("chain_seq"));
        }
    }
    let moved = connection.query(MOVE_HEAD).bind(seq).bind(hash);
    moved.execute().await.context("move the head of the chain")?;
    Ok(rows.len() as u64)
}

#[derive(FromRow)]
struct HeadRow {
    seq: i64,
    hash: Vec<u8>,
    cleared_seq: i64,
    cleared_hash: Vec<u8>,
}

/// An event as it stands, word by word.
#[derive(FromRow)]
struct AuditRow {
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
    chain_seq: Option<i64>,
    chain_hash: Option<Vec<u8>>,
    place_hash: Option<Vec<u8>>,
}

impl AuditRow {
    fn place(&self, key: &MacKey) -> [u8; 32] {
        key.mac(&[b"place", self.address.as_bytes(), self.user_agent.as_bytes()])
    }

    /// Its hash, after the event before it.
    fn link(&self, key: &MacKey, (before, seq): (&[u8], i64), place: &[u8]) -> [u8; 32] {
        let bytes = |id: &Option<Uuid>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        key.mac(&[
            b"event",
            before,
            &seq.to_be_bytes(),
            self.id.as_bytes(),
            &self.at.to_be_bytes(),
            self.name.as_bytes(),
            self.outcome.as_bytes(),
            &bytes(&self.user_id),
            self.actor.as_bytes(),
            self.client_id.as_deref().unwrap_or_default().as_bytes(),
            &bytes(&self.session_id),
            self.trace_id.as_bytes(),
            self.details.as_bytes(),
            place,
        ])
    }

    /// Where from, where it still stands, is what it was.
    fn is_of_its_place(&self, key: &MacKey) -> bool {
        let is_forgotten = self.address.is_empty() && self.user_agent.is_empty();
        is_forgotten || self.place_hash.as_deref().is_some_and(|hash| hash == self.place(key).as_slice())
    }
}

/// How far along the chain, and what was found.
struct Walk {
    seq: i64,
    hash: Vec<u8>,
    report: Report,
}

impl Walk {
    fn from(head: &HeadRow) -> Self {
        Self { seq: head.cleared_seq, hash: head.cleared_hash.clone(), report: Report::default() }
    }

    fn step(&mut self, key: &MacKey, row: &AuditRow) {
        let seq = row.chain_seq.unwrap_or_default();
        if seq != self.seq + 1 {
            self.report.findings.push(Finding::Missing { from: self.seq + 1, to: seq - 1 });
        }
        let stands = row.chain_hash.clone().unwrap_or_default();
        let follows = seq == self.seq + 1;
        let place = row.place_hash.as_deref().unwrap_or_default();
        // After a gap the hash before is not known: what is left of the chain is judged from here on.
        let is_whole = !follows || row.link(key, (&self.hash, seq), place).as_slice() == stands;
        if !is_whole || !row.is_of_its_place(key) {
            self.report.findings.push(Finding::Changed { seq, event: EventId::from_uuid(row.id) });
        }
        self.seq = seq;
        self.hash = stands;
        self.report.events = self.report.events.saturating_add(1);
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes it");
        text
    })
}
