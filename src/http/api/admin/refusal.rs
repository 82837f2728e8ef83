//! Refusals of the administration, in the codes of the API.

use crate::admin::{AdminError, Refusal};
use crate::http::api::code::Code;
use crate::http::api::problem::{FieldError, Problem};
use crate::model::user::IdentifierKind;

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Refused(refusal) => refusal.into(),
            AdminError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // A field that refers to what is not there; what a path names is looked for before.
            Refusal::Unknown { .. } => Self::new(Code::NotFound),
            Refusal::Taken { .. } => Self::new(Code::AlreadyExists),
            Refusal::NameTaken(IdentifierKind::Email) => Self::field("email", Code::EmailTaken),
            Refusal::NameTaken(IdentifierKind::Phone) => Self::field("phone", Code::PhoneTaken),
            Refusal::NameTaken(IdentifierKind::Username) => Self::field("username", Code::UsernameTaken),
            Refusal::Malformed { field, rule } => {
                // RFC 9457 §3.1.4: which rule it breaks, for who operates the server.
                Self::field(field, Code::InvalidValue).telling("detail", rule.as_str()).hint(rule)
            }
            Refusal::NoSecret(_) => Self::new(Code::ClientHasNoSecret),
            Refusal::KeysNotKnown { from } => Self::new(Code::KeysNotKnown).telling("from", from.seconds()),
            Refusal::Missing { fields } => {
                let errors = fields.into_iter().map(|field| FieldError::new(field, Code::Required));
                Self::fields(errors.collect())
            }
            Refusal::Circle => Self::new(Code::GroupCircle),
            Refusal::TooDeep => Self::new(Code::GroupTooDeep),
            Refusal::InUse => Self::new(Code::GroupInUse),
            Refusal::AboveRank => Self::new(Code::Forbidden).hint("it is above the caller's role on this server"),
            Refusal::OwnAccount => Self::new(Code::Forbidden).hint("it is the caller's own account"),
            Refusal::MayNotInvite => Self::new(Code::InviteNotAllowed),
            Refusal::LastOwner => Self::new(Code::LastOwner),
            Refusal::Stale => Self::new(Code::PreconditionFailed),
        }
    }
}
