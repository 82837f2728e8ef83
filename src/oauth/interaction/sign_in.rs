//! A person signs in: a session begins, or an old one gets a new cookie.
//!
//! OIDC Core §3.1.2.3; PROTOCOL S1: the cookie changes at each authentication.

use std::sync::Arc;

use crate::edge::store::{Beside, Room};
use crate::edge::tally;
use crate::model::authentication::Authentication;
use crate::model::event::{Actor, Event, EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, SessionId};
use crate::model::interaction::{Authenticated, Participation};
use crate::model::session::{Session, SessionOrigin};
use crate::oauth::interaction::{Browser, Open, advance};
use crate::oauth::provider::Provider;
use crate::protocol::secret::{Secret, TokenHash};

/// How the browser should keep the session, and what is told of the sign-in.
#[derive(Clone, Debug)]
pub struct Keep {
    /// "Keep me signed in" was ticked.
    pub persistent: Persistence,
    /// By which method the person proved who they are.
    pub method: &'static str,
    /// The app that they sign in for, if it is one.
    pub client: Option<ClientId>,
    /// What else is written down with it.
    pub beside: Beside,
}

/// Whether a session outlives the browser window.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Persistence {
    /// Until the browser closes.
    Browser,
    /// Until the session ends.
    Kept,
}

/// A session and the value of its new cookie.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// For the cookie.
    pub token: Secret,
}

/// The session behind a cookie: live, of an account that may be used, begun after its last "sign out everywhere".
///
/// # Errors
/// A fault of the store.
pub async fn session(provider: &Provider, cookie: &str) -> Result<Option<Arc<Session>>, Fault> {
    let now = provider.now();
    let store = &provider.edges.store;
    let Some(session) = store.session_by_token(&TokenHash::of(cookie)).await?.filter(|session| session.is_live(now))
    else {
        return Ok(None);
    };
    let user = store.user(session.authentication.user).await?.filter(|user| user.is_enabled());
    if !user.is_some_and(|user| session.authentication.stands(&user)) {
        return Ok(None);
    }
    tally::user(session.authentication.user);
    if now.since(session.last_seen_at) >= Session::TOUCH_EVERY {
        store.touch_session(session.id, now);
    }
    Ok(Some(session))
}

/// Begins a session for a proven person. The same person in the same browser keeps `sid` and gets a new cookie, and the
/// session is kept from now on when they ask for it; anyone else ends the session that was there. One session too many ends the
/// person's oldest.
///
/// # Errors
/// A fault of the store.
pub async fn sign_in(
    provider: &Provider,
    browser: &Browser,
    authentication: Authentication,
    keep: Keep,
) -> Result<SignedIn, Fault> {
    tally::user(authentication.user);
    let now = provider.now();
    provider.edges.store.note_sign_in(authentication.user, now);
    let token = provider.edges.random.token();
    let token_hash = TokenHash::of(token.expose());
    let lifetimes = &provider.policy.sessions;
    let kept = (keep.persistent == Persistence::Kept).then_some(lifetimes.absolute);
    let mut told = provider.edges.event(EventName::SignIn).of(authentication.user).from(browser.provenance.clone());
    told = told.telling("method", keep.method);
    if let Some(elsewhere) = &authentication.elsewhere {
        told = told.telling("provider", elsewhere.provider.as_str());
        for (name, value) in [("upstream_acr", &elsewhere.acr), ("upstream_sid", &elsewhere.sid)] {
            if let Some(value) = value {
                told = told.telling(name, value.as_str());
            }
        }
        if !elsewhere.amr.is_empty() {
            told = told.telling("upstream_amr", elsewhere.amr.clone());
        }
    }
    told.client.clone_from(&keep.client);
    if let Some(session) = &browser.session
        && session.authentication.user == authentication.user
    {
        // None when it was ended in another window a moment ago: then a new one begins.
        let beside = keep.beside.clone().and_event(told.clone().within(session.id));
        let renewed = (session.id, token_hash);
        let renewed = provider.edges.store.renew_session(renewed, (&authentication, kept), now, beside).await?;
        if let Some(session) = renewed {
            return Ok(SignedIn { session: session.as_ref().clone(), token });
        }
    }
    let session = Session {
        id: SessionId::new(now, provider.edges.random.bytes()),
        token_hash,
        authentication,
        proven_again_at: None,
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(lifetimes.absolute),
        idle_lifetime: kept.unwrap_or(lifetimes.idle).as_secs(),
        is_persistent: kept.is_some(),
        ended_at: None,
        origin: SessionOrigin {
            address: browser.provenance.address.clone(),
            user_agent: browser.provenance.user_agent.clone(),
            client: keep.client,
        },
    };
    let mut beside = keep.beside.and_event(told.within(session.id));
    if let Some(replaced) = &browser.session {
        beside = beside.and_event(ended(provider, replaced, (&browser.provenance, "replaced")));
    }
    let replaced = browser.session.as_ref().map(|replaced| replaced.id);
    let room = Room { replaced, at_most: Some(lifetimes.at_most) };
    for evicted in provider.edges.store.begin_session(&session, room, beside).await? {
        let event = provider.edges.event(EventName::SessionEnded).of(session.authentication.user).by(Actor::Server);
        provider.edges.store.note_event(event.within(evicted).telling("reason", "too_many"));
    }
    Ok(SignedIn { session, token })
}

/// That a session ended at the wish of whoever sits in front of it.
pub fn ended(provider: &Provider, session: &Session, (from, reason): (&Provenance, &'static str)) -> Event {
    let event = provider.edges.event(EventName::SessionEnded).of(session.authentication.user);
    event.within(session.id).from(from.clone()).telling("reason", reason)
}

/// Writes down that the person took part in a waiting request; the request as it stands then. `None` when another tab was faster and its
/// client has its answer.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn took_part(
    provider: &Provider,
    open: Open,
    session: SessionId,
    by: Participation,
) -> Result<Option<Open>, Fault> {
    let authenticated = Authenticated { session, at: provider.now(), by };
    let advanced = advance(provider, &open.id, |waiting| waiting.authenticated(authenticated)).await?;
    Ok(advanced.map(|interaction| Open { interaction, ..open }))
}
