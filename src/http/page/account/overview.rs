//! `/account`: where to go from here.

use axum::extract::State;
use axum::response::Response;

use crate::edge::template::console::Overview;
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{console, visit};
use crate::http::web::{Web, with_cookies};

/// `GET /account`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let visit = match visit(&web, &visitor, "/account").await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let (console, cookie) = console(&web, &visitor, &visit.user, "overview");
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account.html", &frame, &Overview { console }), cookie)
}
