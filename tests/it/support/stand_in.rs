//! Providers of identities, played as their documents describe them: paths, parameters, token shapes and quirks.
//!
//! A stand-in speaks OpenID Connect as Google, Apple, Microsoft or any issuer does. It is honest until a story has it lie ([`Lie`]).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value, json};
use symbolon::edge::store::{Beside, Creation};
use symbolon::edge::upstream::secret_place;
use symbolon::model::id::ProviderId;
use symbolon::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSecret, ProviderSettings};
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::jose::jws::{SigningKey, Unverified};
use symbolon::protocol::numeric_date::NumericDate;
use url::Url;

use super::TestServer;
use super::answer::{Answer, parameters};
use super::world::{Site, TestClock};

/// Our client id at every stand-in.
pub(crate) const CLIENT_ID: &str = "symbolon-at-the-provider";
/// Our secret there.
pub(crate) const SECRET: &str = "a secret of ours & theirs: +/=";

/// Keys take long to make; every stand-in has these two.
static KEYS: LazyLock<[Arc<SigningKey>; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Arc::new(SigningKey::generate(SigningAlgorithm::RS256).expect("a key").key)));

/// How a provider lies, or fails.
#[derive(Clone, Debug, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    /// The ID token says this instead; `null` takes a claim away.
    Claims(Value),
    /// `alg: none`, without a signature.
    Unsigned,
    /// HS256 under the public key, as everybody knows it.
    SignedWithPublicKey,
    /// By a key that it does not publish.
    SignedByAnother,
    /// `UserInfo` of another person.
    AnotherUserInfo,
    /// Metadata of another issuer.
    AnotherIssuer,
    /// The token endpoint leads elsewhere.
    Redirect(&'static str),
    /// A token response of many megabytes.
    Huge,
    /// No answer in time.
    Slow,
    /// 503.
    Down,
    /// The token endpoint refuses, in words that nobody should repeat.
    Refuses,
}

/// A provider in a story. Clones share it.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) issuer: String,
    /// Where its metadata say that it is.
    host: &'static str,
    manner: Manner,
    clock: Arc<TestClock>,
    told: Arc<Mutex<Told>>,
}

/// Whose paths and quirks it has.
#[derive(Clone)]
enum Manner {
    /// Google's, and any issuer's.
    Usual,
    /// Apple's; the key of the developer account verifies our secret.
    Apple(Arc<SigningKey>),
    /// Microsoft's: metadata state a template.
    Microsoft,
}

impl Manner {
    /// Authorization, tokens, keys.
    const fn paths(&self) -> [&'static str; 3] {
        match self {
            Self::Usual => ["/o/oauth2/v2/auth", "/token", "/oauth2/v3/certs"],
            Self::Apple(_) => ["/auth/authorize", "/auth/token", "/auth/keys"],
            Self::Microsoft => {
                ["/common/oauth2/v2.0/authorize", "/common/oauth2/v2.0/token", "/common/discovery/v2.0/keys"]
            }
        }
    }
}

/// The tenant of a stand-in of Microsoft.
pub(crate) const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

#[derive(Default)]
struct Told {
    /// Who signs in there: claims of the ID token, `sub` among them.
    person: Map<String, Value>,
    lie: Lie,
    codes: HashMap<String, Waiting>,
    asked: Vec<String>,
    /// The key that signs; the other one is published from the first rotation on.
    key: usize,
    /// Whether claims about the person come by `UserInfo` only.
    lean: bool,
    /// More members of the metadata.
    metadata: Map<String, Value>,
}

struct Waiting {
    nonce: Option<String>,
    challenge: Option<String>,
    redirect_uri: String,
}

impl StandIn {
    /// Google, known to `server` as `google`.
    pub(crate) async fn google(server: &TestServer) -> Self {
        Self::google_with(server, |_| ()).await
    }

    /// Google, with settings of its own.
    pub(crate) async fn google_with(server: &TestServer, set: impl FnOnce(&mut ProviderSettings)) -> Self {
        let google = Self::at(server, "https://accounts.google.com", "https://accounts.google.com");
        add(server, ("google", ProviderKind::Google), |settings| {
            settings.trust.email_domains = vec!["gmail.com".to_owned()];
            set(settings);
        })
        .await;
        google
    }

    /// Any issuer, known to `server` as `corp`.
    pub(crate) async fn corp(server: &TestServer, set: impl FnOnce(&mut ProviderSettings)) -> Self {
        let corp = Self::at(server, "https://idp.corp.example", "https://idp.corp.example");
        add(server, ("corp", ProviderKind::Oidc), |settings| {
            settings.issuer = Some("https://idp.corp.example".to_owned());
            set(settings);
        })
        .await;
        corp
    }

    /// Apple, known to `server` as `apple`, with the private key of a developer account as our secret.
    pub(crate) async fn apple(server: &TestServer) -> Self {
        let key = SigningKey::generate(SigningAlgorithm::ES256).expect("a key");
        let body = STANDARD.encode(key.pkcs8.expose());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let manner = Manner::Apple(Arc::new(key.key));
        let apple = Self::in_manner(server, ("https://appleid.apple.com", "https://appleid.apple.com"), manner);
        add_with(server, ("apple", ProviderKind::Apple), &pem, |settings| {
            settings.team_id = Some("DEF123GHIJ".to_owned());
            settings.key_id = Some("ABC123DEFG".to_owned());
            settings.trust.email_domains = vec!["privaterelay.appleid.com".to_owned()];
        })
        .await;
        apple
    }

    /// Microsoft, known to `server` as `microsoft`, for accounts of every tenant.
    pub(crate) async fn microsoft(server: &TestServer, set: impl FnOnce(&mut ProviderSettings)) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let microsoft = Self::in_manner(server, (&issuer, "https://login.microsoftonline.com"), Manner::Microsoft);
        add(server, ("microsoft", ProviderKind::Microsoft), set).await;
        microsoft
    }

    /// A provider that nobody has written down yet.
    pub(crate) fn at(server: &TestServer, issuer: &str, host: &'static str) -> Self {
        Self::in_manner(server, (issuer, host), Manner::Usual)
    }

    fn in_manner(server: &TestServer, (issuer, host): (&str, &'static str), manner: Manner) -> Self {
        let (issuer, clock) = (issuer.to_owned(), Arc::clone(&server.clock));
        let stand_in = Self { issuer, host, manner, clock, told: Arc::default() };
        server.web.open(host, Arc::new(stand_in.clone()));
        stand_in.person(json!({"sub": "110248495921238986420", "email": "carol@gmail.com", "email_verified": true,
            "name": "Carol Danvers", "given_name": "Carol", "family_name": "Danvers",
            "picture": "https://lh3.googleusercontent.com/a/carol"}));
        stand_in
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("no story panics here")
    }

    /// From now on this person signs in there.
    pub(crate) fn person(&self, claims: Value) {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        self.told().person = claims;
    }

    pub(crate) fn lies(&self, lie: Lie) {
        self.told().lie = lie;
    }

    /// Tells of the person at `UserInfo` only.
    pub(crate) fn tells_little(&self) {
        self.told().lean = true;
    }

    /// States something more in its metadata.
    pub(crate) fn states(&self, name: &str, value: Value) {
        self.told().metadata.insert(name.to_owned(), value);
    }

    /// Signs with the next key.
    pub(crate) fn rotates(&self) {
        self.told().key = 1;
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.told().asked.iter().filter(|asked| *asked == path).count()
    }

    /// The person follows a redirect there, agrees, and is sent back: path and query of the way back.
    #[track_caller]
    pub(crate) fn visit(&self, redirect: &Answer) -> String {
        let (url, _) = self.agree(redirect.location());
        let url = Url::parse(&url).expect("a URL");
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }

    /// The authorization endpoint: the redirect URI with the answer, and the answer.
    #[track_caller]
    pub(crate) fn agree(&self, url: &str) -> (String, Vec<(String, String)>) {
        assert!(url.starts_with(self.host), "{url} is not at {}", self.host);
        let sent: HashMap<String, String> = parameters(url).into_iter().collect();
        assert_eq!(sent["response_type"], "code");
        assert_eq!(sent["client_id"], CLIENT_ID);
        assert!(sent["scope"].split(' ').any(|scope| scope == "openid"), "{url}");
        assert_eq!(sent["code_challenge_method"], "S256");
        let path = Url::parse(url).expect("a URL").path().to_owned();
        assert_eq!(path, self.manner.paths()[0]);
        if let Manner::Apple(_) = self.manner {
            assert_eq!(sent["response_mode"], "form_post", "Apple gives name and email in no other way");
            assert_eq!(sent["scope"], "openid name email");
        }
        let code = format!("4/0A-code-{}", TestServer::number());
        let waiting = Waiting {
            nonce: sent.get("nonce").cloned(),
            challenge: sent.get("code_challenge").cloned(),
            redirect_uri: sent["redirect_uri"].clone(),
        };
        self.told().codes.insert(code.clone(), waiting);
        let answer = vec![("state".to_owned(), sent["state"].clone()), ("code".to_owned(), code)];
        let back = Url::parse_with_params(&sent["redirect_uri"], &answer).expect("a URL");
        (back.into(), answer)
    }

    /// An ID token for an app of the operator's, as a phone gets it.
    pub(crate) fn id_token(&self, audience: &str, nonce: Option<&str>) -> String {
        let mut claims = json!({"aud": audience});
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.sign(&claims)
    }

    /// That the person left: a logout token (OpenID Connect Back-Channel Logout §2.4) about them, with these claims over the usual.
    pub(crate) fn logout_token(&self, more: &Value) -> String {
        let now = self.clock.seconds();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": format!("left-{}", TestServer::number()),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        claims["sub"] = self.told().person["sub"].clone();
        merge(&mut claims, more);
        self.sealed("logout+jwt", &claims)
    }

    fn sign(&self, more: &Value) -> String {
        let told = self.told();
        let now = self.clock.seconds();
        let mut claims = json!({"iss": self.issuer, "iat": now, "exp": now + 3_600});
        if told.lean {
            claims["sub"] = told.person["sub"].clone();
        } else {
            merge(&mut claims, &Value::Object(told.person.clone()));
        }
        merge(&mut claims, more);
        if let Lie::Claims(lies) = &told.lie {
            merge(&mut claims, lies);
        }
        drop(told);
        self.sealed("JWT", &claims)
    }

    /// Signed, or not quite.
    fn sealed(&self, typ: &str, claims: &Value) -> String {
        let told = self.told();
        let key = &KEYS[told.key];
        match told.lie {
            Lie::Unsigned => format!("{}.{}.", encoded(&json!({"alg": "none"})), encoded(claims)),
            Lie::SignedWithPublicKey => {
                let input = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": key.kid()})), encoded(claims));
                let public = serde_json::to_string(key.public_jwk()).expect("JSON");
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), input.as_bytes());
                format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
            }
            Lie::SignedByAnother => KEYS[1 - told.key].sign_as(key.kid(), claims).expect("signed"),
            _ => key.sign(typ, claims).expect("signed"),
        }
    }

    fn token(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let lie = self.told().lie.clone();
        match lie {
            Lie::Redirect(target) => {
                let answer = Response::builder().status(302).header("location", target);
                return answer.body(Bytes::new()).expect("an answer");
            }
            Lie::Huge => return json_answer(200, &json!({"access_token": "x".repeat(2 * 1024 * 1024)})),
            Lie::Refuses => {
                let words = "<script>alert(1)</script> the subscription of Alice has lapsed";
                return json_answer(400, &json!({"error": "invalid_grant", "error_description": words}));
            }
            _ => {}
        }
        let fields: HashMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        let (id, secret) = credentials(request, &fields);
        let is_ours = match &self.manner {
            Manner::Apple(key) => self.signed_by(key, &secret),
            Manner::Usual | Manner::Microsoft => secret == SECRET,
        };
        if id != CLIENT_ID || !is_ours {
            return json_answer(401, &json!({"error": "invalid_client"}));
        }
        let waiting = fields.get("code").and_then(|code| self.told().codes.remove(code));
        let verifier =
            fields.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
        let good = waiting.filter(|waiting| {
            waiting.challenge == verifier && fields.get("redirect_uri") == Some(&waiting.redirect_uri)
        });
        let Some(waiting) = good else { return json_answer(400, &json!({"error": "invalid_grant"})) };
        let id_token = self.id_token(CLIENT_ID, waiting.nonce.as_deref());
        json_answer(
            200,
            &json!({"access_token": "ya29.a0-at", "expires_in": 3599, "scope": "openid email profile",
                "token_type": "Bearer", "id_token": id_token}),
        )
    }
}

impl StandIn {
    /// Apple, "Creating a client secret": an ES256 JWT by the key with this id, of this team, about us, for Apple, for a while.
    fn signed_by(&self, key: &SigningKey, secret: &str) -> bool {
        let Ok(token) = Unverified::parse(secret) else { return false };
        let Ok(claims) = token.verify(key.verification_key()).and_then(|payload| payload.object()) else {
            return false;
        };
        let now = self.clock.seconds();
        let exp = claims["exp"].as_i64().expect("a date");
        token.kid() == Some("ABC123DEFG")
            && json!([claims["iss"], claims["sub"], claims["aud"]])
                == json!(["DEF123GHIJ", CLIENT_ID, "https://appleid.apple.com"])
            && (now + 1..=now + 15_777_000).contains(&exp)
    }
}

impl Site for StandIn {
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path().to_owned();
        self.told().asked.push(path.clone());
        match self.told().lie {
            Lie::Slow => return None,
            Lie::Down => {
                return Some(Response::builder().status(503).body(Bytes::from("<h1>down</h1>")).expect("an answer"));
            }
            _ => {}
        }
        let host = self.host;
        Some(match path.as_str() {
            path if path.ends_with("/.well-known/openid-configuration") => {
                let told = self.told();
                let issuer = match (&told.lie, &self.manner) {
                    (Lie::AnotherIssuer, _) => "https://evil.example",
                    (_, Manner::Microsoft) => "https://login.microsoftonline.com/{tenantid}/v2.0",
                    _ => &self.issuer,
                };
                let [authorization, token, keys] = self.manner.paths();
                let mut metadata = json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{host}{authorization}"),
                    "token_endpoint": format!("{host}{token}"),
                    "userinfo_endpoint": format!("{host}/v1/userinfo"),
                    "jwks_uri": format!("{host}{keys}"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                });
                merge(&mut metadata, &Value::Object(told.metadata.clone()));
                json_answer(200, &metadata)
            }
            path if path == self.manner.paths()[2] => {
                let key = KEYS[self.told().key].public_jwk();
                json_answer(200, &json!({"keys": [key]}))
            }
            path if path == self.manner.paths()[1] => self.token(request),
            "/v1/userinfo" => {
                let mut person = Value::Object(self.told().person.clone());
                if matches!(self.told().lie, Lie::AnotherUserInfo) {
                    person["sub"] = json!("somebody else");
                }
                json_answer(200, &person)
            }
            _ => json_answer(404, &json!({"error": "not found"})),
        })
    }
}

/// Writes a provider down at `server`, with [`CLIENT_ID`] and [`SECRET`].
pub(crate) async fn add(
    server: &TestServer,
    (slug, kind): (&str, ProviderKind),
    set: impl FnOnce(&mut ProviderSettings),
) -> IdentityProvider {
    add_with(server, (slug, kind), SECRET, set).await
}

/// [`add`] with another secret.
pub(crate) async fn add_with(
    server: &TestServer,
    (slug, kind): (&str, ProviderKind),
    secret: &str,
    set: impl FnOnce(&mut ProviderSettings),
) -> IdentityProvider {
    let now = NumericDate::from_seconds(server.clock.seconds());
    let edges = &server.provider().edges;
    let id = ProviderId::new(now, edges.random.bytes());
    let row = id.to_string();
    let mut settings = ProviderSettings { name: slug.to_owned(), ..ProviderSettings::default() };
    set(&mut settings);
    let provider = IdentityProvider {
        id,
        slug: slug.parse().expect("a slug"),
        kind,
        client_id: CLIENT_ID.to_owned(),
        secret: Some(ProviderSecret::Sealed(server.provider().vault.seal(
            &secret_place(&row),
            secret.as_bytes(),
            &*edges.random,
        ))),
        settings,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    let made = server.store().create_identity_provider(&provider, Beside::default()).await.expect("stored");
    assert_eq!(made, Creation::Created);
    provider
}

/// Writes `more` over `into`; `null` takes away.
fn merge(into: &mut Value, more: &Value) {
    let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) else { panic!("two objects") };
    for (name, value) in more {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Response<Bytes> {
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(Bytes::from(body.to_string())).expect("an answer")
}

/// HTTP Basic (with both parts percent-encoded, RFC 6749 §2.3.1), else the form.
pub(crate) fn credentials(request: &Request<Bytes>, fields: &HashMap<String, String>) -> (String, String) {
    let basic = request.headers().get("authorization").and_then(|header| header.to_str().ok()?.strip_prefix("Basic "));
    let Some(basic) = basic else {
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        return (text("client_id"), text("client_secret"));
    };
    let decoded = String::from_utf8(STANDARD.decode(basic).expect("base64")).expect("text");
    let (id, secret) = decoded.split_once(':').expect("two parts");
    let plain = |text: &str| {
        let pair = format!("x={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    (plain(id), plain(secret))
}

/// Long enough for a provider that fails to be asked again.
pub(crate) const REST: Duration = Duration::from_secs(31);
