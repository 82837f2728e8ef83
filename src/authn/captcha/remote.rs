//! Captchas of others: the answer is sent to their server, which says whether it counts.
//!
//! reCAPTCHA ("Verifying the user's response"), hCaptcha ("Verify the User Response Server Side"), Turnstile ("Validate the token"): a form
//! with `secret`, `response` and `remoteip`; JSON with `success` comes back.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::authn::captcha::Verdict;
use crate::edge::Edges;
use crate::edge::fetch::FetchPolicy;
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

/// The longest answer that is sent on; theirs are about two kilobytes.
const MAX_ANSWER: usize = 8192;

/// Who judges.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Service {
    /// Google's.
    Recaptcha,
    /// hCaptcha.
    Hcaptcha,
    /// Cloudflare's.
    Turnstile,
}

/// A service, and the account of the operator there.
#[derive(Clone, Debug)]
pub struct Remote {
    service: Service,
    site_key: String,
    secret: Secret,
}

/// What the three have in common; each adds members of its own.
#[derive(Deserialize)]
struct Outcome {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

impl Service {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Recaptcha, Self::Hcaptcha, Self::Turnstile];

    /// Its name in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recaptcha => "recaptcha",
            Self::Hcaptcha => "hcaptcha",
            Self::Turnstile => "turnstile",
        }
    }

    /// Where answers are judged.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Recaptcha => "https://www.google.com/recaptcha/api/siteverify",
            Self::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        }
    }

    /// The script that shows its widget.
    pub const fn script(self) -> &'static str {
        match self {
            Self::Recaptcha => "https://www.google.com/recaptcha/api.js",
            Self::Hcaptcha => "https://js.hcaptcha.com/1/api.js",
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/api.js",
        }
    }

    /// The class of the element that becomes its widget.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Recaptcha => "g-recaptcha",
            Self::Hcaptcha => "h-captcha",
            Self::Turnstile => "cf-turnstile",
        }
    }

    /// The field that its widget adds to a form.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Recaptcha => "g-recaptcha-response",
            Self::Hcaptcha => "h-captcha-response",
            Self::Turnstile => "cf-turnstile-response",
        }
    }

    /// The origins its widget needs in a page's content security policy.
    pub const fn origins(self) -> &'static str {
        match self {
            Self::Recaptcha => "https://www.google.com https://www.gstatic.com",
            Self::Hcaptcha => "https://js.hcaptcha.com https://newassets.hcaptcha.com https://hcaptcha.com",
            Self::Turnstile => "https://challenges.cloudflare.com",
        }
    }
}

impl Remote {
    /// The account with `site_key` and `secret` at `service`.
    pub const fn new(service: Service, site_key: String, secret: Secret) -> Self {
        Self { service, site_key, secret }
    }

    /// Who judges.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// What its widget is told.
    pub fn site_key(&self) -> &str {
        &self.site_key
    }

    /// Asks whether `answer` counts.
    ///
    /// # Errors
    /// Unavailable, when the service cannot be reached or says that this server's account is at fault.
    pub async fn judge(&self, edges: &Edges, answer: &str, address: &str) -> Result<Verdict, Fault> {
        if answer.is_empty() || answer.len() > MAX_ANSWER {
            return Ok(Verdict::Invalid);
        }
        let form = {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("secret", self.secret.expose()).append_pair("response", answer);
            // A range of addresses is none.
            if address.parse::<std::net::IpAddr>().is_ok() {
                form.append_pair("remoteip", address);
            }
            form.finish()
        };
        let request = http::Request::post(self.service.endpoint())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|error| Fault::internal("write a request to the captcha service").caused_by(error))?;
        let response = edges
            .fetch
            .send(request, FetchPolicy::default())
            .await
            .map_err(|error| Fault::unavailable("ask the captcha service").caused_by(error))?;
        let outcome: Outcome = serde_json::from_slice(response.body())
            .map_err(|error| Fault::unavailable("read the answer of the captcha service").caused_by(error))?;
        if outcome.success {
            return Ok(Verdict::Solved);
        }
        // What we did wrong is not the person's fault, and nothing that they could try again.
        if let Some(code) = outcome.error_codes.iter().find(|code| code.contains("secret") || *code == "bad-request") {
            return Err(Fault::unavailable(format!("the captcha service refuses this server's account: {code:.40}")));
        }
        Ok(Verdict::Invalid)
    }
}
