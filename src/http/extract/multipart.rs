//! Forms with a file.
//!
//! RFC 7578, RFC 2046 §5.1.1. Read whole, up to a limit, and then taken apart by `multer`. *Why not axum's `Multipart`:* it breaks off
//! at the limit, so that a browser shows a broken connection where a person should read what is wrong.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};

use super::body::{PATIENCE, Unreadable};
use crate::account::avatar::MAX_BYTES;
use crate::http::web::Web;

/// The largest form that is kept, in bytes: the largest file, and what stands around it.
const MAX_FORM: usize = MAX_BYTES + 16 * 1024;
/// The largest form that is read to its end, in bytes, so that who sent it hears an answer and not a broken connection.
const MAX_PASSED_BY: usize = 16 * 1024 * 1024;
/// The most parts of a form.
const MAX_PARTS: usize = 16;
/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A field of a form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    name: String,
    content_type: Option<String>,
    content: Bytes,
}

/// A form with a file, or why it is not read: its page says that in its own words.
#[derive(Clone, Debug)]
pub struct Multipart(pub Result<Fields, Unreadable>);

/// The fields of a form.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields(Vec<Part>);

impl Fields {
    /// The text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(&self.part(name)?.content).ok()
    }

    /// A file, with the type that it is said to be of.
    pub fn file(&self, name: &str) -> Option<(&str, Bytes)> {
        let part = self.part(name)?;
        Some((part.content_type.as_deref().unwrap_or_default(), part.content.clone()))
    }

    fn part(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.name == name)
    }
}

impl FromRequest<Web> for Multipart {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &Web) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        Ok(Self(read(&parts.headers, body).await))
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Fields, Unreadable> {
    let malformed = |what: &'static str| Unreadable::new(StatusCode::BAD_REQUEST, what);
    let Some(boundary) = boundary(headers) else {
        return Err(malformed("the body must be multipart/form-data, as its Content-Type says"));
    };
    let whole = tokio::time::timeout(PATIENCE, whole(body)).await;
    let whole =
        whole.map_err(|_| Unreadable::new(StatusCode::REQUEST_TIMEOUT, "the body took longer than 30 seconds"))?;
    parse(whole?, boundary).await.ok_or_else(|| malformed("the body is no multipart/form-data"))
}

/// The whole body.
///
/// # Errors
/// 413 above [`MAX_FORM`], after it was passed by; 400 when the sender breaks off.
async fn whole(body: Body) -> Result<Bytes, Unreadable> {
    let too_large = || Unreadable::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than is read here");
    if body.size_hint().lower() > MAX_PASSED_BY as u64 {
        return Err(too_large());
    }
    let (mut kept, mut passed) = (BytesMut::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unreadable::new(StatusCode::BAD_REQUEST, "the body broke off"))?;
        passed += chunk.len();
        if passed > MAX_PASSED_BY {
            return Err(too_large());
        }
        if passed > MAX_FORM {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(&chunk);
        }
    }
    if passed > MAX_FORM { Err(too_large()) } else { Ok(kept.freeze()) }
}

/// The line between parts, which the one `Content-Type` names.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let stated = types.next()?.to_str().ok()?;
    if types.next().is_some() {
        return None;
    }
    multer::parse_boundary(stated).ok().filter(|boundary| (1..=MAX_BOUNDARY).contains(&boundary.len()))
}

/// The parts of a body; `None` when it is no form.
async fn parse(body: Bytes, boundary: String) -> Option<Fields> {
    let whole = futures_util::stream::once(std::future::ready(Ok::<_, std::convert::Infallible>(body)));
    let mut form = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        if parts.len() == MAX_PARTS {
            return None;
        }
        let name = field.name()?.to_owned();
        let content_type = field.content_type().map(|kind| kind.essence_str().to_owned());
        parts.push(Part { name, content_type, content: field.bytes().await.ok()? });
    }
    Some(Fields(parts))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    async fn form(body: &str) -> Option<Fields> {
        parse(Bytes::from(body.replace('\n', "\r\n")), "x".to_owned()).await
    }

    const WHOLE: &str = "--x\nContent-Disposition: form-data; name=\"csrf\"\n\nabc\n--x\n\
        Content-Disposition: form-data; name=\"picture\"; filename=\"a; name=b.png\"\nContent-Type: Image/PNG\n\n\
        \n--y\n--\nPNG\n--x--\n";

    #[tokio::test]
    async fn fields_and_files_are_read() {
        let fields = form(WHOLE).await.unwrap();
        assert_eq!(fields.text("csrf"), Some("abc"));
        assert_eq!(fields.file("picture"), Some(("image/png", Bytes::from_static(b"\r\n--y\r\n--\r\nPNG"))));
        assert_eq!((fields.text("filename"), fields.file("other")), (None, None));
        assert_eq!(form("--x--").await.unwrap(), Fields::default());
    }

    #[tokio::test]
    async fn what_is_no_form_is_none() {
        for body in [
            "",
            "--",
            "--x",
            "--x\n",
            "--y--",
            "--x\nContent-Disposition: form-data; name=\"a\"\n\nabc",
            "--x\nContent-Disposition: form-data\n\nabc\n--x--",
            "--x\nname=a\n\nabc\n--x--",
            "--x\n\nabc\n--x--",
            "--x junk\nContent-Disposition: form-data; name=\"a\"\n\nabc\n--x--",
        ] {
            assert_eq!(form(body).await, None, "{body:?}");
        }
        for end in 0..WHOLE.len() - 4 {
            assert_eq!(form(&WHOLE[..end]).await, None, "{end}");
        }
        let many = "--x\nContent-Disposition: form-data; name=\"a\"\n\n\n".repeat(MAX_PARTS + 1) + "--x--";
        assert_eq!(form(&many).await, None);
    }

    #[test]
    fn the_boundary_is_that_of_the_header() {
        let stated = |value: &str| {
            boundary(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(value).expect("a header"))]))
        };
        assert_eq!(stated("multipart/form-data; boundary=----WebKit1").as_deref(), Some("----WebKit1"));
        assert_eq!(stated("Multipart/Form-Data;charset=utf-8; boundary=\"a b\"").as_deref(), Some("a b"));
        for none in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
            "image/png; boundary=x",
            "multipart/form-data; boundary=\"x",
        ] {
            assert_eq!(stated(none), None, "{none}");
        }
        assert_eq!(stated(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    #[tokio::test]
    async fn a_form_that_is_too_large_is_read_to_its_end_and_refused() {
        let read =
            async |size: usize| whole(Body::from(vec![b'a'; size])).await.map_err(|error| error.status().as_u16());
        assert_eq!(read(MAX_FORM).await.map(|bytes| bytes.len()), Ok(MAX_FORM));
        assert_eq!(read(MAX_FORM + 1).await, Err(413));
        assert_eq!(read(MAX_PASSED_BY + 1).await, Err(413));
    }
}
