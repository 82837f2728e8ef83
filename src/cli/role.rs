//! `symbolon role`: roles that apps are told of, and who has them.
//!
//! S-148. What somebody may do on this server is `symbolon user set-role`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::role::{NewRole, named};
use crate::admin::{Administration, Changed, group};
use crate::cli::output::{Facts, Table};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::Give;
use crate::model::directory::Directory;
use crate::model::id::ClientId;
use crate::model::role::AppRole;

/// `symbolon role`
#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// Makes a role.
    Create {
        /// Which.
        #[command(flatten)]
        role: Named,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Lists roles.
    List,
    /// Deletes a role; whoever had it has it no longer.
    Delete {
        /// Which.
        #[command(flatten)]
        role: Named,
    },
    /// Gives a role to people and groups.
    Give {
        /// Which.
        #[command(flatten)]
        role: Named,
        /// To whom.
        #[command(flatten)]
        holders: Holders,
    },
    /// Takes a role from people and groups.
    Take {
        /// Which.
        #[command(flatten)]
        role: Named,
        /// From whom.
        #[command(flatten)]
        holders: Holders,
    },
}

/// A role, as an operator names it.
#[derive(Debug, Args)]
pub struct Named {
    /// Its name, or its id.
    role: String,
    /// The client that it is a role of; left out: of all.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<ClientId>,
}

/// Who has something.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Holders {
    /// People: names, e-mail addresses, phone numbers or ids.
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// Groups: paths or ids.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
}

impl Named {
    fn find<'d>(&self, directory: &'d Directory) -> Result<&'d AppRole, CommandError> {
        Ok(named(directory, self.client.as_ref(), &self.role)?)
    }
}

impl RoleCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or what is asked for cannot be.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let absent = if matches!(self, Self::Create { .. }) { Absent::Make } else { Absent::Refuse };
        let site = Site::open(call, absent).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let (admin, directory) = (site.administration(), site.edges.store.directory().await?);
        match self {
            Self::Create { role, description } => {
                let new = NewRole { client: role.client, name: &role.role, description: &description };
                let made = admin.create_role(new).await?;
                let facts = Facts::default()
                    .with("role", full_name(&made))
                    .with("description", &made.description)
                    .with("id", made.id);
                call.output.print(facts, &json_of(&directory, &made))
            }
            Self::List => list(call, &directory),
            Self::Delete { role } => {
                let role = role.find(&directory)?;
                admin.delete_role(role).await?;
                call.output.print("deleted", &json!({"id": role.id, "deleted": true}))
            }
            Self::Give { role, holders } => {
                change(call, (&admin, &directory), Give::To, (role.find(&directory)?, holders)).await
            }
            Self::Take { role, holders } => {
                change(call, (&admin, &directory), Give::From, (role.find(&directory)?, holders)).await
            }
        }
    }
}

async fn change(
    call: &Call,
    (admin, directory): (&Administration, &Directory),
    give: Give,
    (role, holders): (&AppRole, Holders),
) -> Result<(), CommandError> {
    let mut changed = 0;
    for name in &holders.group {
        let group = group::named(directory, name)?;
        changed += u32::from(admin.change_role_of_group(give, (role, group)).await? == Changed::Yes);
    }
    for name in &holders.user {
        let user = admin.person(name).await?;
        changed += u32::from(admin.change_role_of(give, (role, &user)).await? == Changed::Yes);
    }
    let word = if give == Give::To { "given to" } else { "taken from" };
    let told = format_args!("{word} {changed} of {}", holders.user.len() + holders.group.len());
    call.output.print(told, &json!({"id": role.id, "changed": changed}))
}

fn list(call: &Call, directory: &Directory) -> Result<(), CommandError> {
    let mut table = Table::new(["role", "description", "permissions", "id"]);
    for role in directory.roles() {
        let permissions: Vec<String> = directory.permissions_of_role(role.id).iter().map(ToString::to_string).collect();
        table.row([full_name(role), role.description.clone(), permissions.join(" "), role.id.to_string()]);
    }
    call.output.print(table, &Value::Array(directory.roles().map(|role| json_of(directory, role)).collect()))
}

/// `editor`, or `editor of shop`.
pub(super) fn full_name(role: &AppRole) -> String {
    role.client.as_ref().map_or_else(|| role.name.to_string(), |client| format!("{} of {client}", role.name))
}

fn json_of(directory: &Directory, role: &AppRole) -> Value {
    json!({
        "id": role.id, "name": role.name, "client_id": role.client, "description": role.description,
        "permissions": directory.permissions_of_role(role.id),
    })
}
