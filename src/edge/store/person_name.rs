//! The names that people are found by, beside their profiles.
//!
//! *Why a job as well:* the release before this one knows nothing of them. What it wrote is looked at later; a name that it changed is
//! found as it was until the profile changes again.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;
use crate::model::search;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;

const ADD: &str = "INSERT INTO person_name (name, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const REMOVE: &str = "DELETE FROM person_name WHERE user_id = $1";
const MISSING: &str =
    "SELECT COUNT(*) FROM (SELECT id FROM user_account WHERE searchable_at IS NULL LIMIT 1) AS missing";
const TAKE: &str = "UPDATE user_account SET searchable_at = $1
    WHERE id IN (SELECT id FROM user_account WHERE searchable_at IS NULL ORDER BY id LIMIT $2) RETURNING id, profile";

impl Store {
    /// Writes down the names of at most `limit` people who cannot be found by them yet; returns of how many.
    pub async fn make_searchable(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        let missing: i64 = self.readers.query(MISSING).scalar_one().await.context("look whether all can be found")?;
        if missing == 0 {
            return Ok(0);
        }
        let fact = Fact::several(move |connection| {
            async move {
                let take = connection.query(TAKE).bind(now.seconds()).bind(i64::from(limit));
                let rows: Vec<Row> = take.fetch_all().await.context("look who cannot be found")?;
                for row in &rows {
                    let profile = row.profile()?;
                    write(connection, row.id, &profile).await?;
                }
                Ok(rows.len() as u64)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    profile: String,
}

impl Row {
    fn profile(&self) -> Result<Profile, Fault> {
        Place { table: "user_account", id: &self.id }.json("profile", &self.profile)
    }
}

/// Puts the names of `profile` in the place of those that stood, within the transaction of `connection`.
pub(super) async fn write(connection: &mut Connection, user: Uuid, profile: &Profile) -> Result<(), Fault> {
    let remove = connection.query(REMOVE).bind(user);
    remove.execute().await.context("forget the names of a user")?;
    add(connection, user, profile).await
}

/// Writes the names of `profile` down, of somebody who is new.
pub(super) async fn add(connection: &mut Connection, user: Uuid, profile: &Profile) -> Result<(), Fault> {
    for name in search::names(profile) {
        let add = connection.query(ADD).bind(name).bind(user);
        add.execute().await.context("write down a name of a user")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::plan_tests::plan;

    #[tokio::test]
    async fn those_who_cannot_be_found_are_looked_for_by_an_index() {
        for statement in [MISSING, TAKE] {
            let plan = plan(statement).await;
            let by_index = plan.says("user_account_unsearchable");
            assert!(by_index, "{statement}: {plan}");
        }
        assert!(!plan(REMOVE).await.scans(&["person_name"]));
    }
}
