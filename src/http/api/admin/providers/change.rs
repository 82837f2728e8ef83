//! What a body says of a provider: the same words make one and change one.
//!
//! *Why a variable has to end in `_CLIENT_SECRET` here, and not on the command line:* whoever may call this need not be whoever runs the
//! process; without it they could have any secret of its environment sent to a server of theirs.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{Object, ObjectBuilder};

use crate::admin::group::named;
use crate::admin::provider::{GivenSecret, ProviderChange};
use crate::http::api::body::{Body, Fields, Patch, body, choices, describe};
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::model::directory::Directory;
use crate::model::identity_provider::{ProviderKind, ProviderSettings, TokenAuth};
use crate::protocol::secret::Secret;

/// How the name of a variable ends that holds a secret for this.
const VARIABLE_ENDING: &str = "_CLIENT_SECRET";

choices! {
    /// Whose ways a provider has.
    pub(super) enum KindWord {
        /// Any issuer of OpenID Connect.
        Oidc = "oidc",
        /// Google.
        Google = "google",
        /// Sign in with Apple.
        Apple = "apple",
        /// Facebook.
        Facebook = "facebook",
        /// GitHub.
        GitHub = "github",
        /// Microsoft.
        Microsoft = "microsoft",
        /// Any OAuth 2.0 server that tells of the person as JSON.
        OAuth2 = "oauth2",
    }
}

choices! {
    /// Where a secret is kept.
    pub(super) enum SourceWord {
        /// Sealed in the database.
        Plain = "PLAIN",
        /// In a variable of the server's environment; `client_secret` is its name.
        Environment = "ENVIRONMENT",
    }
}

choices! {
    /// How we prove ourselves at a token endpoint.
    pub(super) enum TokenAuthWord {
        /// As its metadata say.
        Advertised = "advertised",
        /// HTTP Basic.
        Basic = "basic",
        /// In the form.
        Post = "post",
    }
}

body! {
    /// How a provider shall change; what is left out stays.
    pub(super) struct ProviderPatch {
        /// Our client id there.
        client_id: Option<String>,
        /// Our secret there, or the name of the variable that holds it; Apple's private key. Null takes it away.
        client_secret: Patch<Secret>,
        /// Where the secret that is given is kept; left out: `PLAIN`.
        client_secret_source: Option<SourceWord>,
        /// Its name for operators.
        name: Option<String>,
        /// Its name on the button.
        label: Patch<String>,
        /// Its picture on the button.
        logo_uri: Patch<String>,
        /// The project there that the client id belongs to.
        provider_project: Patch<String>,
        /// Notes.
        notes: Patch<String>,
        /// The issuer, exactly as its metadata state it.
        issuer: Patch<String>,
        /// Where people come back, if not at the usual place.
        callback_url: Patch<String>,
        /// What is asked for.
        scopes: Option<Vec<String>>,
        /// Client ids of native apps whose ID tokens are taken too.
        audiences: Option<Vec<String>>,
        /// Domains or tenants whose accounts alone are let in.
        organizations: Option<Vec<String>>,
        /// Apple: the Team ID.
        team_id: Patch<String>,
        /// Apple: the Key ID of the private key.
        key_id: Patch<String>,
        /// How we prove ourselves at its token endpoint.
        token_auth: Option<TokenAuthWord>,
        /// Where people are sent, for a server without metadata.
        authorization_endpoint: Patch<String>,
        /// Where codes are redeemed.
        token_endpoint: Patch<String>,
        /// Where it is told who the person is.
        userinfo_endpoint: Patch<String>,
        /// Domains for whose addresses its word counts; `*`: every one.
        trusted_domains: Option<Vec<String>>,
        /// Domains whose people sign in there: an address of them leads there from the sign-in page.
        home_domains: Option<Vec<String>>,
        /// Whoever has a proven address on both sides is let into their account at once; a new one: no.
        auto_link: Option<bool>,
        /// People may make accounts by it; a new one: yes.
        sign_up: Option<bool>,
        /// Our claim and the name of theirs; given whole.
        claims: Option<Map<String, Value>>,
        /// The claim that tells the groups there, with `.` between levels.
        groups_claim: Patch<String>,
        /// A group there, and the group here that follows from it; given whole.
        groups: Option<Map<String, Value>>,
        /// Whether it is offered; a new one: yes.
        enabled: Option<bool>,
    }
}

/// A server elsewhere by which people shall be able to sign in: its name and kind, which stay, and what could be changed later.
#[derive(Clone, Debug)]
pub(super) struct NewAdminProvider {
    /// Its name in URLs.
    pub(super) slug: String,
    /// Whose ways it has; left out: that of the slug.
    pub(super) kind: Option<KindWord>,
    /// The rest.
    pub(super) settings: ProviderPatch,
}

impl Body for NewAdminProvider {
    const NAME: &'static str = "NewAdminProvider";

    fn read(fields: &mut Fields) -> Option<Self> {
        let (slug, kind) = (fields.take("slug"), fields.take("kind"));
        let settings = ProviderPatch::read(fields);
        Some(Self { slug: slug?, kind: kind?, settings: settings? })
    }

    fn schema() -> Object {
        let object = ObjectBuilder::from(ProviderPatch::schema())
            .description(Some("A server elsewhere by which people shall be able to sign in."))
            .required("client_id");
        let object = describe::<String>(object, "slug", "Its name in URLs: 1 to 32 of `a`–`z`, `0`–`9` and `-`.");
        describe::<Option<KindWord>>(object, "kind", "Whose ways it has; left out: that of the slug.").build()
    }
}

impl From<KindWord> for ProviderKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Oidc => Self::Oidc,
            KindWord::Google => Self::Google,
            KindWord::Apple => Self::Apple,
            KindWord::Facebook => Self::Facebook,
            KindWord::GitHub => Self::GitHub,
            KindWord::Microsoft => Self::Microsoft,
            KindWord::OAuth2 => Self::OAuth2,
        }
    }
}

impl From<TokenAuthWord> for TokenAuth {
    fn from(word: TokenAuthWord) -> Self {
        match word {
            TokenAuthWord::Advertised => Self::Advertised,
            TokenAuthWord::Basic => Self::Basic,
            TokenAuthWord::Post => Self::Post,
        }
    }
}

impl ProviderPatch {
    /// The change of a provider that is called `client_id` there and is set as `set`.
    pub(super) fn onto(
        self,
        (client_id, mut set, enabled): (&str, ProviderSettings, bool),
        directory: &Directory,
    ) -> Result<ProviderChange, Problem> {
        let secret = given_secret(self.client_secret, self.client_secret_source)?;
        for (given, kept) in [
            (self.label, &mut set.label),
            (self.logo_uri, &mut set.logo_uri),
            (self.provider_project, &mut set.provider_project),
            (self.notes, &mut set.notes),
            (self.issuer, &mut set.issuer),
            (self.callback_url, &mut set.callback_url),
            (self.team_id, &mut set.team_id),
            (self.key_id, &mut set.key_id),
            (self.authorization_endpoint, &mut set.endpoints.authorization),
            (self.token_endpoint, &mut set.endpoints.token),
            (self.userinfo_endpoint, &mut set.endpoints.userinfo),
            (self.groups_claim, &mut set.groups.claim),
        ] {
            match given {
                Patch::Keep => {}
                Patch::Clear => *kept = None,
                Patch::Set(value) => *kept = Some(value),
            }
        }
        for (given, kept) in [
            (self.scopes, &mut set.scopes),
            (self.audiences, &mut set.audiences),
            (self.organizations, &mut set.organizations),
            (self.trusted_domains, &mut set.trust.email_domains),
            (self.home_domains, &mut set.home_domains),
        ] {
            *kept = given.unwrap_or_else(|| std::mem::take(kept));
        }
        set.name = self.name.unwrap_or(set.name);
        set.token_auth = self.token_auth.map_or(set.token_auth, TokenAuth::from);
        set.trust.auto_link = self.auto_link.unwrap_or(set.trust.auto_link);
        set.trust.sign_up = self.sign_up.unwrap_or(set.trust.sign_up);
        if let Some(claims) = self.claims {
            let named =
                claims.into_iter().map(|(ours, theirs)| match theirs {
                    Value::String(theirs) if !theirs.is_empty() => Ok((ours, theirs)),
                    _ => Err(Problem::field("claims", Code::InvalidValue)
                        .hint("each member is the name of a claim of theirs")),
                });
            set.claims = named.collect::<Result<_, _>>()?;
        }
        if let Some(groups) = self.groups {
            let named = groups.into_iter().map(|(there, here)| {
                let unknown = || Problem::field("groups", Code::InvalidValue).hint("each member is a group here");
                let here = here.as_str().ok_or_else(unknown)?;
                Ok((there, named(directory, here).map_err(|_| unknown())?.id))
            });
            set.groups.map = named.collect::<Result<_, Problem>>()?;
        }
        let client_id = self.client_id.unwrap_or_else(|| client_id.to_owned());
        Ok(ProviderChange { client_id, secret, settings: set, enabled: self.enabled.unwrap_or(enabled) })
    }
}

#[expect(clippy::option_option, reason = "kept, taken away, or another")]
fn given_secret(given: Patch<Secret>, source: Option<SourceWord>) -> Result<Option<Option<GivenSecret>>, Problem> {
    match (given, source) {
        // What a secret is kept in is said with the secret.
        (Patch::Keep | Patch::Clear, Some(_)) => Err(Problem::field("client_secret", Code::Required)),
        (Patch::Keep, None) => Ok(None),
        (Patch::Clear, None) => Ok(Some(None)),
        (Patch::Set(secret), None | Some(SourceWord::Plain)) => Ok(Some(Some(GivenSecret::Plain(secret)))),
        (Patch::Set(variable), Some(SourceWord::Environment)) => {
            let variable = variable.expose();
            if variable.ends_with(VARIABLE_ENDING) {
                return Ok(Some(Some(GivenSecret::Environment(variable.clone()))));
            }
            let hint = "over the API, the name of a variable ends in _CLIENT_SECRET";
            Err(Problem::field("client_secret", Code::InvalidValue).hint(hint))
        }
    }
}
