//! A person's browser: cookies, redirects, and forms found by the ids of `PROTOCOL.md` §1.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use scraper::{ElementRef, Html, Selector};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::connection::{Answer, Connection};
use crate::server::User;

const MOST_STEPS: usize = 20;

/// A browser with one person in front of it, who signs in and consents wherever they are asked.
pub(crate) struct Browser {
    connection: Connection,
    user: User,
    cookies: BTreeMap<String, String>,
}

/// What a browser does next.
enum Step {
    Get(Url),
    Post(Url, String),
}

impl Browser {
    /// A browser without cookies.
    pub(crate) fn new(address: SocketAddr, user: User) -> Browser {
        Browser { connection: Connection::new(address), user, cookies: BTreeMap::new() }
    }

    /// The `Cookie` field it sends (RFC 6265 §5.4).
    pub(crate) fn cookie_field(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Opens `url` and does what the pages ask for, until the browser is sent to `redirect_uri`.
    pub(crate) async fn authorize(&mut self, url: Url, redirect_uri: &str) -> Result<Url> {
        let mut step = Step::Get(url);
        for _ in 0..MOST_STEPS {
            let (url, answer, cookies) = self.take(&step).await?;
            self.cookies.extend(cookies);
            self.cookies.retain(|_, value| !value.is_empty());
            step = match answer {
                Page::Redirect(location) => {
                    let target = url.join(&location).with_context(|| format!("Location {location}"))?;
                    if target.as_str().starts_with(redirect_uri) {
                        return Ok(target);
                    }
                    Step::Get(target)
                }
                Page::Html(html) => self.fill(&url, &html)?,
            };
        }
        bail!("no answer for the client after {MOST_STEPS} steps")
    }

    /// Opens the page of sign-in and fills it in: the request that signs in, as often as it is sent.
    pub(crate) async fn sign_in_request(&mut self, url: &Url) -> Result<Vec<u8>> {
        let (url, page, cookies) = self.take(&Step::Get(url.clone())).await?;
        self.cookies.extend(cookies);
        let Page::Html(html) = page else { bail!("{url} is no page") };
        let step = self.fill(&url, &html)?;
        Ok(self.request(&step).1.into_bytes())
    }

    /// Where it finds its server.
    pub(crate) fn address(&self) -> SocketAddr {
        self.connection.address()
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn keep(&mut self, answer: &Answer<'_>) {
        self.cookies.extend(answer.fields("set-cookie").filter_map(set_cookie));
        self.cookies.retain(|_, value| !value.is_empty());
    }

    /// Loses the cookies with this in their names.
    pub(crate) fn forget(&mut self, part: &str) {
        self.cookies.retain(|name, _| !name.contains(part));
    }

    fn request<'a>(&self, step: &'a Step) -> (&'a Url, String) {
        let cookies = self.cookie_field();
        match step {
            Step::Get(url) => {
                (url, format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", target(url), host(url), cookie(&cookies)))
            }
            Step::Post(url, body) => {
                let origin = url.origin().ascii_serialization();
                let fields = format!(
                    "Origin: {origin}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
                    body.len()
                );
                (
                    url,
                    format!(
                        "POST {} HTTP/1.1\r\nHost: {}\r\n{}{fields}\r\n\r\n{body}",
                        target(url),
                        host(url),
                        cookie(&cookies)
                    ),
                )
            }
        }
    }

    async fn take(&mut self, step: &Step) -> Result<(Url, Page, Vec<(String, String)>)> {
        let (url, request) = self.request(step);
        let answer = self.connection.exchange(request.as_bytes()).await.with_context(|| format!("open {url}"))?;
        let page = page(&answer).with_context(|| format!("open {url}"))?;
        let cookies = answer.fields("set-cookie").filter_map(set_cookie).collect();
        Ok((url.clone(), page, cookies))
    }

    fn fill(&self, url: &Url, html: &str) -> Result<Step> {
        let document = Html::parse_document(html);
        for (id, what) in [("#login", "sign in"), ("#password", "sign in"), ("#consent-accept", "consent")] {
            let Some(form) = form_with(&document, id)? else { continue };
            let mut fields = given_fields(form)?;
            type_into(form, "#login", &self.user.email, &mut fields)?;
            type_into(form, "#password", &self.user.password, &mut fields)?;
            let press = if what == "consent" { "#consent-accept" } else { "#login-submit" };
            if let Some(button) = form.select(&selector(press)?).next()
                && let Some(name) = button.attr("name")
            {
                fields.push((name.to_owned(), button.attr("value").unwrap_or_default().to_owned()));
            }
            let action = url.join(form.attr("action").unwrap_or_default()).context("the action of a form")?;
            let body = Serializer::new(String::new()).extend_pairs(fields).finish();
            return Ok(Step::Post(action, body));
        }
        let text: Vec<&str> = document.root_element().text().map(str::trim).filter(|text| !text.is_empty()).collect();
        bail!("{url} asks for neither sign-in nor consent: {}", text.join(" "))
    }
}

fn type_into(form: ElementRef<'_>, id: &str, value: &str, fields: &mut Vec<(String, String)>) -> Result<()> {
    let Some(input) = form.select(&selector(id)?).next() else { return Ok(()) };
    let name = input.attr("name").with_context(|| format!("{id} has no name"))?;
    fields.retain(|(field, _)| field != name);
    fields.push((name.to_owned(), value.to_owned()));
    Ok(())
}

enum Page {
    Redirect(String),
    Html(String),
}

fn page(answer: &Answer<'_>) -> Result<Page> {
    match answer.status {
        302 | 303 => Ok(Page::Redirect(answer.field("location").context("a redirect without Location")?.to_owned())),
        200 => Ok(Page::Html(String::from_utf8(answer.body.to_vec()).context("the page is not UTF-8")?)),
        _ => bail!("{}", answer.summary()),
    }
}

fn set_cookie(field: &str) -> Option<(String, String)> {
    let cookie = cookie::Cookie::parse(field.to_owned()).ok()?;
    let gone = cookie.max_age().is_some_and(cookie::time::Duration::is_zero);
    Some((cookie.name().to_owned(), if gone { String::new() } else { cookie.value().to_owned() }))
}

fn cookie(cookies: &str) -> String {
    if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") }
}

/// Path and query: the request target (RFC 9112 §3.2.1).
pub(crate) fn target(url: &Url) -> &str {
    url.as_str().get(url.origin().ascii_serialization().len()..).unwrap_or("/")
}

/// The `Host` field.
pub(crate) fn host(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    origin.split_once("://").map_or(origin.clone(), |(_, host)| host.to_owned())
}

fn selector(id: &str) -> Result<Selector> {
    Selector::parse(id).map_err(|error| anyhow::anyhow!("{error}"))
}

fn form_with<'a>(document: &'a Html, id: &str) -> Result<Option<ElementRef<'a>>> {
    let (forms, inner) = (selector("form")?, selector(id)?);
    Ok(document.select(&forms).find(|form| form.select(&inner).next().is_some()))
}

/// The fields a browser sends without the person doing anything.
fn given_fields(form: ElementRef<'_>) -> Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    for input in form.select(&selector("input[name]")?) {
        let kind = input.attr("type").unwrap_or("text");
        let unchecked = matches!(kind, "checkbox" | "radio") && input.attr("checked").is_none();
        if unchecked
            || matches!(kind, "submit" | "button" | "image" | "reset" | "file")
            || input.attr("disabled").is_some()
        {
            continue;
        }
        let default = if kind == "checkbox" { "on" } else { "" };
        let value = input.attr("value").unwrap_or(default);
        fields.push((input.attr("name").unwrap_or_default().to_owned(), value.to_owned()));
    }
    Ok(fields)
}
