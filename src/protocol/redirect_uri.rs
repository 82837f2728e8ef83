//! Redirect URIs: which may be registered, and when one that is given is one that is registered.
//!
//! RFC 6749 §3.1.2, RFC 8252 §7 (native apps), §7.3 (loopback port), RFC 9700 §2.1 and §4.1.3 (exact match).

use url::Url;

use crate::protocol::client_metadata::ApplicationType;
use crate::protocol::error::OAuthError;

pub use self::mismatch::explain_mismatch;

mod mismatch;

/// The longest redirect URI, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// Who may have answers sent to `http` on this machine.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum LoopbackHttp {
    /// Native clients only (RFC 8252 §7.3).
    NativeOnly,
    /// Web clients too: they are being developed.
    AlsoWeb,
}

impl LoopbackHttp {
    /// The choice for a client or server that `is_development`.
    pub const fn when_development(is_development: bool) -> Self {
        if is_development { Self::AlsoWeb } else { Self::NativeOnly }
    }
}

/// Checks that a client of `application_type` may have answers sent to `uri`; asked at registration and at use.
///
/// # Errors
/// `invalid_redirect_uri` with a sentence that says what is wrong (RFC 7591 §3.2.2).
pub fn validate(uri: &str, application_type: ApplicationType, loopback: LoopbackHttp) -> Result<(), OAuthError> {
    let refuse = |reason: &'static str| Err(OAuthError::invalid_redirect_uri(reason).hint(format!("given: {uri}")));
    if uri.is_empty() || uri.len() > MAX_LENGTH {
        return refuse("a redirect URI has 1 to 2048 characters");
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
        return refuse("a redirect URI holds only the characters of RFC 3986; percent-encode the others");
    }
    if uri.contains('#') {
        return refuse("a redirect URI must not have a fragment (RFC 6749 section 3.1.2)");
    }
    if uri.contains('*') {
        return refuse("wildcards in redirect URIs do not exist; register each URI in full (RFC 9700 section 4.1.3)");
    }
    let Ok(url) = Url::parse(uri) else {
        return refuse("a redirect URI must be absolute, such as https://app.example/callback");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a redirect URI must not hold a username or password");
    }
    match url.scheme() {
        "https" if has_plain_authority(uri) => Ok(()),
        "https" => refuse("an https redirect URI begins with https:// and a host name"),
        "http" => match (loopback_parts(uri), application_type, loopback) {
            (None, ..) => refuse("a redirect URI must use https; http is for 127.0.0.1, [::1] and localhost only"),
            (Some(_), ApplicationType::Native, _) | (Some(_), _, LoopbackHttp::AlsoWeb) => Ok(()),
            (Some(_), ApplicationType::Web, LoopbackHttp::NativeOnly) => refuse(
                "http on this machine is for native clients (application_type native) and for clients under development",
            ),
        },
        scheme => match application_type {
            ApplicationType::Native if scheme.contains('.') => Ok(()),
            ApplicationType::Native => refuse(
                "a private-use scheme must be a domain name in reverse order, such as com.example.app (RFC 8252 section 7.1)",
            ),
            ApplicationType::Web => refuse("a web client's redirect URI must use https"),
        },
    }
}

/// True when `given` is `registered`, byte for byte; a native client's loopback URI may differ in its port, which it
/// gets from the operating system (RFC 8252 §7.3).
pub fn matches(registered: &str, given: &str, application_type: ApplicationType) -> bool {
    if registered == given {
        return true;
    }
    application_type == ApplicationType::Native
        && loopback_parts(registered).is_some_and(|parts| loopback_parts(given) == Some(parts))
}

/// Host and remainder of an `http` URI on this machine, its port left out; `None` for any other URI.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let after_scheme = uri.strip_prefix("http://")?;
    let (host, rest) = ["127.0.0.1", "[::1]", "localhost"]
        .into_iter()
        .find_map(|host| after_scheme.strip_prefix(host).map(|rest| (host, rest)))?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(after_colon) => {
            let end = after_colon.find(|c: char| !c.is_ascii_digit()).unwrap_or(after_colon.len());
            let (port, rest) = after_colon.split_at(end);
            port.parse::<u16>().ok()?;
            rest
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

/// True when an `https` URI has `https://`, a host and perhaps a port before its path: what every parser reads alike.
///
/// The url package also takes `https:host`, `https:///host` and an encoded host.
fn has_plain_authority(uri: &str) -> bool {
    let Some(rest) = uri.get("https".len()..).and_then(|rest| rest.strip_prefix("://")) else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !authority.is_empty() && authority.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ApplicationType::{Native, Web};

    /// RFC 8252 §7, RFC 9700 §4.1.3, PROTOCOL R3 and R4.
    #[test]
    fn which_may_be_registered() {
        for (uri, web, developed_web, native) in [
            ("https://app.example/cb", true, true, true),
            ("https://app.example", true, true, true),
            ("https://app.example:8443/cb?tenant=1", true, true, true),
            ("https://[2001:db8::1]/cb", true, true, true),
            ("http://localhost:3000/cb", false, true, true),
            ("http://127.0.0.1/cb", false, true, true),
            ("http://[::1]:1/cb", false, true, true),
            ("com.example.app:/cb", false, false, true),
            ("com.example.app://cb", false, false, true),
            ("myapp://cb", false, false, false),
            ("http://app.example/cb", false, false, false),
            ("http://localhost.evil.example/cb", false, false, false),
            ("http://localhost:3000@evil.example/cb", false, false, false),
            ("http://127.0.0.1.evil.example/cb", false, false, false),
            ("http://127.1/cb", false, false, false),
            ("http://localhost:99999/cb", false, false, false),
            ("https://user:pw@app.example/cb", false, false, false),
            ("https://app.example/cb#", false, false, false),
            ("https://app.example/cb#x", false, false, false),
            ("https://*.example/cb", false, false, false),
            ("https://app.example/*", false, false, false),
            ("https:app.example/cb", false, false, false),
            ("https:///app.example/cb", false, false, false),
            ("https://", false, false, false),
            ("https://@evil.example/cb", false, false, false),
            ("https://app.example:@evil.example/cb", false, false, false),
            ("https://app.example%2eevil.example/cb", false, false, false),
            ("https://{tenant}.example/cb", false, false, false),
            ("https:/x?https://app.example/cb", false, false, false),
            ("https://app.example/c b", false, false, false),
            ("https://app.example\\@evil.example/", false, false, false),
            ("https://äpp.example/", false, false, false),
            ("https://app.example/\u{0}", false, false, false),
            ("/cb", false, false, false),
            ("//app.example/cb", false, false, false),
            ("app.example/cb", false, false, false),
            ("javascript:alert(1)", false, false, false),
            ("JavaScript://app.example/%0Aalert(1)", false, false, false),
            ("data:text/html,x", false, false, false),
            ("vbscript:x", false, false, false),
            ("file:///etc/passwd", false, false, false),
            ("blob:https://app.example/x", false, false, false),
            ("about:blank", false, false, false),
            ("urn:ietf:wg:oauth:2.0:oob", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(validate(uri, Web, LoopbackHttp::NativeOnly).is_ok(), web, "web {uri}");
            assert_eq!(validate(uri, Web, LoopbackHttp::AlsoWeb).is_ok(), developed_web, "developed web {uri}");
            assert_eq!(validate(uri, Native, LoopbackHttp::NativeOnly).is_ok(), native, "native {uri}");
        }
        let long = format!("https://app.example/{}", "x".repeat(MAX_LENGTH));
        assert!(validate(&long, Web, LoopbackHttp::NativeOnly).is_err());
    }

    /// RFC 9700 §4.1.3; RFC 8252 §7.3.
    #[test]
    fn what_is_given_is_what_is_registered() {
        for (registered, given, web, native) in [
            ("https://app.example/cb", "https://app.example/cb", true, true),
            ("https://app.example/cb", "https://app.example/cb/", false, false),
            ("https://app.example/cb", "https://app.example/CB", false, false),
            ("https://app.example/cb", "https://app.example/cb?x=1", false, false),
            ("https://app.example/cb", "https://app.example/%63b", false, false),
            ("https://app.example/cb", "https://app.example:443/cb", false, false),
            ("https://app.example:1/cb", "https://app.example:2/cb", false, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", false, true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:51004/cb", false, true),
            ("http://[::1]:1/cb?a=b", "http://[::1]:9/cb?a=b", false, true),
            ("http://localhost/cb", "http://localhost:3000/cb", false, true),
            ("http://localhost", "http://localhost:3000", false, true),
            ("http://localhost/cb", "http://127.0.0.1:3000/cb", false, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb/x", false, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", false, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false, false),
            ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false, false),
            ("http://127.0.0.1", "http://127.0.0.1.evil.example", false, false),
        ] {
            assert_eq!(matches(registered, given, Web), web, "web {given}");
            assert_eq!(matches(registered, given, Native), native, "native {given}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(registered: String, given: String) {
            let _ = validate(&given, Native, LoopbackHttp::AlsoWeb);
            let _ = matches(&registered, &given, Native);
            let _ = explain_mismatch(&given, &[registered]);
        }

        #[test]
        fn only_the_port_may_differ(port: u16, path in "(/[a-z]{0,5}){0,3}") {
            let given = format!("http://127.0.0.1:{port}{path}");
            let registered = format!("http://127.0.0.1{path}");
            prop_assert!(matches(&registered, &given, Native));
            let longer = format!("{given}x");
            prop_assert!(!matches(&registered, &longer, Native));
        }
    }
}
