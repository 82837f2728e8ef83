//! What comes next for an authorization request: a pure table, so that `prompt=none` is the same table.
//!
//! OIDC Core §3.1.2.1 to §3.1.2.6, RFC 9470.

use crate::model::authentication::{Acr, Demand};
use crate::model::client::Client;
use crate::model::grant::Consent;
use crate::model::id::UserId;
use crate::model::interaction::{ConsentGiven, Participation, Progress};
use crate::model::session::Session;
use crate::oauth::allowed;
use crate::oauth::policy::BeyondGroups;
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
    /// What of its scope the person may give the client.
    pub scope: &'a Scope,
    /// What becomes of the rest.
    pub beyond_groups: BeyondGroups,
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
    /// What everybody's sign-in must reach here, in this browser.
    pub least: Demand,
    /// Whether the person has a second factor: what a client only wishes for is asked of those alone.
    pub second_factor: HasOne,
}

/// Whether a person has a second factor.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum HasOne {
    /// They have a passkey.
    Passkey,
    /// They have another one.
    Yes,
    /// They do not, or nobody asked.
    No,
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
    /// The person makes an account.
    Register,
    /// The person chooses an account.
    SelectAccount,
    /// The person proves more, so that the sign-in reaches this.
    SecondFactor(Demand),
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
        Step::SecondFactor(_) => {
            (ErrorCode::LoginRequired, "a second factor must be proven, and prompt=none forbids to ask")
        }
        Step::SignIn | Step::Register => {
            (ErrorCode::LoginRequired, "nobody suitable is signed in, and prompt=none forbids to ask")
        }
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
    let Some(session) = session else {
        return if request.prompt.create { Step::Register } else { Step::SignIn };
    };
    let part = participation(progress, session);
    let signed_in_here = part == Some(Participation::SignedIn);

    let authentication = &session.authentication;
    if request.prompt.create && part.is_none() {
        return Step::Register;
    }
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
    if let Some(refusal) = unmet(request) {
        return Step::Refuse(refusal);
    }
    let demand = demanded(situation.client, request).max(situation.least);
    if !authentication.meets(demand) {
        return Step::SecondFactor(demand);
    }
    let wish = wish(request, situation.second_factor);
    if !request.prompt.none && !authentication.meets(wish) {
        return Step::SecondFactor(wish);
    }
    consent(situation)
}

/// What a sign-in must reach for this request: what the operator says of the client, and what it calls essential (OIDC Core §5.5.1.1).
pub fn demanded(client: &Client, request: &AuthorizationRequest) -> Demand {
    let essential = request.claims.id_token.get("acr").filter(|wish| wish.essential);
    let asked = essential.into_iter().flat_map(|wish| &wish.values).filter_map(|value| value.as_str());
    let least = asked.filter_map(Acr::parse).map(Demand::from).min();
    client.demand().max(least.unwrap_or_default())
}

/// The classes that a client named, the most wanted first: those of `claims`, those of `acr_values`, and the operator's of the client.
pub fn wanted_acr(client: &Client, request: &AuthorizationRequest) -> Vec<Acr> {
    let claimed = request.claims.id_token.get("acr").into_iter().flat_map(|wish| &wish.values);
    let claimed = claimed.filter_map(|value| value.as_str());
    let named = claimed.chain(request.acr_values.iter().map(String::as_str)).filter_map(Acr::parse);
    named.chain(client.policy.least_acr).collect()
}

/// The classes that the client would like and does not insist on, the most wanted first: those of a voluntary `acr` in `claims` (OIDC
/// Core §5.5.1.1), then those of `acr_values` (§3.1.2.1), which ask for the same.
pub fn wished_acr(request: &AuthorizationRequest) -> impl Iterator<Item = Acr> {
    let voluntary = request.claims.id_token.get("acr").filter(|wish| !wish.essential);
    let claimed = voluntary.into_iter().flat_map(|wish| &wish.values).filter_map(|value| value.as_str());
    claimed.chain(request.acr_values.iter().map(String::as_str)).filter_map(Acr::parse)
}

/// The first class that the client would like and that the person can reach.
fn wish(request: &AuthorizationRequest, has: HasOne) -> Demand {
    let strongest = match has {
        HasOne::Passkey => Acr::PhishingResistant,
        HasOne::Yes => Acr::TwoFactors,
        HasOne::No => Acr::OneFactor,
    };
    wished_acr(request).find(|acr| *acr <= strongest).map(Demand::from).unwrap_or_default()
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

/// An essential `acr` of which no sign-in here reaches any value (OIDC Core §5.5.1.1).
fn unmet(request: &AuthorizationRequest) -> Option<OAuthError> {
    let wish = request.claims.id_token.get("acr")?;
    let can_be_met = wish.values.is_empty()
        || wish.values.iter().filter_map(|value| value.as_str()).any(|value| Acr::parse(value).is_some());
    (wish.essential && !can_be_met).then(|| {
        OAuthError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "no sign-in here can reach any of the acr values that the client calls essential",
        )
    })
}

fn consent(situation: &Situation<'_>) -> Step {
    let Situation { request, client, given, .. } = situation;
    if let Err(refusal) = allowed::settle(situation.beyond_groups, &request.scope, situation.scope) {
        return Step::Refuse(refusal);
    }
    if let Some(given) = given {
        // What they left a group for since the page was shown is not theirs to give.
        let scope = given.scope.intersection(situation.scope);
        return Step::Answer(ConsentGiven { scope, claims: given.claims.clone() });
    }
    let all = ConsentGiven { scope: situation.scope.clone(), claims: claims::asked_singly(&request.claims) };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::authentication::{Amr, Authentication};
    use crate::model::client::{ClientOrigin, ClientPolicy};
    use crate::model::epoch::Epoch;
    use crate::model::id::{ConsentId, SessionId};
    use crate::model::interaction::Authenticated;
    use crate::model::session::SessionOrigin;
    use crate::protocol::client_metadata::ClientMetadata;
    use crate::protocol::client_registration::{RegistrationRules, Unsupported};
    use crate::protocol::jose::algorithm::SigningAlgorithm;
    use crate::protocol::params::Params;
    use crate::protocol::secret::TokenHash;

    const NOW: NumericDate = NumericDate::from_seconds(10_000);
    const BASE: &str = "response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid+email";

    fn supported() -> Scope {
        "openid email offline_access".parse().unwrap()
    }

    fn client() -> Client {
        let scopes = supported();
        let rules = RegistrationRules {
            scopes_supported: &scopes,
            signing_algorithms: &[SigningAlgorithm::RS256],
            unsupported: Unsupported::Refuse,
            allows_http_loopback: false,
        };
        let json = json!({"redirect_uris": ["https://app.example/cb"]});
        Client {
            id: "app".parse().unwrap(),
            metadata: ClientMetadata::parse(json.as_object().unwrap(), &rules).unwrap(),
            secret: None,
            origin: ClientOrigin::Operator,
            policy: ClientPolicy::default(),
            created_at: NOW,
            disabled_at: None,
        }
    }

    fn request(more: &str) -> AuthorizationRequest {
        let scopes_supported = supported();
        let rules = crate::protocol::authorization_request::RequestRules {
            issuer: "https://id.example",
            scopes_supported: &scopes_supported,
            requires_pkce: false,
            allows_http_loopback: false,
        };
        let params = Params::parse(format!("{BASE}{more}").as_bytes()).unwrap();
        AuthorizationRequest::parse(&params, &client().metadata, &rules).unwrap()
    }

    fn session(age: i64) -> Session {
        let at = NumericDate::from_seconds(NOW.seconds() - age);
        Session {
            id: SessionId::new(at, [1; 10]),
            token_hash: TokenHash::of("cookie"),
            authentication: Authentication::new((UserId::new([1; 16]), Epoch::FIRST), at, vec![Amr::Pwd]),
            created_at: at,
            last_seen_at: NOW,
            expires_at: NumericDate::from_seconds(i64::MAX),
            idle_lifetime: 3600,
            is_persistent: false,
            ended_at: None,
            origin: SessionOrigin::default(),
            proven_again_at: None,
        }
    }

    fn consent(scope: &str) -> Consent {
        Consent {
            id: ConsentId::new(NOW, [1; 10]),
            user: UserId::new([1; 16]),
            client: "app".parse().unwrap(),
            scope: scope.parse().unwrap(),
            claims: Vec::new(),
            granted_at: NOW,
        }
    }

    fn took_part(by: Participation) -> Progress {
        Progress::Authenticated(Authenticated { session: session(100).id, at: NOW, by })
    }

    /// What comes next, in a word.
    fn step(more: &str, session: Option<&Session>, remembered: Option<&str>, progress: &Progress) -> String {
        let (request, client, consent) = (request(more), client(), remembered.map(consent));
        let situation = Situation {
            request: &request,
            scope: &request.scope,
            beyond_groups: BeyondGroups::Drop,
            client: &client,
            session,
            consent: consent.as_ref(),
            given: None,
            progress,
            wanted: Wanted::Anyone,
            least: Demand::OneFactor,
            second_factor: HasOne::No,
        };
        match next_step(&situation, NOW) {
            Step::SignIn => "sign in".to_owned(),
            Step::Register => "register".to_owned(),
            Step::SelectAccount => "select account".to_owned(),
            Step::SecondFactor(demand) => format!("second factor {demand:?}"),
            Step::Consent(asked) => format!("consent to {}, new {}", asked.scope, asked.new),
            Step::Answer(given) => format!("answer {}", given.scope),
            Step::Refuse(error) => error.code().as_str().to_owned(),
        }
    }

    /// OIDC Core §3.1.2.1, §3.1.2.3, §3.1.2.4, §3.1.2.6
    #[test]
    fn the_table() {
        let old = session(100);
        let pending = Progress::Pending;
        let (signed_in, chose) = (took_part(Participation::SignedIn), took_part(Participation::ChoseAccount));
        let all = Some("openid email");
        for (more, session, remembered, progress, expected) in [
            ("", None, None, &pending, "sign in"),
            ("", Some(&old), None, &pending, "consent to openid email, new openid email"),
            ("", Some(&old), Some("openid"), &pending, "consent to openid email, new email"),
            ("", Some(&old), all, &pending, "answer openid email"),
            ("&prompt=none", None, all, &pending, "login_required"),
            ("&prompt=none", Some(&old), None, &pending, "consent_required"),
            ("&prompt=none", Some(&old), all, &pending, "answer openid email"),
            ("&prompt=none&max_age=99", Some(&old), all, &pending, "login_required"),
            ("&prompt=login", Some(&old), all, &pending, "sign in"),
            ("&prompt=login", Some(&old), all, &chose, "sign in"),
            ("&prompt=login", Some(&old), all, &signed_in, "answer openid email"),
            ("&prompt=consent", Some(&old), all, &signed_in, "consent to openid email, new "),
            ("&prompt=select_account", Some(&old), all, &pending, "select account"),
            ("&prompt=select_account", Some(&old), all, &chose, "answer openid email"),
            ("&prompt=login+select_account", Some(&old), all, &signed_in, "answer openid email"),
            ("&prompt=create", None, None, &pending, "register"),
            ("&prompt=create", Some(&old), all, &pending, "register"),
            ("&prompt=create", Some(&old), all, &signed_in, "answer openid email"),
            ("&max_age=100", Some(&old), all, &pending, "answer openid email"),
            ("&max_age=99", Some(&old), all, &pending, "sign in"),
            ("&max_age=0", Some(&old), all, &signed_in, "answer openid email"),
        ] {
            assert_eq!(step(more, session, remembered, progress), expected, "{more} {remembered:?} {progress:?}");
        }
        assert_eq!(step("&max_age=0", Some(&session(0)), all, &pending), "sign in", "also within the same second");
    }

    /// OIDC Core §5.5.1.1
    #[test]
    fn an_essential_acr_that_cannot_be_reached_is_an_error() {
        let old = session(100);
        let claims = |acr: &str| {
            let claims = json!({"id_token": {"acr": {"essential": true, "values": [acr]}}}).to_string();
            format!("&claims={}", url::form_urlencoded::byte_serialize(claims.as_bytes()).collect::<String>())
        };
        let next = |acr: &str| step(&claims(acr), Some(&old), Some("openid email"), &Progress::Pending);
        assert_eq!(next("urn:symbolon:acr:1"), "answer openid email");
        assert_eq!(next("urn:symbolon:acr:2"), "second factor TwoFactors");
        assert_eq!(next("urn:example:loa:9"), "unmet_authentication_requirements");
    }

    #[test]
    fn another_person_than_the_one_wanted_does_not_do() {
        let (request, client, old, consent) = (request(""), client(), session(100), consent("openid email"));
        for (wanted, progress, expected) in [
            (Wanted::Only(UserId::new([1; 16])), Progress::Pending, "answer"),
            (Wanted::Only(UserId::new([2; 16])), Progress::Pending, "sign in"),
            (Wanted::Unknown, Progress::Pending, "sign in"),
            (Wanted::Unknown, took_part(Participation::SignedIn), "login_required"),
        ] {
            let situation = Situation {
                request: &request,
                scope: &request.scope,
                beyond_groups: BeyondGroups::Drop,
                client: &client,
                session: Some(&old),
                consent: Some(&consent),
                given: None,
                progress: &progress,
                wanted,
                least: Demand::OneFactor,
                second_factor: HasOne::No,
            };
            let next = match next_step(&situation, NOW) {
                Step::Answer(_) => "answer".to_owned(),
                Step::SignIn => "sign in".to_owned(),
                Step::Register => "register".to_owned(),
                Step::Refuse(error) => error.code().as_str().to_owned(),
                other => format!("{other:?}"),
            };
            assert_eq!(next, expected, "{wanted:?} {progress:?}");
        }
    }
}
