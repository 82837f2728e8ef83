//! `/account/security`: what a person proves themselves with beside the password.
//!
//! S-101 to S-104, S-109, S-111. Every change is for who proved a short while ago who they are; secrets and codes are shown once, in the
//! answer to the form that made them.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderValue;

use crate::account::second_factor::{NotReleased, own_name};
use crate::account::step_up::Acting;
use crate::account::{AccountError, Asking, Mistake, Why};
use crate::authn::totp::TotpSetup;
use crate::authn::{Attempt, Refusal};
use crate::edge::template::console::{CodeAddress, Factor, Remembered, Security};
use crate::edge::template::context;
use crate::edge::template::context::account::FieldMistake;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, console, visit};
use crate::http::page::again::{attempt, recent};
use crate::http::page::fault_page;
use crate::http::page::mistake::{note, refused};
use crate::http::page::passkey::{binding, shown as shown_passkey};
use crate::http::page::second_factor::{shown_setup, stays};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::authentication::Demand;
use crate::model::authenticator::{Authenticator, AuthenticatorKind, RememberedBrowser};
use crate::model::fault::Fault;
use crate::model::user::User;
use crate::model::user_agent::device_name;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

const PATH: &str = "/account/security";

/// `GET /account/security`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(_): Query) -> Response {
    match visit(&web, &visitor, PATH).await {
        Ok(Visit { user, .. }) => page(&web, &visitor, &user, Shown::default()).await,
        Err(response) => *response,
    }
}

/// `POST /account/security`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    if let Err(response) = acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        return *response;
    }
    let Visit { user, session } = match recent(&web, &visitor, PATH).await {
        Ok((visit, _)) => visit,
        Err(response) => return *response,
    };
    let attempt = attempt(&web, &visitor, &Acting::Session(session));
    let mut shown = Shown::default();
    match change(&web, &user, (&form, &attempt, &visitor.asking()), &mut shown).await {
        Ok(Changed::Done(cookie)) => with_cookies(redirect(&web.path(PATH, &[])), cookie),
        Ok(Changed::Shown) => page(&web, &visitor, &user, shown).await,
        Err(NotReleased::Account(error)) => match note(error, "code", (&mut shown.mistakes, &mut shown.error)) {
            Ok(status) => refused(page(&web, &visitor, &user, shown).await, status),
            Err(fault) => fault_page(&web, &visitor, fault),
        },
        Err(NotReleased::Password(Refusal::Fault(fault)) | NotReleased::Code(Refusal::Fault(fault))) => {
            fault_page(&web, &visitor, fault)
        }
        Err(NotReleased::Password(refusal)) => {
            let status = shown.mistaken(("password", "invalid_password"), &refusal);
            refused(page(&web, &visitor, &user, shown).await, status)
        }
        Err(NotReleased::Code(refusal)) => {
            let status = shown.mistaken(("off_code", "wrong_code"), &refusal);
            refused(page(&web, &visitor, &user, shown).await, status)
        }
    }
}

/// What the page shows beside what stands.
#[derive(Default)]
struct Shown {
    setup: Option<TotpSetup>,
    waiting: Option<CodeAddress>,
    codes: Vec<Secret>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
}

impl Shown {
    fn mistaken(&mut self, (field, code): (&str, &str), refusal: &Refusal) -> StatusCode {
        if matches!(refusal, Refusal::TooMany(_) | Refusal::Closed) {
            self.error = Some("rate_limited".to_owned());
            return StatusCode::TOO_MANY_REQUESTS;
        }
        self.mistakes.push(FieldMistake { field: field.to_owned(), code: code.to_owned(), bound: None });
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

/// What became of a form.
enum Changed {
    /// It is done; the session may have a new cookie.
    Done(Option<HeaderValue>),
    /// Something is to be seen, once.
    Shown,
}

async fn change(
    web: &Web,
    user: &User,
    (form, attempt, asking): (&Params, &Attempt, &Asking),
    shown: &mut Shown,
) -> Result<Changed, NotReleased> {
    let factors = &web.provider.factors;
    let text = |name: &str| Secret::from(form.get(name).unwrap_or_default());
    match form.get("do") {
        Some("totp-begin") => {
            shown.setup = Some(factors.begin_totp(user, "").await?);
            Ok(Changed::Shown)
        }
        Some("totp-confirm") => {
            let own = factors.authenticator(user, AuthenticatorKind::Totp.as_str()).await?;
            match factors.confirm_totp(user, (&own, &text("code")), attempt).await {
                Ok(codes) => {
                    shown.codes = codes;
                    Ok(Changed::Shown)
                }
                Err(error) => {
                    if own.is_waiting(web.provider.now()) {
                        shown.setup = Some(factors.totp_again(user, &own)?);
                    }
                    Err(error.into())
                }
            }
        }
        Some("passkey-add") => {
            let Some(passkeys) = &web.provider.passkeys else { return Ok(Changed::Done(None)) };
            let answer = (form.get("credential").unwrap_or_default(), form.get("state").unwrap_or_default(), "");
            match passkeys.register_from_page(user, answer, attempt).await {
                Ok(()) => Ok(Changed::Done(None)),
                Err(Refusal::Fault(fault)) => Err(fault.into()),
                Err(_) => {
                    shown.error = Some("passkey_failed".to_owned());
                    Ok(Changed::Shown)
                }
            }
        }
        Some("address-add") => {
            let kind = kind(form);
            let wanted = (kind, form.get("address"), "");
            match web.provider.accounts.begin_code_factor(user, wanted, asking).await {
                Ok(begun) => {
                    shown.waiting = Some(address(begun.id.to_string(), kind, begun.address));
                    Ok(Changed::Shown)
                }
                Err(AccountError::Fields(mistakes)) => {
                    let named = |mistake: Mistake| Mistake { field: kind.as_str().into(), ..mistake };
                    Err(AccountError::Fields(mistakes.into_iter().map(named).collect()).into())
                }
                Err(error) => Err(error.into()),
            }
        }
        Some("address-confirm") => {
            let own = factors.authenticator(user, form.get("id").unwrap_or_default()).await?;
            let proof = (&own, &text("code"));
            match web.provider.accounts.confirm_code_factor(factors, user, proof, attempt).await {
                Ok(codes) => {
                    shown.codes = codes;
                    Ok(Changed::Shown)
                }
                Err(error) => {
                    if own.is_waiting(web.provider.now()) {
                        shown.waiting = Some(address(own.id.to_string(), own.kind, own.target.clone()));
                    }
                    Err(error.into())
                }
            }
        }
        Some("codes-new") => {
            shown.codes = factors.new_backup_codes(user, attempt).await?;
            Ok(Changed::Shown)
        }
        Some("remove") => {
            let own = factors.authenticator(user, form.get("id").unwrap_or_default()).await?;
            factors.remove(user, &own, attempt).await?;
            Ok(Changed::Done(None))
        }
        Some("rename") => {
            let own = factors.authenticator(user, form.get("id").unwrap_or_default()).await?;
            match own_name(form.get("name").unwrap_or_default()) {
                Some(name) => factors.rename(&own, &name).await?,
                None => return Err(AccountError::from(Mistake::new("name", Why::InvalidValue)).into()),
            }
            Ok(Changed::Done(None))
        }
        Some("forget") => {
            let only = form.get("id").and_then(|id| id.parse().ok());
            factors.forget(user, Some(only.ok_or(Why::NotFound)?), attempt).await?;
            Ok(Changed::Done(None))
        }
        Some("on") => {
            factors.require(user, attempt).await?;
            Ok(Changed::Done(None))
        }
        Some("off") => {
            let (password, code) = (text("password"), text("off_code"));
            let stay = factors.release(user, (&password, &code), &web.methods, attempt).await?;
            Ok(Changed::Done(stay.map(|stay| stays(web, &stay))))
        }
        _ => Ok(Changed::Done(None)),
    }
}

async fn page(web: &Web, visitor: &Visitor, user: &User, shown: Shown) -> Response {
    match filled(web, visitor, user, shown).await {
        Ok(response) => response,
        Err(fault) => fault_page(web, visitor, fault),
    }
}

async fn filled(web: &Web, visitor: &Visitor, user: &User, shown: Shown) -> Result<Response, Fault> {
    let store = &web.provider.edges.store;
    let own = store.authenticators(user.id).await?;
    let standing = store.second_factor(user.id).await?;
    let mut confirmed = own.iter().filter(|own| own.confirmed_at.is_some());
    let (console, cookie) = console(web, visitor, user, "security");
    let context = Security {
        console,
        action: web.path(PATH, &[]),
        has_factor: confirmed.clone().next().is_some(),
        totp: confirmed.find(|own| own.kind == AuthenticatorKind::Totp).map(factor),
        remembered: web.provider.factors.remembered(user).await?.into_iter().map(remembered).collect(),
        passkeys: own.iter().filter(|own| own.kind == AuthenticatorKind::Passkey).map(factor).collect(),
        new_passkey: new_passkey(web, visitor, user).await?,
        addresses: own
            .iter()
            .filter(|own| own.confirmed_at.is_some())
            .filter(|own| matches!(own.kind, AuthenticatorKind::Email | AuthenticatorKind::Sms))
            .map(|own| address(own.id.to_string(), own.kind, own.target.clone()))
            .collect(),
        waiting: shown.waiting,
        setup: shown.setup.as_ref().map(shown_setup),
        codes: shown.codes.iter().map(|code| code.expose().clone()).collect(),
        codes_left: standing.backup_codes.remaining,
        codes_total: standing.backup_codes.total,
        required: standing.required_at.is_some(),
        required_by_policy: web.provider.factors.house(user).await? > Demand::OneFactor,
        mistakes: shown.mistakes,
        error: shown.error,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    Ok(with_cookies(web.pages.page("page/account_security.html", &frame, &context), cookie))
}

/// What registers another passkey.
async fn new_passkey(web: &Web, visitor: &Visitor, user: &User) -> Result<Option<context::Passkey>, Fault> {
    let Some(passkeys) = &web.provider.passkeys else { return Ok(None) };
    // The console sets the cookie where there is none yet; its next page has the form.
    let Some(flow) = &visitor.flow else { return Ok(None) };
    let ceremony = passkeys.registration_page(user, &binding(flow)).await?;
    shown_passkey(ceremony, (web.path(PATH, &[]), String::new())).map(Some)
}

/// The kind of address that a form is about.
fn kind(form: &Params) -> AuthenticatorKind {
    if form.get("kind") == Some("sms") { AuthenticatorKind::Sms } else { AuthenticatorKind::Email }
}

fn address(id: String, kind: AuthenticatorKind, address: String) -> CodeAddress {
    CodeAddress { id, kind: kind.as_str().to_owned(), address }
}

fn remembered(browser: RememberedBrowser) -> Remembered {
    Remembered {
        id: browser.id.to_string(),
        device: device_name(&browser.user_agent),
        address: browser.address,
        since: browser.created_at.seconds(),
        until: browser.expires_at.seconds(),
    }
}

fn factor(own: &Authenticator) -> Factor {
    Factor {
        id: own.id.to_string(),
        name: own.name.clone(),
        since: own.confirmed_at.unwrap_or(own.created_at).seconds(),
        last_used: own.last_used_at.map(crate::protocol::numeric_date::NumericDate::seconds),
    }
}
