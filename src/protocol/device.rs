//! The device authorization grant: the code that a person types, and what the device gets.
//!
//! RFC 8628 §3.1, §3.2, §3.5, §6.1.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;

/// Twenty consonants: no words, nothing that is taken for something else (§6.1). The code space is 20^8, which is 2.56·10^10.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code.
const LENGTH: usize = 8;
/// The largest multiple of twenty below 256: what is above would make the first letters more likely.
const EVEN: u8 = 240;
/// The longest text that may be a code, in bytes.
const MAX_TYPED: usize = 64;

/// Seconds by which the interval grows with each `slow_down` (§3.5).
pub const SLOWER: u64 = 5;

/// What a person types, or a phone reads, to say which device they mean (§3.2).
#[derive(Clone, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserCode(String);

impl UserCode {
    /// A code of random bytes, each code equally likely.
    pub fn draw(mut byte: impl FnMut() -> u8) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let drawn = byte();
            let letter = LETTERS.get(usize::from(drawn) % LETTERS.len()).filter(|_| drawn < EVEN);
            code.extend(letter.map(|letter| char::from(*letter)));
        }
        Self(code)
    }

    /// Reads what somebody typed: case, dashes, blanks and other punctuation are nothing (§6.1). `None` when that can be no code.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let code: String = typed.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|letter| LETTERS.contains(&letter));
        is_code.then_some(Self(code))
    }

    /// Its letters, without the dash.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// As a device shows it: `WDJB-MJHT`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(LENGTH / 2) {
            Some((first, second)) => write!(f, "{first}-{second}"),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a device asks for (§3.1); who the client is stands elsewhere in the request.
#[derive(Clone, Debug)]
pub struct DeviceAuthorizationRequest {
    /// What its tokens shall allow; `None`: nothing was named.
    pub scope: Option<Scope>,
}

impl DeviceAuthorizationRequest {
    /// Reads the body of a device authorization request.
    ///
    /// # Errors
    /// `invalid_request` for a repeated parameter, `invalid_scope`.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.refuse_repeated(&["resource", "audience"])?;
        Ok(Self { scope: params.get("scope").map(str::parse).transpose()? })
    }
}

/// What a device gets (§3.2). It is sent with `Cache-Control: no-store`.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceAuthorizationResponse {
    /// What it polls with.
    #[serde(serialize_with = "exposed")]
    pub device_code: Secret,
    /// What it shows.
    #[serde(serialize_with = "shown")]
    pub user_code: UserCode,
    /// Where the person types that.
    pub verification_uri: String,
    /// The same with the code in it, for a picture that a phone reads.
    pub verification_uri_complete: String,
    /// The lifetime of both codes, in seconds.
    pub expires_in: u64,
    /// Seconds between two polls, at least.
    pub interval: u64,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn shown<S: Serializer>(code: &UserCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn draw(bytes: &[u8]) -> UserCode {
        let mut bytes = bytes.iter().copied();
        UserCode::draw(|| bytes.next().expect("enough bytes"))
    }

    #[test]
    fn codes_are_of_twenty_letters_alike() {
        assert_eq!(draw(&[0, 1, 2, 3, 16, 17, 18, 19]).to_string(), "BCDF-VWXZ");
        assert_eq!(
            draw(&[240, 255, 20, 21, 22, 239, 0, 0, 0, 0]).letters(),
            "BCDZBBBB",
            "what is uneven is passed over"
        );
    }

    /// RFC 8628 §6.1
    #[test]
    fn what_people_type_is_read_kindly() {
        let code = draw(&[15, 2, 6, 0, 9, 6, 5, 14]);
        assert_eq!(code.to_string(), "TDJB-MJHS");
        for typed in ["TDJB-MJHS", "tdjbmjhs", " tdjb mjhs\n", "T-D-J-B-M-J-H-S", "TDJB–MJHS", "tdjb.mjhs"] {
            assert_eq!(UserCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in ["", "TDJBMJH", "TDJBMJHSS", "TDJBMJHA", "TDJB0JHS", "ÄDJBMJHS", &"T".repeat(65)] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
        assert_eq!(format!("{code:?}"), "…");
    }

    #[test]
    fn the_answer_has_the_members_of_the_specification() {
        let response = DeviceAuthorizationResponse {
            device_code: Secret::from("d"),
            user_code: draw(&[0; 8]),
            verification_uri: "https://id.example/device".to_owned(),
            verification_uri_complete: "https://id.example/device?user_code=BBBB-BBBB".to_owned(),
            expires_in: 600,
            interval: 5,
        };
        assert_eq!(
            serde_json::to_value(&response).expect("plain JSON"),
            json!({
                "device_code": "d",
                "user_code": "BBBB-BBBB",
                "verification_uri": "https://id.example/device",
                "verification_uri_complete": "https://id.example/device?user_code=BBBB-BBBB",
                "expires_in": 600,
                "interval": 5,
            })
        );
        assert!(!format!("{response:?}").contains("\"d\""));
    }

    proptest! {
        #[test]
        fn codes_are_read_as_they_are_shown(bytes in proptest::collection::vec(0_u8..240, 8)) {
            let code = draw(&bytes);
            prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
        }

        #[test]
        fn no_input_panics(typed in ".{0,80}") {
            let _ = UserCode::parse(&typed);
        }
    }
}
