//! E-mail addresses, phone numbers and usernames, true by construction.
//!
//! RFC 5321 §4.1.2 and §4.5.3.1 (lengths), RFC 6531 (beyond ASCII), ITU-T E.164, RFC 8265 §3.3 (usernames, by NFKC and case).
//! What is looked up is a [`LookupName`](crate::model::user::LookupName) of the value: one form for all kinds.

use unicode_normalization::UnicodeNormalization;

/// An address that mail may be sent to, as the person wrote it, without blanks around it.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct Email(String);

impl Email {
    /// The address in `typed`; `None` when no mail can be sent to it.
    ///
    /// Quoted local parts, comments and address literals are refused: nobody is reached by them today, and they confuse what
    /// reads addresses later.
    pub fn parse(typed: &str) -> Option<Self> {
        let address = typed.trim();
        let (local, domain) = address.rsplit_once('@')?;
        let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        let good_local = (1..=64).contains(&local.len())
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c == '-' || c.is_alphanumeric())
        };
        let good_domain = domain.len() <= 253
            && domain.contains('.')
            && domain.split('.').all(is_label)
            && domain.rsplit('.').next().is_some_and(|top| top.chars().any(char::is_alphabetic));
        (good_local && good_domain && address.len() <= 254).then(|| Self(address.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`, in lower case.
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()).unwrap_or_default()
    }

    /// The mailbox behind the address, for what is counted by it: in lower case, without what mail hosts take no notice of.
    pub fn mailbox(&self) -> String {
        let domain = self.domain();
        let local = self.0.rsplit_once('@').map(|(local, _)| local.to_lowercase()).unwrap_or_default();
        let local = local.split('+').next().unwrap_or_default();
        match domain.as_str() {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
            _ => format!("{local}@{domain}"),
        }
    }

    /// The address for somebody who may only recognise it: first letter, and the end of the domain: `j•••@e•••.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let (label, top) = domain.rsplit_once('.').unwrap_or((domain, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        format!("{}•••@{}•••.{top}", first(local), first(label))
    }
}

/// A phone number in E.164: `+31612345678`.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number in `typed`, which begins with its country; `None` when there is no such number.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed: String = typed.trim().nfkc().collect();
        // The library takes letters for digits, and looks for numbers within texts.
        let is_number = (3..=32).contains(&typed.len())
            && typed.starts_with('+')
            && typed.chars().all(|c| c.is_ascii_digit() || "+ -().".contains(c));
        if !is_number {
            return None;
        }
        let number = phonenumber::parse(None, &typed).ok().filter(phonenumber::is_valid)?;
        Some(Self(number.format().mode(phonenumber::Mode::E164).to_string()))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number for somebody who may only recognise it: its last two digits.
    pub fn masked(&self) -> String {
        let last = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        format!("•••••••{last}")
    }
}

/// A chosen name: no `@`, and nothing that looks like a phone number, so that the kinds cannot meet.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct Username(String);

impl Username {
    /// The most characters.
    pub const MAX_LENGTH: usize = 64;

    /// The name in `typed`; `None` when it is empty, too long, or holds what a name may not.
    pub fn parse(typed: &str) -> Option<Self> {
        let name: String = typed.trim().nfkc().collect();
        let fits = (1..=Self::MAX_LENGTH).contains(&name.chars().count());
        let good = name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c) || is_mark(c));
        let is_name = name.chars().any(char::is_alphabetic);
        (fits && good && is_name).then_some(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Marks that letters of many scripts carry; they compose to nothing under NFKC there.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_mail_is_sent_to() {
        for good in
            ["a@b.co", " Foo@Example.com ", "o'hara+tag@mail.example.org", "jörg@bücher.example", "a@xn--p1ai.xn--p1ai"]
        {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b..co",
            "a..b@c.de",
            ".a@c.de",
            "a@-b.co",
            "a@b-.co",
            "a@b.1",
            "a@[127.0.0.1]",
            "\"a b\"@c.de",
            "a@b.co\r\nBcc: x@y.z",
            "a@b.co,c@d.ef",
            "a<b>@c.de",
            "a@b@c.de",
            &long,
        ] {
            assert!(Email::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(
            Email::parse("John.Doe@Mail.Example.com").map(|email| email.masked()).as_deref(),
            Some("J•••@M•••.com")
        );
        assert_eq!(Email::parse("a@B.Example").map(|email| email.domain()).as_deref(), Some("b.example"));
        for (address, mailbox) in [
            ("Al.ice+x@Googlemail.com", "alice@gmail.com"),
            ("Al.ice+x@Example.com", "al.ice@example.com"),
            ("alice@example.com", "alice@example.com"),
        ] {
            assert_eq!(Email::parse(address).map(|email| email.mailbox()).as_deref(), Some(mailbox));
        }
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        for (typed, number) in [
            ("+31612345678", Some("+31612345678")),
            ("+310612345678", Some("+31612345678")),
            (" +31 (0)6-1234 5678 ", Some("+31612345678")),
            ("+49 30 901820", Some("+4930901820")),
            ("+１４１５５５５２６７１", Some("+14155552671")),
            ("0612345678", None),
            ("+31", None),
            ("+999123456789", None),
            ("+1-800-FLOWERS", None),
            ("call +31612345678", None),
            ("", None),
        ] {
            assert_eq!(Phone::parse(typed).as_ref().map(Phone::as_str), number, "{typed:?}");
        }
        assert_eq!(Phone::parse("+31612345678").map(|phone| phone.masked()).as_deref(), Some("•••••••78"));
    }

    #[test]
    fn a_username_is_neither_address_nor_number() {
        for (typed, name) in [
            ("BOB", Some("BOB")),
            ("ＢＯＢ", Some("BOB")),
            ("j.doe_7-x", Some("j.doe_7-x")),
            ("अनिल", Some("अनिल")),
            ("", None),
            ("a b", None),
            ("a@b", None),
            ("+31612345678", None),
            ("123", None),
            ("a\u{200b}b", None),
            ("<b>", None),
        ] {
            assert_eq!(Username::parse(typed).as_ref().map(Username::as_str), name, "{typed:?}");
        }
        assert!(Username::parse(&"x".repeat(65)).is_none());
    }
}
