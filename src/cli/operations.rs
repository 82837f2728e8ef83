//! A question to the operations listener of the running server.
//!
//! *Why not the fetcher:* it reads the certificates of the system first, and a container asks for its health every few seconds.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::CommandError;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The largest answer.
const ROOM: u64 = 1024 * 1024;

/// What it answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Asks the server at `address`.
///
/// # Errors
/// When it does not answer in 3 s: exit code 1.
pub async fn ask(address: &str, method: &str, path: &str) -> Result<Answer, CommandError> {
    match tokio::time::timeout(PATIENCE, exchange(address, method, path)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(CommandError::refused(format!("{address} does not answer: {error}"))),
        Err(_) => Err(CommandError::refused(format!("{address} did not answer in {} s", PATIENCE.as_secs()))),
    }
}

async fn exchange(address: &str, method: &str, path: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    (&mut stream).take(ROOM).read_to_end(&mut answer).await?;
    let other = || std::io::Error::other("it speaks another protocol");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(other)?;
    let (head, body) = answer.split_at(end);
    let status = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    Ok(Answer { status: status.ok_or_else(other)?, body: body.get(4..).unwrap_or_default().to_vec() })
}
