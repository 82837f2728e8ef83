//! `/federation/{slug}/callback`: a person comes back from a provider.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Asks, DONE, Intent, JOURNEY, Journey, Origin, failed, note_refusal};
use crate::account::identity::IdentityChange;
use crate::account::registration::MadeElsewhere;
use crate::account::settings::SignUp;
use crate::account::{AccountError, Asking, Why};
use crate::authn::limit::Rule;
use crate::authn::upstream::pending::{self, Pending};
use crate::authn::upstream::{self, Resolution};
use crate::authn::{Answer, Refusal};
use crate::edge::ephemeral::Namespace;
use crate::edge::upstream::{Returned, UpstreamError};
use crate::http::error::{Back, PageError};
use crate::http::extract::params::{Form, Query, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::federation::connect;
use crate::http::page::second_factor;
use crate::http::page::sign_in::{Entry, Offer, destination_called, prove};
use crate::http::page::{Place, fault_page, find, too_often};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::authentication::Authentication;
use crate::model::fault::Fault;
use crate::model::identity_provider::IdentityProvider;
use crate::model::upstream_link::UpstreamIdentity;
use crate::model::user::User;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::params::Params;
use crate::protocol::secret::{Secret, TokenHash};

/// Answers that came as a form, under a handle.
const ASIDE: Namespace<Answered> = Namespace::new("federation_answer");
/// How long the browser may take to ask again.
const MOMENT: Duration = Duration::from_mins(1);
/// The longest value of an answer that is kept, in bytes.
const MAX_VALUE: usize = 8 * 1024;

/// An authorization response (RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2; Apple's `user`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Answered {
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
    user: Option<String>,
}

impl Answered {
    fn of(params: &Params) -> Self {
        let text = |name| params.get(name).filter(|value| value.len() <= MAX_VALUE).map(str::to_owned);
        Self {
            state: text("state").unwrap_or_default(),
            code: text("code"),
            error: text("error"),
            iss: text("iss"),
            user: text("user"),
        }
    }
}

/// `GET /federation/{slug}/callback`
pub async fn arrive(State(web): State<Web>, visitor: Visitor, Segment(slug): Segment, Query(query): Query) -> Response {
    let response = match query.get("answer") {
        None => Answered::of(&query),
        Some(handle) => {
            let key = TokenHash::of(handle);
            match ASIDE.take(&*web.provider.edges.ephemeral, key.as_bytes(), web.provider.now()).await {
                Ok(response) => response.unwrap_or_default(),
                Err(fault) => return fault_page(&web, &visitor, fault),
            }
        }
    };
    Box::pin(received(&web, visitor, &slug, response)).await
}

/// `POST /federation/{slug}/callback` (OAuth 2.0 Form Post Response Mode): the same again as a `GET`, with the cookies.
pub async fn put_aside(State(web): State<Web>, visitor: Visitor, Segment(slug): Segment, Form(form): Form) -> Response {
    let response = Answered::of(&form);
    let edges = &web.provider.edges;
    // Nothing is kept for who does not know the state of something that was begun.
    let key = TokenHash::of(&response.state);
    match JOURNEY.get(&*edges.ephemeral, key.as_bytes(), web.provider.now()).await {
        Ok(Some(journey)) if journey.slug == slug => {}
        Ok(_) => return foreign(&web, &visitor, &slug).await,
        Err(fault) => return fault_page(&web, &visitor, fault),
    }
    let handle: Secret = edges.random.token();
    let key = TokenHash::of(handle.expose());
    match ASIDE.put(&*edges.ephemeral, key.as_bytes(), &response, web.provider.now().plus(MOMENT)).await {
        Ok(()) => redirect(&web.path(&format!("/federation/{slug}/callback"), &[("answer", handle.expose())])),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

async fn received(web: &Web, visitor: Visitor, slug: &str, response: Answered) -> Response {
    let journey = match begun(web, &visitor, (slug, &response.state)).await {
        Ok(journey) => journey,
        Err(page) => return *page,
    };
    let provider = match super::offered(web, slug).await {
        Ok(Some(provider)) if provider.id == journey.provider => provider,
        Ok(_) => return super::unknown(web, &visitor),
        Err(fault) => return fault_page(web, &visitor, fault),
    };
    // The request that waits may have run out meanwhile: then nobody is asked anything more.
    let open = match &journey.intent {
        Intent::SignIn { flow: flow @ Some(_), client_id, .. } => {
            let place = Place { flow: flow.clone(), client_id: client_id.clone() };
            match find(web, &visitor, &place).await {
                Ok(open) => Some(open),
                Err(page) => return *page,
            }
        }
        _ => None,
    };
    let code = match (response.code, response.error) {
        (Some(code), None) => Secret::new(code),
        (_, Some(error)) => return said_no(web, &visitor, (&provider, &error), &journey.intent),
        (None, None) => return said_no(web, &visitor, (&provider, ""), &journey.intent),
    };
    let returned = Returned {
        code,
        redirect_uri: journey.redirect_uri,
        nonce: Secret::new(journey.nonce),
        verifier: Secret::new(journey.verifier),
        issuer: response.iss,
        user: response.user,
    };
    let identity = match web.upstreams.finish(&provider, &returned).await {
        Ok(identity) => identity,
        Err(error) => return failed(web, &visitor, (&provider, &error), &journey.intent),
    };
    let asks = journey.intent.asks(open.as_ref());
    // Whoever was asked anew has to have answered anew; clocks differ by a minute.
    if asks == Asks::Anew && !journey.begun_at.is_some_and(|begun_at| identity.is_fresh_since(begun_at.minus(MOMENT))) {
        let error = UpstreamError::Untrue("the person was not asked anew".to_owned());
        return failed(web, &visitor, (&provider, &error), &journey.intent);
    }
    match journey.intent {
        intent @ Intent::SignIn { .. } => sign_in(web, visitor, (&provider, identity), (open, &intent)).await,
        Intent::Connect { user, session } => {
            let is_here = visitor
                .browser
                .session
                .as_ref()
                .is_some_and(|own| own.id == session && own.authentication.user == user);
            if !is_here {
                return foreign(web, &visitor, slug).await;
            }
            connect_here(web, &visitor, (&provider, &identity), user).await
        }
    }
}

/// What was begun under `state`, in this browser and by this provider; it is used up.
async fn begun(web: &Web, visitor: &Visitor, (slug, state): (&str, &str)) -> Result<Journey, Box<Response>> {
    let (edges, now) = (&web.provider.edges, web.provider.now());
    let key = TokenHash::of(state);
    let fault = |fault| Box::new(fault_page(web, visitor, fault));
    let found = JOURNEY.get(&*edges.ephemeral, key.as_bytes(), now).await.map_err(fault)?;
    let is_own = found.is_some_and(|journey| {
        journey.version == Journey::VERSION
            && journey.slug == slug
            && visitor.browser.flow.is_some_and(|flow| flow.matches(&journey.browser))
    });
    // What is another browser's stays good there.
    let taken = if is_own { JOURNEY.take(&*edges.ephemeral, key.as_bytes(), now).await.map_err(fault)? } else { None };
    match taken {
        Some(journey) => Ok(journey),
        None => Err(Box::new(foreign(web, visitor, slug).await)),
    }
}

/// `state` is missing, used, over, or of another browser. That is written down, so that an address is heard with it so often and no more:
/// anybody can open such a URL.
async fn foreign(web: &Web, visitor: &Visitor, slug: &str) -> Response {
    let (ephemeral, address) = (&*web.provider.edges.ephemeral, visitor.browser.provenance.address.as_str());
    match web.limits.count(ephemeral, (Rule::Challenge, address), web.provider.now()).await {
        Ok(Ok(())) => {}
        Ok(Err(exceeded)) => return too_often(web, visitor, exceeded),
        Err(fault) => return fault_page(web, visitor, fault),
    }
    let is_slug = slug.len() <= 32;
    note_refusal(web, visitor, if is_slug { slug } else { "" }, "state");
    let back = Back { uri: web.path("/sign-in", &[]), client_name: None };
    web.refuse(visitor, &PageError::new("federation_state_invalid", StatusCode::BAD_REQUEST).back(back))
}

/// The provider answers with an error (RFC 6749 §4.1.2.1). Its words stay with it.
fn said_no(web: &Web, visitor: &Visitor, (provider, error): (&IdentityProvider, &str), intent: &Intent) -> Response {
    let is_denied = ["access_denied", "user_cancelled_authorize", "consent_required"].contains(&error);
    let (key, status) = if is_denied {
        ("federation_denied", StatusCode::FORBIDDEN)
    } else {
        ("federation_failed", StatusCode::BAD_REQUEST)
    };
    note_refusal(web, visitor, provider.slug.as_str(), if is_denied { "denied" } else { "error" });
    let page = || PageError::new(key, status).back(Back { uri: intent.back(web), client_name: None });
    intent.landing(web, key).unwrap_or_else(|| web.refuse(visitor, &page()))
}

/// Somebody is known at the provider: whose account that opens.
async fn sign_in(
    web: &Web,
    visitor: Visitor,
    (provider, identity): (&IdentityProvider, UpstreamIdentity),
    (open, intent): (Option<Open>, &Intent),
) -> Response {
    let edges = &web.provider.edges;
    let opens = web.provider.accounts.settings.sign_up != SignUp::Off;
    // What the provider does not say is asked for by the form of `/register`.
    let registers = web.provider.accounts.settings.registers;
    let resolution = match upstream::resolve(edges, (provider, &identity), opens).await {
        Ok(resolution) => resolution,
        Err(fault) => return fault_page(web, &visitor, fault),
    };
    if let Intent::SignIn { again: Some(person), .. } = intent
        && !matches!(&resolution, Resolution::Known(user, _) if user.id == *person)
    {
        note_refusal(web, &visitor, provider.slug.as_str(), "another_person");
        let page = PageError::new("identity_other_account", StatusCode::CONFLICT);
        return web.refuse(&visitor, &page.back(Back { uri: web.path("/account", &[]), client_name: None }));
    }
    match resolution {
        Resolution::Known(user, link) => {
            edges.store.note_upstream_use(link.id, identity.label.clone(), web.provider.now());
            let_in(web, visitor, (provider, &identity, &user), (open, intent)).await
        }
        Resolution::Connect(user) => match connected(web, (provider, &identity), &user, &visitor.asking()).await {
            Ok(true) => let_in(web, visitor, (provider, &identity, &user), (open, intent)).await,
            Ok(false) => taken(web, &visitor, provider, web.path("/sign-in", &[])),
            Err(fault) => fault_page(web, &visitor, fault),
        },
        Resolution::Create => {
            let mut asking = visitor.asking();
            asking.client = open.as_ref().map(|open| open.client.id.clone());
            match web.provider.accounts.make_from_upstream((provider, &identity), &asking).await {
                Ok(MadeElsewhere::Made(made)) => {
                    let_in(web, visitor, (provider, &identity, &made.user), (open, intent)).await
                }
                Err(AccountError::Fault(fault)) => fault_page(web, &visitor, fault),
                Err(AccountError::Refused(Why::SignupNotAllowed | Why::Forbidden)) => {
                    closed(web, &visitor, provider, intent)
                }
                Ok(MadeElsewhere::Incomplete) | Err(_) if !registers => closed(web, &visitor, provider, intent),
                // Something is missing, or the address is not allowed here or was taken a moment ago.
                Ok(MadeElsewhere::Incomplete) | Err(_) => wait(web, &visitor, (provider, identity), (None, open)).await,
            }
        }
        Resolution::Prove(owner) => wait(web, &visitor, (provider, identity), (Some(&owner), open)).await,
        Resolution::Complete if !registers => closed(web, &visitor, provider, intent),
        Resolution::Complete => wait(web, &visitor, (provider, identity), (None, open)).await,
        Resolution::Closed => closed(web, &visitor, provider, intent),
    }
}

fn closed(web: &Web, visitor: &Visitor, provider: &IdentityProvider, intent: &Intent) -> Response {
    note_refusal(web, visitor, provider.slug.as_str(), "sign_up");
    let page = || web.refuse(visitor, &PageError::new("signup_not_allowed", StatusCode::FORBIDDEN));
    intent.landing(web, "signup_not_allowed").unwrap_or_else(page)
}

/// Lets the person in as any method does: account state and policy are judged by the same engine.
async fn let_in(
    web: &Web,
    visitor: Visitor,
    (provider, identity, user): (&IdentityProvider, &UpstreamIdentity, &User),
    (open, intent): (Option<Open>, &Intent),
) -> Response {
    let vouched = match upstream::vouched(&web.provider.edges, (provider, identity), user).await {
        Ok(vouched) => {
            let asks = intent.asks(open.as_ref());
            let standing = visitor.browser.session.as_ref().filter(|own| own.authentication.user == user.id);
            let at = proven_at(vouched.at, (identity, asks), standing.map(|session| session.authentication.at));
            Answer::Vouched(Authentication { at, ..vouched })
        }
        Err(fault) => return fault_page(web, &visitor, fault),
    };
    let refused = match prove(web, &visitor, (upstream::NAME, &vouched), open.as_ref()).await {
        Ok(step) => {
            let remembered = web.cookies.set_provider(provider.slug.as_str());
            let destination = match intent {
                Intent::SignIn { to: Some(to), .. } => destination_called(to),
                Intent::SignIn { from: Origin::App, .. } => DONE,
                _ => "account",
            };
            let entry = Entry { open, persistence: Persistence::Browser, destination, offer: Offer::Nothing };
            return with_cookies(second_factor::arrive(web, visitor, step, entry).await, [remembered]);
        }
        Err(refused) => refused,
    };
    let (key, status) = match refused {
        Refusal::Disabled => ("account_disabled", StatusCode::FORBIDDEN),
        Refusal::NotActivated => ("account_not_activated", StatusCode::FORBIDDEN),
        Refusal::Fault(fault) => return fault_page(web, &visitor, fault),
        _ => ("federation_failed", StatusCode::BAD_REQUEST),
    };
    let back = Back { uri: web.path("/sign-in", &[]), client_name: None };
    intent.landing(web, key).unwrap_or_else(|| web.refuse(&visitor, &PageError::new(key, status).back(back)))
}

/// When a person proved themselves who comes back `now`: of who was asked anew the provider says it. Who is signed in here since
/// `standing` already is no fresher by a session there, so that nobody raises a sign-in by one (S-098).
fn proven_at(
    now: NumericDate,
    (identity, asks): (&UpstreamIdentity, Asks),
    standing: Option<NumericDate>,
) -> NumericDate {
    let told = identity.proven_at.map(|told| told.min(now));
    match (standing, asks) {
        (Some(standing), _) => told.unwrap_or(standing).max(standing),
        (None, Asks::Anew) => told.unwrap_or(now),
        (None, Asks::AtMostOnce) => now,
    }
}

/// Keeps the identity until its person has proven the account of `owner`, or made one.
async fn wait(
    web: &Web,
    visitor: &Visitor,
    (provider, identity): (&IdentityProvider, UpstreamIdentity),
    (owner, open): (Option<&Arc<User>>, Option<Open>),
) -> Response {
    // Nobody is let in by what the provider said alone: that is written down, too.
    note_refusal(web, visitor, provider.slug.as_str(), "unproven");
    let place = open.as_ref().map(Place::open).unwrap_or_default();
    let pending = Pending {
        version: Pending::VERSION,
        provider: provider.id,
        identity,
        owner: owner.map(|owner| owner.id),
        flow: place.flow.clone(),
        client_id: place.client_id.clone(),
        since: web.provider.now(),
    };
    let Some(browser) = &visitor.browser.flow else {
        return foreign(web, visitor, provider.slug.as_str()).await;
    };
    if let Err(fault) = pending::keep(&web.provider.edges, browser, &pending).await {
        return fault_page(web, visitor, fault);
    }
    match owner {
        // Who proved it a moment ago is asked for the button alone.
        Some(_) => redirect(&web.path("/sign-in", &[("to", connect::DESTINATION)])),
        None => redirect(&place.path_with(web, "/register", &[("to", connect::DESTINATION)])),
    }
}

/// Connects an identity with the account of who is signed in.
async fn connect_here(
    web: &Web,
    visitor: &Visitor,
    (provider, identity): (&IdentityProvider, &UpstreamIdentity),
    user: crate::model::id::UserId,
) -> Response {
    let store = &web.provider.edges.store;
    let user = match store.user(user).await {
        Ok(Some(user)) => user,
        Ok(None) => return redirect(&web.path("/sign-in", &[])),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let home = web.path("/account/identities", &[]);
    match connected(web, (provider, identity), &user, &visitor.asking()).await {
        Ok(true) => redirect(&home),
        Ok(false) => taken(web, visitor, provider, home),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// The identity is connected with somebody else's account.
fn taken(web: &Web, visitor: &Visitor, provider: &IdentityProvider, back: String) -> Response {
    note_refusal(web, visitor, provider.slug.as_str(), "identity_taken");
    let page = PageError::new("identity_taken", StatusCode::CONFLICT);
    web.refuse(visitor, &page.back(Back { uri: back, client_name: None }))
}

/// Connects an identity with an account, and has the person told; false when it is somebody else's.
///
/// # Errors
/// A fault of the store.
pub async fn connected(
    web: &Web,
    (provider, identity): (&IdentityProvider, &UpstreamIdentity),
    user: &User,
    asking: &Asking,
) -> Result<bool, Fault> {
    let edges = &web.provider.edges;
    let accounts = &web.provider.accounts;
    let beside = accounts.identity_changed(IdentityChange::Connected, (user, provider), asking)?;
    let link = upstream::link(edges, (provider, identity), user);
    let is_theirs = upstream::connect(edges, &link, beside).await?;
    if is_theirs {
        upstream::follow_groups(edges, (provider, identity), user.id).await?;
    }
    Ok(is_theirs)
}
