//! A person at a browser without JavaScript: cookies, forms and redirects, found by the stable ids of the pages.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{ACCEPT, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use url::Url;

/// Somebody with an account, who says yes when an app asks.
pub(crate) struct Person {
    login: String,
    password: String,
    http: reqwest::Client,
    // One host is enough here: cookies ignore ports (RFC 6265 §8.5).
    cookies: HashMap<String, String>,
}

struct Page {
    url: Url,
    html: String,
}

enum Arrival {
    Page(Page),
    App(Url),
}

impl Person {
    /// A person with a fresh browser.
    pub(crate) fn new(login: String, password: String) -> Result<Self> {
        let http = reqwest::Client::builder().redirect(Policy::none()).build()?;
        Ok(Self { login, password, http, cookies: HashMap::new() })
    }

    /// Follows an authorization URL through sign-in and consent; gives the URL of the app that the browser is sent to.
    ///
    /// # Errors
    /// A page that is neither sign-in nor consent, with its text.
    pub(crate) async fn visits(&mut self, url: Url, redirect_uri: &str) -> Result<Url> {
        let mut arrival = self.opens(url, redirect_uri).await?;
        for _ in 0..6 {
            let page = match arrival {
                Arrival::App(url) => return Ok(url),
                Arrival::Page(page) => page,
            };
            let button = ["login-submit", "consent-accept"]
                .into_iter()
                .find(|id| Html::parse_document(&page.html).select(&by_id(id)).next().is_some())
                .with_context(|| format!("no way on from {}: {}", page.url, page.html))?;
            arrival = self.presses(&page, button, redirect_uri).await?;
        }
        bail!("six pages and not back at the app")
    }

    async fn opens(&mut self, url: Url, redirect_uri: &str) -> Result<Arrival> {
        let request = self.http.get(url);
        self.follows(request, redirect_uri).await
    }

    async fn presses(&mut self, page: &Page, button: &str, redirect_uri: &str) -> Result<Arrival> {
        let (action, fields) = self.fills(page, button)?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .http
            .post(page.url.join(&action)?)
            .header("content-type", "application/x-www-form-urlencoded")
            .header(ORIGIN, page.url.origin().ascii_serialization())
            .body(body);
        self.follows(request, redirect_uri).await
    }

    // The form of the button, its hidden inputs kept, the inputs a person fills found by their ids.
    fn fills(&self, page: &Page, button: &str) -> Result<(String, Vec<(String, String)>)> {
        let document = Html::parse_document(&page.html);
        let form = document
            .select(&by_tag("form"))
            .find(|form| form.select(&by_id(button)).next().is_some())
            .with_context(|| format!("no form with #{button} at {}", page.url))?;
        let mut fields = Vec::new();
        for control in form.select(&by_tag("input, button")) {
            let id = control.attr("id").unwrap_or_default();
            let Some(name) = control.attr("name") else { continue };
            let is_button = control.value().name() == "button" || control.attr("type") == Some("submit");
            let is_unchecked =
                matches!(control.attr("type"), Some("checkbox" | "radio")) && control.attr("checked").is_none();
            if (is_button && id != button) || is_unchecked {
                continue;
            }
            let value = match id {
                "login" if control.attr("readonly").is_none() => &self.login,
                "password" => &self.password,
                _ => control.attr("value").unwrap_or_default(),
            };
            fields.push((name.to_owned(), value.to_owned()));
        }
        Ok((form.attr("action").unwrap_or_default().to_owned(), fields))
    }

    async fn follows(&mut self, request: reqwest::RequestBuilder, redirect_uri: &str) -> Result<Arrival> {
        let mut request = request;
        for _ in 0..12 {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = request.header(ACCEPT, "text/html").header(COOKIE, cookies.join("; ")).send().await?;
            self.keeps(&response);
            let here = response.url().clone();
            if !response.status().is_redirection() {
                ensure!(!response.status().is_server_error(), "{} from {here}", response.status());
                return Ok(Arrival::Page(Page { url: here, html: response.text().await? }));
            }
            let location = response.headers().get(LOCATION).context("a redirect without Location")?;
            let next = here.join(location.to_str()?)?;
            if next.as_str().starts_with(redirect_uri) {
                return Ok(Arrival::App(next));
            }
            request = self.http.get(next);
        }
        bail!("twelve redirects")
    }

    fn keeps(&mut self, response: &reqwest::Response) {
        for line in response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let Ok(cookie) = cookie::Cookie::parse(line.to_owned()) else { continue };
            if cookie.max_age().is_some_and(|age| !age.is_positive()) {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}

fn by_id(id: &str) -> Selector {
    by_tag(&format!("#{id}"))
}

fn by_tag(selector: &str) -> Selector {
    Selector::parse(selector).expect("the selectors of this file are constants")
}
