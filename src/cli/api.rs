//! `symbolon api`: resource servers that access tokens are for.
//!
//! RFC 8707.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::admin::api::named;
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::api::{Api, ApiSettings};
use crate::model::client::AccessTokenFormat;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::scope::Scope;

/// `symbolon api`
#[derive(Debug, Subcommand)]
pub enum ApiCommand {
    /// Makes an API: clients that are registered for one of its scopes may name it by `resource`.
    Create {
        /// Its audience, an absolute URI: `https://orders.example.com`.
        audience: String,
        /// The rest.
        #[command(flatten)]
        flags: Flags,
    },
    /// Lists APIs, by their audiences.
    List,
    /// Shows an API.
    Show {
        /// Its audience or id, or its name when only one is called so.
        api: String,
    },
    /// Changes what the flags name, and nothing else.
    Update {
        /// Its audience or id, or its name when only one is called so.
        api: String,
        /// The rest.
        #[command(flatten)]
        flags: Flags,
    },
    /// Deletes an API; tokens for it stay good until their end.
    Delete {
        /// Its audience or id, or its name when only one is called so.
        api: String,
    },
}

/// The form of access tokens.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum FormatName {
    /// Signed, and verified by the keys of this server.
    Jwt,
    /// Without content; the API asks by introspection.
    Opaque,
}

/// What `create` and `update` have in common.
#[derive(Debug, Default, clap::Args)]
pub struct Flags {
    /// What you call it.
    #[arg(long)]
    name: Option<String>,
    /// A scope that makes sense there; again for several, given whole; an empty text for none.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Seconds that a token for it lives, 60 to 3600; 0: as the server does.
    #[arg(long, value_name = "SECONDS")]
    access_token_lifetime: Option<u64>,
    /// How a token for it alone is signed; an empty text: as the server does.
    #[arg(long, value_name = "ALG")]
    signing_alg: Option<String>,
    /// Whether its tokens are JWTs.
    #[arg(long, value_name = "FORM")]
    access_token: Option<FormatName>,
}

impl Flags {
    fn onto(self, mut settings: ApiSettings) -> Result<ApiSettings, CommandError> {
        settings.name = self.name.unwrap_or(settings.name);
        if !self.scope.is_empty() {
            let words: Vec<&str> = self.scope.iter().flat_map(|text| text.split_whitespace()).collect();
            let parsed = words.join(" ").parse::<Scope>();
            settings.scopes = parsed.map_err(|error| CommandError::refused(error.description().to_owned()))?;
        }
        if let Some(seconds) = self.access_token_lifetime {
            settings.access_token_lifetime = Some(seconds).filter(|seconds| *seconds != 0);
        }
        if let Some(alg) = self.signing_alg {
            settings.signing_alg =
                if alg.is_empty() {
                    None
                } else {
                    let parsed = alg.parse::<SigningAlgorithm>();
                    Some(parsed.map_err(|_| {
                        CommandError::refused(format!("--signing-alg {alg}: there is no such algorithm"))
                    })?)
                };
        }
        settings.access_token = match self.access_token {
            None => settings.access_token,
            Some(FormatName::Jwt) => AccessTokenFormat::Jwt,
            Some(FormatName::Opaque) => AccessTokenFormat::Opaque,
        };
        Ok(settings)
    }
}

impl ApiCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or what is asked for cannot be.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Refuse).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let (admin, directory) = (site.administration(), site.edges.store.directory().await?);
        match self {
            Self::Create { audience, flags } => {
                let begun = ApiSettings { name: audience.clone(), ..ApiSettings::default() };
                show(call, &admin.create_api(&audience, flags.onto(begun)?).await?)
            }
            Self::List => {
                let mut table = Table::new(["audience", "name", "scopes", "tokens", "created"]);
                for api in directory.apis() {
                    let set = &api.settings;
                    let tokens = set.access_token.as_str().to_owned();
                    let scopes = set.scopes.to_string();
                    table.row([api.audience.clone(), set.name.clone(), scopes, tokens, moment(api.created_at)]);
                }
                call.output.print(table, &Value::Array(directory.apis().map(json_of).collect()))
            }
            Self::Show { api } => show(call, named(&directory, &api)?),
            Self::Update { api, flags } => {
                let before = named(&directory, &api)?;
                show(call, &admin.change_api(before, flags.onto(before.settings.clone())?).await?)
            }
            Self::Delete { api } => {
                let api = named(&directory, &api)?;
                admin.delete_api(api).await?;
                call.output.print("deleted", &json!({"id": api.id, "deleted": true}))
            }
        }
    }
}

fn show(call: &Call, api: &Api) -> Result<(), CommandError> {
    let set = &api.settings;
    let usual = || "as the server does".to_owned();
    let facts = Facts::default()
        .with("audience", &api.audience)
        .with("name", &set.name)
        .with("scopes", &set.scopes)
        .with("tokens", set.access_token.as_str())
        .with("live", set.access_token_lifetime.map_or_else(usual, |seconds| format!("{seconds} s")))
        .with("signed by", set.signing_alg.map_or_else(usual, |alg| alg.as_str().to_owned()))
        .with("id", api.id);
    call.output.print(facts, &json_of(api))
}

fn json_of(api: &Api) -> Value {
    let set = &api.settings;
    json!({
        "id": api.id, "audience": api.audience, "name": set.name, "scopes": set.scopes.iter().collect::<Vec<_>>(),
        "access_token_lifetime": set.access_token_lifetime, "signing_alg": set.signing_alg,
        "access_token": set.access_token, "created_at": api.created_at, "updated_at": api.updated_at,
    })
}
