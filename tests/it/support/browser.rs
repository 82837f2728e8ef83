//! A person with a browser: keeps cookies, follows redirects, fills in forms.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, USER_AGENT};
use http::{Request, StatusCode};
use url::form_urlencoded::Serializer;

use super::answer::{Answer, FilledForm};
use super::jar::Jar;
use super::relying_party::Exchange;
use super::server::PASSWORD;
use super::transport::Transport;

/// A browser of one person. It sends what real ones send: `Origin: null` with forms of pages that name no referrer.
pub(crate) struct Browser {
    server: Arc<dyn Transport>,
    cookies: Mutex<Jar>,
    password: String,
    user_agent: Option<String>,
}

impl Browser {
    pub(crate) fn new(server: &(impl Transport + Clone + 'static)) -> Self {
        Self {
            cookies: Mutex::new(Jar::at(server.issuer())),
            server: Arc::new(server.clone()),
            password: PASSWORD.to_owned(),
            user_agent: None,
        }
    }

    /// A person with a password of their own.
    pub(crate) fn with_password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.password);
        self
    }

    /// A browser with this `User-Agent`.
    pub(crate) fn calling_itself(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.cookies.lock().expect("no story panics here")
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar().value(name)
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.jar().put(name, value);
    }

    pub(crate) fn forget_cookie(&self, name: &str) {
        self.jar().forget(name);
    }

    /// `Cookie` as this browser sends it to another host of the site.
    pub(crate) fn cookie_header_at(&self, host: &str, path: &str) -> String {
        self.jar().seen_at(host).header(path)
    }

    /// `Cookie` as this browser sends it to pages.
    pub(crate) fn cookie_header(&self) -> String {
        self.cookie_header_for("/")
    }

    /// `Cookie` as this browser sends it with a request for `path`.
    pub(crate) fn cookie_header_for(&self, path: &str) -> String {
        self.jar().header(path)
    }

    /// Sends a request with the cookies of this browser, and keeps those that come back.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let cookies = self.cookie_header_for(request.uri().path());
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.parse().expect("cookies are ASCII"));
        }
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        request.headers_mut().insert(ACCEPT, accept.parse().expect("ASCII"));
        request.headers_mut().insert(ACCEPT_LANGUAGE, "en".parse().expect("a tag"));
        if let Some(user_agent) = &self.user_agent {
            request.headers_mut().insert(USER_AGENT, user_agent.parse().expect("ASCII"));
        }
        let answer = self.server.send(request).await;
        for header in answer.headers.get_all(SET_COOKIE) {
            self.jar().take(header.to_str().expect("our cookies are ASCII"));
        }
        answer
    }

    /// One `GET`, no redirect followed.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(Request::get(target).body(Body::empty()).expect("a request")).await
    }

    /// One form, no redirect followed.
    pub(crate) async fn post(&self, target: &str, fields: &[(String, String)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(target)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, "null")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Follows redirects as long as they stay with us; what is left is a page, or a redirect to an app.
    pub(crate) async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let target = answer.header("location").to_owned();
            if answer.status != StatusCode::SEE_OTHER || !target.starts_with('/') {
                return answer;
            }
            answer = self.get(&target).await;
        }
        panic!("redirected in circles: {answer}");
    }

    pub(crate) async fn open(&self, target: &str) -> Answer {
        let answer = self.get(target).await;
        self.follow(answer).await
    }

    pub(crate) async fn submit(&self, form: FilledForm) -> Answer {
        let answer = self.post(&form.action, &form.fields).await;
        self.follow(answer).await
    }

    /// Presses a button of the page in `answer`.
    pub(crate) async fn press(&self, answer: &Answer, button: &str) -> Answer {
        let form = answer.page().form_of(button);
        self.submit(form).await
    }

    /// Presses a button, no redirect followed.
    pub(crate) async fn post_of(&self, answer: &Answer, button: &str) -> Answer {
        let form = answer.page().form_of(button);
        self.post(&form.action, &form.fields).await
    }

    /// Signs in on the page in `answer`.
    pub(crate) async fn sign_in(&self, answer: &Answer, login: &str) -> Answer {
        let form = answer.page().form_of("login-submit").fill("login", login).fill("password", &self.password);
        self.submit(form).await
    }

    /// Signs in without an app.
    pub(crate) async fn signed_in(server: &(impl Transport + Clone + 'static), login: &str) -> Self {
        let browser = Self::new(server);
        let page = browser.open(&format!("{}/sign-in", server.base())).await;
        let account = browser.sign_in(&page, login).await;
        assert!(account.page().has("sign-out"), "{account}");
        browser
    }

    /// Goes to the server with a request of an app: a page, or at once the answer.
    pub(crate) async fn begin(&self, exchange: &Exchange) -> Answer {
        self.open(&exchange.target()).await
    }

    /// Does what the pages ask, as `login`, and agrees to everything; returns where the app's answer goes.
    pub(crate) async fn authorize(&self, exchange: &Exchange, login: &str) -> String {
        let answer = self.begin(exchange).await;
        self.finish(answer, login).await
    }

    /// Goes on from a page to the app.
    pub(crate) async fn finish(&self, mut answer: Answer, login: &str) -> String {
        for _ in 0..4 {
            if answer.status == StatusCode::SEE_OTHER {
                return answer.location().to_owned();
            }
            let asks = Asks::of(&answer);
            answer = match asks {
                Asks::SignIn => self.sign_in(&answer, login).await,
                Asks::Button(button) => self.press(&answer, button).await,
            };
        }
        answer.location().to_owned()
    }
}

/// What a page on the way to an app asks for.
enum Asks {
    SignIn,
    Button(&'static str),
}

impl Asks {
    fn of(answer: &Answer) -> Self {
        let page = answer.page();
        if page.has("login-submit") {
            return Self::SignIn;
        }
        let button = ["consent-accept", "account-current"].into_iter().find(|button| page.has(button));
        Self::Button(button.unwrap_or_else(|| panic!("no way on from here: {answer}")))
    }
}
