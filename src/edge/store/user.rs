//! People, their identifiers and passwords.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::epoch::Stepped;
use crate::edge::store::row::{Context as _, Place, bigint, moment, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store, epoch};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{IdentifierId, UserId};
use crate::model::user::{Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

const READ: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM user_account u LEFT JOIN identifier i ON i.user_id = u.id WHERE u.id = $1 ORDER BY i.id";
const LIST: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM (SELECT * FROM user_account ORDER BY created_at, id LIMIT $1) u LEFT JOIN identifier i ON i.user_id = u.id
    ORDER BY u.created_at, u.id, i.id";
const FIND: &str = "SELECT user_id FROM identifier WHERE lookup = $1";
const CREATE: &str = "INSERT INTO user_account (id, profile, role, auth_epoch, created_at, updated_at, disabled_at,
    auth_epoch_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
const ADD_IDENTIFIER: &str = "INSERT INTO identifier (id, user_id, kind, value, lookup, verified_at, is_primary)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lookup) DO NOTHING";
const TAKE_BACK: &str = "DELETE FROM user_account WHERE id = $1";
const READ_PASSWORD: &str = "SELECT secret FROM credential WHERE user_id = $1 AND kind = 'password'";
const SET_PASSWORD: &str = "INSERT INTO credential (user_id, kind, secret, updated_at) VALUES ($1, 'password', $2, $3)
    ON CONFLICT (user_id, kind) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at";
const REPLACE_PASSWORD: &str = "UPDATE credential SET secret = $3, updated_at = $4
    WHERE user_id = $1 AND kind = 'password' AND secret = $2";
const DISABLE: &str = "UPDATE user_account SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";

impl Store {
    /// The person.
    pub async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, Fault> {
        let load = async {
            let rows: Vec<UserRow> =
                self.readers.query(READ).bind(id.uuid()).fetch_all().await.context("read a user")?;
            Ok(into_users(rows)?.pop())
        };
        self.held.users.get_or_load(&id, load).await
    }

    /// The person that `name` belongs to.
    pub async fn user_by_name(&self, name: &LookupName) -> Result<Option<Arc<User>>, Fault> {
        let id: Option<Uuid> =
            self.readers.query(FIND).bind(name.as_str()).scalar_optional().await.context("find a user")?;
        match id {
            Some(id) => self.user(UserId::from_uuid(id)).await,
            None => Ok(None),
        }
    }

    /// At most `limit` people, oldest first.
    pub async fn users(&self, limit: u32) -> Result<Vec<Arc<User>>, Fault> {
        let rows: Vec<UserRow> =
            self.readers.query(LIST).bind(i64::from(limit)).fetch_all().await.context("list users")?;
        Ok(into_users(rows)?.into_iter().map(Arc::new).collect())
    }

    /// Records a new person with their identifiers and, when given, their password (a PHC string).
    ///
    /// `AlreadyExists` when the id or one of the names is taken; then nothing is recorded.
    ///
    /// # Errors
    /// Internal, when an identifier cannot be looked up by any name.
    pub async fn create_user(&self, user: &User, password: Option<&str>) -> Result<Creation, Fault> {
        let profile = to_json(&user.profile)?;
        let names = user.identifiers.iter().map(lookup_name).collect::<Result<Vec<_>, _>>()?;
        let password = password.map(|phc| Secret::new(phc.to_owned()));
        let (user, held) = (Arc::new(user.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&user);
        let fact = Fact::several(move |connection| {
            async move {
                let user = written;
                let id = user.id.uuid();
                let insert = connection.query(CREATE).bind(id).bind(profile).bind(role_text(user.role));
                let insert = insert.bind(user.auth_epoch.since.seconds()).bind(user.created_at.seconds());
                let insert = insert.bind(user.updated_at.seconds()).bind(user.disabled_at.map(NumericDate::seconds));
                let insert = insert.bind(bigint(user.auth_epoch.count));
                let changed = insert.execute().await.context("record a user")?;
                if changed == 0 {
                    return Ok(Creation::AlreadyExists);
                }
                for (identifier, name) in user.identifiers.iter().zip(names) {
                    if add_identifier(connection, user.id, identifier, &name).await? == Creation::AlreadyExists {
                        connection.query(TAKE_BACK).bind(id).execute().await.context("take a user back")?;
                        return Ok(Creation::AlreadyExists);
                    }
                }
                if let Some(password) = password {
                    write_password(connection, user.id, &password, user.created_at).await?;
                }
                Ok(Creation::Created)
            }
            .boxed()
        });
        let publish = move |creation: &Creation| {
            if *creation == Creation::Created {
                held.users.forget(&user.id);
            }
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// The person's password as a PHC string.
    pub async fn password(&self, id: UserId) -> Result<Option<Secret>, Fault> {
        let phc: Option<String> =
            self.readers.query(READ_PASSWORD).bind(id.uuid()).scalar_optional().await.context("read a password")?;
        Ok(phc.map(Secret::new))
    }

    /// Sets the person's password (a PHC string).
    pub async fn set_password(&self, id: UserId, phc: &str, now: NumericDate) -> Result<(), Fault> {
        let phc = Secret::from(phc);
        let fact = Fact::one(move |connection| async move { write_password(connection, id, &phc, now).await }.boxed());
        self.recorder.record(fact).await
    }

    /// Puts another hash of the same password in the place of the one that was checked; false when the password was changed
    /// meanwhile, which then stands.
    pub async fn replace_password(
        &self,
        id: UserId,
        (before, after): (&Secret, &str),
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let (before, after) = (before.clone(), Secret::from(after));
        let fact = Fact::one(move |connection| {
            async move {
                let write = connection.query(REPLACE_PASSWORD).bind(id.uuid()).bind(before.expose().as_str());
                let write = write.bind(after.expose().as_str()).bind(now.seconds());
                Ok(write.execute().await.context("replace the hash of a password")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Disables the account, ends its sessions and revokes its grants; false when it was disabled or there is none, and then
    /// nothing is written `beside` it.
    pub async fn disable_user(&self, id: UserId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let changed = connection
                    .query(DISABLE)
                    .bind(id.uuid())
                    .bind(now.seconds())
                    .execute()
                    .await
                    .context("disable a user")?;
                if changed == 0 {
                    return Ok(None);
                }
                let stepped = epoch::step(connection, id, None, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        let publish = move |stepped: &Option<Stepped>| {
            if let Some(stepped) = stepped {
                stepped.publish(&held);
            }
        };
        self.recorder.record(fact.then(publish)).await.map(|stepped| stepped.is_some())
    }
}

async fn add_identifier(
    connection: &mut Connection,
    user: UserId,
    identifier: &Identifier,
    name: &LookupName,
) -> Result<Creation, Fault> {
    let insert = connection.query(ADD_IDENTIFIER).bind(identifier.id.uuid()).bind(user.uuid());
    let insert = insert.bind(identifier.kind.as_str()).bind(identifier.value.as_str()).bind(name.as_str());
    let insert = insert.bind(identifier.verified_at.map(NumericDate::seconds)).bind(identifier.is_primary);
    let changed = insert.execute().await.context("record an identifier")?;
    Ok(Creation::of(changed))
}

pub(super) async fn write_password(
    connection: &mut Connection,
    user: UserId,
    phc: &Secret,
    now: NumericDate,
) -> Result<(), Fault> {
    let write = connection.query(SET_PASSWORD).bind(user.uuid()).bind(phc.expose().as_str()).bind(now.seconds());
    write.execute().await.context("record a password").map(|_| ())
}

fn lookup_name(identifier: &Identifier) -> Result<LookupName, Fault> {
    LookupName::parse(&identifier.value)
        .ok_or_else(|| Fault::internal(format!("identifier {} cannot be looked up by any name", identifier.id)))
}

pub(super) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Owner => "owner",
    }
}

fn role_of(text: &str) -> Option<Role> {
    [Role::Member, Role::Owner].into_iter().find(|role| role_text(*role) == text)
}

/// A person beside one of their identifiers; the columns of the person repeat.
#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    profile: String,
    role: String,
    auth_epoch: i64,
    auth_epoch_count: i64,
    created_at: i64,
    updated_at: i64,
    disabled_at: Option<i64>,
    identifier_id: Option<Uuid>,
    kind: Option<String>,
    value: Option<String>,
    verified_at: Option<i64>,
    is_primary: Option<bool>,
}

fn into_users(rows: Vec<UserRow>) -> Result<Vec<User>, Fault> {
    let mut users: Vec<User> = Vec::new();
    for row in rows {
        let identifier = row.identifier()?;
        match users.last_mut() {
            Some(user) if user.id.uuid() == row.id => user.identifiers.extend(identifier),
            _ => users.push(row.user(identifier)?),
        }
    }
    Ok(users)
}

impl UserRow {
    fn identifier(&self) -> Result<Option<Identifier>, Fault> {
        let Some(id) = self.identifier_id else { return Ok(None) };
        let place = Place { table: "identifier", id: &id };
        Ok(Some(Identifier {
            id: IdentifierId::from_uuid(id),
            kind: self.kind.as_deref().and_then(IdentifierKind::parse).ok_or_else(|| place.damaged("kind"))?,
            value: self.value.clone().ok_or_else(|| place.damaged("value"))?,
            verified_at: moment(self.verified_at),
            is_primary: self.is_primary.ok_or_else(|| place.damaged("is_primary"))?,
        }))
    }

    fn user(self, identifier: Option<Identifier>) -> Result<User, Fault> {
        let place = Place { table: "user_account", id: &self.id };
        Ok(User {
            id: UserId::from_uuid(self.id),
            profile: place.json("profile", &self.profile)?,
            identifiers: identifier.into_iter().collect(),
            role: role_of(&self.role).ok_or_else(|| place.damaged("role"))?,
            auth_epoch: Epoch {
                count: place.unsigned("auth_epoch_count", self.auth_epoch_count)?,
                since: NumericDate::from_seconds(self.auth_epoch),
            },
            created_at: NumericDate::from_seconds(self.created_at),
            updated_at: NumericDate::from_seconds(self.updated_at),
            disabled_at: moment(self.disabled_at),
        })
    }
}
