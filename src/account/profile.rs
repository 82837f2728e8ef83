//! What a person says of themselves (S-012, S-014).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::account::attribute::Visibility;
use crate::account::registration::unfit_mistake;
use crate::account::settings::Presence;
use crate::account::{AccountError, Accounts, Asking, Mistake, Why};
use crate::edge::store::{Added, Beside, ProfileChange};
use crate::model::event::{Event, EventName};
use crate::model::id::IdentifierId;
use crate::model::user::{Identifier, IdentifierKind, LookupName, User};
use crate::protocol::oidc::claims::Profile;

/// The most characters of a text of a profile.
const MAX_LENGTH: usize = 255;

/// A member of a profile, by its name in the API.
type Member = (&'static str, fn(&mut Profile) -> &mut Option<String>);

/// What people change of their profile; `first_name` and `last_name` are the claims `given_name` and `family_name`.
const MEMBERS: &[Member] = &[
    ("first_name", |profile| &mut profile.given_name),
    ("last_name", |profile| &mut profile.family_name),
    ("name", |profile| &mut profile.name),
    ("middle_name", |profile| &mut profile.middle_name),
    ("nickname", |profile| &mut profile.nickname),
    ("website", |profile| &mut profile.website),
    ("gender", |profile| &mut profile.gender),
    ("birthdate", |profile| &mut profile.birthdate),
    ("zoneinfo", |profile| &mut profile.zoneinfo),
    ("locale", |profile| &mut profile.locale),
];

/// The names of [`MEMBERS`].
pub fn names() -> impl Iterator<Item = &'static str> {
    MEMBERS.iter().map(|(name, _)| *name).chain(["username"])
}

/// A change of a profile, judged.
#[derive(Clone, Debug, Default)]
struct Change {
    members: Vec<(&'static str, Option<String>)>,
    attributes: Map<String, Value>,
    username: Option<Identifier>,
    fields: Vec<String>,
}

impl Accounts {
    /// Changes what `given` names; `null` empties. The person as they are afterwards.
    ///
    /// # Errors
    /// Every member that cannot be taken: those that are unknown, those that are proven elsewhere, values that do not fit.
    pub async fn change_profile(
        &self,
        user: &User,
        given: Map<String, Value>,
        asking: &Asking,
    ) -> Result<Arc<User>, AccountError> {
        let told = self.event_of(EventName::UserUpdated, user.id, asking);
        self.change_profile_by(user, given, told).await
    }

    /// [`change_profile`](Self::change_profile), told as `told` says: by somebody else perhaps.
    ///
    /// # Errors
    /// As there.
    pub async fn change_profile_by(
        &self,
        user: &User,
        given: Map<String, Value>,
        told: Event,
    ) -> Result<Arc<User>, AccountError> {
        let change = self.judge_profile(user, given)?;
        let now = self.now();
        let beside = Beside::event(told.telling("fields", change.fields.clone()));
        let username = change.username.clone();
        let apply: Option<ProfileChange> = (!change.members.is_empty() || !change.attributes.is_empty()).then(|| {
            let apply: ProfileChange = Arc::new(move |profile, attributes| change.apply(profile, attributes));
            apply
        });
        let changed = match (username, apply) {
            // One fact: a name that is taken changes nothing else, either.
            (Some(username), also) => self.edges.store.change_username(user.id, (username, also), now, beside).await?,
            (None, Some(apply)) => {
                let is_changed = self.edges.store.update_profile(user.id, &*apply, now, beside).await?;
                if is_changed { Added::Added } else { Added::Void }
            }
            (None, None) => Added::Added,
        };
        match changed {
            Added::Added => {}
            Added::Taken => return Err(Mistake::new("username", Why::UsernameTaken).into()),
            Added::Void => return Err(Why::AccountDisabled.into()),
        }
        self.edges.store.user(user.id).await?.ok_or_else(|| Why::NotFound.into())
    }

    fn judge_profile(&self, user: &User, given: Map<String, Value>) -> Result<Change, AccountError> {
        let (mut change, mut mistakes) = (Change::default(), Vec::new());
        for (name, value) in given {
            if let Some((member, _)) = MEMBERS.iter().find(|(member, _)| *member == name) {
                match text(member, value) {
                    Ok(text) => change.members.push((member, text)),
                    Err(mistake) => mistakes.push(mistake),
                }
            } else if let Some(attribute) = self.settings.attributes.get(&name) {
                match (attribute.visibility, value) {
                    (Visibility::Hidden | Visibility::Visible, _) => {
                        mistakes.push(Mistake::new(name.clone(), Why::UnknownField));
                    }
                    (Visibility::Editable, Value::Null) if attribute.required => {
                        mistakes.push(Mistake::new(name.clone(), Why::Required));
                    }
                    (Visibility::Editable, Value::Null) => {
                        change.attributes.insert(name.clone(), Value::Null);
                    }
                    (Visibility::Editable, value) => match attribute.fit(value) {
                        Ok(value) => {
                            change.attributes.insert(name.clone(), value);
                        }
                        Err(unfit) => mistakes.push(unfit_mistake(name.clone(), unfit)),
                    },
                }
            } else {
                match self.judge_name(user, &name, &value) {
                    Ok(username) => change.username = username.or(change.username),
                    Err(mistake) => mistakes.push(mistake),
                }
            }
            change.fields.push(name.chars().take(64).collect());
        }
        if mistakes.is_empty() { Ok(change) } else { Err(AccountError::Fields(mistakes)) }
    }

    /// Names by which people are found: a username may be changed; an address or number may be named when it is proven to be
    /// theirs and is the primary one, which changes nothing.
    fn judge_name(&self, user: &User, name: &str, value: &Value) -> Result<Option<Identifier>, Mistake> {
        let field = || name.chars().take(64).collect::<String>();
        let kind = match name {
            "email" => IdentifierKind::Email,
            "phone" => IdentifierKind::Phone,
            "username" if self.settings.username != Presence::Off => IdentifierKind::Username,
            _ => return Err(Mistake::new(field(), Why::UnknownField)),
        };
        let Value::String(typed) = value else { return Err(Mistake::new(field(), Why::WrongType)) };
        let same = LookupName::parse(typed);
        let own = user.primary(kind).filter(|own| LookupName::parse(&own.value) == same);
        match (kind, own) {
            (IdentifierKind::Email | IdentifierKind::Phone, Some(own)) if own.verified_at.is_some() => Ok(None),
            (IdentifierKind::Email | IdentifierKind::Phone, _) => Err(Mistake::new(field(), Why::VerificationRequired)),
            (IdentifierKind::Username, _) => {
                let username = self.username(typed)?;
                let now = self.now();
                Ok(Some(Identifier {
                    id: IdentifierId::new(now, self.edges.random.bytes()),
                    kind,
                    value: username.as_str().to_owned(),
                    verified_at: None,
                    is_primary: true,
                }))
            }
        }
    }
}

impl Change {
    fn apply(&self, profile: &mut Profile, attributes: &mut Map<String, Value>) {
        let names_before = full_name(profile);
        for (name, value) in &self.members {
            if let Some((_, member)) = MEMBERS.iter().find(|(member, _)| member == name) {
                member(profile).clone_from(value);
            }
        }
        // The full name follows its parts, unless somebody wrote it differently.
        let says_name = self.members.iter().any(|(name, _)| *name == "name");
        if !says_name && (profile.name.is_none() || profile.name == names_before) {
            profile.name = full_name(profile);
        }
        for (name, value) in &self.attributes {
            if value.is_null() {
                attributes.remove(name);
            } else {
                attributes.insert(name.clone(), value.clone());
            }
        }
    }
}

/// First and last name as one.
pub fn full_name(profile: &Profile) -> Option<String> {
    let parts: Vec<&str> =
        [&profile.given_name, &profile.family_name].into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A text of a profile: without blanks around it, on one line; empty is none.
pub fn text(field: &'static str, value: Value) -> Result<Option<String>, Mistake> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        _ => return Err(Mistake::new(field, Why::WrongType)),
    };
    let text = text.trim();
    if text.chars().count() > MAX_LENGTH {
        return Err(Mistake::new(field, Why::TooLong).with("max", MAX_LENGTH));
    }
    let is_url = field != "website" || text.is_empty() || is_web(text);
    if text.chars().any(char::is_control) || !is_url {
        return Err(Mistake::new(field, Why::InvalidValue));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn is_web(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
