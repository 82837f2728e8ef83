//! `symbolon seed`: many people in many groups, to see how a server bears them.
//!
//! They have no passwords, so that none of them can sign in until somebody sets one. A second run finds those of the first.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;

use crate::admin::Administration;
use crate::admin::group::NewGroup;
use crate::cli::output::Output;
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::{Beside, Creation, Give};
use crate::model::epoch::Epoch;
use crate::model::group::Group;
use crate::model::id::{GroupId, IdentifierId, UserId};
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::oidc::claims::Profile;

/// `symbolon seed`
#[derive(Debug, Args)]
pub struct Seed {
    /// How many people: `seed-0000000@seed.example` and on.
    #[arg(long, default_value_t = 1_000)]
    users: u32,
    /// How many groups below `/seed`; the first fifty stand within one another, and the first person is in the innermost.
    #[arg(long, default_value_t = 50)]
    groups: u32,
}

/// How many groups stand within one another.
const NESTED: u32 = 50;
/// How many people are on their way into the database at once: they share its commits.
const AT_ONCE: usize = 256;
/// People between two steps of the bar.
const STEP: u32 = 500;

impl Seed {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Make).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(&self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let groups = self.groups(&site.administration(), site).await?;
        let bar = Bar { shown: call.output == Output::Human && std::io::stderr().is_terminal(), all: self.users };
        let people = stream::iter(0..self.users).map(|number| person(site, &groups, number));
        let mut people = people.buffer_unordered(AT_ONCE);
        let (mut made, mut seen) = (0_u32, 0_u32);
        while let Some(creation) = people.next().await {
            made += u32::from(creation? == Creation::Created);
            seen += 1;
            if seen % STEP == 0 || seen == self.users {
                bar.show(seen);
            }
        }
        let told = format_args!("{made} people made, {} were there; {} groups", self.users - made, groups.len());
        call.output.print(told, &json!({"users": self.users, "made": made, "groups": groups.len()}))
    }

    /// The ids of the groups, those that stand within one another first.
    async fn groups(&self, admin: &Administration, site: &Site) -> Result<Vec<GroupId>, CommandError> {
        let root = group(admin, site, ("seed".to_owned(), None)).await?;
        let (mut ids, mut parent) = (Vec::new(), root);
        for number in 0..self.groups {
            let within = if number < NESTED { parent } else { root };
            let id = group(admin, site, (format!("group-{number:05}"), Some(within))).await?;
            if number < NESTED {
                parent = id;
            }
            ids.push(id);
        }
        Ok(ids)
    }
}

/// The group of this name, which is made when it is not there.
async fn group(
    admin: &Administration,
    site: &Site,
    (name, parent): (String, Option<GroupId>),
) -> Result<GroupId, CommandError> {
    let directory = site.edges.store.directory().await?;
    let is_it = |group: &&Group| group.parent == parent && group.name.as_str() == name;
    if let Some(group) = directory.groups().find(is_it) {
        return Ok(group.id);
    }
    Ok(admin.create_group(NewGroup { name: &name, parent, ..NewGroup::default() }).await?.id)
}

async fn person(site: &Site, groups: &[GroupId], number: u32) -> Result<Creation, CommandError> {
    let (store, random, now) = (&site.edges.store, &*site.edges.random, site.now());
    let (name, email) = (format!("seed-{number:07}"), format!("seed-{number:07}@seed.example"));
    let identifier = |kind, value: &str| Identifier {
        id: IdentifierId::new(now, random.bytes()),
        kind,
        value: value.to_owned(),
        verified_at: Some(now),
        is_primary: true,
    };
    let user = User {
        id: UserId::new(random.bytes()),
        profile: Profile { name: Some(format!("Seeded Person {number}")), ..Profile::default() },
        identifiers: vec![identifier(IdentifierKind::Username, &name), identifier(IdentifierKind::Email, &email)],
        role: Role::Member,
        auth_epoch: Epoch::FIRST,
        created_at: now,
        updated_at: now,
        state: AccountState::Active,
        attributes: serde_json::Map::new(),
        last_sign_in_at: None,
    };
    let creation = store.create_user(&user, None).await?;
    let id = match creation {
        Creation::Created => Some(user.id),
        Creation::AlreadyExists => match LookupName::parse(&name) {
            Some(name) => store.user_by_name(&name).await?.map(|user| user.id),
            None => None,
        },
    };
    // The first is in the innermost of the nested groups; the others are spread over those beside them.
    let beside = groups.get(NESTED as usize..).filter(|rest| !rest.is_empty()).unwrap_or(groups);
    let place = if number == 0 {
        groups.get(..groups.len().min(NESTED as usize)).and_then(<[GroupId]>::last)
    } else {
        beside.get(number as usize % beside.len().max(1))
    };
    if let (Some(user), Some(group)) = (id, place) {
        store.member_of_group(Give::To, (user, *group), now, Beside::default()).await?;
    }
    Ok(creation)
}

/// How far it is, on a terminal.
struct Bar {
    shown: bool,
    all: u32,
}

impl Bar {
    const WIDTH: u32 = 40;

    fn show(&self, done: u32) {
        if !self.shown {
            return;
        }
        let filled = usize::try_from(u64::from(done) * u64::from(Self::WIDTH) / u64::from(self.all.max(1)));
        let filled = filled.unwrap_or_default();
        let end = if done == self.all { "\n" } else { "" };
        let bar = "#".repeat(filled);
        // A terminal that went away is no reason to stop.
        let _ = write!(std::io::stderr(), "\r[{bar:<width$}] {done}/{}{end}", self.all, width = Self::WIDTH as usize);
    }
}
