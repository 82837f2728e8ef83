//! `GET` and `POST /oauth2/authorize`
//!
//! RFC 6749 §3.1, OIDC Core §3.1.2.

use axum::extract::State;
use axum::response::Response;
use http::Method;

use crate::authn::limit::Rule;
use crate::http::extract::params::AnyParams;
use crate::http::extract::visitor::Visitor;
use crate::http::page::federation::{Asks, home_of, offered};
use crate::http::page::{Place, fault_page, lead, too_often, way_back_to};
use crate::http::web::{Web, page_error, redirect, with_cookies};
use crate::oauth::endpoint::authorize::{AuthorizeError, Next, authorize};
use crate::oauth::interaction;
use crate::protocol::params::Params;
use crate::protocol::secret::TokenHash;

/// Answers at once when nobody needs to be asked; else puts the request aside and shows the first page.
pub async fn handle(
    State(web): State<Web>,
    visitor: Visitor,
    method: Method,
    AnyParams(params): AnyParams,
) -> Response {
    if let Some(again) = web.ask_with_cookies(&visitor, &method, ("/oauth2/authorize", &params)) {
        return again;
    }
    let begun = match authorize(&web.provider, &params, &visitor.browser).await {
        Ok(begun) => begun,
        Err(refusal) => return refuse(&web, &visitor, &params, refusal).await,
    };
    if let Next::Answer(answer) = begun.next {
        return web.deliver(&visitor, answer);
    }
    let (flow, cookie) = web.flow(&visitor);
    let browser = TokenHash::of(flow.0.expose());
    if let Some(unheard) = unheard(&web, &visitor).await {
        return unheard;
    }
    let (login_hint, asks) = (begun.request.login_hint.clone(), Asks::of(Some(&begun.request)));
    let id = match interaction::begin(&web.provider, &begun.client, begun.request, browser).await {
        Ok(id) => id,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let place = Place { flow: Some(id.expose().clone()), client_id: Some(begun.client.id.to_string()) };
    // The person goes on to a provider that is named by `idp_hint`, or at which the person of `login_hint` is at home: past a page that
    // would only offer it.
    if matches!(begun.next, Next::SignIn) {
        let provider = match (params.get("idp_hint"), login_hint) {
            (Some(hint), _) => offered(&web, hint).await,
            (None, Some(login)) => home_of(&web, &login).await,
            (None, None) => Ok(None),
        };
        match provider {
            Ok(Some(provider)) if asks.fits(&provider) => {
                let start = place.path(&web, &format!("/federation/{}/start", provider.slug));
                return with_cookies(redirect(&start), cookie);
            }
            Ok(_) => {}
            Err(fault) => return fault_page(&web, &visitor, fault),
        }
    }
    with_cookies(lead(&web, &visitor, &place, begun.next), cookie)
}

/// Each request that waits for a person takes room for half an hour, so that an address is heard so often and no more. What is answered
/// at once, as `prompt=none` always is, puts nothing aside.
async fn unheard(web: &Web, visitor: &Visitor) -> Option<Response> {
    let address = visitor.browser.provenance.address.as_str();
    let counted = web.limits.count(&*web.provider.edges.ephemeral, (Rule::Waiting, address), web.provider.now()).await;
    match counted {
        Ok(Ok(())) => None,
        Ok(Err(exceeded)) => Some(too_often(web, visitor, exceeded)),
        Err(fault) => Some(fault_page(web, visitor, fault)),
    }
}

async fn refuse(web: &Web, visitor: &Visitor, params: &Params, refusal: AuthorizeError) -> Response {
    let (AuthorizeError::UnknownClient(error) | AuthorizeError::RedirectUri(error) | AuthorizeError::Client(_, error)) =
        &refusal;
    web.refusals.note("authorize", params.get("client_id"), error, web.provider.now());
    match refusal {
        AuthorizeError::UnknownClient(error) => web.refuse(visitor, &page_error("unknown_client", &error)),
        AuthorizeError::RedirectUri(error) => {
            let page = page_error("redirect_uri_mismatch", &error);
            let back = way_back_to(web, params.get("client_id")).await;
            web.refuse(
                visitor,
                &match back {
                    Some(back) => page.back(back),
                    None => page,
                },
            )
        }
        AuthorizeError::Client(path, error) => web.deliver_refusal(visitor, path.error(&error), &error),
    }
}
