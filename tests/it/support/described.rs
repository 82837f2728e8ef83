//! Every answer of the account API that a story sees is one that the OpenAPI document describes (S-176).

use http::Method;
use serde_json::Value;

use super::answer::Answer;

/// Compares an answer with the document.
#[track_caller]
pub(crate) fn check(document: &Value, (method, path): (&Method, &str), answer: &Answer) {
    let status = answer.status.as_u16().to_string();
    let is_problem = answer.header("content-type") == "application/problem+json";
    if is_problem {
        let problem = answer.json();
        for name in ["type", "title", "code", "request_id"] {
            assert!(problem[name].is_string(), "{name} is missing: {answer}");
        }
        assert_eq!(problem["status"], answer.status.as_u16(), "{answer}");
        let wait = problem["retry_after"].as_u64().map(|seconds| seconds.to_string()).unwrap_or_default();
        assert_eq!(wait, answer.header("retry-after"), "the header and the member: {answer}");
        assert_ne!(problem["title"], format!("problem-{}", problem["code"].as_str().unwrap_or_default()), "no title");
    }
    let Some(item) = path_item(document, path) else {
        let code = is_problem.then(|| answer.json()["code"].clone());
        assert_eq!(
            (status.as_str(), code),
            ("404", Some("not_found".into())),
            "{method} {path} is not described: {answer}"
        );
        return;
    };
    let named = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
    let Some(operation) = item.get(&named) else {
        assert!(["204", "404", "405"].contains(&status.as_str()), "{method} {path} is not described: {answer}");
        return;
    };
    let response = &operation["responses"][&status];
    assert!(response.is_object(), "{method} {path} does not describe {status}: {answer}");
    if is_problem && method != Method::HEAD {
        let codes =
            &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"];
        let code = &answer.json()["code"];
        let described = codes.as_array().is_some_and(|codes| codes.contains(code));
        assert!(described, "{method} {path} does not describe {status} {code}, only {codes}");
        let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        let all = operation["responses"].to_string();
        for error in errors {
            let code = error["code"].as_str().expect("a code");
            assert!(all.contains(&format!("\"{code}\"")), "{method} {path} does not describe the field error {code}");
        }
    }
}

/// The description of `path`, a path without braces before one with them.
fn path_item<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object().expect("paths");
    let fits = |template: &str| {
        let (mut own, mut asked) = (template.split('/'), path.split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return true,
                (Some(own), Some(asked)) if own == asked || (own.starts_with('{') && !asked.is_empty()) => {}
                _ => return false,
            }
        }
    };
    paths.get(path).or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))
}
