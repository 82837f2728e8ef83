//! What a developer got wrong when a redirect URI is not registered.
//!
//! For hints in logs and development pages; RFC 9700 §4.1.3 is why a near miss is a miss.

use url::Url;

/// Names the registered URI that `given` comes nearest to, and how they differ.
pub fn explain_mismatch(given: &str, registered: &[String]) -> String {
    if registered.is_empty() {
        return format!("no redirect URI is registered for this client; given: {given}");
    }
    let near = registered.iter().find_map(|candidate| difference(given, candidate).map(|reason| (candidate, reason)));
    match near {
        Some((candidate, reason)) => format!("{reason}. given: {given} registered: {candidate}"),
        None => format!("given: {given} registered: {}", registered.join(" ")),
    }
}

/// The one way in which two URIs differ, when it is one that people get wrong.
fn difference(given: &str, registered: &str) -> Option<&'static str> {
    if given.trim() == registered && given != registered {
        return Some("there is white space around it");
    }
    if given.trim_end_matches('/') == registered.trim_end_matches('/') {
        return Some("they differ in the slash at the end");
    }
    if given.eq_ignore_ascii_case(registered) {
        return Some("they differ in upper and lower case; comparison is exact");
    }
    if fully_decoded(given) == fully_decoded(registered) {
        return Some("they differ in percent-encoding; it may have been encoded twice or not at all");
    }
    let (given, registered) = (Url::parse(given).ok()?, Url::parse(registered).ok()?);
    if given == registered {
        return Some(
            "they mean the same but are spelt differently (a default port or dot segments); comparison is exact",
        );
    }
    let alike = |change: fn(&mut Url, &Url)| {
        let mut changed = given.clone();
        change(&mut changed, &registered);
        changed == registered
    };
    // From the narrowest change to the widest.
    if alike(|url, other| url.set_fragment(other.fragment())) {
        return Some("it has a fragment (#), which a redirect URI must not have");
    }
    if alike(|url, other| url.set_query(other.query())) {
        return Some("they differ in the query");
    }
    if alike(|url, other| _ = url.set_port(other.port())) {
        return Some("they differ in the port; only native clients on this machine may choose one");
    }
    if alike(|url, other| _ = url.set_scheme(other.scheme())) {
        return Some("they differ in http and https");
    }
    if is_loopback(&given) && is_loopback(&registered) && alike(|url, other| _ = url.set_host(other.host_str())) {
        return Some("localhost, 127.0.0.1 and [::1] are different hosts");
    }
    if is_loopback(&given) && is_loopback(&registered) && given.path() == registered.path() {
        return Some("localhost, 127.0.0.1 and [::1] are different hosts, and the port differs too");
    }
    if without_www(&given) == without_www(&registered) && alike(|url, other| _ = url.set_host(other.host_str())) {
        return Some("they differ in www.");
    }
    if alike(|url, other| url.set_path(other.path())) {
        return Some("they differ in the path");
    }
    alike(|url, other| _ = url.set_host(other.host_str())).then_some("they differ in the host")
}

/// Decodes until nothing changes, at most three times: an encoded encoding is a common slip.
fn fully_decoded(uri: &str) -> String {
    let mut text = uri.to_owned();
    for _ in 0..3 {
        // A plus is a plus in a URI; only in a form is it a space.
        let escaped = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        let decoded = url::form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).next();
        match decoded {
            Some(decoded) if decoded != text => text = decoded,
            _ => break,
        }
    }
    text
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn without_www(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_named() {
        for (given, registered, word) in [
            ("https://app.example/cb/", "https://app.example/cb", "slash"),
            ("https://app.example", "https://app.example/", "slash"),
            (" https://app.example/cb", "https://app.example/cb", "white space"),
            ("https://app.example/CB", "https://app.example/cb", "case"),
            ("https://App.example/cb", "https://app.example/cb", "case"),
            ("https%3A%2F%2Fapp.example%2Fcb", "https://app.example/cb", "percent"),
            ("https://app.example/a%20b", "https://app.example/a%2520b", "percent"),
            ("https://app.example:443/cb", "https://app.example/cb", "spelt"),
            ("https://app.example/x/../cb", "https://app.example/cb", "spelt"),
            ("https://app.example/cb#x", "https://app.example/cb", "fragment"),
            ("https://app.example/cb?x=1", "https://app.example/cb", "query"),
            ("https://app.example:8443/cb", "https://app.example/cb", "port"),
            ("http://app.example/cb", "https://app.example/cb", "https"),
            ("http://localhost:3000/cb", "http://127.0.0.1:3000/cb", "localhost"),
            ("http://localhost:3000/cb", "http://127.0.0.1:4000/cb", "localhost"),
            ("https://www.app.example/cb", "https://app.example/cb", "www."),
            ("https://app.example/callback", "https://app.example/cb", "path"),
            ("https://other.example/cb", "https://app.example/cb", "host"),
        ] {
            let far = "com.example.unlike:/somewhere".to_owned();
            let explained = explain_mismatch(given, &[far, registered.to_owned()]);
            assert!(explained.contains(word), "{given}: {explained}");
            assert!(explained.contains(registered), "{given}: {explained}");
        }
    }

    #[test]
    fn what_is_unlike_is_listed() {
        let registered = ["https://a.example/x".to_owned(), "https://b.example/y".to_owned()];
        assert_eq!(
            explain_mismatch("https://c.example/z", &registered),
            "given: https://c.example/z registered: https://a.example/x https://b.example/y"
        );
        assert!(explain_mismatch("https://c.example/z", &[]).starts_with("no redirect URI is registered"));
    }
}
