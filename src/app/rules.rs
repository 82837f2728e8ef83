//! What the settings decide: from `Config` to the small values that the folders are given.

use std::sync::Arc;
use std::time::Duration;

use crate::app::StartError;
use crate::authn::captcha;
use crate::authn::captcha::proof_of_work::ProofOfWork;
use crate::authn::captcha::remote::{Remote, Service};
use crate::authn::limit::Limits;
use crate::authn::password::breached::{BreachedList, WhenUnreadable};
use crate::authn::password::policy::PasswordPolicy;
use crate::authn::password::strength::Rules;
use crate::authn::throttle::Throttle;
use crate::config::api::Switch;
use crate::config::captcha::Provider as Judge;
use crate::config::client_registration::ClientRegistrationMode;
use crate::config::password::Unreadable;
use crate::config::tokens::ScopesBeyondGroups;
use crate::config::{Config, ConfigError};
use crate::edge::Edges;
use crate::edge::fetch::Addresses;
use crate::edge::upstream::Upstreams;
use crate::edge::vault::Vault;
use crate::http::captcha::Captcha;
use crate::http::cookie::CookieScope;
use crate::model::session::SessionLifetimes;
use crate::oauth::policy::{BeyondGroups, ChallengeEndpoint, ClientRegistration, Lifetimes, Mode, Policy};
use crate::oauth::rotation::RotationPolicy;
use crate::protocol::secret::{MacKey, TokenHash};

/// When signing keys change, by the settings.
pub fn rotation_policy(config: &Config) -> RotationPolicy {
    let tokens = &config.tokens;
    // A client may have access tokens of its own lifetime, up to an hour.
    let longest_token = tokens.access_lifetime.max(tokens.id_lifetime).max(Duration::from_hours(1)) + tokens.leeway;
    let hints = config.session.lifetime + tokens.id_lifetime;
    RotationPolicy { rotate_every: config.keys.rotate_every, longest_token, hints }
}

pub(super) fn policy(config: &Config, mode: Mode) -> Result<Policy, StartError> {
    let tokens = &config.tokens;
    let client_registration = match (config.client_registration.mode, mode) {
        (ClientRegistrationMode::Off, Mode::Development) | (ClientRegistrationMode::Open, _) => {
            ClientRegistration::Open
        }
        (ClientRegistrationMode::Off, Mode::Production) => ClientRegistration::Off,
        (ClientRegistrationMode::InitialAccessToken, _) => {
            // The configuration has been read with the same environment and found good.
            let source = config.client_registration.token.as_ref();
            let token = source
                .map(|source| source.read("client_registration.token", &crate::config::process_environment()))
                .transpose()?
                .ok_or_else(|| ConfigError::new("client_registration.token", "is missing"))?;
            ClientRegistration::InitialAccessToken(TokenHash::of(token.expose()))
        }
    };
    Ok(Policy {
        lifetimes: Lifetimes {
            authorization_code: tokens.code_lifetime,
            access_token: tokens.access_lifetime,
            id_token: tokens.id_lifetime,
            refresh_token_idle: tokens.refresh_idle_lifetime,
            refresh_token_absolute: tokens.refresh_lifetime,
            interaction: config.session.interaction_lifetime,
            ..Lifetimes::default()
        },
        sessions: SessionLifetimes {
            idle: config.session.idle_lifetime,
            absolute: config.session.lifetime,
            at_most: config.session.at_most,
        },
        history: config.history.lifetime,
        client_registration,
        access_token_signing_alg: tokens.signing_alg,
        default_audience: tokens.audience_or(config.issuer.as_str()),
        not_before: tokens.not_before.map(|given| given.0),
        leeway: tokens.leeway,
        token_header: tokens.header.members(),
        challenge_endpoint: match config.api.challenge_endpoint {
            Switch::Off => ChallengeEndpoint::Off,
            Switch::On => ChallengeEndpoint::On,
        },
        beyond_groups: match tokens.scopes_beyond_groups {
            ScopesBeyondGroups::Drop => BeyondGroups::Drop,
            ScopesBeyondGroups::Refuse => BeyondGroups::Refuse,
        },
        rotation: rotation_policy(config),
        mode,
    })
}

/// Servers elsewhere by which people sign in; a development server may have them on this machine.
pub(super) fn upstreams(edges: &Edges, vault: &Arc<Vault>, mode: Mode) -> Upstreams {
    let addresses = match mode {
        Mode::Production => Addresses::Public,
        Mode::Development => Addresses::PublicOrLoopback,
    };
    Upstreams::new(
        (Arc::clone(&edges.fetch), Arc::clone(&edges.clock)),
        (Arc::clone(vault), Arc::new(|name: &str| std::env::var(name).ok())),
        addresses,
    )
}

/// How often things may be asked for: a development server is for harnesses, too.
pub(super) fn limits(config: &Config, mode: Mode) -> Limits {
    config.limits.over(match mode {
        Mode::Production => Limits::default(),
        Mode::Development => Limits::wide(),
    })
}

/// How often guesses are heard.
pub(super) fn throttle(config: &Config, mode: Mode) -> Throttle {
    let throttle = match mode {
        Mode::Production => Throttle::PRODUCTION,
        Mode::Development => Throttle::DEVELOPMENT,
    };
    let throttle = config.limits.factor_confirm.map_or(throttle, |limit| throttle.with_factor(limit));
    let time = config.limits.block_for;
    match (config.limits.block_after, mode) {
        (Some(failures), _) => throttle.with_address(u32::try_from(failures).unwrap_or(u32::MAX), time),
        (None, Mode::Production) => throttle.with_address(throttle.address.burst, time),
        (None, Mode::Development) => throttle,
    }
}

/// What keeps programs from trying.
pub(super) fn captcha(config: &Config, key: MacKey) -> Result<Captcha, StartError> {
    let set = &config.captcha;
    let remote = |service| {
        let environment = crate::config::process_environment();
        let missing = |key| ConfigError::new(key, "is missing");
        let site_key = set.site_key.clone().ok_or_else(|| missing("captcha.site_key"))?;
        let secret = set.secret.as_ref().ok_or_else(|| missing("captcha.secret"))?;
        let secret = secret.read("captcha.secret", &environment)?;
        Ok::<_, StartError>(captcha::Provider::Remote(Remote::new(service, site_key, secret)))
    };
    let provider = match set.provider {
        Judge::ProofOfWork => {
            let max_number = u32::try_from(set.difficulty).unwrap_or(u32::MAX);
            captcha::Provider::ProofOfWork(Box::new(ProofOfWork { key, max_number }))
        }
        Judge::Recaptcha => remote(Service::Recaptcha)?,
        Judge::Hcaptcha => remote(Service::Hcaptcha)?,
        Judge::Turnstile => remote(Service::Turnstile)?,
    };
    let (sign_in, registration, recovery) = (set.sign_in, set.registration, set.recovery);
    Ok(Captcha { provider, sign_in, registration, recovery })
}

/// How much that takes a core may run at a time.
pub(super) fn parallel() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What a new password has to hold, by the settings. Nobody's password is built from the name of the site.
pub fn password_policy(config: &Config, parallel: usize) -> PasswordPolicy {
    let host = url::Url::parse(config.issuer.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let site_words = host.iter().flat_map(|host| host.split('.')).map(str::to_owned);
    let rules = Rules {
        min_length: config.password.min_length,
        site_words: std::iter::once("symbolon".to_owned()).chain(site_words).collect(),
    };
    let policy = PasswordPolicy::new(rules, parallel);
    let when_unreadable = match config.password.breached_unreadable {
        Unreadable::Open => WhenUnreadable::Open,
        Unreadable::Closed => WhenUnreadable::Closed,
    };
    match &config.password.breached_list {
        Some(path) => policy.with_breached(BreachedList::new(path), when_unreadable),
        None => policy,
    }
}

pub(super) fn cookie_scope(config: &Config) -> CookieScope {
    match (&config.session.cookie_domain, config.issuer.is_https()) {
        (_, false) => CookieScope::Development,
        (Some(domain), true) => CookieScope::Domain(domain.clone()),
        (None, true) => CookieScope::Host,
    }
}
