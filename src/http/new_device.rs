//! Sign-ins from browsers and apps that were not seen before are told to their person (S-096).

use crate::account::Asking;
use crate::account::new_device::Surface;
use crate::edge::store::Beside;
use crate::http::extract::visitor::Visitor;
use crate::http::web::Web;
use crate::model::id::{ClientId, UserId};

/// What is written beside a sign-in. That people are told must not keep anybody from signing in.
pub async fn notice(
    web: &Web,
    visitor: &Visitor,
    (user, client): (UserId, Option<ClientId>),
    surface: Surface,
) -> Beside {
    let asking = Asking { client, ..visitor.asking() };
    web.provider.accounts.notice_of_sign_in(user, surface, &asking).await.unwrap_or_else(|fault| {
        tracing::error!(error = %fault, "a person is not told of a sign-in from an unknown browser");
        Beside::default()
    })
}

/// [`notice`] for a browser, which carries a mark when it is known.
pub async fn notice_in_browser(web: &Web, visitor: &Visitor, (user, client): (UserId, Option<ClientId>)) -> Beside {
    if web.cookies.device(&visitor.headers).is_some_and(|mark| web.devices.recognises(user, &mark)) {
        return Beside::default();
    }
    notice(web, visitor, (user, client), Surface::UnmarkedBrowser).await
}
