//! Why something did not work, in words for the developer who looks at the demo.

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    /// One line.
    pub(super) title: String,
    /// What was seen, and where it helps, what to do.
    pub(super) detail: String,
    /// The error code that the server answered, if it did.
    pub(super) code: Option<String>,
}

impl Failure {
    pub(super) fn new(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { title: title.into(), detail: detail.into(), code: None }
    }

    /// The server's own words (RFC 6749 §4.1.2.1, §5.2).
    pub(super) fn answered(title: impl Into<String>, code: &str, description: Option<&str>) -> Self {
        let detail = description.unwrap_or("the server gave no description").to_owned();
        Self { title: title.into(), detail, code: Some(code.to_owned()) }
    }
}
