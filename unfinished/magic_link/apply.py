import os
os.chdir('/work/wt/methods')
def sub(p, *pairs):
    s=open(p).read()
    for a,b in pairs:
        assert a in s, (p,a)
        s=s.replace(a,b,1)
    open(p,'w').write(s)
os.makedirs('src/authn/magic_link',exist_ok=True)
open('src/authn/magic_link/mod.rs','w').write('''//! Links that are sent to a mailbox and sign in once.
//!
//! S-052 to S-054; PROTOCOL A6, A17, A18. The link is of 256 bits and holds neither address nor code. In the browser that asked for it, its
//! button is enough; in another one the person types what the first one shows, so that nobody is signed in to an account of somebody
//! who had a link sent to them.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::authn::otp_code::Verdict;
use crate::authn::sent_code::SentCode;
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Refusal, Started};
use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::authentication::{Amr, Authentication};
use crate::model::epoch::Epoch;
use crate::model::id::UserId;
use crate::model::identifier::Email;
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a link is good.
pub const LIFETIME: Duration = Duration::from_mins(10);

const PURPOSE: &str = "magic_link";
const LINK: Namespace<Waiting> = Namespace::new(PURPOSE);

/// What a link stands for, while it waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    user: Option<UserId>,
    epoch: Option<Epoch>,
    address: String,
    /// The browser that asked.
    browser: Option<TokenHash>,
    /// What it shows, sealed.
    shown: TokenHash,
    /// Where it leads, on this server.
    path: Option<String>,
    expires_at: NumericDate,
}

/// What the page of a link has to know.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Whether it is the browser that asked.
    pub is_same_browser: bool,
    /// Where it leads, on this server.
    pub path: Option<String>,
}

/// The method `magic_link`.
#[derive(Clone)]
pub struct MagicLink {
    /// Addresses, pauses and limits: the same as for codes.
    pub by_mail: SentCode,
    /// The issuer, from which the URL is built.
    pub issuer: String,
}

/// A path of this server, as an app may name it; `None` for anything else.
pub fn safe_path(path: &str) -> Option<String> {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\\\');
    (path.starts_with('/') && !path.starts_with("//") && is_plain && path.len() <= 512).then(|| path.to_owned())
}

impl MagicLink {
    /// The link of this token, while it waits.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn opened(&self, token: &str, browser: Option<TokenHash>) -> Result<Option<Opened>, Refusal> {
        let edges = &self.by_mail.edges;
        let now = edges.clock.now();
        let found = LINK.get(&*edges.ephemeral, TokenHash::of(token).as_bytes(), now).await?;
        Ok(found.map(|waiting| Opened { is_same_browser: is_same(&waiting, browser), path: waiting.path }))
    }
}

fn is_same(waiting: &Waiting, browser: Option<TokenHash>) -> bool {
    waiting.browser.is_some() && waiting.browser == browser
}

#[async_trait]
impl Method for MagicLink {
    fn name(&self) -> &'static str {
        "magic_link"
    }

    fn factor(&self) -> Factor {
        Factor::Mailbox
    }

    fn sends(&self) -> bool {
        true
    }

    async fn start(&self, attempt: &Attempt, identifier: &str) -> Result<Started, Refusal> {
        self.by_mail.started(self.name(), attempt, identifier).await
    }

    async fn begin_named(&self, attempt: &Attempt, identifier: &str) -> Result<Begun, Refusal> {
        let edges = &self.by_mail.edges;
        let now = edges.clock.now();
        let target = self.by_mail.target(identifier).await?;
        self.by_mail.is_within(&target.address).await?;
        let is_sent = self.by_mail.is_sent(&target, attempt);
        let (token, shown) = (edges.random.token(), self.by_mail.codes.draw());
        let hash = TokenHash::of(token.expose());
        let owner = target.user.as_ref().map(|user| user.id);
        let epoch = edges.store.auth_epoch(owner.unwrap_or_else(|| UserId::new([0; 16]))).await?;
        let waiting = Waiting {
            user: owner,
            epoch,
            address: target.address.clone(),
            browser: attempt.browser,
            shown: self.by_mail.codes.seal(PURPOSE, &handle(&hash), &shown),
            path: attempt.path.clone(),
            expires_at: now.plus(LIFETIME),
        };
        // For nobody the same is written, under a token that nobody gets.
        LINK.put(&*edges.ephemeral, hash.as_bytes(), &waiting, waiting.expires_at).await?;
        let user = target.user.as_ref();
        let message = Message {
            kind: MessageKind::MagicLink,
            channel: Channel::Mail,
            to: if is_sent { target.address.clone() } else { String::new() },
            user: owner,
            client: attempt.client.clone(),
            languages: user.and_then(|user| user.profile.locale.clone()).into_iter().chain(attempt.languages.clone()).collect(),
            data: MessageData {
                name: user.and_then(|user| user.profile.name.clone()),
                url: Some(format!("{}/sign-in/magic?token={}", self.issuer, token.expose())),
                valid_minutes: Some(LIFETIME.as_secs().div_ceil(60)),
                request: Some(attempt.from.clone()),
                ..MessageData::default()
            },
        };
        let useful = if is_sent { LIFETIME } else { Duration::ZERO };
        let job = edges.outbox.job(&message, None, (now, now.plus(useful)))?;
        edges.store.record(Beside::default().and_job(job)).await?;
        Ok(Begun::Link { shown })
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::MagicLink { token: value, shown: None }
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::MagicLink { token, shown } = answer else { return Err(Refusal::Wrong) };
        let by_mail = &self.by_mail;
        let edges = &by_mail.edges;
        let now = edges.clock.now();
        by_mail.guard.throttle.count_address(&*edges.ephemeral, &attempt.from.address, now).await?;
        let hash = TokenHash::of(token.expose());
        let found = LINK.get(&*edges.ephemeral, hash.as_bytes(), now).await?;
        let waiting = found.filter(|waiting| !waiting.expires_at.is_past(now)).ok_or(Refusal::Wrong)?;
        if !is_same(&waiting, attempt.browser) {
            let typed = shown.as_ref().map(|shown| shown.expose().as_str()).unwrap_or_default();
            let verdict =
                by_mail.codes.judge((PURPOSE, &handle(&hash)), Some(&waiting.shown), typed, (now, waiting.expires_at));
            match verdict.await? {
                Verdict::Right => {}
                Verdict::Wrong { left } => return Err(Refusal::WrongCode(Some(left))),
                Verdict::Exhausted => return Err(Refusal::Wrong),
            }
        }
        if !edges.store.consume_once(PURPOSE, &hash, waiting.expires_at, now).await? {
            return Err(Refusal::Wrong);
        }
        by_mail.guard.throttle.forgive_address(&*edges.ephemeral, &attempt.from.address).await?;
        let epoch = edges.store.auth_epoch(waiting.user.unwrap_or_else(|| UserId::new([0; 16]))).await?;
        let proven = match (waiting.user, Email::parse(&waiting.address), &by_mail.newcomers) {
            (Some(user), _, _) => {
                let standing = epoch.filter(|epoch| waiting.epoch.is_some_and(|then| then >= *epoch));
                standing.map(|epoch| (user, epoch))
            }
            (None, Some(email), Some(newcomers)) => newcomers(email, attempt.clone(), now).await?,
            _ => None,
        };
        proven.map(|proven| Authentication::new(proven, now, vec![Amr::Mail])).ok_or(Refusal::Wrong)
    }
}

fn handle(hash: &TokenHash) -> String {
    hash.as_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-053
    #[test]
    fn a_path_stays_on_this_server() {
        for good in ["/dash", "/", "/a/b?c=d#e"] {
            assert_eq!(safe_path(good).as_deref(), Some(good));
        }
        for bad in ["//evil.example", "https://evil.example", "/\\\\evil.example", "javascript:alert(1)", "", "dash", "/a b", "/a\\n"] {
            assert_eq!(safe_path(bad), None, "{bad}");
        }
    }
}
''')
sub('src/authn/sent_code/mod.rs',
('    async fn target(&self','    pub(super) async fn target(&self'),
('    async fn is_within(&self','    pub(super) async fn is_within(&self'),
('''/// Where a code goes, and whose it is.
struct Target {
    address: String,
    user: Option<Arc<User>>,
}''','''/// Where a code goes, and whose it is.
pub(super) struct Target {
    pub(super) address: String,
    pub(super) user: Option<Arc<User>>,
}'''),
('''    /// Sends a code; one that was''','''    /// Whether something is really sent: to whom has an account that may be used, or may have one.
    pub(super) fn is_sent(&self, target: &Target, attempt: &Attempt) -> bool {
        let is_address = match self.way {
            Way::Mail => Email::parse(&target.address).is_some(),
            Way::Sms => Phone::parse(&target.address).is_some(),
        };
        let may_come = self.newcomers.is_some() && self.way == Way::Mail && attempt.person.is_none();
        is_address && target.user.as_ref().map_or(may_come, |user| user.is_enabled())
    }

    /// Takes the pause before something is sent.
    pub(super) async fn started(
        &self,
        purpose: &'static str,
        attempt: &Attempt,
        identifier: &str,
    ) -> Result<Started, Refusal> {
        if self.settings.to_anonymous == ToAnonymous::Refused {
            return Err(Refusal::Unsent(Unsent::SignInRequired));
        }
        let address = self.mailbox(&self.target(identifier).await?.address);
        let client = attempt.client.as_ref().map(ToString::to_string).unwrap_or_default();
        let content: &[&[u8]] = &[client.as_bytes()];
        let about = About { purpose, address: &address, binding: attempt.browser.as_ref(), content };
        match self.starts.begin(about, self.edges.clock.now()).await? {
            Start::Fresh(handle) => Ok(Started { handle, is_fresh: true }),
            Start::Same(handle) => Ok(Started { handle, is_fresh: false }),
            Start::TooSoon(seconds) => Err(Refusal::Unsent(Unsent::Recently(seconds))),
        }
    }

    /// Sends a code; one that was'''),
)
s=open('src/authn/sent_code/mod.rs').read()
a=s.index("        let Target { address, user } = target;"); b=s.index("        let review = is_sent")
s=s[:a]+'''        let is_sent = self.is_sent(&target, attempt);
        let Target { address, user } = target;
'''+s[b:]
a=s.index("        if self.settings.to_anonymous == ToAnonymous::Refused {", s.index("impl Method for SentCode")); b=s.index("    async fn begin_named",a)
s=s[:a]+'''        self.started(self.name(), attempt, identifier).await
    }

'''+s[b:]
open('src/authn/sent_code/mod.rs','w').write(s)
sub('src/authn/mod.rs',
('pub mod limit;\n','pub mod limit;\npub mod magic_link;\n'),
('use crate::authn::one_time_link::OneTimeLink;\n','use crate::authn::magic_link::MagicLink;\nuse crate::authn::one_time_link::OneTimeLink;\n'),
('''    /// `publicKey` of the browser's call, in JSON.
    PublicKey(serde_json::Value),
''','''    /// `publicKey` of the browser's call, in JSON.
    PublicKey(serde_json::Value),
    /// A link; what the browser shows, to be typed where the link is opened elsewhere.
    Link {
        /// What it shows.
        shown: Secret,
    },
'''),
('''    /// A code.
    Code(Secret),
''','''    /// The token of a link that was asked for, and what the browser that asked shows.
    MagicLink {
        /// The token.
        token: Secret,
        /// What was typed, in another browser.
        shown: Option<Secret>,
    },
    /// A code.
    Code(Secret),
'''),
('''    /// The browser that began.
    pub browser''','''    /// Where it leads, on this server.
    pub path: Option<String>,
    /// The browser that began.
    pub browser'''),
('    methods.extend(codes);\n','    methods.extend(codes);\n    let by_mail = sent_codes(Way::Mail, guard.clone());\n    methods.push(Box::new(MagicLink { by_mail, issuer: factors.issuer.clone() }));\n'),
)
sub('src/authn/second_factor.rs',('''    /// What code apps call this server: its host.
    pub site: String,
''','''    /// What code apps call this server: its host.
    pub site: String,
    /// The issuer, from which URLs are built.
    pub issuer: String,
'''))
sub('src/app.rs',('''site: issuer.host_str()''','''issuer: config.issuer.as_str().to_owned(),
            site: issuer.host_str()'''))
# flow: ask_by stays; path in attempt comes from the opener
sub('src/http/api/sign_in.rs',
('''        /// A passkey.
        Passkey = "passkey",
''','''        /// A link that is sent to an e-mail address.
        MagicLink = "magic_link",
        /// A passkey.
        Passkey = "passkey",
'''),
('''        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The first-party app''','''        /// Where a link leads: a path of this server.
        redirect_path: Option<String>,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The first-party app'''),
('''        let (challenge, begun) = sign_in.ask_by(&attempt, (method.as_str(), &identifier), opening).await?;''','''        let path = match &body.redirect_path {
            Some(path) => Some(safe_path(path).ok_or_else(|| Problem::field("redirect_path", Code::InvalidRedirect))?),
            None => None,
        };
        let attempt = Attempt { path, ..attempt };
        let (challenge, begun) = sign_in.ask_by(&attempt, (method.as_str(), &identifier), opening).await?;'''),
('''            _ => answered(StatusCode::ACCEPTED, &SignInAnswer {''','''            Some(Begun::Link { shown }) => {
                let link = SignInAnswer {
                    expires_in: Some(LINK_LIFETIME.as_secs()),
                    resend_after: Some(PAUSE.as_secs()),
                    confirm_code: Some(shown.expose().clone()),
                    challenges: None,
                    ..answer
                };
                answered(StatusCode::ACCEPTED, &link)
            }
            _ => answered(StatusCode::ACCEPTED, &SignInAnswer {'''),
('''        Begun::PublicKey(public_key) =>''','''        Begun::Link { .. } => Err(Refusal::Wrong.into()),
        Begun::PublicKey(public_key) =>'''),
('''    /// Seconds until the next message''','''    /// What is typed where a link is opened in another browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_code: Option<String>,
    /// Seconds until the next message'''),
('''            public_key: None,
''','''            public_key: None,
            confirm_code: None,
'''),
('''const SENDING: &[Code] = &[''','''const SENDING: &[Code] = &[Code::InvalidRedirect, '''),
('use crate::authn::start::PAUSE;\n','use crate::authn::magic_link::{LIFETIME as LINK_LIFETIME, safe_path};\nuse crate::authn::start::PAUSE;\n'),
)
sub('src/http/page/second_factor.rs',("Ok(Begun::PublicKey(_)) => Refusal::Wrong,","Ok(Begun::PublicKey(_) | Begun::Link { .. }) => Refusal::Wrong,"))
sub('src/http/page/sent_code.rs',
('''        Ok((challenge, _)) => {''','''        Ok((_, begun)) if method == "magic_link" => {
            let shown = match begun {
                Some(Begun::Link { shown }) => Some(shown.expose().clone()),
                _ => None,
            };
            return sent_page(&web, &visitor, (&place, open.as_ref()), shown);
        }
        Ok((challenge, _)) => {'''),
('''    let attempt = attempt(&web, &visitor, open.as_ref().map(|open| &*open.client));
''','''    // Where a link leads: back into the request that waits, or to a page of ours.
    let path = match place.flow {
        Some(_) => place.path(&web, "/sign-in"),
        None => web.path(&format!("/{}", destination(&query)), &[]),
    };
    let attempt = attempt(&web, &visitor, open.as_ref().map(|open| &*open.client));
    let attempt = Attempt { path: Some(path), ..attempt };
'''),
('''    if path.ends_with("/sms_code") { "sms_code" } else { "email_code" }
''','''    ["sms_code", "magic_link"].into_iter().find(|method| path.ends_with(method)).unwrap_or("email_code")
'''),
('''/// The method that a path names: the routes are those of the two.
''','''/// `GET /sign-in/magic`: opening a link changes nothing (mail scanners open links); the button does.
pub async fn show_link(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let token = query.get("token").unwrap_or_default().to_owned();
    link_page(&web, &visitor, (&token, None)).await
}

/// `POST /sign-in/magic`
pub async fn open_link(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default().to_owned();
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), LINK_PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/sign-in/magic", &[("token", &token)]));
    }
    let path = match opened(&web, &visitor, &token).await {
        Ok(Some(opened)) => opened.path,
        Ok(None) => return used(&web, &visitor),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let shown = form.get("code").map(Secret::from);
    let answer = Answer::MagicLink { token: Secret::from(token.as_str()), shown };
    match prove(&web, &visitor, ("magic_link", &answer), None).await {
        Ok(step) => {
            let entry = Entry { open: None, persistence: Persistence::Browser, destination: "account" };
            let response = arrive(&web, visitor, step, entry).await;
            lead(response, path.filter(|_| true))
        }
        Err(Refusal::Fault(fault)) => fault_page(&web, &visitor, fault),
        Err(Refusal::WrongCode(_)) => {
            refused(link_page(&web, &visitor, (&token, Some("wrong_code"))).await, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(Refusal::TooMany(_) | Refusal::Closed) => {
            web.refuse(&visitor, &PageError::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS))
        }
        Err(_) => used(&web, &visitor),
    }
}

/// To where the link was asked for, once the person is in; a second proof comes first.
fn lead(mut response: Response, path: Option<String>) -> Response {
    let is_in = response.headers().get(LOCATION).is_some_and(|to| to.as_bytes().ends_with(b"/account"));
    if let Some(path) = path.and_then(|path| HeaderValue::from_str(&path).ok()).filter(|_| is_in) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

async fn opened(web: &Web, visitor: &Visitor, token: &str) -> Result<Option<Opened>, Fault> {
    match web.magic_link.opened(token, visitor.browser.flow).await {
        Ok(opened) => Ok(opened),
        Err(Refusal::Fault(fault)) => Err(fault),
        Err(_) => Ok(None),
    }
}

async fn link_page(web: &Web, visitor: &Visitor, (token, error): (&str, Option<&str>)) -> Response {
    let opened = match opened(web, visitor, token).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return used(web, visitor),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (flow, cookie) = web.flow(visitor);
    let context = context::MagicLinkPage {
        action: web.path("/sign-in/magic", &[]),
        csrf: web.csrf.token(&flow, LINK_PURPOSE),
        token: token.to_owned(),
        asks_code: !opened.is_same_browser,
        error: error.map(str::to_owned),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/magic_link.html", &frame, &context), cookie)
}

fn used(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("link_used", StatusCode::GONE).code("magic_link_invalid"))
}

fn sent_page(
    web: &Web,
    visitor: &Visitor,
    (place, open): (&Place, Option<&Open>),
    code: Option<String>,
) -> Response {
    let context = context::MagicLinkSent {
        code,
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    web.pages.page("page/magic_link_sent.html", &frame, &context)
}

/// The method that a path names: the routes are those of the three.
'''),
('use crate::authn::{Refusal, Unsent};','use crate::authn::magic_link::Opened;\nuse crate::authn::{Answer, Attempt, Begun, Refusal, Unsent};'),
('use http::header::{HeaderValue, RETRY_AFTER};','use http::header::{HeaderValue, LOCATION, RETRY_AFTER};'),
('use crate::http::extract::params::{Form, Query};','use crate::http::error::PageError;\nuse crate::http::extract::params::{Form, Query};'),
('use crate::http::page::second_factor::{PATH, carried};\nuse crate::http::page::sign_in::{attempt, destination};','use crate::http::page::register::refused;\nuse crate::http::page::second_factor::{PATH, arrive, carried};\nuse crate::http::page::sign_in::{Entry, attempt, destination, prove};'),
('use crate::model::sign_in_flow','use crate::model::fault::Fault;\nuse crate::model::sign_in_flow'),
('use crate::protocol::params::Params;\n','use crate::protocol::params::Params;\nuse crate::protocol::secret::Secret;\n\nconst LINK_PURPOSE: &str = "magic-link";\n'),
)
s=open('src/http/page/sent_code.rs').read()
s=s.replace("lead(response, path.filter(|_| true))","lead(response, path)")
open('src/http/page/sent_code.rs','w').write(s)
sub('src/http/web.rs',('''    /// Whether a code is a way to sign in.
''','''    /// Links that were asked for.
    pub magic_link: MagicLink,
    /// Whether a code is a way to sign in.
'''),("use crate::authn::limit::Limits;\n","use crate::authn::limit::Limits;\nuse crate::authn::magic_link::MagicLink;\n"))
sub('src/edge/template/context.rs',('''/// Another way to go on.
''','''/// `page/magic_link.html`: a link that was asked for, opened.
#[derive(Clone, Serialize)]
pub struct MagicLinkPage {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the link.
    pub token: String,
    /// Whether it was asked for in another browser, whose code has to be typed.
    pub asks_code: bool,
    /// The end of a text key `magic-error-…`.
    pub error: Option<String>,
}

/// `page/magic_link_sent.html`
#[derive(Clone, Serialize)]
pub struct MagicLinkSent {
    /// What is typed where the link is opened elsewhere.
    pub code: Option<String>,
    /// Where one signs in otherwise.
    pub sign_in_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// Another way to go on.
'''))
sub('src/edge/template/sample.rs',('''        sample("send_code", ''','''        sample("magic_link", "page/magic_link.html", magic_link(false, None)),
        sample("magic_link_elsewhere", "page/magic_link.html", magic_link(true, Some("wrong_code"))),
        sample(
            "magic_link_sent",
            "page/magic_link_sent.html",
            MagicLinkSent {
                code: Some("123456".into()),
                sign_in_uri: "/sign-in?flow=1&other=1".into(),
                client: Some(shop()),
                back_uri: None,
            },
        ),
        sample("send_code", '''),('''fn backup_codes() ->''','''fn magic_link(asks_code: bool, error: Option<&str>) -> MagicLinkPage {
    MagicLinkPage {
        action: "/sign-in/magic".into(),
        csrf: "token".into(),
        token: "token".into(),
        asks_code,
        error: error.map(str::to_owned),
    }
}

fn backup_codes() ->'''))
open('templates/page/magic_link.html','w').write('''{% extends "base.html" %}
{% block title %}{% if error %}{{ t('title-error') }} {% endif %}{{ t('link-title') }}{% endblock %}
{% block content %}
<h1>{{ t('link-title') }}</h1>
<p class="lead">{% if asks_code %}{{ t('magic-elsewhere') }}{% else %}{{ t('magic-here') }}{% endif %}</p>
{% if error %}
<p class="notice error" role="alert" id="magic-error" tabindex="-1">{{ t('magic-error-' ~ error) }}</p>
{% endif %}
<form class="stack" method="post" action="{{ action }}" novalidate>
  <input type="hidden" name="csrf" value="{{ csrf }}">
  <input type="hidden" name="token" value="{{ token }}">
{% if asks_code %}
  <div class="field">
    <label for="otp">{{ t('code') }}</label>
    <input class="digits" id="otp" name="code" type="text" inputmode="numeric" autocomplete="off" maxlength="16" required autofocus{% if error %} aria-describedby="magic-error"{% endif %}>
  </div>
{% endif %}
  <button class="button primary" id="magic-submit" type="submit">{{ t('link-confirm') }}</button>
</form>
{% endblock %}
''')
open('templates/page/magic_link_sent.html','w').write('''{% extends "base.html" %}
{% block title %}{{ t('magic-sent') }}{% endblock %}
{% block token %}near{% endblock %}
{% block content %}
<h1>{{ t('magic-sent') }}</h1>
<p class="lead">{{ t('magic-sent-about') }}</p>
{% if code %}
<p class="help">{{ t('magic-sent-code') }}</p>
<p><code class="secret" id="magic-code">{{ code }}</code></p>
{% endif %}
<p class="help"><a id="sign-in" href="{{ sign_in_uri }}">{{ t('send-code-other') }}</a></p>
{% with back = back_uri %}{% include "part/foot.html" %}{% endwith %}
{% endblock %}
''')
s=open('templates/page/send_code.html').read()
s=s.replace("{{ t('login-email' if method == 'email_code' else 'login-phone') }}","{{ t('login-phone') if method == 'sms_code' else t('login-email') }}")
s=s.replace("{{ 'email' if method == 'email_code' else 'tel' }}","{{ 'tel' if method == 'sms_code' else 'email' }}").replace("{{ 'username' if method == 'email_code' else 'tel' }}","{{ 'tel' if method == 'sms_code' else 'username' }}")
s=s.replace('<p class="lead">{{ t(\'send-code-about\') }}</p>','<p class="lead">{{ t(\'send-link-about\') if method == \'magic_link\' else t(\'send-code-about\') }}</p>')
s=s.replace('type="submit">{{ t(\'send-code\') }}</button>','type="submit">{{ t(\'send-link\') if method == \'magic_link\' else t(\'send-code\') }}</button>')
open('templates/page/send_code.html','w').write(s)
add={'en':'''send-code-magic_link = Sign in by link
send-link-about = We send you a link that signs you in.
send-link = Send me a link
method-magic_link = Get a link by email
event-method-magic_link = by a link sent by email
magic-sent = Look into your mailbox
magic-sent-about = If the address is yours, a link is in its mailbox. It is good for ten minutes, once.
magic-sent-code = If you open it in another browser, it asks for this:
magic-here = Go on only if you asked for this link yourself.
magic-elsewhere = You asked for this link in another browser. Enter the code that stands there. If you did not ask for it, close this page.
magic-error-wrong_code = That is not the code that the other browser shows.
''','de':'''send-code-magic_link = Per Link anmelden
send-link-about = Wir senden Ihnen einen Link, der Sie anmeldet.
send-link = Link senden
method-magic_link = Link per E-Mail erhalten
event-method-magic_link = mit einem Link per E-Mail
magic-sent = Sehen Sie in Ihr Postfach
magic-sent-about = Wenn die Adresse Ihre ist, liegt ein Link im Postfach. Er gilt zehn Minuten, einmal.
magic-sent-code = Wenn Sie ihn in einem anderen Browser öffnen, fragt er nach diesem Code:
magic-here = Fahren Sie nur fort, wenn Sie diesen Link selbst verlangt haben.
magic-elsewhere = Sie haben diesen Link in einem anderen Browser verlangt. Geben Sie den Code ein, der dort steht. Wenn Sie ihn nicht verlangt haben, schließen Sie diese Seite.
magic-error-wrong_code = Das ist nicht der Code, den der andere Browser zeigt.
'''}
for l,t in add.items():
    open(f'templates/locale/{l}/security.ftl','a').write(t)
sub('src/http/routes.rs',('''        .route("/sign-in/sms_code",''','''        .route("/sign-in/magic_link", closed(get(page::sent_code::show).post(page::sent_code::submit)))
        .route("/sign-in/magic", closed(get(page::sent_code::show_link).post(page::sent_code::open_link)))
        .route("/sign-in/sms_code",'''))
sub('src/http/rate_limit.rs',('''    ("/sign-in/sms_code",''','''    ("/sign-in/magic_link", &[Rule::SignIn, Rule::Otp]),
    ("/sign-in/magic", &[Rule::Challenge, Rule::Otp]),
    ("/sign-in/sms_code",'''))
p='tests/it/bad_input.rs'; s=open(p).read()
for m in ('magic_link','magic'):
    s=s.replace('''    endpoint("/sign-in/second",''',f'''    endpoint("/sign-in/{m}", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/second",''',1)
open(p,'w').write(s)
s=open('src/app.rs').read()
a=s.index("&|way, guard| SentCode {"); b=s.index("                }),\n            ),",a)
s=s[:a]+"&|way, guard| self.sent_code(way, guard)),\n            ),"+s[b+len("                }),\n            ),"):]
s=s.replace('''            sends_to_anonymous:''','''            magic_link: MagicLink {
                by_mail: self.sent_code(
                    Way::Mail,
                    Guard { edges: provider.edges.clone(), throttle, devices: self.devices.clone() },
                ),
                issuer: provider.issuer.as_str().to_owned(),
            },
            sends_to_anonymous:''',1)
s=s.replace('''    fn health(&self) -> Health {''','''    /// Codes by one way.
    fn sent_code(&self, way: Way, guard: Guard) -> SentCode {
        let provider = &self.provider;
        SentCode {
            way,
            edges: provider.edges.clone(),
            codes: provider.accounts.codes.clone(),
            starts: provider.accounts.starts.clone(),
            limits: self.limits.clone(),
            guard,
            hasher: Arc::clone(&self.hasher),
            settings: self.code_settings.clone(),
            newcomers: (self.newcomers && way == Way::Mail).then(|| newcomers(provider)),
        }
    }

    fn health(&self) -> Health {''',1)
s=s.replace("use crate::authn::limit::Limits;\n","use crate::authn::guard::Guard;\nuse crate::authn::limit::Limits;\nuse crate::authn::magic_link::MagicLink;\n",1)
open('src/app.rs','w').write(s)
open('tests/it/acceptance/magic_link.rs','w').write(open('/tmp/s4/magic.rs').read())
p='tests/it/acceptance/mod.rs'; s=open(p).read()
s=s.replace("mod limits;\n","mod limits;\nmod magic_link;\n",1)
open(p,'w').write(s)

sub('tests/it/acceptance/sign_in.rs',('["password", "passkey", "email_code", "sms_code"]','["password", "passkey", "email_code", "sms_code", "magic_link"]'))
