//! Writes the head of a response, `HTTP/1.1 200 OK` and its field lines (RFC 9112, section 4), and whole responses that
//! are not streams.
//!
//! ```text
//! status-line = HTTP-version SP status-code SP [ reason-phrase ]
//! field-line  = field-name ":" OWS field-value OWS
//! ```

use super::chunk::Framing;
use super::date::ImfFixdate;
use super::field::put_field_line;
use super::status::{RequestError, Status};
use std::fmt;
use std::io::Write;
use std::time::SystemTime;

/// Bytes to reserve for a head: most heads are smaller, and the body is gathered in the same buffer later.
const USUAL_HEAD: usize = 320;

/// The head of a response. Every response begins with one of these.
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
        head.push(format_args!("\r\n"));
        head
    }

    /// Adds a field line.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        put_field_line(&mut self.0, name, value);
    }

    /// Adds the field line that marks the end of the body, if one does (RFC 9112, section 6).
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

    /// Lets the script of any web page read the response, if one asked for it (WHATWG Fetch, section 3.2).
    pub fn cors(&mut self, options: ResponseOptions) {
        if options.cors {
            self.field("access-control-allow-origin", b"*");
        }
    }

    /// Adds the empty line that ends the head.
    pub fn finish(mut self) -> Vec<u8> {
        self.push(format_args!("\r\n"));
        self.0
    }

    fn push(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a `Vec` never fails.
        let _ = self.0.write_fmt(text);
    }
}

/// The head of a stream, and what follows from it.
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
    /// The request has an `Origin`: the script of a web page sent it.
    pub cors: bool,
    /// The connection is closed after the response.
    pub close: bool,
    /// The method is HEAD: only the head is sent (RFC 9110, section 9.3.2).
    pub head_only: bool,
}

/// A response that is not a stream: short and complete, with a `content-length`.
#[derive(Debug)]
pub struct Response {
    status: Status,
    fields: Vec<(&'static str, Vec<u8>)>,
    content_type: &'static str,
    body: String,
}

impl Response {
    /// A response in plain text. Without text it has no body.
    pub fn new(status: Status, body: impl Into<String>) -> Response {
        Response { status, fields: Vec::new(), content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// The response to a request that cannot be accepted: the status and the reason in one line.
    pub fn error(error: &RequestError) -> Response {
        let Status(code) = error.status;
        Response::new(error.status, format!("{code} {}: {}\n", error.status.reason(), error.reason))
    }

    /// Sets another content type.
    pub fn content_type(mut self, content_type: &'static str) -> Response {
        self.content_type = content_type;
        self
    }

    /// Adds a field line.
    pub fn field(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Response {
        self.fields.push((name, value.into()));
        self
    }

    /// The whole response.
    pub fn to_bytes(&self, options: ResponseOptions) -> Vec<u8> {
        let mut head = ResponseHead::new(self.status, self.status.reason().as_bytes());
        if !self.status.has_no_body() {
            head.framing(Framing::Length(self.body.len() as u64));
        }
        if !self.body.is_empty() {
            head.field("content-type", self.content_type.as_bytes());
        }
        for (name, value) in &self.fields {
            head.field(name, value);
        }
        head.date();
        head.cors(options);
        if options.close {
            head.field("connection", b"close");
        }
        let mut bytes = head.finish();
        if !options.head_only {
            bytes.extend_from_slice(self.body.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_date(bytes: Vec<u8>) -> String {
        let text = String::from_utf8(bytes).unwrap();
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
    }

    #[test]
    fn a_response_has_a_length_a_type_and_a_date() {
        let response = Response::error(&Status::BAD_REQUEST.error("no")).field("x", *b"y");
        let bytes = response.to_bytes(ResponseOptions::default());
        assert!(bytes.windows(8).any(|window| window == b"\r\ndate: "));
        assert_eq!(
            without_date(bytes),
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\
             content-type: text/plain; charset=utf-8\r\nx: y\r\n\r\n400 Bad Request: no\n"
        );
    }

    #[test]
    fn options_add_their_field_lines_and_remove_the_body() {
        let options = ResponseOptions { cors: true, close: true, head_only: true };
        assert_eq!(
            without_date(Response::new(Status::NOT_FOUND, "no").to_bytes(options)),
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\ncontent-type: text/plain; charset=utf-8\r\n\
             access-control-allow-origin: *\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn no_content_has_no_length() {
        let bytes = Response::new(Status::NO_CONTENT, "").to_bytes(ResponseOptions::default());
        assert_eq!(without_date(bytes), "HTTP/1.1 204 No Content\r\n\r\n");
    }
}
