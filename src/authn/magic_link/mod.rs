//! Links that are sent to a mailbox and sign in once.
//!
//! S-052 to S-054; PROTOCOL A6, A13, A17. A link is 256 bits of chance and holds neither address nor code. In the browser that asked for
//! it, its button is enough; in another one the person types what the first one shows, so that nobody is signed in to an account of
//! somebody else who had a link sent to them. *Why it signs in where it is opened, and never where it was asked for:* whoever asks in the
//! name of another would otherwise wait for them to press the button.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::authn::otp_code::Verdict;
use crate::authn::sent_code::{SentCode, Target};
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Onward, Refusal, Started, Unsent};
use crate::edge::ephemeral::Namespace;
use crate::model::authentication::{Amr, Authentication};
use crate::model::client::Client;
use crate::model::epoch::Epoch;
use crate::model::frontend_url::FrontendUrl;
use crate::model::id::UserId;
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// Its name.
pub const NAME: &str = "magic_link";
/// How long a link is good.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// The longest path that a link leads to.
const MAX_PATH: usize = 512;

const LINK: Namespace<Waiting> = Namespace::new(NAME);
/// Of several links of one sign-in the latest alone is good.
const LATEST: Namespace<TokenHash> = Namespace::new("magic_link_latest");

/// What a link stands for, while it waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    /// The sign-in that asked for it.
    flow: TokenHash,
    /// Whose it is; nobody's where the address has no account.
    user: Option<UserId>,
    /// The person's epoch when it was sent: what ends everything ends it too.
    epoch: Option<Epoch>,
    address: String,
    /// The browser that asked.
    browser: Option<TokenHash>,
    onward: Onward,
    expires_at: NumericDate,
}

/// What the page of a link has to know.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Whether it is the browser that asked.
    pub is_same_browser: bool,
    /// Where it leads.
    pub onward: Onward,
}

/// The URL of a link, by its token and by where the app is that it is sent for, if that has a URL of its own.
pub type LinkUrl = Arc<dyn Fn(&Secret, Option<&FrontendUrl>) -> String + Send + Sync>;

/// The method `magic_link`.
#[derive(Clone)]
pub struct MagicLink {
    /// Addresses, pauses and limits: the same as for codes.
    pub by_mail: SentCode,
    /// Where links lead.
    pub url: LinkUrl,
}

/// A path of this server, as an app may name it; `None` for anything else (S-053).
///
/// Browsers read `\` as `/`, and drop tabs and line ends: none of these is in a path.
pub fn safe_path(path: &str) -> Option<String> {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (path.starts_with('/') && !path.starts_with("//") && is_plain && path.len() <= MAX_PATH).then(|| path.to_owned())
}

impl MagicLink {
    /// What the browser shows that asked, to be typed where the link is opened elsewhere. The same for everybody who asks, whether or not
    /// anything was sent.
    pub fn confirm_code(&self, handle: &Secret) -> Secret {
        self.shown(&TokenHash::of(handle.expose()))
    }

    /// The link of this token, while it waits.
    ///
    /// # Errors
    /// [`Refusal::LinkInvalid`]; a fault of the ephemeral store.
    pub async fn opened(&self, token: &str, browser: Option<&TokenHash>) -> Result<Opened, Refusal> {
        let (_, waiting) = self.waiting(token).await?;
        Ok(Opened { is_same_browser: is_same(waiting.browser.as_ref(), browser), onward: waiting.onward })
    }

    fn shown(&self, flow: &TokenHash) -> Secret {
        self.by_mail.codes.derive(NAME, &name(flow))
    }

    async fn waiting(&self, token: &str) -> Result<(TokenHash, Waiting), Refusal> {
        let edges = &self.by_mail.edges;
        let now = edges.clock.now();
        let hash = TokenHash::of(token);
        let found = LINK.get(&*edges.ephemeral, hash.as_bytes(), now).await?;
        let waiting = found.filter(|waiting| !waiting.expires_at.is_past(now)).ok_or(Refusal::LinkInvalid)?;
        let latest = LATEST.get(&*edges.ephemeral, waiting.flow.as_bytes(), now).await?;
        if latest.is_some_and(|latest| latest.matches(&hash)) { Ok((hash, waiting)) } else { Err(Refusal::LinkInvalid) }
    }

    /// Sends a link; one that was sent before for the same sign-in is not good any more. For nobody the same is written, under a token
    /// that nobody gets.
    async fn send(&self, attempt: &Attempt, target: Target) -> Result<Begun, Refusal> {
        let (by_mail, edges) = (&self.by_mail, &self.by_mail.edges);
        let now = edges.clock.now();
        let flow = attempt.flow.ok_or(Refusal::Wrong)?;
        let is_sent = by_mail.is_sent(&target, attempt);
        let token = edges.random.token();
        let hash = TokenHash::of(token.expose());
        let owner = target.user.as_ref().map(|user| user.id);
        let waiting = Waiting {
            flow,
            user: owner,
            epoch: edges.store.auth_epoch(owner.unwrap_or_else(|| UserId::new([0; 16]))).await?,
            address: target.address.clone(),
            browser: attempt.browser,
            onward: attempt.onward.clone(),
            expires_at: now.plus(LIFETIME),
        };
        LINK.put(&*edges.ephemeral, hash.as_bytes(), &waiting, waiting.expires_at).await?;
        LATEST.put(&*edges.ephemeral, flow.as_bytes(), &hash, waiting.expires_at).await?;
        let client = match &attempt.client {
            Some(id) => edges.store.client(id).await?,
            None => None,
        };
        let user = target.user.as_ref();
        let own_language = user.and_then(|user| user.profile.locale.clone());
        let message = Message {
            kind: MessageKind::MagicLink,
            channel: Channel::Mail,
            to: if is_sent { target.address } else { String::new() },
            user: owner,
            client: attempt.client.clone(),
            languages: own_language.into_iter().chain(attempt.languages.clone()).collect(),
            data: MessageData {
                name: user.and_then(|user| user.profile.name.clone()),
                url: Some((self.url)(&token, client.as_deref().and_then(Client::frontend_url))),
                valid_minutes: Some(LIFETIME.as_secs().div_ceil(60)),
                request: Some(attempt.from.clone()),
                ..MessageData::default()
            },
        };
        if let Err(refusal) = by_mail.dispatch(message, (is_sent, LIFETIME)).await {
            LINK.take(&*edges.ephemeral, hash.as_bytes(), now).await?;
            return Err(refusal);
        }
        Ok(Begun::Sent { resend_after: by_mail.starts.pause().as_secs() })
    }

    /// Whether the link is opened by who asked for it: in their sign-in, in their browser, or with what that one shows.
    async fn is_of(
        &self,
        attempt: &Attempt,
        (hash, waiting): (&TokenHash, &Waiting),
        typed: Option<&Secret>,
    ) -> Result<(), Refusal> {
        if let Some(flow) = &attempt.flow {
            return if flow.matches(&waiting.flow) { Ok(()) } else { Err(Refusal::LinkInvalid) };
        }
        if is_same(waiting.browser.as_ref(), attempt.browser.as_ref()) {
            return Ok(());
        }
        let codes = &self.by_mail.codes;
        let sealed = codes.seal(NAME, &name(hash), &self.shown(&waiting.flow));
        let typed = typed.map(|typed| typed.expose().as_str()).filter(|typed| !typed.trim().is_empty());
        let typed = typed.ok_or(Refusal::WrongCode(None))?;
        let moments = (self.by_mail.edges.clock.now(), waiting.expires_at);
        match codes.judge((NAME, &name(hash)), Some(&sealed), typed, moments).await? {
            Verdict::Right => Ok(()),
            Verdict::Wrong { left } => Err(Refusal::WrongCode(Some(left))),
            Verdict::Exhausted => Err(Refusal::LinkInvalid),
        }
    }
}

/// What makes two starts differ: where they lead.
fn contents(onward: &Onward) -> [&str; 2] {
    let request = onward.request.as_ref().map(|request| request.flow.as_str());
    [onward.path.as_deref().unwrap_or_default(), request.unwrap_or_default()]
}

fn is_same(asked: Option<&TokenHash>, comes: Option<&TokenHash>) -> bool {
    asked.zip(comes).is_some_and(|(asked, comes)| asked.matches(comes))
}

fn name(hash: &TokenHash) -> String {
    URL_SAFE_NO_PAD.encode(hash.as_bytes())
}

#[async_trait]
impl Method for MagicLink {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self) -> Factor {
        Factor::Mailbox
    }

    fn sends(&self) -> bool {
        true
    }

    fn patience(&self) -> Option<Duration> {
        Some(LIFETIME)
    }

    fn when_over(&self) -> Refusal {
        Refusal::LinkInvalid
    }

    async fn start(&self, attempt: &Attempt, identifier: &str) -> Result<Started, Refusal> {
        self.by_mail.started((self.name(), &contents(&attempt.onward)), attempt, identifier).await
    }

    async fn begin_named(&self, attempt: &Attempt, identifier: &str) -> Result<Begun, Refusal> {
        let target = self.by_mail.target(identifier).await?;
        self.by_mail.is_within(attempt, &target).await?;
        self.send(attempt, target).await
    }

    async fn settled(
        &self,
        attempt: &Attempt,
        identifier: &str,
        sent: Result<Begun, Refusal>,
    ) -> Result<Begun, Refusal> {
        if sent.is_ok() {
            return sent;
        }
        let counter = self.by_mail.counter(attempt, &self.by_mail.target(identifier).await?);
        self.by_mail.settle((self.name(), &contents(&attempt.onward)), (attempt, counter), sent).await
    }

    async fn begin(&self, attempt: &Attempt) -> Result<Begun, Refusal> {
        // After another proof a link proves nothing: it is a way to begin.
        let named = attempt.named.as_deref().filter(|_| attempt.person.is_none()).ok_or(Refusal::Wrong)?;
        let (by_mail, target) = (&self.by_mail, self.by_mail.target(named).await?);
        by_mail.hears(attempt, &target).await?;
        let counter = by_mail.counter(attempt, &target);
        if let Err(seconds) = by_mail.starts.again((self.name(), &counter), by_mail.edges.clock.now()).await? {
            return Err(Refusal::Unsent(Unsent::Recently(seconds)));
        }
        let sent = async {
            by_mail.is_within(attempt, &target).await?;
            self.send(attempt, target).await
        };
        self.settled(attempt, named, sent.await).await
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::MagicLink { token: value, shown: None }
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::MagicLink { token, shown } = answer else { return Err(Refusal::Wrong) };
        let (by_mail, edges) = (&self.by_mail, &self.by_mail.edges);
        let now = edges.clock.now();
        let (guard, address) = (&by_mail.guard, attempt.from.address.as_str());
        let found = self.waiting(token.expose()).await;
        // A browser that the owner is known by is heard while strangers at its address are not (PROTOCOL A5).
        let owner = found.as_ref().ok().and_then(|(_, waiting)| waiting.user);
        let is_known = guard.knows(owner, attempt.device.as_ref());
        if !is_known {
            guard.throttle.count_guess(edges, address, now).await?;
        }
        let (hash, waiting) = found?;
        let epoch = edges.store.auth_epoch(waiting.user.unwrap_or_else(|| UserId::new([0; 16]))).await?;
        let judged = match self.is_of(attempt, (&hash, &waiting), shown.as_ref()).await {
            // Good once, in the main store: a lost cache makes no link good again.
            Ok(()) if edges.store.consume_once(NAME, &hash, waiting.expires_at, now).await? => Ok(()),
            Ok(()) => Err(Refusal::LinkInvalid),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = judged {
            attempt.note_failure(edges, self.name(), waiting.user);
            return Err(refusal);
        }
        if !is_known {
            guard.throttle.forgive_address(&*edges.ephemeral, address).await?;
        }
        let sent = (waiting.user, waiting.epoch, waiting.address.as_str());
        let proven = by_mail.proven(attempt, sent, epoch).await?.ok_or(Refusal::LinkInvalid)?;
        // The way back in for whom strangers have closed the password (PROTOCOL A5).
        edges.store.clear_sign_in_failures(proven.0).await?;
        Ok(Authentication::new(proven, now, vec![Amr::Mail]))
    }
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
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for bad in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "dash", &long]
        {
            assert_eq!(safe_path(bad), None, "{bad}");
        }
        for bad in ["/a b", "/a\n", "/\t/evil.example", "/ä"] {
            assert_eq!(safe_path(bad), None, "{bad}");
        }
    }
}
