//! Microsoft: one tenant or many.
//!
//! "OpenID Connect on the Microsoft identity platform", "Access token claims" (`tid`): the metadata of `common`, `organizations` and
//! `consumers` state a template, `https://login.microsoftonline.com/{tenantid}/v2.0`; the issuer of a token is that of its tenant. An
//! address is whatever an administrator of any tenant typed ("nOAuth"): it counts only where `xms_edov` says that the domain's owner was
//! verified.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::edge::upstream::oidc::{Dialect, Oidc};
use crate::edge::upstream::reading::is_true;
use crate::edge::upstream::{Account, UpstreamError};
use crate::model::identity_provider::ProviderSettings;

const TENANT: &str = "{tenantid}";
/// Names that stand for many tenants.
const MANY: &[&str] = &["common", "organizations", "consumers"];

pub(super) fn connector(account: Account<'_>) -> Oidc<'_> {
    let dialect = Dialect {
        states,
        issuer_of,
        admits,
        email_verified: |claims| {
            // It is a boolean, a number or a text, by the age of the tenant's settings.
            let owner_verified = claims.get("xms_edov");
            is_true(owner_verified)
                || owner_verified.is_some_and(|value| *value == 1 || value == "1" || value == "true")
        },
        ..Dialect::plain(account.provider.issuer())
    };
    Oidc { account, dialect }
}

fn states(stated: &str, wanted: &str) -> bool {
    stated == wanted
        || MANY.iter().any(|many| wanted.replacen(&format!("/{many}/"), &format!("/{TENANT}/"), 1) == stated)
}

fn issuer_of(stated: &str, claims: &Map<String, Value>) -> Result<String, UpstreamError> {
    if !stated.contains(TENANT) {
        return Ok(stated.to_owned());
    }
    let tenant = claims.get("tid").and_then(Value::as_str).and_then(|tid| tid.parse::<Uuid>().ok());
    let tenant = tenant.ok_or_else(|| UpstreamError::Untrue("the token names no tenant".to_owned()))?;
    Ok(stated.replacen(TENANT, &tenant.to_string(), 1))
}

fn admits(settings: &ProviderSettings, claims: &Map<String, Value>) -> Result<(), UpstreamError> {
    let tenant = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
    let is_in = |organization: &String| organization.eq_ignore_ascii_case(tenant);
    if settings.organizations.is_empty() || settings.organizations.iter().any(is_in) {
        return Ok(());
    }
    Err(UpstreamError::Refused("the account belongs to no tenant that is let in".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_of_the_tenant_that_it_names() {
        let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
        assert!(states(template, "https://login.microsoftonline.com/common/v2.0"));
        assert!(!states(template, "https://login.microsoftonline.com/contoso/v2.0"));
        assert!(!states("https://evil.example/{tenantid}/v2.0", "https://login.microsoftonline.com/common/v2.0"));
        let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let issuer = |tid: Value| issuer_of(template, json!({ "tid": tid }).as_object().unwrap());
        assert_eq!(issuer(json!(tenant)).unwrap(), format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        for bad in [json!("../evil"), json!(""), json!(7), Value::Null] {
            assert!(issuer(bad).is_err());
        }
    }
}
