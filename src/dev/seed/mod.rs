//! The people and clients that a development server begins with; a restart finds them again.

mod client;
mod person;

use futures_util::future;

use self::person::Person;
use crate::authn::password::hash::PasswordHasher;
use crate::dev::credentials::{Credentials, Kind};
use crate::dev::facts::{Addresses, ClientFacts, Facts, UserFacts};
use crate::edge::Edges;
use crate::edge::store::Creation;
use crate::model::client::{Client, ClientSecret};
use crate::model::fault::Fault;
use crate::model::user::{LookupName, User};

pub use self::client::{API_AUDIENCE, DEMO_API, DEMO_SPA, DEMO_WEB};
pub use self::person::ADMIN;

/// What needs a password or secret, for [`Credentials`].
pub const WANTED: &[(&str, Kind)] = &[
    (person::ADMIN, Kind::Password),
    (person::ALICE, Kind::Password),
    (person::BOB, Kind::Password),
    (DEMO_WEB, Kind::ClientSecret),
    (DEMO_API, Kind::ClientSecret),
];

/// Makes sure that the seeded people and clients stand as `addresses` and `credentials` say, and tells the facts.
///
/// Whoever stands already keeps their id; a password that was changed meanwhile is set back to the one that is printed.
///
/// # Errors
/// When the store or the password pool fails, or a seeded name belongs to somebody else.
pub async fn seed(
    edges: &Edges,
    hasher: &PasswordHasher,
    credentials: &Credentials,
    addresses: &Addresses,
) -> Result<Facts, Fault> {
    let people = person::people(&addresses.issuer);
    let seeded = people.iter().map(|person| seed_person(edges, hasher, credentials, person));
    future::try_join_all(seeded).await?;
    let clients = client::clients(&addresses.demo, credentials, edges.clock.now())?;
    for client in &clients {
        seed_client(edges, client).await?;
    }
    let users = people.iter().map(|person| UserFacts {
        username: person.username.to_owned(),
        email: person.email(),
        password: credentials.of(person.username).clone(),
    });
    let clients = clients.iter().map(|client| ClientFacts {
        name: client.id.to_string(),
        client_id: client.id.to_string(),
        client_secret: client.secret.as_ref().map(|_| credentials.of(client.id.as_str()).clone()),
        redirect_uris: client.metadata.redirect_uris.clone(),
        grant_types: client.metadata.grant_types.clone(),
    });
    Ok(Facts::new(addresses, users.collect(), clients.collect()))
}

async fn seed_person(
    edges: &Edges,
    hasher: &PasswordHasher,
    credentials: &Credentials,
    person: &Person,
) -> Result<(), Fault> {
    let (store, now) = (&edges.store, edges.clock.now());
    let password = credentials.of(person.username);
    let name = LookupName::parse(person.username).expect("seeded names can be looked up");
    if let Some(user) = store.user_by_name(&name).await? {
        let stored = store.password(user.id).await?;
        let check = hasher.verify(password, stored.as_ref().map(|phc| phc.expose().as_str())).await?;
        if !check.is_right() {
            store.set_password(user.id, &hasher.hash(password).await?, now).await?;
        }
        return Ok(());
    }
    let user: User = person.user(edges.random.as_ref(), now);
    match store.create_user(&user, Some(&hasher.hash(password).await?)).await? {
        Creation::Created => Ok(()),
        Creation::AlreadyExists => {
            Err(Fault::internal(format!("a name of the seeded user {} belongs to somebody else", person.username)))
        }
    }
}

/// Creates the client, or brings it up to date: its redirect URIs follow the port of the demo app.
async fn seed_client(edges: &Edges, client: &Client) -> Result<(), Fault> {
    match edges.store.client(&client.id).await? {
        None => edges.store.create_client(client).await.map(|_| ()),
        Some(standing) if is_same(&standing, client) => Ok(()),
        Some(standing) => {
            let renewed = Client { disabled_at: standing.disabled_at, ..client.clone() };
            edges.store.update_client(&renewed).await.map(|_| ())
        }
    }
}

fn is_same(standing: &Client, wanted: &Client) -> bool {
    let same_secret = match (&standing.secret, &wanted.secret) {
        (Some(ClientSecret::Hashed(standing)), Some(ClientSecret::Hashed(wanted))) => standing.matches(wanted),
        (None, None) => true,
        _ => false,
    };
    same_secret
        && standing.metadata == wanted.metadata
        && standing.policy == wanted.policy
        && standing.origin == wanted.origin
}

#[cfg(test)]
mod tests;
