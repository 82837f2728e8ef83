//! Who failed too often is not heard for a while.
//!
//! S-123, S-124, S-129, PROTOCOL A4, A5. An address is blocked for a fixed time. An account is blocked for a time that doubles with each
//! block; behind it one attempt is heard, and a wrong one begins the next. So guesses at an account become few, and still its owner is never shut out for good:
//! browsers that the account knows are counted by themselves, and links and passkeys are not counted here.
//!
//! Everything is counted before it is checked, in the ephemeral store, which all nodes share. When the shared counters are away each node
//! counts by itself, and more strictly; when the store that holds the blocks does not answer, nobody is let in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authn::Refusal;
use crate::edge::Edges;
use crate::edge::ephemeral::{Decision, EphemeralKey, Namespace, Quota};
use crate::edge::store::beside::Beside;
use crate::model::event::{Actor, Event, EventName, Outcome, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{EventId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// Blocks, under the hash of who is blocked.
const BLOCK: Namespace<Block> = Namespace::new("block");
const FAILED: &str = "failed";
const TURN: &str = "block_turn";
const TOLD: &str = "block_told";
/// How long the number of blocks is remembered after the last one.
const MEMORY: Duration = Duration::from_hours(24);

/// A block that began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Block {
    /// Which one it is of its subject, from one on.
    number: u32,
    /// Until when nobody is heard.
    until: NumericDate,
}

/// How many failures are too many, and what follows.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Blocking {
    /// So many at once; after that, one in each period.
    pub failures: Quota,
    /// How long the first block lasts.
    pub first: Duration,
    /// How long the longest lasts; the same as the first for blocks that do not grow.
    pub longest: Duration,
}

/// Who is counted.
#[derive(Copy, Clone, Debug)]
pub struct Subject<'a> {
    /// What kind: `address`, `account`, `browser`.
    pub kind: &'static str,
    /// Which one.
    pub name: &'a str,
    /// The account it is about, if there is one.
    pub user: Option<UserId>,
    /// Where the attempt comes from.
    pub address: &'a str,
}

impl Blocking {
    /// Ten failures from an address within five minutes, then five minutes of silence (S-123).
    pub const ADDRESS: Self = Self::of_address(10, Duration::from_mins(5));

    /// Ten failures at an account, then a minute, two, four … an hour of silence (S-124).
    pub const ACCOUNT: Self = Self {
        failures: Quota { burst: 10, period: Duration::from_hours(1) },
        first: Duration::from_mins(1),
        longest: Duration::from_hours(1),
    };

    /// `failures` from an address within `time`, then as long of silence.
    pub const fn of_address(failures: u32, time: Duration) -> Self {
        let each = Duration::from_secs(time.as_secs() / if failures == 0 { 1 } else { failures as u64 });
        Self { failures: Quota { burst: failures, period: each }, first: time, longest: time }
    }

    /// Whether `subject` is heard at all: before a code is sent, say.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] while it is blocked; a fault of the ephemeral store.
    pub async fn check(self, edges: &Edges, subject: Subject<'_>, now: NumericDate) -> Result<(), Refusal> {
        match standing(edges, subject, now).await? {
            Some(block) if !block.until.is_past(now) => Err(wait(block.until, now)),
            _ => Ok(()),
        }
    }

    /// Counts an attempt of `subject` as if it failed, and says whether it is heard. The last one that is heard begins the block, so
    /// that whoever comes beside or behind it is refused until it turns out to be right ([`Blocking::forget`]).
    ///
    /// # Errors
    /// [`Refusal::TooMany`] while it is blocked; a fault of a store.
    pub async fn count(self, edges: &Edges, subject: Subject<'_>, now: NumericDate) -> Result<(), Refusal> {
        let standing = standing(edges, subject, now).await?;
        if let Some(block) = standing.as_ref().filter(|block| !block.until.is_past(now)) {
            return self.refuse(edges, subject, (block.until, now)).await;
        }
        let before_the_last = Quota { burst: self.failures.burst.saturating_sub(1), ..self.failures };
        if edges.ephemeral.rate(&counter(subject), before_the_last, now).await? == Decision::Allowed {
            return Ok(());
        }
        let number = standing.map_or(0, |block| block.number) + 1;
        let until = now.plus(self.length(number));
        if !edges.ephemeral.add_if_absent(&turn(subject, number), until, now).await? {
            return self.refuse(edges, subject, (until, now)).await;
        }
        let remembered = until.plus(self.remembered());
        BLOCK.put(&*edges.ephemeral, subject_key(subject).as_bytes(), &Block { number, until }, remembered).await?;
        Ok(())
    }

    async fn refuse(
        self,
        edges: &Edges,
        subject: Subject<'_>,
        (until, now): (NumericDate, NumericDate),
    ) -> Result<(), Refusal> {
        let told = EphemeralKey::new(TOLD, subject_key(subject).as_bytes());
        if edges.ephemeral.add_if_absent(&told, until, now).await? {
            tell(edges, subject, (until, now)).await?;
        }
        Err(wait(until, now))
    }

    /// Forgets the failures of `subject`: it was right.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn forget(self, edges: &Edges, subject: Subject<'_>, now: NumericDate) -> Result<(), Fault> {
        // All that may stand there, in one step.
        let all = self.failures.period.saturating_mul(self.failures.burst.saturating_add(1));
        let everything = Quota { period: all, ..self.failures };
        edges.ephemeral.give_back(&counter(subject), everything).await?;
        let key = subject_key(subject);
        let block = BLOCK.take(&*edges.ephemeral, key.as_bytes(), now).await?;
        // The next block of this number is a new one.
        if let Some(block) = block {
            edges.ephemeral.take(&turn(subject, block.number), now).await?;
            edges.ephemeral.take(&EphemeralKey::new(TOLD, key.as_bytes()), now).await?;
        }
        Ok(())
    }

    /// A block of an address leaves no trace; that of an account makes the next one longer.
    fn remembered(self) -> Duration {
        if self.first == self.longest { Duration::ZERO } else { MEMORY }
    }

    fn length(self, number: u32) -> Duration {
        let doubled = 1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

async fn standing(edges: &Edges, subject: Subject<'_>, now: NumericDate) -> Result<Option<Block>, Fault> {
    BLOCK.get(&*edges.ephemeral, subject_key(subject).as_bytes(), now).await
}

fn wait(until: NumericDate, now: NumericDate) -> Refusal {
    Refusal::TooMany(until.since(now).as_secs().max(1))
}

fn subject_key(subject: Subject<'_>) -> TokenHash {
    TokenHash::of(&format!("{}:{}", subject.kind, subject.name))
}

fn counter(subject: Subject<'_>) -> EphemeralKey {
    EphemeralKey::new(FAILED, subject_key(subject).as_bytes())
}

fn turn(subject: Subject<'_>, number: u32) -> EphemeralKey {
    EphemeralKey::new(TURN, TokenHash::of(&format!("{number}:{}:{}", subject.kind, subject.name)).as_bytes())
}

/// Once for each block.
async fn tell(edges: &Edges, subject: Subject<'_>, (until, now): (NumericDate, NumericDate)) -> Result<(), Fault> {
    // Not the name itself: people type passwords into the field for names.
    let hash: String = TokenHash::of(subject.name).as_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let details = json!({
        "reason": subject.kind, "until": until.seconds(), "ip": subject.address, "identifier_hash": hash,
    });
    let serde_json::Value::Object(details) = details else { return Ok(()) };
    let event = Event {
        id: EventId::new(now, edges.random.bytes()),
        at: now,
        name: EventName::SecurityBlocked,
        outcome: Outcome::Failure,
        user: subject.user,
        actor: Actor::Anonymous,
        client: None,
        session: None,
        provenance: Provenance { address: subject.address.to_owned(), ..Provenance::default() },
        details,
    };
    edges.store.record(Beside::event(event)).await
}
