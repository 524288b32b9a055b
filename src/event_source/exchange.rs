//! Sends a request for an event stream and reads the response: its head, and its body without the framing (RFC 9112,
//! sections 6 and 7).

use super::url::HttpUrl;
use crate::http::dechunk::ChunkDecoder;
use crate::http::field::{field_value, field_values, list_members, trim_ows};
use crate::http::Progress;
use crate::text::escape::escape;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The most bytes in the head of a response.
const MAX_HEAD: u64 = 64 * 1024;
/// The size of the buffer for reading.
const BUFFER: usize = 8 * 1024;

/// A response whose body has not been read yet.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    head: Vec<u8>,
    reader: BufReader<TcpStream>,
    framing: Framing,
}

/// How the end of the body is marked (RFC 9112, section 6.3).
#[derive(Debug)]
enum Framing {
    Chunked(ChunkDecoder),
    /// This many bytes are still to come.
    Length(u64),
    UntilClose,
}

impl Response {
    /// Sends the request on a new connection and reads the head of the response. The connection is passed to `connected`
    /// first, so that another thread can shut it down. Without a byte for `idle_timeout`, it is given up.
    pub fn request(
        url: &HttpUrl,
        last_event_id: &str,
        idle_timeout: Option<Duration>,
        connected: impl FnOnce(&TcpStream),
    ) -> io::Result<Response> {
        let mut stream = TcpStream::connect((url.host.as_str(), url.port))?;
        connected(&stream);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(idle_timeout)?;
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\n",
            url.target,
            url.authority()
        );
        if !last_event_id.is_empty() {
            request += &format!("Last-Event-ID: {last_event_id}\r\n");
        }
        stream.write_all((request + "\r\n").as_bytes())?;
        let mut reader = BufReader::with_capacity(BUFFER, stream);
        loop {
            let head = read_head(&mut reader)?;
            let status = status_of(&head)?;
            // An interim response (1xx) precedes the final one (RFC 9110, section 15.2), but none follows 101.
            if !(100..200).contains(&status) || status == 101 {
                let framing = framing_of(&head)?;
                return Ok(Response { status, head, reader, framing });
            }
        }
    }

    /// The value of the first field line with this name.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        field_value(&self.head, name)
    }

    /// Checks that this is an event stream (WHATWG "Server-sent events", section 9.2.3). The error says why it is not.
    pub fn check_event_stream(&self) -> Result<(), String> {
        if self.status == 204 {
            return Err("status 204: the server has no more events".to_owned());
        }
        if self.status != 200 {
            return Err(format!("unexpected status {} (expected 200)", self.status));
        }
        let content_type = self.field("content-type").unwrap_or_default();
        let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
        if trim_ows(essence).eq_ignore_ascii_case(b"text/event-stream") {
            return Ok(());
        }
        Err(format!("unexpected content type `{}` (expected text/event-stream)", escape(essence)))
    }

    /// Reads the body and calls `data` with each piece of it.
    pub fn read_body(mut self, mut data: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        while !matches!(self.framing, Framing::Length(0)) {
            let length = read(&mut self.reader, &mut buffer)?;
            if length > 0 {
                self.framing.push(&buffer[..length], &mut data)?;
            } else if matches!(self.framing, Framing::UntilClose) {
                break;
            } else {
                return Err(unexpected_end("the response body is incomplete"));
            }
        }
        Ok(())
    }
}

impl Framing {
    /// Takes bytes of the body and calls `data` with what they hold. A body that is complete becomes `Length(0)`.
    fn push(&mut self, bytes: &[u8], data: &mut impl FnMut(&[u8])) -> io::Result<()> {
        match self {
            Framing::Chunked(decoder) => {
                let progress = decoder.push(bytes, data).map_err(|error| invalid(error.0))?;
                if progress != Progress::More {
                    *self = Framing::Length(0);
                }
            }
            Framing::Length(remaining) => {
                let length = (*remaining).min(bytes.len() as u64);
                *remaining -= length;
                data(&bytes[..length as usize]);
            }
            Framing::UntilClose => data(bytes),
        }
        Ok(())
    }
}

fn framing_of(head: &[u8]) -> io::Result<Framing> {
    let codings: Vec<&[u8]> = field_values(head, "transfer-encoding").flat_map(list_members).collect();
    if !codings.is_empty() {
        if codings.len() > 1 || !codings[0].eq_ignore_ascii_case(b"chunked") {
            return Err(invalid("the transfer coding is not chunked"));
        }
        return Ok(Framing::Chunked(ChunkDecoder::default()));
    }
    let mut lengths = field_values(head, "content-length");
    let length = match lengths.next() {
        Some(length) => length,
        None => return Ok(Framing::UntilClose),
    };
    let is_number = length.iter().all(u8::is_ascii_digit) && lengths.next().is_none();
    let number = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    number.filter(|_| is_number).map(Framing::Length).ok_or_else(|| invalid("invalid content-length"))
}

/// Reads a head, up to and including its empty line.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut limited = reader.take(MAX_HEAD);
    while !head.ends_with(b"\r\n\r\n") {
        let length = limited.read_until(b'\n', &mut head).map_err(explain_timeout)?;
        if limited.limit() == 0 {
            return Err(invalid("the response head is larger than 64 KiB"));
        }
        if length == 0 && head.is_empty() {
            return Err(unexpected_end("the server closed the connection"));
        }
        if length == 0 {
            return Err(unexpected_end("the response head is incomplete"));
        }
    }
    Ok(head)
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4).
fn status_of(head: &[u8]) -> io::Result<u16> {
    let code = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..6));
    let code = code.filter(|code| matches!(code[3], b' ' | b'\r')).map(|code| &code[..3]);
    let code = code.filter(|code| code.iter().all(u8::is_ascii_digit));
    let code = code.and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| code.parse().ok());
    code.ok_or_else(|| invalid("the response is not HTTP/1.1"))
}

fn read(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome.map_err(explain_timeout),
        }
    }
}

/// The system's words for a timeout differ: on Linux they are "Resource temporarily unavailable".
fn explain_timeout(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "timed out waiting for data")
        }
        _ => error,
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

fn unexpected_end(reason: &'static str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, reason)
}
