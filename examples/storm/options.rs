//! Reads the command line: how many clients, and of which server.

use crate::stream::EndCondition;
use crate::target::RequestOptions;
use rust_sse_server::internals::{parse_time, suggest, FieldLine};
use rust_sse_server::Speed;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
A load test: requests an event stream with many clients at once, and reports when its events arrived.

Usage: storm [OPTIONS] [URL]

Arguments:
  URL            any event stream; without it, storm starts a server as a second process on a
                 free port and tests its demo

Options:
  --clients N    the number of clients, 1 to 16000 [default: 100]
  --ramp MS      start them over this many milliseconds [default: 1000]
  --events N     end each client after N events
  --for T        end each client after the time T, such as 10s
  --until TEXT   end each client after an event whose data contains TEXT, such as [DONE]
  -X METHOD      use this method [default: GET, or POST with -d]
  -H FIELD       send this field line, such as 'Content-Type: application/json'; can be repeated
  -d BODY        send this body; for @FILE, the contents of FILE
  --json         print the report as JSON
  --demo         check that the URL sends the demo, each event once and in order, and how late
  --speed N      make the server that storm starts play N times as fast
  --serve        only run that server, until stdin ends
  --help         print this

With --events or --for, a client whose stream ends earlier reconnects as an EventSource does. A client
that receives nothing for 30 s treats its connection as lost. Ctrl-C ends the test without a report.

Exit status: 0 if every client received events and none failed, 1 if not, 2 if the test could not
start.
";

/// More threads than this would exceed `vm.max_map_count` on Linux (65,530; a thread takes four mappings), where starting
/// one can abort the whole process.
const MAX_CLIENTS: usize = 16_000;
/// The longest ramp in milliseconds: an hour.
const MAX_RAMP: u64 = 3_600_000;

const OPTIONS: [&str; 13] = [
    "--clients",
    "--ramp",
    "--events",
    "--for",
    "--until",
    "-X",
    "-H",
    "-d",
    "--json",
    "--demo",
    "--speed",
    "--serve",
    "--help",
];

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
    pub request: RequestOptions,
    pub end_condition: EndCondition,
    pub json: bool,
    /// Whether the URL sends the demo.
    pub demo: bool,
    /// As it was written, for the command line of the second process. `None` for the demo's normal speed.
    pub speed: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            url: None,
            clients: 100,
            ramp: Duration::from_secs(1),
            request: RequestOptions::default(),
            end_condition: EndCondition::default(),
            json: false,
            demo: false,
            speed: None,
        }
    }
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
    let mut options = Options::default();
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
            "--events" => options.end_condition.events = Some(events(&value()?)?),
            "--for" => options.end_condition.time = Some(time(&value()?)?),
            "--until" => options.end_condition.text = Some(value()?),
            "-X" => options.request.method = Some(method(value()?)?),
            "-H" => options.request.fields.push(field(value()?)?),
            "-d" => options.request.body = Some(body(&value()?)?),
            _ if inline.is_some() && OPTIONS.contains(&name) => {
                return Err(format!("`{name}` takes no value"))
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--serve" => command = Command::Serve,
            "--json" => options.json = true,
            "--demo" => options.demo = true,
            _ if name.starts_with('-') => return Err(unknown_option(name)),
            _ if options.url.is_some() => return Err(second_url(&argument)),
            _ => options.url = Some(argument),
        }
    }
    check(&options)?;
    Ok(command(options))
}

/// Checks that the options fit together.
fn check(options: &Options) -> Result<(), String> {
    let Options { request, end_condition, .. } = options;
    if options.url.is_some() && options.speed.is_some() {
        return Err(
            "`--speed` cannot be used with URL (that server has to play at its normal speed)".to_owned()
        );
    }
    let is_demo = options.url.is_none() || options.demo;
    let is_for_streams = request.method.is_some()
        || !request.fields.is_empty()
        || request.body.is_some()
        || end_condition.events.is_some()
        || end_condition.time.is_some()
        || end_condition.text.is_some()
        || options.json;
    if is_demo && is_for_streams {
        return Err(
            "only `--clients`, `--ramp` and `--speed` can be used with the demo (add URL, without --demo)"
                .to_owned(),
        );
    }
    Ok(())
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

fn events(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| invalid_value(text, "--events", "1 or more"))
}

fn time(text: &str) -> Result<Duration, String> {
    let time = parse_time(text.as_bytes()).ok().filter(|time| *time > Duration::ZERO);
    time.ok_or_else(|| invalid_value(text, "--for", "a time such as 500ms, 10s or 2m"))
}

fn method(text: String) -> Result<String, String> {
    let is_method = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if is_method {
        Ok(text)
    } else {
        Err(invalid_value(&text, "-X", "a method such as POST"))
    }
}

fn field(text: String) -> Result<String, String> {
    if FieldLine::parse(text.as_bytes()).is_ok() && !text.contains(char::is_control) {
        return Ok(text);
    }
    Err(invalid_value(&text, "-H", "`Name: value`"))
}

fn body(text: &str) -> Result<Vec<u8>, String> {
    match text.strip_prefix('@') {
        Some(file) => fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.escape_debug())),
        None => Ok(text.as_bytes().to_vec()),
    }
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
