//! The person's side of a device that waits: finding it by its user code, and deciding.
//!
//! RFC 8628 §3.3, §5.1 (guesses), §5.4 (somebody else's device); S-056, S-057. Pages and API stand on the same three verbs. A code is
//! looked up for who is signed in alone, so that whoever guesses has an account that is counted; looking decides nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::authn::limit::{Exceeded, Limits, Rule};
use crate::edge::device_authorization::Found;
use crate::edge::ephemeral::Namespace;
use crate::model::authentication::{Acr, Authentication, Demand};
use crate::model::client::Client;
use crate::model::device_authorization::{Approval, Asks, Decision};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::{GrantId, UserId};
use crate::model::interaction::ConsentGiven;
use crate::model::session::Session;
use crate::model::user::User;
use crate::oauth::allowed;
use crate::oauth::endpoint::authorize::least;
use crate::oauth::interaction::{Browser, finish};
use crate::oauth::provider::{Issuer, Provider};
use crate::protocol::client_metadata::GrantType;
use crate::protocol::device::UserCode;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// The page on which people type the code.
pub const PATH: &str = "/device";
/// The shortest `default_max_age` that is kept, in seconds: who has just signed in for this has done what they can.
const SHORTEST_AGE: u64 = 60;
/// How long a code waits for its person to sign in.
const TYPED_FOR: Duration = Duration::from_mins(10);

/// What was typed, or read from a picture, in a browser in which nobody is signed in yet.
const TYPED: Namespace<UserCode> = Namespace::new("device_typed");

/// `verification_uri`, or `verification_uri_complete` with a code (§3.2, §3.3.1).
pub fn verification_uri(issuer: &Issuer, user_code: Option<&UserCode>) -> String {
    let page = issuer.at(PATH);
    user_code.map_or_else(|| page.clone(), |code| format!("{page}?user_code={code}"))
}

/// Who decides.
#[derive(Clone, Debug)]
pub struct Decider {
    /// Who.
    pub user: Arc<User>,
    /// In which session; for an app the one that its grant was given in.
    pub session: Arc<Session>,
    /// How they proved who they are.
    pub authentication: Authentication,
    /// Where they decide.
    pub browser: Browser,
}

/// A device that waits, as the person sees it.
#[derive(Clone, Debug)]
pub struct Device {
    /// What waits.
    pub found: Found,
    /// The app, if it is for one.
    pub client: Option<Arc<Client>>,
    /// What its tokens would allow; what the person may not give is left out.
    pub scope: Scope,
}

/// Why nothing was looked up.
#[derive(Clone, Debug)]
pub enum Unheard {
    /// Too many codes were wrong.
    TooOften(Exceeded),
    /// A store failed.
    Fault(Fault),
}

impl From<Fault> for Unheard {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What became of a yes.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The device goes on.
    Approved,
    /// It was decided before, or ran out.
    TooLate,
    /// The sign-in has to reach more first.
    Unproven(Demand),
    /// The sign-in is too old for the app.
    Stale,
    /// The person may not give the app any of this.
    Forbidden(OAuthError),
}

/// Keeps a code for who has to sign in first, in the browser with this flow cookie.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn keep_typed(provider: &Provider, browser: &TokenHash, code: &UserCode) -> Result<(), Fault> {
    let until = provider.now().plus(TYPED_FOR);
    TYPED.put(&*provider.edges.ephemeral, browser.as_bytes(), code, until).await
}

/// The code that waits in a browser, once.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn take_typed(provider: &Provider, browser: Option<&TokenHash>) -> Result<Option<UserCode>, Fault> {
    let Some(browser) = browser else { return Ok(None) };
    TYPED.take(&*provider.edges.ephemeral, browser.as_bytes(), provider.now()).await
}

/// Looks a code up; a wrong one is counted by person, browser and address, and over all of them (§5.1).
///
/// # Errors
/// [`Unheard`].
pub async fn look_up(
    provider: &Provider,
    limits: &Limits,
    (code, decider): (&UserCode, &Decider),
) -> Result<Option<Device>, Unheard> {
    let now = provider.now();
    let ephemeral = &*provider.edges.ephemeral;
    let counted = counters(decider);
    for (rule, key) in &counted {
        if let Err(exceeded) = limits.count(ephemeral, (*rule, key.as_str()), now).await? {
            return Err(Unheard::TooOften(exceeded));
        }
    }
    let Some(device) = find(provider, code, &decider.user).await? else { return Ok(None) };
    for (rule, key) in &counted {
        limits.give_back(ephemeral, (*rule, key.as_str())).await?;
    }
    provider.edges.see_device(&device.found).await?;
    Ok(Some(device))
}

/// What a wrong code is counted by.
fn counters(decider: &Decider) -> Vec<(Rule, String)> {
    let mut counted = vec![
        (Rule::UserCode, format!("person {}", decider.user.id)),
        (Rule::UserCode, format!("address {}", decider.browser.provenance.address)),
    ];
    counted.extend(decider.browser.flow.map(|flow| (Rule::UserCode, format!("browser {:?}", flow.as_bytes()))));
    counted.push((Rule::UserCodeTotal, String::new()));
    counted
}

async fn find(provider: &Provider, code: &UserCode, user: &User) -> Result<Option<Device>, Fault> {
    let Some(found) = provider.edges.device(code).await? else { return Ok(None) };
    let client = match found.asked.asks.client() {
        Some(id) => provider.edges.store.client(id).await?.filter(|client| client.is_enabled()),
        None => None,
    };
    let (is_good, scope) = match (&found.asked.asks, &client) {
        (Asks::Tokens { scope, .. }, Some(client)) if client.allows(GrantType::DeviceCode) => {
            (true, allowed::of(provider, (client, Some(user)), scope).await?.into_owned())
        }
        (Asks::SignIn { client: None, .. }, _) | (Asks::SignIn { .. }, Some(_)) => (true, Scope::empty()),
        _ => (false, Scope::empty()),
    };
    Ok(is_good.then_some(Device { found, client, scope }))
}

/// The person says yes.
///
/// # Errors
/// A fault of a store.
pub async fn approve(provider: &Provider, device: &Device, decider: &Decider) -> Result<Outcome, Fault> {
    if let (Asks::Tokens { scope, .. }, Some(client)) = (&device.found.asked.asks, &device.client) {
        if let Err(refusal) = allowed::settle(provider.policy.beyond_groups, scope, &device.scope) {
            return Ok(Outcome::Forbidden(refusal));
        }
        let age = client.metadata.default_max_age.map(|seconds| seconds.max(SHORTEST_AGE));
        if !decider.authentication.is_within(age, provider.now()) {
            return Ok(Outcome::Stale);
        }
        let demand = demanded(provider, client, decider).await?;
        if !decider.authentication.meets(demand) {
            return Ok(Outcome::Unproven(demand));
        }
        if !client.policy.first_party {
            // Before the device may ask: its tokens are given where a consent stands.
            let given = ConsentGiven { scope: device.scope.clone(), claims: Vec::new() };
            finish::remember(provider, (client, &decider.session), &given, &decider.browser.provenance).await?;
        }
    }
    let now = provider.now();
    let approval = Approval {
        authentication: decider.authentication.clone(),
        session: decider.session.id,
        grant: GrantId::new(now, provider.edges.random.bytes()),
        scope: device.scope.clone(),
        at: now,
    };
    decide(provider, device, decider, &Decision::Approved(approval)).await
}

/// The person says no; false when somebody decided before.
///
/// # Errors
/// A fault of a store.
pub async fn deny(provider: &Provider, device: &Device, decider: &Decider) -> Result<bool, Fault> {
    let outcome = decide(provider, device, decider, &Decision::Denied).await?;
    Ok(matches!(outcome, Outcome::Approved))
}

/// Decides and writes down who did.
async fn decide(
    provider: &Provider,
    device: &Device,
    decider: &Decider,
    decision: &Decision,
) -> Result<Outcome, Fault> {
    let asked = &device.found.asked;
    let name = match decision {
        Decision::Approved(_) => EventName::DeviceApproved,
        Decision::Denied => EventName::DeviceDenied,
    };
    if !provider.edges.decide_device(&device.found, decision).await? {
        return Ok(Outcome::TooLate);
    }
    let mut event = provider.edges.event(name).of(decider.user.id).within(decider.session.id);
    event = event.from(decider.browser.provenance.clone()).telling("device_address", asked.from.address.clone());
    event.client = asked.asks.client().cloned();
    provider.edges.store.note_event(event);
    Ok(Outcome::Approved)
}

/// What the sign-in of who decides must reach: what the house wants in this browser, what the operator says of the app, and what the app
/// wishes for by its registration of who has a second factor.
async fn demanded(provider: &Provider, client: &Client, decider: &Decider) -> Result<Demand, Fault> {
    let demand = client.demand().max(least(provider, &decider.browser).await?);
    let wishes = &client.metadata.default_acr_values;
    let wish = wishes.iter().find_map(|value| Acr::parse(value)).map(Demand::from).unwrap_or_default();
    if wish <= demand || decider.authentication.meets(wish) {
        return Ok(demand);
    }
    Ok(if has_second_factor(provider, decider.user.id).await? { wish } else { demand })
}

async fn has_second_factor(provider: &Provider, user: UserId) -> Result<bool, Fault> {
    let own = provider.edges.store.authenticators(user).await?;
    Ok(own.iter().any(|own| own.confirmed_at.is_some()))
}
