//! The buttons: each makes one exchange with the server and comes back to the page that shows it.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::client::TokenKind;
use super::exchange::Journal;
use super::failure::Failure;
use super::visit::{Notice, SignedIn, Visit};
use super::visitor::{Visitor, with_cookie};
use super::{Demo, page};

/// What a button does; the name is the last part of its path.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    /// Asks who the person is.
    Userinfo,
    /// Renews the tokens.
    Refresh,
    /// Asks the server about the access token.
    Introspect,
    /// Looks at the access token without asking.
    Verify,
    /// Takes a token back.
    Revoke,
    /// Gets a token for the app itself.
    ClientCredentials,
}

/// The form of a button.
#[derive(Deserialize)]
pub(super) struct Button {
    csrf: String,
    #[serde(default)]
    token: TokenKind,
}

/// What an action came to.
struct Outcome {
    notice: Notice,
    /// The person's tokens, when they changed.
    signed_in: Option<SignedIn>,
}

/// `POST /do/{action}`.
pub(super) async fn act(
    State(demo): State<Demo>,
    mut visitor: Visitor,
    Path(action): Path<Action>,
    Form(button): Form<Button>,
) -> Response {
    let visit = match visitor.prove(&demo, &button.csrf) {
        Ok(visit) => visit,
        Err(failure) => return page::failed(&demo, StatusCode::FORBIDDEN, &failure),
    };
    let mut journal = Journal::default();
    let (notice, signed_in) = match demo.perform(action, button.token, &visit, &mut journal).await {
        Ok(outcome) => (outcome.notice, outcome.signed_in),
        Err(failure) => (failure.notice(), None),
    };
    let cookie = visitor.update(&demo, |visit| {
        visit.record(journal);
        visit.notice = Some(notice);
        // Somebody may have signed out or in meanwhile, in another tab.
        if signed_in.as_ref().is_some_and(|renewed| visit.signed_in.as_ref().is_some_and(|now| now.is_same_as(renewed)))
        {
            visit.signed_in = signed_in;
        }
    });
    with_cookie(Redirect::to("/#notice").into_response(), cookie)
}

/// `POST /clear`: forgets the exchanges shown so far.
pub(super) async fn clear(State(demo): State<Demo>, mut visitor: Visitor, Form(button): Form<Button>) -> Response {
    if let Err(failure) = visitor.prove(&demo, &button.csrf) {
        return page::failed(&demo, StatusCode::FORBIDDEN, &failure);
    }
    visitor.update(&demo, |visit| {
        visit.exchanges.clear();
        visit.notice = None;
    });
    Redirect::to("/").into_response()
}

impl Demo {
    async fn perform(
        &self,
        action: Action,
        token: TokenKind,
        visit: &Visit,
        journal: &mut Journal,
    ) -> Result<Outcome, Failure> {
        let client = &self.0.client;
        let now = self.0.clock.now();
        let person = || visit.signed_in.as_ref().ok_or_else(|| Failure::new("Nobody is signed in", "Sign in first."));
        match action {
            Action::Userinfo => {
                let signed_in = person()?;
                let userinfo = client.userinfo(signed_in, journal).await?;
                let notice = Notice::good(format!("The server told {} claims about this person.", userinfo.len()));
                Ok(Outcome { notice, signed_in: Some(SignedIn { userinfo, ..signed_in.clone() }) })
            }
            Action::Refresh => {
                let signed_in = person()?;
                let renewed = client.refresh(signed_in, now, journal).await?;
                let rotated = match (&renewed.refresh_token, &signed_in.refresh_token) {
                    (Some(new), Some(old)) if !old.matches(new.expose()) => {
                        "and a new refresh token; the old one is used up"
                    }
                    _ => "and the refresh token stays",
                };
                let notice = Notice::good(format!("There is a new access token, {rotated}."));
                Ok(Outcome { notice, signed_in: Some(renewed) })
            }
            Action::Introspect => {
                let is_active = client.introspect(person()?, journal).await?;
                Ok(Outcome::told(if is_active {
                    Notice::good("The server says: the access token is active.")
                } else {
                    Notice::bad("The server says: the access token is not active any more.")
                }))
            }
            Action::Verify => {
                let is_good = client.verify_locally(person()?, now, journal).await?;
                Ok(Outcome::told(if is_good {
                    Notice::good("An API would accept this access token, by the published keys alone.")
                } else {
                    Notice::bad("An API would refuse this access token: the checks below say why.")
                }))
            }
            Action::Revoke => {
                client.revoke(person()?, token, journal).await?;
                let text = match token {
                    TokenKind::AccessToken => {
                        "The access token is taken back. Introspection shows it; local verification cannot."
                    }
                    TokenKind::RefreshToken => {
                        "The refresh token is taken back, and with it everything that came from it."
                    }
                };
                Ok(Outcome::told(Notice::good(text)))
            }
            Action::ClientCredentials => {
                let provider = client.discover(journal).await?;
                let tokens = client.client_credentials(&provider, journal).await?;
                let scope = tokens.scope.filter(|scope| !scope.is_empty()).unwrap_or_else(|| "no scope".to_owned());
                Ok(Outcome::told(Notice::good(format!("The app has a token of its own, with {scope}."))))
            }
        }
    }
}

impl Outcome {
    const fn told(notice: Notice) -> Self {
        Self { notice, signed_in: None }
    }
}

impl SignedIn {
    /// True when both come from one sign-in: its nonce is unique.
    fn is_same_as(&self, other: &Self) -> bool {
        self.nonce.matches(other.nonce.expose())
    }
}

impl Failure {
    fn notice(&self) -> Notice {
        match &self.code {
            Some(code) => Notice::bad(format!("{}: {code}. {}", self.title, self.detail)),
            None => Notice::bad(format!("{}. {}", self.title, self.detail)),
        }
    }
}
