//! Identifiers: distinct types over one UUID, so that the compiler reads with us.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::protocol::numeric_date::NumericDate;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// An id read back from storage or a token.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

macro_rules! ordered {
    ($($name:ident)*) => {$(
        impl $name {
            /// A new id that sorts by time of making (UUID version 7, RFC 9562 §5.7).
            pub fn new(now: NumericDate, random: [u8; 10]) -> Self {
                let milliseconds = u64::try_from(now.seconds()).unwrap_or(0).saturating_mul(1000);
                Self(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
            }
        }
    )*};
}

ids! {
    /// A person; also their public `sub`.
    UserId;
    /// An e-mail address, phone number or username of a person.
    IdentifierId;
    /// A browser's session; also `sid`.
    SessionId;
    /// What was allowed to a client; every token belongs to one.
    GrantId;
    /// A remembered consent.
    ConsentId;
    /// Work that waits.
    JobId;
    /// Something that happened.
    EventId;
    /// A wish for one's data.
    ExportId;
    /// What a person can prove themselves with beside the password.
    AuthenticatorId;
    /// A group of people.
    GroupId;
    /// What the members of a group may have.
    GroupScopeId;
    /// A role, of one app or of all.
    RoleId;
    /// A server elsewhere by which people sign in.
    ProviderId;
    /// An identity there that is connected to an account here.
    LinkId;
    /// A claim that apps are told.
    ClaimMapperId;
    /// An API that access tokens are for.
    ApiId;
    /// Somebody who was asked in.
    InvitationId;
    /// A browser in which a person is asked for no second factor.
    RememberedId;
    /// A rule of which names are taken.
    IdentityRuleId;
}

ordered! {
    IdentifierId SessionId GrantId ConsentId JobId EventId ExportId AuthenticatorId GroupId GroupScopeId RoleId
    ProviderId LinkId ClaimMapperId ApiId InvitationId RememberedId IdentityRuleId
}

impl UserId {
    /// A new id that tells nothing (UUID version 4), since it is published as `sub`.
    pub fn new(random: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(random).into_uuid())
    }
}

/// The name of a client: visible ASCII, at most 255 characters (RFC 6749 appendix A.1).
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// A client id that we make (UUID version 4); it never equals a user's `sub` by choice of the client (RFC 9700 §4.15).
    pub fn generate(random: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(random).into_uuid().to_string())
    }

    /// The id as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no client id.
#[derive(Copy, Clone, Debug, thiserror::Error)]
#[error("a client id is 1 to 255 visible ASCII characters")]
pub struct ClientIdError;

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let well_formed = (1..=255).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        if well_formed { Ok(Self(text.to_owned())) } else { Err(ClientIdError) }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_ids_sort_by_time() {
        let earlier = SessionId::new(NumericDate::from_seconds(1_000), [255; 10]);
        let later = SessionId::new(NumericDate::from_seconds(1_001), [0; 10]);
        assert!(earlier < later);
        assert_eq!(earlier.uuid().get_version_num(), 7);
        assert_eq!(UserId::new([9; 16]).uuid().get_version_num(), 4);
    }

    #[test]
    fn client_ids_are_visible_ascii() {
        for good in ["demo-web", "https://client.example/id", "7d9f"] {
            assert!(good.parse::<ClientId>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "é", "a\n", "a\0", &"x".repeat(256)] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad:?}");
        }
    }
}
