//! What a sign-in is asked with.
//!
//! `ACCOUNT_API.md` §3.1, §3.2.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{Object, ObjectBuilder};

use crate::http::api::body::{Body, Fields, body, choices, describe};
use crate::http::api::operation::Group;
use crate::protocol::secret::Secret;

choices! {
    /// A way to begin.
    pub(super) enum Beginning {
        /// A name and a password.
        Password = "password",
        /// A token of another server.
        SocialToken = "social_token",
        /// A code that is sent to an e-mail address.
        EmailCode = "email_code",
        /// A code that is sent to a phone.
        SmsCode = "sms_code",
        /// A link that is sent to an e-mail address.
        MagicLink = "magic_link",
        /// A passkey.
        Passkey = "passkey",
        /// A picture that a signed-in phone reads.
        Qr = "qr",
    }
}

impl Beginning {
    /// Every way.
    pub(super) const ALL: [Self; 7] =
        [Self::Password, Self::SocialToken, Self::EmailCode, Self::SmsCode, Self::MagicLink, Self::Passkey, Self::Qr];

    /// What it goes with when it is switched off (S-181).
    pub(super) const fn group(self) -> Group {
        match self {
            Self::Password | Self::Passkey => Group::Login,
            Self::SocialToken => Group::Social,
            Self::EmailCode | Self::SmsCode => Group::Otp,
            Self::MagicLink => Group::Magic,
            Self::Qr => Group::Qr,
        }
    }
}

/// How a sign-in begins: the way decides which members there are beside those of every sign-in.
pub(super) struct StartSignIn {
    pub(super) proof: Beginnings,
    pub(super) rest: EverySignIn,
}

/// What a sign-in begins with.
pub(super) enum Beginnings {
    Password(ByPassword),
    SocialToken(Box<BySocialToken>),
    /// A way that asks first, the name that it asks of, empty where it needs none, and where its link leads.
    Asked(Beginning, String, Option<String>),
}

impl Beginnings {
    pub(super) const fn way(&self) -> Beginning {
        match self {
            Self::Password(_) => Beginning::Password,
            Self::SocialToken(_) => Beginning::SocialToken,
            Self::Asked(way, ..) => *way,
        }
    }
}

body! {
    /// A name and a password.
    pub(super) struct ByPassword {
        /// An e-mail address, username or phone number.
        identifier: String,
        /// The password.
        password: Secret,
    }
}

body! {
    /// A code that is sent.
    pub(super) struct ByName {
        /// An e-mail address or phone number.
        identifier: String,
    }
}

body! {
    /// A link that is sent.
    pub(super) struct ByLink {
        /// An e-mail address.
        identifier: String,
        /// Where it leads: a path of this server.
        redirect_path: Option<String>,
    }
}

body! {
    /// A token or code of another server, which an app got there by itself.
    pub(super) struct BySocialToken {
        /// The name of the provider.
        provider: String,
        /// An ID token for one of our client ids there.
        id_token: Option<Secret>,
        /// An access token, where the provider can be asked for which app it was made.
        access_token: Option<Secret>,
        /// An authorization code.
        code: Option<Secret>,
        /// PKCE, of the code.
        code_verifier: Option<Secret>,
        /// Where the provider sent the person, of the code.
        redirect_uri: Option<String>,
        /// The given name, where the provider tells none.
        first_name: Option<String>,
        /// The family name, where the provider tells none.
        last_name: Option<String>,
    }
}

body! {
    /// What every sign-in may have.
    pub(super) struct EverySignIn {
        /// A code of the second factor, for who is asked for one: then the sign-in is complete at once.
        otp: Option<Secret>,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The first-party app that it is for; without it a session of this server begins.
        client_id: Option<String>,
        /// What the app's tokens shall allow.
        scope: Option<String>,
        /// PKCE (RFC 7636), where the app gets a code.
        code_challenge: Option<String>,
        /// `S256`
        code_challenge_method: Option<String>,
        /// For the ID token; with `social_token` also what the other server's ID token has to repeat.
        nonce: Option<String>,
    }
}

impl Body for StartSignIn {
    const NAME: &'static str = "StartSignIn";

    fn read(fields: &mut Fields) -> Option<Self> {
        let method = fields.take::<Beginning>("method");
        // Without a way the usual one is meant, so that every mistake is told at once.
        let proof = match method {
            Some(Beginning::SocialToken) => {
                BySocialToken::read(fields).map(|proof| Beginnings::SocialToken(Box::new(proof)))
            }
            Some(way @ (Beginning::EmailCode | Beginning::SmsCode)) => {
                ByName::read(fields).map(|ByName { identifier }| Beginnings::Asked(way, identifier, None))
            }
            Some(way @ Beginning::MagicLink) => ByLink::read(fields)
                .map(|ByLink { identifier, redirect_path }| Beginnings::Asked(way, identifier, redirect_path)),
            Some(way @ (Beginning::Passkey | Beginning::Qr)) => Some(Beginnings::Asked(way, String::new(), None)),
            Some(Beginning::Password) | None => ByPassword::read(fields).map(Beginnings::Password),
        };
        let rest = EverySignIn::read(fields);
        method?;
        Some(Self { proof: proof?, rest: rest? })
    }

    fn schema() -> Object {
        let mut schema = describe::<Beginning>(ObjectBuilder::new(), "method", "The way.").build();
        for part in [ByPassword::schema(), ByLink::schema(), BySocialToken::schema(), EverySignIn::schema()] {
            schema.properties.extend(part.properties);
        }
        schema.description = Some("How a sign-in begins.".to_owned());
        schema
    }
}

body! {
    /// An answer.
    pub(super) struct AnswerChallenge {
        /// The handle of the sign-in.
        flow: Secret,
        /// Which of several challenges of one kind.
        id: Option<String>,
        /// The kind of the challenge that is answered.
        r#type: String,
        /// The answer; of a passkey the credential in JSON.
        value: Option<Secret>,
        /// The answer of a passkey, as an object.
        credential: Option<Map<String, Value>>,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The app that began.
        client_id: Option<String>,
    }
}

body! {
    /// A challenge whose answer needs something.
    pub(super) struct SendChallenge {
        /// The handle of the sign-in.
        flow: Secret,
        /// The challenge.
        id: String,
        /// The app that began.
        client_id: Option<String>,
    }
}
