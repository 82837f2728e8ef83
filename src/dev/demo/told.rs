//! `POST /backchannel-logout`: the server says that a session is over, and who was signed in by it is signed out here.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8. A token that comes twice does no more than the first.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::Demo;
use super::exchange::Journal;
use super::visit::{Notice, SignedIn, Visit};
use crate::protocol::oidc::backchannel_logout::LogoutToken;

/// The form of the server.
#[derive(Deserialize)]
pub(super) struct Told {
    logout_token: String,
}

/// Believes the token only after every check; 400 tells the server that this one is not believed.
pub(super) async fn told(State(demo): State<Demo>, Form(told): Form<Told>) -> StatusCode {
    let mut journal = Journal::default();
    match demo.0.client.logout_token(&told.logout_token, demo.0.clock.now(), &mut journal).await {
        Ok(token) => {
            demo.0.visits.each(|visit| visit.sign_out_by(&token, &journal));
            StatusCode::OK
        }
        Err(failure) => {
            tracing::warn!(why = failure.detail, "the demo app does not believe a logout token");
            StatusCode::BAD_REQUEST
        }
    }
}

impl Visit {
    fn sign_out_by(&mut self, token: &LogoutToken, journal: &Journal) {
        if self.signed_in.take_if(|signed_in| signed_in.is_ended_by(token)).is_some() {
            self.record(journal.clone());
            self.notice =
                Some(Notice::good("The server said that the session is over: you are signed out here as well."));
        }
    }
}

impl SignedIn {
    /// §2.7: the session of this name, or every one of the person.
    fn is_ended_by(&self, token: &LogoutToken) -> bool {
        let is = |claim: &str, told: Option<&str>| {
            told.is_none_or(|told| self.claims.get(claim).and_then(Value::as_str) == Some(told))
        };
        is("sid", token.sid.as_deref()) && is("sub", token.subject.as_deref())
    }
}
