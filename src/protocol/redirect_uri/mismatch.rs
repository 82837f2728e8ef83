//! What a developer got wrong when a redirect URI is not registered.
//!
//! For hints in logs and development pages; RFC 9700 §4.1.3 is why a near miss is a miss.

use url::Url;

/// The most registered URIs that a hint lists.
const MAX_LISTED: usize = 10;

/// Names the registered URI that `given` comes nearest to, and how they differ.
pub fn explain_mismatch(given: &str, registered: &[String]) -> String {
    if registered.is_empty() {
        return format!("no redirect URI is registered for this client; given: {given}");
    }
    let differences =
        registered.iter().filter_map(|known| Difference::between(given, known).map(|found| (found, known)));
    if let Some((difference, known)) = differences.min_by_key(|(difference, _)| *difference) {
        return format!("{}. given: {given} registered: {known}", difference.as_str());
    }
    let listed = registered.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join(" ");
    let more = registered.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("given: {given} registered: {listed}{more}")
}

/// The one way in which two URIs differ, of those that people get wrong; the nearest first.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Difference {
    WhiteSpace,
    Slash,
    Case,
    Encoding,
    Spelling,
    Fragment,
    Query,
    Port,
    Scheme,
    LoopbackName,
    Www,
    Path,
    Host,
}

impl Difference {
    const fn as_str(self) -> &'static str {
        match self {
            Self::WhiteSpace => "there is white space around it",
            Self::Slash => "they differ in the slash at the end",
            Self::Case => "they differ in upper and lower case; comparison is exact",
            Self::Encoding => "they differ in percent-encoding; it may have been encoded twice or not at all",
            Self::Spelling => {
                "they mean the same but are spelt differently (a default port or dot segments); comparison is exact"
            }
            Self::Fragment => "it has a fragment (#), which a redirect URI must not have",
            Self::Query => "they differ in the query",
            Self::Port => "they differ in the port; only native clients on this machine may choose one",
            Self::Scheme => "they differ in http and https",
            Self::LoopbackName => "localhost, 127.0.0.1 and [::1] are different hosts",
            Self::Www => "they differ in www.",
            Self::Path => "they differ in the path",
            Self::Host => "they differ in the host",
        }
    }

    fn between(given: &str, registered: &str) -> Option<Self> {
        if given.trim() == registered {
            return Some(Self::WhiteSpace);
        }
        if given.trim_end_matches('/') == registered.trim_end_matches('/') {
            return Some(Self::Slash);
        }
        if given.eq_ignore_ascii_case(registered) {
            return Some(Self::Case);
        }
        if fully_decoded(given) == fully_decoded(registered) {
            return Some(Self::Encoding);
        }
        let (given, registered) = (Url::parse(given).ok()?, Url::parse(registered).ok()?);
        Self::between_urls(&given, &registered)
    }

    fn between_urls(given: &Url, registered: &Url) -> Option<Self> {
        let alike_after = |change: fn(&mut Url, &Url)| {
            let mut changed = given.clone();
            change(&mut changed, registered);
            changed == *registered
        };
        let both_loopback = is_loopback(given) && is_loopback(registered);
        if given == registered {
            Some(Self::Spelling)
        } else if alike_after(|url, other| url.set_fragment(other.fragment())) {
            Some(Self::Fragment)
        } else if alike_after(|url, other| url.set_query(other.query())) {
            Some(Self::Query)
        } else if alike_after(|url, other| _ = url.set_port(other.port())) {
            Some(Self::Port)
        } else if alike_after(|url, other| _ = url.set_scheme(other.scheme())) {
            Some(Self::Scheme)
        } else if both_loopback && given.path() == registered.path() {
            Some(Self::LoopbackName)
        } else if alike_after(|url, other| url.set_path(other.path())) {
            Some(Self::Path)
        } else if alike_after(|url, other| _ = url.set_host(other.host_str())) {
            Some(if without_www(given) == without_www(registered) { Self::Www } else { Self::Host })
        } else {
            None
        }
    }
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
            ("https://other.example/callback?", "https://app.example/callback?", "host"),
        ] {
            // The nearest is named, wherever it stands in the list.
            let far = ["com.example.unlike:/somewhere", "https://far.example/cb", registered].map(str::to_owned);
            let explained = explain_mismatch(given, &far);
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
        let many = vec!["https://a.example/x".to_owned(); 12];
        assert!(explain_mismatch("https://c.example/z", &many).ends_with(" and 2 more"));
        assert!(explain_mismatch("https://c.example/z", &[]).starts_with("no redirect URI is registered"));
    }
}
