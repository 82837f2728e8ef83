//! What a server answered, and the page it may be.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use url::Url;

/// One HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The text of a header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("our headers are ASCII")).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("our bodies are UTF-8")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{self}");
        self.json()
    }

    /// Itself, which must have this status.
    #[track_caller]
    pub(crate) fn of(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Status and OAuth error code: `400 invalid_grant`. Every error names the page that explains it.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        let body = self.json();
        let code = body["error"].as_str().unwrap_or("(no error)");
        let uri = body["error_uri"].as_str().unwrap_or_default();
        assert!(body.get("error").is_none() || uri.ends_with(&format!("/docs/errors/{code}")), "error_uri: {self}");
        format!("{} {code}", self.status.as_u16())
    }

    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self}");
        self.header("location")
    }

    /// The page in the body.
    #[track_caller]
    pub(crate) fn page(&self) -> Page {
        assert!(self.header("content-type").starts_with("text/html"), "not a page: {self}");
        Page { html: Html::parse_document(self.text()), text: self.text().to_owned() }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2_000).collect();
        write!(f, "{} {:?}\n{body}", self.status, self.headers)
    }
}

/// A page as its reader sees it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    html: Html,
    pub(crate) text: String,
}

/// A form that is filled in: where it goes, and what it sends.
#[derive(Clone, Debug)]
pub(crate) struct FilledForm {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Page {
    fn find(&self, id: &str) -> Option<ElementRef<'_>> {
        let selector = Selector::parse(&format!("[id=\"{id}\"]")).expect("ids are plain");
        self.html.select(&selector).next()
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// An attribute of the element with this id.
    #[track_caller]
    pub(crate) fn attribute(&self, id: &str, name: &str) -> &str {
        let element = self.find(id).unwrap_or_else(|| panic!("no #{id} in:\n{}", self.text));
        element.value().attr(name).unwrap_or_default()
    }

    /// An attribute of each element that `selector` finds.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        self.html.select(&selector).filter_map(|element| element.value().attr(name)).map(str::to_owned).collect()
    }

    /// The words of the first element that `selector` finds.
    #[track_caller]
    pub(crate) fn words(&self, selector: &str) -> String {
        let parsed = Selector::parse(selector).expect("a selector");
        let element = self.html.select(&parsed).next().unwrap_or_else(|| panic!("no {selector} in:\n{}", self.text));
        element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn language(&self) -> &str {
        self.html.root_element().value().attr("lang").unwrap_or_default()
    }

    /// The form around the button with this id, with what its fields hold and what the button adds.
    #[track_caller]
    pub(crate) fn form_of(&self, button: &str) -> FilledForm {
        let button = self.find(button).unwrap_or_else(|| panic!("no #{button} in:\n{}", self.text));
        let form = button
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|element| element.value().name() == "form")
            .expect("a button stands in a form");
        let inputs = Selector::parse("input").expect("a selector");
        let mut fields: Vec<(String, String)> = form
            .select(&inputs)
            .filter(|input| input.value().attr("type") != Some("checkbox") || input.value().attr("checked").is_some())
            .filter_map(|input| {
                let value = input.value().attr("value").unwrap_or_default();
                Some((input.value().attr("name")?.to_owned(), value.to_owned()))
            })
            .collect();
        if let Some(name) = button.value().attr("name") {
            fields.push((name.to_owned(), button.value().attr("value").unwrap_or_default().to_owned()));
        }
        FilledForm { action: form.value().attr("action").unwrap_or_default().to_owned(), fields }
    }

    /// What kind of error page it is: the words of its title's key, by its heading.
    #[track_caller]
    pub(crate) fn heading(&self) -> String {
        self.words("h1")
    }

    /// The hint for developers on an error page.
    #[track_caller]
    pub(crate) fn hint(&self) -> String {
        self.words("#error-hint")
    }

    /// Where the one way on of an error page leads.
    #[track_caller]
    pub(crate) fn way_back(&self) -> &str {
        assert!(self.has("error-page"), "not an error page:\n{}", self.text);
        self.attribute("back", "href")
    }
}

impl FilledForm {
    /// Writes `value` into the field `name`.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Status and code of a refusal of the API: `422 required`.
#[track_caller]
pub(crate) fn code(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or("(no code)"))
}

/// What is wrong with each field, in order: `identifier blank`.
#[track_caller]
pub(crate) fn fields(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    let text = |error: &Value, name: &str| error[name].as_str().expect("a text").to_owned();
    errors.iter().map(|error| format!("{} {}", text(error, "field"), text(error, "code"))).collect()
}

/// The parameters of a response at a redirect URI, from its query or its fragment.
pub(crate) fn parameters(url: &str) -> Vec<(String, String)> {
    let url = Url::parse(url).expect("an absolute URL");
    let encoded = url.fragment().filter(|_| url.query().is_none()).or(url.query()).unwrap_or_default();
    url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
}
