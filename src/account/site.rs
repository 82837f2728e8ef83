//! Where the links of messages lead: to pages of ours, unless the operator has a frontend of their own (S-133).
//!
//! A link is made of the issuer or of the setting and of one opaque token, and of nothing that a request says (PROTOCOL A14).

use crate::model::frontend_url::FrontendUrl;
use crate::model::mailed_link::LinkPurpose;
use crate::protocol::secret::Secret;

/// Where links lead.
#[derive(Clone, Debug)]
pub struct Site {
    base: String,
    frontend: Option<Frontend>,
}

/// The operator's own app.
#[derive(Clone, Debug)]
pub struct Frontend {
    /// Where it is.
    pub url: FrontendUrl,
    /// Its paths, by what they are for; links of other purposes lead to pages of ours. Apps that have another URL have the same paths.
    pub routes: Vec<(LinkPurpose, String)>,
}

impl Site {
    /// Pages below `base`, the issuer; where `frontend` has a page of its own, links of that purpose lead there.
    pub fn new(base: &str, frontend: Option<Frontend>) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), frontend }
    }

    /// The URL of a link; `app` is where the app is that it is sent for, if that has a URL of its own.
    pub fn url(&self, purpose: LinkPurpose, token: &Secret, app: Option<&FrontendUrl>) -> String {
        let own = self.frontend.as_ref().and_then(|frontend| {
            let (_, route) = frontend.routes.iter().find(|(taken, _)| *taken == purpose)?;
            Some((app.unwrap_or(&frontend.url), route))
        });
        match own {
            // A script that routes by the fragment finds the token in it.
            Some((url, route)) => {
                format!("{url}{route}{}token={}", if route.contains('?') { '&' } else { '?' }, token.expose())
            }
            None => format!("{}{}?token={}", self.base, path(purpose), token.expose()),
        }
    }

    /// The URL of a page of ours.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// The page of ours that takes links of this purpose.
pub const fn path(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::Activation => "/activate",
        LinkPurpose::PasswordReset | LinkPurpose::SetPassword => "/recover/password",
        LinkPurpose::MagicLink => "/sign-in/magic",
        LinkPurpose::EmailChange => "/email-change",
        LinkPurpose::EmailChangeUndo => "/email-change/undo",
        LinkPurpose::DeletionUndo => "/account/restore",
        LinkPurpose::Export => "/account/export",
        LinkPurpose::NotMe => "/account/not-me",
        LinkPurpose::Invitation => "/invitation",
    }
}
