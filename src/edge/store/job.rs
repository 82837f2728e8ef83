//! Work that waits.

use futures_util::FutureExt as _;

use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::fault::Fault;
use crate::model::job::NewJob;

const INSERT: &str = "INSERT INTO job (id, queue, payload, idempotency_key, created_at, run_at, expires_at, attempts)
    VALUES ($1, $2, $3, $4, $5, $5, $6, 0) ON CONFLICT (idempotency_key) DO NOTHING";

impl Store {
    /// Writes down jobs and events that no other fact carries.
    pub async fn record(&self, beside: Beside) -> Result<(), Fault> {
        let fact = Fact::several(move |connection| async move { beside.write(connection).await }.boxed());
        self.recorder.record(fact).await
    }
}

/// Writes a job down within the transaction of `connection`; one with the same idempotency key stays as it is.
pub(super) async fn insert(connection: &mut Connection, job: &NewJob) -> Result<(), Fault> {
    let insert = connection.query(INSERT).bind(job.id.uuid()).bind(job.queue.as_str()).bind(job.sealed.clone());
    let insert = insert.bind(job.idempotency_key.clone()).bind(job.created_at.seconds());
    insert.bind(job.expires_at.seconds()).execute().await.context("record a job").map(|_| ())
}
