//! `symbolon user`: people, from outside.
//!
//! PROTOCOL.md A13, A19.

mod password;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::admin::Changed;
use crate::admin::second_factor::FactorChange;
use crate::authn::password::hash::{PasswordHasher, check_importable};
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::{Beside, Creation};
use crate::model::epoch::Epoch;
use crate::model::event::{Actor, EventName};
use crate::model::id::{IdentifierId, UserId};
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::oidc::claims::Profile;

/// `symbolon user`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Creates an account; the password is asked for, or read from standard input.
    Create(Box<Create>),
    /// Lists accounts, the oldest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: u32,
    },
    /// Shows an account.
    Show {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
    },
    /// Sets a new password, ends all sessions and takes back all tokens.
    SetPassword {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
    },
    /// Takes over a password hash of another system, from one line of standard input: Argon2, bcrypt, or as Django writes them. All
    /// sessions end; the next sign-in replaces it by one of ours.
    ImportHash {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
    },
    /// Says what somebody may do on this server. The last owner stays one.
    SetRole {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
        /// The role.
        role: RoleName,
    },
    /// Asks people for a second factor at each sign-in; who has none sets one up at the next.
    RequireMfa {
        /// Names, e-mail addresses, phone numbers or ids.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Takes every second factor and backup code away from people who have lost them, and ends their sessions and tokens.
    ResetMfa {
        /// Names, e-mail addresses, phone numbers or ids.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Makes the backup codes of people useless.
    ClearBackupCodes {
        /// Names, e-mail addresses, phone numbers or ids.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Disables an account, ends its sessions and takes back its tokens, at once.
    Disable {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
    },
    /// Enables a disabled account.
    Enable {
        /// A name, an e-mail address, a phone number or the id.
        name: String,
    },
}

/// `symbolon user create`
#[derive(Debug, clap::Args)]
pub struct Create {
    /// The name to sign in with; without `@`, not like a phone number.
    username: String,
    /// The e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// The e-mail address is known to be theirs.
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// The phone number, in the form +12025550143.
    #[arg(long)]
    phone: Option<String>,
    /// The full name.
    #[arg(long)]
    name: Option<String>,
    /// What they may do on this server.
    #[arg(long, default_value = "member")]
    role: RoleName,
    /// Sets no password: the person cannot sign in until `set-password` or `admin recover`.
    #[arg(long)]
    no_password: bool,
}

/// A role on the command line.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum RoleName {
    /// Signs in at apps.
    Member,
    /// Sees everything, and changes nothing.
    Auditor,
    /// Looks after people.
    UserSupport,
    /// Looks after groups and apps as well.
    Admin,
    /// Operates the server.
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Member => Self::Member,
            RoleName::Auditor => Self::Auditor,
            RoleName::UserSupport => Self::UserSupport,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

impl UserCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, a name is unknown or taken, or a password is no good.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let absent = if matches!(self, Self::Create(_)) { Absent::Make } else { Absent::Refuse };
        let site = Site::open(call, absent).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        match self {
            Self::Create(create) => create.run(call, site).await,
            Self::List { limit } => list(call, site, limit).await,
            Self::Show { name } => show(call, &*site.user(&name).await?),
            Self::SetPassword { name } => set_password(call, site, &name).await,
            Self::ImportHash { name } => import_hash(call, site, &name).await,
            Self::SetRole { name, role } => set_role(call, site, (&name, role.into())).await,
            Self::RequireMfa { people } => change_factors(call, site, (FactorChange::Require, &people)).await,
            Self::ResetMfa { people } => change_factors(call, site, (FactorChange::Reset, &people)).await,
            Self::ClearBackupCodes { people } => {
                change_factors(call, site, (FactorChange::ClearBackupCodes, &people)).await
            }
            Self::Disable { name } => disable(call, site, &name).await,
            Self::Enable { name } => enable(call, site, &name).await,
        }
    }
}

impl Create {
    async fn run(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let user = self.user(site)?;
        // Refused before anybody types a password.
        for identifier in &user.identifiers {
            let name = LookupName::parse(&identifier.value).ok_or_else(|| unusable(&identifier.value))?;
            if site.edges.store.user_by_name(&name).await?.is_some() {
                return Err(taken(&identifier.value));
            }
        }
        let phc = if self.no_password { None } else { Some(hash(&password::read()?).await?) };
        match site.edges.store.create_user(&user, phc.as_deref()).await? {
            Creation::Created => {
                call.output.print(format_args!("created {} with id {}", self.username, user.id), &json_of(&user))
            }
            Creation::AlreadyExists => Err(taken(&self.username)),
        }
    }

    fn user(&self, site: &Site) -> Result<User, CommandError> {
        let (now, random) = (site.now(), &*site.edges.random);
        if self.username.contains('@') {
            let reason = "a username holds no @; write the address as --email and choose a name";
            return Err(CommandError::refused(reason.to_owned()));
        }
        let looks_like_phone = |text: &str| {
            text.chars().any(|letter| letter.is_ascii_digit())
                && text.chars().all(|letter| letter.is_ascii_digit() || "+-() ./".contains(letter))
        };
        if looks_like_phone(&self.username) {
            return Err(CommandError::refused("a username holds a letter, unlike a phone number".to_owned()));
        }
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(CommandError::refused("--email takes one address, such as ada@example.com".to_owned()));
        }
        let is_e164 = |phone: &str| {
            phone.strip_prefix('+').is_some_and(|digits| {
                (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
            })
        };
        if self.phone.as_deref().is_some_and(|phone| !is_e164(phone)) {
            return Err(CommandError::refused("--phone takes a number such as +12025550143 (E.164)".to_owned()));
        }
        let verified = |kind| (kind == IdentifierKind::Email && self.email_verified).then_some(now);
        let identifier = |kind, value: &String| Identifier {
            id: IdentifierId::new(now, random.bytes()),
            kind,
            value: value.clone(),
            verified_at: verified(kind),
            is_primary: true,
        };
        let named = [
            Some(identifier(IdentifierKind::Username, &self.username)),
            self.email.as_ref().map(|email| identifier(IdentifierKind::Email, email)),
            self.phone.as_ref().map(|phone| identifier(IdentifierKind::Phone, phone)),
        ];
        Ok(User {
            id: UserId::new(random.bytes()),
            profile: Profile { name: self.name.clone(), ..Profile::default() },
            identifiers: named.into_iter().flatten().collect(),
            role: self.role.into(),
            auth_epoch: Epoch::FIRST,
            created_at: now,
            updated_at: now,
            state: AccountState::Active,
            attributes: serde_json::Map::new(),
            last_sign_in_at: None,
        })
    }
}

fn is_email(text: &str) -> bool {
    let is_clean = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    is_clean
        && text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.starts_with('.')
        })
}

fn taken(name: &str) -> CommandError {
    CommandError::refused(format!("{name} is taken; `symbolon user show {name}` tells by whom"))
}

fn unusable(name: &str) -> CommandError {
    CommandError::refused(format!("{name:?} cannot be a name; write one without control characters, up to 320 bytes"))
}

async fn hash(password: &crate::protocol::secret::Secret) -> Result<String, CommandError> {
    Ok(PasswordHasher::new(1).hash(password).await?)
}

async fn list(call: &Call, site: &Site, limit: u32) -> Result<(), CommandError> {
    let users = site.edges.store.users(limit).await?;
    let mut table = Table::new(["username", "email", "role", "state", "created", "id"]);
    for user in &users {
        let name = |kind| user.primary(kind).map(|identifier| identifier.value.clone()).unwrap_or_default();
        table.row([
            name(IdentifierKind::Username),
            name(IdentifierKind::Email),
            role(user).to_owned(),
            state(user).to_owned(),
            moment(user.created_at),
            user.id.to_string(),
        ]);
    }
    call.output.print(table, &users.iter().map(|user| json_of(user)).collect())
}

fn show(call: &Call, user: &User) -> Result<(), CommandError> {
    let mut facts = Facts::default().with("id", user.id).with("name", user.profile.name.as_deref().unwrap_or_default());
    for identifier in &user.identifiers {
        let verified = if identifier.verified_at.is_some() { "" } else { " (not verified)" };
        facts = facts.with(identifier.kind.as_str(), format_args!("{}{verified}", identifier.value));
    }
    facts = facts.with("role", role(user)).with("state", state(user)).with("created", moment(user.created_at));
    call.output.print(facts, &json_of(user))
}

async fn set_password(call: &Call, site: &Site, name: &str) -> Result<(), CommandError> {
    let user = site.user(name).await?;
    let phc = hash(&password::read()?).await?;
    let beside = told(site, EventName::PasswordReset, user.id);
    site.edges.store.reset_password(user.id, &phc, site.now(), beside).await?;
    let told = "the password is set; all sessions have ended and all tokens were taken back";
    call.output.print(told, &json!({"id": user.id, "password_set": true}))
}

async fn import_hash(call: &Call, site: &Site, name: &str) -> Result<(), CommandError> {
    let user = site.user(name).await?;
    let hash = password::read_hash()?;
    check_importable(hash.expose())
        .map_err(|error| CommandError::refused(format!("the hash cannot be taken over: {error}")))?;
    let beside = told(site, EventName::PasswordReset, user.id);
    site.edges.store.reset_password(user.id, hash.expose(), site.now(), beside).await?;
    let told = "the hash is taken over; all sessions have ended and all tokens were taken back";
    call.output.print(told, &json!({"id": user.id, "hash_imported": true}))
}

async fn set_role(call: &Call, site: &Site, (name, role): (&str, Role)) -> Result<(), CommandError> {
    let user = site.user(name).await?;
    site.administration().set_role(&user, role).await?;
    show(call, &User { role, ..user.as_ref().clone() })
}

async fn change_factors(
    call: &Call,
    site: &Site,
    (change, people): (FactorChange, &[String]),
) -> Result<(), CommandError> {
    let mut changed = Vec::new();
    for name in people {
        let user = site.user(name).await?;
        if site.administration().change_second_factor(&user, change).await? == Changed::Yes {
            changed.push(user.id);
        }
    }
    let told = format_args!("changed for {} of {}", changed.len(), people.len());
    call.output.print(told, &json!({"changed": changed}))
}

async fn disable(call: &Call, site: &Site, name: &str) -> Result<(), CommandError> {
    let user = site.user(name).await?;
    let beside = told(site, EventName::UserDeactivated, user.id);
    let changed = site.edges.store.disable_user(user.id, site.now(), beside).await?;
    let told =
        if changed { "disabled; all sessions have ended and all tokens were taken back" } else { "was disabled" };
    call.output.print(told, &json!({"id": user.id, "disabled": true, "changed": changed}))
}

async fn enable(call: &Call, site: &Site, name: &str) -> Result<(), CommandError> {
    let user = site.user(name).await?;
    let changed = site.edges.store.enable_user(user.id).await?;
    let told = if changed { "enabled" } else { "was enabled" };
    call.output.print(told, &json!({"id": user.id, "disabled": false, "changed": changed}))
}

/// What an operator did, for the person's history and the audit.
fn told(site: &Site, name: EventName, user: UserId) -> Beside {
    Beside::event(site.edges.event(name).of(user).by(Actor::Operator))
}

const fn role(user: &User) -> &'static str {
    user.role.as_str()
}

const fn state(user: &User) -> &'static str {
    if user.is_enabled() { "enabled" } else { user.state.as_str() }
}

fn json_of(user: &User) -> Value {
    let identifiers: Vec<Value> = user
        .identifiers
        .iter()
        .map(|identifier| {
            json!({
                "kind": identifier.kind, "value": identifier.value, "verified_at": identifier.verified_at,
                "is_primary": identifier.is_primary,
            })
        })
        .collect();
    json!({
        "id": user.id, "name": user.profile.name, "identifiers": identifiers, "role": user.role,
        "created_at": user.created_at, "state": user.state.as_str(), "disabled_at": user.state.closed_at(),
    })
}
