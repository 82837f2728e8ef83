//! Who administers: a person with a role on this server, by an access token that may be used for it.
//!
//! RFC 6750 §3.1, RFC 9470; S-151. A browser's cookies are not looked at, so that no page of another site can send anything here.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use crate::account::step_up::Acting;
use crate::admin::Administration;
use crate::http::api::caller::presented;
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::api::recent;
use crate::http::extract::visitor::Visitor;
use crate::http::web::Web;
use crate::model::authentication::Acr;
use crate::model::event::Actor;
use crate::model::grant::Grant;
use crate::model::user::{Role, User};
use crate::oauth::allowed::{ADMIN, ADMIN_READ};
use crate::protocol::step_up;

/// Somebody who administers.
#[derive(Clone)]
pub struct Caller {
    /// Their functions.
    pub admin: Administration,
    /// Who.
    pub user: Arc<User>,
    grant: Arc<Grant>,
}

impl Caller {
    async fn of(parts: &mut Parts, web: &Web, (role, scopes): (Role, &[&str])) -> Result<Self, Problem> {
        let forbidden = |hint: &'static str| Problem::new(Code::Forbidden).hint(hint);
        let live = presented(web, &parts.headers).await?.ok_or(Code::SignInRequired)?;
        let Some((user, grant)) = live.person.clone() else {
            return Err(forbidden("the token is a client's own, and clients have no role here"));
        };
        if !live.token.audience.iter().any(|audience| audience == web.provider.issuer.as_str()) {
            return Err(forbidden("the token is for another resource server"));
        }
        if !scopes.iter().any(|scope| live.scope().contains(scope)) {
            return Err(forbidden("the token lacks the scope"));
        }
        if user.role < role {
            return Err(forbidden("the person's role on this server is too low"));
        }
        if !grant.details.authentication.meets(web.provider.factors.policy.administration) {
            let challenge = step_up::more(web.provider.issuer.as_str(), Acr::TwoFactors.as_str());
            let problem = Problem::new(Code::ReauthRequired).with_status(StatusCode::UNAUTHORIZED);
            return Err(problem.hint("the sign-in has one factor alone").challenging(challenge));
        }
        let provenance = Visitor::of(parts, web).await?.browser.provenance;
        let admin = Administration {
            edges: web.provider.edges.clone(),
            by: Actor::User(user.id),
            role: user.role,
            from: provenance,
        };
        Ok(Self { admin, user, grant })
    }

    /// Demands that they proved a short while ago who they are, for what is dangerous.
    ///
    /// # Errors
    /// `reauth_required`, as RFC 9470 says it.
    pub async fn prove_again(&self, web: &Web) -> Result<(), Problem> {
        recent::demand_of(web, Acting::Grant(Arc::clone(&self.grant))).await.map(|_| ())
    }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident = $role:ident, $scopes:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub Caller);

        impl FromRequestParts<Web> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
                Caller::of(parts, web, (Role::$role, $scopes)).await.map(Self)
            }
        }
    )*};
}

callers! {
    /// Who may see.
    Auditor = Auditor, &[ADMIN, ADMIN_READ];
    /// Who looks after people.
    Support = UserSupport, &[ADMIN];
    /// Who looks after groups and apps as well.
    Manager = Admin, &[ADMIN];
    /// Who decides whom the server believes.
    Owner = Owner, &[ADMIN];
}
