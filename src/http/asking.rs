//! Who asks for something about an account, as `account/` wants to know it: the same for pages and for the API.

use http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::account::Asking;
use crate::edge::store::Here;
use crate::http::extract::visitor::Visitor;

/// The most languages that are written down.
const MAX_LANGUAGES: usize = 8;

impl Visitor {
    /// The session of the browser, which goes on where a change ends everything else of its person.
    pub fn here(&self) -> Option<Here> {
        self.browser.session.as_ref().map(|session| Here { session: session.id, grant: None })
    }

    /// Who asks. Handles are bound to the browser where it has a cookie; for others the handle itself is the proof.
    pub fn asking(&self) -> Asking {
        Asking {
            provenance: self.browser.provenance.clone(),
            binding: self.browser.flow,
            client: None,
            flow: None,
            languages: languages(&self.headers),
            session: self.browser.session.as_ref().map(|session| session.id),
            here: self.here(),
            device: self.device.clone(),
        }
    }
}

/// The languages that a browser names, in its order (RFC 9110 §12.5.4); their weights follow it in every browser.
fn languages(headers: &HeaderMap) -> Vec<String> {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let tags = accepted.split(',').filter_map(|range| range.split(';').next()).map(str::trim);
    let is_tag = |tag: &&str| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    tags.filter(is_tag).take(MAX_LANGUAGES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn languages_are_tags() {
        for (accepted, expected) in [
            ("de-CH, de;q=0.9, en;q=0.8, *;q=0.5", vec!["de-CH", "de", "en"]),
            ("", vec![]),
            ("<script>, x, de", vec!["de"]),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
            assert_eq!(languages(&headers), expected);
        }
    }
}
