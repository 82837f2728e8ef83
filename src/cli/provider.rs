//! `symbolon provider`: servers elsewhere by which people may sign in.
//!
//! S-152 … S-155. A secret comes from a file or standard input, or stands in a variable; it is printed by nothing.

pub mod flags;

use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Value, json};

use self::flags::{Flags, KindName};
use crate::admin::provider::{NewProvider, ProviderChange, usual};
use crate::admin::{AdminError, Refusal};
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::fetch::Addresses;
use crate::edge::upstream::Upstreams;
use crate::model::id::GroupId;
use crate::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSecret, ProviderSlug};

/// `symbolon provider`
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Adds a provider; people see it at once.
    Add {
        /// Its name in URLs: `google`.
        slug: String,
        /// Whose ways it has; the name itself, where that is one of these.
        #[arg(long)]
        kind: Option<KindName>,
        /// The rest.
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Lists providers, the oldest first.
    List,
    /// Shows a provider, with the URL that has to be registered there.
    Show {
        /// Its name in URLs.
        slug: String,
    },
    /// Changes what the flags name, and nothing else.
    Update {
        /// Its name in URLs.
        slug: String,
        /// The rest.
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Removes a provider, with the connections of accounts to identities there.
    Remove {
        /// Its name in URLs.
        slug: String,
    },
    /// Asks the provider whether it would let us in: its metadata, its keys, our client id and secret.
    Test {
        /// Its name in URLs.
        slug: String,
    },
}

impl ProviderCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, a provider is unknown or taken, or something that it needs is missing.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let absent = if matches!(self, Self::Add { .. }) { Absent::Make } else { Absent::Refuse };
        let site = Site::open(call, absent).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        match self {
            Self::Add { slug, kind, flags } => add(call, site, (&slug, kind), *flags).await,
            Self::List => list(call, site).await,
            Self::Show { slug } => show(call, site, &*provider(site, &slug).await?).await,
            Self::Update { slug, flags } => update(call, site, &slug, *flags).await,
            Self::Remove { slug } => remove(call, site, &slug).await,
            Self::Test { slug } => test(call, site, &slug).await,
        }
    }
}

async fn provider(site: &Site, slug: &str) -> Result<Arc<IdentityProvider>, CommandError> {
    Ok(site.administration().provider(slug).await?)
}

async fn add(
    call: &Call,
    site: &Site,
    (slug, kind): (&str, Option<KindName>),
    flags: Flags,
) -> Result<(), CommandError> {
    let slug: ProviderSlug =
        slug.parse().map_err(|error| CommandError::refused(format!("the name {slug} is not good: {error}")))?;
    let kind = kind.map(ProviderKind::from).or_else(|| ProviderKind::parse(slug.as_str()));
    let kind = kind.ok_or_else(|| {
        CommandError::refused("--kind is missing; --kind oidc is for every issuer of OpenID Connect".to_owned())
    })?;
    let client_id = flags.client_id.clone();
    let client_id = client_id.ok_or_else(|| CommandError::refused("--client-id is missing".to_owned()))?;
    let directory = site.edges.store.directory().await?;
    let settings = flags.settings(usual(&slug, kind), &directory)?;
    let enabled = !flags.disabled.unwrap_or(false);
    let new = NewProvider { slug: slug.clone(), kind, client_id, secret: flags.secret()?, settings, enabled };
    match site.administration().create_provider(new, &site.vault).await {
        Ok(provider) => show(call, site, &provider).await,
        Err(AdminError::Refused(Refusal::Taken { .. })) => Err(CommandError::refused(format!(
            "there is a provider {slug} already; `symbolon provider update` changes it"
        ))),
        Err(error) => Err(in_flags(error, kind)),
    }
}

async fn update(call: &Call, site: &Site, slug: &str, flags: Flags) -> Result<(), CommandError> {
    let before = provider(site, slug).await?;
    let directory = site.edges.store.directory().await?;
    let change = ProviderChange {
        client_id: flags.client_id.clone().unwrap_or_else(|| before.client_id.clone()),
        secret: flags.secret()?.map(Some),
        settings: flags.settings(before.settings.clone(), &directory)?,
        enabled: flags.disabled.map_or(before.is_enabled(), |disabled| !disabled),
    };
    let after = site.administration().change_provider(&before, change, &site.vault).await;
    show(call, site, &after.map_err(|error| in_flags(error, before.kind))?).await
}

/// A refusal in the words of the command line.
fn in_flags(error: AdminError, kind: ProviderKind) -> CommandError {
    let flag = |field: &str| match field {
        "client_secret" => "--secret-file or --secret-env".to_owned(),
        field => format!("--{}", field.replace('_', "-")),
    };
    match error {
        AdminError::Refused(Refusal::Missing { fields }) => {
            let flags: Vec<String> = fields.into_iter().map(flag).collect();
            CommandError::refused(format!("a provider of the kind {} needs {}", kind.as_str(), flags.join(", ")))
        }
        AdminError::Refused(Refusal::Malformed { field, rule }) => {
            CommandError::refused(format!("{}: {rule}", flag(field)))
        }
        error => error.into(),
    }
}

async fn remove(call: &Call, site: &Site, slug: &str) -> Result<(), CommandError> {
    let provider = provider(site, slug).await?;
    let links = site.administration().delete_provider(&provider).await?;
    let told = format!("removed, with {links} connections of accounts");
    call.output.print(told, &json!({"slug": provider.slug, "removed": true, "connections": links}))
}

async fn test(call: &Call, site: &Site, slug: &str) -> Result<(), CommandError> {
    let provider = provider(site, slug).await?;
    match upstreams(site).probe(&provider, &callback(site, &provider)).await {
        Ok(found) => call.output.print(&found, &json!({"slug": provider.slug, "ok": true, "found": found})),
        Err(error) => Err(CommandError::refused(error.to_string())),
    }
}

/// An operator asks for what they named: also one on this machine.
fn upstreams(site: &Site) -> Upstreams {
    Upstreams::new(
        (Arc::clone(&site.edges.fetch), Arc::clone(&site.edges.clock)),
        (Arc::clone(&site.vault), Arc::new(|name: &str| std::env::var(name).ok())),
        Addresses::PublicOrLoopback,
    )
}

async fn list(call: &Call, site: &Site) -> Result<(), CommandError> {
    let providers = site.edges.store.identity_providers().await?;
    let mut table = Table::new(["slug", "kind", "label", "client_id", "state", "created"]);
    for provider in providers.iter() {
        table.row([
            provider.slug.to_string(),
            provider.kind.as_str().to_owned(),
            provider.label().to_owned(),
            provider.client_id.clone(),
            state(site, provider).to_owned(),
            moment(provider.created_at),
        ]);
    }
    let values = providers.iter().map(|provider| json_of(site, provider, None)).collect::<Result<Value, _>>()?;
    call.output.print(table, &values)
}

async fn show(call: &Call, site: &Site, provider: &IdentityProvider) -> Result<(), CommandError> {
    let links = site.edges.store.count_upstream_links(provider.id).await?;
    let set = &provider.settings;
    let trust = &set.trust;
    let yes_no = |is: bool| if is { "yes" } else { "no" };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let directory = site.edges.store.directory().await?;
    let here = |group: &GroupId| match directory.group(*group) {
        Some(_) => directory.path(*group).to_owned(),
        None => format!("{group} (gone)"),
    };
    let groups: Vec<String> =
        set.groups.map.iter().map(|(there, group)| format!("{there} = {}", here(group))).collect();
    let secret = match &provider.secret {
        None => "none".to_owned(),
        Some(ProviderSecret::Sealed(_)) => "sealed in the database".to_owned(),
        Some(ProviderSecret::Environment(variable)) => format!("in the variable {variable}"),
    };
    let facts = Facts::default()
        .with("slug", &provider.slug)
        .with("kind", provider.kind.as_str())
        .with("name", &set.name)
        .with("label", provider.label())
        .with("client_id", &provider.client_id)
        .with("secret", secret)
        .with("issuer", provider.issuer())
        .with("callback", callback(site, provider))
        .with("backchannel logout", logout_uri(site, provider))
        .with("scopes", set.scopes.join(" "))
        .with("organizations", set.organizations.join(" "))
        .with("native apps", set.audiences.join(" "))
        .with("project", text(&set.provider_project))
        .with("notes", text(&set.notes))
        .with("trusted for", trust.email_domains.join(" "))
        .with("home of", set.home_domains.join(" "))
        .with("groups by", text(&set.groups.claim))
        .with("groups", groups.join(", "))
        .with("links at once", yes_no(trust.auto_link))
        .with("makes accounts", yes_no(trust.sign_up))
        .with("connections", links)
        .with("state", state(site, provider))
        .with("misconfigured", misconfigured(site, provider).unwrap_or_default())
        .with("created", moment(provider.created_at));
    let note = "\nRegister the callback URL there.";
    call.output.print(format_args!("{facts}{note}"), &json_of(site, provider, Some(links))?)
}

fn state(site: &Site, provider: &IdentityProvider) -> &'static str {
    match (provider.is_enabled(), misconfigured(site, provider)) {
        (false, _) => "disabled",
        (true, Some(_)) => "misconfigured",
        (true, None) => "enabled",
    }
}

/// What is wrong with it, as far as its record and the environment of this command tell; the server has one of its own.
fn misconfigured(site: &Site, provider: &IdentityProvider) -> Option<String> {
    upstreams(site).is_set_up(provider).err().map(|error| error.to_string())
}

/// Where a provider tells us who left it.
fn logout_uri(site: &Site, provider: &IdentityProvider) -> String {
    format!("{}/federation/{}/backchannel-logout", site.config.issuer.as_str(), provider.slug)
}

/// Where people come back from a provider.
fn callback(site: &Site, provider: &IdentityProvider) -> String {
    let own = || format!("{}/federation/{}/callback", site.config.issuer.as_str(), provider.slug);
    provider.settings.callback_url.clone().unwrap_or_else(own)
}

/// Everything but the secret.
fn json_of(site: &Site, provider: &IdentityProvider, links: Option<u64>) -> Result<Value, CommandError> {
    let mut json = serde_json::to_value(&provider.settings).map_err(anyhow::Error::from)?;
    if let Some(members) = json.as_object_mut() {
        let (source, variable) = match &provider.secret {
            None => (None, None),
            Some(ProviderSecret::Sealed(_)) => (Some("PLAIN"), None),
            Some(ProviderSecret::Environment(variable)) => (Some("ENVIRONMENT"), Some(variable)),
        };
        for (name, value) in [
            ("id", json!(provider.id)),
            ("slug", json!(provider.slug)),
            ("kind", json!(provider.kind)),
            ("client_id", json!(provider.client_id)),
            ("client_secret_set", json!(provider.secret.is_some())),
            ("client_secret_source", json!(source)),
            ("client_secret_variable", json!(variable)),
            ("issuer", json!(provider.issuer())),
            ("callback_url", json!(callback(site, provider))),
            ("backchannel_logout_uri", json!(logout_uri(site, provider))),
            ("misconfigured", json!(misconfigured(site, provider))),
            ("enabled", json!(provider.is_enabled())),
            ("created_at", json!(provider.created_at)),
            ("updated_at", json!(provider.updated_at)),
        ] {
            members.insert(name.to_owned(), value);
        }
        if let Some(links) = links {
            members.insert("connections".to_owned(), json!(links));
        }
    }
    Ok(json)
}
