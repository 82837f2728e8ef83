//! `/admin`: the administration, over the same functions as the command line (`src/admin`).
//!
//! S-138 … S-151; PROTOCOL O6. `caller` says who may: an access token of ours with the scope `admin` (or `admin:read`, which changes
//! nothing) of a person with a role on this server. `if_match` is `If-Match`: what was changed since it was read is not changed blindly.
//! To add an operation: as in the account API; its handler takes a caller of `caller`, its line says `by_role`.

mod apis;
pub mod asked;
mod bulk;
pub mod caller;
mod claim_mappers;
mod clients;
pub mod events;
mod grants;
mod group_scopes;
mod groups;
mod identity_rules;
pub mod if_match;
mod invitations;
mod jobs;
mod keys;
mod permissions;
mod preview;
mod providers;
mod refusal;
mod registrations;
mod roles;
mod second_factors;
mod sessions;
pub mod settings;
mod users;

use crate::http::api::operation::Operation;

/// The operations of this folder.
pub(super) fn operations() -> Vec<Operation> {
    let every: [fn() -> Vec<Operation>; 20] = [
        users::operations,
        bulk::operations,
        second_factors::operations,
        invitations::operations,
        registrations::operations,
        sessions::operations,
        grants::operations,
        groups::operations,
        group_scopes::operations,
        roles::operations,
        permissions::operations,
        claim_mappers::operations,
        preview::operations,
        clients::operations,
        apis::operations,
        identity_rules::operations,
        providers::operations,
        keys::operations,
        settings::operations,
        events::operations,
    ];
    every.iter().flat_map(|operations| operations()).chain(jobs::operations()).collect()
}
