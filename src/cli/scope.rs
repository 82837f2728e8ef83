//! `symbolon scope`: scopes that only the members of a group may have.
//!
//! S-149; RFC 6749 §3.3.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::{group, group_scope};
use crate::cli::output::{Facts, Table};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::directory::Directory;
use crate::model::group::GroupScope;
use crate::protocol::scope::Scope;

/// `symbolon scope`
#[derive(Debug, Subcommand)]
pub enum ScopeCommand {
    /// Keeps scopes for the members of a group and of the groups within it. Clients ask for them once they are registered for them.
    Create {
        /// What you call it.
        name: String,
        /// The group, by its path or id.
        #[arg(long, value_name = "GROUP")]
        group: String,
        /// The scopes: `orders:read orders:write`.
        #[arg(required = true)]
        scopes: Vec<String>,
    },
    /// Lists which scopes are kept for whom.
    List,
    /// Renames it, or keeps other scopes.
    Update {
        /// Its id, or its name when only one is called so.
        scope: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// These scopes in place of those that stand.
        scopes: Vec<String>,
    },
    /// Keeps them no longer.
    Delete {
        /// Its id, or its name when only one is called so.
        scope: String,
    },
}

impl ScopeCommand {
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
            Self::Create { name, group, scopes } => {
                let group = group::named(&directory, &group)?;
                let made = admin.create_group_scope(group, (&name, &parse(&scopes)?)).await?;
                show(call, &directory, &made)
            }
            Self::List => list(call, &directory),
            Self::Update { scope, name, scopes } => {
                let before = group_scope::named(&directory, &scope)?;
                let scopes = if scopes.is_empty() { None } else { Some(parse(&scopes)?) };
                let after = admin.change_group_scope(before, (name.as_deref(), scopes.as_ref())).await?;
                show(call, &directory, &after)
            }
            Self::Delete { scope } => {
                let scope = group_scope::named(&directory, &scope)?;
                admin.delete_group_scope(scope).await?;
                call.output.print("deleted", &json!({"id": scope.id, "deleted": true}))
            }
        }
    }
}

fn parse(scopes: &[String]) -> Result<Scope, CommandError> {
    let parsed = scopes.join(" ").parse::<Scope>();
    parsed.map_err(|error| CommandError::refused(error.description().to_owned()))
}

fn list(call: &Call, directory: &Directory) -> Result<(), CommandError> {
    let mut table = Table::new(["name", "group", "scopes", "id"]);
    for scope in directory.scopes() {
        let group = directory.path(scope.group).to_owned();
        table.row([scope.name.clone(), group, scope.scopes.to_string(), scope.id.to_string()]);
    }
    let values = directory.scopes().iter().map(|scope| json_of(directory, scope)).collect();
    call.output.print(table, &Value::Array(values))
}

fn show(call: &Call, directory: &Directory, scope: &GroupScope) -> Result<(), CommandError> {
    let facts = Facts::default()
        .with("name", &scope.name)
        .with("group", directory.path(scope.group))
        .with("scopes", &scope.scopes)
        .with("id", scope.id);
    call.output.print(facts, &json_of(directory, scope))
}

fn json_of(directory: &Directory, scope: &GroupScope) -> Value {
    json!({
        "id": scope.id, "group_id": scope.group, "group": directory.path(scope.group), "name": scope.name,
        "scopes": scope.scopes.iter().collect::<Vec<_>>(),
    })
}
