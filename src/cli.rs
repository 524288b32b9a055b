//! Reads the command line: what to serve, where and how. All options are in one table, from which parsing, suggestions
//! and the text of `--help` come.

use self::Action::{Flag, Value};
use rust_sse_server::internals::{parse_size, suggest};
use rust_sse_server::Speed;
use std::ffi::{OsStr, OsString};
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 8080;
/// The largest value of `--max-body`. All bodies are kept in memory.
const MAX_MAX_BODY: u64 = 1 << 30;

/// What `--help` prints before the options.
const USAGE: &str = "\
A scripted Server-Sent-Events server: plays a script of events to every client.

Usage: rust_sse_server [OPTIONS] [HOST [PORT]]

Arguments:
  HOST  name or address to listen on [default: 127.0.0.1]; 0.0.0.0 or [::] for every address
  PORT  port to listen on [default: 8080]; 0 for any free one

Options:
";

/// What `--help` prints after the options.
const EXAMPLE: &str = "
Try it: curl -N http://127.0.0.1:8080/events, or open http://127.0.0.1:8080/ in a browser
";

/// The options, in the order of `--help`.
const TABLE: &[Row] = &[
    Row {
        usage: "--script FILE",
        action: Value(add_script),
        help: "serve FILE at /NAME (its name without .sse) beside the built-in scripts;\n\
               a stream captured with `curl -N URL > FILE` is a script; can be repeated",
    },
    Row {
        usage: "--speed N",
        action: Value(set_speed),
        help: "play N times as fast, 0.001 to 1000000; max does not wait at all",
    },
    Row { usage: "--seed N", action: Value(set_seed), help: "make random waits the same every time" },
    Row {
        usage: "--max-clients N",
        action: Value(set_max_clients),
        help: "serve at most N clients at a time [default: 1000]; further ones get 503",
    },
    Row {
        usage: "--max-body SIZE",
        action: Value(set_max_body),
        help: "accept request bodies of at most SIZE bytes, such as 64k or 20M [default: 1M]",
    },
    Row {
        usage: "--record FILE",
        action: Value(set_record),
        help: "append every request to FILE, as a line of JSON",
    },
    Row {
        usage: "--control",
        action: Flag(|options| options.control = true),
        help: "let clients control the server: GET /-/requests returns the requests so far,\n\
               POST /-/drop drops all streams, POST /-/stop stops the server",
    },
    Row {
        usage: "--allow-host NAME",
        action: Value(add_allowed_host),
        help: "answer requests under /-/ also if their Host is NAME, not only if it is\n\
               localhost, an IP address or HOST; can be repeated",
    },
    Row {
        usage: "--trace",
        action: Flag(|options| options.trace = true),
        help: "print every byte sent or received on stderr; for the page and paths under\n\
               /-/, a line for each response",
    },
    Row {
        usage: "--color WHEN",
        action: Value(set_color),
        help: "color the trace: always, never, or auto [default]: on a terminal,\n\
               unless NO_COLOR is set",
    },
    Row {
        usage: "--log",
        action: Flag(|options| options.log = true),
        help: "print a line for each request and one for the end of each response on stdout",
    },
    Row {
        usage: "--check",
        action: Flag(|options| options.command = Command::Check),
        help: "load the scripts, report every error, and exit with 0 or 1",
    },
    Row {
        usage: "--list",
        action: Flag(|options| options.command = Command::List),
        help: "list the scripts that are served, and exit",
    },
    Row { usage: "--help", action: Flag(|options| options.command = Command::Help), help: "print this" },
    Row {
        usage: "--version",
        action: Flag(|options| options.command = Command::Version),
        help: "print the version",
    },
];

/// An option.
struct Row {
    /// Its name and the placeholder of its value, as the text of `--help` shows them.
    usage: &'static str,
    action: Action,
    /// What it does, in lines for the text of `--help`.
    help: &'static str,
}

enum Action {
    /// The option takes no value.
    Flag(fn(&mut Options)),
    /// The option takes a value. The error says what was expected.
    Value(fn(&mut Options, &OsStr) -> Result<(), &'static str>),
}

impl Row {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }
}

/// What `--help` prints.
pub fn help() -> String {
    let width = TABLE.iter().map(|row| row.usage.len()).max().unwrap_or(0);
    let next_line = format!("\n  {:width$}  ", "");
    let mut text = USAGE.to_owned();
    for row in TABLE {
        text += &format!("  {:width$}  {}\n", row.usage, row.help.replace('\n', &next_line));
    }
    text + EXAMPLE
}

/// What the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// `--check`
    Check,
    /// `--list`
    List,
    /// Without any of these options.
    Serve,
}

/// What the command line says.
#[derive(Debug, PartialEq)]
pub struct Options {
    pub command: Command,
    /// A name or an address; an IPv6 address has no brackets.
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
    /// Files to serve beside the built-in scripts.
    pub scripts: Vec<PathBuf>,
    pub speed: Speed,
    /// The seed of random waits; `None` for a different one in every run.
    pub seed: Option<u64>,
    /// `None` for the server's default.
    pub max_clients: Option<usize>,
    /// In bytes; `None` for the server's default.
    pub max_body: Option<usize>,
    /// The file that requests are appended to.
    pub record: Option<PathBuf>,
    pub control: bool,
    /// Names of this machine that may be used for paths under `/-/`, besides `host`.
    pub allowed_hosts: Vec<String>,
    pub trace: bool,
    /// When the trace is colored.
    pub color: Color,
    pub log: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            command: Command::Serve,
            host: DEFAULT_HOST.to_owned(),
            port: DEFAULT_PORT,
            scripts: Vec::new(),
            speed: Speed::NORMAL,
            seed: None,
            max_clients: None,
            max_body: None,
            record: None,
            control: false,
            allowed_hosts: Vec::new(),
            trace: false,
            color: Color::Auto,
            log: false,
        }
    }
}

/// When the trace is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// The first argument that is unknown, incomplete or out of range.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    let mut positional = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text.starts_with('-') {
            apply(&text, &mut arguments, &mut options)?;
        } else {
            positional.push(text.into_owned());
        }
        // What follows these two is not even read.
        if matches!(options.command, Command::Help | Command::Version) {
            return Ok(options);
        }
    }
    set_address(&positional, &mut options)?;
    Ok(options)
}

/// Applies the option `--name`, `--name=value`, or `--name` with its value in the next argument.
fn apply(
    argument: &str,
    rest: &mut impl Iterator<Item = OsString>,
    options: &mut Options,
) -> Result<(), String> {
    let (name, inline) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(OsString::from(value))),
        None => (argument, None),
    };
    let row = find(name).ok_or_else(|| unknown_option(name))?;
    match row.action {
        Flag(_) if inline.is_some() => Err(format!("`{name}` takes no value")),
        Flag(set) => {
            set(options);
            Ok(())
        }
        Value(set) => {
            let next = || rest.next().filter(|next| !is_option(next));
            let value = inline.or_else(next).ok_or_else(|| format!("`{name}` needs a value"))?;
            set(options, &value).map_err(|expected| invalid_value(&value, name, expected))
        }
    }
}

fn find(name: &str) -> Option<&'static Row> {
    let name = match name {
        "-h" => "--help",
        "-V" => "--version",
        long => long,
    };
    TABLE.iter().find(|row| row.name() == name)
}

/// Whether an argument in the place of a value is the next option: then the value was forgotten.
fn is_option(argument: &OsStr) -> bool {
    TABLE.iter().any(|row| argument == row.name())
}

fn unknown_option(name: &str) -> String {
    let hint = match name {
        "--host" | "--port" | "-p" => {
            format!(" (HOST and PORT have no option name: write `{DEFAULT_HOST} {DEFAULT_PORT}`)")
        }
        _ => suggest::hint(name, TABLE.iter().map(|row| row.name())),
    };
    format!("unknown option `{}`{hint}", name.escape_debug())
}

fn invalid_value(value: &OsStr, name: &str, expected: &str) -> String {
    let value = value.to_string_lossy();
    format!("invalid value `{}` for `{name}` (expected {expected})", value.escape_debug())
}

fn add_script(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.scripts.push(value.into());
    Ok(())
}

fn set_speed(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let speed = value.to_str().and_then(|text| text.parse::<Speed>().ok());
    options.speed = speed.ok_or("0.001 to 1000000, or max")?;
    Ok(())
}

fn set_seed(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let seed = value.to_str().and_then(number);
    options.seed = Some(seed.ok_or("0 to 18446744073709551615")?);
    Ok(())
}

fn set_max_clients(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let max_clients = value.to_str().and_then(number).filter(|max_clients| *max_clients > 0);
    options.max_clients = Some(max_clients.ok_or("1 or more")?);
    Ok(())
}

fn set_max_body(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let size = parse_size(value.to_string_lossy().as_bytes(), MAX_MAX_BODY).ok();
    let size = size.and_then(|size| usize::try_from(size).ok());
    options.max_body = Some(size.ok_or("a number of bytes such as 512, 64k or 20M, at most 1024M")?);
    Ok(())
}

fn set_record(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.record = Some(value.into());
    Ok(())
}

fn add_allowed_host(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let is_name = |text: &&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let name = value.to_str().filter(is_name).ok_or("a name without a port, such as sse.example.com")?;
    options.allowed_hosts.push(name.to_owned());
    Ok(())
}

fn set_color(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.color = match value.to_str() {
        Some("auto") => Color::Auto,
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        _ => return Err("always, never or auto"),
    };
    Ok(())
}

/// Reads digits and nothing else: `parse` alone would also accept a `+` before them.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

/// Takes HOST and PORT from the arguments that are not options.
fn set_address(positional: &[String], options: &mut Options) -> Result<(), String> {
    if let Some(extra) = positional.get(2) {
        return Err(format!(
            "unexpected argument `{}` (only HOST and PORT are expected)",
            extra.escape_debug()
        ));
    }
    if let Some(host) = positional.first() {
        options.host = parse_host(host)?;
    }
    if let Some(port) = positional.get(1) {
        let invalid = || format!("invalid port `{}` (expected 0 to 65535)", port.escape_debug());
        options.port = number(port).ok_or_else(invalid)?;
    }
    Ok(())
}

/// Reads a name, an IPv4 address, or an IPv6 address with or without brackets, which are removed.
fn parse_host(text: &str) -> Result<String, String> {
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = unbracketed.unwrap_or(text);
    if address.parse::<Ipv6Addr>().is_ok() {
        return Ok(address.to_owned());
    }
    let shown = text.escape_debug();
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err(format!("invalid host `{shown}` (expected a name or an address such as localhost)"));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("invalid host `{shown}` (to choose a port, write `{DEFAULT_HOST} {shown}`)"));
    }
    if text.starts_with('[') || text.matches(':').count() > 1 {
        return Err(format!("invalid IPv6 address `{shown}` (expected an address such as [::1])"));
    }
    if let Some((host, port)) = text.split_once(':') {
        let host = if host.is_empty() { DEFAULT_HOST } else { host };
        let (host, port) = (host.escape_debug(), port.escape_debug());
        return Err(format!("`{shown}`: HOST and PORT are two arguments (write `{host} {port}`)"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
