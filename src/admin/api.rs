//! APIs: resource servers that access tokens are for.
//!
//! RFC 8707; S-162. A scope belongs to one API at most: so a token that carries it says by itself where it is good.

use super::{AdminError, Administration, Refusal, Thing, settle};
use crate::edge::store::Beside;
use crate::model::api::{Api, ApiSettings};
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::id::ApiId;
use crate::protocol::resource::is_resource;
use crate::protocol::scope::Scope;

/// The most characters of a name.
const MAX_NAME: usize = 100;

/// The API that an operator names by its id or audience, or by its name when only one is called so.
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, name: &str) -> Result<&'d Api, Refusal> {
    let id: Option<ApiId> = name.parse().ok();
    let known = directory.apis().find(|api| Some(api.id) == id || api.audience == name);
    let mut called = directory.apis().filter(|api| api.settings.name == name);
    let by_name = called.next().filter(|_| called.next().is_none());
    known.or(by_name).ok_or_else(|| Refusal::Unknown { what: Thing::Api, name: name.to_owned() })
}

/// What an API can be.
fn check(directory: &Directory, (id, settings): (Option<ApiId>, &ApiSettings)) -> Result<(), Refusal> {
    let name = settings.name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Refusal::malformed("name", format_args!("1 to {MAX_NAME} characters on one line")));
    }
    if settings.access_token_lifetime.is_some_and(|seconds| !ApiSettings::LIFETIMES.contains(&seconds)) {
        return Err(Refusal::malformed("access_token_lifetime", "60 to 3600 seconds"));
    }
    if let Some(everybodys) = super::group_scope::everybodys(&settings.scopes) {
        return Err(Refusal::malformed("scopes", format_args!("{everybodys} goes by other rules")));
    }
    let foreign = |scope: &str| directory.api_of(scope).filter(|owner| Some(owner.id) != id);
    match settings.scopes.iter().find_map(|scope| foreign(scope).map(|owner| (scope, owner))) {
        None => Ok(()),
        Some((scope, owner)) => {
            Err(Refusal::malformed("scopes", format_args!("{scope} belongs to {}", owner.audience)))
        }
    }
}

impl Administration {
    /// Makes an API.
    ///
    /// # Errors
    /// When its audience is no resource or taken, or the settings cannot be.
    pub async fn create_api(&self, audience: &str, settings: ApiSettings) -> Result<Api, AdminError> {
        if !is_resource(audience) {
            return Err(Refusal::malformed("audience", "an absolute URI without a fragment").into());
        }
        check(&*self.edges.store.directory().await?, (None, &settings))?;
        let now = self.now();
        let id = ApiId::new(now, self.edges.random.bytes());
        let api = Api { id, audience: audience.to_owned(), settings, created_at: now, updated_at: now };
        let change = self.edges.store.create_api(&api, self.told_of_api(EventName::ApiCreated, &api)).await?;
        settle(change, Thing::Api, (Thing::Api, audience))?;
        Ok(api)
    }

    /// Changes an API, which was read as `before`; its audience stays.
    ///
    /// # Errors
    /// When the settings cannot be; when it was changed meanwhile.
    pub async fn change_api(&self, before: &Api, settings: ApiSettings) -> Result<Api, AdminError> {
        check(&*self.edges.store.directory().await?, (Some(before.id), &settings))?;
        let after = Api { settings, updated_at: self.now(), ..before.clone() };
        let told = self.told_of_api(EventName::ApiChanged, &after);
        let change = self.edges.store.update_api(before, &after, told).await?;
        settle(change, Thing::Api, (Thing::Api, &before.audience))?;
        Ok(after)
    }

    /// Deletes an API: nobody gets tokens for it any more, and nobody its scopes.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_api(&self, api: &Api) -> Result<(), AdminError> {
        let change = self.edges.store.delete_api(api.id, self.told_of_api(EventName::ApiDeleted, api)).await?;
        settle(change, Thing::Api, (Thing::Api, &api.audience)).map(|_| ())
    }

    fn told_of_api(&self, name: EventName, api: &Api) -> Beside {
        let (id, scopes): (String, Scope) = (api.id.to_string(), api.settings.scopes.clone());
        self.told(name, &[("api", &id), ("audience", &api.audience), ("scope", &scopes.to_string())])
    }
}
