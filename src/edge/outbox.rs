//! The outbox: turns a message into a job that a fact takes along, sealed, since it holds codes and links.

use std::sync::Arc;

use tokio::sync::watch;

use crate::edge::random::Random;
use crate::edge::vault::{Place, Vault};
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::{NewJob, Queue};
use crate::model::message::{Channel, Message};
use crate::protocol::numeric_date::NumericDate;

/// Seals and opens what waits in the table `job`.
#[derive(Clone)]
pub struct Outbox {
    vault: Arc<Vault>,
    random: Arc<dyn Random>,
    bell: Arc<watch::Sender<()>>,
}

impl Outbox {
    /// Seals under `vault`.
    pub fn new(vault: Arc<Vault>, random: Arc<dyn Random>) -> Self {
        Self { vault, random, bell: Arc::new(watch::Sender::new(())) }
    }

    /// Rings whenever a job is made, a moment before it is written down: for who does the jobs.
    pub fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
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
