//! A proxy in front of a server that does what a story wants, right or wrong.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of a request, whose head is given.
pub(super) enum Passage {
    /// It goes on to this port with this head.
    On(u16, String),
    /// The same, and the answer is changed on its way back.
    Changed(u16, String, fn(String) -> String),
    /// It is answered here.
    Answer(String),
}

/// A listener that ends with its story.
pub(super) struct FrontDoor {
    pub(super) port: u16,
    task: JoinHandle<()>,
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FrontDoor {
    pub(super) async fn open(passage: impl Fn(&str) -> Passage + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let passage = Arc::new(passage);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let passage = Arc::clone(&passage);
                // A caller that goes away is no concern of a story.
                tokio::spawn(async move { pass(stream, &*passage).await.ok() });
            }
        });
        Self { port, task }
    }
}

async fn pass(mut caller: TcpStream, passage: &(dyn Fn(&str) -> Passage + Send + Sync)) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if caller.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head).trim_end().to_owned();
    let answer = match passage(&head) {
        Passage::Answer(answer) => answer,
        Passage::On(port, head) => ask(port, &head).await?,
        Passage::Changed(port, head, change) => change(ask(port, &head).await?),
    };
    caller.write_all(answer.as_bytes()).await?;
    caller.shutdown().await
}

async fn ask(port: u16, head: &str) -> std::io::Result<String> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A whole answer.
pub(super) fn answer(status: &str, content_type: &str, body: &str) -> Passage {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}", body.len());
    Passage::Answer(format!("{head}\r\nConnection: close\r\n\r\n{body}"))
}
