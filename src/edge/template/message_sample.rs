//! Every kind of message with sample data, for `symbolon template check`.

use super::message::{Addressee, App, MessageContext, Request};
use crate::model::message::MessageKind;

/// The code of every sample.
pub(super) const CODE: &str = "204617";
/// The link of every sample.
pub(super) const LINK: &str = "https://id.example.com/link?token=Zk3xV0bq7nJYp1sWcR5tUe8aLh2mGd9o";

/// What a message of this kind may tell: with everything, or with the least there ever is.
pub(super) fn message(kind: MessageKind, fill: Fill) -> MessageContext {
    let whole = fill == Fill::Whole;
    let (has_code, has_link) = carries(kind);
    MessageContext {
        kind,
        user: Addressee { name: whole.then(|| "Alice <b>Liddell</b>".into()), to: "alice@example.com".into() },
        code: has_code.then(|| CODE.into()),
        url: has_link.then(|| LINK.into()),
        valid_minutes: (has_code || has_link).then_some(if has_code { 5 } else { 60 }),
        address: has_address(kind).then(|| "a…@example.org".into()),
        remaining: matches!(kind, MessageKind::BackupCodeUsed).then_some(3),
        provider: matches!(kind, MessageKind::IdentityLinked | MessageKind::IdentityUnlinked).then(|| "Google".into()),
        request: whole.then(|| Request {
            address: "192.0.2.7".into(),
            device: "Firefox on Linux".into(),
            at: 1_795_252_462,
        }),
        client: whole.then(|| App {
            id: "demo-web".into(),
            name: "Harbour Books".into(),
            uri: Some("https://books.example.com/".into()),
        }),
        issuer: "https://id.example.com".into(),
        host: "id.example.com".into(),
        data: serde_json::Map::new(),
    }
}

/// How much a sample tells.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Fill {
    /// Everything.
    Whole,
    /// The least.
    Bare,
}

/// Whether messages of this kind are about another address or number.
const fn has_address(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::EmailChangeNotice
            | MessageKind::ContactAdded
            | MessageKind::ContactPrimary
            | MessageKind::ContactRemoved
    )
}

/// Whether messages of this kind carry a code, and a link.
pub(super) fn carries(kind: MessageKind) -> (bool, bool) {
    match kind {
        MessageKind::RegistrationCode
        | MessageKind::SignInCode
        | MessageKind::PasswordResetCode
        | MessageKind::ContactCode
        | MessageKind::StepUpCode
        | MessageKind::RecoveryCode => (true, false),
        MessageKind::EmailChange => (true, true),
        MessageKind::Activate
        | MessageKind::MagicLink
        | MessageKind::PasswordReset
        | MessageKind::SetPassword
        | MessageKind::EmailChangeNotice
        | MessageKind::NewDevice
        | MessageKind::AccountDeletion
        | MessageKind::ExportReady
        | MessageKind::Invitation => (false, true),
        MessageKind::PasswordChanged
        | MessageKind::AccountExists
        | MessageKind::ContactAdded
        | MessageKind::ContactPrimary
        | MessageKind::ContactRemoved
        | MessageKind::MfaChanged
        | MessageKind::BackupCodeUsed
        | MessageKind::IdentityLinked
        | MessageKind::IdentityUnlinked
        | MessageKind::Test => (false, false),
    }
}
