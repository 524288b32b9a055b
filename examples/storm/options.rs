//! Reads the command line: how many clients, and of which server.

use rust_sse_server::internals::suggest;
use rust_sse_server::Speed;
use std::ffi::OsString;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
A load test: plays the demo to many clients at once, and reports how late each event was.

Usage: storm [OPTIONS] [URL]

Arguments:
  URL          a server's demo, such as http://127.0.0.1:8080/events; without it, storm starts a
               server as a second process on a free port

Options:
  --clients N  the number of clients, 1 to 16000 [default: 100]
  --ramp MS    start them over this many milliseconds [default: 1000]
  --speed N    make the server that storm starts play N times as fast
  --serve      only run that server, until stdin ends
  --help       print this

Exit status: 0 if every event arrived once and in order, 1 if not, 2 if the test could not start.
";

/// More threads than this would exceed `vm.max_map_count` on Linux (65,530; a thread takes four mappings), where starting
/// one can abort the whole process.
const MAX_CLIENTS: usize = 16_000;
/// The longest ramp in milliseconds: an hour.
const MAX_RAMP: u64 = 3_600_000;

const OPTIONS: [&str; 5] = ["--clients", "--ramp", "--speed", "--serve", "--help"];

/// What the program does.
pub enum Command {
    /// `--help`
    Help,
    /// `--serve`
    Serve(Options),
    /// Without any of these options.
    Test(Options),
}

/// Which server to load, and how much.
pub struct Options {
    /// `None` for a server that is started for the test.
    pub url: Option<String>,
    pub clients: usize,
    /// The time from the first client's start to the last one's.
    pub ramp: Duration,
    /// As it was written, for the command line of the second process. `None` for the demo's normal speed.
    pub speed: Option<String>,
}

impl Options {
    /// How fast the server plays.
    pub fn speed(&self) -> Speed {
        self.speed.as_deref().and_then(|text| text.parse().ok()).unwrap_or(Speed::NORMAL)
    }

    /// The time from one of the demo's events to the next.
    pub fn interval(&self) -> Duration {
        self.speed().scale(Duration::from_secs(1))
    }
}

/// Reads the arguments that follow the program's name; the error says what is wrong and what would be right.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let mut options = Options { url: None, clients: 100, ramp: Duration::from_secs(1), speed: None };
    let mut command: fn(Options) -> Command = Command::Test;
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || {
            let next = || arguments.next().filter(|next| !OPTIONS.contains(&next.as_str()));
            inline.clone().or_else(next).ok_or_else(|| format!("`{name}` needs a value"))
        };
        match name {
            "--clients" => options.clients = clients(&value()?)?,
            "--ramp" => options.ramp = ramp(&value()?)?,
            "--speed" => options.speed = Some(speed(value()?)?),
            _ if inline.is_some() && OPTIONS.contains(&name) => {
                return Err(format!("`{name}` takes no value"))
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--serve" => command = Command::Serve,
            _ if name.starts_with('-') => return Err(unknown_option(name)),
            _ if options.url.is_some() => return Err(second_url(&argument)),
            _ => options.url = Some(argument),
        }
    }
    if options.url.is_some() && options.speed.is_some() {
        return Err(
            "`--speed` cannot be used with URL (that server has to play at its normal speed)".to_owned()
        );
    }
    Ok(command(options))
}

fn unknown_option(name: &str) -> String {
    format!("unknown option `{}`{}", name.escape_debug(), suggest::hint(name, OPTIONS))
}

fn second_url(argument: &str) -> String {
    format!("unexpected argument `{}` (only one URL is expected)", argument.escape_debug())
}

fn clients(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_CLIENTS).contains(number));
    number.ok_or_else(|| invalid_value(text, "--clients", &format!("1 to {MAX_CLIENTS}")))
}

fn ramp(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_RAMP);
    let ramp = number.map(Duration::from_millis);
    ramp.ok_or_else(|| invalid_value(text, "--ramp", &format!("0 to {MAX_RAMP}")))
}

fn speed(text: String) -> Result<String, String> {
    match text.parse::<Speed>() {
        Ok(_) => Ok(text),
        Err(_) => Err(invalid_value(&text, "--speed", "0.001 to 1000000, or max")),
    }
}

fn invalid_value(text: &str, name: &str, expected: &str) -> String {
    format!("invalid value `{}` for `{name}` (expected {expected})", text.escape_debug())
}
