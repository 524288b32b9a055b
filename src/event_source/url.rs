//! Parses `http` URLs: where to connect, what to send as request target and `Host`, and where a `location` leads (the
//! parts of RFC 3986 that plain HTTP needs).

use crate::text::error::{Error, ErrorKind};
use crate::text::escape::escape;

/// An `http` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// A name or an address. An IPv6 address has no brackets.
    pub host: String,
    /// The port; 80 when the URL has none.
    pub port: u16,
    /// The request target: path and query, percent-encoded where necessary.
    pub target: String,
}

impl HttpUrl {
    /// Parses `http://host[:port][/path][?query][#fragment]`. The fragment is dropped.
    ///
    /// # Errors
    /// The scheme is not `http`, the host is missing or invalid, the port is not a number from 0 to 65535, or there is a
    /// user name before the host.
    pub fn parse(text: &str) -> Result<HttpUrl, Error> {
        HttpUrl::parse_parts(text).map_err(|reason| {
            Error::new(ErrorKind::InvalidArgument, format!("invalid URL `{}` ({reason})", escape(text)))
        })
    }

    fn parse_parts(text: &str) -> Result<HttpUrl, &'static str> {
        const SCHEME: &str = "http://";
        if !text.get(..SCHEME.len()).unwrap_or_default().eq_ignore_ascii_case(SCHEME) {
            let is_https = text.get(..8).unwrap_or_default().eq_ignore_ascii_case("https://");
            return Err(if is_https {
                "expected http://, as TLS is not supported"
            } else {
                "expected http:// at the beginning"
            });
        }
        let rest = text[SCHEME.len()..].split('#').next().unwrap_or_default();
        let end = rest.find(|c| "/?".contains(c)).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err("a user name in a URL is not supported");
        }
        let (host, port) = split_port(authority)?;
        if host.is_empty() {
            return Err("the host is missing");
        }
        if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("expected a host name or an address");
        }
        Ok(HttpUrl { host: host.to_owned(), port, target: encode_target(target) })
    }

    /// Whether both URLs have the same origin.
    pub fn has_same_origin(&self, other: &HttpUrl) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }

    /// Resolves a `location` field relative to this URL (RFC 3986, section 5.2).
    ///
    /// # Errors
    /// Those of [`HttpUrl::parse`].
    pub fn join(&self, reference: &str) -> Result<HttpUrl, Error> {
        let reference = reference.split('#').next().unwrap_or_default();
        if let Some(rest) = reference.strip_prefix("//") {
            return HttpUrl::parse(&format!("http://{rest}"));
        }
        if has_scheme(reference) {
            return HttpUrl::parse(reference);
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let directory = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        let target = match reference.chars().next() {
            None => self.target.clone(),
            Some('/') => without_dots(reference),
            Some('?') => format!("{path}{reference}"),
            Some(_) => without_dots(&format!("{directory}{reference}")),
        };
        Ok(HttpUrl { target: encode_target(&target), ..self.clone() })
    }

    /// The value of `Host`. It has a port only when that is not 80.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            80 => host,
            port => format!("{host}:{port}"),
        }
    }
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn split_port(authority: &str) -> Result<(&str, u16), &'static str> {
    const NOT_A_PORT: &str = "expected a port from 0 to 65535";
    const NO_BRACKETS: &str = "expected an IPv6 address in brackets, as in http://[::1]:8080/";
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(NO_BRACKETS)?,
        None if authority.matches(':').count() > 1 => return Err(NO_BRACKETS),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if port.is_empty() || port == ":" {
        return Ok((host, 80));
    }
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let port = digits.and_then(|digits| digits.parse().ok()).ok_or(NOT_A_PORT)?;
    Ok((host, port))
}

fn has_scheme(reference: &str) -> bool {
    let end = reference.find(|c| "/?:".contains(c));
    end.map_or(false, |end| end > 0 && reference[end..].starts_with(':'))
}

/// Adds a missing `/` at the start, and encodes what a request line must not contain.
fn encode_target(target: &str) -> String {
    let mut encoded = String::from(if target.starts_with('/') { "" } else { "/" });
    for byte in target.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

/// Resolves `.` and `..` in the path (RFC 3986, section 5.2.4), but not in the query.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_with_dots = false;
    for segment in path.split('/').skip(1) {
        ends_with_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let slash = if ends_with_dots && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}{query}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        let url = HttpUrl::parse(text).unwrap();
        format!("{}|{}|{}", url.host, url.port, url.target)
    }

    #[test]
    fn a_url_is_split_into_host_port_and_target() {
        assert_eq!(url("http://localhost:8080/events"), "localhost|8080|/events");
        assert_eq!(url("HTTP://h"), "h|80|/");
        assert_eq!(url("http://h?a=b#c"), "h|80|/?a=b");
        assert_eq!(url("http://[::1]:81/a b/\u{e9}"), "::1|81|/a%20b/%C3%A9");
        assert_eq!(HttpUrl::parse("http://[::1]:81/").unwrap().authority(), "[::1]:81");
        assert_eq!(HttpUrl::parse("http://h:80/").unwrap().authority(), "h");
    }

    #[test]
    fn other_texts_are_invalid_and_the_error_says_why() {
        for (text, reason) in [
            ("", "expected http:// at the beginning"),
            ("/events", "expected http:// at the beginning"),
            ("h:80/", "expected http:// at the beginning"),
            ("HTTPS://h/", "expected http://, as TLS is not supported"),
            ("https://h/", "expected http://, as TLS is not supported"),
            ("http://", "the host is missing"),
            ("http://:80/", "the host is missing"),
            ("http://h:x/", "expected a port from 0 to 65535"),
            ("http://h:70000/", "expected a port from 0 to 65535"),
            ("http://[::1]x/", "expected a port from 0 to 65535"),
            ("http://[::1/", "expected an IPv6 address in brackets, as in http://[::1]:8080/"),
            ("http://::1:80/", "expected an IPv6 address in brackets, as in http://[::1]:8080/"),
            ("http://u@h/", "a user name in a URL is not supported"),
            ("http://user:pass@h/", "a user name in a URL is not supported"),
            ("http://a b/", "expected a host name or an address"),
        ] {
            let error = HttpUrl::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert_eq!(error.to_string(), format!("invalid URL `{text}` ({reason})"));
        }
    }

    #[test]
    fn a_location_is_resolved_relative_to_its_url() {
        let base = HttpUrl::parse("http://h:81/a/b?q").unwrap();
        let join = |reference: &str| {
            let url = base.join(reference).unwrap();
            format!("{}:{}{}", url.host, url.port, url.target)
        };
        assert_eq!(join("http://x/y"), "x:80/y");
        assert_eq!(join("//x/y"), "x:80/y");
        assert_eq!(join("/y?z"), "h:81/y?z");
        assert_eq!(join("y"), "h:81/a/y");
        assert_eq!(join("../y"), "h:81/y");
        assert_eq!(join("/a//../b"), "h:81/a/b");
        assert_eq!(join("../.."), "h:81/");
        assert_eq!(join("."), "h:81/a/");
        assert_eq!(join("?z"), "h:81/a/b?z");
        assert_eq!(join(""), "h:81/a/b?q");
        assert!(base.join("https://x/").is_err());
    }
}
