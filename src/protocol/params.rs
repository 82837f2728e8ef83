//! Request parameters: the one parser of `application/x-www-form-urlencoded`, for queries and bodies alike.
//!
//! RFC 6749 §3.1, §3.2 and appendix B: empty is absent, unknown is ignored, repeated is refused.

use std::fmt;

use crate::protocol::error::OAuthError;

/// The most parameters we read.
const MAX_COUNT: usize = 200;

/// Decoded parameters in the order they came; those without a value are left out (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query (without `?`) or a form body.
    ///
    /// # Errors
    /// `invalid_request` for an incomplete `%` sequence, bytes that are not UTF-8, a control character (tab and line
    /// ends aside: a `claims` value may be indented JSON), or more than 200 parameters.
    pub fn parse(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut pairs = Vec::new();
        for (index, pair) in bytes.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
            if index >= MAX_COUNT {
                return Err(OAuthError::invalid_request("the request has more than 200 parameters"));
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if !name.is_empty() && !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Ok(Self(pairs))
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// The only value of `name`.
    ///
    /// # Errors
    /// `invalid_request` when it is repeated (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.iter().filter(|(own, _)| *own == name).map(|(_, value)| value);
        let first = values.next();
        if values.next().is_some() { Err(repeated(name)) } else { Ok(first) }
    }

    /// The only value of `name`, which must be there.
    ///
    /// # Errors
    /// `invalid_request` when it is missing or repeated.
    pub fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.one(name)?.ok_or_else(|| OAuthError::invalid_request(format!("parameter missing: {name}")))
    }

    /// Every value of `name`, for the parameters whose specification repeats them (`resource`, RFC 8707).
    pub fn many(&self, name: &str) -> Vec<&str> {
        self.iter().filter(|(own, _)| *own == name).map(|(_, value)| value).collect()
    }

    /// The first name that comes a second time and is not in `except`.
    pub fn first_repeated(&self, except: &[&str]) -> Option<&str> {
        let mut before = Vec::with_capacity(self.0.len());
        // There are a few, 200 at most: comparing them costs less than hashing them.
        self.iter().map(|(name, _)| name).find(|name| {
            let is_repeated = !except.contains(name) && before.contains(name);
            before.push(*name);
            is_repeated
        })
    }

    /// Refuses a repetition of anything but `except`.
    ///
    /// # Errors
    /// `invalid_request` naming the parameter.
    pub fn refuse_repeated(&self, except: &[&str]) -> Result<(), OAuthError> {
        self.first_repeated(except).map_or(Ok(()), |name| Err(repeated(name)))
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A parameter's name as an error may repeat it: names are the sender's choice and can be long.
fn repeated(name: &str) -> OAuthError {
    let shown = name.chars().take(64).collect::<String>();
    OAuthError::invalid_request(format!("parameter repeated: {shown}"))
}

/// Percent-decodes strictly; `+` is a space.
///
/// *Why twice over the bytes:* nearly all values stand as they are, and tokens are long; what only looks is done many bytes at a time.
fn decode(bytes: &[u8]) -> Result<String, OAuthError> {
    let decoded = if any(bytes, |byte| matches!(byte, b'+' | b'%')) { without_escapes(bytes)? } else { bytes.to_vec() };
    let text = String::from_utf8(decoded)
        .map_err(|_| OAuthError::invalid_request("the request holds bytes that are not UTF-8"))?;
    let is_plain = text.is_ascii() && !any(text.as_bytes(), |byte| byte.is_ascii_control());
    if !is_plain && text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(OAuthError::invalid_request("the request holds a control character"));
    }
    Ok(text)
}

fn without_escapes(bytes: &[u8]) -> Result<Vec<u8>, OAuthError> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => {
                    return Err(OAuthError::invalid_request("a % in the request is not followed by two hex digits"));
                }
            },
            other => other,
        });
    }
    Ok(decoded)
}

/// Looks at every byte, without a way out in between: the compiler makes one step of many.
fn any(bytes: &[u8], is_meant: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |found, &byte| found | is_meant(byte))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(pairs.filter(|(name, value): &(String, String)| !name.is_empty() && !value.is_empty()).collect())
    }
}

impl fmt::Debug for Params {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text.as_bytes()).expect("well formed")
    }

    #[test]
    fn values_are_decoded() {
        for (text, value) in [
            ("a=1", Some("1")),
            ("a=b+c%20d", Some("b c d")),
            ("a=%C3%A9%f0%9f%92%a1", Some("é💡")),
            ("a=x=y", Some("x=y")),
            ("&&a=1&", Some("1")),
            ("%61=1", Some("1")),
            ("a=%7B%0A%09%7D", Some("{\n\t}")),
            ("a", None),
            ("a=", None),
            ("=1", None),
            ("A=1", None),
            ("", None),
        ] {
            assert_eq!(params(text).get("a"), value, "{text}");
        }
    }

    #[test]
    fn malformed_input_is_refused() {
        for text in
            [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%+1", b"a=\xFF", b"a=%C3", b"a=%00", b"a=%1B", b"a=%7F", b"%00=a"]
        {
            assert!(Params::parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        let full = vec!["a=1"; MAX_COUNT].join("&");
        assert!(Params::parse(full.as_bytes()).is_ok());
        assert!(Params::parse(format!("{full}&a=1").as_bytes()).is_err());
    }

    /// RFC 6749 §3.1: an empty value is as if omitted, so it does not make a repetition.
    #[test]
    fn repetition_is_found() {
        let params = params("a=1&b=2&a=3&c=&c=4&resource=x&resource=y");
        assert_eq!(params.first_repeated(&["resource"]), Some("a"));
        assert_eq!(params.first_repeated(&["a"]), Some("resource"));
        assert_eq!(params.first_repeated(&["a", "resource"]), None);
        assert_eq!(params.one("c").expect("once"), Some("4"));
        assert_eq!(params.one("a").expect_err("twice").description(), "parameter repeated: a");
        assert_eq!(params.required("d").expect_err("missing").description(), "parameter missing: d");
        assert_eq!(params.many("resource"), ["x", "y"]);
    }

    #[test]
    fn values_do_not_print() {
        assert_eq!(format!("{:?}", params("client_secret=hunter2")), r#"["client_secret"]"#);
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            let _ = Params::parse(&bytes);
        }

        #[test]
        fn what_is_encoded_is_read(pairs in proptest::collection::vec(("[a-z_é]{1,8}", "[ -~é\u{1F4A1}]{1,12}"), 0..8)) {
            let mut encoder = url::form_urlencoded::Serializer::new(String::new());
            encoder.extend_pairs(&pairs);
            let read = Params::parse(encoder.finish().as_bytes()).expect("encoded by the url package");
            prop_assert!(read.iter().eq(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        }
    }
}
