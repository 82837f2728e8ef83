//! What the flags say about a provider.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::admin::AdminError;
use crate::admin::group::named;
use crate::admin::provider::GivenSecret;
use crate::cli::CommandError;
use crate::cli::client::flags::{object, yes_or_no};
use crate::model::directory::Directory;
use crate::model::identity_provider::{ProviderKind, ProviderSettings, TokenAuth};
use crate::protocol::secret::Secret;

/// The longest secret, in bytes: a private key is about two hundred.
const MAX_SECRET: u64 = 16 * 1024;

/// Whose ways a provider has.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum KindName {
    /// Any issuer of OpenID Connect: `--issuer`.
    Oidc,
    /// Google.
    Google,
    /// Sign in with Apple: `--team-id`, `--key-id`, and the `.p8` file as `--secret-file`.
    Apple,
    /// Facebook.
    Facebook,
    /// GitHub.
    #[value(name = "github")]
    GitHub,
    /// Microsoft; `--issuer` for one tenant, else every account there.
    Microsoft,
    /// Any OAuth 2.0 server that tells of the person as JSON.
    #[value(name = "oauth2")]
    OAuth2,
}

impl From<KindName> for ProviderKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Oidc => Self::Oidc,
            KindName::Google => Self::Google,
            KindName::Apple => Self::Apple,
            KindName::Facebook => Self::Facebook,
            KindName::GitHub => Self::GitHub,
            KindName::Microsoft => Self::Microsoft,
            KindName::OAuth2 => Self::OAuth2,
        }
    }
}

/// How we prove ourselves.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum TokenAuthName {
    /// As its metadata say.
    Advertised,
    /// HTTP Basic.
    Basic,
    /// In the form.
    Post,
}

/// What `add` and `update` have in common. An empty text clears; a list is given whole.
#[derive(Debug, Default, clap::Args)]
pub struct Flags {
    /// Our client id there.
    #[arg(long, value_name = "CLIENT_ID")]
    pub(super) client_id: Option<String>,
    /// The file that holds our secret there, or `-` for standard input; it is sealed and never shown again.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The variable of the server's environment that holds our secret there.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// Settings in a file: a JSON object with members as `provider show --json` prints them; flags go before it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Its name for you.
    #[arg(long)]
    name: Option<String>,
    /// Its name on the button.
    #[arg(long)]
    label: Option<String>,
    /// Its picture on the button; https.
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// The project or app there that the client id belongs to, for you.
    #[arg(long)]
    project: Option<String>,
    /// Notes, for you.
    #[arg(long)]
    notes: Option<String>,
    /// The issuer, exactly as its metadata state it.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where people come back, if not to `/federation/SLUG/callback`.
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// What is asked for, if not the usual; again for several.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Where people are sent, for a server without metadata.
    #[arg(long, value_name = "URL")]
    authorization_endpoint: Option<String>,
    /// Where codes are redeemed.
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// Where it is told who the person is.
    #[arg(long, value_name = "URL")]
    userinfo_endpoint: Option<String>,
    /// How we prove ourselves at the token endpoint.
    #[arg(long, value_name = "WAY")]
    token_auth: Option<TokenAuthName>,
    /// The client id of a native app of yours there, whose ID tokens are taken too; again for several.
    #[arg(long, value_name = "CLIENT_ID")]
    audience: Vec<String>,
    /// Only accounts of this Workspace domain (Google) or tenant (Microsoft) are let in; again for several.
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Vec<String>,
    /// Apple: the Team ID.
    #[arg(long)]
    team_id: Option<String>,
    /// Apple: the Key ID of the private key.
    #[arg(long)]
    key_id: Option<String>,
    /// A domain for whose addresses its word counts, or `*`; again for several, `none` for none.
    #[arg(long, value_name = "DOMAIN")]
    trust_domain: Vec<String>,
    /// A domain whose people sign in there: their address leads there from the sign-in page; again for several, `none` for none.
    #[arg(long, value_name = "DOMAIN")]
    home_domain: Vec<String>,
    /// Whoever has a proven address on both sides is let into their account at once; else they prove the account first.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    auto_link: Option<bool>,
    /// People may make accounts by it.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    sign_up: Option<bool>,
    /// A claim of ours and the name of theirs, `given_name=profile.first`; again for several.
    #[arg(long, value_name = "OURS=THEIRS")]
    claim: Vec<String>,
    /// The claim that tells the groups there, `realm_access.roles`; empty: no group follows from it.
    #[arg(long, value_name = "CLAIM")]
    groups_claim: Option<String>,
    /// A group there and the group here that follows from it, `staff=Company/Staff`; again for several, an empty one takes it away.
    #[arg(long, value_name = "THERE=HERE")]
    group: Vec<String>,
    /// It is not offered.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(super) disabled: Option<bool>,
}

impl Flags {
    /// The secret, if one was given.
    ///
    /// # Errors
    /// When its file cannot be read or is empty.
    pub(super) fn secret(&self) -> Result<Option<GivenSecret>, CommandError> {
        if let Some(variable) = &self.secret_env {
            return Ok(Some(GivenSecret::Environment(variable.clone())));
        }
        let Some(file) = &self.secret_file else { return Ok(None) };
        let mut text = Zeroizing::new(String::new());
        let read = if file.as_os_str() == "-" {
            std::io::stdin().lock().take(MAX_SECRET).read_to_string(&mut text)
        } else {
            std::fs::File::open(file).and_then(|file| file.take(MAX_SECRET).read_to_string(&mut text))
        };
        read.map_err(|error| CommandError::refused(format!("{} cannot be read: {error}", file.display())))?;
        let secret = text.trim();
        if secret.is_empty() {
            return Err(CommandError::refused(format!("{} is empty", file.display())));
        }
        Ok(Some(GivenSecret::Plain(Secret::new(secret.to_owned()))))
    }

    /// What was given over `before`.
    ///
    /// # Errors
    /// When a claim or a group has no `=`, or there is no such group here.
    pub(super) fn settings(
        &self,
        before: ProviderSettings,
        directory: &Directory,
    ) -> Result<ProviderSettings, CommandError> {
        let mut set = match &self.file {
            Some(file) => over(before, file)?,
            None => before,
        };
        if let Some(name) = &self.name {
            set.name.clone_from(name);
        }
        for (given, kept) in [
            (&self.label, &mut set.label),
            (&self.project, &mut set.provider_project),
            (&self.notes, &mut set.notes),
            (&self.team_id, &mut set.team_id),
            (&self.key_id, &mut set.key_id),
            (&self.logo_uri, &mut set.logo_uri),
            (&self.issuer, &mut set.issuer),
            (&self.callback_url, &mut set.callback_url),
            (&self.authorization_endpoint, &mut set.endpoints.authorization),
            (&self.token_endpoint, &mut set.endpoints.token),
            (&self.userinfo_endpoint, &mut set.endpoints.userinfo),
        ] {
            replace(given.as_ref(), kept);
        }
        for (given, kept) in [
            (&self.scope, &mut set.scopes),
            (&self.audience, &mut set.audiences),
            (&self.organization, &mut set.organizations),
        ] {
            if !given.is_empty() {
                *kept = words(given);
            }
        }
        for (given, kept) in
            [(&self.trust_domain, &mut set.trust.email_domains), (&self.home_domain, &mut set.home_domains)]
        {
            if !given.is_empty() {
                *kept = words(given).into_iter().filter(|domain| domain != "none").collect();
            }
        }
        set.trust.auto_link = self.auto_link.unwrap_or(set.trust.auto_link);
        set.trust.sign_up = self.sign_up.unwrap_or(set.trust.sign_up);
        set.token_auth = match self.token_auth {
            Some(TokenAuthName::Advertised) => TokenAuth::Advertised,
            Some(TokenAuthName::Basic) => TokenAuth::Basic,
            Some(TokenAuthName::Post) => TokenAuth::Post,
            None => set.token_auth,
        };
        for pair in &self.claim {
            let (ours, theirs) = pair
                .split_once('=')
                .ok_or_else(|| CommandError::refused(format!("--claim {pair}: write OURS=THEIRS")))?;
            if theirs.is_empty() {
                set.claims.remove(ours);
            } else {
                set.claims.insert(ours.to_owned(), theirs.to_owned());
            }
        }
        replace(self.groups_claim.as_ref(), &mut set.groups.claim);
        for pair in &self.group {
            // A group there may be a URL with `=`; a path here has none at its end.
            let (there, here) = pair
                .rsplit_once('=')
                .ok_or_else(|| CommandError::refused(format!("--group {pair}: write THERE=HERE")))?;
            if here.is_empty() {
                set.groups.map.remove(there);
            } else {
                let group = named(directory, here).map_err(AdminError::from)?;
                set.groups.map.insert(there.to_owned(), group.id);
            }
        }
        Ok(set)
    }
}

/// The settings in `file` over `before`.
fn over(before: ProviderSettings, file: &Path) -> Result<ProviderSettings, CommandError> {
    let told = object(file)?;
    let serde_json::Value::Object(mut whole) = serde_json::to_value(before).map_err(anyhow::Error::from)? else {
        return Err(CommandError::refused("the settings of a provider are no object".to_owned()));
    };
    if let Some(unknown) = told.keys().find(|name| !whole.contains_key(*name)) {
        let known: Vec<&str> = whole.keys().map(String::as_str).collect();
        let known = known.join(", ");
        return Err(CommandError::refused(format!("{}: {unknown} is no setting; these are: {known}", file.display())));
    }
    whole.extend(told);
    serde_json::from_value(serde_json::Value::Object(whole))
        .map_err(|error| CommandError::refused(format!("{}: {error}", file.display())))
}

fn replace(given: Option<&String>, kept: &mut Option<String>) {
    if let Some(given) = given {
        *kept = (!given.is_empty()).then(|| given.clone());
    }
}

/// Each word of a list, which may come as several flags or as one text.
fn words(given: &[String]) -> Vec<String> {
    given.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
}
