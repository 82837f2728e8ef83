//! Of whom apps keep profiles: those apps that want to be told, since the first sign-in (S-163).

use futures_util::FutureExt as _;

use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, UserId};
use crate::protocol::numeric_date::NumericDate;

const KNOWN: &str = "SELECT since FROM app_profile WHERE user_id = $1 AND client_id = $2";
const ADD: &str = "INSERT INTO app_profile (user_id, client_id, since) SELECT $1, $2, $3
    WHERE EXISTS (SELECT 1 FROM user_account WHERE id = $1) AND EXISTS (SELECT 1 FROM oauth_client WHERE id = $2)
    ON CONFLICT DO NOTHING";
const OF_USER: &str = "SELECT client_id FROM app_profile WHERE user_id = $1 ORDER BY client_id";

impl Store {
    /// Notes that an app keeps a profile of somebody from now on, with what goes `beside` it; false when it was noted before.
    pub async fn note_profile(
        &self,
        (user, client): (UserId, &ClientId),
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let known = self.readers.query(KNOWN).bind(user.uuid()).bind(client.as_str().to_owned());
        let known: Option<i64> = known.scalar_optional().await.context("look for a profile")?;
        if known.is_some() {
            return Ok(false);
        }
        let client = client.clone();
        let fact = Fact::several(move |connection| {
            async move {
                let add = connection.query(ADD).bind(user.uuid()).bind(client.as_str()).bind(now.seconds());
                if add.execute().await.context("note a profile")? == 0 {
                    return Ok(false);
                }
                beside.write(connection).await?;
                Ok(true)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// The apps that keep a profile of somebody.
    pub async fn profiles_of(&self, user: UserId) -> Result<Vec<ClientId>, Fault> {
        let list = self.readers.query(OF_USER).bind(user.uuid());
        let ids: Vec<String> = list.scalar_all().await.context("list who keeps a profile")?;
        let place = Place { table: "app_profile", id: &user };
        ids.iter().map(|id| place.parse("client_id", id)).collect()
    }
}
