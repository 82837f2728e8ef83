//! `symbolon claim`: which claims apps are told of people, from what, and where.
//!
//! S-147, S-148; RFC 9068 §2.2.3.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::admin::claim_mapper::named;
use crate::cli::output::{Facts, Table};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::claim_mapper::{ClaimMapper, ClaimSource, Destination, GroupForm, Membership, RoleForm};
use crate::model::id::ClientId;

/// `symbolon claim`
#[derive(Debug, Subcommand)]
pub enum ClaimCommand {
    /// Tells apps a claim: `claim create team --from groups --form name --prefix /teams --scope profile`.
    Create {
        /// The name of the claim.
        claim: String,
        /// Only in what carries this scope.
        #[arg(long)]
        scope: Option<String>,
        /// Only for this client.
        #[arg(long, value_name = "CLIENT_ID")]
        client: Option<ClientId>,
        /// What it tells.
        #[command(flatten)]
        source: SourceFlags,
        /// Where it is told: `id_token,access_token,userinfo,introspection`; left out: everywhere.
        #[arg(long, value_delimiter = ',')]
        into: Vec<Place>,
    },
    /// Lists which claims are told.
    List,
    /// Changes what a claim tells, or where.
    Update {
        /// Its id, or its claim when only one tells it.
        mapper: String,
        /// What it tells.
        #[command(flatten)]
        source: SourceFlags,
        /// Where it is told; left out: as before.
        #[arg(long, value_delimiter = ',')]
        into: Vec<Place>,
    },
    /// Tells it no longer; what every server begins with tells its claim again.
    Delete {
        /// Its id, or its claim when only one tells it.
        mapper: String,
    },
}

/// What a claim tells.
#[derive(Debug, Args)]
pub struct SourceFlags {
    /// From what.
    #[arg(long)]
    from: Origin,
    /// The attribute of the settings or of the specifications (`--from attribute`).
    #[arg(long)]
    attribute: Option<String>,
    /// JSON, or else a text (`--from constant`).
    #[arg(long)]
    value: Option<String>,
    /// How groups (path, name, id) or roles (flat, by-client) are written.
    #[arg(long)]
    form: Option<Form>,
    /// Only groups at or within this path, only permissions that begin so.
    #[arg(long)]
    prefix: Option<String>,
    /// Only groups that people were put into, not those around them (`--from groups`).
    #[arg(long)]
    direct: bool,
}

/// From what a claim is made.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum Origin {
    /// An attribute of the person.
    Attribute,
    /// Always the same.
    Constant,
    /// Their groups.
    Groups,
    /// Their roles.
    Roles,
    /// Their permissions.
    Permissions,
}

/// How something is written.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum Form {
    /// Groups by their paths.
    Path,
    /// Groups by their names.
    Name,
    /// Groups by their ids.
    Id,
    /// Roles in one list.
    Flat,
    /// Roles by client.
    ByClient,
}

/// Where a claim is told.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Place {
    /// In ID tokens.
    IdToken,
    /// In access tokens.
    AccessToken,
    /// By the userinfo endpoint.
    Userinfo,
    /// By introspection.
    Introspection,
}

impl Place {
    const fn destination(self) -> Destination {
        match self {
            Self::IdToken => Destination::IdToken,
            Self::AccessToken => Destination::AccessToken,
            Self::Userinfo => Destination::Userinfo,
            Self::Introspection => Destination::Introspection,
        }
    }
}

impl SourceFlags {
    fn source(self) -> Result<ClaimSource, CommandError> {
        let refuse = |reason: &str| Err(CommandError::refused(reason.to_owned()));
        let Self { from, attribute, value, form, prefix, direct } = self;
        let form_of_groups = match form {
            None | Some(Form::Path) => Some(GroupForm::Path),
            Some(Form::Name) => Some(GroupForm::Name),
            Some(Form::Id) => Some(GroupForm::Id),
            Some(Form::Flat | Form::ByClient) => None,
        };
        match from {
            Origin::Attribute => match attribute {
                Some(name) => Ok(ClaimSource::Attribute { name }),
                None => refuse("--from attribute needs --attribute NAME"),
            },
            Origin::Constant => match value {
                Some(text) => {
                    Ok(ClaimSource::Constant { value: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
                }
                None => refuse("--from constant needs --value JSON"),
            },
            Origin::Groups => match form_of_groups {
                Some(form) => {
                    let members = if direct { Membership::Direct } else { Membership::All };
                    Ok(ClaimSource::Groups { form, prefix, members })
                }
                None => refuse("groups are written as path, name or id"),
            },
            Origin::Roles => match form {
                None | Some(Form::Flat) => Ok(ClaimSource::Roles { form: RoleForm::Flat }),
                Some(Form::ByClient) => Ok(ClaimSource::Roles { form: RoleForm::ByClient }),
                Some(_) => refuse("roles are written flat or by-client"),
            },
            Origin::Permissions => Ok(ClaimSource::Permissions { prefix }),
        }
    }
}

impl ClaimCommand {
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
        let (admin, directory) = (site.administration(), site.edges.store.directory().await?);
        match self {
            Self::Create { claim, scope, client, source, into } => {
                let all = || Destination::ALL.iter().copied().collect();
                let into = if into.is_empty() { all() } else { destinations(&into) };
                let new = ClaimMapper { id: None, scope, client, claim, source: source.source()?, into };
                show(call, &admin.create_claim_mapper(new).await?)
            }
            Self::List => {
                let mut table = Table::new(["claim", "what", "where", "id"]);
                for mapper in directory.mappers() {
                    let id = mapper.id.map_or_else(|| "built in".to_owned(), |id| id.to_string());
                    table.row([mapper.claim.clone(), mapper.about(), places(mapper), id]);
                }
                call.output.print(table, &Value::Array(directory.mappers().map(json_of).collect()))
            }
            Self::Update { mapper, source, into } => {
                let (id, before) = named(&directory, &mapper)?;
                let into = if into.is_empty() { before.into.clone() } else { destinations(&into) };
                let after = ClaimMapper { source: source.source()?, into, ..before.clone() };
                show(call, &admin.change_claim_mapper((id, before), after).await?)
            }
            Self::Delete { mapper } => {
                let (id, mapper) = named(&directory, &mapper)?;
                admin.delete_claim_mapper((id, mapper)).await?;
                call.output.print("deleted", &json!({"id": id, "deleted": true}))
            }
        }
    }
}

fn destinations(places: &[Place]) -> BTreeSet<Destination> {
    places.iter().map(|place| place.destination()).collect()
}

fn places(mapper: &ClaimMapper) -> String {
    mapper.into.iter().map(|into| into.as_str()).collect::<Vec<_>>().join(" ")
}

fn show(call: &Call, mapper: &ClaimMapper) -> Result<(), CommandError> {
    let id = mapper.id.map(|id| id.to_string()).unwrap_or_default();
    let facts = Facts::default()
        .with("claim", &mapper.claim)
        .with("what", mapper.about())
        .with("where", places(mapper))
        .with("id", id);
    call.output.print(facts, &json_of(mapper))
}

fn json_of(mapper: &ClaimMapper) -> Value {
    json!({
        "id": mapper.id, "scope": mapper.scope, "client_id": mapper.client, "claim": mapper.claim,
        "source": mapper.source, "into": mapper.into,
    })
}
