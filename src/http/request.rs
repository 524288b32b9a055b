//! Reads the head of a request: a request line, field lines, and an empty line (RFC 9112, sections 2 to 5).
//!
//! ```text
//! HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
//! ```
//!
//! The head arrives in pieces of any size, and each line is checked as soon as it is complete. The reader is strict on
//! purpose: where the RFC allows a recipient to be lenient (a lone LF as the line end, a folded field line), this one is
//! not, because its users test clients.
//!
//! `request/parts.rs` finds the parts of a complete head, such as its path.

mod parts;

use super::body::BodyLength;
use super::field::{field_name, field_value, field_values, is_field_value, is_received_value, says_close};
pub use super::request_line::Version;
use super::request_line::{is_host, RequestLine, TARGET_TOO_LONG};
use super::response::ResponseOptions;
use super::status::{bad_request, RequestError, Status};
use super::Progress;
pub use parts::Request;

/// The most bytes in a head. Common servers allow 8 to 32 KiB; this bounds the memory that one client can take.
pub const MAX_HEAD: usize = 16 * 1024;
/// The most field lines in a head. Browsers send about 20.
pub const MAX_FIELD_LINES: usize = 100;

/// Collects a head from pieces. An invalid line is reported when it ends, and an invalid byte at once, because a client
/// that speaks TLS may never end a line.
#[derive(Debug, Default)]
pub struct HeadReader {
    head: Vec<u8>,
    /// The request line, once it is complete.
    request_line: Option<RequestLine>,
    field_line_count: usize,
    /// Where the unfinished line begins.
    line_start: usize,
}

impl HeadReader {
    /// Takes the next bytes of the head.
    ///
    /// # Errors
    /// 400, 414, 431, 501 or 505 as soon as the bytes so far cannot begin an acceptable head.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, RequestError> {
        // Nearly every head arrives in one piece, so this is its only allocation.
        self.head.reserve(bytes.len());
        let mut used = 0;
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.head.extend_from_slice(piece);
            used += piece.len();
            if piece.ends_with(b"\n") && self.end_line()? {
                return Ok(Progress::Done(used));
            }
        }
        self.check_line(self.head.len())?;
        // The end of the head needs at least one more byte.
        if self.head.len() >= MAX_HEAD {
            return Err(self.too_large());
        }
        Ok(Progress::More)
    }

    /// Checks the line that has just ended. Returns whether it was the empty line that ends the head.
    fn end_line(&mut self) -> Result<bool, RequestError> {
        let end = self.head.len() - 1;
        self.check_line(end)?;
        if self.head.len() > MAX_HEAD {
            return Err(self.too_large());
        }
        let line = self.head[self.line_start..end].strip_suffix(b"\r").ok_or(LF_ALONE)?;
        if self.request_line.is_some() {
            if line.is_empty() {
                return Ok(true);
            }
            field_name(line).map_err(bad_request)?;
            self.count_field_line()?;
        } else if line.is_empty() {
            // An empty line before the request line is ignored (RFC 9112, section 2.2).
            self.head.clear();
        } else {
            self.request_line = Some(RequestLine::parse(line)?);
        }
        self.line_start = self.head.len();
        Ok(false)
    }

    /// Checks the bytes of the current line up to `end`, but none beyond the limit, so that the error does not depend on how
    /// the head was cut into pieces.
    fn check_line(&self, end: usize) -> Result<(), RequestError> {
        let line = self.head.get(self.line_start..end.min(MAX_HEAD - 1)).unwrap_or_default();
        check_bytes(line, self.request_line.is_some())
    }

    fn count_field_line(&mut self) -> Result<(), RequestError> {
        self.field_line_count += 1;
        if self.field_line_count > MAX_FIELD_LINES {
            return Err(Status::REQUEST_HEADER_FIELDS_TOO_LARGE.error("more than 100 field lines"));
        }
        Ok(())
    }

    fn too_large(&self) -> RequestError {
        if self.request_line.is_none() {
            return TARGET_TOO_LONG;
        }
        Status::REQUEST_HEADER_FIELDS_TOO_LARGE.error("the head is larger than 16 KiB")
    }

    /// The request, once `push` has returned `Done`. Checks what needs the whole head.
    ///
    /// # Errors
    /// 400, 413, 417 or 501 if the field lines contradict each other or the version, or ask for more than this server does.
    pub fn finish(&mut self) -> Result<Request, RequestError> {
        let line = self.request_line.clone().ok_or(bad_request("the request line is missing"))?;
        check_host(&self.head, line.version)?;
        check_expectation(&self.head)?;
        let body = BodyLength::of(&self.head, line.version)?;
        Ok(Request { head: std::mem::take(&mut self.head), line, body })
    }

    /// Whether no byte of a request has arrived.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// The path; empty before the request line is complete.
    pub fn path(&self) -> &[u8] {
        self.request_line.as_ref().map_or(b"", |line| &self.head[line.path.clone()])
    }

    /// The request as far as it has arrived, without an invalid or incomplete line; `None` until its request line is complete.
    pub fn received(&self) -> Option<Request> {
        let head = self.head[..self.line_start].to_vec();
        Some(Request { head, line: self.request_line.clone()?, body: BodyLength::Known(0) })
    }

    /// What the response must respect, whether the request is accepted or not.
    pub fn response_options(&self) -> ResponseOptions {
        let is_http_1_0 = self.request_line.as_ref().map_or(false, |line| line.version == Version::Http10);
        ResponseOptions {
            cors: field_value(&self.head, "origin").is_some(),
            close: is_http_1_0 || field_values(&self.head, "connection").any(says_close),
            head_only: self.head.starts_with(b"HEAD "),
        }
    }
}

/// Whether a line, without its CR LF, is a request line that [`HeadReader`] accepts.
pub fn is_request_line(line: &[u8]) -> bool {
    RequestLine::parse(line).is_ok()
}

const LF_ALONE: RequestError = bad_request("a line ends with LF alone; HTTP ends lines with CR LF");

/// Checks a line, or the beginning of one, with or without its final CR. The first invalid byte decides the error, however
/// the line was cut into pieces. In a request line, HTAB passes here, and [`RequestLine::parse`] rejects it.
fn check_bytes(line: &[u8], is_field_line: bool) -> Result<(), RequestError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_valid = if is_field_line { is_received_value } else { is_field_value };
    match line.iter().find(|byte| !is_valid(&[**byte])) {
        None => Ok(()),
        Some(b'\r') => Err(bad_request("a CR is not followed by LF")),
        Some(_) if is_field_line => Err(bad_request("a NUL in a field line")),
        Some(_) => Err(bad_request("a control byte in the request line; is this TLS?")),
    }
}

/// `Host = uri-host [ ":" port ]` (RFC 9110, section 7.2): exactly one in HTTP/1.1.
fn check_host(head: &[u8], version: Version) -> Result<(), RequestError> {
    let mut hosts = field_values(head, "host");
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http11 => Err(bad_request("the Host field line is missing")),
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err(bad_request("more than one Host field line")),
        (Some(host), None) if is_host(host, 0) => Ok(()),
        (Some(_), None) => Err(bad_request("the value of the Host field line is not a host")),
    }
}

fn check_expectation(head: &[u8]) -> Result<(), RequestError> {
    if field_values(head, "expect").all(|value| value.eq_ignore_ascii_case(b"100-continue")) {
        return Ok(());
    }
    Err(Status::EXPECTATION_FAILED.error("the only expectation supported is 100-continue"))
}

#[cfg(test)]
mod tests;
