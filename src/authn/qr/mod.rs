//! Sign-in by a picture: a browser shows it, a phone that is signed in reads it, and its person says yes there.
//!
//! S-055 to S-057, on what RFC 8628 stands on (`edge/device_authorization.rs`). The picture holds a user code alone: what came of it is
//! told to who holds the handle of the sign-in, in the browser that began. *Why the proof is that of the phone, and as old:* nothing else
//! was proven; `amr`, `acr` and `auth_time` say so, and where policy wants more, the browser is asked for it.

use std::time::Duration;

use async_trait::async_trait;

use crate::authn::{Answer, Attempt, Begun, Factor, Method, Refusal, Started};
use crate::edge::Edges;
use crate::edge::device_authorization::{Polled, Waiting};
use crate::model::authentication::Authentication;
use crate::model::device_authorization::{Approval, Asks, Decision};
use crate::protocol::secret::Secret;

/// Its name.
pub const NAME: &str = "qr";
/// How a picture waits: for two minutes (S-057), asked about every two seconds.
pub const WAITING: Waiting = Waiting { lifetime: Duration::from_mins(2), interval: 2 };
/// Of numbers to compare there are ninety, of two digits.
const NUMBERS: u16 = 90;

/// The method `qr`.
pub struct Qr {
    /// What it asks of the world.
    pub edges: Edges,
}

#[async_trait]
impl Method for Qr {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    fn begins_unnamed(&self) -> bool {
        true
    }

    async fn start(&self, _: &Attempt, _: &str) -> Result<Started, Refusal> {
        Ok(Started { handle: self.edges.random.token(), is_fresh: true })
    }

    async fn begin_named(&self, attempt: &Attempt, _: &str) -> Result<Begun, Refusal> {
        let key = attempt.flow.ok_or(Refusal::Wrong)?;
        let drawn = u16::from_be_bytes(self.edges.random.bytes()) % NUMBERS;
        let number = 10 + u8::try_from(drawn).unwrap_or_default();
        let asks = Asks::SignIn { client: attempt.client.clone(), number };
        let asked = self.edges.begin_device(&key, (asks, attempt.from.clone()), WAITING).await?;
        Ok(Begun::Picture(Box::new(asked)))
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        // The answer is what was decided elsewhere.
        Answer::Code(value)
    }

    async fn finish(&self, attempt: &Attempt, _: &Answer) -> Result<Authentication, Refusal> {
        let key = attempt.flow.ok_or(Refusal::Wrong)?;
        let approval = match self.edges.look_at_device(&key).await? {
            Polled::Decided(Decision::Approved(approval)) => approval,
            Polled::Expired => return Err(Refusal::CodeExpired),
            _ => return Err(Refusal::Wrong),
        };
        let now = self.edges.clock.now();
        let asked = self.edges.device_under(&key).await?.ok_or(Refusal::FlowInvalid)?;
        if !self.stands(&approval).await? {
            attempt.note_failure(&self.edges, self.name(), Some(approval.authentication.user));
            return Err(Refusal::Wrong);
        }
        // Whatever becomes of the ephemeral store: one approval, one session.
        let end = asked.expires_at.plus(WAITING.lifetime);
        if !self.edges.store.consume_once("qr_sign_in", &key, end.max(now.plus(WAITING.lifetime)), now).await? {
            return Err(Refusal::FlowInvalid);
        }
        Ok(approval.authentication)
    }
}

impl Qr {
    /// Whether the person is still signed in where they said yes: who has signed out there since has taken it back.
    async fn stands(&self, approval: &Approval) -> Result<bool, Refusal> {
        let session = self.edges.store.session(approval.session).await?;
        Ok(session.is_some_and(|session| session.is_live(self.edges.clock.now())))
    }
}
