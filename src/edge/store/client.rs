//! Clients.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;

use crate::edge::store::row::{Context as _, Place, moment, to_json};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Change, Creation, Store};
use crate::model::client::{Client, ClientOrigin, ClientPolicy, ClientSecret};
use crate::model::fault::Fault;
use crate::model::id::ClientId;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::numeric_date::NumericDate;

const READ: &str =
    "SELECT id, metadata, policy, secret_hash, sealed_secret, registration_token_hash, created_at, disabled_at
    FROM oauth_client WHERE id = $1";
const LIST: &str =
    "SELECT id, metadata, policy, secret_hash, sealed_secret, registration_token_hash, created_at, disabled_at
    FROM oauth_client ORDER BY created_at, id LIMIT $1";
const FIND: &str =
    "SELECT id, metadata, policy, secret_hash, sealed_secret, registration_token_hash, created_at, disabled_at
    FROM oauth_client WHERE ($1 IS NULL OR id > $1)
    AND ($2 IS NULL OR lower(id) LIKE $2 ESCAPE '\\' OR lower(metadata) LIKE $2 ESCAPE '\\') ORDER BY id LIMIT $3";
const CREATE: &str = "INSERT INTO oauth_client
    (id, metadata, policy, secret_hash, sealed_secret, registration_token_hash, created_at, disabled_at, hears_logout)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
const UPDATE: &str = "UPDATE oauth_client SET metadata = $2, policy = $3, secret_hash = $4, sealed_secret = $5,
    registration_token_hash = $6, disabled_at = $7, hears_logout = $8 WHERE id = $1";
/// While it is what was read before: the texts are those of the row itself.
const CHANGE: &str = "UPDATE oauth_client SET metadata = $2, policy = $3, secret_hash = $4, sealed_secret = $5,
    disabled_at = $6, hears_logout = $12 WHERE id = $1 AND metadata = $7 AND policy = $8
    AND secret_hash IS NOT DISTINCT FROM $9 AND sealed_secret IS NOT DISTINCT FROM $10
    AND disabled_at IS NOT DISTINCT FROM $11";
/// What the client itself may change, while it is the one that was read: an operator may disable it or change its policy
/// meanwhile.
const REGISTER_AGAIN: &str =
    "UPDATE oauth_client SET metadata = $2, secret_hash = $3, sealed_secret = $4, hears_logout = $6
    WHERE id = $1 AND disabled_at IS NULL AND registration_token_hash = $5";
const DELETE: &str = "DELETE FROM oauth_client WHERE id = $1";

impl Store {
    /// The client named `id`.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        let load = async {
            let row: Option<ClientRow> =
                self.readers.query(READ).bind(id.as_str()).fetch_optional().await.context("read a client")?;
            row.map(Client::try_from).transpose()
        };
        self.held.clients.get_or_load(id, load).await
    }

    /// At most `limit` clients, oldest first.
    pub async fn clients(&self, limit: u32) -> Result<Vec<Arc<Client>>, Fault> {
        let rows: Vec<ClientRow> =
            self.readers.query(LIST).bind(i64::from(limit)).fetch_all().await.context("list clients")?;
        rows.into_iter().map(|row| Client::try_from(row).map(Arc::new)).collect()
    }

    /// At most `limit` clients by their ids, those after `after`, with `part` in their id or metadata.
    pub async fn find_clients(
        &self,
        after: Option<&ClientId>,
        part: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Arc<Client>>, Fault> {
        let find = self.readers.query(FIND).bind(after.map(|after| after.as_str().to_owned())).bind(part.map(pattern));
        let rows: Vec<ClientRow> = find.bind(i64::from(limit)).fetch_all().await.context("find clients")?;
        rows.into_iter().map(|row| Client::try_from(row).map(Arc::new)).collect()
    }

    /// Records a new client.
    pub async fn create_client(&self, client: &Client) -> Result<Creation, Fault> {
        self.create_client_with(client, Beside::default()).await
    }

    /// As [`Store::create_client`], with what is told beside it.
    pub async fn create_client_with(&self, client: &Client, beside: Beside) -> Result<Creation, Fault> {
        let (row, hears_logout) = (ClientRow::try_from(client)?, hears_logout(client));
        let (client, held) = (Arc::new(client.clone()), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let insert =
                    connection.query(CREATE).bind(row.id).bind(row.metadata).bind(row.policy).bind(row.secret_hash);
                let insert = insert.bind(row.sealed_secret).bind(row.registration_token_hash);
                let insert = insert.bind(row.created_at).bind(row.disabled_at).bind(hears_logout);
                let created = Creation::of(insert.execute().await.context("record a client")?);
                if created == Creation::Created {
                    beside.write(connection).await?;
                }
                Ok(created)
            }
            .boxed()
        });
        let publish = move |creation: &Creation| {
            if *creation == Creation::Created {
                held.clients.put(client.id.clone(), client);
            }
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// Changes everything about a client but its id and the moment it was made; false when there is no such client.
    pub async fn update_client(&self, client: &Client) -> Result<bool, Fault> {
        let (row, hears_logout) = (ClientRow::try_from(client)?, hears_logout(client));
        let (id, held) = (client.id.clone(), Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let update =
                    connection.query(UPDATE).bind(row.id).bind(row.metadata).bind(row.policy).bind(row.secret_hash);
                let update = update.bind(row.sealed_secret).bind(row.registration_token_hash).bind(row.disabled_at);
                let changed = update.bind(hears_logout).execute().await.context("change a client")?;
                Ok(changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.clients.forget(&id))).await
    }

    /// Changes a client that was read as `before`: `Stale` when it is another by now, `Unknown` when it is gone.
    pub async fn change_client(&self, before: &Client, after: &Client, beside: Beside) -> Result<Change, Fault> {
        let (row, seen) = (ClientRow::try_from(after)?, ClientRow::try_from(before)?);
        let hears_logout = hears_logout(after);
        let (id, before, held) = (after.id.clone(), before.clone(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let read = connection.query(READ).bind(row.id.as_str());
                let stands: Option<ClientRow> = read.fetch_optional().await.context("read a client as it stands")?;
                let Some(stands) = stands else { return Ok(Change::Unknown) };
                let same_secret =
                    (&stands.secret_hash, &stands.sealed_secret) == (&seen.secret_hash, &seen.sealed_secret);
                if !same_secret || stands.disabled_at != seen.disabled_at || !stands.says_the_same(&before)? {
                    return Ok(Change::Stale);
                }
                let change = connection.query(CHANGE).bind(row.id).bind(row.metadata).bind(row.policy);
                let change = change.bind(row.secret_hash).bind(row.sealed_secret).bind(row.disabled_at);
                let change = change.bind(stands.metadata).bind(stands.policy).bind(stands.secret_hash);
                let change = change.bind(stands.sealed_secret).bind(stands.disabled_at).bind(hears_logout);
                if change.execute().await.context("change a client as it was seen")? == 0 {
                    return Ok(Change::Stale);
                }
                beside.write(connection).await?;
                Ok(Change::Done)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.clients.forget(&id))).await
    }

    /// Changes what a client registered of itself; false when it was deleted or disabled meanwhile.
    pub async fn register_again(&self, client: &Client) -> Result<bool, Fault> {
        let (row, hears_logout) = (ClientRow::try_from(client)?, hears_logout(client));
        let (id, held) = (client.id.clone(), Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let update = connection.query(REGISTER_AGAIN).bind(row.id).bind(row.metadata).bind(row.secret_hash);
                let update = update.bind(row.sealed_secret).bind(row.registration_token_hash);
                let changed =
                    update.bind(hears_logout).execute().await.context("change the registration of a client")?;
                Ok(changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.clients.forget(&id))).await
    }

    /// Deletes a client with its consents, grants and tokens; false when there is no such client.
    pub async fn delete_client(&self, id: &ClientId) -> Result<bool, Fault> {
        self.delete_client_with(id, Beside::default()).await
    }

    /// As [`Store::delete_client`], with what is told beside it.
    pub async fn delete_client_with(&self, id: &ClientId, beside: Beside) -> Result<bool, Fault> {
        let (id, held) = (id.clone(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let changed = connection.query(DELETE).bind(id.as_str()).execute().await.context("delete a client")?;
                if changed == 1 {
                    beside.write(connection).await?;
                }
                Ok(changed == 1)
            }
            .boxed()
        });
        // It is rare and reaches far.
        self.recorder.record(fact.then(move |_| held.flush())).await
    }
}

/// `%text%` for LIKE, with its own signs taken as they are.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Whether it is told when a session is over.
const fn hears_logout(client: &Client) -> bool {
    client.metadata.backchannel_logout_uri.is_some()
}

impl Creation {
    pub(super) const fn of(rows: u64) -> Self {
        if rows == 0 { Self::AlreadyExists } else { Self::Created }
    }
}

#[derive(FromRow)]
struct ClientRow {
    id: String,
    metadata: String,
    policy: String,
    secret_hash: Option<Vec<u8>>,
    sealed_secret: Option<Vec<u8>>,
    registration_token_hash: Option<Vec<u8>>,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl ClientRow {
    /// Compares what the texts mean: an earlier release may have written them with other members.
    fn says_the_same(&self, client: &Client) -> Result<bool, Fault> {
        let place = Place { table: "oauth_client", id: &self.id };
        let metadata: ClientMetadata = place.json("metadata", &self.metadata)?;
        let policy: ClientPolicy = place.json("policy", &self.policy)?;
        Ok(metadata == client.metadata && policy == client.policy)
    }
}

impl TryFrom<&Client> for ClientRow {
    type Error = Fault;

    fn try_from(client: &Client) -> Result<Self, Fault> {
        let (secret_hash, sealed_secret) = match &client.secret {
            None => (None, None),
            Some(ClientSecret::Hashed(hash)) => (Some(hash.as_bytes().to_vec()), None),
            Some(ClientSecret::Sealed(sealed)) => (None, Some(sealed.clone())),
        };
        let registration_token_hash = match &client.origin {
            ClientOrigin::Operator => None,
            ClientOrigin::Registered(hash) => Some(hash.as_bytes().to_vec()),
        };
        Ok(Self {
            id: client.id.as_str().to_owned(),
            metadata: to_json(&client.metadata)?,
            policy: to_json(&client.policy)?,
            secret_hash,
            sealed_secret,
            registration_token_hash,
            created_at: client.created_at.seconds(),
            disabled_at: client.disabled_at.map(NumericDate::seconds),
        })
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = Fault;

    fn try_from(row: ClientRow) -> Result<Self, Fault> {
        let place = Place { table: "oauth_client", id: &row.id };
        let secret = match (row.secret_hash, row.sealed_secret) {
            (None, None) => None,
            (Some(hash), None) => Some(ClientSecret::Hashed(place.hash("secret_hash", &hash)?)),
            (None, Some(sealed)) => Some(ClientSecret::Sealed(sealed)),
            (Some(_), Some(_)) => return Err(place.damaged("sealed_secret")),
        };
        let registered =
            row.registration_token_hash.map(|hash| place.hash("registration_token_hash", &hash)).transpose()?;
        Ok(Self {
            id: place.parse("id", &row.id)?,
            metadata: place.json("metadata", &row.metadata)?,
            secret,
            origin: registered.map_or(ClientOrigin::Operator, ClientOrigin::Registered),
            policy: place.json("policy", &row.policy)?,
            created_at: NumericDate::from_seconds(row.created_at),
            disabled_at: moment(row.disabled_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_like_are_letters() {
        assert_eq!(pattern("A_b%\\"), "%a\\_b\\%\\\\%");
    }
}
