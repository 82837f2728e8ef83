//! What a provider tells of a person, as it is believed: short texts, addresses in form, pictures over https.

use serde_json::{Map, Value};

use crate::edge::upstream::UpstreamError;
use crate::model::identifier::Email;
use crate::model::identity_provider::ProviderSettings;
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;

/// The longest text that is taken, in characters.
const MAX_TEXT: usize = 256;
/// The longest `sub` (OIDC Core §2).
const MAX_SUBJECT: usize = 255;
/// The most groups of one person that are read.
const MAX_GROUPS: usize = 1_000;

/// Claims of a person, read by the names that the operator set.
pub(super) struct Reading<'a> {
    pub(super) settings: &'a ProviderSettings,
    pub(super) claims: &'a Map<String, Value>,
}

impl<'a> Reading<'a> {
    /// The claim that stands for ours called `name`; `usual` where nothing is set.
    pub(super) fn claim(&self, name: &str, usual: &[&str]) -> Option<&'a Value> {
        if let Some(path) = self.settings.claims.get(name) {
            return at(self.claims, path);
        }
        usual.iter().find_map(|path| at(self.claims, path))
    }

    /// A text of reasonable length without control characters.
    pub(super) fn text(&self, name: &str, usual: &[&str]) -> Option<String> {
        let text = self.claim(name, usual)?.as_str()?.trim();
        let is_good = !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control);
        is_good.then(|| text.to_owned())
    }

    /// Who it is there: a text, or a whole number as many APIs have it.
    pub(super) fn subject(&self, usual: &[&str]) -> Result<String, UpstreamError> {
        let subject = match self.claim("sub", usual) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_u64() => number.to_string(),
            _ => String::new(),
        };
        if (1..=MAX_SUBJECT).contains(&subject.len()) && !subject.chars().any(char::is_control) {
            Ok(subject)
        } else {
            Err(UpstreamError::Untrue("it names nobody: sub is missing or of a strange form".to_owned()))
        }
    }

    /// The identity of `issuer` that is told here. `email_verified` is what the kind of provider makes of it.
    pub(super) fn identity(&self, (issuer, subject): (String, String), email_verified: bool) -> UpstreamIdentity {
        let email = self.text("email", &["email"]).filter(|email| Email::parse(email).is_some());
        let picture = self.text("picture", &["picture"]).filter(|url| url.starts_with("https://"));
        let profile = Profile {
            name: self.text("name", &["name"]),
            given_name: self.text("given_name", &["given_name"]),
            family_name: self.text("family_name", &["family_name"]),
            nickname: self.text("nickname", &["nickname"]),
            locale: self.text("locale", &["locale"]),
            picture,
            ..Profile::default()
        };
        let label = email.clone().or_else(|| self.text("preferred_username", &["preferred_username", "login"]));
        let amr = self.claims.get("amr").and_then(Value::as_array);
        let amr = amr.into_iter().flatten().filter_map(Value::as_str).filter(|value| value.len() <= 32);
        UpstreamIdentity {
            issuer,
            subject,
            email_verified: self.is_email_verified(email_verified) && email.is_some(),
            label: label.or_else(|| profile.name.clone()),
            email,
            profile,
            acr: self.claims.get("acr").and_then(Value::as_str).filter(|acr| acr.len() <= MAX_TEXT).map(str::to_owned),
            amr: amr.take(8).map(str::to_owned).collect(),
            sid: self.claims.get("sid").and_then(Value::as_str).filter(|sid| is_name(sid)).map(str::to_owned),
            groups: self.groups(),
            // What is told of the person may be of their own making; of the sign-in an ID token alone speaks.
            told_at: None,
            good_until: None,
            proven_at: None,
        }
    }

    /// A moment, in seconds.
    pub(super) fn moment(&self, name: &str) -> Option<NumericDate> {
        self.claims.get(name)?.as_i64().map(NumericDate::from_seconds)
    }

    /// Whether the address is proven there. What a provider says of its own `email` says nothing of another claim that the operator reads
    /// the address from: for that one, a claim of the operator's choice has to speak.
    fn is_email_verified(&self, usual: bool) -> bool {
        let set = &self.settings.claims;
        if set.contains_key("email_verified") {
            return is_true(self.claim("email_verified", &[]));
        }
        usual && set.get("email").is_none_or(|path| path == "email")
    }

    /// The groups there; `None` where the operator named no claim for them, or nothing is told by it.
    pub(super) fn groups(&self) -> Option<Vec<String>> {
        let told = at(self.claims, self.settings.groups.claim.as_deref()?)?;
        let one = std::slice::from_ref(told);
        let several = told.as_array().map_or(one, Vec::as_slice);
        let named = several.iter().filter_map(Value::as_str).filter(|group| is_name(group));
        Some(named.take(MAX_GROUPS).map(str::to_owned).collect())
    }
}

/// A short text.
fn is_name(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The value at a path with `.` between levels; a claim whose own name holds dots goes first.
fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    match claims.get(first)? {
        Value::Object(inner) => at(inner, rest),
        _ => None,
    }
}

/// `true`, and nothing that only looks like it (PROTOCOL A20).
pub(super) fn is_true(value: Option<&Value>) -> bool {
    value == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identity(claims: &Value, settings: &ProviderSettings) -> UpstreamIdentity {
        let claims = claims.as_object().unwrap();
        let reading = Reading { settings, claims };
        let subject = reading.subject(&["sub"]).unwrap();
        reading.identity(("https://idp.example".to_owned(), subject), is_true(claims.get("email_verified")))
    }

    #[test]
    fn an_address_of_another_claim_is_not_proven_by_the_usual_one() {
        let told = json!({"sub": "1", "email": "ada@example.com", "email_verified": true, "upn": "eve@corp.example", "sure": true});
        let settings = |claims: &[(&str, &str)]| ProviderSettings {
            claims: claims.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect(),
            ..ProviderSettings::default()
        };
        for (claims, verified) in [
            (&[("email", "email")][..], true),
            (&[("email", "upn")], false),
            (&[("email", "upn"), ("email_verified", "sure")], true),
            (&[("email_verified", "upn")], false),
        ] {
            assert_eq!(identity(&told, &settings(claims)).email_verified, verified, "{claims:?}");
        }
    }

    #[test]
    fn what_is_told_is_taken_in_form_only() {
        let long = "x".repeat(300);
        let told = json!({
            "sub": "1", "name": "Ada\u{0}", "given_name": 7, "family_name": long, "nickname": " ada ",
            "picture": "javascript:alert(1)", "email": "not an address", "email_verified": true,
        });
        let read = identity(&told, &ProviderSettings::default());
        assert_eq!(read.profile, Profile { nickname: Some("ada".to_owned()), ..Profile::default() });
        assert_eq!((read.email, read.email_verified), (None, false));
        for verified in [json!("true"), json!(1), json!(null), json!({}), json!(["true"])] {
            let told = json!({"sub": "1", "email": "ada@example.com", "email_verified": verified});
            assert!(!identity(&told, &ProviderSettings::default()).email_verified, "{verified}");
        }
        for subject in
            [json!({}), json!({"sub": ""}), json!({"sub": -1}), json!({"sub": 1.5}), json!({"sub": "x".repeat(256)})]
        {
            let settings = ProviderSettings::default();
            let reading = Reading { settings: &settings, claims: subject.as_object().unwrap() };
            assert!(reading.subject(&["sub"]).is_err(), "{subject}");
        }
    }

    #[test]
    fn groups_are_read_where_the_operator_says() {
        let mut settings = ProviderSettings::default();
        let groups = |settings: &ProviderSettings, told: &Value| identity(told, settings).groups;
        let told = json!({"sub": "1", "realm_access": {"roles": ["staff", 7, "", "admins"]}});
        assert_eq!(groups(&settings, &told), None, "nobody asked");
        settings.groups.claim = Some("realm_access.roles".to_owned());
        assert_eq!(groups(&settings, &told), Some(vec!["staff".to_owned(), "admins".to_owned()]));
        assert_eq!(groups(&settings, &json!({"sub": "1"})), None);
        assert_eq!(groups(&settings, &json!({"sub": "1", "realm_access": {"roles": []}})), Some(Vec::new()));
        let one = json!({"sub": "1", "realm_access": {"roles": "staff"}});
        assert_eq!(groups(&settings, &one), Some(vec!["staff".to_owned()]));
    }

    #[test]
    fn names_are_those_that_the_operator_set() {
        let mut settings = ProviderSettings::default();
        settings.claims.insert("name".to_owned(), "person.full".to_owned());
        settings.claims.insert("email".to_owned(), "https://idp.example/mail".to_owned());
        let told = json!({
            "sub": 42, "name": "not this", "person": {"full": "Ada Lovelace"}, "https://idp.example/mail": "ada@example.com",
        });
        let read = identity(&told, &settings);
        assert_eq!(read.subject, "42");
        assert_eq!(read.profile.name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(read.email.as_deref(), Some("ada@example.com"));
    }
}
