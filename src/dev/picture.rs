//! Portraits of the seeded people, for their `picture` claim: a letter on a colour, made on the spot.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// `GET /dev/picture/{name}.svg`, for the development server only.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/dev/picture/{file}", get(picture))
}

async fn picture(Path(file): Path<String>) -> Response {
    let Some(svg) = file.strip_suffix(".svg").and_then(portrait) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, svg).into_response()
}

/// The portrait of `name`; none unless it is a short word, so that nothing of a stranger's gets into the drawing.
fn portrait(name: &str) -> Option<String> {
    let is_word = (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase());
    let initial = name.chars().next().filter(|_| is_word)?.to_ascii_uppercase();
    let hue = name.bytes().fold(7_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 96 96\" width=\"96\" height=\"96\">\
         <rect width=\"96\" height=\"96\" fill=\"hsl({hue} 45% 32%)\"/>\
         <text x=\"48\" y=\"66\" font-family=\"serif\" font-size=\"52\" text-anchor=\"middle\" fill=\"#fff\">{initial}</text></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_words_are_drawn() {
        assert!(portrait("alice").is_some_and(|svg| svg.contains(">A</text>")));
        assert_ne!(portrait("alice"), portrait("bob"));
        for name in ["", "a<b", "Alice", "../x", &"a".repeat(33)] {
            assert_eq!(portrait(name), None, "{name}");
        }
    }
}
