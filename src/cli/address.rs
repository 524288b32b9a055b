//! HOST and PORT: reads them from the arguments `HOST PORT`, `HOST:PORT`, or only one of the two.

use rust_sse_server::internals::{escape, parse_number};
use std::net::Ipv6Addr;
use std::path::Path;

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 8080;

/// What HOST can be, for messages.
pub const HOSTS: &str = "a name, or an address such as 127.0.0.1 or [::1]";
/// What PORT can be, for messages.
pub const PORTS: &str = "0 to 65535";

/// Where to listen.
#[derive(Debug, Default, PartialEq)]
pub struct Address {
    /// A name or an address; an IPv6 address has no brackets. `None` for the default.
    pub host: Option<String>,
    /// 0 for any free port; `None` for the default.
    pub port: Option<u16>,
}

/// An address as it is written.
#[derive(Default)]
struct Written<'a> {
    host: Option<&'a str>,
    port: Option<&'a str>,
}

impl Address {
    pub fn host(&self) -> &str {
        self.host.as_deref().unwrap_or(DEFAULT_HOST)
    }

    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// Sets what these arguments say.
    ///
    /// # Errors
    /// The argument that is invalid or superfluous.
    pub fn set(&mut self, arguments: &[impl AsRef<str>]) -> Result<(), String> {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let written = match arguments[..] {
            [] => Written::default(),
            [address] => split(address)?,
            [host, port] => Written { host: Some(host), port: Some(port) },
            [_, _, extra, ..] => return Err(unexpected(extra, "only HOST and PORT are expected")),
        };
        if let Some(host) = written.host {
            if self.host.is_some() {
                return Err(unexpected(host, "`--host` is given as well"));
            }
            let invalid = || format!("invalid host `{}` (expected {HOSTS})", escape(host));
            self.host = Some(parse_host(host).ok_or_else(invalid)?);
        }
        if let Some(port) = written.port {
            if self.port.is_some() {
                return Err(unexpected(port, "`--port` is given as well"));
            }
            let expected = format!("expected {PORTS}");
            let invalid = || format!("invalid port `{}` ({})", escape(port), way_out(port, &expected));
            self.port = Some(parse_port(port).ok_or_else(invalid)?);
        }
        Ok(())
    }
}

/// Splits `HOST:PORT`. A number alone is a port, and so is a number after a colon.
fn split(text: &str) -> Result<Written<'_>, String> {
    if let Some((_, rest)) = text.split_once("://") {
        let address = rest.split('/').next().unwrap_or_default();
        return Err(format!("invalid host `{}` (write `{}`)", escape(text), escape(address)));
    }
    if !text.is_empty() && is_number(text) {
        return Ok(Written { host: None, port: Some(text) });
    }
    // An IPv6 address contains colons itself, and has brackets when a port follows.
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            Ok(Written { host: Some(host).filter(|host| !host.is_empty()), port: Some(port) })
        }
        _ => Ok(Written { host: Some(text), port: None }),
    }
}

/// Reads a name, an IPv4 address, or an IPv6 address with or without brackets, which are removed.
pub fn parse_host(text: &str) -> Option<String> {
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = unbracketed.unwrap_or(text);
    let is_name = !is_number(text) && !text.contains(|c: char| c.is_whitespace() || "/:[]".contains(c));
    (is_name || address.parse::<Ipv6Addr>().is_ok()).then(|| address.to_owned())
}

pub fn parse_port(text: &str) -> Option<u16> {
    parse_number(text).and_then(|port| port.try_into().ok())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unexpected(argument: &str, reason: &str) -> String {
    format!("unexpected argument `{}` ({})", escape(argument), way_out(argument, reason))
}

/// How to serve the file of this name, if there is one. If not, `otherwise`.
pub fn way_out(argument: &str, otherwise: &str) -> String {
    if Path::new(argument).exists() {
        format!("to serve the file, write `--script {}`", escape(argument))
    } else {
        otherwise.to_owned()
    }
}
