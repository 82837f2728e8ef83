//! The authorization endpoint.
//!
//! RFC 6749 §3.1, OIDC Core §3.1.2.

use std::borrow::Cow;
use std::sync::Arc;

use crate::edge::{meter, tally};
use crate::model::authentication::Demand;
use crate::model::authenticator::AuthenticatorKind;
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::grant::Consent;
use crate::model::id::ClientId;
use crate::model::interaction::{ConsentGiven, Progress};
use crate::model::session::Session;
use crate::oauth::allowed;
use crate::oauth::api;
use crate::oauth::grant::machine;
pub use crate::oauth::interaction::next_step::demanded;
use crate::oauth::interaction::next_step::{Asked, HasOne, Situation, Step, next_step, wished_acr};
use crate::oauth::interaction::{Browser, Open, finish, wanted};
use crate::oauth::policy::Mode;
use crate::oauth::provider::Provider;
use crate::oauth::token::id_token_hint::read_hint;
use crate::protocol::authorization_request::{AuthorizationRequest, Refused, RequestRules};
use crate::protocol::authorization_response::{AuthorizationResponse, ReturnPath};
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;

/// A request that cannot be answered with a code.
#[derive(Clone, Debug)]
pub enum AuthorizeError {
    /// The person sees a page: no such client, or we could not ask (RFC 6749 §4.1.2.1).
    UnknownClient(OAuthError),
    /// The person sees a page: the redirect URI is not the client's.
    RedirectUri(OAuthError),
    /// The client is told.
    Client(Box<ReturnPath>, OAuthError),
}

impl From<Fault> for AuthorizeError {
    fn from(fault: Fault) -> Self {
        Self::UnknownClient(fault.into())
    }
}

/// What happens next with a request.
#[derive(Clone, Debug)]
pub enum Next {
    /// The person signs in.
    SignIn,
    /// The person makes an account.
    Register,
    /// The person chooses an account.
    SelectAccount,
    /// The person proves more, so that the sign-in reaches this.
    SecondFactor(Demand),
    /// The person is asked for consent.
    Consent(Asked),
    /// The client is answered.
    Answer(AuthorizationResponse),
    /// This client was answered before, from another tab.
    AlreadyAnswered(Arc<Client>),
}

impl Next {
    /// Another tab was faster.
    pub fn already_answered(open: &Open) -> Self {
        Self::AlreadyAnswered(Arc::clone(&open.client))
    }
}

/// A request that was understood.
#[derive(Debug)]
pub struct Begun {
    /// Who asks.
    pub client: Arc<Client>,
    /// What is asked.
    pub request: AuthorizationRequest,
    /// What comes next.
    pub next: Next,
}

/// Reads an authorization request and decides what comes next. Nothing is written unless a code is made.
///
/// # Errors
/// A page before client and redirect URI are verified, an answer to the client after.
pub async fn authorize(provider: &Provider, params: &Params, browser: &Browser) -> Result<Begun, AuthorizeError> {
    let begun = begin(provider, params, browser).await;
    meter::authorize_request(outcome(&begun));
    begun
}

/// What came of a request, in a word of a bounded set.
fn outcome(begun: &Result<Begun, AuthorizeError>) -> &'static str {
    match begun {
        Ok(Begun { next: Next::SignIn, .. }) => "sign_in",
        Ok(Begun { next: Next::Register, .. }) => "register",
        Ok(Begun { next: Next::SelectAccount, .. }) => "select_account",
        Ok(Begun { next: Next::SecondFactor(_), .. }) => "second_factor",
        Ok(Begun { next: Next::Consent(_), .. }) => "consent",
        Ok(Begun { next: Next::Answer(_) | Next::AlreadyAnswered(_), .. }) => "answered",
        Err(AuthorizeError::UnknownClient(_)) => "unknown_client",
        Err(AuthorizeError::RedirectUri(_)) => "redirect_uri_mismatch",
        Err(AuthorizeError::Client(_, error)) => error.code().as_str(),
    }
}

async fn begin(provider: &Provider, params: &Params, browser: &Browser) -> Result<Begun, AuthorizeError> {
    let client = client(provider, params).await?;
    tally::client(&client.id);
    let scopes = allowed::to_client(provider, &client).await?;
    let rules = RequestRules {
        issuer: provider.issuer.as_str(),
        scopes_supported: &scopes,
        requires_pkce: client.requires_pkce(),
        allows_http_loopback: client.policy.development || provider.policy.mode == Mode::Development,
    };
    let request = AuthorizationRequest::parse(params, &client.metadata, &rules).map_err(|refused| match refused {
        Refused::Page(error) => AuthorizeError::RedirectUri(error),
        Refused::Client(path, error) => AuthorizeError::Client(path, error),
    })?;
    let refuse = |error: OAuthError| AuthorizeError::Client(Box::new(request.return_path.clone()), error);
    if !client.allows(GrantType::AuthorizationCode) {
        return Err(refuse(OAuthError::unauthorized_client("the client is not registered for authorization_code")));
    }
    if request.prompt.create && !provider.accounts.settings.registers {
        return Err(refuse(OAuthError::access_denied("nobody may register here; prompt=create is not possible")));
    }
    machine::authorization(&request, &client).map_err(refuse)?;
    check_hint(provider, &request).map_err(refuse)?;
    api::check(provider, &client, &request.resource).await.map_err(refuse)?;
    let session = browser.session.as_deref();
    let step = decide(provider, &client, (&request, &Progress::Pending, None), browser).await?;
    let next = carry_out(provider, (&client, &request), session, step).await?;
    Ok(Begun { client, request, next })
}

/// Decides again for a request that waits; `given` is what the person agreed to just now.
///
/// # Errors
/// A fault of a store; then the request still waits.
pub async fn go_on(
    provider: &Provider,
    open: &Open,
    browser: &Browser,
    given: Option<ConsentGiven>,
) -> Result<Next, Fault> {
    let parts = (&open.interaction.request, &open.interaction.progress, given.as_ref());
    let step = decide(provider, &open.client, parts, browser).await?;
    let is_last = matches!(step, Step::Answer(_) | Step::Refuse(_));
    // Two tabs may arrive here with one request: the one that closes it answers.
    if is_last && !finish::close(provider, open).await? {
        return Ok(Next::already_answered(open));
    }
    let next = conclude(provider, open, browser, (step, given.as_ref())).await;
    if is_last && next.is_err() {
        finish::reopen(provider, open).await;
    }
    next
}

async fn conclude(
    provider: &Provider,
    open: &Open,
    browser: &Browser,
    (step, given): (Step, Option<&ConsentGiven>),
) -> Result<Next, Fault> {
    let session = browser.session.as_deref();
    if let (Step::Answer(_), Some(given), Some(session)) = (&step, given, session) {
        finish::remember(provider, (&open.client, session), given, &browser.provenance).await?;
    }
    carry_out(provider, (&open.client, &open.interaction.request), session, step).await
}

async fn client(provider: &Provider, params: &Params) -> Result<Arc<Client>, AuthorizeError> {
    let page = AuthorizeError::UnknownClient;
    let id = params.one("client_id").map_err(page)?;
    let id = id.ok_or_else(|| page(OAuthError::invalid_request("client_id is missing")))?;
    let unknown = || {
        page(
            OAuthError::invalid_request("no client has this client_id")
                .hint(format!("{id} is not registered; the overview at /admin lists the clients")),
        )
    };
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let client = provider.edges.store.client(&id).await?;
    client.filter(|client| client.is_enabled()).ok_or_else(unknown)
}

/// An `id_token_hint` must be one of our own ID tokens; it may have expired (OIDC Core §3.1.2.1), and its key may be gone: then it names
/// nobody we know ([`wanted`]).
fn check_hint(provider: &Provider, request: &AuthorizationRequest) -> Result<(), OAuthError> {
    request.id_token_hint.as_deref().map_or(Ok(()), |hint| read_hint(provider, hint).map(drop))
}

async fn decide(
    provider: &Provider,
    client: &Client,
    (request, progress, given): (&AuthorizationRequest, &Progress, Option<&ConsentGiven>),
    browser: &Browser,
) -> Result<Step, Fault> {
    let session = browser.session.as_deref();
    let consent: Option<Arc<Consent>> = match session {
        Some(session) => provider.edges.store.consent(session.authentication.user, &client.id).await?,
        None => None,
    };
    let person = match session {
        Some(session) => provider.edges.store.user(session.authentication.user).await?,
        None => None,
    };
    let scope = match &person {
        Some(person) => allowed::of(provider, (client, Some(person)), &request.scope).await?,
        None => Cow::Borrowed(&request.scope),
    };
    let situation = Situation {
        request,
        scope: &scope,
        beyond_groups: provider.policy.beyond_groups,
        client,
        session,
        consent: consent.as_deref(),
        given,
        progress,
        wanted: wanted(provider, client, request, session),
        least: least(provider, browser).await?,
        second_factor: second_factor(provider, (request, session)).await?,
    };
    Ok(next_step(&situation, provider.now()))
}

/// What the operator wants of the person's sign-in, but in a browser that is remembered.
///
/// # Errors
/// A fault of the store.
pub async fn least(provider: &Provider, browser: &Browser) -> Result<Demand, Fault> {
    let factors = &provider.factors;
    let Some(session) = &browser.session else { return Ok(factors.policy.least) };
    let Some(user) = provider.edges.store.user(session.authentication.user).await? else {
        return Ok(factors.policy.least);
    };
    let least = factors.house(&user).await?;
    let mark = browser.remembered.as_ref().filter(|_| !session.authentication.meets(least));
    match mark {
        Some(mark) if factors.is_remembered(&user, mark).await? => Ok(factors.of_rank(&user)),
        _ => Ok(least),
    }
}

/// Whether the person has a second factor, where the client would like one and does not insist.
async fn second_factor(
    provider: &Provider,
    (request, session): (&AuthorizationRequest, Option<&Session>),
) -> Result<HasOne, Fault> {
    let Some(session) = session.filter(|_| wished_acr(request).next().is_some()) else { return Ok(HasOne::No) };
    let own = provider.edges.store.authenticators(session.authentication.user).await?;
    let has = |fits: fn(AuthenticatorKind) -> bool| own.iter().any(|own| own.confirmed_at.is_some() && fits(own.kind));
    Ok(if has(|kind| kind == AuthenticatorKind::Passkey) {
        HasOne::Passkey
    } else if has(|_| true) {
        HasOne::Yes
    } else {
        HasOne::No
    })
}

async fn carry_out(
    provider: &Provider,
    (client, request): (&Client, &AuthorizationRequest),
    session: Option<&Session>,
    step: Step,
) -> Result<Next, Fault> {
    Ok(match (step, session) {
        (Step::Answer(allowed), Some(session)) => {
            Next::Answer(finish::answer(provider, request, (client, session), allowed).await?)
        }
        (Step::SignIn | Step::Answer(_), _) => Next::SignIn,
        (Step::Register, _) => Next::Register,
        (Step::SelectAccount, _) => Next::SelectAccount,
        (Step::SecondFactor(demand), _) => Next::SecondFactor(demand),
        (Step::Consent(asked), _) => Next::Consent(asked),
        (Step::Refuse(error), _) => Next::Answer(request.return_path.error(&error)),
    })
}
