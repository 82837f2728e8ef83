//! Resource indicators: which resource servers a token is asked for.
//!
//! RFC 8707 §2.

use url::Url;

use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;

/// The most resources one request may name.
const MAX_RESOURCES: usize = 20;
/// The longest, in bytes.
const MAX_LENGTH: usize = 512;

/// The resources that a request names, each once.
///
/// # Errors
/// `invalid_target` for one that is no absolute URI or has a fragment, and for more than twenty.
pub fn resources(params: &Params) -> Result<Vec<String>, OAuthError> {
    let named = params.many("resource");
    if named.len() > MAX_RESOURCES {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "the request names more than 20 resources"));
    }
    let mut resources: Vec<String> = Vec::with_capacity(named.len());
    for resource in named {
        if !is_resource(resource) {
            let sentence = "resource must be an absolute URI without a fragment";
            return Err(OAuthError::new(ErrorCode::InvalidTarget, sentence));
        }
        if !resources.iter().any(|known| known == resource) {
            resources.push(resource.to_owned());
        }
    }
    Ok(resources)
}

/// True for an absolute URI without a fragment.
pub fn is_resource(text: &str) -> bool {
    text.len() <= MAX_LENGTH && Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for (text, good) in [
            ("https://api.example/v1", true),
            ("urn:orders", true),
            ("orders", false),
            ("/v1", false),
            ("https://api.example/#x", false),
            ("", false),
        ] {
            assert_eq!(is_resource(text), good, "{text}");
        }
        assert!(!is_resource(&format!("urn:{}", "x".repeat(MAX_LENGTH))));
        let parse = |text: &str| resources(&Params::parse(text.as_bytes()).expect("well formed"));
        assert_eq!(parse("resource=urn:a&resource=urn:b&resource=urn:a").unwrap(), ["urn:a", "urn:b"]);
        assert!(parse("").unwrap().is_empty());
        assert_eq!(parse("resource=a").unwrap_err().code(), ErrorCode::InvalidTarget);
        let many = (0..21).map(|number| format!("resource=urn:{number}")).collect::<Vec<_>>().join("&");
        assert_eq!(parse(&many).unwrap_err().code(), ErrorCode::InvalidTarget);
    }
}
