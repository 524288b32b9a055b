//! Reads the command line: how many clients, of which server.

use rust_sse_server::internals::suggest;
use rust_sse_server::Speed;
use std::ffi::OsString;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
A load test: plays the demo to many clients at once, and says how late each event came.

Usage: storm [OPTIONS] [URL]

Arguments:
  URL          a server's demo, such as http://127.0.0.1:8080/events; without it, storm starts a
               server of its own, as a second process on a free port

Options:
  --clients N  so many clients, 1 to 16000 [default: 100]
  --ramp MS    start them over so many milliseconds [default: 1000]
  --speed N    let the server of its own play N times as fast
  --serve      only be that server, until stdin ends
  --help       print this

Exit status: 0 when every event came once and in order, 1 when not, 2 when there was no test.
";

/// More threads than these would run into `vm.max_map_count` on Linux (65,530; a thread takes four mappings), where
/// starting one can abort the whole process.
const MAX_CLIENTS: usize = 16_000;
/// The longest ramp: an hour.
const MAX_RAMP: u64 = 3_600_000;

const OPTIONS: [&str; 5] = ["--clients", "--ramp", "--speed", "--serve", "--help"];

/// What the command line asks for.
pub enum Command {
    /// `--help`
    Help,
    /// `--serve`
    Serve(Options),
    /// Anything else.
    Storm(Options),
}

/// How to load which server.
pub struct Options {
    /// `None` for a server of its own.
    pub url: Option<String>,
    pub clients: usize,
    /// The time from the first client's start to the last one's.
    pub ramp: Duration,
    /// As it was written, for it is handed on. `None` for the demo's own time.
    pub speed: Option<String>,
}

impl Options {
    /// How fast the server of its own plays.
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
    let mut command: fn(Options) -> Command = Command::Storm;
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || {
            let next = || arguments.next().filter(|next| !OPTIONS.contains(&next.as_str()));
            inline.clone().or_else(next).ok_or_else(|| format!("{name} needs a value"))
        };
        match name {
            "--clients" => options.clients = clients(&value()?)?,
            "--ramp" => options.ramp = ramp(&value()?)?,
            "--speed" => options.speed = Some(speed(value()?)?),
            _ if inline.is_some() && OPTIONS.contains(&name) => return Err(format!("{name} takes no value")),
            "--help" | "-h" => return Ok(Command::Help),
            "--serve" => command = Command::Serve,
            _ if name.starts_with('-') => return Err(unknown_option(name)),
            _ if options.url.is_some() => return Err(format!("{} is one URL too many", shown(&argument))),
            _ => options.url = Some(argument),
        }
    }
    match (&options.url, &options.speed) {
        (Some(_), Some(_)) => Err("--speed is for the server of its own, not for a URL's".to_owned()),
        _ => Ok(command(options)),
    }
}

fn unknown_option(name: &str) -> String {
    format!("unknown option {}{}", shown(name), suggest::hint(name, OPTIONS))
}

fn clients(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_CLIENTS).contains(number));
    number.ok_or_else(|| {
        format!("--clients: {} is no number of clients (write 1 to {MAX_CLIENTS})", shown(text))
    })
}

fn ramp(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_RAMP);
    number.map(Duration::from_millis).ok_or_else(|| {
        format!("--ramp: {} is no number of milliseconds (write 0 to {MAX_RAMP})", shown(text))
    })
}

fn speed(text: String) -> Result<String, String> {
    text.parse::<Speed>().map_err(|what| format!("--speed: {what}"))?;
    Ok(text)
}

/// An argument in quotes, with everything escaped that could move a terminal's cursor.
fn shown(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}
