//! The mailbox of a test server, as people read it.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use symbolon::dev::mailbox::{Mailbox, Message};
use symbolon::model::message::MessageKind;
use tower::ServiceExt as _;

use super::server::TestServer;

/// Everything that was sent, newest last.
pub(crate) struct Inbox(pub(super) Mailbox);

impl Inbox {
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.0.messages()
    }

    /// What a development server answers at `path` below the mailbox.
    pub(crate) async fn get(&self, server: &TestServer, path: &str) -> String {
        let router = self.0.router(Arc::clone(&server.app.templates), String::new());
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
        assert_eq!(answer.status(), StatusCode::OK);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("the body is in memory");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    /// What was sent to an address or number, newest last.
    pub(crate) fn to(&self, address: &str) -> Vec<Message> {
        self.messages().into_iter().filter(|message| message.to == address).collect()
    }

    /// The kinds of what was sent to an address or number, in its order.
    pub(crate) fn kinds_to(&self, address: &str) -> Vec<MessageKind> {
        self.to(address).into_iter().filter_map(|message| message.kind).collect()
    }

    /// The newest message to an address or number.
    #[track_caller]
    pub(crate) fn last_to(&self, address: &str) -> Message {
        self.to(address).pop().unwrap_or_else(|| panic!("nothing for {address} in {:#?}", self.messages()))
    }

    /// The code in the newest message to an address or number: its only line of digits alone, or what follows `#`.
    #[track_caller]
    pub(crate) fn code_for(&self, address: &str) -> String {
        let message = self.last_to(address);
        let is_code = |word: &str| word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let lines = message.text.lines().map(str::trim);
        let mut codes = lines.filter_map(|line| match line.strip_prefix('@') {
            Some(bound) => bound.split_once('#').map(|(_, code)| code),
            None => Some(line),
        });
        let code = codes.find(|word| is_code(word));
        code.unwrap_or_else(|| panic!("no code in {message:?}")).to_owned()
    }

    /// The first link in the newest message to an address or number.
    #[track_caller]
    pub(crate) fn link_for(&self, address: &str) -> String {
        let message = self.last_to(address);
        let link = message.text.split_whitespace().find(|word| word.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link in {message:?}")).to_owned()
    }
}
