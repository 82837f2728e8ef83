//! `symbolon permission`: what may be done in apps, and which groups and roles may.
//!
//! S-147.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::{Administration, Changed, group, permission, role};
use crate::cli::output::{Facts, Table};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::{Give, Holder};
use crate::model::directory::Directory;
use crate::model::id::ClientId;
use crate::model::role::Permission;

/// `symbolon permission`
#[derive(Debug, Subcommand)]
pub enum PermissionCommand {
    /// Makes a permission.
    Create {
        /// `app:resource:action`
        name: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Lists permissions.
    List,
    /// Deletes a permission; whoever had it has it no longer.
    Delete {
        /// `app:resource:action`
        name: String,
    },
    /// Gives a permission to groups and roles.
    Give {
        /// `app:resource:action`
        name: String,
        /// To whom.
        #[command(flatten)]
        holders: Holders,
    },
    /// Takes a permission from groups and roles.
    Take {
        /// `app:resource:action`
        name: String,
        /// From whom.
        #[command(flatten)]
        holders: Holders,
    },
}

/// What has a permission.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Holders {
    /// Groups: paths or ids.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Roles: names, or ids.
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// The client whose roles are meant; left out: roles of all.
    #[arg(long, value_name = "CLIENT_ID", requires = "role")]
    client: Option<ClientId>,
}

impl PermissionCommand {
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
            Self::Create { name, description } => {
                let made = admin.create_permission(&name, &description).await?;
                let facts = Facts::default().with("permission", &made.name).with("description", &made.description);
                call.output.print(facts, &json_of(&made))
            }
            Self::List => {
                let mut table = Table::new(["permission", "description"]);
                for one in directory.permissions() {
                    table.row([one.name.to_string(), one.description.clone()]);
                }
                call.output.print(table, &Value::Array(directory.permissions().map(json_of).collect()))
            }
            Self::Delete { name } => {
                admin.delete_permission(permission::named(&directory, &name)?).await?;
                call.output.print("deleted", &json!({"name": name, "deleted": true}))
            }
            Self::Give { name, holders } => change(call, (&admin, &directory), Give::To, (&name, holders)).await,
            Self::Take { name, holders } => change(call, (&admin, &directory), Give::From, (&name, holders)).await,
        }
    }
}

async fn change(
    call: &Call,
    (admin, directory): (&Administration, &Directory),
    give: Give,
    (name, holders): (&str, Holders),
) -> Result<(), CommandError> {
    let permission = permission::named(directory, name)?;
    let mut all = Vec::new();
    for name in &holders.group {
        all.push(Holder::Group(group::named(directory, name)?.id));
    }
    for name in &holders.role {
        all.push(Holder::Role(role::named(directory, holders.client.as_ref(), name)?.id));
    }
    let mut changed = 0;
    for holder in &all {
        let change = admin.change_permission_of(give, (permission, *holder)).await?;
        changed += u32::from(change == Changed::Yes);
    }
    let word = if give == Give::To { "given to" } else { "taken from" };
    let told = format_args!("{word} {changed} of {}", all.len());
    call.output.print(told, &json!({"name": permission.name, "changed": changed}))
}

fn json_of(permission: &Permission) -> Value {
    json!({"name": permission.name, "description": permission.description})
}
