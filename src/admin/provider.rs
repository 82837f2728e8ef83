//! Servers elsewhere by which people may sign in: what operators set of them.
//!
//! S-152 … S-155. *Why an owner alone:* a provider's record decides for whom its word counts; nobody may let themselves into the account
//! of somebody above them.

use std::sync::Arc;

use url::Url;

use super::{AdminError, Administration, Refusal, Thing};
use crate::edge::store::{Beside, Creation};
use crate::edge::upstream::secret_place;
use crate::edge::vault::Vault;
use crate::model::event::EventName;
use crate::model::id::ProviderId;
use crate::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSecret, ProviderSettings, ProviderSlug};
use crate::protocol::secret::Secret;

/// The longest name of a variable, in bytes.
const MAX_VARIABLE: usize = 128;

/// Our secret at a provider, as an operator gives it.
#[derive(Clone, Debug)]
pub enum GivenSecret {
    /// This one; it is sealed.
    Plain(Secret),
    /// What this variable of the server's environment holds.
    Environment(String),
}

/// A provider that shall be offered.
#[derive(Debug)]
pub struct NewProvider {
    /// Its name in URLs.
    pub slug: ProviderSlug,
    /// Whose ways it has.
    pub kind: ProviderKind,
    /// Our client id there.
    pub client_id: String,
    /// Our secret there.
    pub secret: Option<GivenSecret>,
    /// The rest; [`usual`] is what it begins with.
    pub settings: ProviderSettings,
    /// Whether it is offered.
    pub enabled: bool,
}

/// How a provider shall change.
#[derive(Debug)]
pub struct ProviderChange {
    /// Our client id there.
    pub client_id: String,
    /// Another secret; `Some(None)` takes it away.
    pub secret: Option<Option<GivenSecret>>,
    /// The rest.
    pub settings: ProviderSettings,
    /// Whether it is offered.
    pub enabled: bool,
}

/// What a provider of this kind begins with.
pub fn usual(slug: &ProviderSlug, kind: ProviderKind) -> ProviderSettings {
    let mut settings = ProviderSettings { name: slug.as_str().to_owned(), ..ProviderSettings::default() };
    settings.trust.email_domains = kind.own_domains().iter().map(|domain| (*domain).to_owned()).collect();
    settings
}

impl Administration {
    /// The provider that an operator names by its slug or id.
    ///
    /// # Errors
    /// When there is none.
    pub async fn provider(&self, name: &str) -> Result<Arc<IdentityProvider>, AdminError> {
        let id: Option<ProviderId> = name.parse().ok();
        let all = self.edges.store.identity_providers().await?;
        let found = all.iter().find(|provider| provider.slug.as_str() == name || Some(provider.id) == id);
        let unknown = || Refusal::Unknown { what: Thing::Provider, name: name.to_owned() };
        Ok(found.cloned().ok_or_else(unknown)?)
    }

    /// Offers a provider; people see it at once.
    ///
    /// # Errors
    /// When its name is taken, something that its kind needs is missing, or a URL is none.
    pub async fn create_provider(&self, new: NewProvider, vault: &Vault) -> Result<IdentityProvider, AdminError> {
        let now = self.now();
        let id = ProviderId::new(now, self.edges.random.bytes());
        let provider = IdentityProvider {
            id,
            secret: new.secret.map(|given| self.kept(id, given, vault)).transpose()?,
            slug: new.slug,
            kind: new.kind,
            client_id: new.client_id,
            settings: new.settings,
            created_at: now,
            updated_at: now,
            disabled_at: (!new.enabled).then_some(now),
        };
        check(&provider)?;
        match self.edges.store.create_identity_provider(&provider, self.told_of_provider(&provider, "added")).await? {
            Creation::Created => Ok(provider),
            Creation::AlreadyExists => Err(Refusal::Taken { what: Thing::Provider }.into()),
        }
    }

    /// Changes a provider; its slug and kind stay.
    ///
    /// # Errors
    /// As [`Administration::create_provider`]; when it is gone.
    pub async fn change_provider(
        &self,
        before: &IdentityProvider,
        change: ProviderChange,
        vault: &Vault,
    ) -> Result<IdentityProvider, AdminError> {
        let now = self.now();
        let after = IdentityProvider {
            client_id: change.client_id,
            secret: match change.secret {
                None => before.secret.clone(),
                Some(given) => given.map(|given| self.kept(before.id, given, vault)).transpose()?,
            },
            settings: change.settings,
            updated_at: now,
            disabled_at: (!change.enabled).then(|| before.disabled_at.unwrap_or(now)),
            ..before.clone()
        };
        check(&after)?;
        if self.edges.store.update_identity_provider(&after, self.told_of_provider(&after, "changed")).await? {
            Ok(after)
        } else {
            Err(Refusal::Unknown { what: Thing::Provider, name: before.slug.to_string() }.into())
        }
    }

    /// Removes a provider with the connections of accounts to identities there; returns how many those were.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_provider(&self, provider: &IdentityProvider) -> Result<u64, AdminError> {
        let links = self.edges.store.count_upstream_links(provider.id).await?;
        let told = self.told_of_provider(provider, "removed");
        if self.edges.store.delete_identity_provider(provider.id, told).await? {
            Ok(links)
        } else {
            Err(Refusal::Unknown { what: Thing::Provider, name: provider.slug.to_string() }.into())
        }
    }

    fn kept(&self, id: ProviderId, given: GivenSecret, vault: &Vault) -> Result<ProviderSecret, Refusal> {
        match given {
            GivenSecret::Plain(secret) => {
                let sealed =
                    vault.seal(&secret_place(&id.to_string()), secret.expose().as_bytes(), &*self.edges.random);
                Ok(ProviderSecret::Sealed(sealed))
            }
            GivenSecret::Environment(variable) => {
                let is_name = (1..=MAX_VARIABLE).contains(&variable.len())
                    && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                    && !variable.starts_with(|first: char| first.is_ascii_digit());
                if is_name {
                    Ok(ProviderSecret::Environment(variable))
                } else {
                    Err(Refusal::malformed("client_secret", format_args!("{variable} is no name of a variable")))
                }
            }
        }
    }

    fn told_of_provider(&self, provider: &IdentityProvider, change: &'static str) -> Beside {
        self.told(EventName::ProviderChanged, &[("provider", provider.slug.as_str()), ("change", change)])
    }
}

/// What it cannot do without, and what no provider can be sent, is refused where it is typed.
fn check(provider: &IdentityProvider) -> Result<(), Refusal> {
    let set = &provider.settings;
    for (field, url) in [
        ("logo_uri", &set.logo_uri),
        ("issuer", &set.issuer),
        ("callback_url", &set.callback_url),
        ("authorization_endpoint", &set.endpoints.authorization),
        ("token_endpoint", &set.endpoints.token),
        ("userinfo_endpoint", &set.endpoints.userinfo),
    ] {
        if url.as_deref().is_some_and(|url| !is_reachable(url)) {
            return Err(Refusal::malformed(field, "write a URL that begins with https://"));
        }
    }
    let mut fields = provider.missing();
    let needs_secret = matches!(provider.kind, ProviderKind::Apple | ProviderKind::Facebook | ProviderKind::GitHub);
    if needs_secret && provider.secret.is_none() {
        fields.push("client_secret");
    }
    if fields.is_empty() { Ok(()) } else { Err(Refusal::Missing { fields }) }
}

/// `https`, or `http` on this machine.
fn is_reachable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
        _ => false,
    })
}
