//! Between the request and its answer: signing in, choosing an account, consent.
//!
//! A request that needs a person waits in the ephemeral store under a random id that stands in the URL, and is bound to
//! the browser by a cookie: the id alone opens nothing. Each page posts to its own file in `http/page` and returns to
//! [`next_step`]; no step knows the next. Nothing that a browser sends can change the request that waits.

pub mod finish;
pub mod next_step;
pub mod sign_in;

use std::sync::Arc;

use crate::edge::ephemeral::INTERACTION;
use crate::model::client::Client;
use crate::model::event::Provenance;
use crate::model::fault::Fault;
use crate::model::interaction::{Interaction, Progress};
use crate::model::session::Session;
use crate::oauth::interaction::next_step::Wanted;
use crate::oauth::provider::Provider;
use crate::oauth::token::id_token_hint::{Hint, read_hint};
use crate::oauth::token::issue::subject_of;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::secret::{Secret, TokenHash};

/// The browser that calls: its session, if that is good, its flow cookie, and where it calls from.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// Who is signed in.
    pub session: Option<Arc<Session>>,
    /// Hash of the flow cookie.
    pub flow: Option<TokenHash>,
    /// Where the request comes from, for what is written down of it.
    pub provenance: Provenance,
    /// The mark of a browser in which no second factor is asked for ([`SecondFactors`](crate::authn::second_factor::SecondFactors)).
    pub remembered: Option<Secret>,
}

/// A waiting request that was found again, with its id.
#[derive(Clone, Debug)]
pub struct Open {
    /// The id in the URL.
    pub id: Secret,
    /// What waits.
    pub interaction: Interaction,
    /// Who asks.
    pub client: Arc<Client>,
}

/// What became of an id in a URL.
#[derive(Clone, Debug)]
pub enum Found {
    /// It can be gone on with.
    Open(Box<Open>),
    /// The client has its answer already.
    Answered(Arc<Client>),
    /// It is unknown, expired or another browser's.
    Lost,
}

/// Puts a request aside until its person has done something; returns the id for the URL.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn begin(
    provider: &Provider,
    client: &Client,
    request: AuthorizationRequest,
    browser: TokenHash,
) -> Result<Secret, Fault> {
    let now = provider.now();
    let id = provider.edges.random.token();
    let interaction = Interaction {
        version: Interaction::VERSION,
        browser,
        client: client.id.clone(),
        request,
        progress: Progress::Pending,
        created_at: now,
        expires_at: now.plus(provider.policy.lifetimes.interaction),
    };
    save(provider, &id, &interaction).await?;
    Ok(id)
}

/// Finds the request that waits under `id` in this browser.
///
/// # Errors
/// A fault of a store.
pub async fn find(provider: &Provider, id: &str, browser: &Browser) -> Result<Found, Fault> {
    let now = provider.now();
    let key = TokenHash::of(id);
    let Some(interaction) = INTERACTION.get(&*provider.edges.ephemeral, key.as_bytes(), now).await? else {
        return Ok(Found::Lost);
    };
    if !interaction.is_open_to(browser.flow.as_ref(), now) {
        return Ok(Found::Lost);
    }
    let client = provider.edges.store.client(&interaction.client).await?.filter(|client| client.is_enabled());
    let Some(client) = client else { return Ok(Found::Lost) };
    if interaction.progress == Progress::Answered {
        return Ok(Found::Answered(client));
    }
    Ok(Found::Open(Box::new(Open { id: Secret::from(id), interaction, client })))
}

/// Takes a request that waits under `id` a step on. `None` when its client was answered by another tab since it was found, or its time
/// is over: an answer is never taken back.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn advance(
    provider: &Provider,
    id: &Secret,
    step: impl Fn(Interaction) -> Interaction,
) -> Result<Option<Interaction>, Fault> {
    let key = TokenHash::of(id.expose());
    let on = |stored: Interaction| {
        (stored.progress != Progress::Answered).then(|| {
            let end = stored.expires_at;
            (step(stored), end)
        })
    };
    INTERACTION.change(&*provider.edges.ephemeral, (key.as_bytes(), provider.now()), on).await
}

/// Writes down how far a request is, whatever stands there.
///
/// # Errors
/// A fault of the ephemeral store.
async fn save(provider: &Provider, id: &Secret, interaction: &Interaction) -> Result<(), Fault> {
    let key = TokenHash::of(id.expose());
    INTERACTION.put(&*provider.edges.ephemeral, key.as_bytes(), interaction, interaction.expires_at).await
}

/// Whom the client wants: `sub` asked for in `claims` (OIDC Core §5.5.1), else the subject of `id_token_hint`.
///
/// A `sub` that names nobody we know suits nobody. A hint whose key is gone is as none where a person can sign in: the client compares the
/// `sub` it gets; without a page nobody can say whom it meant.
pub fn wanted(
    provider: &Provider,
    client: &Client,
    request: &AuthorizationRequest,
    session: Option<&Session>,
) -> Wanted {
    let asked = request.claims.id_token.get("sub").into_iter().chain(request.claims.userinfo.get("sub"));
    // A value that is no string is one that nobody has.
    let subjects: Vec<Option<&str>> = asked.flat_map(|wish| &wish.values).map(|value| value.as_str()).collect();
    let hinted_subject = match request.id_token_hint.as_deref().map(|hint| read_hint(provider, hint)) {
        None => None,
        Some(Ok(Hint::Known(hint))) => Some(hint.sub),
        Some(Ok(Hint::Gone)) if !request.prompt.none => None,
        Some(Ok(Hint::Gone) | Err(_)) => return Wanted::Unknown,
    };
    if subjects.is_empty() && hinted_subject.is_none() {
        return Wanted::Anyone;
    }
    let Some(session) = session else { return Wanted::Unknown };
    let user = session.authentication.user;
    let Ok(own) = subject_of(provider, client, user) else { return Wanted::Unknown };
    let suits = (subjects.is_empty() || subjects.contains(&Some(own.as_str())))
        && hinted_subject.is_none_or(|subject| subject == own);
    if suits { Wanted::Only(user) } else { Wanted::Unknown }
}
