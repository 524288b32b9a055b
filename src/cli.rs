//! Sends nothing: reads from the command line what to serve, where, how fast.

use rust_sse_server::script::units::{parse_number, Speed};
use rust_sse_server::text::escape::escape;
use rust_sse_server::text::suggest;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
A scripted Server-Sent-Events server: plays a script of events to every client.

Usage: rust_sse_server [OPTIONS] [HOST [PORT]]

Arguments:
  HOST  name or address to listen on [default: 127.0.0.1]; 0.0.0.0 or [::] for every address
  PORT  port to listen on [default: 8080]; 0 for any free one

Options:
  --script FILE    serve FILE at /NAME (its name without .sse), beside those in the binary;
                   a stream captured with `curl -N URL > FILE` is a script; can be repeated
  --speed N        play N times as fast, 0.001 to 1000000; max does not wait at all
  --seed N         make random waits the same every time
  --max-clients N  serve N clients at one time [default: 1000]; the next one gets 503
  --record FILE    append every request to FILE, as a line of JSON
  --control        let clients steer the server: GET /-/requests gives the requests so far,
                   POST /-/drop breaks all streams, POST /-/stop stops the server
  --trace          show every byte that goes over the wire, both ways, on stderr
  --color WHEN     colour the trace: always, never, or auto [default]: on a terminal,
                   unless NO_COLOR is set
  --log            print a line for each request and one for each end on stdout
  --check          load the scripts, report every mistake, and exit with 0 or 1
  --list           print what is served, and exit
  --help           print this
  --version        print the version

Try it: curl -N http://127.0.0.1:8080/events, or open http://127.0.0.1:8080/ in a browser
";

/// What the command line asks for.
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
    /// Anything else.
    Serve,
}

/// What to do, and how to serve.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// What to do.
    pub command: Command,
    /// A name or an address, an IPv6 address without its brackets.
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
    /// Files to serve beside the demo.
    pub scripts: Vec<PathBuf>,
    /// How fast scripts play.
    pub speed: Speed,
    /// What random waits are made of; `None` for something else every time.
    pub seed: Option<u64>,
    /// Where requests are appended to.
    pub record: Option<PathBuf>,
    /// Whether clients may steer the server.
    pub control: bool,
    /// Whether every byte is shown.
    pub trace: bool,
    /// Whether the trace is coloured.
    pub color: Color,
    /// Whether requests and ends are told of.
    pub log: bool,
    /// `None` for the server's own default.
    pub max_clients: Option<usize>,
}

impl Options {
    fn of(command: Command) -> Options {
        Options {
            command,
            host: "127.0.0.1".to_owned(),
            port: 8080,
            scripts: Vec::new(),
            speed: Speed::NORMAL,
            seed: None,
            record: None,
            control: false,
            trace: false,
            color: Color::Auto,
            log: false,
            max_clients: None,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::of(Command::Serve)
    }
}

/// When the trace is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// What is wrong with the command line: the argument, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (--help shows all options)", self.0)
    }
}

impl std::error::Error for UsageError {}

const OPTIONS: [&str; 13] = [
    "--script",
    "--speed",
    "--seed",
    "--max-clients",
    "--record",
    "--color",
    "--control",
    "--trace",
    "--log",
    "--check",
    "--list",
    "--help",
    "--version",
];

/// How many of them, the first ones, take a value.
const WITH_VALUE: usize = 6;

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// The first argument that is unknown, incomplete or out of range.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, UsageError> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    let mut positional = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (text.as_str(), None),
        };
        let value = value_of(name, inline, &mut arguments)?;
        let readable = value.to_string_lossy().into_owned();
        match name {
            "--script" => options.scripts.push(value.into()),
            "--speed" => options.speed = speed(&readable)?,
            "--seed" => options.seed = Some(seed(&readable)?),
            "--record" => options.record = Some(value.into()),
            "--color" => options.color = color(&readable)?,
            "--max-clients" => options.max_clients = Some(max_clients(&readable)?),
            "--help" | "-h" => return Ok(Options::of(Command::Help)),
            "--version" | "-V" => return Ok(Options::of(Command::Version)),
            "--control" => options.control = true,
            "--trace" => options.trace = true,
            "--log" => options.log = true,
            "--check" => options.command = Command::Check,
            "--list" => options.command = Command::List,
            _ if name.starts_with('-') => return Err(unknown_option(name)),
            _ => positional.push(text),
        }
    }
    place(&positional, &mut options)?;
    Ok(options)
}

/// The value of an option, behind its `=` or in the next argument; an empty one for all that takes none.
fn value_of(
    name: &str,
    inline: Option<&str>,
    arguments: &mut impl Iterator<Item = OsString>,
) -> Result<OsString, UsageError> {
    match (OPTIONS[..WITH_VALUE].contains(&name), inline) {
        (true, Some(value)) => Ok(value.into()),
        (true, None) => {
            let value = arguments.next().filter(|value| !is_option(value));
            value.ok_or_else(|| UsageError(format!("{name} needs a value")))
        }
        (false, Some(_)) if OPTIONS.contains(&name) => Err(UsageError(format!("{name} takes no value"))),
        (false, _) => Ok(OsString::new()),
    }
}

/// Whether an argument that could be a value is meant as the next option.
fn is_option(argument: &OsString) -> bool {
    argument.to_str().map_or(false, |text| OPTIONS.contains(&text))
}

fn unknown_option(name: &str) -> UsageError {
    let hint = match name {
        "--host" | "--port" | "-p" => " (HOST and PORT stand alone: write `127.0.0.1 8080`)".to_owned(),
        _ => suggest::hint(name, OPTIONS),
    };
    wrong("unknown option ", name, &hint)
}

fn seed(text: &str) -> Result<u64, UsageError> {
    parse_number(text).ok_or_else(|| wrong("--seed: ", text, " is no number (write 0 to 2^64 - 1)"))
}

fn speed(text: &str) -> Result<Speed, UsageError> {
    Speed::parse(text).map_err(|what| UsageError(format!("--speed: {what}")))
}

fn color(text: &str) -> Result<Color, UsageError> {
    match text {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        other => Err(wrong("--color: ", other, " is none of always, never and auto")),
    }
}

fn max_clients(text: &str) -> Result<usize, UsageError> {
    let number = parse_number(text).and_then(|number| usize::try_from(number).ok());
    number
        .filter(|&number| number > 0)
        .ok_or_else(|| wrong("--max-clients: ", text, " is no number of clients (write 1 or more)"))
}

/// HOST and PORT.
fn place(positional: &[String], options: &mut Options) -> Result<(), UsageError> {
    match positional {
        [] => {}
        [host] => options.host = self::host(host)?,
        [host, port] => {
            options.host = self::host(host)?;
            options.port = self::port(port)?;
        }
        [_, _, more, ..] => return Err(wrong("", more, " is one argument too many after HOST and PORT")),
    }
    Ok(())
}

fn host(text: &str) -> Result<String, UsageError> {
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let is_ipv6 = address.parse::<std::net::Ipv6Addr>().is_ok();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UsageError(format!(
            "{text} stands where HOST belongs (write `127.0.0.1 {text}` for that port)"
        )));
    }
    if !is_ipv6 && (text.starts_with('[') || text.matches(':').count() > 1) {
        return Err(wrong("", text, " is no IPv6 address (write one such as [::1])"));
    }
    if let (Some((host, port)), false) = (text.rsplit_once(':'), is_ipv6) {
        let port = format!(" `{}`)", escape(port));
        return Err(wrong("HOST and PORT are two arguments (write ", host, &port));
    }
    if address.is_empty() || address.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err(wrong("", text, " is no host (write a name or an address, such as localhost)"));
    }
    Ok(address.to_owned())
}

fn port(text: &str) -> Result<u16, UsageError> {
    let port = parse_number(text).and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| wrong("", text, " is no port (write a number from 0 to 65535)"))
}

/// A mistake's message about an argument, in which nothing can move a terminal's cursor.
fn wrong(before: &str, argument: &str, after: &str) -> UsageError {
    UsageError(format!("{before}`{}`{after}", escape(argument)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        parse(arguments.iter().map(OsString::from)).unwrap()
    }

    fn error(arguments: &[&str]) -> String {
        parse(arguments.iter().map(OsString::from)).unwrap_err().to_string()
    }

    #[test]
    fn without_arguments_it_is_the_demo_on_loopback() {
        assert_eq!(options(&[]), Options::default());
    }

    #[test]
    fn host_and_port_are_taken_as_people_write_them() {
        for (host, expected) in
            [("0.0.0.0", "0.0.0.0"), ("localhost", "localhost"), ("[::1]", "::1"), ("::", "::")]
        {
            assert_eq!(
                options(&[host, "8765"]),
                Options { host: expected.into(), port: 8765, ..Options::default() }
            );
        }
        assert_eq!(options(&["::1"]).port, 8080);
    }

    #[test]
    fn options_stand_anywhere_with_a_space_or_an_equals_sign() {
        let all = options(&["--script", "a", "h", "--speed=max", "1", "--script=b=c", "--max-clients", "7"]);
        assert_eq!(all.scripts, [PathBuf::from("a"), PathBuf::from("b=c")]);
        assert_eq!((all.speed, all.max_clients), (Speed::MAX, Some(7)));
        assert_eq!((all.host.as_str(), all.port), ("h", 1));
    }

    #[test]
    fn help_and_version_win_over_what_follows() {
        assert_eq!(options(&["--help", "--bad"]).command, Command::Help);
        assert_eq!(options(&["-V"]).command, Command::Version);
        assert_eq!(options(&["--check"]), Options { command: Command::Check, ..Options::default() });
        assert_eq!(options(&["--list"]), Options { command: Command::List, ..Options::default() });
    }

    #[test]
    fn every_mistake_names_the_argument_and_the_way_out() {
        for (arguments, message) in [
            (&["--sped", "1"][..], "unknown option `--sped` (did you mean `--speed`?)"),
            (&["-x"], "unknown option `-x`"),
            (&["--port", "1"], "unknown option `--port` (HOST and PORT stand alone: write `127.0.0.1 8080`)"),
            (&["--script", "--speed", "2"], "--script needs a value"),
            (&["--help=x"], "--help takes no value"),
            (&["--seed", "x"], "--seed: `x` is no number (write 0 to 2^64 - 1)"),
            (&["[::1", "0"], "`[::1` is no IPv6 address (write one such as [::1])"),
            (&["fe80::1%lo"], "`fe80::1%lo` is no IPv6 address (write one such as [::1])"),
            (&["--script"], "--script needs a value"),
            (
                &["--speed", "0"],
                "--speed: invalid speed `0` (expected a number from 0.001 to 1000000, or max)",
            ),
            (&["--max-clients", "0"], "--max-clients: `0` is no number of clients (write 1 or more)"),
            (&["h", "65536"], "`65536` is no port (write a number from 0 to 65535)"),
            (&["h", "+1"], "`+1` is no port (write a number from 0 to 65535)"),
            (&["h", ""], "`` is no port (write a number from 0 to 65535)"),
            (&["h", "1", "2"], "`2` is one argument too many after HOST and PORT"),
            (&["8765"], "8765 stands where HOST belongs (write `127.0.0.1 8765` for that port)"),
            (&["h:1"], "HOST and PORT are two arguments (write `h` `1`)"),
            (&["http://h"], "HOST and PORT are two arguments (write `http` `//h`)"),
            (&["a\u{1b}b/"], "`a\\x1bb/` is no host (write a name or an address, such as localhost)"),
        ] {
            assert_eq!(error(arguments), format!("{message} (--help shows all options)"));
        }
    }
}
