//! `symbolon admin`: the way in for the first administrator, and back in for one who lost theirs.
//!
//! PROTOCOL.md A19: there is no default password. It works with and without a running server.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use crate::authn::one_time_link;
use crate::cli::output::moment;
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::config::duration;
use crate::edge::store::{Beside, Creation};
use crate::model::epoch::Epoch;
use crate::model::event::EventName;
use crate::model::id::{IdentifierId, UserId};
use crate::model::identifier::Username;
use crate::model::user::{AccountState, Identifier, IdentifierKind, Role, User};
use crate::protocol::oidc::claims::Profile;

/// The longest that a link may work.
const LONGEST: Duration = Duration::from_hours(24);

/// `symbolon admin`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Makes an owner of this server, and prints a link that signs them in, once: nobody is ever given a password.
    Create {
        /// The name to sign in with.
        #[arg(default_value = "admin")]
        name: String,
        /// How long the link works, up to a day.
        #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = lifetime)]
        lifetime: Duration,
    },
    /// Prints a link that signs an owner of this server in, once; makes the owner `admin` when there is none.
    Recover {
        /// Which owner; needed when there are several.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// How long the link works, up to a day.
        #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = lifetime)]
        lifetime: Duration,
    },
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text).map_err(|error| error.to_string())?;
    if lifetime.is_zero() || lifetime > LONGEST {
        return Err("must be from 1s to 24h".to_owned());
    }
    Ok(lifetime)
}

impl AdminCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or the person is no owner of this server.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Make).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let (owner, lifetime) = match self {
            Self::Create { name, lifetime } => (create(site, &name).await?, lifetime),
            Self::Recover { user: Some(name), lifetime } => (named(site, &name).await?, lifetime),
            Self::Recover { user: None, lifetime } => (only(site).await?, lifetime),
        };
        let_in(call, site, (&owner, lifetime)).await
    }
}

async fn create(site: &Site, name: &str) -> Result<User, CommandError> {
    match owner(site, name).await? {
        Some(owner) => Ok(owner),
        None => Err(CommandError::refused(format!(
            "the name {name} is taken; `symbolon user set-role {name} owner` makes its person an owner"
        ))),
    }
}

/// Prints the link that signs `owner` in, once.
async fn let_in(call: &Call, site: &Site, (owner, lifetime): (&User, Duration)) -> Result<(), CommandError> {
    let token = one_time_link::make(&site.edges, owner.id, lifetime).await?;
    let link = format!("{}/sign-in/link?to=admin&token={}", site.config.issuer, token.expose());
    let expires_at = site.now().plus(lifetime);
    let human = format!("This link signs {} in, once, until {}:\n\n  {link}\n", owner.login(), moment(expires_at));
    call.output.print(human, &json!({"link": link, "user": owner.login(), "expires_at": expires_at}))
}

async fn named(site: &Site, name: &str) -> Result<User, CommandError> {
    let user = site.user(name).await?;
    if user.role != Role::Owner {
        let cure = format!("{name} is no owner of this server; `symbolon user set-role {name} owner` makes them one");
        return Err(CommandError::refused(cure));
    }
    if !user.is_enabled() {
        return Err(CommandError::refused(format!("{name} is disabled; `symbolon user enable {name}` first")));
    }
    Ok(user.as_ref().clone())
}

/// The one owner; a server without people gets its first.
async fn only(site: &Site) -> Result<User, CommandError> {
    let users = site.edges.store.users(u32::MAX).await?;
    let owners: Vec<_> = users.iter().filter(|user| user.role == Role::Owner && user.is_enabled()).collect();
    match owners.as_slice() {
        [owner] => Ok(owner.as_ref().clone()),
        [] => first(site).await,
        several => {
            let mut names: Vec<&str> = several.iter().map(|owner| owner.login()).collect();
            names.sort_unstable();
            Err(CommandError::refused(format!("there are several owners; add --user with one of {}", names.join(", "))))
        }
    }
}

async fn first(site: &Site) -> Result<User, CommandError> {
    owner(site, "admin").await?.ok_or_else(|| {
        CommandError::refused(
            "there is no enabled owner, and the name admin is taken; make somebody one with `symbolon user set-role NAME owner`"
                .to_owned(),
        )
    })
}

/// Makes an owner of this name; none when it is taken.
async fn owner(site: &Site, name: &str) -> Result<Option<User>, CommandError> {
    let (now, random) = (site.now(), &*site.edges.random);
    let malformed = || CommandError::refused(format!("{name:?} is no username; write letters, digits and . _ -"));
    let username = Username::parse(name).ok_or_else(malformed)?;
    let owner = User {
        id: UserId::new(random.bytes()),
        profile: Profile::default(),
        identifiers: vec![Identifier {
            id: IdentifierId::new(now, random.bytes()),
            kind: IdentifierKind::Username,
            value: username.as_str().to_owned(),
            verified_at: None,
            is_primary: true,
        }],
        role: Role::Owner,
        auth_epoch: Epoch::FIRST,
        created_at: now,
        updated_at: now,
        state: AccountState::Active,
        attributes: serde_json::Map::new(),
        last_sign_in_at: None,
    };
    let told = Beside::event(site.administration().event_about(EventName::UserCreated, &owner));
    match site.edges.store.create_user_with(&owner, None, told).await? {
        Creation::Created => Ok(Some(owner)),
        Creation::AlreadyExists => Ok(None),
    }
}
