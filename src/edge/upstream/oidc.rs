//! Providers that speak OpenID Connect, by the crate `openidconnect` over our own way out.
//!
//! OIDC Core §3.1 (the code flow) and §3.1.3.7 (what an ID token has to be), OIDC Discovery §4, RFC 7636, RFC 9207; PROTOCOL A21.
//!
//! *Beside the crate:* the shape of a token is judged by our own parser first (no `none`, no keys within the header, 16 kB), HMAC is
//! never accepted, `azp` is compared, time is our clock's, and claims are read from the verified payload as they stand: the crate would
//! take `"true"` for `true`. Metadata are read here, since those of Microsoft are a template.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, LoginHint, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    TokenResponse as _, TokenUrl,
};
use serde_json::{Map, Value};

use crate::edge::upstream::logout;
use crate::edge::upstream::reading::{Reading, is_true};
use crate::edge::upstream::way::Way;
use crate::edge::upstream::{Account, Beginning, Presented, Returned, UpstreamError, UpstreamProvider};
use crate::model::identity_provider::{ProviderSettings, TokenAuth};
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::jws::Unverified;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::backchannel_logout::LogoutToken;
use crate::protocol::secret::{Secret, TokenHash};

/// How long metadata and keys are believed.
const LIFETIME: Duration = Duration::from_hours(1);
/// How soon they may be asked for again, since a token names a key that is not among them.
const FLOOR: Duration = Duration::from_mins(1);
/// Clocks differ (PROTOCOL §3: 60 s).
const LEEWAY: Duration = Duration::from_mins(1);

/// The algorithms that count: what a public key verifies.
const ALGORITHMS: &[CoreJwsSigningAlgorithm] = &[
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Metadata and keys of issuers, as they were last read.
#[derive(Default)]
pub(in crate::edge::upstream) struct Documents(Mutex<HashMap<String, Arc<Document>>>);

/// What an issuer tells of itself.
pub(super) struct Document {
    metadata: Map<String, Value>,
    keys: CoreJsonWebKeySet,
    /// The keys as they were published.
    pub(super) published: Value,
    read_at: NumericDate,
}

/// How one kind of provider differs from the specification.
pub(super) struct Dialect {
    /// Where metadata are looked for.
    pub(super) issuer: String,
    /// Where keys are, for one without metadata.
    pub(super) keys_uri: Option<&'static str>,
    /// Whether metadata that state `issuer` are those that were looked for.
    pub(super) states: fn(stated: &str, wanted: &str) -> bool,
    /// The issuer that a token with these claims has to be of, by the one that the metadata state.
    pub(super) issuer_of: fn(stated: &str, claims: &Map<String, Value>) -> Result<String, UpstreamError>,
    /// The issuer that identities are written down under.
    pub(super) known_as: fn(issuer: String) -> String,
    /// What is asked for beside `openid`.
    pub(super) scopes: &'static [&'static str],
    /// More parameters of the authorization request.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// Whether a verified token is one that is let in.
    pub(super) admits: fn(&ProviderSettings, &Map<String, Value>) -> Result<(), UpstreamError>,
    /// Whether the address is proven.
    pub(super) email_verified: fn(&Map<String, Value>) -> bool,
    /// Whether `UserInfo` is asked where the token tells no address.
    pub(super) asks_userinfo: bool,
    /// Our secret, where it is made for each exchange.
    pub(super) secret: Option<Secret>,
    /// How we prove ourselves at the token endpoint.
    pub(super) auth: Option<TokenAuth>,
    /// Names that come with the response and not in the token.
    pub(super) names: fn(&Returned, &mut UpstreamIdentity),
}

impl Dialect {
    /// The specification itself.
    pub(super) fn plain(issuer: String) -> Self {
        Self {
            issuer,
            keys_uri: None,
            states: |stated, wanted| stated == wanted,
            issuer_of: |stated, _| Ok(stated.to_owned()),
            known_as: |issuer| issuer,
            scopes: &["profile", "email"],
            parameters: Vec::new(),
            admits: |_, _| Ok(()),
            email_verified: |claims| is_true(claims.get("email_verified")),
            asks_userinfo: true,
            secret: None,
            auth: None,
            names: |_, _| {},
        }
    }
}

/// A provider that speaks OpenID Connect.
pub(super) struct Oidc<'a> {
    pub(super) account: Account<'a>,
    pub(super) dialect: Dialect,
}

/// Any issuer.
pub(super) fn generic(account: Account<'_>) -> Oidc<'_> {
    let dialect = Dialect::plain(account.provider.issuer());
    Oidc { account, dialect }
}

#[async_trait]
impl UpstreamProvider for Oidc<'_> {
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError> {
        let document = self.document().await?;
        let client = CoreClient::new(self.client_id(), issuer_url(&self.dialect.issuer)?, document.keys.clone())
            .set_auth_uri(self.endpoint(&document, "authorization_endpoint", AuthUrl::new)?)
            .set_redirect_uri(redirect_url(&beginning.redirect_uri)?);
        let (state, nonce) = (beginning.state.expose().clone(), beginning.nonce.expose().clone());
        let mut request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        );
        for scope in self.account.scopes(self.dialect.scopes) {
            if scope != "openid" {
                request = request.add_scope(Scope::new(scope.to_owned()));
            }
        }
        let verifier = PkceCodeVerifier::new(beginning.verifier.expose().clone());
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for (name, value) in &self.dialect.parameters {
            request = request.add_extra_param(*name, value.clone());
        }
        if let Some(prompt) = beginning.prompt {
            request = request.add_extra_param("prompt", prompt);
            // OIDC Core §3.1.2.1: the ID token then tells when.
            if prompt == "login" && self.account.provider.kind.tells_when_proven() {
                request = request.add_extra_param("max_age", "0");
            }
        }
        if let Some(hint) = &beginning.login_hint {
            request = request.set_login_hint(LoginHint::new(hint.clone()));
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError> {
        let document = self.document().await?;
        self.check_response_issuer(&document, returned.issuer.as_deref())?;
        let (id_token, access_token) =
            self.redeem(&document, (&returned.code, Some(&returned.verifier)), &returned.redirect_uri).await?;
        let own = [self.account.provider.client_id.as_str()];
        let (issuer, claims) = self.verified(&id_token, &own, &Wanted::Exactly(&returned.nonce)).await?;
        let mut identity = self.identity(&document, (issuer, claims), Some(&access_token)).await?;
        (self.dialect.names)(returned, &mut identity);
        Ok(identity)
    }

    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError> {
        let settings = &self.account.provider.settings;
        let audiences: Vec<&str> = std::iter::once(self.account.provider.client_id.as_str())
            .chain(settings.audiences.iter().map(String::as_str))
            .collect();
        let document = self.document().await?;
        let (id_token, access_token, nonce) = match presented {
            Presented::IdToken { token, nonce } => (token.clone(), None, nonce),
            Presented::Code { code, verifier, redirect_uri, nonce } => {
                let (id_token, access_token) = self.redeem(&document, (code, verifier.as_ref()), redirect_uri).await?;
                (id_token, Some(access_token), nonce)
            }
            // Whoever holds one may be another app: `aud` is what tells (S-061).
            Presented::AccessToken(_) => return Err(UpstreamError::Unsupported("an access token names no audience")),
        };
        let verified = self.verified(&id_token, &audiences, &Wanted::OfApp(nonce.as_deref())).await?;
        self.identity(&document, verified, access_token.as_ref()).await
    }

    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError> {
        let document = self.document().await?;
        let keys = document.keys.keys().len();
        let found = format!("its metadata and {keys} keys can be read");
        // A code that nobody made: who refuses the code has let us in.
        let code = Secret::from("symbolon-asks-whether-its-secret-is-right");
        match self.redeem(&document, (&code, None), redirect_uri).await {
            Err(UpstreamError::Refused(_)) => Ok(format!("{found}, and it knows our client id and secret")),
            Err(UpstreamError::Untrue(why)) => Ok(format!("{found}; the token endpoint answers oddly: {why}")),
            Err(error) => Err(error),
            Ok(_) => Err(UpstreamError::Untrue("it gives tokens for a code that it never made".to_owned())),
        }
    }

    async fn left(&self, token: &Secret) -> Result<LogoutToken, UpstreamError> {
        let document = self.document().await?;
        match logout::judge(self, &document, token) {
            Err(Unverifiable::UnknownKey) => {
                let document = self.account.documents.again(self.account.way, &self.dialect, &document).await?;
                logout::judge(self, &document, token)
            }
            judged => judged,
        }
        .map_err(UpstreamError::from)
    }
}

/// The nonce that a token has to repeat.
enum Wanted<'a> {
    /// The one that we asked with.
    Exactly(&'a Secret),
    /// The one that an app asked with, or its SHA-256 as apps on phones do; none where it asked with none.
    OfApp(Option<&'a str>),
}

impl Wanted<'_> {
    fn check(&self, nonce: Option<&Nonce>) -> Result<(), String> {
        let nonce = nonce.map(|nonce| nonce.secret().as_str());
        let is_good = match (self, nonce) {
            (Self::Exactly(wanted), Some(nonce)) => wanted.matches(nonce),
            (Self::OfApp(Some(wanted)), Some(nonce)) => {
                Secret::from(*wanted).matches(nonce)
                    || Secret::new(hex(TokenHash::of(wanted).as_bytes())).matches(nonce)
            }
            (Self::OfApp(None), None) => true,
            _ => false,
        };
        if is_good { Ok(()) } else { Err("the nonce is another, or missing".to_owned()) }
    }
}

impl Oidc<'_> {
    fn client_id(&self) -> ClientId {
        ClientId::new(self.account.provider.client_id.clone())
    }

    async fn document(&self) -> Result<Arc<Document>, UpstreamError> {
        self.account.documents.get(self.account.way, &self.dialect).await
    }

    /// An endpoint: as set by the operator, else as the metadata state it.
    fn endpoint<T, E>(
        &self,
        document: &Document,
        name: &'static str,
        read: fn(String) -> Result<T, E>,
    ) -> Result<T, UpstreamError> {
        let set = &self.account.provider.settings.endpoints;
        let set = match name {
            "authorization_endpoint" => set.authorization.clone(),
            "token_endpoint" => set.token.clone(),
            _ => None,
        };
        let stated = || document.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
        let url = set.or_else(stated).ok_or_else(|| UpstreamError::Untrue(format!("its metadata state no {name}")))?;
        read(url).map_err(|_| UpstreamError::Untrue(format!("its {name} is no URL")))
    }

    /// RFC 9207 §2.4: where the provider says that its responses name it, one that does not is somebody else's.
    fn check_response_issuer(&self, document: &Document, named: Option<&str>) -> Result<(), UpstreamError> {
        let always = is_true(document.metadata.get("authorization_response_iss_parameter_supported"));
        let stated = document.issuer(&self.dialect.issuer);
        match named {
            // A template is no issuer: the token's is compared with the tenant's.
            Some(named) if named == stated || (stated.contains('{') && !always) => Ok(()),
            Some(_) => Err(UpstreamError::Untrue("iss of the response names another".to_owned())),
            None if always => Err(UpstreamError::Untrue("iss of the response is missing".to_owned())),
            None => Ok(()),
        }
    }

    /// Redeems a code; the ID token and the access token.
    async fn redeem(
        &self,
        document: &Document,
        (code, verifier): (&Secret, Option<&Secret>),
        redirect_uri: &str,
    ) -> Result<(Secret, Secret), UpstreamError> {
        let mut client = CoreClient::new(self.client_id(), issuer_url(&self.dialect.issuer)?, document.keys.clone())
            .set_token_uri(self.endpoint(document, "token_endpoint", TokenUrl::new)?)
            .set_redirect_uri(redirect_url(redirect_uri)?)
            .set_auth_type(self.auth_type(document));
        if let Some(secret) = self.dialect.secret.as_ref().or(self.account.secret.as_ref()) {
            client = client.set_client_secret(ClientSecret::new(secret.expose().clone()));
        }
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose().clone()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
        }
        let response = request.request_async(self.account.way).await.map_err(refused)?;
        let id_token = response.id_token();
        let id_token = id_token.ok_or_else(|| UpstreamError::Untrue("it gives no ID token".to_owned()))?;
        Ok((Secret::new(id_token.to_string()), Secret::new(response.access_token().secret().clone())))
    }

    fn auth_type(&self, document: &Document) -> AuthType {
        match self.dialect.auth.unwrap_or(self.account.provider.settings.token_auth) {
            TokenAuth::Basic => AuthType::BasicAuth,
            TokenAuth::Post => AuthType::RequestBody,
            TokenAuth::Advertised => {
                let methods = document.metadata.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
                let takes = |name: &str| methods.is_none_or(|methods| methods.iter().any(|method| method == name));
                if takes("client_secret_basic") { AuthType::BasicAuth } else { AuthType::RequestBody }
            }
        }
    }

    /// The issuer and the claims of an ID token that is all it has to be (OIDC Core §3.1.3.7). A key that is not known is looked for
    /// once more.
    async fn verified(
        &self,
        id_token: &Secret,
        audiences: &[&str],
        nonce: &Wanted<'_>,
    ) -> Result<(String, Map<String, Value>), UpstreamError> {
        let document = self.document().await?;
        match self.verify(&document, id_token, audiences, nonce) {
            Err(Unverifiable::UnknownKey) => {
                let document = self.account.documents.again(self.account.way, &self.dialect, &document).await?;
                self.verify(&document, id_token, audiences, nonce)
            }
            judged => judged,
        }
        .map_err(UpstreamError::from)
    }

    fn verify(
        &self,
        document: &Document,
        id_token: &Secret,
        audiences: &[&str],
        nonce: &Wanted<'_>,
    ) -> Result<(String, Map<String, Value>), Unverifiable> {
        let untrue = |why: &dyn std::fmt::Display| Unverifiable::Untrue(why.to_string());
        let shape = Unverified::parse(id_token.expose()).map_err(|error| untrue(&error))?;
        if JwsAlgorithm::SYMMETRIC.contains(&shape.algorithm()) {
            return Err(Unverifiable::Untrue("the token is signed with a secret that others share".to_owned()));
        }
        let claims = shape.unverified_claims().map_err(|error| untrue(&error))?;
        let stated = document.issuer(&self.dialect.issuer);
        let issuer = (self.dialect.issuer_of)(stated, &claims).map_err(Unverifiable::Other)?;
        let named = names(claims.get("aud"));
        let audience = audiences.iter().find(|audience| named.contains(audience));
        let audience = audience.ok_or_else(|| Unverifiable::Untrue("the token is for another app".to_owned()))?;

        let parsed = CoreIdToken::from_str(id_token.expose()).map_err(|_| untrue(&"the token cannot be read"))?;
        let now = self.account.way.now();
        let (latest, earliest) = (moment(now.plus(LEEWAY)), moment(now.minus(LEEWAY)));
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new((*audience).to_owned()),
            issuer_url(&issuer).map_err(Unverifiable::Other)?,
            document.keys.clone(),
        )
        .set_allowed_algs(ALGORITHMS.iter().cloned())
        .set_time_fn(move || earliest)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= latest { Ok(()) } else { Err("it is of the future".to_owned()) }
        });
        parsed.claims(&verifier, |found: Option<&Nonce>| nonce.check(found)).map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Unverifiable::UnknownKey
            }
            ClaimsVerificationError::SignatureVerification(_) => untrue(&"the signature of the token is not valid"),
            ClaimsVerificationError::Expired(_) => untrue(&"the token is over, or of the future"),
            ClaimsVerificationError::InvalidIssuer(_) => untrue(&"the token is of another issuer"),
            ClaimsVerificationError::InvalidAudience(_) => untrue(&"the token is for other apps as well"),
            ClaimsVerificationError::InvalidNonce(_) => untrue(&"the nonce of the token is another, or missing"),
            _ => untrue(&"the token is not what an ID token has to be"),
        })?;
        // OIDC Core §3.1.3.7, 4 and 5.
        match claims.get("azp") {
            None => {}
            Some(azp) if audiences.iter().any(|own| azp == own) => {}
            Some(_) => return Err(untrue(&"azp of the token is another app")),
        }
        (self.dialect.admits)(&self.account.provider.settings, &claims).map_err(Unverifiable::Other)?;
        Ok((issuer, claims))
    }

    /// Who the claims are of; what they do not tell is asked for, where there is a token for it.
    async fn identity(
        &self,
        document: &Document,
        (issuer, mut claims): (String, Map<String, Value>),
        access_token: Option<&Secret>,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let settings = &self.account.provider.settings;
        let token = Reading { settings, claims: &claims };
        let subject = token.subject(&["sub"])?;
        let [told_at, good_until, proven_at] = ["iat", "exp", "auth_time"].map(|name| token.moment(name));
        let url = settings.endpoints.userinfo.as_deref();
        let url = url.or_else(|| document.metadata.get("userinfo_endpoint").and_then(Value::as_str));
        let lacks_groups = settings.groups.claim.is_some() && Reading { settings, claims: &claims }.groups().is_none();
        if let (Some(url), Some(token), true) = (url, access_token, self.dialect.asks_userinfo)
            && (!claims.contains_key("email") || lacks_groups)
        {
            let told = self.account.way.get(url, Some(token.expose())).await?;
            // OIDC Core §5.3.2: of somebody else it is not used.
            if told.get("sub").and_then(Value::as_str) != claims.get("sub").and_then(Value::as_str) {
                return Err(UpstreamError::Untrue("UserInfo is of somebody else".to_owned()));
            }
            for (name, value) in told {
                claims.entry(name).or_insert(value);
            }
        }
        let email_verified = (self.dialect.email_verified)(&claims);
        let reading = Reading { settings, claims: &claims };
        let identity = reading.identity(((self.dialect.known_as)(issuer), subject), email_verified);
        let mut identity = UpstreamIdentity { told_at, good_until, proven_at, ..identity };
        // Who was asked for everything and tells of no group means that there is none; a bare token may be silent.
        if identity.groups.is_none() && access_token.is_some() && settings.groups.claim.is_some() {
            identity.groups = Some(Vec::new());
        }
        Ok(identity)
    }
}

/// The crate asks over our own way out.
impl<'c> AsyncHttpClient<'c> for Way {
    type Error = UpstreamError;
    type Future = BoxFuture<'c, Result<HttpResponse, UpstreamError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(self.send(request.map(Bytes::from)).await?.map(|body| body.to_vec())) })
    }
}

/// Why a token is not believed.
pub(super) enum Unverifiable {
    UnknownKey,
    Untrue(String),
    Other(UpstreamError),
}

impl From<Unverifiable> for UpstreamError {
    fn from(unverifiable: Unverifiable) -> Self {
        match unverifiable {
            Unverifiable::UnknownKey => Self::Untrue("no key of it has signed the token".to_owned()),
            Unverifiable::Untrue(why) => Self::Untrue(why),
            Unverifiable::Other(error) => error,
        }
    }
}

impl Document {
    /// The issuer that the metadata state; `wanted` where there are none.
    pub(super) fn issuer<'d>(&'d self, wanted: &'d str) -> &'d str {
        self.metadata.get("issuer").and_then(Value::as_str).unwrap_or(wanted)
    }
}

impl Documents {
    /// What an issuer tells of itself, at most an hour old.
    async fn get(&self, way: &Way, dialect: &Dialect) -> Result<Arc<Document>, UpstreamError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&dialect.issuer).cloned();
        match held {
            Some(held) if !held.read_at.plus(LIFETIME).is_past(way.now()) => Ok(held),
            _ => self.read(way, dialect).await,
        }
    }

    /// The same anew, unless `held` is of a moment ago.
    async fn again(&self, way: &Way, dialect: &Dialect, held: &Arc<Document>) -> Result<Arc<Document>, UpstreamError> {
        if held.read_at.plus(FLOOR).is_past(way.now()) { self.read(way, dialect).await } else { Ok(Arc::clone(held)) }
    }

    async fn read(&self, way: &Way, dialect: &Dialect) -> Result<Arc<Document>, UpstreamError> {
        let issuer = &dialect.issuer;
        let (metadata, keys_uri) = if let Some(uri) = dialect.keys_uri {
            (Map::new(), uri.to_owned())
        } else {
            let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            let metadata = way.get(&url, None).await?;
            let stated = metadata.get("issuer").and_then(Value::as_str).unwrap_or_default();
            // OIDC Discovery §4.3: exactly.
            if !(dialect.states)(stated, issuer) {
                return Err(UpstreamError::Untrue("its metadata are of another issuer".to_owned()));
            }
            let uri = metadata.get("jwks_uri").and_then(Value::as_str).map(str::to_owned);
            let uri = uri.ok_or_else(|| UpstreamError::Untrue("its metadata state no jwks_uri".to_owned()))?;
            (metadata, uri)
        };
        let keys = way.get_any(&keys_uri, None).await?;
        let published = keys.clone();
        let keys: CoreJsonWebKeySet =
            serde_json::from_value(keys).map_err(|_| UpstreamError::Untrue("its keys are no key set".to_owned()))?;
        let document = Arc::new(Document { metadata, keys, published, read_at: way.now() });
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(issuer.clone(), Arc::clone(&document));
        Ok(document)
    }
}

/// Why a token endpoint gave nothing, without a word of what it said but the code.
fn refused<T>(error: RequestTokenError<UpstreamError, StandardErrorResponse<T>>) -> UpstreamError
where
    T: openidconnect::ErrorResponseType + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(response) => {
            let code: String = response.error().to_string().chars().filter(char::is_ascii_graphic).take(64).collect();
            if code == "invalid_client" || code == "unauthorized_client" {
                UpstreamError::Misconfigured(format!("the token endpoint says {code}"))
            } else {
                UpstreamError::Refused(format!("the token endpoint says {code}"))
            }
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            UpstreamError::Untrue("the token endpoint answers no token response".to_owned())
        }
    }
}

/// The members of `aud`: a text, or a list of them.
fn names(aud: Option<&Value>) -> Vec<&str> {
    match aud {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn issuer_url(issuer: &str) -> Result<IssuerUrl, UpstreamError> {
    IssuerUrl::new(issuer.to_owned()).map_err(|_| UpstreamError::Misconfigured("its issuer is no URL".to_owned()))
}

fn redirect_url(uri: &str) -> Result<RedirectUrl, UpstreamError> {
    RedirectUrl::new(uri.to_owned()).map_err(|_| UpstreamError::Refused("the redirect URI is no URL".to_owned()))
}

fn moment(date: NumericDate) -> DateTime<Utc> {
    DateTime::from_timestamp(date.seconds(), 0).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
