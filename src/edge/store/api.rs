//! APIs: whom access tokens are for. They are part of the directory, read whole and held with it.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::{Beside, Change, Store};
use crate::model::api::Api;
use crate::model::fault::Fault;
use crate::model::id::ApiId;
use crate::protocol::numeric_date::NumericDate;

const LIST: &str = "SELECT id, audience, settings, created_at, updated_at FROM api ORDER BY id";
const CREATE: &str = "INSERT INTO api (id, audience, settings, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (audience) DO NOTHING";
/// While it is what was read before.
const UPDATE: &str = "UPDATE api SET settings = $2, updated_at = $3 WHERE id = $1 AND settings = $4";
const DELETE: &str = "DELETE FROM api WHERE id = $1";

impl Store {
    pub(super) async fn read_apis(&self) -> Result<Vec<Api>, Fault> {
        let rows: Vec<ApiRow> = self.readers.query(LIST).fetch_all().await.context("list APIs")?;
        rows.into_iter().map(Api::try_from).collect()
    }

    /// Records an API; `Taken` is its audience.
    pub async fn create_api(&self, api: &Api, beside: Beside) -> Result<Change, Fault> {
        let (api, settings) = (api.clone(), to_json(&api.settings)?);
        self.change_directory(
            move |connection| {
                async move {
                    let insert = connection.query(CREATE).bind(api.id.uuid()).bind(api.audience).bind(settings);
                    let insert = insert.bind(api.created_at.seconds()).bind(api.updated_at.seconds());
                    let changed = insert.execute().await.context("record an API")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Taken })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Changes everything about an API but its id and audience: `before` is what was read, `after` what it shall be.
    pub async fn update_api(&self, before: &Api, after: &Api, beside: Beside) -> Result<Change, Fault> {
        let (old, new) = (to_json(&before.settings)?, to_json(&after.settings)?);
        let (id, now) = (after.id.uuid(), after.updated_at.seconds());
        self.change_directory(
            move |connection| {
                async move {
                    let update = connection.query(UPDATE).bind(id).bind(new).bind(now).bind(old);
                    let changed = update.execute().await.context("change an API")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes an API; tokens for it stay good until their end.
    pub async fn delete_api(&self, id: ApiId, beside: Beside) -> Result<Change, Fault> {
        self.change_directory(
            move |connection| {
                async move {
                    let changed = connection.query(DELETE).bind(id.uuid()).execute().await.context("delete an API")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }
}

#[derive(FromRow)]
struct ApiRow {
    id: Uuid,
    audience: String,
    settings: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<ApiRow> for Api {
    type Error = Fault;

    fn try_from(row: ApiRow) -> Result<Self, Fault> {
        let place = Place { table: "api", id: &row.id };
        Ok(Self {
            id: ApiId::from_uuid(row.id),
            settings: place.json("settings", &row.settings)?,
            audience: row.audience,
            created_at: NumericDate::from_seconds(row.created_at),
            updated_at: NumericDate::from_seconds(row.updated_at),
        })
    }
}
