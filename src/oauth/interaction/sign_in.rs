//! A person signs in: a session begins, or an old one gets a new cookie.
//!
//! OIDC Core §3.1.2.3; PROTOCOL S1: the cookie changes at each authentication.

use std::sync::Arc;

use crate::edge::tally;
use crate::model::authentication::Authentication;
use crate::model::fault::Fault;
use crate::model::id::SessionId;
use crate::model::interaction::{Authenticated, Interaction, Participation};
use crate::model::session::Session;
use crate::oauth::interaction::{Browser, Open, save};
use crate::oauth::provider::Provider;
use crate::protocol::secret::{Secret, TokenHash};

/// How the browser should keep the session.
#[derive(Clone, Debug)]
pub struct Keep {
    /// "Keep me signed in" was ticked.
    pub persistent: Persistence,
    /// `User-Agent`.
    pub user_agent: String,
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
/// session is kept from now on when they ask for it; anyone else ends the session that was there.
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
    let token = provider.edges.random.token();
    let token_hash = TokenHash::of(token.expose());
    let lifetimes = &provider.policy.sessions;
    let kept = (keep.persistent == Persistence::Kept).then_some(lifetimes.absolute);
    if let Some(session) = &browser.session
        && session.authentication.user == authentication.user
    {
        // None when it was ended in another window a moment ago: then a new one begins.
        let renewed = provider.edges.store.renew_session((session.id, token_hash), &authentication, kept, now).await?;
        if let Some(session) = renewed {
            return Ok(SignedIn { session: session.as_ref().clone(), token });
        }
    }
    let session = Session {
        id: SessionId::new(now, provider.edges.random.bytes()),
        token_hash,
        authentication,
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(lifetimes.absolute),
        idle_lifetime: kept.unwrap_or(lifetimes.idle).as_secs(),
        is_persistent: kept.is_some(),
        ended_at: None,
        user_agent: keep.user_agent.chars().filter(|c| !c.is_control()).take(256).collect(),
    };
    provider.edges.store.begin_session(&session, browser.session.as_ref().map(|old| old.id)).await?;
    Ok(SignedIn { session, token })
}

/// Writes down that the person took part in a waiting request.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn took_part(
    provider: &Provider,
    open: Open,
    session: SessionId,
    by: Participation,
) -> Result<Interaction, Fault> {
    let interaction = open.interaction.authenticated(Authenticated { session, at: provider.now(), by });
    save(provider, &open.id, &interaction).await?;
    Ok(interaction)
}
