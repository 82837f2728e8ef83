//! Claim mappers: part of the directory, since they are read and held with it.
//!
//! S-147, S-148.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::directory::Change;
use crate::edge::store::role::HAS_CLIENT;
use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::{Beside, Store};
use crate::model::claim_mapper::ClaimMapper;
use crate::model::fault::Fault;
use crate::model::id::{ClaimMapperId, ClientId};

const LIST: &str = "SELECT id, scope, client_id, claim, source, destinations FROM claim_mapper ORDER BY id";
const SAME: &str = "SELECT COUNT(*) FROM claim_mapper WHERE claim = $1 AND scope IS NOT DISTINCT FROM $2
    AND client_id IS NOT DISTINCT FROM $3 AND id <> $4";
const CREATE: &str = "INSERT INTO claim_mapper (id, scope, client_id, claim, source, destinations)
    VALUES ($1, $2, $3, $4, $5, $6)";
const UPDATE: &str =
    "UPDATE claim_mapper SET source = $2, destinations = $3 WHERE id = $1 AND source = $4 AND destinations = $5";
const DELETE: &str = "DELETE FROM claim_mapper WHERE id = $1";

impl Store {
    pub(super) async fn read_claim_mappers(&self) -> Result<Vec<ClaimMapper>, Fault> {
        let rows: Vec<MapperRow> = self.readers.query(LIST).fetch_all().await.context("list claim mappers")?;
        rows.into_iter().map(ClaimMapper::try_from).collect()
    }

    /// Records a new claim mapper: `Unknown` is its client, `Taken` its claim for this scope and client.
    pub async fn create_claim_mapper(
        &self,
        id: ClaimMapperId,
        mapper: &ClaimMapper,
        beside: Beside,
    ) -> Result<Change, Fault> {
        let (source, into, mapper) = (to_json(&mapper.source)?, to_json(&mapper.into)?, mapper.clone());
        self.change_directory(
            move |connection| {
                async move {
                    let client = mapper.client.as_ref().map(|client| client.as_str().to_owned());
                    if let Some(client) = &client {
                        let known = connection.query(HAS_CLIENT).bind(client.as_str());
                        let known: i64 = known.scalar_one().await.context("look for the client of a claim mapper")?;
                        if known == 0 {
                            return Ok(Change::Unknown);
                        }
                    }
                    let same = connection.query(SAME).bind(mapper.claim.as_str()).bind(mapper.scope.clone());
                    let same: i64 = same
                        .bind(client.clone())
                        .bind(id.uuid())
                        .scalar_one()
                        .await
                        .context("look for a claim mapper")?;
                    if same > 0 {
                        return Ok(Change::Taken);
                    }
                    let insert = connection.query(CREATE).bind(id.uuid()).bind(mapper.scope).bind(client);
                    let insert = insert.bind(mapper.claim).bind(source).bind(into);
                    insert.execute().await.context("record a claim mapper")?;
                    Ok(Change::Done)
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Changes what a claim mapper tells and where: `before` is what was read.
    pub async fn update_claim_mapper(
        &self,
        id: ClaimMapperId,
        (before, after): (&ClaimMapper, &ClaimMapper),
        beside: Beside,
    ) -> Result<Change, Fault> {
        let (old_source, old_into) = (to_json(&before.source)?, to_json(&before.into)?);
        let (source, into) = (to_json(&after.source)?, to_json(&after.into)?);
        self.change_directory(
            move |connection| {
                async move {
                    let update = connection.query(UPDATE).bind(id.uuid()).bind(source).bind(into);
                    let changed =
                        update.bind(old_source).bind(old_into).execute().await.context("change a claim mapper")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes a claim mapper.
    pub async fn delete_claim_mapper(&self, id: ClaimMapperId, beside: Beside) -> Result<Change, Fault> {
        self.change_directory(
            move |connection| {
                async move {
                    let delete = connection.query(DELETE).bind(id.uuid());
                    let changed = delete.execute().await.context("delete a claim mapper")?;
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
struct MapperRow {
    id: Uuid,
    scope: Option<String>,
    client_id: Option<String>,
    claim: String,
    source: String,
    destinations: String,
}

impl TryFrom<MapperRow> for ClaimMapper {
    type Error = Fault;

    fn try_from(row: MapperRow) -> Result<Self, Fault> {
        let place = Place { table: "claim_mapper", id: &row.id };
        Ok(Self {
            id: Some(ClaimMapperId::from_uuid(row.id)),
            client: row.client_id.as_deref().map(|client| place.parse::<ClientId>("client_id", client)).transpose()?,
            scope: row.scope,
            claim: row.claim,
            source: place.json("source", &row.source)?,
            into: place.json("destinations", &row.destinations)?,
        })
    }
}
