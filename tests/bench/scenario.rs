//! What is measured: each scenario with what it needs at least, and what issue 2 asks of it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};

use crate::bound::{Aim, Needs};
use crate::browser::Browser;
use crate::connection::Connection;
use crate::relying_party::{Endpoints, RelyingParty, Tokens, get};
use crate::server::At;
use crate::work::{CodeFlow, Life, Work};

/// What the server signs with when nothing else is said.
pub(crate) const DEFAULT_ALGORITHM: &str = "RS256";

/// What is measured for one scenario.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    /// Authorize and token.
    CodeFlow,
    /// Rotating refresh.
    Refresh,
    /// The client's own token.
    ClientCredentials,
    /// OIDC Core §5.3.
    UserInfo,
    /// RFC 7662.
    Introspection,
    /// RFC 7517.
    Jwks,
    /// RFC 8414.
    Discovery,
}

impl Kind {
    /// Those that sign, once for each algorithm; the others once.
    pub(crate) fn of(algorithm: &str) -> &'static [Kind] {
        if algorithm == DEFAULT_ALGORITHM { &Kind::ALL } else { &Kind::SIGNING }
    }

    const ALL: [Kind; 7] = [
        Kind::CodeFlow,
        Kind::Refresh,
        Kind::ClientCredentials,
        Kind::UserInfo,
        Kind::Introspection,
        Kind::Jwks,
        Kind::Discovery,
    ];
    const SIGNING: [Kind; 3] = [Kind::CodeFlow, Kind::Refresh, Kind::ClientCredentials];

    /// How `--only` and the table call it.
    pub(crate) fn name(self, algorithm: &str) -> String {
        match self {
            Kind::CodeFlow => format!("code flow {algorithm}"),
            Kind::Refresh => format!("refresh {algorithm}"),
            Kind::ClientCredentials => format!("client_credentials {algorithm}"),
            Kind::UserInfo => "userinfo".to_owned(),
            Kind::Introspection => "introspection".to_owned(),
            Kind::Jwks => "jwks".to_owned(),
            Kind::Discovery => "discovery".to_owned(),
        }
    }

    fn aim(self) -> Aim {
        match self {
            Kind::CodeFlow => Aim::OfBound(0.60),
            Kind::ClientCredentials => Aim::OfBound(0.85),
            Kind::UserInfo | Kind::Introspection => Aim::Rate(40_000.0),
            Kind::Jwks | Kind::Discovery => Aim::OfBound(0.90),
            Kind::Refresh => Aim::None,
        }
    }

    fn needs(self, signatures: Vec<String>) -> Needs {
        let (requests, rows, look_ups) = match self {
            Kind::CodeFlow => (2, 3, 0),
            Kind::Refresh => (1, 2, 0),
            Kind::UserInfo | Kind::Introspection => (1, 0, 1),
            Kind::ClientCredentials | Kind::Jwks | Kind::Discovery => (1, 0, 0),
        };
        Needs { requests, rows, look_ups, signatures }
    }
}

/// One row of the table, ready to run.
pub(crate) struct Scenario {
    /// As in the table.
    pub(crate) name: String,
    /// What the bound is made of.
    pub(crate) needs: Needs,
    /// What is asked.
    pub(crate) aim: Aim,
    /// One for each connection.
    pub(crate) works: Vec<Work>,
}

/// A person who is signed in, and a client that they have consented to.
pub(crate) struct Stage {
    address: SocketAddr,
    endpoints: Endpoints,
    party: RelyingParty,
    sample: Tokens,
    browser: Browser,
    workers: usize,
}

impl Stage {
    /// Registers a client whose ID tokens are signed with `algorithm`, signs in and consents.
    pub(crate) async fn set(at: &At, algorithm: &str, workers: usize) -> Result<Stage> {
        let mut browser = Browser::new(at.address, at.user.clone());
        let mut connection = Connection::new(at.address);
        let party = RelyingParty::register(at.address, &at.endpoints, algorithm).await?;
        party.sign_in(&mut browser, &mut connection, None).await.context("sign in")?;
        let sample = party.flow_again(&browser.cookie_field(), &mut connection).await?;
        Ok(Stage { address: at.address, endpoints: at.endpoints.clone(), party, sample, browser, workers })
    }

    /// What a code flow of the load gives, in words.
    pub(crate) fn description(&self) -> String {
        let refresh = if self.sample.refresh_token.is_some() { " and a refresh token" } else { "" };
        format!("signatures {}{refresh}", self.sample.signatures().join(" + "))
    }

    /// Prepares one scenario.
    pub(crate) async fn scenario(&mut self, kind: Kind, algorithm: &str) -> Result<Scenario> {
        let party = self.party.clone();
        let mut connection = Connection::new(self.address);
        let (signatures, works) = match kind {
            Kind::CodeFlow => {
                let cookies = self.browser.cookie_field();
                let flow = |worker| Work::CodeFlow(CodeFlow::new(&party, &cookies, worker));
                (self.sample.signatures(), (0..self.workers).map(flow).collect())
            }
            Kind::Refresh => {
                let mut works = Vec::new();
                let mut signatures = Vec::new();
                for tokens in self.tokens().await? {
                    let refreshed = party.refreshed(&tokens, &mut connection).await?;
                    signatures = refreshed.signatures();
                    let refresh_token = refreshed.refresh_token.context("the refresh token was not rotated")?;
                    works.push(Work::Refresh { party: party.clone(), refresh_token });
                }
                (signatures, works)
            }
            Kind::ClientCredentials => {
                let signatures = party.own_tokens(&mut connection).await?.signatures();
                (signatures, self.same(&party.client_credentials_request(), "\"access_token\""))
            }
            Kind::UserInfo => {
                let works = self.tokens().await?.into_iter().map(|tokens| {
                    let authorization = format!("Bearer {}", tokens.access_token);
                    let request = get(&self.endpoints.userinfo_endpoint, &[("Authorization", &authorization)]);
                    Work::Same { request, holds: "\"sub\"" }
                });
                (Vec::new(), works.collect())
            }
            Kind::Introspection => {
                let works = self.tokens().await?.into_iter().map(|tokens| Work::Same {
                    request: party.introspection_request(&tokens.access_token),
                    holds: "\"active\":true",
                });
                (Vec::new(), works.collect())
            }
            Kind::Jwks => (Vec::new(), self.same(&get(&self.endpoints.jwks_uri, &[]), "\"keys\"")),
            Kind::Discovery => (Vec::new(), self.same(&get(&discovery_url(&self.endpoints.issuer), &[]), "\"issuer\"")),
        };
        Ok(Scenario { name: kind.name(algorithm), needs: kind.needs(signatures), aim: kind.aim(), works })
    }

    /// A whole life of a grant on each connection, `rate` of them each second over all connections where one is given.
    pub(crate) fn lives(&self, rate: Option<u32>) -> Vec<Work> {
        let cookies = self.browser.cookie_field();
        let workers = u32::try_from(self.workers).unwrap_or(u32::MAX);
        let pace = rate.map(|rate| std::time::Duration::from_secs(1) * workers / rate);
        let life = |worker| {
            let flow = CodeFlow::new(&self.party, &cookies, worker);
            Work::Life(Life::new(flow, self.endpoints.userinfo_endpoint.clone(), pace))
        };
        (0..self.workers).map(life).collect()
    }

    fn same(&self, request: &[u8], holds: &'static str) -> Vec<Work> {
        (0..self.workers).map(|_| Work::Same { request: request.to_vec(), holds }).collect()
    }

    /// Tokens of a flow of its own for each connection.
    async fn tokens(&mut self) -> Result<Vec<Tokens>> {
        let mut connection = Connection::new(self.address);
        let mut all = Vec::new();
        for _ in 0..self.workers {
            let mut tokens = self.party.flow_again(&self.browser.cookie_field(), &mut connection).await?;
            if tokens.refresh_token.is_none() {
                // OIDC Core §11: offline access is asked for with prompt=consent.
                tokens = self.party.sign_in(&mut self.browser, &mut connection, Some("consent")).await?;
            }
            all.push(tokens);
        }
        Ok(all)
    }
}

/// OIDC Discovery §4.
pub(crate) fn discovery_url(issuer: &url::Url) -> url::Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/')));
    url
}
