//! One keep-alive connection: the smallest client that can be trusted to count.
//!
//! RFC 9112: request bytes are prepared outside; answers with `Content-Length` or chunked coding are read.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpStream;

const FIRST_BUFFER: usize = 16 * 1024;
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A connection that reopens itself when the server has closed it.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    filled: usize,
    body: Vec<u8>,
    /// The answers that all connections of a load had.
    answers: Arc<AtomicU32>,
}

/// How one request fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    /// From its first byte to the last of its answer.
    pub(crate) time: Duration,
    /// How many answers all connections had meanwhile, its own among them.
    pub(crate) turns: u32,
}

/// An answer, read wholly.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// Status line and fields.
    head: &'a [u8],
    /// The content, its transfer coding removed.
    pub(crate) body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The values of a field, in order.
    pub(crate) fn fields(&self, name: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.head.split(|byte| *byte == b'\n').filter_map(move |line| value_of(line, name.as_bytes()))
    }

    /// The first value of a field.
    pub(crate) fn field(&self, name: &'static str) -> Option<&'a str> {
        self.fields(name).next()
    }

    /// Status and the beginning of the content, for a person who asks what went wrong.
    pub(crate) fn summary(&self) -> String {
        let text: String = String::from_utf8_lossy(self.body).chars().take(400).collect();
        let location = self.field("location").unwrap_or_default();
        format!("{} {location} {text}", self.status)
    }
}

/// How the end of the content is found (RFC 9112 §6.3).
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

struct Head {
    status: u16,
    bytes: usize,
    framing: Framing,
    closes: bool,
}

impl Connection {
    /// A connection to this address, opened with the first exchange.
    pub(crate) fn new(address: SocketAddr) -> Connection {
        Connection::counting(address, Arc::default())
    }

    /// The same, one of those that count their answers together.
    pub(crate) fn counting(address: SocketAddr, answers: Arc<AtomicU32>) -> Connection {
        Connection { address, stream: None, buffer: vec![0; FIRST_BUFFER], filled: 0, body: Vec::new(), answers }
    }

    /// Where it leads.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// [`Connection::exchange`], and how it fared.
    pub(crate) async fn timed(&mut self, request: &[u8], times: &mut Vec<Timed>) -> Result<Answer<'_>> {
        let answers = Arc::clone(&self.answers);
        let (began, before) = (Instant::now(), answers.load(Ordering::Relaxed));
        let answer = self.exchange(request).await?;
        let turns = answers.fetch_add(1, Ordering::Relaxed).wrapping_sub(before).wrapping_add(1);
        times.push(Timed { time: began.elapsed(), turns });
        Ok(answer)
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address).await?,
        };
        write(&stream, request).await.context("send the request")?;
        self.filled = 0;
        let head = loop {
            self.read(&stream).await?;
            if let Some(head) = parse_head(self.buffer.get(..self.filled).unwrap_or_default())? {
                break head;
            }
        };
        let end = match head.framing {
            Framing::Length(length) => {
                while self.filled < head.bytes + length {
                    self.read(&stream).await?;
                }
                head.bytes + length
            }
            Framing::Chunked => {
                while !decode_chunks(self.buffer.get(head.bytes..self.filled).unwrap_or_default(), &mut self.body)? {
                    self.read(&stream).await?;
                }
                self.filled
            }
        };
        if end != self.filled {
            bail!("the server sent more than its answer");
        }
        if !head.closes {
            self.stream = Some(stream);
        }
        let (fields, content) =
            self.buffer.get(..end).unwrap_or_default().split_at_checked(head.bytes).context("an answer")?;
        let body = if matches!(head.framing, Framing::Chunked) { self.body.as_slice() } else { content };
        Ok(Answer { status: head.status, head: fields, body })
    }

    async fn read(&mut self, stream: &TcpStream) -> Result<()> {
        if self.filled == self.buffer.len() {
            if self.filled >= LARGEST_ANSWER {
                bail!("the answer is larger than {LARGEST_ANSWER} bytes");
            }
            self.buffer.resize(self.filled * 2, 0);
        }
        loop {
            stream.readable().await.context("wait for the answer")?;
            match stream.try_read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => bail!("the server closed the connection before its answer was complete"),
                Ok(read) => {
                    self.filled += read;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("read the answer"),
            }
        }
    }
}

async fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
    stream.set_nodelay(true).context("set TCP_NODELAY")?;
    Ok(stream)
}

async fn write(stream: &TcpStream, mut request: &[u8]) -> std::io::Result<()> {
    while !request.is_empty() {
        match stream.try_write(request) {
            Ok(written) => request = request.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `None` while the head is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut status = None;
    let mut framing = None;
    let mut closes = false;
    let mut at = 0;
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line = bytes.get(at..at + length).unwrap_or_default().trim_ascii_end();
        at += length + 1;
        if status.is_none() {
            let code = line.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
            status = Some(code.and_then(|code| code.parse().ok()).context("a status line")?);
        } else if line.is_empty() {
            let status = status.context("a status line")?;
            // RFC 9110 §15.3.5, §15.4.5: these have no content; every other answer must say where it ends.
            let framing = if matches!(status, 204 | 304) { Some(Framing::Length(0)) } else { framing };
            let framing = framing.context("an answer without Content-Length or chunked coding")?;
            return Ok(Some(Head { status, bytes: at, framing, closes }));
        } else if let Some(value) = value_of(line, b"content-length") {
            framing = Some(Framing::Length(value.parse().context("Content-Length")?));
        } else if let Some(value) = value_of(line, b"transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                bail!("transfer coding {value}");
            }
            framing = Some(Framing::Chunked);
        } else if let Some(value) = value_of(line, b"connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(None)
}

/// The value, if this line is the field of that name.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let (field, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    if !field.eq_ignore_ascii_case(name) {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}

/// Decodes chunked content into `body`; `false` while the last chunk is missing (RFC 9112 §7.1).
fn decode_chunks(mut rest: &[u8], body: &mut Vec<u8>) -> Result<bool> {
    body.clear();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at_checked(end + 1).context("a chunk")?;
        let digits = std::str::from_utf8(line.trim_ascii()).context("a chunk size")?;
        let digits = digits.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).with_context(|| format!("chunk size {digits:?}"))?;
        if size == 0 {
            return Ok(after == b"\r\n");
        }
        let Some((chunk, after)) = after.split_at_checked(size) else { return Ok(false) };
        let Some((_, after)) = after.split_at_checked(2) else { return Ok(false) };
        body.extend_from_slice(chunk);
        rest = after;
    }
    Ok(false)
}
