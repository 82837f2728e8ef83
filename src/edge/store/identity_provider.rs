//! Servers elsewhere by which people sign in.
//!
//! They are few, and every sign-in page shows them: all of them are held in memory as one value.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, moment, to_json};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store};
use crate::model::fault::Fault;
use crate::model::id::ProviderId;
use crate::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSecret};
use crate::protocol::numeric_date::NumericDate;

const LIST: &str = "SELECT id, slug, kind, client_id, sealed_secret, secret_variable, settings, created_at, updated_at,
    disabled_at FROM identity_provider ORDER BY created_at, id";
const CREATE: &str = "INSERT INTO identity_provider
    (id, slug, kind, client_id, sealed_secret, secret_variable, settings, created_at, updated_at, disabled_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (slug) DO NOTHING";
const UPDATE: &str =
    "UPDATE identity_provider SET client_id = $2, sealed_secret = $3, secret_variable = $4, settings = $5,
    updated_at = $6, disabled_at = $7 WHERE id = $1";
const DELETE: &str = "DELETE FROM identity_provider WHERE id = $1";
const LINKS: &str = "SELECT COUNT(*) FROM upstream_link WHERE provider_id = $1";

impl Store {
    /// Every provider, the oldest first.
    pub async fn identity_providers(&self) -> Result<Arc<Vec<Arc<IdentityProvider>>>, Fault> {
        let load = async {
            let rows: Vec<ProviderRow> =
                self.readers.query(LIST).fetch_all().await.context("read the identity providers")?;
            let read = rows.into_iter().map(|row| IdentityProvider::try_from(row).map(Arc::new));
            read.collect::<Result<Vec<_>, Fault>>().map(Some)
        };
        Ok(self.held.identity_providers.get_or_load(&(), load).await?.unwrap_or_default())
    }

    /// The provider called `slug`.
    pub async fn identity_provider(&self, slug: &str) -> Result<Option<Arc<IdentityProvider>>, Fault> {
        Ok(self.identity_providers().await?.iter().find(|provider| provider.slug.as_str() == slug).cloned())
    }

    /// Records a new provider; `AlreadyExists` when its slug is taken.
    pub async fn create_identity_provider(
        &self,
        provider: &IdentityProvider,
        beside: Beside,
    ) -> Result<Creation, Fault> {
        let row = ProviderRow::try_from(provider)?;
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let insert = connection.query(CREATE).bind(row.id).bind(row.slug).bind(row.kind).bind(row.client_id);
                let insert = insert.bind(row.sealed_secret).bind(row.secret_variable).bind(row.settings);
                let insert = insert.bind(row.created_at).bind(row.updated_at).bind(row.disabled_at);
                let made = Creation::of(insert.execute().await.context("record an identity provider")?);
                if made == Creation::Created {
                    beside.write(connection).await?;
                }
                Ok(made)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.identity_providers.flush())).await
    }

    /// Changes everything about a provider but its id, slug and kind; false when it is gone.
    pub async fn update_identity_provider(&self, provider: &IdentityProvider, beside: Beside) -> Result<bool, Fault> {
        let row = ProviderRow::try_from(provider)?;
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let update = connection.query(UPDATE).bind(row.id).bind(row.client_id).bind(row.sealed_secret);
                let update = update.bind(row.secret_variable).bind(row.settings).bind(row.updated_at);
                let changed = update.bind(row.disabled_at).execute().await.context("change an identity provider")? == 1;
                if changed {
                    beside.write(connection).await?;
                }
                Ok(changed)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.identity_providers.flush())).await
    }

    /// Removes a provider with the identities that came by it; false when it is gone.
    pub async fn delete_identity_provider(&self, id: ProviderId, beside: Beside) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let delete = connection.query(DELETE).bind(id.uuid());
                let gone = delete.execute().await.context("remove an identity provider")? == 1;
                if gone {
                    beside.write(connection).await?;
                }
                Ok(gone)
            }
            .boxed()
        });
        let publish = move |_: &bool| {
            held.identity_providers.flush();
            // The groups that it gave go with it.
            held.memberships.flush();
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// How many accounts are connected by a provider.
    pub async fn count_upstream_links(&self, id: ProviderId) -> Result<u64, Fault> {
        let count = self.readers.query(LINKS).bind(id.uuid());
        let count: i64 = count.scalar_one().await.context("count the identities of a provider")?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

#[derive(FromRow)]
struct ProviderRow {
    id: Uuid,
    slug: String,
    kind: String,
    client_id: String,
    sealed_secret: Option<Vec<u8>>,
    secret_variable: Option<String>,
    settings: String,
    created_at: i64,
    updated_at: i64,
    disabled_at: Option<i64>,
}

impl TryFrom<&IdentityProvider> for ProviderRow {
    type Error = Fault;

    fn try_from(provider: &IdentityProvider) -> Result<Self, Fault> {
        let (sealed_secret, secret_variable) = match &provider.secret {
            None => (None, None),
            Some(ProviderSecret::Sealed(sealed)) => (Some(sealed.clone()), None),
            Some(ProviderSecret::Environment(variable)) => (None, Some(variable.clone())),
        };
        Ok(Self {
            id: provider.id.uuid(),
            slug: provider.slug.as_str().to_owned(),
            kind: provider.kind.as_str().to_owned(),
            client_id: provider.client_id.clone(),
            sealed_secret,
            secret_variable,
            settings: to_json(&provider.settings)?,
            created_at: provider.created_at.seconds(),
            updated_at: provider.updated_at.seconds(),
            disabled_at: provider.disabled_at.map(NumericDate::seconds),
        })
    }
}

impl TryFrom<ProviderRow> for IdentityProvider {
    type Error = Fault;

    fn try_from(row: ProviderRow) -> Result<Self, Fault> {
        let place = Place { table: "identity_provider", id: &row.id };
        let secret = match (row.sealed_secret, row.secret_variable) {
            (None, None) => None,
            (Some(sealed), None) => Some(ProviderSecret::Sealed(sealed)),
            (None, Some(variable)) => Some(ProviderSecret::Environment(variable)),
            (Some(_), Some(_)) => return Err(place.damaged("sealed_secret")),
        };
        Ok(Self {
            id: ProviderId::from_uuid(row.id),
            slug: place.parse("slug", &row.slug)?,
            kind: ProviderKind::parse(&row.kind).ok_or_else(|| place.damaged("kind"))?,
            client_id: row.client_id,
            secret,
            settings: place.json("settings", &row.settings)?,
            created_at: NumericDate::from_seconds(row.created_at),
            updated_at: NumericDate::from_seconds(row.updated_at),
            disabled_at: moment(row.disabled_at),
        })
    }
}
