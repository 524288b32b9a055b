//! Builds the head of a response: `HTTP/1.1 200 OK` and its field lines (RFC 9112, section 4).
//!
//! ```text
//! status-line = HTTP-version SP status-code SP [ reason-phrase ]
//! field-line  = field-name ":" OWS field-value OWS
//! ```

use super::chunk::Framing;
use super::date::ImfFixdate;
use super::field::put_field_line;
use super::status::Status;
use std::fmt;
use std::io::Write;
use std::time::SystemTime;

/// Bytes to reserve for a head. Most heads are smaller, and `ChunkedWriter` gathers chunks in the rest of the buffer.
const USUAL_HEAD: usize = 320;

/// The head of a response, built line by line.
///
/// It is written without temporary strings: the allocator would keep their memory for each of thousands of threads.
#[derive(Debug)]
pub struct ResponseHead(Vec<u8>);

impl ResponseHead {
    /// A head that begins with this status line.
    pub fn new(status: Status, reason: &[u8]) -> ResponseHead {
        let mut head = ResponseHead(Vec::with_capacity(USUAL_HEAD));
        head.push(format_args!("HTTP/1.1 {} ", status.0));
        head.0.extend_from_slice(reason);
        head.0.extend_from_slice(b"\r\n");
        head
    }

    /// Adds a field line.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        put_field_line(&mut self.0, name, value);
    }

    /// Adds the field line that says how the body ends, unless the connection ends it (RFC 9112, section 6).
    pub fn framing(&mut self, framing: Framing) {
        match framing {
            Framing::Chunked => self.field("transfer-encoding", b"chunked"),
            Framing::Length(length) => self.push(format_args!("content-length: {length}\r\n")),
            Framing::Empty => self.field("content-length", b"0"),
            Framing::UntilClose => {}
        }
    }

    /// Adds the `date` field line with the current time (RFC 9110, section 6.6.1).
    pub fn date(&mut self) {
        self.push(format_args!("date: {}\r\n", ImfFixdate(SystemTime::now())));
    }

    /// Adds the field line that lets pages of any origin read the response, if the request has an `Origin` (WHATWG Fetch,
    /// section 3.3).
    pub fn cors(&mut self, options: ResponseOptions) {
        if options.cors {
            self.field("access-control-allow-origin", b"*");
        }
    }

    /// Adds `connection: close` if the connection is closed after the response (RFC 9112, section 9.6).
    pub fn connection(&mut self, close: bool) {
        if close {
            self.field("connection", b"close");
        }
    }

    /// Adds the empty line that ends the head.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\r\n");
        self.0
    }

    fn push(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a `Vec` never fails.
        let _ = self.0.write_fmt(text);
    }
}

/// The head of a response whose body is sent piece by piece, and what it says about the body and the connection.
#[derive(Debug)]
pub struct StreamHead {
    /// The whole head, including the empty line.
    pub bytes: Vec<u8>,
    /// How the end of the body is marked.
    pub framing: Framing,
    /// Whether the connection is closed after the body.
    pub close: bool,
}

/// What a request asks of every response to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseOptions {
    /// Whether the request has an `Origin`: a web page sent it.
    pub cors: bool,
    /// Whether the connection is closed after the response.
    pub close: bool,
    /// Whether the method is HEAD: only the head is sent (RFC 9110, section 9.3.2).
    pub head_only: bool,
}

/// Whether these bytes are whole interim responses, such as `103 Early Hints` (RFC 9110, section 15.2). `101 Switching
/// Protocols` is not one: no other response follows it.
pub fn is_interim_response(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_interim = |head: &str| {
        let status = head.strip_prefix("HTTP/1.1 ").unwrap_or_default().as_bytes();
        matches!(status, [b'1', b'0'..=b'9', b'0'..=b'9', b' ', ..]) && !status.starts_with(b"101")
    };
    text.strip_suffix("\r\n\r\n").map_or(false, |heads| heads.split("\r\n\r\n").all(is_interim))
}
