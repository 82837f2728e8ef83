//! `symbolon client`: the apps that may ask for tokens.
//!
//! RFC 7591 §2: what the flags say goes through the same door as a registration request.

pub mod flags;

use clap::Subcommand;
use serde_json::{Value, json};

use self::flags::{ClientKind, Flags};
use crate::admin::client::{self, ClientChange, ClientState};
use crate::admin::{AdminError, Refusal};
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::client::{AccessTokenFormat, Client, ClientPolicy};
use crate::model::id::ClientId;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::secret::Secret;

/// `symbolon client`
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Registers a client; its secret is printed once.
    Create {
        /// The name that people see.
        name: String,
        /// The client id; a random one by default.
        #[arg(long, value_name = "CLIENT_ID")]
        id: Option<String>,
        /// What kind of app it is.
        #[arg(long, value_name = "TYPE", default_value = "web")]
        r#type: ClientKind,
        /// The rest.
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Lists clients, the oldest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: u32,
    },
    /// Shows a client.
    Show {
        /// Its client id.
        id: String,
    },
    /// Changes what the flags name, and nothing else.
    Update {
        /// Its client id.
        id: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// Takes all its rights away, or gives them back.
        #[arg(long, value_name = "yes|no", value_parser = flags::yes_or_no)]
        disabled: Option<bool>,
        /// The rest.
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Deletes a client with its consents, grants and tokens.
    Delete {
        /// Its client id.
        id: String,
    },
    /// Gives a client a new secret, printed once; the old one is refused from then on.
    RotateSecret {
        /// Its client id.
        id: String,
    },
}

impl ClientCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, a client is unknown or taken, or its metadata is refused.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let absent = if matches!(self, Self::Create { .. }) { Absent::Make } else { Absent::Refuse };
        let site = Site::open(call, absent).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        match self {
            Self::Create { name, id, r#type, flags } => create(call, site, (name, id, r#type), *flags).await,
            Self::List { limit } => list(call, site, limit).await,
            Self::Show { id } => show(call, &*site.administration().client(&id).await?, None),
            Self::Update { id, name, disabled, flags } => update(call, site, (&id, name, disabled), *flags).await,
            Self::Delete { id } => delete(call, site, &id).await,
            Self::RotateSecret { id } => rotate_secret(call, site, &id).await,
        }
    }
}

async fn create(
    call: &Call,
    site: &Site,
    (name, id, kind): (String, Option<String>, ClientKind),
    flags: Flags,
) -> Result<(), CommandError> {
    let id = match id {
        Some(id) => id.parse().map_err(|error| CommandError::refused(format!("--id {id}: {error}")))?,
        None => ClientId::generate(site.edges.random.bytes()),
    };
    let mut members = client::ClientKind::from(kind).preset();
    flags.write(Some(&name), &mut members)?;
    let policy = flags.policy(ClientPolicy::default())?;
    let metadata = parse(site, &members, &policy).await?;
    let taken = format!("the client_id {id} is taken; choose another --id");
    match site.administration().create_client(id, (metadata, policy), &site.vault).await {
        Ok(made) => show(call, &made.client, made.secret.as_ref()),
        Err(AdminError::Refused(Refusal::Taken { .. })) => Err(CommandError::refused(taken)),
        Err(error) => Err(error.into()),
    }
}

async fn update(
    call: &Call,
    site: &Site,
    (id, name, disabled): (&str, Option<String>, Option<bool>),
    flags: Flags,
) -> Result<(), CommandError> {
    let administration = site.administration();
    let before = administration.client(id).await?;
    let written = serde_json::to_value(&before.metadata).map_err(anyhow::Error::from)?;
    let mut members = written.as_object().cloned().unwrap_or_default();
    flags.write(name.as_ref(), &mut members)?;
    let policy = flags.policy(before.policy.clone())?;
    let metadata = parse(site, &members, &policy).await?;
    let state = match disabled {
        Some(true) => ClientState::Disabled,
        Some(false) => ClientState::Active,
        None => ClientState::of(&before),
    };
    let change = ClientChange { metadata, policy, state };
    let after = administration.change_client(&before, change, &site.vault).await?;
    show(call, &after.client, after.secret.as_ref())
}

async fn rotate_secret(call: &Call, site: &Site, id: &str) -> Result<(), CommandError> {
    let administration = site.administration();
    let before = administration.client(id).await?;
    let after = administration.rotate_client_secret(&before, &site.vault).await?;
    let secret = after.secret.as_ref().map(|secret| secret.expose().as_str()).unwrap_or_default();
    let human = Facts::default().with("client_id", &before.id).with("client_secret", secret);
    let told = format!("{human}\nThis secret is shown once; the old one is refused from now on.");
    call.output.print(told, &json!({"client_id": before.id, "client_secret": secret}))
}

async fn delete(call: &Call, site: &Site, id: &str) -> Result<(), CommandError> {
    let administration = site.administration();
    let client = administration.client(id).await?;
    administration.delete_client(&client).await?;
    let told = "deleted, with its consents, grants and tokens";
    call.output.print(told, &json!({"client_id": client.id, "deleted": true}))
}

async fn list(call: &Call, site: &Site, limit: u32) -> Result<(), CommandError> {
    let clients = site.edges.store.clients(limit).await?;
    let mut table = Table::new(["client_id", "name", "authentication", "grants", "state", "created"]);
    for client in &clients {
        let grants = client.metadata.grant_types.iter().map(|grant| grant.as_str());
        table.row([
            client.id.to_string(),
            client.metadata.client_name.clone().unwrap_or_default(),
            client.metadata.token_endpoint_auth_method.as_str().to_owned(),
            grants.collect::<Vec<_>>().join(" "),
            state(client).to_owned(),
            moment(client.created_at),
        ]);
    }
    let values = clients.iter().map(|client| json_of(client, None)).collect::<Result<Value, _>>()?;
    call.output.print(table, &values)
}

/// The metadata, by the rules of registration.
async fn parse(
    site: &Site,
    members: &serde_json::Map<String, Value>,
    policy: &ClientPolicy,
) -> Result<ClientMetadata, CommandError> {
    match site.administration().client_metadata(members, policy).await {
        // Its own words name the member.
        Err(AdminError::Refused(Refusal::Malformed { rule, .. })) => Err(CommandError::refused(rule)),
        parsed => Ok(parsed?),
    }
}

fn show(call: &Call, client: &Client, secret: Option<&Secret>) -> Result<(), CommandError> {
    let metadata = &client.metadata;
    let grants: Vec<_> = metadata.grant_types.iter().map(|grant| grant.as_str()).collect();
    let mut facts = Facts::default()
        .with("client_id", &client.id)
        .with("client_secret", secret.map(|secret| secret.expose().as_str()).unwrap_or_default())
        .with("name", metadata.client_name.as_deref().unwrap_or_default())
        .with("authentication", metadata.token_endpoint_auth_method.as_str())
        .with("grants", grants.join(" "));
    for uri in &metadata.redirect_uris {
        facts = facts.with("redirect_uri", uri);
    }
    for uri in &metadata.post_logout_redirect_uris {
        facts = facts.with("after logout", uri);
    }
    let scope = metadata.scope.as_ref().map(ToString::to_string).unwrap_or_default();
    facts = facts
        .with("told of logouts at", metadata.backchannel_logout_uri.as_deref().unwrap_or_default())
        .with("shown at logouts", metadata.frontchannel_logout_uri.as_deref().unwrap_or_default())
        .with("scope", scope)
        .with("audience", client.policy.audience.join(" "))
        .with("first party", if client.policy.first_party { "yes: consent is not asked" } else { "no" })
        .with("sign-in gives", if client.policy.first_party { client.policy.token_delivery.as_str() } else { "" })
        .with(
            "access token",
            match client.policy.access_token {
                AccessTokenFormat::Jwt => "JWT",
                AccessTokenFormat::Opaque => "opaque",
            },
        )
        .with("links of mails", client.policy.frontend_url.as_ref().map(ToString::to_string).unwrap_or_default())
        .with("state", state(client))
        .with("created", moment(client.created_at));
    let note = if secret.is_some() { "\nThe secret is shown once; only its hash is kept." } else { "" };
    call.output.print(format_args!("{facts}{note}"), &json_of(client, secret)?)
}

const fn state(client: &Client) -> &'static str {
    if client.is_enabled() { "enabled" } else { "disabled" }
}

fn json_of(client: &Client, secret: Option<&Secret>) -> Result<Value, CommandError> {
    let mut json = serde_json::to_value(&client.metadata).map_err(anyhow::Error::from)?;
    let policy = serde_json::to_value(&client.policy).map_err(anyhow::Error::from)?;
    if let Some(members) = json.as_object_mut() {
        members.insert("client_id".into(), json!(client.id));
        members.insert("client_id_issued_at".into(), json!(client.created_at));
        members.insert("disabled_at".into(), json!(client.disabled_at));
        members.insert("self_registered".into(), json!(client.is_self_registered()));
        members.insert("policy".into(), policy);
        if let Some(secret) = secret {
            members.insert("client_secret".into(), json!(secret.expose()));
        }
    }
    Ok(json)
}
