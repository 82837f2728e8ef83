//! `symbolon invitation`: asking people in.
//!
//! S-016. The running server sends the message.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::account::site::Site as Links;
use crate::admin::Changed;
use crate::admin::invitation::NewInvitation;
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::user::RoleName;
use crate::cli::{Call, CommandError};
use crate::config::ConfigError;
use crate::model::id::{ClientId, InvitationId};
use crate::model::invitation::Invitation;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;

/// `symbolon invitation`
#[derive(Debug, Subcommand)]
pub enum InvitationCommand {
    /// Invites somebody: a message with a link that is good once.
    Create(Box<Create>),
    /// Lists invitations, the newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: u32,
    },
    /// Takes an invitation back; its link is of no use any more.
    Revoke {
        /// Its id.
        id: InvitationId,
    },
}

/// `symbolon invitation create`
#[derive(Debug, Args)]
pub struct Create {
    /// Where the message goes.
    #[command(flatten)]
    address: Address,
    /// The given name.
    #[arg(long)]
    first_name: Option<String>,
    /// The family name.
    #[arg(long)]
    last_name: Option<String>,
    /// Their language, as a BCP 47 tag.
    #[arg(long)]
    locale: Option<String>,
    /// Groups that they are put into: paths or ids.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// What they may do on this server.
    #[arg(long, default_value = "member")]
    role: RoleName,
    /// The app that they are invited to.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<ClientId>,
}

/// Where a message goes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Address {
    /// The e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// The phone number, in the form +12025550143.
    #[arg(long)]
    phone: Option<String>,
}

impl InvitationCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or what is asked for cannot be.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Refuse).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        match self {
            Self::Create(create) => create.run(call, site).await,
            Self::List { limit } => list(call, site, limit).await,
            Self::Revoke { id } => revoke(call, site, id).await,
        }
    }
}

impl Create {
    async fn run(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let config = &site.config;
        let first =
            |mistakes: Vec<ConfigError>| mistakes.into_iter().next().map_or_else(unusable, CommandError::Config);
        let settings = config.account_settings().map_err(first)?;
        settings.rules.follow(&site.edges.store).await?;
        let links = Links::new(config.issuer.as_str(), config.frontend_pages()?);
        let new = NewInvitation {
            email: self.address.email.as_deref(),
            phone: self.address.phone.as_deref(),
            profile: Profile {
                given_name: self.first_name,
                family_name: self.last_name,
                locale: self.locale,
                ..Profile::default()
            },
            groups: &self.group,
            role: self.role.into(),
            client: self.client,
            languages: Vec::new(),
        };
        let made = site.administration().invite((&links, &settings), new).await?;
        let facts = Facts::default()
            .with("invited", &made.address)
            .with("until", moment(made.expires_at))
            .with("role", made.role.as_str())
            .with("id", made.id);
        call.output.print(facts, &json_of(&made, site.now()))
    }
}

fn unusable() -> CommandError {
    CommandError::refused("the settings cannot be used; `symbolon check` tells why".to_owned())
}

async fn list(call: &Call, site: &Site, limit: u32) -> Result<(), CommandError> {
    let invitations = site.edges.store.invitations(None, (None, limit)).await?;
    let mut table = Table::new(["invited", "state", "role", "until", "id"]);
    for invitation in &invitations {
        table.row([
            invitation.address.clone(),
            invitation.state(site.now()).to_owned(),
            invitation.role.as_str().to_owned(),
            moment(invitation.expires_at),
            invitation.id.to_string(),
        ]);
    }
    call.output.print(table, &invitations.iter().map(|invitation| json_of(invitation, site.now())).collect())
}

async fn revoke(call: &Call, site: &Site, id: InvitationId) -> Result<(), CommandError> {
    let found = site.edges.store.invitation(id).await?;
    let unknown =
        || CommandError::refused(format!("there is no invitation {id}; `symbolon invitation list` shows all"));
    let changed = site.administration().revoke_invitation(&found.ok_or_else(unknown)?).await? == Changed::Yes;
    let told = if changed { "taken back" } else { "was of no use any more" };
    call.output.print(told, &json!({"id": id, "changed": changed}))
}

fn json_of(invitation: &Invitation, now: NumericDate) -> Value {
    json!({
        "id": invitation.id, "kind": invitation.kind, "address": invitation.address, "state": invitation.state(now),
        "groups": invitation.groups, "role": invitation.role, "client_id": invitation.client,
        "invited_by": invitation.invited_by, "created_at": invitation.created_at, "expires_at": invitation.expires_at,
    })
}
