//! `symbolon group`: groups of people, and who is in them.
//!
//! S-147, S-150.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::group::{GroupChange, NewGroup, SecondFactorDuty, named};
use crate::admin::{Administration, Changed};
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::Give;
use crate::model::directory::Directory;
use crate::model::group::Group;
use crate::model::id::GroupId;

/// `symbolon group`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Makes a group.
    Create {
        /// Its name; without slashes.
        name: String,
        /// The group that it stands within, by its path or id.
        #[arg(long, value_name = "GROUP")]
        within: Option<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// Its members are asked for two factors at each sign-in.
        #[arg(long)]
        second_factor: bool,
    },
    /// Lists groups by their paths, with how many people were put into each.
    List,
    /// Shows a group: what it has and who was put into it.
    Show {
        /// Its path or id.
        group: String,
        /// At most so many members.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Renames, describes or moves a group.
    Update {
        /// Its path or id.
        group: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// Another description.
        #[arg(long)]
        description: Option<String>,
        /// Into this group, by its path or id; `/` takes it out of all.
        #[arg(long, value_name = "GROUP")]
        within: Option<String>,
        /// Whether its members are asked for two factors at each sign-in: `true` or `false`.
        #[arg(long, value_name = "BOOL")]
        second_factor: Option<bool>,
    },
    /// Deletes a group with its memberships and the scopes that are kept for it.
    Delete {
        /// Its path or id.
        group: String,
    },
    /// Puts people into a group.
    Add {
        /// Its path or id.
        group: String,
        /// Names, e-mail addresses, phone numbers or ids.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Takes people out of a group; their next token is without it.
    Remove {
        /// Its path or id.
        group: String,
        /// Ends all their sessions and tokens too: apps that verify tokens by themselves believe them until their end.
        #[arg(long)]
        sign_out: bool,
        /// Names, e-mail addresses, phone numbers or ids.
        #[arg(required = true)]
        people: Vec<String>,
    },
}

impl GroupCommand {
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
            Self::Create { name, within, description, second_factor } => {
                let parent = within.map(|within| named(&directory, &within).map(|group| group.id)).transpose()?;
                let second_factor = SecondFactorDuty::of(second_factor);
                let new = NewGroup { name: &name, parent, description: &description, second_factor };
                let made = admin.create_group(new).await?;
                show(call, site, (&made, 0)).await
            }
            Self::List => list(call, site, &directory).await,
            Self::Show { group, limit } => show(call, site, (named(&directory, &group)?, limit)).await,
            Self::Update { group, name, description, within, second_factor } => {
                let before = named(&directory, &group)?;
                let parent = within.map(|within| parent(&directory, &within)).transpose()?;
                let second_factor = second_factor.map(SecondFactorDuty::of);
                let description = description.as_deref();
                let change = GroupChange { name: name.as_deref(), parent, description, second_factor };
                let after = admin.change_group(before, change).await?;
                show(call, site, (&after, 0)).await
            }
            Self::Delete { group } => {
                let group = named(&directory, &group)?;
                admin.delete_group(group).await?;
                call.output.print("deleted", &json!({"id": group.id, "deleted": true}))
            }
            Self::Add { group, people } => change(call, &admin, (Give::To, named(&directory, &group)?, &people)).await,
            Self::Remove { group, people, sign_out } => {
                let group = named(&directory, &group)?;
                change(call, &admin, (Give::From, group, &people)).await?;
                for name in people.iter().filter(|_| sign_out) {
                    let user = admin.person(name).await?;
                    admin.sign_out(&user).await?;
                }
                Ok(())
            }
        }
    }
}

fn parent(directory: &Directory, within: &str) -> Result<Option<GroupId>, CommandError> {
    if within == "/" {
        return Ok(None);
    }
    Ok(Some(named(directory, within)?.id))
}

async fn change(
    call: &Call,
    admin: &Administration,
    (give, group, people): (Give, &Group, &[String]),
) -> Result<(), CommandError> {
    let mut changed = Vec::new();
    for name in people {
        let user = admin.person(name).await?;
        if admin.change_member(give, (&user, group)).await? == Changed::Yes {
            changed.push(user.id);
        }
    }
    let word = if give == Give::To { "put into" } else { "taken out of" };
    let told = format_args!("{} of {} {word} {}", changed.len(), people.len(), group.name);
    call.output.print(told, &json!({"id": group.id, "changed": changed}))
}

async fn list(call: &Call, site: &Site, directory: &Directory) -> Result<(), CommandError> {
    let mut table = Table::new(["path", "members", "roles", "permissions", "id"]);
    let mut values = Vec::new();
    for group in directory.groups() {
        let members = site.edges.store.count_members(group.id).await?;
        table.row([
            directory.path(group.id).to_owned(),
            members.to_string(),
            roles(directory, group).join(" "),
            permissions(directory, group).join(" "),
            group.id.to_string(),
        ]);
        values.push(json_of(directory, group, members));
    }
    call.output.print(table, &Value::Array(values))
}

async fn show(call: &Call, site: &Site, (group, limit): (&Group, u32)) -> Result<(), CommandError> {
    let store = &site.edges.store;
    let directory = store.directory().await?;
    let count = store.count_members(group.id).await?;
    let mut json = json_of(&directory, group, count);
    let mut facts = Facts::default()
        .with("path", directory.path(group.id))
        .with("description", &group.description)
        .with("second factor", if group.second_factor_at.is_some() { "required" } else { "" })
        .with("roles", roles(&directory, group).join(" "))
        .with("permissions", permissions(&directory, group).join(" "));
    for scope in directory.scopes().iter().filter(|scope| scope.group == group.id) {
        facts = facts.with("scopes", format_args!("{} ({})", scope.scopes, scope.name));
    }
    facts = facts.with("created", moment(group.created_at)).with("id", group.id).with("members", count);
    let mut members = Vec::new();
    for member in store.members(group.id, (None, limit)).await? {
        let user = store.user(member.user).await?;
        let login = user.as_ref().map(|user| user.login().to_owned()).unwrap_or_default();
        facts = facts.with("", format_args!("{login} (since {})", moment(member.since)));
        members.push(json!({"id": member.user, "login": login, "since": member.since}));
    }
    if let Some(json) = json.as_object_mut().filter(|_| limit > 0) {
        json.insert("people".to_owned(), Value::Array(members));
    }
    call.output.print(facts, &json)
}

fn roles(directory: &Directory, group: &Group) -> Vec<String> {
    let roles = directory.roles_of_group(group.id).iter().filter_map(|id| directory.role(*id));
    roles.map(super::role::full_name).collect()
}

fn permissions(directory: &Directory, group: &Group) -> Vec<String> {
    directory.permissions_of_group(group.id).iter().map(ToString::to_string).collect()
}

fn json_of(directory: &Directory, group: &Group, members: u64) -> Value {
    json!({
        "id": group.id, "name": group.name, "path": directory.path(group.id), "parent_id": group.parent,
        "description": group.description, "second_factor_at": group.second_factor_at, "members": members, "roles": roles(directory, group),
        "permissions": permissions(directory, group), "created_at": group.created_at, "updated_at": group.updated_at,
    })
}
