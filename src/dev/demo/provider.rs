//! The server as the demo knows it: by its discovery document.
//!
//! OIDC Discovery §4, RFC 9207 §3.

use serde::Deserialize;
use url::Url;

use super::failure::Failure;

/// The members of a discovery document that the demo uses.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<Url>,
    pub(super) token_endpoint: Option<Url>,
    pub(super) jwks_uri: Option<Url>,
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) introspection_endpoint: Option<Url>,
    pub(super) revocation_endpoint: Option<Url>,
    pub(super) end_session_endpoint: Option<Url>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// The document's place below an issuer (OIDC Discovery §4.1).
    pub(super) fn document_url(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads the document of `issuer`; it must name that very issuer (§4.3).
    pub(super) fn parse(body: &[u8], issuer: &str) -> Result<Self, Failure> {
        let provider: Self = serde_json::from_slice(body)
            .map_err(|error| Failure::new("The discovery document cannot be read", error.to_string()))?;
        if provider.issuer == issuer {
            return Ok(provider);
        }
        let detail = format!("it names the issuer “{}”, the app is set up for “{issuer}”", provider.issuer);
        Err(Failure::new("The discovery document belongs to another issuer", detail))
    }
}

/// The endpoint, or a failure that names what the document lacks.
pub(super) fn endpoint(url: Option<&Url>, member: &str) -> Result<Url, Failure> {
    url.cloned().ok_or_else(|| {
        Failure::new("The server does not offer this", format!("its discovery document has no {member}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_names_its_own_issuer() {
        let document = br#"{"issuer":"http://localhost:8080","token_endpoint":"http://localhost:8080/oauth2/token"}"#;
        let provider = Provider::parse(document, "http://localhost:8080").unwrap();
        assert!(endpoint(provider.token_endpoint.as_ref(), "token_endpoint").is_ok());
        assert!(endpoint(provider.jwks_uri.as_ref(), "jwks_uri").unwrap_err().detail.contains("jwks_uri"));
        for (body, issuer) in [(&document[..], "http://localhost:8080/"), (b"[]", ""), (b"{}", ""), (b"", "")] {
            assert!(Provider::parse(body, issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn the_document_stands_below_the_issuer() {
        for (issuer, url) in [
            ("http://a", "http://a/.well-known/openid-configuration"),
            ("http://a/", "http://a/.well-known/openid-configuration"),
            ("http://a/tenant", "http://a/tenant/.well-known/openid-configuration"),
        ] {
            assert_eq!(Provider::document_url(issuer), url);
        }
    }
}
