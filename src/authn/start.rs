//! The start of something that sends a message: the handle for what follows, and the pause before the next.
//!
//! DECISIONS.md (cooldown and debounce): the minute between two messages counts by address and purpose; an identical start within five
//! seconds gives the same handle and sends nothing more. A handle is 256 bits that nobody can make without our key; what is kept is
//! its hash.

use std::sync::Arc;
use std::time::Duration;

use crate::edge::Edges;
use crate::edge::ephemeral::{EphemeralKey, EphemeralStore, Namespace};
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{MacKey, Secret, TokenHash};

/// The pause between two messages of one purpose to one address, if nothing is said. A minute is the least: it names a handle.
pub const PAUSE: Duration = Duration::from_mins(1);
/// How long an identical start is the same start.
const IDENTICAL: Duration = Duration::from_secs(5);

const SAME: &str = "start_same";
const RECENT: &str = "start_recent";
/// When the pause is over.
const UNTIL: Namespace<NumericDate> = Namespace::new("start_until");

/// Starts. Clones share the store.
#[derive(Clone)]
pub struct Starts {
    ephemeral: Arc<dyn EphemeralStore>,
    key: MacKey,
    pause: Duration,
}

/// What a start is about.
#[derive(Copy, Clone, Debug)]
pub struct About<'a> {
    /// What for.
    pub purpose: &'static str,
    /// The address in its canonical form, or the number.
    pub address: &'a str,
    /// Whose start it is: a handle of somebody else is another.
    pub binding: Option<&'a TokenHash>,
    /// Everything else that makes two starts differ.
    pub content: &'a [&'a [u8]],
}

/// What a start is.
#[derive(Clone, Debug)]
pub enum Start {
    /// It begins; this is its handle.
    Fresh(Secret),
    /// It began a moment ago; nothing is to be done.
    Same(Secret),
    /// A message was sent; seconds until the next may be.
    TooSoon(u64),
}

impl Starts {
    /// Handles are made with `key`.
    pub fn new(edges: &Edges, key: MacKey) -> Self {
        Self { ephemeral: Arc::clone(&edges.ephemeral), key, pause: PAUSE }
    }

    /// With another pause, of a minute at least.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The pause between two messages of one purpose to one address.
    pub const fn pause(&self) -> Duration {
        self.pause
    }

    /// Begins something at `now`, or says that it began.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn begin(&self, about: About<'_>, now: NumericDate) -> Result<Start, Fault> {
        // Two starts that send are a minute apart at least: the minute of the first names it.
        let minute = now.seconds().div_euclid(60);
        let same = EphemeralKey::new(SAME, &self.mac("same", &about, 0));
        if !self.ephemeral.add_if_absent(&same, now.plus(IDENTICAL), now).await? {
            let began = UNTIL.get(&*self.ephemeral, &self.recent(&about), now).await?;
            let began = began.map_or(minute, |until| until.minus(self.pause).seconds().div_euclid(60));
            return Ok(Start::Same(self.handle(&about, began)));
        }
        let recent = EphemeralKey::new(RECENT, &self.recent(&about));
        if !self.ephemeral.add_if_absent(&recent, now.plus(self.pause), now).await? {
            self.ephemeral.take(&same, now).await?;
            let until = UNTIL.get(&*self.ephemeral, &self.recent(&about), now).await?;
            return Ok(Start::TooSoon(until.map_or(self.pause, |until| until.since(now)).as_secs().max(1)));
        }
        UNTIL.put(&*self.ephemeral, &self.recent(&about), &now.plus(self.pause), now.plus(self.pause)).await?;
        Ok(Start::Fresh(self.handle(&about, minute)))
    }

    /// Takes the pause for one more message of what began before; seconds to wait when it is not over.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn again(
        &self,
        (purpose, address): (&'static str, &str),
        now: NumericDate,
    ) -> Result<Result<(), u64>, Fault> {
        let about = About { purpose, address, binding: None, content: &[] };
        let recent = EphemeralKey::new(RECENT, &self.recent(&about));
        if self.ephemeral.add_if_absent(&recent, now.plus(self.pause), now).await? {
            UNTIL.put(&*self.ephemeral, &self.recent(&about), &now.plus(self.pause), now.plus(self.pause)).await?;
            return Ok(Ok(()));
        }
        let until = UNTIL.get(&*self.ephemeral, &self.recent(&about), now).await?;
        Ok(Err(until.map_or(self.pause, |until| until.since(now)).as_secs().max(1)))
    }

    /// Hands over what came of a fresh start. One that came to nothing is taken back: told that it began, the same caller would wait for
    /// a message that nobody sends. Everything between [`Start::Fresh`] and the message goes through here.
    ///
    /// # Errors
    /// That of `outcome`.
    pub async fn settled<T, E>(&self, (about, now): (About<'_>, NumericDate), outcome: Result<T, E>) -> Result<T, E> {
        if outcome.is_err()
            && let Err(fault) = self.take_back(about, now).await
        {
            tracing::error!(error = %fault, purpose = about.purpose, "a start that came to nothing was not taken back");
        }
        outcome
    }

    /// Takes a start back whose message did not go out: the next may begin at once.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn take_back(&self, about: About<'_>, now: NumericDate) -> Result<(), Fault> {
        let same = EphemeralKey::new(SAME, &self.mac("same", &about, 0));
        let recent = EphemeralKey::new(RECENT, &self.recent(&about));
        self.ephemeral.take(&same, now).await?;
        self.ephemeral.take(&recent, now).await?;
        UNTIL.take(&*self.ephemeral, &self.recent(&about), now).await?;
        Ok(())
    }

    fn handle(&self, about: &About<'_>, minute: i64) -> Secret {
        use base64::Engine as _;
        Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.mac("handle", about, minute)))
    }

    fn recent(&self, about: &About<'_>) -> [u8; 32] {
        self.key.mac(&[b"start", b"recent", about.purpose.as_bytes(), about.address.as_bytes()])
    }

    fn mac(&self, what: &str, about: &About<'_>, minute: i64) -> [u8; 32] {
        let binding = about.binding.map(TokenHash::as_bytes).map(<[u8; 32]>::as_slice).unwrap_or_default();
        let minute = minute.to_be_bytes();
        let mut parts: Vec<&[u8]> =
            vec![b"start", what.as_bytes(), about.purpose.as_bytes(), about.address.as_bytes(), binding, &minute];
        parts.extend(about.content);
        self.key.mac(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ephemeral::MemoryStore;

    fn starts() -> Starts {
        Starts { ephemeral: Arc::new(MemoryStore::default()), key: MacKey::new(&[1; 32]), pause: PAUSE }
    }

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(1_800_000_050 + seconds)
    }

    async fn begin(starts: &Starts, address: &str, content: &str, seconds: i64) -> Start {
        let about = About { purpose: "registration", address, binding: None, content: &[content.as_bytes()] };
        starts.begin(about, at(seconds)).await.expect("begun")
    }

    #[tokio::test]
    async fn an_identical_start_is_the_same_one_for_five_seconds() {
        let starts = starts();
        let Start::Fresh(first) = begin(&starts, "a@b.co", "x", 0).await else { panic!("the first one begins") };
        assert_eq!(first.expose().len(), 43);
        for seconds in [0, 4] {
            let Start::Same(handle) = begin(&starts, "a@b.co", "x", seconds).await else { panic!("the same one") };
            assert_eq!(handle.expose(), first.expose());
        }
        for (content, seconds, wait) in [("y", 4, 56), ("x", 5, 55), ("x", 6, 54), ("x", 59, 1)] {
            let Start::TooSoon(left) = begin(&starts, "a@b.co", content, seconds).await else { panic!("too soon") };
            assert_eq!(left, wait);
        }
        let Start::Fresh(second) = begin(&starts, "a@b.co", "x", 60).await else { panic!("the minute is over") };
        assert_ne!(second.expose(), first.expose());
        assert!(matches!(begin(&starts, "c@b.co", "x", 60).await, Start::Fresh(_)));
    }

    #[tokio::test]
    async fn one_more_message_waits_for_the_minute() {
        let starts = starts();
        begin(&starts, "a@b.co", "x", 0).await;
        let again = |seconds| starts.again(("registration", "a@b.co"), at(seconds));
        assert_eq!(again(30).await.expect("asked"), Err(30));
        assert_eq!(again(60).await.expect("asked"), Ok(()));
        assert_eq!(again(61).await.expect("asked"), Err(59));
        assert_eq!(starts.again(("reset", "a@b.co"), at(61)).await.expect("asked"), Ok(()));
    }
}
