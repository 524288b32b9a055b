//! Sends a request for an event stream and reads the response: its head, and its body without the framing (RFC 9112,
//! sections 6 and 7).
//!
//! Responses are read as browsers read them. The server in this library is strict instead, because it tests clients.
//!
//! | accepted | rule |
//! |---|---|
//! | any version HTTP/1.x | RFC 9110, section 2.5: versions with the same major number are compatible |
//! | LF alone as a line end, in the head and around chunks | RFC 9112, section 2.2: a recipient may recognize it |
//! | empty lines before the status line | what browsers do; section 2.2 has it for requests |
//! | a status line without a reason phrase, or without the space before it | RFC 9112, section 4: clients ignore the phrase |
//! | interim responses (1xx) before the final one | RFC 9110, section 15.2 |
//! | a folded field line: the line break counts as a space | RFC 9112, section 5.2 |
//! | blanks before the colon of a field line | RFC 9112, section 5.1: to be removed from a response |
//! | `Transfer-Encoding: identity`, which means nothing | RFC 9112, section 7: the name is reserved for its past use |
//! | `Transfer-Encoding` and `Content-Length`: the length is ignored | RFC 9112, section 6.3 |
//! | `Content-Length` several times with the same value | RFC 9110, section 8.6 |
//! | `Content-Type` several times: the last valid one counts | WHATWG Fetch, section 2.2.2, "extract a MIME type" |
//! | blanks after a chunk-size | what browsers do |
//! | any chunk extensions, which mean nothing | RFC 9112, section 7.1.1: unknown ones are ignored |
//! | any lines as trailer fields, which mean nothing | RFC 9112, section 7.1.2: a recipient may discard them |

use super::url::HttpUrl;
use crate::http::dechunk::ChunkDecoder;
use crate::http::field::{field_values, is_event_stream, list_members, trim_ows};
use crate::http::Progress;
use crate::text::escape::escape;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The most bytes in the head of a response.
const MAX_HEAD: usize = 64 * 1024;
/// The most interim responses before the final one. Servers send one or two.
const MAX_INTERIM: usize = 20;
/// How long to try to connect to one address. Across an ocean it takes a fraction of a second.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long to wait for a whole head. Some servers compute for a while before they respond; a server that sends its head
/// byte by byte must not hold the client forever.
const HEAD_TIME: Duration = Duration::from_secs(120);
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
    /// first, so that another thread can shut it down. Without a byte for `idle_timeout`, it is given up. `more_fields` are
    /// further field lines with their line ends.
    pub fn request(
        url: &HttpUrl,
        last_event_id: &str,
        more_fields: &str,
        idle_timeout: Option<Duration>,
        connected: impl FnOnce(&TcpStream),
    ) -> io::Result<Response> {
        let mut stream = connect(url)?;
        connected(&stream);
        stream.set_nodelay(true)?;
        // A stream can set a last event ID larger than the buffers of the system.
        stream.set_write_timeout(Some(idle_timeout.map_or(HEAD_TIME, |idle| idle.min(HEAD_TIME))))?;
        let request = request_head(url, last_event_id, more_fields);
        stream.write_all(request.as_bytes()).map_err(explain_timeout)?;
        let mut reader = BufReader::with_capacity(BUFFER, stream);
        let (status, head) = read_final_head(&mut reader, idle_timeout)?;
        let framing = framing_of(&head)?;
        reader.get_ref().set_read_timeout(idle_timeout)?;
        Ok(Response { status, head, reader, framing })
    }

    /// The value of the last field line with this name.
    pub fn field<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        field_values(&self.head, name).last()
    }

    /// Checks that this is an event stream (WHATWG "Server-sent events", section 9.2.3). The error says why it is not.
    pub fn check_event_stream(&self, last_event_id: &str) -> Result<(), String> {
        match self.status {
            200 => {}
            204 => return Err("status 204: the server has no more events".to_owned()),
            431 if !last_event_id.is_empty() => {
                let length = last_event_id.len();
                return Err(format!(
                    "unexpected status 431 (expected 200): the request has a last event ID of {length} bytes"
                ));
            }
            status => return Err(format!("unexpected status {status} (expected 200)")),
        }
        let mut codings = field_values(&self.head, "content-encoding").flat_map(list_members);
        if let Some(coding) = codings.find(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
            let coding = escape(coding);
            return Err(format!(
                "unexpected content encoding `{coding}` (expected none: it was not requested)"
            ));
        }
        match self.content_type() {
            None => Err("the response has no content type (expected text/event-stream)".to_owned()),
            Some(found) if is_event_stream(found) => Ok(()),
            Some(found) => {
                Err(format!("unexpected content type `{}` (expected text/event-stream)", escape(found)))
            }
        }
    }

    /// The last content type, without its parameters. A comma in a quoted parameter splits it, too, but what follows has no
    /// `/` before the next `;` and is ignored like any other value that is not a type.
    fn content_type(&self) -> Option<&[u8]> {
        let values = field_values(&self.head, "content-type").flat_map(list_members);
        let essences =
            values.map(|value| trim_ows(value.split(|&byte| byte == b';').next().unwrap_or_default()));
        essences.filter(|essence| essence.contains(&b'/') && essence != b"*/*").last()
    }

    /// Waits for the next bytes of the body and calls `data` with each piece of it in them. Returns whether the body goes on.
    pub fn read_body(&mut self, data: impl FnMut(&[u8])) -> io::Result<bool> {
        if matches!(self.framing, Framing::Length(0)) {
            return Ok(false);
        }
        let bytes = fill(&mut self.reader)?;
        let length = bytes.len();
        if length > 0 {
            self.framing.push(bytes, data)?;
            self.reader.consume(length);
            return Ok(true);
        }
        match self.framing {
            Framing::UntilClose => Ok(false),
            _ => Err(unexpected_end("the response body is incomplete")),
        }
    }
}

impl Framing {
    /// Takes bytes of the body and calls `data` with what they hold. A body that is complete becomes `Length(0)`.
    fn push(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> io::Result<()> {
        match self {
            Framing::Chunked(decoder) => {
                if decoder.push(bytes, data).map_err(|error| invalid(error.0))? != Progress::More {
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

/// Connects to the first address of the host that accepts.
fn connect(url: &HttpUrl) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::new(ErrorKind::NotFound, "the host name has no address"));
    for address in (url.host.as_str(), url.port).to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, CONNECT_TIME);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn request_head(url: &HttpUrl, last_event_id: &str, more_fields: &str) -> String {
    let mut head = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nAccept-Encoding: identity\r\n\
         Cache-Control: no-cache\r\n{more_fields}",
        url.target,
        url.authority()
    );
    if !last_event_id.is_empty() {
        head += &format!("Last-Event-ID: {last_event_id}\r\n");
    }
    head + "\r\n"
}

fn framing_of(head: &[u8]) -> io::Result<Framing> {
    let codings = field_values(head, "transfer-encoding").flat_map(list_members);
    let codings: Vec<&[u8]> = codings.filter(|coding| !coding.eq_ignore_ascii_case(b"identity")).collect();
    if !codings.is_empty() {
        if codings.len() > 1 || !codings[0].eq_ignore_ascii_case(b"chunked") {
            return Err(invalid("the transfer coding is not chunked"));
        }
        return Ok(Framing::Chunked(ChunkDecoder::lenient()));
    }
    let mut lengths = field_values(head, "content-length").flat_map(list_members);
    let length = match lengths.next() {
        Some(length) => length,
        None => return Ok(Framing::UntilClose),
    };
    let is_number = length.iter().all(u8::is_ascii_digit) && lengths.all(|other| other == length);
    let number = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    number.filter(|_| is_number).map(Framing::Length).ok_or_else(|| invalid("invalid content-length"))
}

/// Reads heads up to that of the final response, and returns the status and the head of that response.
fn read_final_head(
    reader: &mut BufReader<TcpStream>,
    idle_timeout: Option<Duration>,
) -> io::Result<(u16, Vec<u8>)> {
    let deadline = Instant::now() + HEAD_TIME;
    for _ in 0..=MAX_INTERIM {
        let head = read_head(reader, idle_timeout, deadline)?;
        let status = status_of(&head)?;
        // An interim response (1xx) precedes the final one (RFC 9110, section 15.2), but none follows 101.
        if !(100..200).contains(&status) || status == 101 {
            return Ok((status, head));
        }
    }
    Err(invalid("more than 20 interim responses"))
}

/// Reads a head. Every line of the result ends with CR LF, however it ended in the response; folded field lines are joined.
fn read_head(
    reader: &mut BufReader<TcpStream>,
    idle_timeout: Option<Duration>,
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let line = read_line(reader, MAX_HEAD - length, idle_timeout, deadline)?;
        length += line.len();
        let line =
            line.strip_suffix(b"\n").ok_or_else(|| invalid("the response head is larger than 64 KiB"))?;
        add_line(&mut head, line.strip_suffix(b"\r").unwrap_or(line));
        if head.ends_with(b"\r\n\r\n") {
            return Ok(head);
        }
    }
}

/// Adds a line without its line end.
fn add_line(head: &mut Vec<u8>, line: &[u8]) {
    if head.is_empty() && line.is_empty() {
        return;
    }
    let is_folded = matches!(line.first(), Some(b' ' | b'\t')) && head.ends_with(b"\r\n");
    if is_folded {
        head.truncate(head.len() - 2);
    }
    let colon = line.iter().position(|&byte| byte == b':');
    let name_length = colon.filter(|_| !head.is_empty() && !is_folded).unwrap_or(0);
    let (name, rest) = line.split_at(name_length);
    head.extend_from_slice(trim_ows(name));
    head.extend_from_slice(rest);
    head.extend_from_slice(b"\r\n");
}

/// Reads a line with its end, or the first `most` bytes of a longer one.
fn read_line(
    reader: &mut BufReader<TcpStream>,
    most: usize,
    idle_timeout: Option<Duration>,
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < most && !line.ends_with(b"\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO {
            return Err(explain_timeout(ErrorKind::TimedOut.into()));
        }
        reader.get_ref().set_read_timeout(Some(idle_timeout.map_or(left, |idle| idle.min(left))))?;
        let bytes = fill(reader)?;
        if bytes.is_empty() {
            return Err(unexpected_end("the server closed the connection before the end of the head"));
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| end + 1);
        let length = end.min(most - line.len());
        line.extend_from_slice(&bytes[..length]);
        reader.consume(length);
    }
    Ok(line)
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4).
fn status_of(head: &[u8]) -> io::Result<u16> {
    let code = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..6));
    let code = code.filter(|code| matches!(code[3], b' ' | b'\r')).map(|code| &code[..3]);
    let code = code.filter(|code| code.iter().all(u8::is_ascii_digit));
    let code = code.and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| code.parse().ok());
    code.ok_or_else(|| invalid("the response is not HTTP/1.1"))
}

/// Waits for bytes and returns those in the buffer: none at the end of the connection.
fn fill(reader: &mut BufReader<TcpStream>) -> io::Result<&[u8]> {
    while let Err(error) = reader.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(explain_timeout(error));
        }
    }
    Ok(reader.buffer())
}

/// The system's words for a timeout differ: on Linux they are "Resource temporarily unavailable".
fn explain_timeout(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "timed out waiting for the server")
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn a_head_that_arrives_byte_by_byte_is_given_up_when_its_time_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"\n").is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let mut reader = BufReader::new(TcpStream::connect(address).unwrap());
        let start = Instant::now();
        let time = Duration::from_millis(100);
        // Each byte is in time for the idle timeout.
        let head = read_head(&mut reader, Some(Duration::from_secs(5)), start + time);
        assert_eq!(head.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() >= time && start.elapsed() < 20 * time, "{:?}", start.elapsed());
        drop(reader);
        server.join().unwrap();
    }
}
