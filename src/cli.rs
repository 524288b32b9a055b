//! Reads the command line: what to serve, where and how. All options are in one table, from which parsing, suggestions
//! and the text of `--help` come.

pub mod address;
pub mod scripts;

use self::Action::{Flag, Run, Value};
use address::Address;
use rust_sse_server::internals::{escape, parse_number, suggest};
use rust_sse_server::Speed;
use std::ffi::{OsStr, OsString};
use std::path::{is_separator, PathBuf};

/// What `--help` prints before the options.
const USAGE: &str = "\
A scripted Server-Sent-Events server: plays a script of events to every client.

Usage: rust_sse_server [OPTIONS] [HOST [PORT]] [FILE]...

Arguments:
  HOST  name or address to listen on [default: 127.0.0.1]; 0.0.0.0 or [::] for every address
  PORT  port to listen on [default: 8080]; 0 for any free one
  FILE  the same as --script FILE: an argument that ends in .sse or contains a slash, and every
        argument after --check or --list

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
               a stream captured with `curl -N URL > FILE` is a script; can be repeated;\n\
               for a folder, serve all *.sse in it; for -, serve standard input at /stdin",
    },
    Row { usage: "--host HOST", action: Value(set_host), help: "the same as the argument HOST" },
    Row { usage: "-p, --port PORT", action: Value(set_port), help: "the same as the argument PORT" },
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
        usage: "--journal FILE",
        action: Value(set_journal),
        help: "append every request to FILE, as a line of JSON; for -, print it on stdout",
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
        action: Run(Command::Check),
        help: "load the scripts, report every error, and exit with 0 or 1",
    },
    Row { usage: "--list", action: Run(Command::List), help: "list the scripts that are served, and exit" },
    Row { usage: "-h, --help", action: Run(Command::Help), help: "print this" },
    Row { usage: "-V, --version", action: Run(Command::Version), help: "print the version" },
];

/// An option.
struct Row {
    /// Its names and the placeholder of its value, as the text of `--help` shows them.
    usage: &'static str,
    action: Action,
    /// What it does, in lines for the text of `--help`.
    help: &'static str,
}

enum Action {
    /// The option takes no value.
    Flag(fn(&mut Options)),
    /// The option takes no value, and says what the program does.
    Run(Command),
    /// The option takes a value. The error says what was expected.
    Value(fn(&mut Options, &OsStr) -> Result<(), &'static str>),
}

impl Row {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.usage.split(&[',', ' '][..]).filter(|word| word.starts_with('-'))
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
    pub address: Address,
    /// Files to serve beside the built-in scripts: also folders, and `-` for standard input.
    pub scripts: Vec<PathBuf>,
    pub speed: Speed,
    /// The seed of random waits; `None` for a different one in every run.
    pub seed: Option<u64>,
    /// `None` for the server's default.
    pub max_clients: Option<usize>,
    /// The file that requests are appended to; `-` for stdout.
    pub journal: Option<PathBuf>,
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
            address: Address::default(),
            scripts: Vec::new(),
            speed: Speed::NORMAL,
            seed: None,
            max_clients: None,
            journal: None,
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

/// Reads the arguments that follow the program's name. When an option that has one value is repeated, the last one counts.
///
/// # Errors
/// The first argument that is unknown, incomplete or out of range.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    let mut positional = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--" {
            positional.extend(arguments.by_ref());
        } else if text.starts_with('-') && text != "-" {
            apply(&argument, &mut arguments, &mut options)?;
        } else {
            positional.push(argument);
        }
        // What follows these two is not even read.
        if matches!(options.command, Command::Help | Command::Version) {
            return Ok(options);
        }
    }
    let only_loads = matches!(options.command, Command::Check | Command::List);
    let (files, address): (Vec<_>, Vec<_>) =
        positional.into_iter().partition(|argument| only_loads || is_file_name(argument));
    options.scripts.extend(files.into_iter().map(PathBuf::from));
    let address: Vec<_> = address.iter().map(|argument| argument.to_string_lossy()).collect();
    options.address.set(&address)?;
    if options.command == Command::Check && options.scripts.is_empty() {
        return Err("`--check` needs a script (write `--check FILE`)".to_owned());
    }
    Ok(options)
}

/// Whether an argument cannot be meant as HOST or PORT. Its form decides, and not which files there are: a file can be
/// called `localhost`.
fn is_file_name(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    text == "-" || text.ends_with(".sse") || (text.contains(is_separator) && !text.contains("://"))
}

/// Applies the option `--name`, `--name=value`, or `--name` with its value in the next argument.
fn apply(
    argument: &OsStr,
    rest: &mut impl Iterator<Item = OsString>,
    options: &mut Options,
) -> Result<(), String> {
    let text = argument.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    let inline = after_equals_sign(argument);
    let row = find(name).ok_or_else(|| unknown_option(name))?;
    match row.action {
        Flag(_) | Run(_) if inline.is_some() => return Err(format!("`{name}` takes no value")),
        Flag(set) => set(options),
        Run(command) => set_command(options, command)?,
        Value(set) => {
            let next = || rest.next().filter(|next| next != "--" && find(&next.to_string_lossy()).is_none());
            let value = inline.or_else(next).ok_or_else(|| format!("`{name}` needs a value"))?;
            set(options, &value).map_err(|expected| invalid_value(&value, name, expected))?;
        }
    }
    Ok(())
}

/// What follows the first equals sign. On Unix, a file name can contain bytes that are not UTF-8, which are kept.
#[cfg(unix)]
fn after_equals_sign(argument: &OsStr) -> Option<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let mut parts = argument.as_bytes().splitn(2, |&byte| byte == b'=');
    parts.nth(1).map(|value| OsStr::from_bytes(value).to_owned())
}

#[cfg(not(unix))]
fn after_equals_sign(argument: &OsStr) -> Option<OsString> {
    argument.to_string_lossy().split_once('=').map(|(_, value)| value.into())
}

fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.names().any(|other| other == name))
}

fn unknown_option(name: &str) -> String {
    let hint = match name {
        "--record" => " (it is called `--journal` now)".to_owned(),
        _ => suggest::hint(name, TABLE.iter().filter_map(|row| row.names().last())),
    };
    format!("unknown option `{}`{hint}", escape(name))
}

fn invalid_value(value: &OsStr, name: &str, expected: &str) -> String {
    format!("invalid value `{}` for `{name}` (expected {expected})", escape(&*value.to_string_lossy()))
}

fn set_command(options: &mut Options, command: Command) -> Result<(), String> {
    use Command::{Check, List};
    if matches!((options.command, command), (Check, List) | (List, Check)) {
        return Err("`--check` and `--list` cannot be combined (both report every error)".to_owned());
    }
    options.command = command;
    Ok(())
}

fn add_script(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.scripts.push(value.into());
    Ok(())
}

fn set_host(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let host = value.to_str().and_then(address::parse_host);
    options.address.host = Some(host.ok_or(address::HOSTS)?);
    Ok(())
}

fn set_port(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let port = value.to_str().and_then(address::parse_port);
    options.address.port = Some(port.ok_or(address::PORTS)?);
    Ok(())
}

fn set_speed(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let speed = value.to_str().and_then(|text| text.parse::<Speed>().ok());
    options.speed = speed.ok_or("0.001 to 1000000, or max")?;
    Ok(())
}

fn set_seed(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let seed = value.to_str().and_then(parse_number);
    options.seed = Some(seed.ok_or("0 to 18446744073709551615")?);
    Ok(())
}

fn set_max_clients(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let number = value.to_str().and_then(parse_number);
    let max_clients = number.and_then(|number| number.try_into().ok()).filter(|number| *number > 0);
    options.max_clients = Some(max_clients.ok_or("1 or more")?);
    Ok(())
}

fn set_journal(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.journal = Some(value.into());
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

#[cfg(test)]
mod tests;
