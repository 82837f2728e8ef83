//! The static files of the pages: style sheet, scripts, pictures.
//!
//! Each is served under a name that carries a fingerprint of its content (`style-<16 hex digits>.css`),
//! so that a browser may keep it for good (RFC 8246).

use std::collections::BTreeMap;

use bytes::Bytes;

/// A static file as a browser gets it.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The whole content.
    pub bytes: Bytes,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
}

/// Every static file, found by the name in its URL or by its own.
#[derive(Debug, Default)]
pub(super) struct Assets {
    by_hashed_name: BTreeMap<String, Asset>,
    hashed_names: BTreeMap<String, String>,
}

impl Assets {
    /// Adds a file; one added later under the same name takes its place. False when its ending is not one we serve.
    pub(super) fn add(&mut self, name: &str, bytes: Bytes) -> bool {
        let Some((stem, extension)) = name.rsplit_once('.') else { return false };
        let Some(content_type) = content_type(extension) else { return false };
        let hashed = format!("{stem}-{:016x}.{extension}", fingerprint(&bytes));
        if let Some(previous) = self.hashed_names.insert(name.to_owned(), hashed.clone()) {
            self.by_hashed_name.remove(&previous);
        }
        self.by_hashed_name.insert(hashed, Asset { bytes, content_type });
        true
    }

    /// The file that a URL names.
    pub(super) fn get(&self, hashed_name: &str) -> Option<Asset> {
        self.by_hashed_name.get(hashed_name).cloned()
    }

    /// The name for URLs of the file that templates call `name`.
    pub(super) fn hashed_name(&self, name: &str) -> Option<&str> {
        self.hashed_names.get(name).map(String::as_str)
    }
}

/// The media type of a file ending; None for endings that are not served.
fn content_type(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// FNV-1a over 64 bits. It tells one release of a file from another; nobody gains by a collision of our own files.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_fnv_1a() {
        // Test vectors of the FNV reference.
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_later_file_of_the_same_name_replaces_the_first() {
        let mut assets = Assets::default();
        assert!(assets.add("style.css", Bytes::from_static(b"a{}")));
        let first = assets.hashed_name("style.css").unwrap().to_owned();
        assert!(assets.add("style.css", Bytes::from_static(b"b{}")));
        let second = assets.hashed_name("style.css").unwrap().to_owned();

        assert_ne!(first, second);
        assert!(assets.get(&first).is_none());
        let served = assets.get(&second).unwrap();
        assert_eq!(served.bytes, "b{}");
        assert_eq!(served.content_type, "text/css; charset=utf-8");
    }

    #[test]
    fn only_known_endings_are_served() {
        let mut assets = Assets::default();
        for name in ["theme.toml", "README", "page.html", "evil.exe"] {
            assert!(!assets.add(name, Bytes::new()), "{name}");
        }
        assert!(assets.hashed_name("theme.toml").is_none());
    }
}
