//! What people asked to be given of their data.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store, mailed_link};
use crate::model::export::DataExport;
use crate::model::fault::Fault;
use crate::model::id::{ExportId, UserId};
use crate::model::mailed_link::LinkPurpose;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const REQUEST: &str =
    "INSERT INTO data_export (id, user_id, languages, requested_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
const WAITING: &str = "SELECT id, user_id, languages, requested_at, expires_at FROM data_export
    WHERE archive IS NULL AND expires_at > $1 ORDER BY requested_at, id LIMIT $2";
const FINISH: &str = "UPDATE data_export SET archive = $2, expires_at = $3 WHERE id = $1 AND archive IS NULL";
const TAKE: &str = "DELETE FROM data_export WHERE id = $1 AND user_id = $2 RETURNING archive";

impl Store {
    /// Writes down that a person wants their data.
    pub async fn request_export(&self, export: &DataExport, beside: Beside) -> Result<(), Fault> {
        let (export, languages) = (export.clone(), to_json(&export.languages)?);
        let fact = Fact::several(move |connection| {
            async move {
                let request = connection.query(REQUEST).bind(export.id.uuid()).bind(export.user.uuid()).bind(languages);
                let request = request.bind(export.requested_at.seconds()).bind(export.expires_at.seconds());
                request.execute().await.context("record a wish for an export")?;
                beside.write(connection).await
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// At most `limit` wishes that nobody has worked on, the oldest first.
    pub async fn exports_waiting(&self, now: NumericDate, limit: u32) -> Result<Vec<DataExport>, Fault> {
        let list = self.readers.query(WAITING).bind(now.seconds()).bind(i64::from(limit));
        let rows: Vec<ExportRow> = list.fetch_all().await.context("list wishes for exports")?;
        rows.into_iter().map(DataExport::try_from).collect()
    }

    /// Keeps the sealed archive until `expires_at`; false when somebody else was faster.
    pub async fn finish_export(
        &self,
        id: ExportId,
        sealed: Vec<u8>,
        expires_at: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let finish = connection.query(FINISH).bind(id.uuid()).bind(sealed).bind(expires_at.seconds());
                let finished = finish.execute().await.context("keep an export")? == 1;
                if finished {
                    beside.write(connection).await?;
                }
                Ok(finished)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// The sealed archive of a link, once: it is gone afterwards. `None` when the link is not good any more.
    pub async fn take_export(
        &self,
        link: &TokenHash,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<(ExportId, Vec<u8>)>, Fault> {
        let link = *link;
        let fact = Fact::several(move |connection| {
            async move {
                let spent = mailed_link::consume(connection, (&link, LinkPurpose::Export), now).await?;
                let named = spent.and_then(|spent| {
                    let id: ExportId = spent.details.get("export")?.as_str()?.parse().ok()?;
                    Some((id, spent.user))
                });
                let Some((id, user)) = named else { return Ok(None) };
                let take = connection.query(TAKE).bind(id.uuid()).bind(user.uuid());
                let archive: Option<Option<Vec<u8>>> = take.scalar_optional().await.context("hand out an export")?;
                let Some(archive) = archive.flatten() else { return Ok(None) };
                beside.write(connection).await?;
                Ok(Some((id, archive)))
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct ExportRow {
    id: Uuid,
    user_id: Uuid,
    languages: String,
    requested_at: i64,
    expires_at: i64,
}

impl TryFrom<ExportRow> for DataExport {
    type Error = Fault;

    fn try_from(row: ExportRow) -> Result<Self, Fault> {
        let place = Place { table: "data_export", id: &row.id };
        Ok(Self {
            id: ExportId::from_uuid(row.id),
            user: UserId::from_uuid(row.user_id),
            languages: place.json("languages", &row.languages)?,
            requested_at: NumericDate::from_seconds(row.requested_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
        })
    }
}
