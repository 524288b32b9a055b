//! Reads a request's head off the wire: a request line, then field lines (RFC 9112, sections 2, 5 and 6), fed in pieces
//! of any size, refused at the first line that breaks the grammar.
//!
//! Strict on purpose: where the RFC lets a recipient forgive (a lone LF as line end, an obs-fold), this one does not,
//! for its users test clients.

use super::field::{
    field_lines, field_name, field_value, field_values, is_field_octet, is_same, list_members, says_close,
    FieldLine, Names,
};
use super::request_line::{is_host, RequestLine, TARGET_TOO_LONG};
pub use super::request_line::{Version, MAX_TARGET};
use super::response::{RequestError, ResponseOptions, Status};
use super::Progress;

/// Octets of a whole head. Common servers allow 8 to 32 KiB; a client thread must not hold more.
pub const MAX_HEAD: usize = 16 * 1024;
/// Field lines in a head. Browsers send about 20.
pub const MAX_FIELD_LINES: usize = 100;
/// Octets of a body. No script needs more, and all of it is read before the answer.
pub const MAX_BODY: u64 = 1024 * 1024;

/// How the end of the request's body is marked (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// `Content-Length`, or 0 without any body; at most [`MAX_BODY`].
    Known(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A head that keeps the grammar and the limits. Its parts are read out of its bytes when asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    head: HeadBytes,
    line: RequestLine,
    /// How the end of the body that follows is marked.
    pub body: BodyLength,
}

impl Request {
    /// The method, such as `GET`. Methods are compared with regard to case (RFC 9110, section 9.1).
    pub fn method(&self) -> &str {
        std::str::from_utf8(&self.head.bytes[..self.line.method_end]).unwrap_or_default()
    }

    /// The version in the request line.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The path as it was sent, percent-encoded, without the query; `*` for `OPTIONS *`.
    pub fn path(&self) -> &[u8] {
        match &self.head.bytes[self.line.path.clone()] {
            b"" => b"/",
            path => path,
        }
    }

    /// The query as it was sent, without its `?`.
    pub fn query(&self) -> Option<&[u8]> {
        self.head.bytes[self.line.path.end..self.line.target.end].strip_prefix(b"?")
    }

    /// The request target as it was sent.
    pub fn target(&self) -> &[u8] {
        &self.head.bytes[self.line.target.clone()]
    }

    /// The field lines, in their order.
    pub fn field_lines(&self) -> impl Iterator<Item = FieldLine<'_>> {
        field_lines(&self.head.bytes)
    }

    /// The value of the first field line called `name`.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.head.value(name)
    }

    /// Whether the client waits for `100 Continue` before it sends its body (RFC 9110, section 10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.version() == Version::Http11 && self.field("expect").is_some()
    }
}

/// The bytes of a head so far, and which field names stand in them.
#[derive(Debug, Default, PartialEq, Eq)]
struct HeadBytes {
    bytes: Vec<u8>,
    names: Names,
}

impl HeadBytes {
    /// The value of the first field line called `name`.
    fn value(&self, name: &str) -> Option<&[u8]> {
        field_value(self.to_search(name), name)
    }

    /// The values of all of them.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        field_values(self.to_search(name), name)
    }

    /// What to search for this name: nothing, when it is not there.
    fn to_search(&self, name: &str) -> &[u8] {
        match self.names.may_hold(name) {
            true => &self.bytes,
            false => b"",
        }
    }
}

/// Collects a head out of pieces. Every line is checked when its end arrives, so a client that is wrong from the start
/// need not finish to be told.
#[derive(Debug, Default)]
pub struct HeadReader {
    head: HeadBytes,
    line_start: usize,
    line: Option<RequestLine>,
    field_lines: usize,
    /// The last octet was a CR, so an LF has to follow.
    after_cr: bool,
}

impl HeadReader {
    /// Whether nothing of a request has arrived yet.
    pub fn is_empty(&self) -> bool {
        self.head.bytes.is_empty()
    }

    /// What the answer has to mind, whether the request is accepted or refused.
    pub fn options(&self) -> ResponseOptions {
        let is_old = self.line.as_ref().map_or(false, |line| line.version == Version::Http10);
        ResponseOptions {
            cors: self.head.value("origin").is_some(),
            close: is_old || self.head.values("connection").any(says_close),
            head_only: self.head.bytes.starts_with(b"HEAD "),
        }
    }

    /// Takes the next bytes of the head.
    ///
    /// # Errors
    /// [`RequestError`] with 400, 414, 431, 501 or 505 as soon as the bytes so far can be no acceptable head.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, RequestError> {
        // A head that comes in one piece, as most do, then takes no more memory than it needs.
        if self.head.bytes.is_empty() {
            self.head.bytes.reserve_exact(bytes.len());
        }
        let (mut used, mut checked) = (0, 0);
        while let Some(plain) = self.next_to_check(&bytes[checked..]) {
            let at = checked + plain;
            checked = at + 1;
            if let Err(error) = self.check_octet(bytes[at]) {
                self.take_unfinished(&bytes[used..at]);
                return Err(if self.is_full() { self.too_large() } else { error });
            }
            if bytes[at] == b'\n' {
                self.head.bytes.extend_from_slice(&bytes[used..checked]);
                used = checked;
                if self.head.bytes.len() > MAX_HEAD {
                    return Err(self.too_large());
                }
                if self.end_line()? {
                    return Ok(Progress::Done(used));
                }
            }
        }
        self.take_unfinished(&bytes[used..]);
        match self.is_full() {
            true => Err(self.too_large()),
            false => Ok(Progress::More),
        }
    }

    /// Whether there is no room for the end of the head any more.
    fn is_full(&self) -> bool {
        self.head.bytes.len() >= MAX_HEAD
    }

    /// Takes the beginning of a line. If it will be refused, the answer has to mind it all the same.
    #[cold]
    fn take_unfinished(&mut self, bytes: &[u8]) {
        self.head.bytes.extend_from_slice(bytes);
        let line = &self.head.bytes[self.line_start..];
        let colon = line.iter().position(|&byte| byte == b':').filter(|_| self.line.is_some());
        if let Some(colon) = colon {
            self.head.names.add(&line[..colon]);
        }
    }

    /// The request, once `push` said `Done`.
    ///
    /// # Errors
    /// [`RequestError`] with 400, 413, 417 or 501 when the field lines contradict each other, the version or the limits.
    pub fn finish(self) -> Result<Request, RequestError> {
        let line = self.line.ok_or(RequestError::bad("the request line is missing"))?;
        let request = Request { head: self.head, line, body: BodyLength::Known(0) };
        check_host(&request)?;
        check_expectation(&request)?;
        let body = body_length(&request)?;
        Ok(Request { body, ..request })
    }

    /// Where the next octet is that cannot simply stand in a line.
    fn next_to_check(&self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|&byte| self.after_cr || !is_field_octet(byte))
    }

    /// Checks an octet that cannot simply stand in a line: CR and LF come in pairs only, and of the other control bytes
    /// HTAB alone may appear.
    fn check_octet(&mut self, byte: u8) -> Result<(), RequestError> {
        let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match (after_cr, byte) {
            (true, b'\n') | (false, b'\r') => Ok(()),
            (false, b'\n') => Err(RequestError::bad("a line ends with LF alone; HTTP ends lines with CR LF")),
            (true, _) => Err(RequestError::bad("a CR is not followed by LF")),
            (false, _) => Err(RequestError::bad("a control byte in the head; is this TLS or HTTP/2?")),
        }
    }

    /// Checks the line that has just ended; `true` when it was the blank line that ends the head.
    fn end_line(&mut self) -> Result<bool, RequestError> {
        let line = &self.head.bytes[self.line_start..self.head.bytes.len() - 2];
        match (&self.line, line.is_empty()) {
            (Some(_), true) => return Ok(true),
            // RFC 9112, section 2.2: an empty line before the request line is to be ignored.
            (None, true) => self.head.bytes.clear(),
            (None, false) => self.line = Some(RequestLine::parse(line)?),
            (Some(_), false) => {
                self.head.names.add(field_name(line).map_err(RequestError::bad)?);
                self.count_field_line()?;
            }
        }
        self.line_start = self.head.bytes.len();
        Ok(false)
    }

    fn count_field_line(&mut self) -> Result<(), RequestError> {
        self.field_lines += 1;
        if self.field_lines > MAX_FIELD_LINES {
            return Err(RequestError::new(Status::FIELDS_TOO_LARGE, "more than 100 field lines"));
        }
        Ok(())
    }

    fn too_large(&self) -> RequestError {
        match self.line {
            None => TARGET_TOO_LONG,
            Some(_) => RequestError::new(Status::FIELDS_TOO_LARGE, "the head is larger than 16 KiB"),
        }
    }
}

/// `Host = uri-host [ ":" port ]` (RFC 9110, section 7.2), exactly one in HTTP/1.1.
fn check_host(request: &Request) -> Result<(), RequestError> {
    let mut hosts = request.head.values("host");
    match (hosts.next(), hosts.next(), request.version()) {
        (None, _, Version::Http11) => Err(RequestError::bad("the Host field line is missing")),
        (_, Some(_), _) => Err(RequestError::bad("more than one Host field line")),
        (Some(host), ..) if !is_host(host, 0) => Err(RequestError::bad("the Host field line holds no host")),
        _ => Ok(()),
    }
}

fn check_expectation(request: &Request) -> Result<(), RequestError> {
    match request.head.values("expect").all(|value| is_same(value, b"100-continue")) {
        true => Ok(()),
        false => {
            Err(RequestError::new(Status::EXPECTATION_FAILED, "the only expectation known is 100-continue"))
        }
    }
}

/// RFC 9112, section 6.3: which field line marks the end of the body. What could be read in two ways is refused.
fn body_length(request: &Request) -> Result<BodyLength, RequestError> {
    let has = |name| request.field(name).is_some();
    match (has("transfer-encoding"), has("content-length")) {
        (true, true) => Err(RequestError::bad("both Transfer-Encoding and Content-Length")),
        (true, false) => transfer_coding(request).map(|()| BodyLength::Chunked),
        (false, true) => content_length(request).map(BodyLength::Known),
        (false, false) => Ok(BodyLength::Known(0)),
    }
}

fn transfer_coding(request: &Request) -> Result<(), RequestError> {
    if request.version() == Version::Http10 {
        return Err(RequestError::bad("Transfer-Encoding in an HTTP/1.0 request"));
    }
    let codings: Vec<&[u8]> = request.head.values("transfer-encoding").flat_map(list_members).collect();
    if codings.iter().any(|coding| !is_same(coding, b"chunked")) {
        return Err(RequestError::new(Status::NOT_IMPLEMENTED, "the only transfer coding known is chunked"));
    }
    match codings.len() {
        1 => Ok(()),
        _ => Err(RequestError::bad("Transfer-Encoding has to name chunked once")),
    }
}

/// `Content-Length = 1*DIGIT` (RFC 9110, section 8.6), in one field line.
fn content_length(request: &Request) -> Result<u64, RequestError> {
    if request.head.values("content-length").count() > 1 {
        return Err(RequestError::bad("more than one Content-Length"));
    }
    let value = request.field("content-length").unwrap_or_default();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(RequestError::bad("Content-Length is not a number"));
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    match value.iter().fold(0, add) {
        length if length > MAX_BODY => Err(BODY_TOO_LARGE),
        length => Ok(length),
    }
}

/// The answer to a body of more than [`MAX_BODY`].
pub(crate) const BODY_TOO_LARGE: RequestError =
    RequestError::new(Status::CONTENT_TOO_LARGE, "the body is larger than 1 MiB");

#[cfg(test)]
mod tests;
