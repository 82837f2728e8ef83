//! Logout started by a client.
//!
//! OIDC RP-Initiated Logout 1.0, Front-Channel Logout 1.0. Apps that are told by the server itself are told by whatever ends a session
//! ([`crate::jobs::backchannel_logout`]).

use std::sync::Arc;

use crate::edge::store::{Beside, Reach};
use crate::model::client::Client;
use crate::model::event::Provenance;
use crate::model::fault::Fault;
use crate::model::id::ClientId;
use crate::model::session::Session;
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::ended;
use crate::oauth::provider::Provider;
use crate::oauth::token::id_token_hint::{Hint, read_hint};
use crate::protocol::error::OAuthError;
use crate::protocol::oidc::frontchannel_logout::logout_url;
use crate::protocol::oidc::id_token::IdTokenHint;
use crate::protocol::oidc::rp_logout::LogoutRequest;

/// What a logout request asks for, checked.
#[derive(Clone, Debug)]
pub struct Logout {
    /// The client that asks, if it is known.
    pub client: Option<Arc<Client>>,
    /// Where the person lands: registered by that client, with `state`.
    pub return_to: Option<String>,
    /// Whether the landing is reached without a click.
    pub departure: Departure,
    /// Whether the person must be asked (§2).
    pub confirmation: Confirmation,
    /// Languages for pages.
    pub ui_locales: Vec<String>,
}

/// Whether the person is asked before they are signed out.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// The request does not prove that it comes from an app this person uses.
    Needed,
    /// It carries an ID token of this very session, or nobody is signed in.
    Unneeded,
}

/// How the person leaves for `return_to`.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Departure {
    /// By redirect: the session that ends here, or an operator who registered the client, vouches for the landing (§3).
    Redirect,
    /// By a link that they may follow: a stranger registered the client and nothing shows that this person ever used it (an
    /// ID token may be the stranger's own), so a redirect would lend our name to anybody (RFC 9700 §4.11.2, PROTOCOL R14).
    Link,
}

/// Checks a logout request.
///
/// # Errors
/// `invalid_request` for a hint that is not ours, a client that does not match it, or a `post_logout_redirect_uri` that
/// the client did not register: the person sees a page (§4). A hint whose key is gone is as none: the person is asked.
pub async fn read(provider: &Provider, request: &LogoutRequest, browser: &Browser) -> Result<Logout, OAuthError> {
    let given = request.id_token_hint.as_deref().map(|text| read_hint(provider, text)).transpose()?;
    let hint = match &given {
        Some(Hint::Known(hint)) => Some(hint),
        Some(Hint::Gone) | None => None,
    };
    let named = hint.and_then(|hint| hint.aud.first().cloned());
    if let (Some(hint), Some(given)) = (hint, &request.client_id)
        && !hint.is_for(given)
    {
        return Err(OAuthError::invalid_request("client_id is not the audience of id_token_hint"));
    }
    let client = match request.client_id.clone().or(named) {
        None => None,
        Some(id) => client(provider, &id).await?,
    };
    let session = browser.session.as_deref();
    let is_of_stranger = client.as_ref().is_some_and(|client| client.is_self_registered());
    // A hint that is gone would have told whose landing it is: the person leaves all the same, and stays here.
    let is_anybodys = given == Some(Hint::Gone) && request.client_id.is_none();
    Ok(Logout {
        return_to: if is_anybodys { None } else { return_to(request, client.as_deref())? },
        departure: if is_of_stranger && session.is_none() { Departure::Link } else { Departure::Redirect },
        confirmation: confirmation(hint, session),
        client,
        ui_locales: request.ui_locales.clone(),
    })
}

async fn client(provider: &Provider, id: &str) -> Result<Option<Arc<Client>>, Fault> {
    match id.parse::<ClientId>() {
        Ok(id) => Ok(provider.edges.store.client(&id).await?.filter(|client| client.is_enabled())),
        Err(_) => Ok(None),
    }
}

/// §3: compared byte for byte with what the client registered.
fn return_to(request: &LogoutRequest, client: Option<&Client>) -> Result<Option<String>, OAuthError> {
    let Some(uri) = &request.post_logout_redirect_uri else { return Ok(None) };
    let Some(client) = client else {
        return Err(OAuthError::invalid_request(
            "post_logout_redirect_uri needs client_id or id_token_hint, to tell whose it is",
        ));
    };
    if !client.metadata.post_logout_redirect_uris.contains(uri) {
        return Err(OAuthError::invalid_request("post_logout_redirect_uri is not registered for the client")
            .hint(format!("asked {uri}, registered {:?}", client.metadata.post_logout_redirect_uris)));
    }
    Ok(Some(request.landing(uri)))
}

/// §2: the hint must speak of the person who is signed in here.
fn confirmation(hint: Option<&IdTokenHint>, session: Option<&Session>) -> Confirmation {
    let Some(session) = session else { return Confirmation::Unneeded };
    let is_same = hint.is_some_and(|hint| hint.sid.as_deref() == Some(session.id.to_string().as_str()));
    if is_same { Confirmation::Unneeded } else { Confirmation::Needed }
}

/// The most apps that one page tells; who signs in to more of them in one session has others told by the server.
const MAX_FRAMES: usize = 50;

/// What the browser of `session` opens out of sight once that is over (Front-Channel Logout §3): a URL for each app that got tokens in
/// it and wants to be told so.
///
/// # Errors
/// A fault of the store.
pub async fn frontchannel(provider: &Provider, session: &Session) -> Result<Vec<String>, Fault> {
    let store = &provider.edges.store;
    let mut urls = Vec::new();
    for id in store.clients_of_session(session.id).await? {
        let client = store.client(&id).await?.filter(|client| client.is_enabled());
        let Some(client) = client else { continue };
        if let Some(uri) = &client.metadata.frontchannel_logout_uri {
            urls.push(logout_url(uri, provider.issuer.as_str(), &session.id.to_string()));
        }
        if urls.len() == MAX_FRAMES {
            break;
        }
    }
    Ok(urls)
}

/// Ends a session; tokens that were not meant to outlive it die with it.
///
/// # Errors
/// A fault of the store.
pub async fn end(provider: &Provider, session: &Session, from: &Provenance) -> Result<(), Fault> {
    let beside = Beside::event(ended(provider, session, (from, "signed_out")));
    provider.edges.store.end_session(session.id, Reach::Online, provider.now(), beside).await.map(|_| ())
}
