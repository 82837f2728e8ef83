//! Google.
//!
//! <https://developers.google.com/identity/openid-connect/openid-connect>, "Authenticate with a backend server" (One Tap and native ID
//! tokens): `iss` is `https://accounts.google.com` or the same without its scheme; `email_verified` tells of the moment when Google
//! asked, so that the address is the account's own only within gmail.com and within a domain of Workspace, which `hd` names.

use serde_json::{Map, Value};

use crate::edge::upstream::oidc::{Dialect, Oidc};
use crate::edge::upstream::reading::is_true;
use crate::edge::upstream::{Account, UpstreamError};
use crate::model::identity_provider::ProviderSettings;

const ISSUER: &str = "https://accounts.google.com";
const BARE: &str = "accounts.google.com";
/// The domains of Google's own mailboxes.
const MAILBOXES: &[&str] = &["@gmail.com", "@googlemail.com"];

pub(super) fn connector(account: Account<'_>) -> Oidc<'_> {
    let organizations = &account.provider.settings.organizations;
    // `hd` only chooses among accounts; the token is what is judged.
    let hd = match organizations.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some("*".to_owned()),
    };
    let dialect = Dialect {
        issuer_of: |stated, claims| {
            let is_bare = claims.get("iss").is_some_and(|iss| iss == BARE);
            Ok(if is_bare && stated == ISSUER { BARE } else { stated }.to_owned())
        },
        known_as: |issuer| if issuer == BARE { ISSUER.to_owned() } else { issuer },
        parameters: hd.map(|hd| ("hd", hd)).into_iter().collect(),
        admits,
        email_verified,
        ..Dialect::plain(account.provider.issuer())
    };
    Oidc { account, dialect }
}

fn admits(settings: &ProviderSettings, claims: &Map<String, Value>) -> Result<(), UpstreamError> {
    let hd = claims.get("hd").and_then(Value::as_str);
    let is_in = |organization: &String| hd.is_some_and(|hd| hd.eq_ignore_ascii_case(organization));
    if settings.organizations.is_empty() || settings.organizations.iter().any(is_in) {
        return Ok(());
    }
    Err(UpstreamError::Refused("the account belongs to no organization that is let in".to_owned()))
}

fn email_verified(claims: &Map<String, Value>) -> bool {
    let email = claims.get("email").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let is_own = MAILBOXES.iter().any(|mailbox| email.ends_with(mailbox));
    is_true(claims.get("email_verified")) && (is_own || claims.get("hd").is_some_and(Value::is_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_googles_word_only_where_google_has_the_mailbox() {
        for (claims, verified) in [
            (json!({"email": "ada@gmail.com", "email_verified": true}), true),
            (json!({"email": "Ada@GMail.com", "email_verified": true}), true),
            (json!({"email": "ada@corp.example", "email_verified": true, "hd": "corp.example"}), true),
            (json!({"email": "ada@corp.example", "email_verified": true}), false),
            (json!({"email": "ada@gmail.com", "email_verified": "true"}), false),
            (json!({"email": "ada@gmail.com"}), false),
            (json!({"email": "ada@notgmail.com", "email_verified": true}), false),
        ] {
            assert_eq!(email_verified(claims.as_object().unwrap()), verified, "{claims}");
        }
    }

    #[test]
    fn only_the_organizations_that_are_named_are_let_in() {
        let settings =
            ProviderSettings { organizations: vec!["corp.example".to_owned()], ..ProviderSettings::default() };
        let is_let_in = |claims: &Value| admits(&settings, claims.as_object().unwrap()).is_ok();
        assert!(is_let_in(&json!({"hd": "Corp.example"})));
        assert!(!is_let_in(&json!({"hd": "other.example"})) && !is_let_in(&json!({"email": "a@corp.example"})));
    }
}
