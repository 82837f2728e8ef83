//! One operation of the API: what it is called by, who may, what it takes and gives, and what it refuses.
//!
//! Everything that tells of an operation is made from this one value: its route, `Allow`, the index, the OpenAPI document.

use std::collections::BTreeSet;

use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use http::{Method, StatusCode};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::http::api::body::Body;
use crate::http::api::code::Code;
use crate::http::web::Web;
use crate::model::user::Role;

macro_rules! groups {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
        /// Operations and pages that are switched together (`[endpoints]`, S-181).
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
        pub enum Group {
            $($(#[doc = $doc])* $name,)*
        }

        impl Group {
            /// Every group.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the settings and the tag of its operations.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

groups! {
    /// What describes the API, and the session; of the pages what the protocol leads people to. Always there.
    Core = "core";
    /// Signing in by the API.
    Login = "login";
    /// Signing out.
    Logout = "logout";
    /// Registering.
    Register = "register";
    /// Activating a new account by its link.
    Activate = "activate";
    /// Asking for a new password.
    ResetMail = "reset_mail";
    /// Setting a new password.
    Reset = "reset";
    /// Finding a forgotten address.
    Recovery = "recovery";
    /// Trying out a password against the policy.
    Validate = "validate";
    /// The signed-in person's own account.
    Me = "me";
    /// Second factors of the signed-in person.
    Mfa = "mfa";
    /// Signing in and connecting accounts elsewhere.
    Social = "social";
    /// Signing in by a code that is sent.
    Otp = "otp";
    /// Signing in by a link that is sent.
    Magic = "magic";
    /// Signing in by a picture that a signed-in phone reads.
    Qr = "qr";
    /// Asking others in.
    Invitations = "invitations";
    /// Tokens of first-party apps.
    Tokens = "tokens";
    /// The administration.
    Admin = "admin";
}

/// The groups that are switched off.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SwitchedOff(BTreeSet<Group>);

impl SwitchedOff {
    /// True when operations and pages of `group` are there.
    pub fn allows(&self, group: Group) -> bool {
        group == Group::Core || !self.0.contains(&group)
    }

    /// With `group` as well.
    #[must_use]
    pub fn and(mut self, group: Group) -> Self {
        self.0.insert(group);
        self
    }
}

impl FromIterator<Group> for SwitchedOff {
    fn from_iter<I: IntoIterator<Item = Group>>(groups: I) -> Self {
        Self(groups.into_iter().collect())
    }
}

/// Who may call.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Callers {
    /// Everybody.
    Anyone,
    /// A person, by session or by access token.
    Person,
    /// Who holds an access token, or whose browser keeps it in a cookie.
    Bearer,
    /// A person with at least this role on this server, by an access token for administration.
    Role(Role),
}

/// Makes the schema of a value that comes or goes. *Why a function:* schemas are only for the document, which few ask for.
pub(super) type Describe = fn() -> Described;

/// A value that comes or goes, and its schema.
pub struct Described {
    pub(super) name: String,
    pub(super) schema: RefOr<Schema>,
    pub(super) parts: Vec<(String, RefOr<Schema>)>,
}

/// What an operation answers when it does what was asked.
pub struct Success {
    pub(super) status: StatusCode,
    pub(super) about: &'static str,
    pub(super) body: Option<Describe>,
}

/// One operation. [`get`], [`post`], [`put`], [`patch`] and [`delete`] begin one.
#[must_use]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that the document tells")]
pub struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) group: Group,
    pub(super) summary: &'static str,
    pub(super) route: MethodRouter<Web>,
    pub(super) callers: Callers,
    pub(super) query: Vec<(&'static str, &'static str)>,
    pub(super) if_match: bool,
    pub(super) prefers: bool,
    pub(super) refresh_cookie: bool,
    pub(super) takes: Option<Describe>,
    pub(super) takes_file: &'static [&'static str],
    pub(super) captcha: bool,
    pub(super) gives: Vec<Success>,
    pub(super) refuses: BTreeSet<Code>,
}

/// `GET` below `/api/v1`; `path` begins with a slash, or is empty for the index.
pub fn get<H: Handler<T, Web>, T: 'static>(
    place: (&'static str, Group),
    summary: &'static str,
    handler: H,
) -> Operation {
    Operation::new(Method::GET, place, summary, routing::get(handler))
}

/// `POST` below `/api/v1`.
pub fn post<H: Handler<T, Web>, T: 'static>(
    place: (&'static str, Group),
    summary: &'static str,
    handler: H,
) -> Operation {
    Operation::new(Method::POST, place, summary, routing::post(handler))
}

/// `PUT` below `/api/v1`.
pub fn put<H: Handler<T, Web>, T: 'static>(
    place: (&'static str, Group),
    summary: &'static str,
    handler: H,
) -> Operation {
    Operation::new(Method::PUT, place, summary, routing::put(handler))
}

/// `PATCH` below `/api/v1`.
pub fn patch<H: Handler<T, Web>, T: 'static>(
    place: (&'static str, Group),
    summary: &'static str,
    handler: H,
) -> Operation {
    Operation::new(Method::PATCH, place, summary, routing::patch(handler))
}

/// `DELETE` below `/api/v1`.
pub fn delete<H: Handler<T, Web>, T: 'static>(
    place: (&'static str, Group),
    summary: &'static str,
    handler: H,
) -> Operation {
    Operation::new(Method::DELETE, place, summary, routing::delete(handler))
}

impl Operation {
    fn new(
        method: Method,
        (path, group): (&'static str, Group),
        summary: &'static str,
        route: MethodRouter<Web>,
    ) -> Self {
        let mut refuses = BTreeSet::from([Code::ServerError, Code::Unavailable]);
        if !method.is_safe() {
            refuses.insert(Code::CsrfFailed);
        }
        if path.contains('{') {
            refuses.insert(Code::NotFound);
        }
        Self {
            method,
            path,
            group,
            summary,
            route,
            callers: Callers::Anyone,
            query: Vec::new(),
            if_match: false,
            prefers: false,
            refresh_cookie: false,
            takes: None,
            takes_file: &[],
            captcha: false,
            gives: Vec::new(),
            refuses,
        }
        // A token that is not good is refused wherever it is presented.
        .refuses(&[Code::TokenInvalid, Code::MissingClaims])
    }

    /// Where a captcha may be asked for: its answer is a member of the body that a layer takes out (S-127).
    pub(super) fn asks_for_captcha(mut self) -> Self {
        self.captcha = true;
        self.refuses(&[Code::CaptchaRequired, Code::CaptchaInvalid])
    }

    /// The body that it takes, with the schema.
    pub(super) fn body(&self) -> Option<Described> {
        let mut described = self.takes?();
        if let (true, RefOr::T(Schema::Object(object))) = (self.captcha, &mut described.schema) {
            let answer = ObjectBuilder::new().schema_type(Type::String).description(Some(
                "What solves the captcha, where one is asked for; `GET /captcha` gives the built-in one.",
            ));
            object.properties.insert("captcha".to_owned(), RefOr::T(answer.into()));
        }
        Some(described)
    }

    /// Only for a signed-in person: its handler takes [`super::caller::Person`].
    pub fn by_person(mut self) -> Self {
        self.callers = Callers::Person;
        self.refuses(&[Code::SignInRequired, Code::TokenInvalid, Code::Forbidden])
    }

    /// Only for who presents an access token.
    pub fn by_bearer(mut self) -> Self {
        self.callers = Callers::Bearer;
        self.refuses(&[Code::SignInRequired, Code::TokenInvalid])
    }

    /// Only for who has at least `role` on this server: its handler takes a caller of [`super::admin`].
    pub fn by_role(mut self, role: Role) -> Self {
        self.callers = Callers::Role(role);
        self.refuses.remove(&Code::CsrfFailed);
        // Where the operator wants two factors of those who administer.
        self.refuses(&[Code::SignInRequired, Code::TokenInvalid, Code::Forbidden, Code::ReauthRequired])
    }

    /// Only for who proved a short while ago who they are (RFC 9470).
    pub fn by_proof(self) -> Self {
        self.refuses(&[Code::ReauthRequired])
    }

    /// Not when it was changed since the caller saw it: its handler takes `IfMatch`.
    pub fn if_match(mut self) -> Self {
        self.if_match = true;
        self.refuses(&[Code::PreconditionFailed])
    }

    /// Gives tokens as `Prefer` says (S-079).
    pub fn prefers(mut self) -> Self {
        self.prefers = true;
        self.refuses(&[Code::DeliveryNotAllowed])
    }

    /// Takes the refresh token of the browser's cookie too.
    pub fn by_refresh_cookie(mut self) -> Self {
        self.refresh_cookie = true;
        self
    }

    /// Takes a parameter of the query.
    pub fn query(mut self, name: &'static str, about: &'static str) -> Self {
        self.query.push((name, about));
        self.refuses(&[Code::MalformedQuery, Code::UriTooLong])
    }

    /// Takes the body `B`: its handler takes [`super::body::Json`].
    pub fn takes<B: Body>(mut self) -> Self {
        self.takes = Some(|| {
            let schema = RefOr::T(Schema::Object(B::schema()));
            Described { name: B::NAME.to_owned(), schema, parts: Vec::new() }
        });
        self.refuses(&[
            Code::MalformedBody,
            Code::UnsupportedMediaType,
            Code::PayloadTooLarge,
            Code::RequestTimeout,
            Code::Required,
            Code::Blank,
            Code::WrongType,
            Code::InvalidValue,
            Code::TooLong,
            Code::UnknownField,
        ])
    }

    /// Takes a file of one of these types.
    pub fn takes_file(mut self, types: &'static [&'static str]) -> Self {
        self.takes_file = types;
        self.refuses(&[Code::MalformedBody, Code::UnsupportedMediaType, Code::PayloadTooLarge, Code::RequestTimeout])
    }

    /// Answers with `T`.
    pub fn gives<T: ToSchema>(mut self, status: StatusCode, about: &'static str) -> Self {
        let describe: Describe = || {
            let mut parts = Vec::new();
            T::schemas(&mut parts);
            Described { name: T::name().into_owned(), schema: T::schema(), parts }
        };
        self.gives.push(Success { status, about, body: Some(describe) });
        self
    }

    /// Answers without a body.
    pub fn gives_nothing(mut self, status: StatusCode, about: &'static str) -> Self {
        self.gives.push(Success { status, about, body: None });
        self
    }

    /// May be refused with one of `codes`, beside what follows from the rest.
    pub fn refuses(mut self, codes: &[Code]) -> Self {
        self.refuses.extend(codes);
        self
    }
}
