//! Tests a proxy: this server behind it, and clients in front of it. Prints what the proxy does to event streams, and
//! exits with 0 if a client gets them as they were sent.
//!
//! ```text
//! cargo run --example proxy_trial -- 8081 http://127.0.0.1:8000
//! ```

mod client;
mod trials;

use client::Response;
use rust_sse_server::{Script, Server};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use trials::{Grade, Trial, Verdict, ROWS};

const USAGE: &str = "\
usage: proxy_trial UPSTREAM PROXY [SECONDS]

  UPSTREAM  the port, or HOST:PORT, that the proxy forwards requests to; this program listens there
  PROXY     the URL of the proxy, such as http://127.0.0.1:8000
  SECONDS   how long a stream is silent that has to survive it [default: 75]
";

/// The default silence: longer than the timeouts of 60 s that are usual.
const SILENCE: u64 = 75;
/// How long the proxy can take until it forwards requests. Some check first, every few seconds, whether their server runs.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The path that is requested until a request reaches the server.
const READY: &str = "/trial/ready";
const STREAMS: &str = include_str!("streams.sse");

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Runs all trials at the same time, and returns whether none of them failed.
fn run(arguments: &[String]) -> Result<bool, String> {
    let trial = Arc::new(start(arguments)?);
    wait_until_ready(&trial)?;
    print(&format!(
        "{} behind {}; this takes {} s\n",
        trial.server.address(),
        trial.proxy,
        trial.silence.max(8)
    ));
    let running = ROWS.map(|(name, attempt)| {
        let trial = Arc::clone(&trial);
        (name, thread::spawn(move || attempt(&trial)))
    });
    let mut failed = 0;
    for (name, thread) in running {
        let (grade, words) = verdict(thread.join());
        failed += usize::from(grade == Grade::Fail);
        let grade = match grade {
            Grade::Pass => "pass",
            Grade::Info => "info",
            Grade::Fail => "FAIL",
        };
        print(&format!("{grade}  {name:22} {words}\n"));
    }
    print(&match failed {
        0 => "a client gets streams as they were sent\n".to_owned(),
        _ => format!("{failed} of {} failed\n", ROWS.len()),
    });
    Ok(failed == 0)
}

fn start(arguments: &[String]) -> Result<Trial, String> {
    let (upstream, proxy, silence) = match arguments {
        [upstream, proxy] => (upstream, proxy, SILENCE),
        [upstream, proxy, silence] => {
            let seconds = silence.parse().ok().filter(|seconds| (1..=600).contains(seconds));
            (
                upstream,
                proxy,
                seconds.ok_or_else(|| format!("invalid SECONDS {silence:?} (expected 1 to 600)"))?,
            )
        }
        _ => return Err(USAGE.trim_end().to_owned()),
    };
    let address = if upstream.contains(':') { upstream.clone() } else { format!("127.0.0.1:{upstream}") };
    let scripts = Script::parse_all("/", STREAMS).map_err(|error| error.to_string())?;
    let server = scripts.into_iter().fold(Server::empty(), Server::script).start(&*address);
    let server = server.map_err(|error| format!("{address}: {error}"))?;
    Ok(Trial { server, proxy: host_of(proxy)?, silence })
}

/// The host and port of a URL.
fn host_of(url: &str) -> Result<String, String> {
    let host = url.strip_prefix("http://").map(|host| host.trim_end_matches('/')).unwrap_or_default();
    if host.is_empty() || host.contains('/') {
        return Err(format!(
            "invalid PROXY {url:?} (expected a URL without a path, such as http://127.0.0.1:8000)"
        ));
    }
    // The last colon in brackets belongs to an IPv6 address.
    let has_port = host.rsplit(']').next().unwrap_or_default().contains(':');
    Ok(if has_port { host.to_owned() } else { format!("{host}:80") })
}

fn wait_until_ready(trial: &Trial) -> Result<(), String> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let response = Response::to_request(&trial.proxy, READY, READY_WITHIN).map(Response::read_to_end);
        let problem = match response {
            Ok(_) if trial.server.requests().iter().any(|request| request.target == READY) => return Ok(()),
            Ok(response) => format!("responds with status {}", response.status()),
            Err(error) => format!("cannot be reached: {error}"),
        };
        if Instant::now() >= deadline {
            let address = trial.server.address();
            return Err(format!(
                "the proxy {} {problem} (it has to forward requests to {address})",
                trial.proxy
            ));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn verdict(joined: thread::Result<Result<Verdict, String>>) -> Verdict {
    match joined {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(message)) => (Grade::Fail, message),
        Err(_) => (Grade::Fail, "the trial panicked".to_owned()),
    }
}

/// Prints, also when the reader of a pipe has closed it, as `head` does: the exit status is still of use.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
