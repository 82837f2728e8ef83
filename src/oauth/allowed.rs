//! What a client may have for a person at this moment: the one place where a scope is narrowed.
//!
//! RFC 6749 §3.3; S-149, S-150; PROTOCOL T6, T14. What a token carries is what was asked ∩ what the client may have ∩ what the person
//! may have through their groups, and it is asked again whenever the token is: at refresh, userinfo and introspection.

use std::borrow::Cow;

use crate::model::claim_mapper::DIRECTORY_SCOPES;
use crate::model::client::Client;
use crate::model::directory::{Directory, Membership};
use crate::model::fault::Fault;
use crate::model::user::{Role, User};
use crate::oauth::policy::BeyondGroups;
use crate::oauth::provider::Provider;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::Scope;

/// The administration of this server by API.
pub const ADMIN: &str = "admin";
/// The same, without changing anything.
pub const ADMIN_READ: &str = "admin:read";
/// The list of apps, for services that look for one another.
pub const APPLICATIONS_READ: &str = "applications:read";

/// The scopes of this server's own API; each is for clients that are registered for it by name.
const OF_THIS_SERVER: &[&str] = &[ADMIN, ADMIN_READ, APPLICATIONS_READ];

/// Every scope that `client` may ask for. Those that an operator made are for clients that are registered for them by name, and so
/// are groups, roles and permissions where the client registered itself: nobody outside learns how the house is built.
///
/// # Errors
/// A fault of the store.
pub async fn to_client<'p>(provider: &'p Provider, client: &Client) -> Result<Cow<'p, Scope>, Fault> {
    match &client.metadata.scope {
        None if client.is_self_registered() => Ok(Cow::Owned(to_strangers(provider))),
        None => Ok(Cow::Borrowed(&provider.scopes_supported)),
        Some(registered) => {
            let directory = provider.edges.store.directory().await?;
            Ok(Cow::Owned(registered.intersection(&known(&provider.scopes_supported, &directory))))
        }
    }
}

/// Every scope that a client may register itself for.
pub fn to_strangers(provider: &Provider) -> Scope {
    provider.scopes_supported.without(&DIRECTORY_SCOPES.iter().copied().collect())
}

/// Scopes of the specifications, which every client may ask for; operators make others.
pub fn of_specifications() -> Scope {
    let of_person = ["openid", "profile", "email", "address", "phone", "offline_access"];
    of_person.into_iter().chain(DIRECTORY_SCOPES.iter().copied()).collect()
}

/// Every scope that means something here, beside those of the specifications.
pub fn known(of_specifications: &Scope, directory: &Directory) -> Scope {
    of_specifications.union(&directory.made_scopes()).union(&OF_THIS_SERVER.iter().copied().collect())
}

/// What of `scope` the client may still have: for `person`, or for itself when there is none.
///
/// # Errors
/// A fault of the store.
pub async fn of<'s>(
    provider: &Provider,
    (client, person): (&Client, Option<&User>),
    scope: &'s Scope,
) -> Result<Cow<'s, Scope>, Fault> {
    let store = &provider.edges.store;
    let standard = &provider.scopes_supported;
    let is_open =
        |token: &str| standard.contains(token) && !(client.is_self_registered() && DIRECTORY_SCOPES.contains(&token));
    if client.metadata.scope.is_none() && scope.iter().all(is_open) {
        return Ok(Cow::Borrowed(scope));
    }
    let directory = store.directory().await?;
    let is_registered = |token: &str| match &client.metadata.scope {
        None => is_open(token),
        Some(registered) => {
            let is_administration = [ADMIN, ADMIN_READ].contains(&token);
            // Services have it for themselves; people who administer see the same and more.
            let is_of_services = token == APPLICATIONS_READ && person.is_none();
            let is_own = is_administration || is_of_services;
            let is_known = standard.contains(token) || directory.knows_scope(token) || is_own;
            // Whoever has no role here has nothing to administer, and an app of theirs has no business with it.
            registered.contains(token)
                && is_known
                && (!is_administration || person.is_some_and(|person| person.role > Role::Member))
        }
    };
    let membership = match person {
        Some(person) if directory.gates_any(scope) => store.membership(person.id).await?,
        _ => std::sync::Arc::<Membership>::default(),
    };
    let open = match person {
        Some(_) => directory.open_to(&membership, scope),
        None => Cow::Borrowed(scope),
    };
    if open.iter().all(is_registered) {
        return Ok(open);
    }
    Ok(Cow::Owned(open.iter().filter(|token| is_registered(token)).collect()))
}

/// What stands of `asked` after it was narrowed to `left`, by the policy of this server.
///
/// # Errors
/// `invalid_scope` when nothing is left, or when the policy wants to be asked for no more than can be had.
pub fn settle(beyond: BeyondGroups, asked: &Scope, left: &Scope) -> Result<(), OAuthError> {
    let is_less = !asked.is_within(left);
    if is_less && (left.is_empty() || beyond == BeyondGroups::Refuse) {
        let refusal = OAuthError::invalid_scope("the person may not give the client this scope");
        return Err(refusal.hint(format!("only members of a group may have: {}", asked.without(left))));
    }
    Ok(())
}
