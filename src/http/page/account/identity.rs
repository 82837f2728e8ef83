//! `/account/identities`: accounts at other servers by which a person signs in here, connected and cut.
//!
//! S-064, S-065; PROTOCOL A15: both need a proof of a moment ago. The last way in stays.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::account::Asking;
use crate::account::identity::IdentityChange;
use crate::authn::{Factor, Method};
use crate::edge::store::{Beside, Otherwise, Unlinked};
use crate::edge::template::console::{ConnectedIdentity, Identities, OfferedProvider};
use crate::http::error::{Back, PageError};
use crate::http::extract::params::{Form, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{acting, console, nothing_there, visit};
use crate::http::page::again::recent;
use crate::http::page::fault_page;
use crate::http::page::federation::{Intent, depart, offered};
use crate::http::page::sent_code::is_sent;
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::authenticator::AuthenticatorKind;
use crate::model::fault::Fault;
use crate::model::id::LinkId;
use crate::model::identity_provider::IdentityProvider;
use crate::model::user::{IdentifierKind, User};

const PATH: &str = "/account/identities";

/// `GET /account/identities`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let visit = match visit(&web, &visitor, PATH).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let (identities, offered) = match list(&web, &visit.user).await {
        Ok(lists) => lists,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (console, cookie) = console(&web, &visitor, &visit.user, "identities");
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let context = Identities { console, identities, offered };
    with_cookies(web.pages.page("page/account_identities.html", &frame, &context), cookie)
}

/// `POST /account/identities/{slug}/connect`
pub async fn connect(State(web): State<Web>, visitor: Visitor, Segment(slug): Segment, Form(form): Form) -> Response {
    if let Err(response) = acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        return *response;
    }
    let visit = match recent(&web, &visitor, PATH).await {
        Ok((visit, _)) => visit,
        Err(response) => return *response,
    };
    match offered(&web, &slug).await {
        Ok(Some(provider)) => {
            let intent = Intent::Connect { user: visit.user.id, session: visit.session.id };
            depart(&web, &visitor, &provider, (intent, None, None)).await
        }
        Ok(None) => nothing_there(&web, &visitor),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /account/identities/{id}/cut`
pub async fn cut(State(web): State<Web>, visitor: Visitor, Segment(id): Segment, Form(form): Form) -> Response {
    if let Err(response) = acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        return *response;
    }
    let visit = match recent(&web, &visitor, PATH).await {
        Ok((visit, _)) => visit,
        Err(response) => return *response,
    };
    let Ok(id) = id.parse::<LinkId>() else { return nothing_there(&web, &visitor) };
    let beside = match cut_from(&web, (&visit.user, id), &visitor.asking()).await {
        Ok(beside) => beside,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    let otherwise = match otherwise(&web, &visit.user).await {
        Ok(otherwise) => otherwise,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    match store.unlink_identity((visit.user.id, id), otherwise, now, beside).await {
        Ok(Unlinked::Unlinked) => redirect(&web.path(PATH, &[])),
        Ok(Unlinked::Unknown) => nothing_there(&web, &visitor),
        Ok(Unlinked::Last) => {
            let back = Back { uri: web.path(PATH, &[]), client_name: None };
            web.refuse(&visitor, &PageError::new("last_sign_in_method", StatusCode::CONFLICT).back(back))
        }
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// What is written down beside the end of a connection: that it was cut, and a notice to the person.
///
/// # Errors
/// A fault of the store.
pub async fn cut_from(web: &Web, (user, link): (&User, LinkId), asking: &Asking) -> Result<Beside, Fault> {
    let store = &web.provider.edges.store;
    let (links, providers) = (store.upstream_links(user.id).await?, store.identity_providers().await?);
    let by = links.iter().find(|own| own.id == link).map(|own| own.provider);
    match providers.iter().find(|provider| Some(provider.id) == by) {
        Some(provider) => web.provider.accounts.identity_changed(IdentityChange::Cut, (user, provider), asking),
        // There is nothing to cut.
        None => Ok(Beside::default()),
    }
}

/// Whether a person can sign in by something that is neither a password nor an identity elsewhere: a code that reaches a proven address
/// or number of theirs, or a passkey.
///
/// # Errors
/// A fault of the store.
pub async fn otherwise(web: &Web, user: &User) -> Result<Otherwise, Fault> {
    let proven = |kind| user.identifiers.iter().any(|own| own.kind == kind && own.verified_at.is_some());
    let reaches = |method: &dyn Method| match method.factor() {
        Factor::Mailbox => proven(IdentifierKind::Email),
        Factor::Possession => proven(IdentifierKind::Phone),
        Factor::Knowledge | Factor::Inherence => false,
    };
    if web.methods.iter().any(|method| is_sent(web, &**method) && reaches(&**method)) {
        return Ok(Otherwise::Another);
    }
    let has_passkey = web.methods.iter().any(|method| method.begins_unnamed())
        && web
            .provider
            .edges
            .store
            .authenticators(user.id)
            .await?
            .iter()
            .any(|own| own.kind == AuthenticatorKind::Passkey && own.confirmed_at.is_some());
    Ok(if has_passkey { Otherwise::Another } else { Otherwise::Nothing })
}

async fn list(web: &Web, user: &User) -> Result<(Vec<ConnectedIdentity>, Vec<OfferedProvider>), Fault> {
    let store = &web.provider.edges.store;
    let providers = store.identity_providers().await?;
    let links = store.upstream_links(user.id).await?;
    let of = |link: &crate::model::upstream_link::UpstreamLink| {
        providers.iter().find(|provider| provider.id == link.provider).map(|provider| provider.label().to_owned())
    };
    let identities = links.iter().map(|link| ConnectedIdentity {
        id: link.id.to_string(),
        provider: of(link).unwrap_or_default(),
        label: link.label.clone().unwrap_or_default(),
        linked_at: link.linked_at.seconds(),
        last_used_at: link.last_used_at.map(crate::protocol::numeric_date::NumericDate::seconds),
        cut_action: web.path(&format!("{PATH}/{}/cut", link.id), &[]),
    });
    let is_offered = |provider: &&Arc<IdentityProvider>| {
        provider.is_enabled()
            && web.upstreams.is_set_up(provider).is_ok()
            && !links.iter().any(|link| link.provider == provider.id)
    };
    let offered = providers.iter().filter(is_offered).map(|provider| OfferedProvider {
        slug: provider.slug.to_string(),
        label: provider.label().to_owned(),
        connect_action: web.path(&format!("{PATH}/{}/connect", provider.slug), &[]),
    });
    Ok((identities.collect(), offered.collect()))
}
