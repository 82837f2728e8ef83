//! The composition root: settings become edges, edges a provider, the provider a router. The only file that names real edges.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;

use crate::account::Accounts;
use crate::account::password_change::{Choice, PasswordChange};
use crate::account::site::Site;
use crate::account::step_up::StepUp;
use crate::authn;
use crate::authn::device::Devices;
use crate::authn::guard::Guard;
use crate::authn::limit::Limits;
use crate::authn::magic_link::{LinkUrl, MagicLink};
use crate::authn::passkey::Passkeys;
use crate::authn::password::hash::PasswordHasher;
use crate::authn::password::policy::PasswordPolicy;
use crate::authn::qr::Qr;
use crate::authn::second_factor::SecondFactors;
use crate::authn::sent_code::{Allowed, CodeSettings, Newcomers, SentCode, ToAnonymous, Way};
use crate::authn::throttle::Throttle;
use crate::config::effective::{self, Effective};
use crate::config::password::OtherSessions;
use crate::config::{Config, ConfigError};
use crate::edge::Edges;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::ephemeral::EphemeralStore;
use crate::edge::fetch::{Fetch, HttpFetch};
use crate::edge::mail::Mailer;
use crate::edge::outbox::Outbox;
use crate::edge::random::{Random, SystemRandom};
use crate::edge::sms::SmsSender;
use crate::edge::store::Store;
use crate::edge::telemetry::Telemetry;
use crate::edge::template::Templates;
use crate::edge::template::context::{DevelopmentUser, Link};
use crate::edge::upstream::Upstreams;
use crate::edge::vault::{Place, Vault};
use crate::http::api::admin::settings::Settings;
use crate::http::api::{Api, ApiSettings, CookieNames};
use crate::http::captcha::Captcha;
use crate::http::cookie::{CookieScope, Cookies};
use crate::http::csrf::Csrf;
use crate::http::document::{Document, Prepared};
use crate::http::front::Front;
use crate::http::health::{Dependency, Health};
use crate::http::operations::{Operations, Reload};
use crate::http::page::account::menu::Menus;
use crate::http::page::federation::Landings;
use crate::http::probe::Probes;
use crate::http::proxy::Proxies;
use crate::http::render::{Pages, Stage};
use crate::http::request_log::RequestLog;
use crate::http::routes;
use crate::http::security_header::Transport;
use crate::http::serve::Readiness;
use crate::http::token_cookie::TokenCookies;
use crate::http::trace::{Trace, Tracing};
use crate::http::web::{Parts, Web};
use crate::jobs::courier::Courier;
use crate::model::fault::Fault;
use crate::model::mailed_link::LinkPurpose;
use crate::oauth::allowed::of_specifications;
use crate::oauth::endpoint::discovery;
use crate::oauth::keys::SigningKeys;
use crate::oauth::policy::Mode;
use crate::oauth::provider::{Issuer, Provider};
use crate::oauth::rotation::{JWKS_MAX_AGE, Rotation, RotationPolicy};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::published;
use crate::protocol::secret::MacKey;

mod post;
mod rules;
mod start_error;
mod stores;

pub use self::post::{Ways, ways};
use self::rules::{captcha, cookie_scope, parallel, policy, throttle, upstreams};
pub use self::rules::{password_policy, rotation_policy};
pub use self::start_error::StartError;
use self::stores::Stores;
pub use self::stores::beside;
pub(crate) use self::stores::postgres;

/// Time, chance and the way out: real ones in a server, given ones in a test.
#[derive(Clone)]
pub struct World {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// The way out.
    pub fetch: Arc<dyn Fetch>,
    /// The ways of messages.
    pub post: Post,
}

/// The ways of messages.
#[derive(Clone)]
pub enum Post {
    /// Those that the settings name.
    Settings,
    /// These: a mailbox.
    Given {
        /// For mail.
        mailer: Arc<dyn Mailer>,
        /// For text messages.
        sms: Arc<dyn SmsSender>,
    },
}

/// A server that is built and not yet served.
pub struct App {
    /// The protocol.
    pub provider: Arc<Provider>,
    /// Password hashing.
    pub hasher: Arc<PasswordHasher>,
    /// What a new password has to hold.
    pub passwords: PasswordPolicy,
    other_sessions: Choice,
    throttle: Throttle,
    limits: Limits,
    captcha: Captcha,
    /// The pages.
    pub templates: Arc<Templates>,
    /// Who carries messages out.
    pub courier: Arc<Courier>,
    /// Whether it is about to stop.
    pub readiness: Readiness,
    post: Post,
    dependencies: Vec<Dependency>,
    probes: Probes,
    mode: Mode,
    issuer: url::Url,
    cookie_scope: CookieScope,
    token_cookies: TokenCookies,
    csrf_key: MacKey,
    devices: Devices,
    proxies: Proxies,
    api: ApiSettings,
    step_up_lifetime: Duration,
    sign_in_lifetime: Duration,
    upstreams: Upstreams,
    landings: Landings,
    code_settings: CodeSettings,
    newcomers: bool,
    qr: bool,
    config: Arc<Config>,
}

/// What is opened once, at the start.
struct Ground {
    edges: Edges,
    post: Post,
    vault: Arc<Vault>,
    dependencies: Vec<Dependency>,
    hasher: Arc<PasswordHasher>,
    readiness: Readiness,
    probes: Probes,
}

/// What a command adds to the server that it starts.
#[derive(Default)]
pub struct Extras {
    /// The lines of requests.
    pub requests: Option<RequestLog>,
    /// Who is told a span of each.
    pub spans: Option<Telemetry>,
    /// Accounts offered with one click.
    pub development_users: Vec<DevelopmentUser>,
    /// Links on the start page.
    pub start_links: Vec<Link>,
    /// Routes of the same origin.
    pub routes: Router,
    /// The settings, with where each was set.
    pub settings: Option<Vec<Effective>>,
}

impl World {
    /// This machine, and what the settings let it reach.
    ///
    /// # Errors
    /// When a setting of `[fetch]` cannot be used.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self { fetch: Arc::new(HttpFetch::with(config.fetch_settings()?)), ..Self::real() })
    }

    /// This machine.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            fetch: Arc::new(HttpFetch::new()),
            post: Post::Settings,
        }
    }
}

impl App {
    /// Opens the stores, reads or makes the keys, compiles the pages.
    ///
    /// # Errors
    /// [`StartError`] names what is missing or broken.
    pub async fn build(config: &Config, mode: Mode, world: World) -> Result<Self, StartError> {
        let Stores { store, ephemeral, vault, dependencies } = stores::open(config, &world).await?;
        let vault = Arc::new(vault);
        let post = world.post.clone();
        let edges = edges(world, (store, ephemeral), &vault);
        let ground = Ground {
            edges,
            post,
            vault,
            dependencies,
            hasher: Arc::new(PasswordHasher::new(parallel())),
            readiness: Readiness::default(),
            probes: Probes::default(),
        };
        // Boxed: the future is large, and every command holds it.
        Box::pin(Self::on(ground, config, mode)).await
    }

    /// The same server under other settings: what was opened once stays open.
    ///
    /// # Errors
    /// [`StartError`] names what is broken; this server goes on as it is.
    pub async fn rebuild(&self, config: &Config) -> Result<Self, StartError> {
        let ground = Ground {
            edges: self.provider.edges.clone(),
            post: self.post.clone(),
            vault: Arc::clone(&self.provider.vault),
            dependencies: self.dependencies.clone(),
            hasher: Arc::clone(&self.hasher),
            readiness: self.readiness.clone(),
            probes: self.probes.clone(),
        };
        Box::pin(Self::on(ground, config, self.mode)).await
    }

    /// Builds what can be built anew, on what is opened once.
    async fn on(ground: Ground, config: &Config, mode: Mode) -> Result<Self, StartError> {
        let Ground { edges, post, vault, dependencies, hasher, readiness, probes } = ground;
        let templates = Arc::new(Templates::new(config.theme.folder.as_deref())?);
        let keys = signing_keys(&edges, &vault, rotation_policy(config)).await?;
        if mode == Mode::Production
            && let Some((known, _)) = keys.iter().find(|(key, _)| published::is_published(key.kid()))
        {
            return Err(StartError::PublishedKey(known.kid().to_owned()));
        }
        let issuer: url::Url = config.issuer.as_str().parse()?;
        let courier = Arc::new(post::courier(config, &post, (&edges, &templates), &issuer)?);
        edges.outbox.hand_over_by(config.mail.sync.then(|| courier.direct()));
        let passwords = password_policy(config, parallel());
        let settings = config.account_settings().map_err(first_mistake)?;
        settings.rules.follow(&edges.store).await?;
        let limits = rules::limits(config, mode);
        let key = server_key(&edges, &vault, "account").await?;
        let site = Site::new(config.issuer.as_str(), config.frontend_pages()?);
        let factors = SecondFactors {
            edges: edges.clone(),
            vault: Arc::clone(&vault),
            key: server_key(&edges, &vault, "second_factor").await?,
            site: issuer.host_str().unwrap_or("symbolon").to_owned(),
            policy: config.second_factor.policy(config.backup_codes.count),
        };
        let devices = Devices::new(server_key(&edges, &vault, "device").await?);
        let guard = Guard { edges: edges.clone(), throttle: throttle(config, mode), devices: devices.clone() };
        let provider = Provider {
            accounts: Accounts::new(
                &edges,
                (Arc::clone(&hasher), passwords.clone()),
                &key,
                (settings, site),
                (limits.clone(), guard),
            )
            .with_codes_of(config.code_form())
            .with_pause(config.otp.resend_after),
            refresh_key: server_key(&edges, &vault, "refresh_token").await?,
            audit_key: server_key(&edges, &vault, "audit").await?,
            pairwise_key: server_key(&edges, &vault, "pairwise_subject").await?,
            content_key: server_key(&edges, &vault, "access_token_encryption").await?,
            policy: policy(config, mode)?,
            issuer: Issuer::new(&issuer),
            keys: ArcSwap::from_pointee(keys),
            scopes_supported: of_specifications(),
            passkeys: Passkeys::new(&factors, &issuer),
            factors,
            ui_locales: templates.languages(),
            client_keys: crate::oauth::client_auth::jwks::ClientKeys::default(),
            client_guesses: crate::oauth::client_auth::guess::ClientGuesses::default(),
            verified_tokens: crate::oauth::token::access_token::VerifiedTokens::default(),
            vault: Arc::clone(&vault),
            edges,
        };
        let upstreams = upstreams(&provider.edges, &vault, mode);
        let captcha = captcha(config, server_key(&provider.edges, &vault, "captcha").await?)?;
        Ok(Self {
            csrf_key: server_key(&provider.edges, &vault, "csrf").await?,
            devices,
            provider: Arc::new(provider),
            hasher,
            passwords,
            other_sessions: match config.password.other_sessions {
                OtherSessions::End => Choice::None,
                OtherSessions::Choice => Choice::Free,
            },
            throttle: throttle(config, mode),
            limits,
            captcha,
            templates,
            courier,
            post,
            readiness,
            dependencies,
            probes,
            mode,
            cookie_scope: cookie_scope(config),
            token_cookies: TokenCookies::new(config.token_cookies()),
            proxies: config.server.proxies(),
            api: ApiSettings {
                origins: config.api.allowed_origins.clone(),
                off: config.switched_off(),
                token_schemes: config.api.token_schemes.names(),
            },
            step_up_lifetime: config.session.step_up_lifetime,
            sign_in_lifetime: config.session.sign_in_lifetime,
            upstreams,
            landings: Landings {
                success: config.upstream.success_url.clone(),
                error: config.upstream.error_url.clone(),
            },
            code_settings: config.code_settings()?,
            newcomers: config.otp.auto_create_account,
            qr: config.device.qr_sign_in,
            config: Arc::new(config.clone()),
            issuer,
        })
    }

    /// What the public address serves.
    ///
    /// # Panics
    /// Never: discovery is strings and lists, which JSON can hold.
    pub fn front(&self, extras: Extras) -> Front {
        let stage = match self.mode {
            Mode::Production => Stage::Production,
            Mode::Development => Stage::Development,
        };
        let throttle = self.throttle;
        let provider = &self.provider;
        let pages = Pages::new(Arc::clone(&self.templates), (provider.issuer.as_str(), provider.issuer.path()), stage);
        let cookies = Cookies::new(self.cookie_scope.clone());
        let web = Web::new(Parts {
            provider: Arc::clone(provider),
            methods: authn::methods(
                (&provider.edges, Arc::clone(&self.hasher)),
                (throttle, self.devices.clone()),
                (
                    provider.accounts.settings.identity_fields.clone(),
                    self.qr.then(|| Qr { edges: provider.edges.clone() }),
                ),
                (&provider.factors, provider.passkeys.clone()),
                (&|way, guard| self.sent_code(way, guard), self.link_url()),
            ),
            sign_in_lifetime: self.sign_in_lifetime,
            devices: self.devices.clone(),
            upstreams: self.upstreams.clone(),
            landings: self.landings.clone(),
            magic_link: MagicLink {
                by_mail: self.sent_code(
                    Way::Mail,
                    Guard { edges: provider.edges.clone(), throttle, devices: self.devices.clone() },
                ),
                url: self.link_url(),
            },
            sends_to_anonymous: self.code_settings.to_anonymous == ToAnonymous::Sent,
            step_up: StepUp { edges: provider.edges.clone(), lifetime: self.step_up_lifetime },
            pages: pages.clone(),
            menus: Menus::default(),
            cookies: cookies.clone(),
            token_cookies: self.token_cookies.clone(),
            csrf: Csrf::new(self.csrf_key.clone(), self.issuer.origin().ascii_serialization()),
            discovery: Document::new(Arc::clone(provider), |provider, _| {
                let metadata =
                    serde_json::to_vec(&discovery::metadata(provider)).expect("metadata is strings and lists");
                harden(Prepared::new(metadata, "application/json", JWKS_MAX_AGE), provider)
            }),
            jwks: Document::new(Arc::clone(provider), |provider, keys| {
                harden(Prepared::new(keys.jwks(), "application/json", JWKS_MAX_AGE), provider)
            }),
            development_users: extras.development_users,
            start_links: extras.start_links,
            proxies: self.proxies.clone(),
            refusals: crate::http::refusals::Refusals::default(),
            origins: crate::http::origins::Origins::default(),
            settings: self.settings(extras.settings),
            api: Api::new(
                self.api.clone(),
                provider.issuer.as_str(),
                CookieNames {
                    session: cookies.session_name().to_owned(),
                    access: self.token_cookies.access_name().to_owned(),
                    refresh: self.token_cookies.refresh_name().to_owned(),
                },
            ),
            throttle,
            limits: self.limits.clone(),
            captcha: self.captcha.clone(),
            passwords: self.passwords.clone(),
            password_change: PasswordChange {
                edges: provider.edges.clone(),
                hasher: Arc::clone(&self.hasher),
                policy: self.passwords.clone(),
                throttle,
                devices: self.devices.clone(),
                choice: self.other_sessions,
            },
        });
        let trace = Trace::new(Tracing {
            random: Arc::clone(&provider.edges.random),
            pages,
            transport: Transport::of(provider.issuer.as_str()),
            readiness: self.readiness.clone(),
            requests: extras.requests,
            spans: extras.spans,
            proxies: self.proxies.clone(),
        });
        routes::front(web, trace, self.health(), extras.routes).behind(self.proxies.clone())
    }

    /// What the operations address serves; `reload` is what reads the settings again, if anything does.
    pub fn operations(&self, reload: Option<Reload>) -> Front {
        Operations::new(Arc::clone(&self.provider), reload).router(self.health()).into()
    }

    /// Finishes what is under way in the stores.
    pub async fn close(&self) {
        self.provider.edges.store.close().await;
        self.provider.edges.ephemeral.close().await;
    }

    /// Codes by one way.
    fn sent_code(&self, way: Way, guard: Guard) -> SentCode {
        let provider = &self.provider;
        SentCode {
            way,
            edges: provider.edges.clone(),
            codes: provider.accounts.codes.clone(),
            starts: provider.accounts.starts.clone(),
            limits: self.limits.clone(),
            guard,
            hasher: Arc::clone(&self.hasher),
            settings: self.code_settings.clone(),
            allowed: allowed(provider),
            allowed_caller: allowed_caller(provider),
            newcomers: (self.newcomers && way == Way::Mail).then(|| newcomers(provider)),
        }
    }

    /// Where links lead that sign in.
    fn link_url(&self) -> LinkUrl {
        let site = self.provider.accounts.site.clone();
        Arc::new(move |token, app| site.url(LinkPurpose::MagicLink, token, app))
    }

    /// What tells the settings in force: `known`, with where each was set, or those that this server was given.
    fn settings(&self, known: Option<Vec<Effective>>) -> Settings {
        if let Some(known) = known {
            return Arc::new(move || effective::shown(&known));
        }
        let config = Arc::clone(&self.config);
        Arc::new(move || effective::shown(&effective::of(&config)))
    }

    fn health(&self) -> Health {
        Health {
            readiness: self.readiness.clone(),
            dependencies: self.dependencies.clone(),
            probes: self.probes.clone(),
            proxies: self.proxies.clone(),
        }
    }
}

/// The edges that the settings name, and the vault that seals what lies in them: for a command beside the server.
///
/// # Errors
/// [`StartError`] names what is missing or broken.
pub async fn open(config: &Config, world: World) -> Result<(Edges, Arc<Vault>), StartError> {
    let Stores { store, ephemeral, vault, .. } = stores::open(config, &world).await?;
    let vault = Arc::new(vault);
    Ok((edges(world, (store, ephemeral), &vault), vault))
}

/// Who carries out the messages of `edges`, for a command beside the server.
///
/// # Errors
/// [`StartError`] names the setting or template that cannot be used.
pub fn courier(config: &Config, edges: &Edges) -> Result<Courier, StartError> {
    let templates = Arc::new(Templates::new(config.theme.folder.as_deref())?);
    Ok(post::courier(config, &Post::Settings, (edges, &templates), &config.issuer.as_str().parse()?)?)
}

/// One bundle of edges.
pub fn edges(world: World, (store, ephemeral): (Store, Arc<dyn EphemeralStore>), vault: &Arc<Vault>) -> Edges {
    let World { clock, random, fetch, post: _ } = world;
    let outbox = Outbox::new(Arc::clone(vault), Arc::clone(&random));
    Edges { store, ephemeral, fetch, clock, random, outbox }
}

/// Whether the rules of the operator take an address or number.
fn allowed(provider: &Arc<Provider>) -> Allowed {
    let provider = Arc::clone(provider);
    Arc::new(move |address| provider.accounts.settings.rules.allow(address))
}

/// Whether the rules of the operator hear who calls from an address.
fn allowed_caller(provider: &Arc<Provider>) -> Allowed {
    let provider = Arc::clone(provider);
    Arc::new(move |address| provider.accounts.settings.rules.allow_caller(address))
}

/// How an account is made for an address that a code has proven.
fn newcomers(provider: &Arc<Provider>) -> Newcomers {
    let provider = Arc::clone(provider);
    Arc::new(move |email, attempt, now| {
        let provider = Arc::clone(&provider);
        Box::pin(async move { provider.accounts.newcomer(&email, &attempt, now).await })
    })
}

/// The first of several: a start ends with one line.
fn first_mistake(mistakes: Vec<ConfigError>) -> ConfigError {
    mistakes.into_iter().next().unwrap_or_else(|| ConfigError::new("account", "is wrong"))
}

/// With the headers that every answer of this server has.
fn harden(prepared: Prepared, provider: &Provider) -> Prepared {
    prepared.harden(Transport::of(provider.issuer.as_str()))
}

/// Every published key, prepared; a fresh database gets one for each algorithm.
async fn signing_keys(edges: &Edges, vault: &Vault, policy: RotationPolicy) -> Result<SigningKeys, StartError> {
    let rotation = Rotation { edges, vault, policy };
    rotation.establish(SigningAlgorithm::ALL).await?;
    rotation.open(None).await.map_err(StartError::sealed)
}

/// A key of the server's own, made once and kept sealed: it outlives a change of the master key.
async fn server_key(edges: &Edges, vault: &Vault, name: &str) -> Result<MacKey, StartError> {
    let place = Place { table: "server_secret", row: name, column: "value" };
    let sealed = if let Some(sealed) = edges.store.server_secret(name).await? {
        sealed
    } else {
        let fresh: [u8; 32] = edges.random.bytes();
        edges.store.add_server_secret(name, &vault.seal(&place, &fresh, &*edges.random)).await?
    };
    let opened = vault.open(&place, &sealed).map_err(StartError::Sealed)?;
    let bytes: &[u8; 32] = opened
        .expose()
        .as_slice()
        .try_into()
        .map_err(|_| Fault::internal(format!("server_secret {name}: not 32 bytes")))?;
    Ok(MacKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_without_its_master_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.database.path = Some(folder.path().join("symbolon.db"));
        config.keys.master_key_file = folder.path().join("symbolon.key");
        App::build(&config, Mode::Production, World::real()).await.unwrap().close().await;

        let kept = folder.path().join("kept.key");
        std::fs::rename(&config.keys.master_key_file, &kept).unwrap();
        let lost = App::build(&config, Mode::Production, World::real()).await.err().unwrap();
        assert!(matches!(lost, StartError::MasterKeyLost { .. }), "{lost}");
        assert_eq!(lost.exit_code(), 4);
        assert!(!config.keys.master_key_file.exists());

        // A key of another database.
        Vault::load_or_create(&config.keys.master_key_file, &SystemRandom).unwrap();
        let foreign = App::build(&config, Mode::Production, World::real()).await.err().unwrap();
        assert!(matches!(foreign, StartError::Sealed(_)), "{foreign}");
        assert_eq!(foreign.exit_code(), 4);

        config.keys.master_key_file = kept;
        App::build(&config, Mode::Production, World::real()).await.unwrap().close().await;
    }
}
