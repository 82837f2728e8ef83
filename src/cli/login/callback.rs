//! The redirect back to this machine.
//!
//! RFC 8252 §7.3; RFC 6749 §4.1.2, §10.12 (`state`); RFC 9207 §2.4 (`iss`).

use std::collections::HashMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::cli::CommandError;
use crate::protocol::secret::Secret;

/// The longest request that is read.
const ROOM: usize = 16 * 1024;
/// How long one visitor may take to say what it wants: browsers open connections that they never use.
const PATIENCE: Duration = Duration::from_secs(5);

/// A listener of one redirect.
pub(super) struct Callback {
    listener: TcpListener,
    redirect_uri: String,
}

/// The parameters that came back.
pub(super) struct Returned(HashMap<String, String>);

impl Callback {
    /// Listens on a loopback address.
    pub(super) async fn listen(port: u16) -> Result<Self, CommandError> {
        let address = format!("127.0.0.1:{port}");
        let listening = TcpListener::bind(&address).await;
        let listener = listening.map_err(|source| crate::http::serve::BindError { address, source })?;
        let port = listener.local_addr().map_err(anyhow::Error::from)?.port();
        Ok(Self { listener, redirect_uri: format!("http://127.0.0.1:{port}/callback") })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the browser to come back.
    pub(super) async fn wait(&self, patience: Duration) -> Result<Returned, CommandError> {
        let waiting = async {
            loop {
                let (stream, _) = self.listener.accept().await?;
                if let Ok(Ok(Some(returned))) = tokio::time::timeout(PATIENCE, answer(stream)).await {
                    return std::io::Result::Ok(returned);
                }
            }
        };
        match tokio::time::timeout(patience, waiting).await {
            Ok(returned) => Ok(returned.map_err(anyhow::Error::from)?),
            Err(_) => Err(CommandError::refused(format!("nobody came back within {} s", patience.as_secs()))),
        }
    }
}

impl Returned {
    /// The code, when the answer is to our question and from whom we asked.
    pub(super) fn code(&self, state: &str, issuer: Option<&str>) -> Result<Secret, String> {
        let get = |name: &str| self.0.get(name).map(String::as_str);
        if get("state") != Some(state) {
            return Err("the answer belongs to another request: its state is not ours".to_owned());
        }
        if issuer.is_some() && get("iss") != issuer {
            return Err(format!("the answer is from another issuer: {}", get("iss").unwrap_or("it names none")));
        }
        if let Some(error) = get("error") {
            return Err(format!("the issuer refuses: {error}: {}", get("error_description").unwrap_or_default()));
        }
        get("code").map(Secret::from).ok_or_else(|| "the answer has no code".to_owned())
    }
}

/// Reads one request; `None` when it is for something else, such as an icon.
async fn answer(mut stream: TcpStream) -> std::io::Result<Option<Returned>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") && request.len() < ROOM {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request);
    let target = text.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let query = target.strip_prefix("/callback?");
    let (status, words) = match query {
        Some(_) => ("200 OK", "You may close this window and go back to the terminal."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nReferrer-Policy: no-referrer\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(query.map(|query| Returned(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Result<String, String> {
        let returned = Returned(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect());
        returned.code("s", Some("https://a")).map(|code| code.expose().to_owned())
    }

    #[test]
    fn an_answer_is_ours_or_it_is_none() {
        assert_eq!(code("code=c&state=s&iss=https%3A%2F%2Fa"), Ok("c".to_owned()));
        for (query, told) in [
            ("code=c&iss=https%3A%2F%2Fa", "state"),
            ("code=c&state=x&iss=https%3A%2F%2Fa", "state"),
            ("code=c&state=s", "names none"),
            ("code=c&state=s&iss=https%3A%2F%2Fb", "https://b"),
            ("error=access_denied&error_description=no&state=s&iss=https%3A%2F%2Fa", "access_denied: no"),
            ("state=s&iss=https%3A%2F%2Fa", "no code"),
        ] {
            assert!(code(query).unwrap_err().contains(told), "{query}");
        }
    }
}
