//! Sends one request and receives its response, at the client's end: `GET` with `Accept: text/event-stream` out, a head
//! and a body in, the body's framing undone (RFC 9112, sections 6 and 7).

use super::url::HttpUrl;
use crate::http::dechunk::ChunkDecoder;
use crate::http::field::{field_lines, list_members};
use crate::http::Progress;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

/// Octets of a response's head, above which it is given up.
const MAX_HEAD: usize = 64 * 1024;
/// Octets read in one go.
const READ: usize = 8 * 1024;

/// A response whose body is still to be read.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    head: Vec<u8>,
    stream: TcpStream,
    /// What came together with the head.
    early: Vec<u8>,
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    Chunked(ChunkDecoder),
    Length(u64),
    UntilClose,
}

impl Response {
    /// Sends the request on a fresh connection and reads the head. The connection is shown to `connected` first, so that
    /// somebody else can shut it down.
    pub fn request(
        url: &HttpUrl,
        last_event_id: &str,
        connected: impl FnOnce(&TcpStream),
    ) -> io::Result<Response> {
        let mut stream = TcpStream::connect((url.host.as_str(), url.port))?;
        connected(&stream);
        stream.set_nodelay(true)?;
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\n",
            url.target,
            url.authority()
        );
        if !last_event_id.is_empty() {
            request += &format!("Last-Event-ID: {last_event_id}\r\n");
        }
        stream.write_all((request + "\r\n").as_bytes())?;
        let mut bytes = Vec::new();
        let mut head = read_head(&mut stream, &mut bytes)?;
        let mut status = status_of(&head)?;
        // 1xx only announces the response proper (RFC 9110, section 15.2), but after 101 there is none.
        while (100..200).contains(&status) && status != 101 {
            head = read_head(&mut stream, &mut bytes)?;
            status = status_of(&head)?;
        }
        let mut response = Response { status, head, stream, early: bytes, framing: Framing::UntilClose };
        response.framing = response.framing()?;
        Ok(response)
    }

    /// The value of the first field line called `name`.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        field_lines(&self.head).find(|line| line.is(name)).map(|line| line.value)
    }

    fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        field_lines(&self.head).filter(move |line| line.is(name)).map(|line| line.value)
    }

    /// Reads the body and calls `data` with each piece of it, until it ends by its own rules.
    pub fn read_body(mut self, mut data: impl FnMut(&[u8])) -> io::Result<()> {
        let early = std::mem::take(&mut self.early);
        if self.feed(&early, &mut data)? {
            return Ok(());
        }
        let mut buffer = [0; READ];
        loop {
            let length = read(&mut self.stream, &mut buffer)?;
            if length == 0 {
                return self.end_of_connection();
            }
            if self.feed(&buffer[..length], &mut data)? {
                return Ok(());
            }
        }
    }

    fn end_of_connection(&self) -> io::Result<()> {
        match self.framing {
            Framing::UntilClose => Ok(()),
            _ => Err(io::Error::new(ErrorKind::UnexpectedEof, "the body ended in the middle")),
        }
    }

    /// Takes bytes of the body; `true` at its end.
    fn feed(&mut self, bytes: &[u8], data: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        match &mut self.framing {
            Framing::Chunked(decoder) => match decoder.push(bytes, data) {
                Ok(progress) => Ok(progress != Progress::More),
                Err(error) => Err(invalid(error.0)),
            },
            Framing::Length(left) => {
                let length = (*left).min(bytes.len() as u64);
                *left -= length;
                data(&bytes[..length as usize]);
                Ok(*left == 0)
            }
            Framing::UntilClose => {
                data(bytes);
                Ok(false)
            }
        }
    }

    fn framing(&self) -> io::Result<Framing> {
        let codings: Vec<&[u8]> = self.fields("transfer-encoding").flat_map(list_members).collect();
        let lengths: Vec<&[u8]> = self.fields("content-length").collect();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(Framing::UntilClose),
            ([coding], _) if coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Framing::Chunked(ChunkDecoder::default()))
            }
            ([], [length]) if length.iter().all(u8::is_ascii_digit) => {
                let number = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
                number.map(Framing::Length).ok_or_else(|| invalid("content-length is not a number"))
            }
            ([], _) => Err(invalid("content-length is not one number")),
            _ => Err(invalid("the transfer coding is not chunked")),
        }
    }
}

/// Reads until the blank line; what comes after it stays in `bytes`.
fn read_head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut buffer = [0; READ];
    loop {
        if let Some(end) = bytes.windows(END.len()).position(|window| window == END) {
            let rest = bytes.split_off(end + END.len());
            return Ok(std::mem::replace(bytes, rest));
        }
        if bytes.len() > MAX_HEAD {
            return Err(invalid("the response's head is larger than 64 KiB"));
        }
        match read(stream, &mut buffer)? {
            0 if bytes.is_empty() => {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server sent nothing"))
            }
            0 => {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "the response's head ended in the middle",
                ))
            }
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4).
fn status_of(head: &[u8]) -> io::Result<u16> {
    let code = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..6));
    let code = code.filter(|code| matches!(code[3], b' ' | b'\r')).map(|code| &code[..3]);
    let code = code.filter(|code| code.iter().all(u8::is_ascii_digit));
    let code = code.and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| code.parse().ok());
    code.ok_or_else(|| invalid("the response is not HTTP/1.1"))
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
