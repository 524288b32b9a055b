//! Reads the command line: where to listen, and which proxy to try.

use rust_sse_server::internals::HttpUrl;

/// What `--help` prints.
pub const USAGE: &str = "\
usage: proxy_trial UPSTREAM PROXY [SECONDS]

  UPSTREAM  the port, or HOST:PORT, that the proxy forwards requests to; this program listens there
  PROXY     the URL of the proxy, such as http://127.0.0.1:8000
  SECONDS   how many seconds the stream of the row `silence` is silent [default: 75]

Exit status: 0 if nothing failed, 1 if something did, 2 if the trial could not start.
";

/// The default silence: longer than the timeouts of 60 s that are usual.
const SILENCE: u64 = 75;
/// The longest silence.
const MAX_SILENCE: u64 = 600;

/// What the program does.
pub enum Command {
    /// `--help`
    Help,
    /// Tries a proxy.
    Try(Options),
}

/// The arguments.
pub struct Options {
    /// The host and port to listen on.
    pub upstream: String,
    /// The host and port of the proxy.
    pub proxy: String,
    /// How long the stream of `silence` is silent, in seconds.
    pub silence: u64,
}

/// Reads the arguments that follow the program's name; the error says what is wrong and what is expected.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return Ok(Command::Help);
    }
    let (upstream, proxy, silence) = match arguments {
        [upstream, proxy] => (upstream, proxy, SILENCE),
        [upstream, proxy, silence] => (upstream, proxy, seconds(silence)?),
        _ => return Err(USAGE.trim_end().to_owned()),
    };
    Ok(Command::Try(Options { upstream: address(upstream)?, proxy: host_of(proxy)?, silence }))
}

fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=MAX_SILENCE).contains(seconds));
    seconds.ok_or_else(|| format!("invalid SECONDS {text:?} (expected 1 to {MAX_SILENCE})"))
}

/// The host and port to listen on. The proxy is configured with the port, so 0, for any free port, is invalid.
fn address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("127.0.0.1", text));
    match port.parse() {
        Ok(1_u16..=u16::MAX) => Ok(format!("{host}:{port}")),
        _ => Err(format!(
            "invalid UPSTREAM {text:?} (expected the port that the proxy forwards requests to, 1 to 65535, or HOST:PORT)"
        )),
    }
}

/// The host and port of a URL.
fn host_of(url: &str) -> Result<String, String> {
    match HttpUrl::parse(url) {
        Ok(url) if url.target == "/" && url.port > 0 => Ok(match url.port {
            80 => url.authority() + ":80",
            _ => url.authority(),
        }),
        _ => Err(format!(
            "invalid PROXY {url:?} (expected a URL with http:// and without a path, such as http://127.0.0.1:8000)"
        )),
    }
}
