//! How a client proves who it is.
//!
//! RFC 6749 §2.3, OIDC Core §9, RFC 7523. One file for each way of presenting; [`METHODS`] is what discovery announces.
//! To add one: a variant of [`ClientAuthMethod`], a line in [`METHODS`], a variant of `Presented` and its check.

pub mod assertion;
pub mod guess;
pub mod jwks;
pub mod secret;

use std::sync::Arc;

use crate::edge::tally;
use crate::model::client::Client;
use crate::model::event::Provenance;
use crate::model::id::ClientId;
use crate::oauth::provider::Provider;
use crate::protocol::client_assertion::ClientAssertion;
use crate::protocol::client_metadata::ClientAuthMethod;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// Every method, the default first.
pub const METHODS: &[ClientAuthMethod] = &[
    ClientAuthMethod::ClientSecretBasic,
    ClientAuthMethod::ClientSecretPost,
    ClientAuthMethod::ClientSecretJwt,
    ClientAuthMethod::PrivateKeyJwt,
    ClientAuthMethod::None,
];

/// User name and password of HTTP Basic, percent-decoded (RFC 6749 §2.3.1).
#[derive(Clone, Debug)]
pub struct BasicCredentials {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
}

/// What an endpoint learns of its caller from outside the form.
#[derive(Copy, Clone, Debug)]
pub struct Caller<'a> {
    /// HTTP Basic.
    pub basic: Option<&'a BasicCredentials>,
    /// Where it calls from: its address counts for limits, and all of it is written down with what came of it.
    pub from: &'a Provenance,
}

/// What a request shows of its client.
#[derive(Debug)]
enum Presented<'a> {
    Name,
    Secret(ClientAuthMethod, &'a str),
    Assertion(Box<ClientAssertion<'a>>),
}

/// Finds out which client calls, and has it prove that (RFC 6749 §3.2.1).
///
/// An unknown client and a wrong proof are answered alike; the hint, for the log, says which it was. That a client exists is
/// no secret (the authorization endpoint tells it to everybody), but a list of ids is not to be tried out here.
///
/// # Errors
/// `invalid_client` when the proof is missing or wrong, `invalid_request` when more than one way is used at once.
pub async fn authenticate(provider: &Provider, params: &Params, caller: Caller<'_>) -> Result<Arc<Client>, OAuthError> {
    let (name, presented) = presented(params, caller.basic)?;
    let id: ClientId = name.parse().map_err(|_| OAuthError::invalid_client("the client_id is malformed"))?;
    let is_named_only = matches!(presented, Presented::Name);
    if !is_named_only {
        provider.client_guesses.check((&id, &caller.from.address), provider.now())?;
    }
    let refusal = match provider.edges.store.client(&id).await?.filter(|client| client.is_enabled()) {
        Some(client) => match check(provider, &client, &presented).await {
            Ok(()) => {
                tally::client(&client.id);
                return Ok(client);
            }
            Err(refusal) => refusal,
        },
        None if is_named_only => OAuthError::invalid_client("no such client").hint(format!("client_id {id}")),
        None => unproven("no such client"),
    };
    if !is_named_only {
        tracing::info!(client_id = %id, reason = refusal.description(), "client authentication refused");
        provider.client_guesses.count(&*provider.edges.ephemeral, (&id, &caller.from.address), provider.now()).await?;
    }
    Err(refusal)
}

/// The refusal of who has not proven to be the client; `reason` is for the log and for developers.
fn unproven(reason: &'static str) -> OAuthError {
    OAuthError::invalid_client("client authentication failed: there is no such client, or its secret is wrong")
        .hint(reason)
}

/// Reads who is named and how it is proven; exactly one way (RFC 6749 §2.3).
fn presented<'a>(
    params: &'a Params,
    basic: Option<&'a BasicCredentials>,
) -> Result<(String, Presented<'a>), OAuthError> {
    let client_id = params.one("client_id")?;
    let client_secret = params.one("client_secret")?;
    let assertion = params.one("client_assertion")?;
    let assertion_type = params.one("client_assertion_type")?;
    let ways =
        [basic.is_some(), client_secret.is_some(), assertion.is_some()].into_iter().filter(|present| *present).count();
    if ways > 1 {
        return Err(OAuthError::invalid_request(
            "the client authenticates in more than one way at once; RFC 6749 section 2.3 allows one",
        ));
    }
    if assertion.is_none() && assertion_type.is_some() {
        return Err(OAuthError::invalid_request("client_assertion_type came without client_assertion"));
    }
    if let Some(basic) = basic {
        if client_id.is_some_and(|named| named != basic.client_id) {
            return Err(OAuthError::invalid_request("client_id differs from the one in the Authorization header"));
        }
        let secret = Presented::Secret(ClientAuthMethod::ClientSecretBasic, basic.client_secret.expose());
        return Ok((basic.client_id.clone(), secret));
    }
    if let Some(assertion) = assertion {
        let assertion = ClientAssertion::parse(assertion_type.unwrap_or_default(), assertion)?;
        let subject = assertion.client_id().to_owned();
        if client_id.is_some_and(|named| named != subject) {
            return Err(OAuthError::invalid_client("client_id differs from the sub of the client_assertion"));
        }
        return Ok((subject, Presented::Assertion(Box::new(assertion))));
    }
    let Some(client_id) = client_id else {
        return Err(OAuthError::invalid_client(
            "no client authentication: send HTTP Basic, client_secret, client_assertion, or client_id for a public client",
        ));
    };
    let presented =
        client_secret.map_or(Presented::Name, |secret| Presented::Secret(ClientAuthMethod::ClientSecretPost, secret));
    Ok((client_id.to_owned(), presented))
}

/// The client's registered method decides what counts.
async fn check(provider: &Provider, client: &Client, presented: &Presented<'_>) -> Result<(), OAuthError> {
    let registered = client.metadata.token_endpoint_auth_method;
    match (registered, presented) {
        (ClientAuthMethod::None, Presented::Name) => Ok(()),
        (
            ClientAuthMethod::ClientSecretBasic | ClientAuthMethod::ClientSecretPost,
            Presented::Secret(method, secret),
        ) => {
            if *method != registered {
                return Err(wrong_method(registered));
            }
            secret::check(client, secret)
        }
        (ClientAuthMethod::ClientSecretJwt | ClientAuthMethod::PrivateKeyJwt, Presented::Assertion(assertion)) => {
            assertion::check(provider, client, assertion).await
        }
        _ => Err(wrong_method(registered)),
    }
}

fn wrong_method(registered: ClientAuthMethod) -> OAuthError {
    OAuthError::invalid_client("the client did not authenticate in the way it is registered for")
        .hint(format!("registered token_endpoint_auth_method: {}", registered.as_str()))
}
