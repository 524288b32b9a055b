//! What to request: connects, sends the request, and reads the head and the body of the response.

use rust_sse_server::internals::{field_lines, ChunkDecoder, HttpUrl, Progress};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a client waits for the next byte.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a response's head. A head that is longer is an error.
const MAX_HEAD: usize = 16 * 1024;
/// "Too many open files" on Linux, macOS and the BSDs.
const EMFILE: i32 = 24;

/// What to request.
pub struct Target {
    addresses: Vec<SocketAddr>,
    /// The request line and the field lines, each with its end.
    head: String,
    body: Vec<u8>,
}

/// What to send instead of `GET` without a body.
#[derive(Default)]
pub struct RequestOptions {
    /// `None` for GET, or for POST if there is a body.
    pub method: Option<String>,
    /// Field lines without their ends.
    pub fields: Vec<String>,
    pub body: Option<Vec<u8>>,
}

impl Target {
    /// Resolves the host's name, once for all clients.
    pub fn new(url: &str, request: &RequestOptions) -> Result<Target, String> {
        let url = HttpUrl::parse(url).map_err(|error| error.to_string())?;
        let addresses = (url.host.as_str(), url.port).to_socket_addrs();
        let addresses = addresses.map_err(|error| format!("cannot resolve {:?}: {error}", url.host))?;
        let default_method = if request.body.is_some() { "POST" } else { "GET" };
        let method = request.method.as_deref().unwrap_or(default_method);
        let mut head = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", url.target, url.authority());
        head += "Accept: text/event-stream\r\nConnection: close\r\n";
        for field in &request.fields {
            head += &format!("{field}\r\n");
        }
        let body = request.body.clone().unwrap_or_default();
        if request.body.is_some() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        Ok(Target { addresses: addresses.collect(), head, body })
    }

    /// Connects and sends the request, with this last event ID unless it is empty.
    pub fn connect(&self, last_event_id: &str) -> Result<TcpStream, String> {
        let mut request = self.head.clone();
        if !last_event_id.is_empty() {
            request += &format!("Last-Event-ID: {last_event_id}\r\n");
        }
        request += "\r\n";
        self.send(&[request.as_bytes(), &self.body].concat()).map_err(|error| explain(&error))
    }

    fn send(&self, request: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.addresses.as_slice())?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        Ok(stream)
    }
}

/// How the end of a response's body is marked (RFC 9112, section 6.3).
pub enum Body {
    Chunked(ChunkDecoder),
    /// Bytes that are still to come.
    Length(u64),
    UntilClosed,
}

impl Body {
    /// Takes the next bytes, and calls `data` with those of the body in them. Returns whether the body is complete.
    pub fn push(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<bool, String> {
        match self {
            Body::Chunked(decoder) => match decoder.push(bytes, data) {
                Ok(progress) => Ok(matches!(progress, Progress::Done(_))),
                Err(error) => Err(error.0.to_owned()),
            },
            Body::Length(remaining) => {
                let length = (bytes.len() as u64).min(*remaining);
                data(&bytes[..length as usize]);
                *remaining -= length;
                Ok(*remaining == 0)
            }
            Body::UntilClosed => {
                data(bytes);
                Ok(false)
            }
        }
    }

    /// Whether the body is complete if the connection is closed now.
    pub fn may_end(&self) -> bool {
        matches!(self, Body::UntilClosed)
    }
}

/// Reads the head of a response, which must be a 200 and an event stream. Returns how the body ends, and the bytes that came after the head.
pub fn read_head(stream: &mut TcpStream) -> Result<(Body, Vec<u8>), String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4 * 1024];
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the connection was closed without a response".to_owned()),
            Ok(_) if head.len() > MAX_HEAD => return Err("the response's head is too long".to_owned()),
            Ok(length) => head.extend_from_slice(&buffer[..length]),
            Err(error) => return Err(format!("no response: {}", explain(&error))),
        }
    };
    let body = head.split_off(end);
    let text = String::from_utf8_lossy(&head);
    let status = text.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, status)| status);
    if !status.starts_with("200") {
        return Err(format!("unexpected status {status:?} (expected 200)"));
    }
    let value = |name: &str| field_lines(&head).find(|line| line.is(name)).map(|line| line.value.to_vec());
    let content_type = value("content-type").unwrap_or_default();
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    if !String::from_utf8_lossy(essence).trim().eq_ignore_ascii_case("text/event-stream") {
        let content_type = String::from_utf8_lossy(&content_type);
        return Err(format!("unexpected content type {content_type:?} (expected text/event-stream)"));
    }
    let is_chunked = |value: Vec<u8>| value.eq_ignore_ascii_case(b"chunked");
    if value("transfer-encoding").map_or(false, is_chunked) {
        return Ok((Body::Chunked(ChunkDecoder::default()), body));
    }
    let length = value("content-length").and_then(|length| std::str::from_utf8(&length).ok()?.parse().ok());
    Ok((length.map_or(Body::UntilClosed, Body::Length), body))
}

/// Why something failed, and what to do where that is known.
pub fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("nothing arrived for {} s", TIMEOUT.as_secs())
        }
        _ if error.raw_os_error() == Some(EMFILE) => {
            format!("{error}: raise `ulimit -n` above the number of clients")
        }
        _ => error.to_string(),
    }
}
