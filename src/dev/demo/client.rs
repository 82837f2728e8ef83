//! The demo as a client: the requests it makes and what it takes from the answers.
//!
//! RFC 6749 §4.1, §4.4, §6; RFC 7636; OIDC Core §3.1, §5.3; RFC 7009; RFC 7662; OIDC RP-Initiated Logout §2.

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::BACKCHANNEL_LOGOUT;
use super::check::{self, AccessTokenRules, Check, IdTokenRules, Nonce};
use super::exchange::{Carrier, Courier, DecodedToken, Exchange, Journal};
use super::failure::Failure;
use super::message::{bearer, expect_success, get, post, read};
use super::provider::{Provider, endpoint};
use super::visit::{PendingRequest, SignedIn};
use crate::edge::random::Random;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::backchannel_logout::LogoutToken;
use crate::protocol::secret::{Secret, TokenHash};

/// What the demo asks for.
pub(super) const SCOPE: &str = "openid profile email phone address offline_access";

/// A client id and its secret.
#[derive(Clone, Debug)]
pub struct ClientLogin {
    /// The id.
    pub client_id: String,
    /// The secret.
    pub client_secret: Secret,
}

/// The demo as a client of one issuer.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) issuer: String,
    pub(super) redirect_uri: String,
    pub(super) post_logout_redirect_uri: String,
    /// The API its access tokens are for.
    pub(super) audience: String,
    /// As whom people are signed in.
    pub(super) web: ClientLogin,
    /// As whom the app speaks for itself.
    pub(super) api: ClientLogin,
    pub(super) courier: Courier,
}

/// How a person is to be signed in: OIDC Core §3.1.2.1.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) prompt: Option<String>,
    /// Seconds.
    pub(super) max_age: Option<u64>,
    pub(super) login_hint: Option<String>,
}

/// Which token is meant.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenKind {
    #[default]
    AccessToken,
    RefreshToken,
}

/// RFC 6749 §5.1, OIDC Core §3.1.3.3.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    pub(super) token_type: String,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
    pub(super) scope: Option<String>,
}

impl Client {
    /// Learns the endpoints.
    pub(super) async fn discover(&self, journal: &mut Journal) -> Result<Provider, Failure> {
        let request = get(&Provider::document_url(&self.issuer))?;
        let answer = self.courier.send("Discovery", request, journal).await?;
        expect_success(&answer)?;
        Provider::parse(answer.body(), &self.issuer)
    }

    /// The authorization request as a URL, and what must be remembered for its answer.
    pub(super) fn authorization_request(
        &self,
        provider: Provider,
        wish: &Wish,
        random: &dyn Random,
    ) -> Result<(Url, PendingRequest), Failure> {
        let (state, nonce, code_verifier) = (random.token(), random.token(), random.token());
        let mut url = endpoint(provider.authorization_endpoint.as_ref(), "authorization_endpoint")?;
        let challenge = URL_SAFE_NO_PAD.encode(TokenHash::of(code_verifier.expose()).as_bytes());
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.web.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", SCOPE)
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(prompt) = &wish.prompt {
            query.append_pair("prompt", prompt);
        }
        if let Some(max_age) = wish.max_age {
            query.append_pair("max_age", &max_age.to_string());
        }
        if let Some(login_hint) = &wish.login_hint {
            query.append_pair("login_hint", login_hint);
        }
        drop(query);
        Ok((url, PendingRequest { state, nonce, code_verifier, max_age: wish.max_age, provider }))
    }

    /// Exchanges a code for tokens, believes the ID token only after every check, and asks who the person is.
    pub(super) async fn redeem(
        &self,
        code: &str,
        pending: PendingRequest,
        now: NumericDate,
        journal: &mut Journal,
    ) -> Result<SignedIn, Failure> {
        let provider = pending.provider;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", pending.code_verifier.expose()),
        ];
        let tokens = self.token_request("Token request: the code", (&provider, &self.web), &form, journal).await?;
        let id_token =
            tokens.id_token.ok_or_else(|| Failure::new("The answer lacks an ID token", "openid was asked for"))?;
        let rules = IdTokenRules {
            issuer: &self.issuer,
            client_id: &self.web.client_id,
            nonce: Nonce::Sent(pending.nonce.expose()),
            access_token: &tokens.access_token,
            max_age: pending.max_age,
            subject: None,
            now,
        };
        let claims = self.believe(&id_token, &rules, &provider, journal).await?;
        let mut signed_in = SignedIn {
            provider,
            id_token: Secret::new(id_token),
            claims,
            nonce: pending.nonce,
            access_token: Secret::new(tokens.access_token),
            refresh_token: tokens.refresh_token.map(Secret::new),
            scope: tokens.scope.unwrap_or_else(|| SCOPE.to_owned()),
            userinfo: Map::new(),
        };
        signed_in.userinfo = self.userinfo(&signed_in, journal).await?;
        Ok(signed_in)
    }

    /// Asks the `UserInfo` endpoint; the answer must be about the same person (OIDC Core §5.3.2).
    pub(super) async fn userinfo(
        &self,
        signed_in: &SignedIn,
        journal: &mut Journal,
    ) -> Result<Map<String, Value>, Failure> {
        let url = endpoint(signed_in.provider.userinfo_endpoint.as_ref(), "userinfo_endpoint")?;
        let mut request = get(url.as_str())?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer(&signed_in.access_token)?);
        let answer = self.courier.send("UserInfo", request, journal).await?;
        let claims: Map<String, Value> = read(&answer)?;
        let check = Check::equal("sub", claims.get("sub").and_then(Value::as_str), signed_in.subject());
        let passed = check.passed;
        if let Some(exchange) = journal.last() {
            exchange.checks.push(check);
        }
        if passed {
            Ok(claims)
        } else {
            Err(Failure::new("UserInfo is about somebody else", "its sub differs from the ID token's"))
        }
    }

    /// Exchanges the refresh token; what was not sent again stays as it was.
    pub(super) async fn refresh(
        &self,
        signed_in: &SignedIn,
        now: NumericDate,
        journal: &mut Journal,
    ) -> Result<SignedIn, Failure> {
        let refresh_token = signed_in.refresh_token()?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let parties = (&signed_in.provider, &self.web);
        let tokens = self.token_request("Token request: the refresh token", parties, &form, journal).await?;
        let mut renewed = signed_in.clone();
        if let Some(id_token) = tokens.id_token {
            let rules = IdTokenRules {
                issuer: &self.issuer,
                client_id: &self.web.client_id,
                nonce: Nonce::IfPresent(signed_in.nonce.expose()),
                access_token: &tokens.access_token,
                max_age: None,
                subject: Some(signed_in.subject()),
                now,
            };
            renewed.claims = self.believe(&id_token, &rules, &signed_in.provider, journal).await?;
            renewed.id_token = Secret::new(id_token);
        }
        renewed.access_token = Secret::new(tokens.access_token);
        renewed.refresh_token = tokens.refresh_token.map(Secret::new).or(renewed.refresh_token);
        renewed.scope = tokens.scope.unwrap_or(renewed.scope);
        Ok(renewed)
    }

    /// Asks the server whether the access token is good (RFC 7662); true when it is.
    pub(super) async fn introspect(&self, signed_in: &SignedIn, journal: &mut Journal) -> Result<bool, Failure> {
        #[derive(Deserialize)]
        struct Introspection {
            active: bool,
        }
        let url = endpoint(signed_in.provider.introspection_endpoint.as_ref(), "introspection_endpoint")?;
        let form = [("token", signed_in.access_token.expose().as_str()), ("token_type_hint", "access_token")];
        let answer = self.courier.send("Introspection", post(&url, &self.web, &form)?, journal).await?;
        Ok(read::<Introspection>(&answer)?.active)
    }

    /// Looks at the access token as an API would, with nothing but the server's published keys; true when it is good.
    pub(super) async fn verify_locally(
        &self,
        signed_in: &SignedIn,
        now: NumericDate,
        journal: &mut Journal,
    ) -> Result<bool, Failure> {
        let jwks = self.jwks(&signed_in.provider, journal).await?;
        let rules = AccessTokenRules {
            issuer: &self.issuer,
            audience: &self.audience,
            client_id: &self.web.client_id,
            subject: signed_in.subject(),
            now,
        };
        let token = signed_in.access_token.expose();
        let seen = check::access_token(token, &jwks, &rules);
        let passed = seen.passed();
        let line = format!("the access token, as {} would look at it", self.audience);
        let mut exchange = Exchange::new("Local verification", Carrier::Nobody, line);
        exchange.tokens = DecodedToken::parse("access_token", token).into_iter().collect();
        exchange.checks = seen.checks;
        journal.0.push(exchange);
        Ok(passed)
    }

    /// Takes a token back (RFC 7009).
    pub(super) async fn revoke(
        &self,
        signed_in: &SignedIn,
        kind: TokenKind,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let url = endpoint(signed_in.provider.revocation_endpoint.as_ref(), "revocation_endpoint")?;
        let (token, hint) = match kind {
            TokenKind::AccessToken => (signed_in.access_token.expose().as_str(), "access_token"),
            TokenKind::RefreshToken => (signed_in.refresh_token()?, "refresh_token"),
        };
        let form = [("token", token), ("token_type_hint", hint)];
        let answer = self.courier.send("Revocation", post(&url, &self.web, &form)?, journal).await?;
        expect_success(&answer)
    }

    /// Gets a token for the app itself (RFC 6749 §4.4).
    pub(super) async fn client_credentials(
        &self,
        provider: &Provider,
        journal: &mut Journal,
    ) -> Result<TokenAnswer, Failure> {
        let form = [("grant_type", "client_credentials")];
        self.token_request("Token request: the app for itself", (provider, &self.api), &form, journal).await
    }

    /// The URL that signs the person out at the server too.
    pub(super) fn logout_request(&self, signed_in: &SignedIn, state: &Secret) -> Result<Url, Failure> {
        let mut url = endpoint(signed_in.provider.end_session_endpoint.as_ref(), "end_session_endpoint")?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", signed_in.id_token.expose())
            .append_pair("client_id", &self.web.client_id)
            .append_pair("post_logout_redirect_uri", &self.post_logout_redirect_uri)
            .append_pair("state", state.expose());
        Ok(url)
    }

    /// The claims of an ID token that passes every check; the checks are shown with the keys' exchange.
    async fn believe(
        &self,
        id_token: &str,
        rules: &IdTokenRules<'_>,
        provider: &Provider,
        journal: &mut Journal,
    ) -> Result<Map<String, Value>, Failure> {
        let jwks = self.jwks(provider, journal).await?;
        let seen = check::id_token(id_token, &jwks, rules);
        let mut exchange =
            Exchange::new("ID token", Carrier::Nobody, "checked before anything in it is believed".to_owned());
        exchange.tokens = DecodedToken::parse("id_token", id_token).into_iter().collect();
        exchange.checks.clone_from(&seen.checks);
        journal.0.push(exchange);
        if seen.passed() {
            Ok(seen.claims)
        } else {
            Err(Failure::new("The ID token is not believed", seen.complaint()))
        }
    }

    /// What a logout token says that passes every check.
    pub(super) async fn logout_token(
        &self,
        token: &str,
        now: NumericDate,
        journal: &mut Journal,
    ) -> Result<LogoutToken, Failure> {
        let provider = self.discover(journal).await?;
        let jwks = self.jwks(&provider, journal).await?;
        let (seen, judged) = check::logout_token(token, &jwks, (&self.issuer, &self.web.client_id), now);
        let complaint = seen.complaint();
        let line = format!("POST {BACKCHANNEL_LOGOUT}, from the server to the app");
        let mut exchange = Exchange::new("Back-channel logout", Carrier::Server, line);
        exchange.tokens = DecodedToken::parse("logout_token", token).into_iter().collect();
        exchange.checks = seen.checks;
        journal.0.push(exchange);
        judged.ok_or_else(|| Failure::new("The logout token is not believed", complaint))
    }

    async fn jwks(&self, provider: &Provider, journal: &mut Journal) -> Result<Bytes, Failure> {
        let url = endpoint(provider.jwks_uri.as_ref(), "jwks_uri")?;
        let answer = self.courier.send("Keys (JWKS)", get(url.as_str())?, journal).await?;
        expect_success(&answer)?;
        Ok(answer.into_body())
    }

    async fn token_request(
        &self,
        title: &'static str,
        (provider, login): (&Provider, &ClientLogin),
        form: &[(&str, &str)],
        journal: &mut Journal,
    ) -> Result<TokenAnswer, Failure> {
        let url = endpoint(provider.token_endpoint.as_ref(), "token_endpoint")?;
        let answer = self.courier.send(title, post(&url, login, form)?, journal).await?;
        let tokens: TokenAnswer = read(&answer)?;
        if tokens.token_type.eq_ignore_ascii_case("Bearer") {
            return Ok(tokens);
        }
        Err(Failure::new(
            "The token is of a kind the app does not know",
            format!("token_type is “{}”", tokens.token_type),
        ))
    }
}

impl SignedIn {
    /// `sub` of the verified ID token.
    pub(super) fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// A claim as text: `UserInfo` first, then the ID token.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        [&self.userinfo, &self.claims].into_iter().find_map(|claims| claims.get(claim)).and_then(Value::as_str)
    }

    /// The name to show.
    pub(super) fn name(&self) -> &str {
        ["name", "preferred_username", "email", "sub"]
            .into_iter()
            .find_map(|claim| self.text(claim))
            .unwrap_or_default()
    }

    fn refresh_token(&self) -> Result<&str, Failure> {
        let token = self.refresh_token.as_ref().map(|token| token.expose().as_str());
        token.ok_or_else(|| {
            Failure::new("There is no refresh token", "the server gives one when offline_access is allowed")
        })
    }
}
