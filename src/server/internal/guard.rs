//! Refuses requests under `/-/` that a foreign web page may have sent.
//!
//! A browser sends requests from any page to any address, this machine's included, and names the page in `Origin`. A page
//! whose own name has been made to resolve to this machine (DNS rebinding) counts as ours there, but `Host` has that name.

use crate::http::request::Request;
use crate::http::status::{RequestError, Status};
use std::net::{IpAddr, Ipv6Addr};

const WRONG_HOST: RequestError = Status::FORBIDDEN.error(
    "under /-/ the Host field must be localhost, an IP address, or the HOST that the server was started with \
     (--allow-host NAME allows another name)",
);
const WRONG_ORIGIN: RequestError = Status::FORBIDDEN.error(
    "under /-/ an Origin field must be http:// and the value of Host, because other web pages may not use these paths \
     (send the request from a page of this server, or without Origin)",
);

/// Checks `Host` and `Origin`. `allowed` are names that the host may have besides `localhost`.
///
/// # Errors
/// 403, with a reason that names the field.
pub fn check(request: &Request, allowed: &[String]) -> Result<(), RequestError> {
    let authority = request.authority().unwrap_or_default();
    let authority = std::str::from_utf8(authority).unwrap_or_default();
    let host = host_of(authority);
    let is_allowed = |name: &str| host.eq_ignore_ascii_case(name);
    if !is_address(host) && !is_allowed("localhost") && !allowed.iter().any(|name| is_allowed(name)) {
        return Err(WRONG_HOST);
    }
    let own_origin = format!("http://{authority}");
    if request.fields("origin").all(|origin| origin.eq_ignore_ascii_case(own_origin.as_bytes())) {
        Ok(())
    } else {
        Err(WRONG_ORIGIN)
    }
}

/// The host without its port. An IPv6 address has brackets (RFC 3986, section 3.2.2).
fn host_of(authority: &str) -> &str {
    let without_port = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if authority.ends_with(']') {
        authority
    } else {
        without_port
    }
}

fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().map_or(false, |address| address.is_ipv4()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::HeadReader;

    /// The result for a request with this target and these fields, when `sse.test` is allowed.
    fn check_fields(target: &str, fields: &str) -> Result<(), RequestError> {
        let mut reader = HeadReader::default();
        reader.push(format!("GET {target} HTTP/1.0\r\n{fields}\r\n").as_bytes()).unwrap();
        check(&reader.finish().unwrap(), &["sse.test".to_owned()])
    }

    #[test]
    fn the_host_is_localhost_an_address_or_an_allowed_name() {
        for host in
            ["localhost", "LOCALHOST:80", "127.0.0.1", "10.0.0.7:8080", "[::1]", "[fe80::1]:80", "SSE.test:1"]
        {
            assert_eq!(check_fields("/-/a", &format!("Host: {host}\r\n")), Ok(()), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.test",
            "localhost.evil.test",
            "a.sse.test",
            "127.0.0.1.evil.test",
            "[::g]",
            "127.1",
        ] {
            assert_eq!(check_fields("/-/a", &format!("Host: {host}\r\n")), Err(WRONG_HOST), "{host}");
        }
        assert_eq!(check_fields("/-/a", ""), Err(WRONG_HOST));
    }

    #[test]
    fn the_host_of_a_target_that_is_a_url_replaces_the_field() {
        assert_eq!(check_fields("http://localhost/-/a", "Host: evil.test\r\n"), Ok(()));
        assert_eq!(check_fields("http://evil.test/-/a", "Host: localhost\r\n"), Err(WRONG_HOST));
    }

    #[test]
    fn the_origin_is_absent_or_the_servers() {
        let check_origin = |origins: &str| check_fields("/-/a", &format!("Host: localhost:80\r\n{origins}"));
        assert_eq!(check_origin("Origin: http://LocalHost:80\r\n"), Ok(()));
        for origin in [
            "",
            "null",
            "http://localhost",
            "http://localhost:81",
            "https://localhost:80",
            "http://localhost:80.evil.test",
            "http://localhost:80, http://evil.test",
        ] {
            assert_eq!(check_origin(&format!("Origin: {origin}\r\n")), Err(WRONG_ORIGIN), "{origin}");
        }
        let both = "Origin: http://localhost:80\r\nOrigin: http://evil.test\r\n";
        assert_eq!(check_origin(both), Err(WRONG_ORIGIN));
    }
}
