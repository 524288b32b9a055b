//! Decides where a client connects, what it writes into the request line and `Host`, and where a `location` leads: the
//! part of a URL that plain HTTP needs (RFC 3986).

use std::fmt;

/// An `http` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// A name or an address, an IPv6 address without its brackets.
    pub host: String,
    /// 80 unless the URL names another.
    pub port: u16,
    /// Path and query, percent-encoded where it has to be.
    pub target: String,
}

/// Why a text is no URL that can be fetched here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

impl HttpUrl {
    /// Reads `http://host[:port][/path][?query][#fragment]`; the fragment is dropped.
    ///
    /// # Errors
    /// The scheme is not `http`, the host is missing, the port is no number, or a user name stands before the host.
    pub fn parse(text: &str) -> Result<HttpUrl, UrlError> {
        let wrong = |why: &str| UrlError(format!("{text:?}: {why}"));
        let scheme_length = "http://".len();
        let (scheme, rest) = match text.get(..scheme_length) {
            Some(scheme) => (scheme, &text[scheme_length..]),
            None => ("", text),
        };
        if !scheme.eq_ignore_ascii_case("http://") {
            return Err(wrong("only http:// URLs can be fetched without TLS"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(|c| "/?".contains(c)).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) =
            split_port(authority).ok_or_else(|| wrong("the port is no number from 0 to 65535"))?;
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        if host.contains('@') || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong("the host is no name or address"));
        }
        Ok(HttpUrl { host: host.to_owned(), port, target: encode_target(target) })
    }

    /// Where a `location` field leads from here (RFC 3986, section 5.2).
    ///
    /// # Errors
    /// As [`HttpUrl::parse`].
    pub fn join(&self, reference: &str) -> Result<HttpUrl, UrlError> {
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

    /// The value of `Host`, which names the port only when it is not 80.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            80 => host,
            port => format!("{host}:{port}"),
        }
    }
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, 80)),
        Some("") => Some((host, 80)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, digits.parse().ok()?))
        }
        _ => None,
    }
}

fn has_scheme(reference: &str) -> bool {
    let end = reference.find(|c| "/?:".contains(c));
    end.map_or(false, |end| end > 0 && reference[end..].starts_with(':'))
}

/// Makes a path begin with `/` and encodes what cannot stand in a request line.
fn encode_target(target: &str) -> String {
    let mut encoded = String::from(if target.starts_with('/') { "" } else { "/" });
    for byte in target.bytes() {
        match byte {
            _ if byte.is_ascii_graphic() => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Resolves `.` and `..` in a path (RFC 3986, section 5.2.4); a query is left alone.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/').skip(1) {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let slash = if ends_open && !segments.is_empty() { "/" } else { "" };
    let path = format!("/{}{slash}", segments.join("/"));
    format!("{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        let url = HttpUrl::parse(text).unwrap();
        format!("{}|{}|{}", url.host, url.port, url.target)
    }

    #[test]
    fn takes_urls_apart() {
        assert_eq!(url("http://localhost:8080/events"), "localhost|8080|/events");
        assert_eq!(url("HTTP://h"), "h|80|/");
        assert_eq!(url("http://h?a=b#c"), "h|80|/?a=b");
        assert_eq!(url("http://[::1]:81/a b/\u{e9}"), "::1|81|/a%20b/%C3%A9");
        assert_eq!(HttpUrl::parse("http://[::1]:81/").unwrap().authority(), "[::1]:81");
        assert_eq!(HttpUrl::parse("http://h:80/").unwrap().authority(), "h");
    }

    #[test]
    fn refuses_what_it_cannot_fetch() {
        for text in [
            "",
            "/events",
            "https://h/",
            "http://",
            "http://:80/",
            "http://h:x/",
            "http://h:70000/",
            "http://u@h/",
        ] {
            assert!(HttpUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_leads_on_from_where_it_was_found() {
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
