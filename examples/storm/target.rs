//! What to request: connects, sends the request, and reads the head and the body of the response.

use rust_sse_server::internals::{field_lines, is_event_stream, ChunkDecoder, HttpUrl, Progress};
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
    /// The request line, with its end.
    request_line: String,
    /// The field lines, without their ends.
    fields: Vec<String>,
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
        let body = request.body.clone().unwrap_or_default();
        let mut fields = vec![
            format!("Host: {}", url.authority()),
            "Accept: text/event-stream".to_owned(),
            "Connection: close".to_owned(),
        ];
        if request.body.is_some() {
            fields.push(format!("Content-Length: {}", body.len()));
        }
        // A field line on the command line replaces this program's.
        fields.retain(|field| {
            !request.fields.iter().any(|other| name(other).eq_ignore_ascii_case(name(field)))
        });
        fields.extend(request.fields.iter().cloned());
        let request_line = format!("{method} {} HTTP/1.1\r\n", url.target);
        Ok(Target { addresses: addresses.collect(), request_line, fields, body })
    }

    /// Connects and sends the request, with this last event ID unless it is empty.
    pub fn connect(&self, last_event_id: &str) -> Result<TcpStream, String> {
        let mut head = self.request_line.clone();
        for field in &self.fields {
            // `-H 'Last-Event-ID: …'` applies until the stream sets an ID.
            if last_event_id.is_empty() || !name(field).eq_ignore_ascii_case("last-event-id") {
                head += &format!("{field}\r\n");
            }
        }
        if !last_event_id.is_empty() {
            head += &format!("Last-Event-ID: {last_event_id}\r\n");
        }
        head += "\r\n";
        self.send(&[head.as_bytes(), &self.body].concat()).map_err(|error| explain(&error))
    }

    fn send(&self, request: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.addresses.as_slice())?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        Ok(stream)
    }
}

/// The name in a field line.
fn name(field: &str) -> &str {
    field.split(':').next().unwrap_or_default()
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

/// What the head of a response says.
pub enum Head {
    /// 200 and an event stream: how its body ends, and the bytes that came after the head.
    Stream(Body, Vec<u8>),
    /// 204, which tells an EventSource not to reconnect.
    NoContent,
}

/// Why there is no event stream.
pub enum HeadError {
    /// The connection was lost.
    Lost(String),
    /// An EventSource rejects the response and does not reconnect.
    Rejected(String),
}

impl HeadError {
    /// The reason.
    pub fn into_message(self) -> String {
        match self {
            HeadError::Lost(message) | HeadError::Rejected(message) => message,
        }
    }
}

/// Reads the head of a response, after any interim responses.
pub fn read_head(stream: &mut TcpStream) -> Result<Head, HeadError> {
    let mut bytes = Vec::new();
    loop {
        let rest = read_one_head(stream, &mut bytes)?;
        if !status_of(&bytes).starts_with('1') {
            return check_head(&bytes, rest).map_err(HeadError::Rejected);
        }
        bytes = rest;
    }
}

/// Reads until `bytes` is a complete head, and returns the bytes that came after it.
fn read_one_head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<Vec<u8>, HeadError> {
    let mut buffer = [0; 4 * 1024];
    loop {
        if !b"HTTP/1.".starts_with(&bytes[..bytes.len().min(7)]) {
            return Err(HeadError::Rejected("the response is not HTTP/1".to_owned()));
        }
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(bytes.split_off(at + 4));
        }
        match stream.read(&mut buffer) {
            Ok(0) if bytes.is_empty() => {
                return Err(HeadError::Lost("the connection was closed without a response".to_owned()))
            }
            Ok(0) => {
                return Err(HeadError::Lost("the connection was closed in the head of a response".to_owned()))
            }
            Ok(_) if bytes.len() > MAX_HEAD => {
                return Err(HeadError::Rejected("the head of the response is too long".to_owned()))
            }
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) => return Err(HeadError::Lost(format!("no response: {}", explain(&error)))),
        }
    }
}

/// The status code and the reason in a head.
fn status_of(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    text.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, status)| status).to_owned()
}

fn check_head(head: &[u8], rest: Vec<u8>) -> Result<Head, String> {
    let value = |name: &str| field_lines(head).find(|line| line.is(name)).map(|line| line.value.to_vec());
    let text = |name: &str| value(name).map(|value| String::from_utf8_lossy(&value).into_owned());
    let status = status_of(head);
    if status.starts_with("204") {
        return Ok(Head::NoContent);
    }
    if let (true, Some(location)) = (status.starts_with('3'), text("location")) {
        return Err(format!(
            "unexpected status {status:?}, which leads to {location:?} (redirects are not followed)"
        ));
    }
    if !status.starts_with("200") {
        return Err(format!("unexpected status {status:?} (expected 200)"));
    }
    let content_type = text("content-type").unwrap_or_default();
    if !is_event_stream(content_type.as_bytes()) {
        return Err(format!("unexpected content type {content_type:?} (expected text/event-stream)"));
    }
    if let Some(coding) = text("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(format!("unexpected content encoding {coding:?} (expected none: it was not requested)"));
    }
    if text("transfer-encoding").map_or(false, |coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Head::Stream(Body::Chunked(ChunkDecoder::default()), rest));
    }
    let length = text("content-length").and_then(|length| length.parse().ok());
    Ok(Head::Stream(length.map_or(Body::UntilClosed, Body::Length), rest))
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
