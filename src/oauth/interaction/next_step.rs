//! What comes next for an authorization request: a pure table, so that `prompt=none` is the same table.
//!
//! OIDC Core §3.1.2.1 to §3.1.2.6, RFC 9470.

use crate::model::authentication::Acr;
use crate::model::client::Client;
use crate::model::grant::Consent;
use crate::model::id::UserId;
use crate::model::interaction::{ConsentGiven, Participation, Progress};
use crate::model::session::Session;
use crate::oauth::token::claims;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

/// Everything the decision looks at.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The request, true and checked.
    pub request: &'a AuthorizationRequest,
    /// Who asks.
    pub client: &'a Client,
    /// The browser's session, if it is good.
    pub session: Option<&'a Session>,
    /// What the person agreed to before.
    pub consent: Option<&'a Consent>,
    /// What the person agreed to on the page just now.
    pub given: Option<&'a ConsentGiven>,
    /// How far the request is.
    pub progress: &'a Progress,
    /// Whom the client wants: from `id_token_hint` or a `sub` in `claims`.
    pub wanted: Wanted,
}

/// Whom the client wants to see signed in.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Anybody.
    Anyone,
    /// This person.
    Only(UserId),
    /// Someone whom we do not know.
    Unknown,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// The person signs in.
    SignIn,
    /// The person chooses an account.
    SelectAccount,
    /// The person is asked for consent.
    Consent(Asked),
    /// The client gets its code.
    Answer(ConsentGiven),
    /// The client gets an error.
    Refuse(OAuthError),
}

/// What the consent page asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// All of it.
    pub scope: Scope,
    /// What was not agreed to before.
    pub new: Scope,
    /// Single claims.
    pub claims: Vec<String>,
}

/// Decides.
pub fn next_step(situation: &Situation<'_>, now: NumericDate) -> Step {
    let step = with_pages(situation, now);
    if !situation.request.prompt.none {
        return step;
    }
    let (code, description) = match step {
        Step::SignIn => (ErrorCode::LoginRequired, "nobody suitable is signed in, and prompt=none forbids to ask"),
        Step::SelectAccount => {
            (ErrorCode::AccountSelectionRequired, "an account must be chosen, and prompt=none forbids to ask")
        }
        Step::Consent(_) => {
            (ErrorCode::ConsentRequired, "the person must be asked for consent, and prompt=none forbids to ask")
        }
        Step::Answer(_) | Step::Refuse(_) => return step,
    };
    Step::Refuse(OAuthError::new(code, description))
}

fn with_pages(situation: &Situation<'_>, now: NumericDate) -> Step {
    let Situation { request, session, progress, .. } = situation;
    let Some(session) = session else { return Step::SignIn };
    let part = participation(progress, session);
    let signed_in_here = part == Some(Participation::SignedIn);

    let authentication = &session.authentication;
    if !signed_in_here && (request.prompt.login || !authentication.is_within(request.max_age, now)) {
        return Step::SignIn;
    }
    if request.prompt.select_account && part.is_none() {
        return Step::SelectAccount;
    }
    if !is_wanted(situation.wanted, authentication.user) {
        return if signed_in_here {
            Step::Refuse(OAuthError::new(ErrorCode::LoginRequired, "another person signed in than the one asked for"))
        } else {
            Step::SignIn
        };
    }
    if let Some(refusal) = unmet(request, authentication.acr()) {
        return Step::Refuse(refusal);
    }
    consent(situation)
}

/// How the person took part in this request, in the session that stands now.
fn participation(progress: &Progress, session: &Session) -> Option<Participation> {
    match progress {
        Progress::Authenticated(authenticated) if authenticated.session == session.id => Some(authenticated.by),
        _ => None,
    }
}

fn is_wanted(wanted: Wanted, user: UserId) -> bool {
    match wanted {
        Wanted::Anyone => true,
        Wanted::Only(only) => only == user,
        Wanted::Unknown => false,
    }
}

/// An essential `acr` that this sign-in does not reach (OIDC Core §5.5.1.1); `acr_values` alone is a wish.
fn unmet(request: &AuthorizationRequest, reached: Acr) -> Option<OAuthError> {
    let wish = request.claims.id_token.get("acr")?;
    let is_met = wish.values.is_empty()
        || wish.values.iter().filter_map(|value| value.as_str()).filter_map(Acr::parse).any(|asked| reached >= asked);
    (wish.essential && !is_met).then(|| {
        OAuthError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "the sign-in cannot reach any of the acr values that the client calls essential",
        )
        .hint(format!("reached {}", reached.as_str()))
    })
}

fn consent(situation: &Situation<'_>) -> Step {
    let Situation { request, client, given, .. } = situation;
    if let Some(given) = given {
        return Step::Answer((*given).clone());
    }
    let all = ConsentGiven { scope: request.scope.clone(), claims: claims::asked_singly(&request.claims) };
    let remembered = situation.consent;
    let must_ask = request.prompt.consent || client.must_always_ask(request.return_path.redirect_uri());
    let is_covered = client.policy.first_party
        || remembered.is_some_and(|consent| {
            all.scope.is_within(&consent.scope) && all.claims.iter().all(|claim| consent.claims.contains(claim))
        });
    if is_covered && !must_ask {
        return Step::Answer(all);
    }
    let new = remembered.map_or_else(|| all.scope.clone(), |consent| all.scope.without(&consent.scope));
    Step::Consent(Asked { scope: all.scope, new, claims: all.claims })
}
