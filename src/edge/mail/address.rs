//! An address with a name, as mail programs show it: `Harbour <login@example.com>`.
//!
//! RFC 5322 §3.4.

use std::str::FromStr;

use lettre::message::Mailbox;

/// An address, perhaps with a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailAddress(pub(super) Mailbox);

impl MailAddress {
    /// The address alone.
    pub fn email(&self) -> String {
        self.0.email.to_string()
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What follows the last `@`.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// The text is no address.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is no mail address")]
pub struct NotAnAddress;

impl FromStr for MailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.contains(char::is_control) {
            return Err(NotAnAddress);
        }
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_name() {
        let named: MailAddress = "Harbour Books <login@example.com>".parse().unwrap();
        assert_eq!((named.email().as_str(), named.name()), ("login@example.com", Some("Harbour Books")));
        assert_eq!(named.domain(), "example.com");
        let bare: MailAddress = "login@example.com".parse().unwrap();
        assert_eq!((bare.email().as_str(), bare.name()), ("login@example.com", None));
        for text in ["", "Harbour", "a@b@c", "a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com"] {
            assert!(text.parse::<MailAddress>().is_err(), "{text:?}");
        }
    }
}
