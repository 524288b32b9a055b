//! The parts of a request: where they are in its head.

use crate::http::body::BodyLength;
use crate::http::field::{field_lines, field_value, field_values, FieldLine};
use crate::http::request_line::{authority_of, RequestLine, Version};

/// A complete head that follows the grammar and keeps to the limits. Its parts are looked up in its bytes when needed.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) head: Vec<u8>,
    pub(super) line: RequestLine,
    /// How the end of the body is marked.
    pub body: BodyLength,
}

impl Request {
    /// The whole head, as the client sent it.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The method, such as `GET`. Methods are case-sensitive (RFC 9110, section 9.1).
    pub fn method(&self) -> &str {
        std::str::from_utf8(&self.head[..self.line.method_end]).unwrap_or_default()
    }

    /// The version in the request line.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The path as the client sent it: percent-encoded, without the query. `*` for `OPTIONS *`.
    pub fn path(&self) -> &[u8] {
        match &self.head[self.line.path.clone()] {
            // As in `GET http://127.0.0.1:8080 HTTP/1.1`.
            b"" => b"/",
            path => path,
        }
    }

    /// The query as the client sent it, without its `?`.
    pub fn query(&self) -> Option<&[u8]> {
        self.head[self.line.path.end..self.line.target.end].strip_prefix(b"?")
    }

    /// The request target as the client sent it.
    pub fn target(&self) -> &[u8] {
        &self.head[self.line.target.clone()]
    }

    /// The host, perhaps with a port, that the client wants to reach: the one in a target that is a whole URL, or else
    /// `Host` (RFC 9112, section 3.3).
    pub fn authority(&self) -> Option<&[u8]> {
        match authority_of(self.target()) {
            Some(authority) => Some(&self.target()[authority]),
            None => self.field("host"),
        }
    }

    /// The host that the client wants to reach, and the port, which is 80 if it names none.
    pub fn host_and_port(&self) -> Option<(&[u8], &[u8])> {
        let authority = self.authority()?;
        let digits = authority.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (host, port) = authority.split_at(authority.len() - digits);
        match host.strip_suffix(b":") {
            Some(host) if !port.is_empty() => Some((host, port)),
            _ => Some((authority, b"80")),
        }
    }

    /// The field lines in their order.
    pub fn field_lines(&self) -> impl Iterator<Item = FieldLine<'_>> {
        field_lines(&self.head)
    }

    /// The value of the first field line with this name, which is case-insensitive.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        field_value(&self.head, name)
    }

    /// The values of all field lines with this name, which is case-insensitive.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        field_values(&self.head, name)
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1). No other
    /// expectation gets past `HeadReader::finish`.
    pub fn expects_continue(&self) -> bool {
        self.version() == Version::Http11 && self.field("expect").is_some()
    }
}
