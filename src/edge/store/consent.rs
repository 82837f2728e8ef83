//! Consents that are remembered.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, to_json};
use crate::edge::store::statement::Readers;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store, grant};
use crate::model::fault::Fault;
use crate::model::grant::{AppAccess, Consent};
use crate::model::id::{ClientId, ConsentId, GrantId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

const READ: &str =
    "SELECT id, user_id, client_id, scope, claims, granted_at FROM consent WHERE user_id = $1 AND client_id = $2";
/// PostgreSQL only: waits for whoever is withdrawing it.
const READ_SETTLED: &str = "SELECT id, user_id, client_id, scope, claims, granted_at FROM consent
    WHERE user_id = $1 AND client_id = $2 FOR SHARE";
const LIST: &str = "SELECT id, user_id, client_id, scope, claims, granted_at FROM consent
    WHERE user_id = $1 ORDER BY granted_at DESC, id";
const GRANTED: &str = "SELECT client_id, scope, created_at FROM oauth_grant
    WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC LIMIT 10000";
const RECORD: &str = "INSERT INTO consent (id, user_id, client_id, scope, claims, granted_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, client_id)
    DO UPDATE SET scope = excluded.scope, claims = excluded.claims, granted_at = excluded.granted_at
    RETURNING id, user_id, client_id, scope, claims, granted_at";
const WITHDRAW: &str = "DELETE FROM consent WHERE user_id = $1 AND client_id = $2";

impl Store {
    /// What `user` agreed to for `client`.
    pub async fn consent(&self, user: UserId, client: &ClientId) -> Result<Option<Arc<Consent>>, Fault> {
        let load = async {
            let row: Option<ConsentRow> = self
                .readers
                .query(READ)
                .bind(user.uuid())
                .bind(client.as_str())
                .fetch_optional()
                .await
                .context("read a consent")?;
            row.map(Consent::try_from).transpose()
        };
        self.held.consents.get_or_load(&(user, client.clone()), load).await
    }

    /// What `user` agreed to for `client`, once nobody is in the middle of withdrawing it; see
    /// [`settled_session`](Self::settled_session).
    pub async fn settled_consent(&self, user: UserId, client: &ClientId) -> Result<Option<Arc<Consent>>, Fault> {
        if matches!(self.readers, Readers::Sqlite(_)) {
            return self.consent(user, client).await;
        }
        let read = self.readers.query(READ_SETTLED).bind(user.uuid()).bind(client.as_str());
        let row: Option<ConsentRow> = read.fetch_optional().await.context("read a consent once it is settled")?;
        row.map(|row| Consent::try_from(row).map(Arc::new)).transpose()
    }

    /// Everything `user` agreed to, the latest first.
    pub async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, Fault> {
        let rows: Vec<ConsentRow> =
            self.readers.query(LIST).bind(user.uuid()).fetch_all().await.context("list consents")?;
        rows.into_iter().map(Consent::try_from).collect()
    }

    /// The apps that have something of `user`, the latest first: those they agreed to, and those that hold a good grant without
    /// having asked (first-party).
    pub async fn apps_of(&self, user: UserId, now: NumericDate) -> Result<Vec<AppAccess>, Fault> {
        let mut apps: Vec<AppAccess> = self
            .consents_of(user)
            .await?
            .into_iter()
            .map(|consent| AppAccess { client: consent.client, scope: consent.scope, granted_at: consent.granted_at })
            .collect();
        let list = self.readers.query(GRANTED).bind(user.uuid()).bind(now.seconds());
        let rows: Vec<GrantedRow> = list.fetch_all().await.context("list the apps of a user")?;
        for row in rows {
            let place = Place { table: "oauth_grant", id: &user };
            let client: ClientId = place.parse("client_id", &row.client_id)?;
            let scope: Scope = place.parse("scope", &row.scope)?;
            match apps.iter_mut().find(|app| app.client == client) {
                Some(app) => app.scope = app.scope.union(&scope),
                None => apps.push(AppAccess { client, scope, granted_at: NumericDate::from_seconds(row.created_at) }),
            }
        }
        apps.sort_by(|one, other| other.granted_at.cmp(&one.granted_at).then_with(|| one.client.cmp(&other.client)));
        Ok(apps)
    }

    /// Records a consent in place of the one that this person gave this client before; the row keeps its first id.
    pub async fn record_consent(&self, consent: &Consent, beside: Beside) -> Result<(), Fault> {
        let claims = to_json(&consent.claims)?;
        let (consent, held) = (consent.clone(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let upsert = connection.query(RECORD).bind(consent.id.uuid()).bind(consent.user.uuid());
                let upsert = upsert.bind(consent.client.as_str()).bind(consent.scope.to_string());
                let upsert = upsert.bind(claims).bind(consent.granted_at.seconds());
                let row: ConsentRow = upsert.fetch_one().await.context("record a consent")?;
                beside.write(connection).await?;
                Consent::try_from(row).map(Arc::new)
            }
            .boxed()
        });
        let publish = move |stands: &Arc<Consent>| {
            held.consents.put((stands.user, stands.client.clone()), Arc::clone(stands));
        };
        self.recorder.record(fact.then(publish)).await.map(|_| ())
    }

    /// Forgets what `user` agreed to for `client` and revokes the grants between them; false when there was neither, and then
    /// nothing is written `beside` it.
    pub async fn withdraw_consent(
        &self,
        user: UserId,
        client: &ClientId,
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let key = (user, client.clone());
        let (client, held) = (client.clone(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let withdraw = connection.query(WITHDRAW).bind(user.uuid()).bind(client.as_str());
                let changed = withdraw.execute().await.context("withdraw a consent")?;
                let revoked = grant::revoke_between(connection, (user, &client), now).await?;
                let existed = changed == 1 || !revoked.is_empty();
                if existed {
                    beside.write(connection).await?;
                }
                Ok((existed, revoked))
            }
            .boxed()
        });
        let publish = move |(_, revoked): &(bool, Vec<GrantId>)| {
            held.consents.forget(&key);
            for grant in revoked {
                held.grants.forget(grant);
            }
        };
        self.recorder.record(fact.then(publish)).await.map(|(existed, _)| existed)
    }
}

#[derive(FromRow)]
struct GrantedRow {
    client_id: String,
    scope: String,
    created_at: i64,
}

#[derive(FromRow)]
struct ConsentRow {
    id: Uuid,
    user_id: Uuid,
    client_id: String,
    scope: String,
    claims: String,
    granted_at: i64,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = Fault;

    fn try_from(row: ConsentRow) -> Result<Self, Fault> {
        let place = Place { table: "consent", id: &row.id };
        Ok(Self {
            id: ConsentId::from_uuid(row.id),
            user: UserId::from_uuid(row.user_id),
            client: place.parse("client_id", &row.client_id)?,
            scope: place.parse("scope", &row.scope)?,
            claims: place.json("claims", &row.claims)?,
            granted_at: NumericDate::from_seconds(row.granted_at),
        })
    }
}
