//! `openidconnect`, the relying-party library of the Rust world, against a running server.
//!
//! OpenID Connect Core §3.1 and Dynamic Client Registration; the facts of the server are in the file `$SYMBOLON_FACTS`.

mod person;

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use openidconnect::core::{
    CoreApplicationType, CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreRegisterErrorResponseType, CoreResponseMode,
    CoreResponseType, CoreRevocableToken, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::registration::{
    AdditionalClientMetadata, ClientRegistrationRequest, EmptyAdditionalClientRegistrationResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IntrospectionUrl, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, ProviderMetadata, RedirectUrl, RevocationUrl, Scope,
    TokenIntrospectionResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};

use person::Person;

const REDIRECT_URI: &str = "http://localhost:47115/cb";

/// What `symbolon dev --json` printed, as far as this program reads it.
#[derive(Deserialize)]
struct Facts {
    issuer: String,
    users: Vec<User>,
    clients: Vec<SeededClient>,
}

#[derive(Deserialize)]
struct User {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct SeededClient {
    name: String,
    client_id: String,
    client_secret: Option<String>,
}

/// The endpoints of RFC 8414 that OpenID Connect Discovery does not name.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Endpoints {
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for Endpoints {}

type Provider = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The client metadata of RFC 7591 §2 that OpenID Connect Registration does not name.
#[derive(Debug, Deserialize, Serialize)]
struct Wish {
    scope: String,
}

impl AdditionalClientMetadata for Wish {}

type Registration = ClientRegistrationRequest<
    Wish,
    EmptyAdditionalClientRegistrationResponse,
    CoreApplicationType,
    CoreClientAuthMethod,
    CoreRegisterErrorResponseType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type App = CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The cases that have been told, and whether one failed.
struct Report {
    exit: ExitCode,
}

impl Report {
    fn tells<T>(&mut self, case: &str, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => {
                println!("ok {case}");
                Some(value)
            }
            Err(error) => {
                println!("FAIL {case}: {}", format!("{error:#}").replace('\n', " | "));
                self.exit = ExitCode::FAILURE;
                None
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let path = std::env::var("SYMBOLON_FACTS")
        .context("SYMBOLON_FACTS must name the JSON file that `symbolon dev --json` printed")?;
    let facts: Facts = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut report = Report { exit: ExitCode::SUCCESS };

    let provider = report.tells("discovery and a JWKS with keys of every algorithm", discovers(&facts).await);
    let Some(provider) = provider else { return Ok(report.exit) };
    for method in [CoreClientAuthMethod::ClientSecretBasic, CoreClientAuthMethod::ClientSecretPost] {
        let case = format!("registration with {method:?}");
        let Some(app) = report.tells(&case, registers(&provider, method.clone()).await) else { continue };
        let case = format!("code flow with PKCE and {method:?}: ID token with nonce and at_hash");
        let Some((tokens, claims)) = report.tells(&case, signs_in(&app, &facts).await) else { continue };
        report.tells("userinfo is for the same person", reads_userinfo(&app, &tokens, &claims).await);
        report.tells(
            "an ID token of another nonce or another app is refused",
            refuses_foreign_id_tokens(&provider, &app, &tokens),
        );
        report.tells(
            "refresh rotates, introspection follows, revocation ends it",
            renews_and_revokes(&app, &tokens).await,
        );
    }
    report.tells("client_credentials", machine_gets_a_token(&provider, &facts).await);
    Ok(report.exit)
}

/// The HTTP client that `openidconnect` is given: this package's own reqwest.
async fn http(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let mut response = client.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    std::mem::swap(answer.headers_mut(), response.headers_mut());
    *answer.body_mut() = response.bytes().await?.into();
    Ok(answer)
}

// The library revokes over https only, and the development server speaks http on the loopback interface: the endpoint
// is given to the library as https and reached as what it is.
fn as_if_over_tls(endpoint: &RevocationUrl) -> RevocationUrl {
    RevocationUrl::new(endpoint.as_str().replacen("http:", "https:", 1)).expect("a URL stays one under another scheme")
}

async fn http_without_tls(mut request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let uri = request.uri().to_string().replacen("https:", "http:", 1);
    *request.uri_mut() = uri.parse().expect("a URI stays one under another scheme");
    http(request).await
}

async fn discovers(facts: &Facts) -> Result<Provider> {
    let provider = Provider::discover_async(IssuerUrl::new(facts.issuer.clone())?, &http).await?;
    let algorithms = provider.id_token_signing_alg_values_supported();
    for algorithm in [
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EdDsa,
    ] {
        ensure!(algorithms.contains(&algorithm), "{algorithm:?} is not offered");
    }
    ensure!(!provider.jwks().keys().is_empty(), "no key of the JWKS can be read");
    Ok(provider)
}

async fn registers(provider: &Provider, method: CoreClientAuthMethod) -> Result<App> {
    let endpoint = provider.registration_endpoint().context("no registration_endpoint")?;
    let wish = Wish { scope: "openid profile email offline_access".to_owned() };
    let response = Registration::new(vec![RedirectUrl::new(REDIRECT_URI.to_owned())?], wish)
        .set_token_endpoint_auth_method(Some(method.clone()))
        .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
        .register_async(endpoint, &http)
        .await?;
    let secret = response.client_secret().context("no client_secret")?.clone();
    Ok(app(provider, response.client_id().clone(), secret).set_auth_type(match method {
        CoreClientAuthMethod::ClientSecretPost => openidconnect::AuthType::RequestBody,
        _ => openidconnect::AuthType::BasicAuth,
    }))
}

fn app(provider: &Provider, client_id: ClientId, secret: ClientSecret) -> App {
    let endpoints = provider.additional_metadata().clone();
    CoreClient::from_provider_metadata(provider.clone(), client_id, Some(secret))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("REDIRECT_URI is a URL"))
        .set_introspection_url(endpoints.introspection_endpoint)
        .set_revocation_url(as_if_over_tls(&endpoints.revocation_endpoint))
}

async fn signs_in(app: &App, facts: &Facts) -> Result<(CoreTokenResponse, CoreIdTokenClaims)> {
    let alice = facts.users.iter().find(|user| user.username == "alice").context("the facts name no alice")?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = app
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .add_prompt(openidconnect::core::CoreAuthPrompt::Consent)
        .set_pkce_challenge(challenge)
        .url();
    let landed = Person::new(alice.username.clone(), alice.password.clone())?.visits(url, REDIRECT_URI).await?;
    let answer: HashMap<_, _> = landed.query_pairs().into_owned().collect();
    ensure!(answer.get("state") == Some(state.secret()), "another state came back");
    ensure!(answer.get("iss") == Some(&facts.issuer), "iss is missing (RFC 9207)");
    let code = answer.get("code").with_context(|| format!("no code: {landed}"))?.clone();
    let tokens =
        app.exchange_code(AuthorizationCode::new(code))?.set_pkce_verifier(verifier).request_async(&http).await?;

    let id_token = tokens.id_token().context("no ID token")?;
    let token_verifier = app.id_token_verifier();
    let claims = id_token.claims(&token_verifier, &nonce)?.clone();
    let said = claims.access_token_hash().context("no at_hash")?;
    let counted = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg()?,
        id_token.signing_key(&token_verifier)?,
    )?;
    ensure!(*said == counted, "at_hash is of another access token");
    ensure!(claims.auth_time().is_some(), "no auth_time");
    Ok((tokens, claims))
}

async fn reads_userinfo(app: &App, tokens: &CoreTokenResponse, claims: &CoreIdTokenClaims) -> Result<()> {
    let info: CoreUserInfoClaims =
        app.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?.request_async(&http).await?;
    ensure!(info.email().is_some_and(|email| email.as_str() == "alice@example.com"), "email is {:?}", info.email());
    ensure!(info.email_verified() == Some(true), "email_verified is {:?}", info.email_verified());
    Ok(())
}

fn refuses_foreign_id_tokens(provider: &Provider, own: &App, tokens: &CoreTokenResponse) -> Result<()> {
    let id_token = tokens.id_token().context("no ID token")?;
    ensure!(id_token.claims(&own.id_token_verifier(), &Nonce::new_random()).is_err(), "another nonce was accepted");
    let other = app(provider, ClientId::new("another-app".to_owned()), ClientSecret::new("secret".to_owned()));
    let any_nonce = |_: Option<&Nonce>| Ok(());
    ensure!(id_token.claims(&other.id_token_verifier(), any_nonce).is_err(), "another aud was accepted");
    id_token.claims(&own.id_token_verifier(), any_nonce)?;
    Ok(())
}

async fn renews_and_revokes(app: &App, tokens: &CoreTokenResponse) -> Result<()> {
    let first = tokens.refresh_token().context("no refresh token")?;
    let next = app.exchange_refresh_token(first)?.request_async(&http).await?;
    let second = next.refresh_token().context("no successor")?;
    ensure!(second.secret() != first.secret(), "was not rotated");
    ensure!(is_active(app, next.access_token()).await?, "the new access token is not active");

    app.revoke_token(CoreRevocableToken::from(second.clone()))?.request_async(&http_without_tls).await?;
    ensure!(!is_active(app, next.access_token()).await?, "the access token outlives its grant");
    let again = app.exchange_refresh_token(second)?.request_async(&http).await;
    match again {
        Err(openidconnect::RequestTokenError::ServerResponse(error)) => {
            ensure!(error.error().as_ref() == "invalid_grant", "refused as {}", error.error());
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(_) => bail!("a revoked refresh token was accepted"),
    }
}

async fn is_active(app: &App, token: &AccessToken) -> Result<bool> {
    Ok(app.introspect(token).request_async(&http).await?.active())
}

async fn machine_gets_a_token(provider: &Provider, facts: &Facts) -> Result<()> {
    let seeded = facts.clients.iter().find(|client| client.name == "demo-api").context("the facts name no demo-api")?;
    let secret = seeded.client_secret.clone().context("demo-api has no secret")?;
    let service = app(provider, ClientId::new(seeded.client_id.clone()), ClientSecret::new(secret));
    let tokens = service.exchange_client_credentials()?.request_async(&http).await?;
    ensure!(tokens.refresh_token().is_none() && tokens.id_token().is_none(), "more than an access token came");
    ensure!(tokens.expires_in().is_some(), "expires_in is missing");
    Ok(())
}
