//! `/`: where to go from here.

use axum::extract::State;
use axum::response::Response;

use crate::edge::template::context::{Home, Link};
use crate::http::extract::visitor::Visitor;
use crate::http::page::fault_page;
use crate::http::page::select_account::account;
use crate::http::web::Web;
use crate::model::user::Role;

/// `GET /`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let user = match &visitor.browser.session {
        Some(session) => web.provider.edges.store.user(session.authentication.user).await,
        None => Ok(None),
    };
    let user = match user {
        Ok(user) => user,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let link = |id: &str, path: &str| Link { id: id.to_owned(), url: web.path(path, &[]) };
    let mut links = web.start_links.clone();
    links.push(match user {
        Some(_) => link("account", "/account"),
        None => link("sign_in", "/sign-in"),
    });
    if user.as_ref().is_some_and(|user| user.role == Role::Owner) && web.has_page("/admin") {
        links.push(link("admin", "/admin"));
    }
    links.push(link("discovery", "/.well-known/openid-configuration"));
    links.push(link("jwks", "/oauth2/jwks"));
    let context =
        Home { issuer: web.provider.issuer.as_str().to_owned(), account: user.map(|user| account(&user)), links };
    web.pages.page("page/home.html", &web.pages.frame(visitor.id, &visitor.headers, &[]), &context)
}
