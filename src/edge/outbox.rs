//! The outbox: turns a message into a job that a fact takes along, sealed, since it holds codes and links.
//!
//! Where the operator wants it (`mail.sync`, S-044) a message whose receiver waits for it is handed over at once, and whoever asked for it
//! hears when that failed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::edge::random::Random;
use crate::edge::undelivered::Undelivered;
use crate::edge::vault::{Place, Vault};
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::{NewJob, Queue};
use crate::model::message::{Channel, Message};
use crate::protocol::numeric_date::NumericDate;

/// Carries a message, or looks whether it could.
type Carry = dyn Fn(Channel, Option<Message>, JobId) -> BoxFuture<'static, Result<(), Undelivered>> + Send + Sync;

/// Hands a message over at once; without one it looks whether it could, so that an address that nobody has takes as long.
pub struct Direct(pub Box<Carry>);

/// Whether a message is on its way.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Handed {
    /// The next server has it.
    Over,
    /// It goes into the outbox, as any other.
    Later,
}

/// Seals and opens what waits in the table `job`.
#[derive(Clone)]
pub struct Outbox {
    direct: Arc<ArcSwapOption<Direct>>,
    vault: Arc<Vault>,
    random: Arc<dyn Random>,
    bell: Arc<watch::Sender<()>>,
}

impl Outbox {
    /// Seals under `vault`.
    pub fn new(vault: Arc<Vault>, random: Arc<dyn Random>) -> Self {
        Self { direct: Arc::default(), vault, random, bell: Arc::new(watch::Sender::new(())) }
    }

    /// Rings whenever a job is made, a moment before it is written down: for who does the jobs.
    pub fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// Messages whose receivers wait are handed over by `direct` from now on; `None`: they go through the outbox.
    pub fn hand_over_by(&self, direct: Option<Direct>) {
        self.direct.store(direct.map(Arc::new));
    }

    /// Whether messages whose receivers wait are handed over at once.
    pub fn hands_over(&self) -> bool {
        self.direct.load().is_some()
    }

    /// Hands `message` over, where that is done at once; for nobody it looks whether it could.
    ///
    /// # Errors
    /// [`Undelivered`] says why nobody took it.
    pub async fn hand_over(
        &self,
        channel: Channel,
        message: Option<&Message>,
        now: NumericDate,
    ) -> Result<Handed, Undelivered> {
        let Some(direct) = self.direct.load_full() else { return Ok(Handed::Later) };
        (direct.0)(channel, message.cloned(), JobId::new(now, self.random.bytes())).await.map(|()| Handed::Over)
    }

    /// A job that sends `message`, of no use from `expires_at` on. Two with the same `idempotency_key` are one.
    ///
    /// # Errors
    /// Internal, when the message is not JSON, which cannot be.
    pub fn job(
        &self,
        message: &Message,
        idempotency_key: Option<String>,
        (now, expires_at): (NumericDate, NumericDate),
    ) -> Result<NewJob, Fault> {
        let queue = match message.channel {
            Channel::Mail => Queue::Mail,
            Channel::Sms => Queue::Sms,
        };
        let id = JobId::new(now, self.random.bytes());
        let plain =
            serde_json::to_vec(message).map_err(|cause| Fault::internal("write a message as JSON").caused_by(cause))?;
        let sealed = self.vault.seal(&place(&id.to_string()), &plain, &*self.random);
        self.bell.send_replace(());
        Ok(NewJob { id, queue, sealed, idempotency_key, created_at: now, expires_at })
    }

    /// The message of the job `id`.
    ///
    /// # Errors
    /// Internal, when it is damaged, of another row, or sealed under another master key.
    pub fn open(&self, id: JobId, sealed: &[u8]) -> Result<Message, Fault> {
        let plain = self.vault.open(&place(&id.to_string()), sealed)?;
        serde_json::from_slice(plain.expose())
            .map_err(|cause| Fault::internal(format!("read the message of job {id}")).caused_by(cause))
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "job", row, column: "payload" }
}
