//! What this server allows and for how long; built from the configuration in `app.rs`.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::client::{Client, RefreshTokenExpiry};
use crate::model::session::SessionLifetimes;
use crate::oauth::rotation::RotationPolicy;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::secret::TokenHash;

/// Decisions of the operator about the whole server.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How long sessions live.
    pub sessions: SessionLifetimes,
    /// How long it is remembered what happened.
    pub history: Duration,
    /// Who may register clients.
    pub client_registration: ClientRegistration,
    /// How access tokens are signed.
    pub access_token_signing_alg: SigningAlgorithm,
    /// `aud` of access tokens where neither client nor request names one; never empty.
    pub default_audience: Vec<String>,
    /// From when on an access token is good, counted from its making; `None`: it does not say so.
    pub not_before: Option<Duration>,
    /// By how much clocks may differ when access tokens are judged.
    pub leeway: Duration,
    /// More members in the headers of access tokens.
    pub token_header: Map<String, Value>,
    /// Whether first-party apps have an endpoint of their own.
    pub challenge_endpoint: ChallengeEndpoint,
    /// What becomes of a scope that the person's groups do not have.
    pub beyond_groups: BeyondGroups,
    /// When signing keys change.
    pub rotation: RotationPolicy,
    /// Production or development.
    pub mode: Mode,
}

/// How long things live.
#[derive(Copy, Clone, Debug)]
pub struct Lifetimes {
    /// An authorization code, until it is redeemed.
    pub authorization_code: Duration,
    /// An access token.
    pub access_token: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// A refresh token that is not used.
    pub refresh_token_idle: Duration,
    /// A family of refresh tokens.
    pub refresh_token_absolute: Duration,
    /// How long a used refresh token still gets the same successor.
    pub refresh_token_grace: Duration,
    /// A request that waits for a person.
    pub interaction: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            authorization_code: Duration::from_mins(1),
            access_token: Duration::from_mins(15),
            id_token: Duration::from_hours(1),
            refresh_token_idle: Duration::from_hours(7 * 24),
            refresh_token_absolute: Duration::from_hours(30 * 24),
            refresh_token_grace: Duration::from_secs(10),
            interaction: Duration::from_mins(30),
        }
    }
}

/// Who may register clients (RFC 7591 §3).
#[derive(Clone, Debug)]
pub enum ClientRegistration {
    /// Nobody.
    Off,
    /// Who holds the initial access token with this hash.
    InitialAccessToken(TokenHash),
    /// Everybody.
    Open,
}

/// Whether the authorization challenge endpoint is there (OAuth 2.0 for First-Party Applications §5).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum ChallengeEndpoint {
    /// It is not, and discovery does not tell of it.
    #[default]
    Off,
    /// It is.
    On,
}

/// What becomes of a scope that is asked for and that only members of other groups may have (RFC 6749 §3.3 allows both).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum BeyondGroups {
    /// It is left out; the answer says what was granted.
    #[default]
    Drop,
    /// The request is refused with `invalid_scope`.
    Refuse,
}

/// What the server is run for.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Mode {
    /// For real people.
    Production,
    /// On a developer's machine: hints are shown, `http` on this machine is fine, limits are wide.
    Development,
}

impl Lifetimes {
    /// How long an access token of `client` lives: its own setting between a minute and an hour, else the default.
    pub fn access_token_of(&self, client: &Client) -> Duration {
        client
            .policy
            .access_token_lifetime
            .map_or(self.access_token, |seconds| Duration::from_secs(seconds.clamp(60, 3600)))
    }

    /// How long a refresh token of `client` lives while it is not used.
    pub fn refresh_token_of(&self, client: &Client) -> Duration {
        client.policy.refresh_token_lifetime.map_or(self.refresh_token_idle, bounded)
    }

    /// How long a family of refresh tokens of `client` lives, however it is used. One whose end does not move ends with its
    /// first token.
    pub fn refresh_family_of(&self, client: &Client) -> Duration {
        let first = self.refresh_token_of(client);
        match client.policy.refresh_token_expiry {
            RefreshTokenExpiry::Fixed => first,
            RefreshTokenExpiry::Sliding => {
                client.policy.refresh_token_absolute.map_or(self.refresh_token_absolute, bounded).max(first)
            }
        }
    }
}

/// Seconds of a refresh token, from a minute to ten years.
fn bounded(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(60, 10 * 365 * 86_400))
}
