//! Puts a response's head on the wire, `HTTP/1.1 200 OK` and its field lines (RFC 9112, section 4), and the answers
//! that are no stream: refusals, lists of what there is, preflights.

use super::chunk::Framing;
use super::date::imf_fixdate;
use super::field::{is_token, list_members, put_field_line};
use std::time::SystemTime;

/// `status-code` (RFC 9110, section 15): 200 to 999 here, for nothing below is an answer in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// 200
    pub const OK: Status = Status(200);
    /// 204
    pub const NO_CONTENT: Status = Status(204);
    /// 304
    pub const NOT_MODIFIED: Status = Status(304);
    /// 400
    pub const BAD_REQUEST: Status = Status(400);
    /// 404
    pub const NOT_FOUND: Status = Status(404);
    /// 405
    pub const METHOD_NOT_ALLOWED: Status = Status(405);
    /// 408
    pub const REQUEST_TIMEOUT: Status = Status(408);
    /// 413
    pub const CONTENT_TOO_LARGE: Status = Status(413);
    /// 414
    pub const URI_TOO_LONG: Status = Status(414);
    /// 417
    pub const EXPECTATION_FAILED: Status = Status(417);
    /// 431
    pub const FIELDS_TOO_LARGE: Status = Status(431);
    /// 501
    pub const NOT_IMPLEMENTED: Status = Status(501);
    /// 503
    pub const SERVICE_UNAVAILABLE: Status = Status(503);
    /// 505
    pub const VERSION_NOT_SUPPORTED: Status = Status(505);

    /// The reason phrase of RFC 9110 and RFC 6585; empty for a code they do not name.
    pub fn reason(self) -> &'static str {
        match self.0 {
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            203 => "Non-Authoritative Information",
            204 => "No Content",
            205 => "Reset Content",
            206 => "Partial Content",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Found",
            303 => "See Other",
            304 => "Not Modified",
            307 => "Temporary Redirect",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            409 => "Conflict",
            410 => "Gone",
            411 => "Length Required",
            412 => "Precondition Failed",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            417 => "Expectation Failed",
            418 => "I'm a teapot",
            421 => "Misdirected Request",
            422 => "Unprocessable Content",
            425 => "Too Early",
            426 => "Upgrade Required",
            428 => "Precondition Required",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            451 => "Unavailable For Legal Reasons",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            511 => "Network Authentication Required",
            _ => "",
        }
    }

    /// Whether the status itself says that no body follows (RFC 9110, section 6.4.1).
    pub fn has_no_body(self) -> bool {
        matches!(self, Status::NO_CONTENT | Status::NOT_MODIFIED)
    }
}

/// A response head being written: a status line, field lines, and `end`.
#[derive(Debug)]
pub struct Head(Vec<u8>);

impl Head {
    /// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4).
    pub fn new(status: Status, reason: &[u8]) -> Head {
        let mut head = Head(Vec::with_capacity(320));
        let digit = |place: u16| b'0' + (status.0 / place % 10) as u8;
        for piece in [b"HTTP/1.1 ", &[digit(100), digit(10), digit(1), b' '][..], reason, b"\r\n"] {
            head.0.extend_from_slice(piece);
        }
        head
    }

    /// A field line.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        put_field_line(&mut self.0, name, value);
    }

    /// The field line that marks the end of the body, if one does (RFC 9112, section 6).
    pub fn framing(&mut self, framing: Framing) {
        match framing {
            Framing::Chunked => self.field("transfer-encoding", b"chunked"),
            Framing::Length(length) => self.field("content-length", length.to_string().as_bytes()),
            Framing::Empty => self.framing(Framing::Length(0)),
            Framing::UntilClose => {}
        }
    }

    /// The `date` field line with the present moment (RFC 9110, section 6.6.1).
    pub fn date(&mut self) {
        self.field("date", &imf_fixdate(SystemTime::now()));
    }

    /// Adds the blank line that ends the head.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\r\n");
        self.0
    }
}

/// What a request asked for beyond a path: the same few lines are added to every answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseOptions {
    /// It came with `Origin`: any page may read the answer (WHATWG Fetch, section 3.2).
    pub cors: bool,
    /// The connection ends after the answer.
    pub close: bool,
    /// It was a HEAD request: the head alone is sent (RFC 9110, section 9.3.2).
    pub head_only: bool,
}

impl ResponseOptions {
    /// Lets any page read the answer, if it was asked for by one.
    pub fn add_cors(self, head: &mut Head) {
        if self.cors {
            head.field("access-control-allow-origin", b"*");
        }
    }
}

/// Why a request gets no answer of its own. The words are ours alone: nothing of the request is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// 400 to 505.
    pub status: Status,
    /// A few words, for the body of the answer.
    pub why: &'static str,
}

impl RequestError {
    /// A error with this status for this reason.
    pub const fn new(status: Status, why: &'static str) -> RequestError {
        RequestError { status, why }
    }

    /// `400` for this reason.
    pub const fn bad(why: &'static str) -> RequestError {
        RequestError::new(Status::BAD_REQUEST, why)
    }
}

/// An answer that is no stream: short, complete, with a `content-length`.
#[derive(Debug)]
pub struct Answer {
    status: Status,
    /// Field lines of its own, each with its CR LF.
    fields: Vec<u8>,
    content_type: &'static str,
    text: String,
}

impl Answer {
    /// An answer in plain text; one without text is one without body.
    pub fn new(status: Status, text: &str) -> Answer {
        Answer {
            status,
            fields: Vec::new(),
            content_type: "text/plain; charset=utf-8",
            text: text.to_owned(),
        }
    }

    /// Says that the text is of another type than `text/plain`.
    pub fn of_type(mut self, content_type: &'static str) -> Answer {
        self.content_type = content_type;
        self
    }

    /// Says what was wrong with a request.
    pub fn error(error: &RequestError) -> Answer {
        let Status(code) = error.status;
        Answer::new(error.status, &format!("{code} {}: {}\n", error.status.reason(), error.why))
    }

    /// `404`, with the requests that would have been answered, each on a line.
    pub fn not_found(routes: &str) -> Answer {
        let text = format!("404 Not Found: nothing is served at this path, but at\n{routes}");
        Answer::new(Status::NOT_FOUND, &text)
    }

    /// `404` of a script none of whose parts answers the request.
    pub fn no_part() -> Answer {
        Answer::new(Status::NOT_FOUND, "404 Not Found: no @part of this script answers this request\n")
    }

    /// `400` to a request whose values make an answer that cannot be sent.
    pub fn bad_value(why: &str) -> Answer {
        Answer::new(Status::BAD_REQUEST, &format!("400 Bad Request: {why}\n"))
    }

    /// `405`, with the methods that would have been answered.
    pub fn method_not_allowed(methods: &[&str]) -> Answer {
        let allow = allow(methods);
        let text = format!("405 Method Not Allowed: this path answers {allow}\n");
        Answer::new(Status::METHOD_NOT_ALLOWED, &text).with("allow", allow.as_bytes())
    }

    /// `204`, which tells an EventSource to stop (WHATWG "Server-sent events", section 9.2.3).
    pub fn no_content() -> Answer {
        Answer::new(Status::NO_CONTENT, "").with("cache-control", b"no-cache")
    }

    /// `204` with the methods that would be answered.
    pub fn options(methods: &[&str]) -> Answer {
        Answer::new(Status::NO_CONTENT, "").with("allow", allow(methods).as_bytes())
    }

    /// `204` to a CORS preflight (WHATWG Fetch, section 3.2.2): every header that was asked for may be sent.
    pub fn preflight(methods: &[&str], asked_headers: Option<&[u8]>) -> Answer {
        let answer = Answer::options(methods).with("access-control-allow-methods", allow(methods).as_bytes());
        match asked_headers {
            Some(names) if list_members(names).all(is_token) => {
                answer.with("access-control-allow-headers", names)
            }
            _ => answer,
        }
    }

    /// Adds a field line.
    pub fn with(mut self, name: &str, value: &[u8]) -> Answer {
        put_field_line(&mut self.fields, name, value);
        self
    }

    /// The whole answer as bytes.
    pub fn to_bytes(&self, options: ResponseOptions) -> Vec<u8> {
        let mut head = Head::new(self.status, self.status.reason().as_bytes());
        if !self.status.has_no_body() {
            head.framing(Framing::Length(self.text.len() as u64));
        }
        if !self.text.is_empty() {
            head.field("content-type", self.content_type.as_bytes());
        }
        head.0.extend_from_slice(&self.fields);
        head.date();
        options.add_cors(&mut head);
        if options.close {
            head.field("connection", b"close");
        }
        let mut bytes = head.end();
        if !options.head_only {
            bytes.extend_from_slice(self.text.as_bytes());
        }
        bytes
    }
}

/// The value of `allow`: HEAD comes with GET, and OPTIONS with everything.
fn allow(methods: &[&str]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for &method in methods.iter().chain(&["OPTIONS"]) {
        let comes_along = if method == "GET" { "HEAD" } else { method };
        for method in [method, comes_along] {
            if !all.contains(&method) {
                all.push(method);
            }
        }
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_date(bytes: Vec<u8>) -> String {
        let text = String::from_utf8(bytes).unwrap();
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
    }

    #[test]
    fn an_answer_has_a_length_a_type_and_a_date() {
        let answer = Answer::error(&RequestError::new(Status::BAD_REQUEST, "no")).with("x", b"y");
        let bytes = answer.to_bytes(ResponseOptions::default());
        assert!(bytes.windows(8).any(|window| window == b"\r\ndate: "));
        assert_eq!(
            without_date(bytes),
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\
             content-type: text/plain; charset=utf-8\r\nx: y\r\n\r\n400 Bad Request: no\n"
        );
    }

    #[test]
    fn manners_add_their_field_lines_and_keep_the_body_back() {
        let options = ResponseOptions { cors: true, close: true, head_only: true };
        assert_eq!(
            without_date(Answer::new(Status::NOT_FOUND, "no").to_bytes(options)),
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\ncontent-type: text/plain; charset=utf-8\r\n\
             access-control-allow-origin: *\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn no_content_has_no_length() {
        let bytes = Answer::new(Status::NO_CONTENT, "").to_bytes(ResponseOptions::default());
        assert_eq!(without_date(bytes), "HTTP/1.1 204 No Content\r\n\r\n");
    }
}
