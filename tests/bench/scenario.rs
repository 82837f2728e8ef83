//! What is measured: each scenario with what it needs at least, and what issue 2 asks of it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};

use crate::baseline::ALGORITHMS;
use crate::bound::{Aim, Needs};
use crate::browser::Browser;
use crate::connection::Connection;
use crate::relying_party::{Endpoints, RelyingParty, Tokens, get};
use crate::server::User;
use crate::work::{CodeFlow, Work};

/// What is measured for one scenario.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    /// In the order of the table; those that sign come once for each algorithm.
    pub(crate) fn all() -> Vec<(Kind, &'static str)> {
        let mut all = Vec::new();
        for kind in [Kind::CodeFlow, Kind::Refresh, Kind::ClientCredentials] {
            all.extend(ALGORITHMS.map(|algorithm| (kind, algorithm)));
        }
        all.extend([Kind::UserInfo, Kind::Introspection, Kind::Jwks, Kind::Discovery].map(|kind| (kind, "")));
        all
    }

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

/// A person who is signed in, and a client for each algorithm that they have consented to.
pub(crate) struct Stage {
    address: SocketAddr,
    endpoints: Endpoints,
    parties: Vec<(&'static str, RelyingParty, Tokens)>,
    browser: Browser,
    workers: usize,
}

impl Stage {
    /// Registers, signs in and consents.
    pub(crate) async fn set(address: SocketAddr, endpoints: &Endpoints, user: &User, workers: usize) -> Result<Stage> {
        let mut browser = Browser::new(address, user.clone());
        let mut parties = Vec::new();
        for algorithm in ALGORITHMS {
            let mut connection = Connection::new(address);
            let party = RelyingParty::register(address, endpoints, algorithm).await?;
            party
                .sign_in(&mut browser, &mut connection, None)
                .await
                .with_context(|| format!("sign in with {algorithm}"))?;
            let tokens = party.flow_again(&browser.cookie_field(), &mut connection).await?;
            parties.push((algorithm, party, tokens));
        }
        Ok(Stage { address, endpoints: endpoints.clone(), parties, browser, workers })
    }

    /// What the code flow of the load gives, in words.
    pub(crate) fn description(&self) -> String {
        let described = self.parties.iter().map(|(algorithm, _, tokens)| {
            let refresh = if tokens.refresh_token.is_some() { " and a refresh token" } else { "" };
            format!("{algorithm}: signatures {}{refresh}", tokens.signatures().join(" + "))
        });
        described.collect::<Vec<_>>().join(" · ")
    }

    fn party(&self, algorithm: &str) -> Result<&(&'static str, RelyingParty, Tokens)> {
        self.parties
            .iter()
            .find(|(name, ..)| algorithm.is_empty() || *name == algorithm)
            .context("a client for the algorithm")
    }

    /// Prepares one scenario; `None` when it would repeat another one.
    pub(crate) async fn scenario(&mut self, kind: Kind, algorithm: &str) -> Result<Option<Scenario>> {
        let (_, party, sample) = self.party(algorithm)?.clone();
        let mut connection = Connection::new(self.address);
        let (signatures, works) = match kind {
            Kind::CodeFlow => {
                let cookies = self.browser.cookie_field();
                (
                    sample.signatures(),
                    (0..self.workers).map(|worker| Work::CodeFlow(CodeFlow::new(&party, &cookies, worker))).collect(),
                )
            }
            Kind::Refresh => {
                let mut works = Vec::new();
                let mut signatures = Vec::new();
                for tokens in self.tokens(&party).await? {
                    let refresh_token = tokens.refresh_token.context("no refresh token was given")?;
                    if signatures.is_empty() {
                        let request = party.refresh_request(&refresh_token);
                        let refreshed: Tokens =
                            serde_json::from_slice(connection.exchange(&request).await?.body).context("refresh")?;
                        signatures = refreshed.signatures();
                        let refresh_token = refreshed.refresh_token.context("the refresh token was not rotated")?;
                        works.push(Work::Refresh { party: party.clone(), refresh_token });
                    } else {
                        works.push(Work::Refresh { party: party.clone(), refresh_token });
                    }
                }
                (signatures, works)
            }
            Kind::ClientCredentials => {
                let signatures = party.own_tokens(&mut connection).await?.signatures();
                let (_, first, _) = self.parties.first().context("a client")?;
                let repeats = first.own_tokens(&mut connection).await?.signatures() == signatures;
                if repeats && self.parties.first().is_some_and(|(name, ..)| *name != algorithm) {
                    return Ok(None);
                }
                (signatures, self.same(&party.client_credentials_request(), "\"access_token\""))
            }
            Kind::UserInfo | Kind::Introspection => {
                let works = self.tokens(&party).await?.into_iter().map(|tokens| {
                    let token = &tokens.access_token;
                    if kind == Kind::Introspection {
                        return Work::Same { request: party.introspection_request(token), holds: "\"active\":true" };
                    }
                    let authorization = format!("Bearer {token}");
                    let request = get(&self.endpoints.userinfo_endpoint, &[("Authorization", &authorization)]);
                    Work::Same { request, holds: "\"sub\"" }
                });
                (Vec::new(), works.collect())
            }
            Kind::Jwks => (Vec::new(), self.same(&get(&self.endpoints.jwks_uri, &[]), "\"keys\"")),
            Kind::Discovery => (Vec::new(), self.same(&get(&discovery_url(&self.endpoints.issuer), &[]), "\"issuer\"")),
        };
        Ok(Some(Scenario { name: kind.name(algorithm), needs: kind.needs(signatures), aim: kind.aim(), works }))
    }

    fn same(&self, request: &[u8], holds: &'static str) -> Vec<Work> {
        (0..self.workers).map(|_| Work::Same { request: request.to_vec(), holds }).collect()
    }

    /// Tokens of a flow of its own for each connection.
    async fn tokens(&mut self, party: &RelyingParty) -> Result<Vec<Tokens>> {
        let mut connection = Connection::new(self.address);
        let mut all = Vec::new();
        for _ in 0..self.workers {
            let mut tokens = party.flow_again(&self.browser.cookie_field(), &mut connection).await?;
            if tokens.refresh_token.is_none() {
                // OIDC Core §11: offline access is asked for with prompt=consent.
                tokens = party.sign_in(&mut self.browser, &mut connection, Some("consent")).await?;
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
