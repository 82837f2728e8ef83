//! `symbolon healthcheck`: asks the running server whether it is ready; for containers and service managers.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::{Call, CommandError};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/readyz` at the operations address of the settings.
///
/// # Errors
/// When the server does not answer in 3 s, or says that it is not ready: exit code 1.
pub async fn run(call: &Call) -> Result<(), CommandError> {
    let address = call.settings()?.server.operations.to_string();
    let answer = tokio::time::timeout(PATIENCE, ask(&address)).await;
    let status = match answer {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(CommandError::refused(format!("{address} does not answer: {error}"))),
        Err(_) => return Err(CommandError::refused(format!("{address} did not answer in {} s", PATIENCE.as_secs()))),
    };
    if status != 200 {
        let reason = format!("{address} is not ready (status {status}); http://{address}/readyz?verbose tells why");
        return Err(CommandError::refused(reason));
    }
    call.output.print("ready", &json!({"ready": true, "operations": address}))
}

/// *Why not the fetcher:* it refuses addresses of this machine, and this is one request of one line.
async fn ask(address: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut start = Vec::new();
    (&mut stream).take(12).read_to_end(&mut start).await?;
    let status = std::str::from_utf8(&start).ok().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    status.and_then(|status| status.parse().ok()).ok_or_else(|| std::io::Error::other("it speaks another protocol"))
}
