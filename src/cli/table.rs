//! The table of options, from which parsing, suggestions and the text of `--help` come.

use self::Action::{File, Flag, Run, Value};
use super::address;
use super::options::{Color, Command, Options};
use rust_sse_server::internals::{parse_number, parse_size};
use rust_sse_server::Speed;
use std::ffi::OsStr;
use std::path::PathBuf;

/// The largest value of `--max-body`. All bodies are kept in memory.
const MAX_MAX_BODY: u64 = 1 << 30;

/// The options, in the order of `--help`.
pub const TABLE: &[Row] = &[
    Row {
        usage: "--script FILE",
        action: File(|options, file| options.scripts.push(file)),
        help: "serve FILE at /NAME (its name without .sse) beside the built-in scripts;\n\
               a stream captured with `curl -N URL > FILE` is a script; can be repeated;\n\
               for a folder, serve all *.sse in it; for -, serve standard input at /stdin;\n\
               changed files are loaded again at the next request",
    },
    Row {
        usage: "--only",
        action: Flag(|options| options.only = true),
        help: "serve no built-in script and no page at /, but only what the other options name",
    },
    Row {
        usage: "--static DIR",
        action: File(|options, folder| options.static_files = Some(folder)),
        help: "serve the files of the folder DIR as well, such as a web page to be tested;\n\
               a script takes precedence over a file, and DIR/index.html over the page at /",
    },
    Row { usage: "--host HOST", action: Value(set_host), help: "the same as the argument HOST" },
    Row { usage: "-p, --port PORT", action: Value(set_port), help: "the same as the argument PORT" },
    Row {
        usage: "--speed N",
        action: Value(set_speed),
        help: "play N times as fast, 0.001 to 1000000; max does not wait at all",
    },
    Row {
        usage: "--seed N",
        action: Value(set_seed),
        help: "seed for random values: the same N gives the same values every time",
    },
    Row {
        usage: "--max-clients N",
        action: Value(set_max_clients),
        help: "serve at most N clients at a time [default: 1000]; further ones get 503",
    },
    Row {
        usage: "--max-body SIZE",
        action: Value(set_max_body),
        help: "accept request bodies up to SIZE, such as 64k [default: 1M, with --judge 16M]",
    },
    Row {
        usage: "--journal FILE",
        action: File(|options, file| options.journal = Some(file)),
        help: "append requests and ends of responses to FILE as lines of JSON; - is stdout",
    },
    Row {
        usage: "--control",
        action: Flag(|options| options.control = true),
        help: "let tests drive the server with requests under /-/: release pauses, send\n\
               events, drop streams, read what clients did, stop the server, and more",
    },
    Row {
        usage: "--allow-host NAME",
        action: Value(add_allowed_host),
        help: "also answer requests under /-/ whose Host is NAME; without this, it must be\n\
               localhost, an IP address or HOST; can be repeated",
    },
    Row {
        usage: "--exit-with-stdin",
        action: Flag(|options| options.exit_with_stdin = true),
        help: "exit when standard input closes, as a pipe from a test does when the test ends",
    },
    Row {
        usage: "--trace",
        action: Flag(|options| options.trace = true),
        help: "print every byte sent or received, to stderr; for the page and paths under\n\
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
        help: "print a line to stdout for each request and one for the end of each response",
    },
    Row {
        usage: "--check",
        action: Run(Command::Check),
        help: "load the scripts, report every error and warning, and exit with 0 or 1",
    },
    Row {
        usage: "--strict",
        action: Flag(|options| options.strict = true),
        help: "treat warnings about scripts as errors, with or without --check",
    },
    Row { usage: "--list", action: Run(Command::List), help: "list the scripts that are served, and exit" },
    Row {
        usage: "--capture",
        action: Run(Command::Capture),
        help: "read the output of `curl -isSN --raw URL` on standard input, and print a script\n\
               that replays it, with its head, chunks, times and end",
    },
    Row {
        usage: "--judge",
        action: Run(Command::Judge),
        help: "judge an SSE client: run the command that follows `--` once for each test case,\n\
               with the case's URL as the last argument; exit with 0 if it violates no `must`;\n\
               without a command, serve the cases and a page at /-/judge that judges browsers;\n\
               with --script, the scripts are the cases, such as a captured stream",
    },
    Row {
        usage: "--profile KIND",
        action: Value(set_profile),
        help: "the kind of client: eventsource [default], browser, library or parser",
    },
    Row {
        usage: "--cases LIST",
        action: Value(set_cases),
        help: "run these cases, such as P06,R*, instead of those of the profile",
    },
    Row {
        usage: "--report DIR",
        action: File(|options, folder| options.judge.report = Some(folder)),
        help: "write report.json, junit.xml and index.html to DIR",
    },
    Row {
        usage: "--known FILE",
        action: File(|options, file| options.judge.known = Some(file)),
        help: "read from FILE which cases may fail: one `ID REASON` per line",
    },
    Row { usage: "-h, --help", action: Run(Command::Help), help: "print this" },
    Row { usage: "-V, --version", action: Run(Command::Version), help: "print the version" },
];

/// An option.
pub struct Row {
    /// Its names and the placeholder of its value, as the text of `--help` shows them.
    pub usage: &'static str,
    pub action: Action,
    /// What it does, in lines for the text of `--help`.
    pub help: &'static str,
}

pub enum Action {
    /// The option takes no value.
    Flag(fn(&mut Options)),
    /// The option takes no value, and says what the program does.
    Run(Command),
    /// The option takes the name of a file or a folder.
    File(fn(&mut Options, PathBuf)),
    /// The option takes another value. The error says what was expected.
    Value(fn(&mut Options, &OsStr) -> Result<(), &'static str>),
}

impl Row {
    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.usage.split(&[',', ' '][..]).filter(|word| word.starts_with('-'))
    }
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
    options.speed = Some(speed.ok_or("0.001 to 1000000, or max")?);
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

fn set_max_body(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let size = parse_size(value.to_string_lossy().as_bytes(), MAX_MAX_BODY).ok();
    let size = size.and_then(|size| usize::try_from(size).ok());
    options.max_body = Some(size.ok_or("a number of bytes such as 512, 64k or 20M, at most 1024M")?);
    Ok(())
}

fn set_cases(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    options.judge.selection.cases = Some(value.to_str().ok_or("names of cases, such as P06,R*")?.to_owned());
    Ok(())
}

fn set_profile(options: &mut Options, value: &OsStr) -> Result<(), &'static str> {
    let profile = value.to_str().and_then(|name| name.parse().ok());
    options.judge.selection.profile = profile.ok_or("eventsource, browser, library or parser")?;
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
