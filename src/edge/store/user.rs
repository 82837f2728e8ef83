//! People, their identifiers and passwords.

use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, bigint, moment, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store, person_name};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{IdentifierId, UserId};
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::Secret;

const READ: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    u.state, u.purge_at, u.attributes, u.last_sign_in_at, u.admin_rank,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM user_account u LEFT JOIN identifier i ON i.user_id = u.id WHERE u.id = $1 ORDER BY i.id";
const LIST: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    u.state, u.purge_at, u.attributes, u.last_sign_in_at, u.admin_rank,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM (SELECT * FROM user_account ORDER BY created_at, id LIMIT $1) u LEFT JOIN identifier i ON i.user_id = u.id
    ORDER BY u.created_at, u.id, i.id";
const FIND: &str = "SELECT user_id FROM identifier WHERE lookup = $1";
const CREATE: &str = "INSERT INTO user_account
    (id, profile, role, auth_epoch, created_at, updated_at, disabled_at, state, purge_at, attributes,
    last_sign_in_at, auth_epoch_count, admin_rank, searchable_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $5) ON CONFLICT (id) DO NOTHING";
const ADD_IDENTIFIER: &str = "INSERT INTO identifier (id, user_id, kind, value, lookup, verified_at, is_primary)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lookup) DO NOTHING";
const TAKE_BACK: &str = "DELETE FROM user_account WHERE id = $1";
const READ_PASSWORD: &str = "SELECT secret FROM credential WHERE user_id = $1 AND kind = 'password'";
const SET_PASSWORD: &str = "INSERT INTO credential (user_id, kind, secret, updated_at) VALUES ($1, 'password', $2, $3)
    ON CONFLICT (user_id, kind) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at";
const REPLACE_PASSWORD: &str = "UPDATE credential SET secret = $3, updated_at = $4
    WHERE user_id = $1 AND kind = 'password' AND secret = $2";
/// What becomes of a profile and of attributes.
pub type ProfileChange = Arc<dyn Fn(&mut Profile, &mut Map<String, Value>) + Send + Sync>;

/// Guarded by what was read, so that two changes at once do not lose one another.
const UPDATE: &str = "UPDATE user_account SET profile = $3, attributes = $5, updated_at = $6, searchable_at = $6
    WHERE id = $1 AND profile = $2 AND attributes IS NOT DISTINCT FROM $4 AND disabled_at IS NULL";
const READ_FOR_UPDATE: &str = "SELECT profile, attributes FROM user_account WHERE id = $1";

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
        self.create_user_with(user, password, Beside::default()).await
    }

    /// [`create_user`](Self::create_user), and what goes beside it when the person was recorded.
    pub async fn create_user_with(
        &self,
        user: &User,
        password: Option<&str>,
        beside: Beside,
    ) -> Result<Creation, Fault> {
        let (new, id, held) = (NewUser::of(user, password)?, user.id, Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let creation = new.insert(connection).await?;
                if creation == Creation::Created {
                    beside.write(connection).await?;
                }
                Ok(creation)
            }
            .boxed()
        });
        let publish = move |creation: &Creation| {
            if *creation == Creation::Created {
                held.users.forget(&id);
            }
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// Records the profile and attributes that `change` makes of those that stand; false when the account may not be used.
    ///
    /// `change` may be called again when something else was faster.
    ///
    /// # Errors
    /// A fault of the store; also when others were faster again and again.
    pub async fn update_profile(
        &self,
        id: UserId,
        change: &(dyn Fn(&mut Profile, &mut Map<String, Value>) + Send + Sync),
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        for _ in 0..4 {
            let read = self.readers.query(READ_FOR_UPDATE).bind(id.uuid());
            let row: Option<(String, Option<String>)> = read.fetch_optional().await.context("read a profile")?;
            let Some((old_profile, old_attributes)) = row else { return Ok(false) };
            let (now_told, attributes) = apply(id, (&old_profile, old_attributes.as_deref()), change)?;
            let profile = to_json(&now_told)?;
            let (held, beside) = (Arc::clone(&self.held), beside.clone());
            let fact = Fact::several(move |connection| {
                async move {
                    let update = connection.query(UPDATE).bind(id.uuid()).bind(old_profile).bind(profile);
                    let update = update.bind(old_attributes).bind(attributes).bind(now.seconds());
                    let changed = update.execute().await.context("record a profile")? == 1;
                    if changed {
                        person_name::write(connection, id.uuid(), &now_told).await?;
                        beside.write(connection).await?;
                    }
                    Ok(changed)
                }
                .boxed()
            });
            if self.recorder.record(fact.then(move |_| held.users.forget(&id))).await? {
                return Ok(true);
            }
            if !self.user(id).await?.is_some_and(|user| user.is_enabled()) {
                return Ok(false);
            }
        }
        Err(Fault::unavailable("record a profile: others change it at the same time"))
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
}

/// The profile as `change` makes it, and the attributes for their column.
/// Records the profile and attributes that `change` makes of those that stand, within the transaction of `connection`, which holds the
/// account.
pub(super) async fn rewrite_profile(
    connection: &mut Connection,
    id: UserId,
    change: &(dyn Fn(&mut Profile, &mut Map<String, Value>) + Send + Sync),
    now: NumericDate,
) -> Result<(), Fault> {
    let read = connection.query(READ_FOR_UPDATE).bind(id.uuid());
    let (old_profile, old_attributes): (String, Option<String>) = read.fetch_one().await.context("read a profile")?;
    let (now_told, attributes) = apply(id, (&old_profile, old_attributes.as_deref()), change)?;
    let update = connection.query(UPDATE).bind(id.uuid()).bind(old_profile).bind(to_json(&now_told)?);
    let update = update.bind(old_attributes).bind(attributes).bind(now.seconds());
    update.execute().await.context("record a profile")?;
    person_name::write(connection, id.uuid(), &now_told).await
}

fn apply(
    id: UserId,
    (profile, attributes): (&str, Option<&str>),
    change: &(dyn Fn(&mut Profile, &mut Map<String, Value>) + Send + Sync),
) -> Result<(Profile, Option<String>), Fault> {
    let place = Place { table: "user_account", id: &id };
    let mut profile: Profile = place.json("profile", profile)?;
    let mut attributes = attributes_of(place, attributes)?;
    change(&mut profile, &mut attributes);
    let attributes = attributes_json(&attributes)?;
    Ok((profile, attributes))
}

/// A person who is to be written down, ready to be.
pub(super) struct NewUser {
    user: User,
    profile: String,
    attributes: Option<String>,
    names: Vec<LookupName>,
    password: Option<Secret>,
}

impl NewUser {
    pub(super) fn of(user: &User, password: Option<&str>) -> Result<Self, Fault> {
        Ok(Self {
            profile: to_json(&user.profile)?,
            attributes: attributes_json(&user.attributes)?,
            names: user.identifiers.iter().map(lookup_name).collect::<Result<Vec<_>, _>>()?,
            password: password.map(Secret::from),
            user: user.clone(),
        })
    }

    /// The names of its addresses and numbers.
    pub(super) fn contacts(&self) -> impl Iterator<Item = &LookupName> {
        let named = self.user.identifiers.iter().zip(&self.names);
        named.filter(|(identifier, _)| identifier.kind != IdentifierKind::Username).map(|(_, name)| name)
    }

    /// The names of its addresses and numbers that are proven.
    pub(super) fn proven(&self) -> impl Iterator<Item = &LookupName> {
        let named = self.user.identifiers.iter().zip(&self.names);
        let is_proven =
            |identifier: &Identifier| identifier.kind != IdentifierKind::Username && identifier.verified_at.is_some();
        named.filter(move |(identifier, _)| is_proven(identifier)).map(|(_, name)| name)
    }

    /// Writes it down within the transaction of `connection`; nothing of it when one of the names is taken.
    pub(super) async fn insert(&self, connection: &mut Connection) -> Result<Creation, Fault> {
        let (user, id) = (&self.user, self.user.id.uuid());
        let insert = connection.query(CREATE).bind(id).bind(self.profile.as_str()).bind(role_text(user.role));
        let insert = insert.bind(user.auth_epoch.since.seconds()).bind(user.created_at.seconds());
        let insert = insert.bind(user.updated_at.seconds()).bind(user.state.closed_at().map(NumericDate::seconds));
        let insert = insert.bind((!user.is_enabled()).then(|| user.state.as_str()));
        let insert = insert.bind(user.state.purge_at().map(NumericDate::seconds)).bind(self.attributes.as_deref());
        let insert = insert.bind(user.last_sign_in_at.map(NumericDate::seconds)).bind(bigint(user.auth_epoch.count));
        let insert = insert.bind(rank_text(user.role));
        if insert.execute().await.context("record a user")? == 0 {
            return Ok(Creation::AlreadyExists);
        }
        for (identifier, name) in user.identifiers.iter().zip(&self.names) {
            if add_identifier(connection, user.id, identifier, name).await? == Creation::AlreadyExists {
                connection.query(TAKE_BACK).bind(id).execute().await.context("take a user back")?;
                return Ok(Creation::AlreadyExists);
            }
        }
        person_name::add(connection, id, &user.profile).await?;
        if let Some(password) = &self.password {
            write_password(connection, user.id, password, user.created_at).await?;
        }
        Ok(Creation::Created)
    }
}

pub(super) async fn add_identifier(
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

pub(super) fn lookup_name(identifier: &Identifier) -> Result<LookupName, Fault> {
    LookupName::parse(&identifier.value)
        .ok_or_else(|| Fault::internal(format!("identifier {} cannot be looked up by any name", identifier.id)))
}

/// The role as the release before reads it: it knows members and owners.
pub(super) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Member | Role::Auditor | Role::UserSupport | Role::Admin => "member",
    }
}

/// What [`role_text`] leaves open.
pub(super) const fn rank_text(role: Role) -> Option<&'static str> {
    match role {
        Role::Owner | Role::Member => None,
        Role::Auditor | Role::UserSupport | Role::Admin => Some(role.as_str()),
    }
}

/// An owner is one whatever else is written; whom the release before made a member again is one only while no rank stands beside it.
fn role_of(role: &str, rank: Option<&str>) -> Option<Role> {
    match (Role::parse(role)?, rank) {
        (Role::Member, Some(rank)) => Role::parse(rank),
        (role, _) => Some(role),
    }
}

/// The release before wrote no state: what may not be used was disabled then.
fn state_of(
    place: Place<'_>,
    (disabled_at, state): (Option<i64>, Option<&str>),
    purge_at: Option<i64>,
) -> Result<AccountState, Fault> {
    let Some(since) = moment(disabled_at) else { return Ok(AccountState::Active) };
    let purge_at = moment(purge_at);
    match state {
        Some("pending") => Ok(AccountState::Pending { since, purge_at }),
        Some("deletion") => Ok(AccountState::Deletion { since, purge_at }),
        None | Some("disabled") => Ok(AccountState::Disabled { since }),
        Some(_) => Err(place.damaged("state")),
    }
}

fn attributes_of(place: Place<'_>, json: Option<&str>) -> Result<Map<String, Value>, Fault> {
    json.map_or_else(|| Ok(Map::new()), |json| place.json("attributes", json))
}

fn attributes_json(attributes: &Map<String, Value>) -> Result<Option<String>, Fault> {
    if attributes.is_empty() { Ok(None) } else { to_json(attributes).map(Some) }
}

/// A person beside one of their identifiers; the columns of the person repeat.
#[derive(FromRow)]
pub(super) struct UserRow {
    id: Uuid,
    profile: String,
    role: String,
    auth_epoch: i64,
    auth_epoch_count: i64,
    created_at: i64,
    updated_at: i64,
    disabled_at: Option<i64>,
    state: Option<String>,
    purge_at: Option<i64>,
    attributes: Option<String>,
    last_sign_in_at: Option<i64>,
    admin_rank: Option<String>,
    identifier_id: Option<Uuid>,
    kind: Option<String>,
    value: Option<String>,
    verified_at: Option<i64>,
    is_primary: Option<bool>,
}

pub(super) fn into_users(rows: Vec<UserRow>) -> Result<Vec<User>, Fault> {
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
            role: role_of(&self.role, self.admin_rank.as_deref()).ok_or_else(|| place.damaged("role"))?,
            auth_epoch: Epoch {
                count: place.unsigned("auth_epoch_count", self.auth_epoch_count)?,
                since: NumericDate::from_seconds(self.auth_epoch),
            },
            created_at: NumericDate::from_seconds(self.created_at),
            updated_at: NumericDate::from_seconds(self.updated_at),
            state: state_of(place, (self.disabled_at, self.state.as_deref()), self.purge_at)?,
            attributes: attributes_of(place, self.attributes.as_deref())?,
            last_sign_in_at: moment(self.last_sign_in_at),
        })
    }
}
