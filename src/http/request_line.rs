//! Parses the first line of a request: `GET /events HTTP/1.1` (RFC 9112, section 3).

use super::field::is_token;
use super::status::{bad_request, RequestError, Status};
use std::ops::Range;

/// Bytes in a request target. RFC 9112, section 3, recommends supporting at least 8,000.
const MAX_TARGET: usize = 8 * 1024;

/// `HTTP-version` (RFC 9112, section 2.3), as far as it changes the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `HTTP/1.0`, which has neither chunks nor persistent connections.
    Http10,
    /// `HTTP/1.1` and any later 1.x.
    Http11,
}

/// The error for a target of more than [`MAX_TARGET`] bytes.
pub(super) const TARGET_TOO_LONG: RequestError =
    Status::URI_TOO_LONG.error("the request target is longer than 8 KiB");

/// `request-line = method SP request-target SP HTTP-version` (RFC 9112, section 3): where its parts are in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    pub method_end: usize,
    pub target: Range<usize>,
    pub path: Range<usize>,
    pub version: Version,
}

impl RequestLine {
    pub fn parse(line: &[u8]) -> Result<RequestLine, RequestError> {
        let mut parts = line.split(|&byte| byte == b' ');
        let (method, target, version) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(target), Some(version), None) => (method, target, version),
            _ => return Err(bad_request("the request line is not METHOD SP TARGET SP HTTP-VERSION")),
        };
        if !is_token(method) {
            return Err(bad_request("the method is not a token"));
        }
        if target.len() > MAX_TARGET {
            return Err(TARGET_TOO_LONG);
        }
        let version = parse_version(version)?;
        let path = path_of(method, target)?;
        let start = method.len() + 1;
        Ok(RequestLine {
            method_end: method.len(),
            target: start..start + target.len(),
            path: start + path.start..start + path.end,
            version,
        })
    }
}

/// `HTTP-version = "HTTP" "/" DIGIT "." DIGIT` (RFC 9112, section 2.3).
fn parse_version(version: &[u8]) -> Result<Version, RequestError> {
    match version {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Status::HTTP_VERSION_NOT_SUPPORTED.error("this server supports HTTP/1.0 and HTTP/1.1"))
        }
        _ => Err(bad_request("the version is not HTTP/1.0 or HTTP/1.1")),
    }
}

/// Where the path is in a target of origin-form, absolute-form or asterisk-form (RFC 9112, section 3.2).
fn path_of(method: &[u8], target: &[u8]) -> Result<Range<usize>, RequestError> {
    if method == b"CONNECT" {
        return Err(Status::NOT_IMPLEMENTED.error("CONNECT is for proxies, and this is not a proxy"));
    }
    if !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
        return Err(bad_request("the target contains a byte that must be percent-encoded"));
    }
    if target == b"*" && method == b"OPTIONS" {
        return Ok(0..1);
    }
    let start = match authority_of(target) {
        Some(authority) if is_host(&target[authority.clone()], 1) => authority.end,
        None if target.starts_with(b"/") => 0,
        _ => return Err(bad_request("the target is neither a path nor an absolute http URL")),
    };
    let length = target[start..].iter().take_while(|&&byte| byte != b'?').count();
    Ok(start..start + length)
}

/// Where the authority is in `http://authority/path`; `None` when the target has another form.
pub(super) fn authority_of(target: &[u8]) -> Option<Range<usize>> {
    let start = ["http://", "https://"].iter().find_map(|scheme| {
        let candidate = target.get(..scheme.len())?;
        candidate.eq_ignore_ascii_case(scheme.as_bytes()).then_some(scheme.len())
    })?;
    let length = target[start..].iter().take_while(|byte| !b"/?".contains(byte)).count();
    Some(start..start + length)
}

/// `uri-host [ ":" port ]` with a host of at least `min` bytes (RFC 3986, sections 3.2.2 and 3.2.3).
pub(super) fn is_host(value: &[u8], min: usize) -> bool {
    let is_digits = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
    if value.starts_with(b"[") {
        let end = value.iter().position(|&byte| byte == b']').unwrap_or(0);
        let inside = value.get(1..end).unwrap_or_default();
        let rest = &value[end..];
        let is_address = inside.iter().all(|b| b.is_ascii_alphanumeric() || b":.".contains(b));
        return !inside.is_empty()
            && is_address
            && (rest == b"]" || rest.starts_with(b"]:") && is_digits(&rest[2..]));
    }
    let mut parts = value.splitn(2, |&byte| byte == b':');
    let host = parts.next().unwrap_or_default();
    let is_reg_name = host.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(b));
    host.len() >= min && is_reg_name && parts.next().map_or(true, is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_found_in_every_form_of_target() {
        let path = |line: &str| {
            let line = format!("{line} HTTP/1.1");
            let path = RequestLine::parse(line.as_bytes()).unwrap().path;
            line[path].to_owned()
        };
        assert_eq!(path("GET /"), "/");
        assert_eq!(path("GET /a%20b?c/d"), "/a%20b");
        assert_eq!(path("GET http://h:1/a?b"), "/a");
        assert_eq!(path("GET HTTP://[::1]:80/a"), "/a");
        assert_eq!(path("OPTIONS *"), "*");
    }

    #[test]
    fn rejects_what_the_grammar_forbids() {
        for (line, status) in [
            ("GET /", 400),
            ("GET  / HTTP/1.1", 400),
            (" GET / HTTP/1.1", 400),
            ("GET / HTTP/1.1 ", 400),
            ("G@T / HTTP/1.1", 400),
            ("GET events HTTP/1.1", 400),
            ("GET * HTTP/1.1", 400),
            ("GET /#a HTTP/1.1", 400),
            ("GET http:///a HTTP/1.1", 400),
            ("GET ftp://h/a HTTP/1.1", 400),
            ("GET / http/1.1", 400),
            ("GET / HTTP/1.1x", 400),
            ("GET / HTTP/11", 400),
            ("GET / HTTP/2.0", 505),
            ("PRI * HTTP/2.0", 505),
            ("CONNECT h:1 HTTP/1.1", 501),
        ] {
            let error = RequestLine::parse(line.as_bytes()).unwrap_err();
            assert_eq!(error.status, Status(status), "{line}");
        }
    }

    #[test]
    fn hosts_are_names_and_addresses_with_or_without_a_port() {
        for host in ["", "a", "a:80", "a:", "127.0.0.1", "[::1]", "[::1]:8080", "a-b_c.example"] {
            assert!(is_host(host.as_bytes(), 0), "{host}");
        }
        for host in ["a b", "a:b", "[::1", "[]", "[::1]x", "a/b", "a@b", "a,b:c"] {
            assert!(!is_host(host.as_bytes(), 0), "{host}");
        }
    }
}
