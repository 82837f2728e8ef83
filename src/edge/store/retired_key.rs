//! Signing keys whose last token has expired: their public halves, for ID tokens that come back as hints.

use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use sqlx::FromRow;

use crate::edge::store::Store;
use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;
use crate::model::signing_key::RetiredSigningKey;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::numeric_date::NumericDate;

const LIST: &str = "SELECT kid, algorithm, public_jwk, expires_at FROM retired_signing_key ORDER BY expires_at, kid";
/// Nothing happens when it is gone: it was withdrawn, or another node was faster.
const LEAVE: &str = "DELETE FROM signing_key WHERE kid = $1 AND state = 'retiring'";
const KEEP: &str = "INSERT INTO retired_signing_key (kid, algorithm, public_jwk, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kid) DO UPDATE SET expires_at = excluded.expires_at";

impl Store {
    /// Every retired key, those that expire first before the others.
    pub async fn retired_signing_keys(&self) -> Result<Vec<RetiredSigningKey>, Fault> {
        let rows: Vec<RetiredKeyRow> =
            self.readers.query(LIST).fetch_all().await.context("read the retired signing keys")?;
        rows.into_iter().map(RetiredSigningKey::try_from).collect()
    }

    /// Lets a retiring key go but for its public half. False when it is not retiring.
    pub async fn let_signing_key_go(&self, retired: &RetiredSigningKey) -> Result<bool, Fault> {
        let retired = retired.clone();
        let fact = Fact::several(move |connection| {
            async move {
                let leave = connection.query(LEAVE).bind(retired.kid.as_str());
                if leave.execute().await.context("remove a retiring signing key")? == 0 {
                    return Ok(false);
                }
                let keep = connection.query(KEEP).bind(retired.kid).bind(retired.algorithm.as_str());
                let keep = keep.bind(to_json(&retired.public_jwk)?).bind(retired.expires_at.seconds());
                keep.execute().await.context("keep the public half of a signing key")?;
                Ok(true)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct RetiredKeyRow {
    kid: String,
    algorithm: String,
    public_jwk: String,
    expires_at: i64,
}

impl TryFrom<RetiredKeyRow> for RetiredSigningKey {
    type Error = Fault;

    fn try_from(row: RetiredKeyRow) -> Result<Self, Fault> {
        let place = Place { table: "retired_signing_key", id: &row.kid };
        let named = |algorithm: &&SigningAlgorithm| algorithm.as_str() == row.algorithm;
        let algorithm = *SigningAlgorithm::ALL.iter().find(named).ok_or_else(|| place.damaged("algorithm"))?;
        let members: Map<String, Value> = place.json("public_jwk", &row.public_jwk)?;
        let public_jwk = Jwk::parse(&members).map_err(|cause| place.damaged("public_jwk").caused_by(cause))?;
        Ok(Self { algorithm, public_jwk, expires_at: NumericDate::from_seconds(row.expires_at), kid: row.kid })
    }
}
