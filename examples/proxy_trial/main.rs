//! Tests a proxy: this server behind it, and clients in front of it. Prints what the proxy does to event streams, and
//! exits with 0 if a client gets them as they were sent.
//!
//! ```text
//! cargo run --example proxy_trial -- 8081 http://127.0.0.1:8000
//! ```

mod client;
mod options;
mod table;
mod trials;

use client::Response;
use options::{Command, Options};
use rust_sse_server::{Script, Server};
use std::io::{self, Write};
use std::net::ToSocketAddrs;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use trials::{Grade, Trial, Verdict, ROWS};

/// How long the proxy can take until it forwards requests. Some check first, every few seconds, whether their server runs.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The path that is requested until a request reaches the server.
const READY: &str = "/trial/ready";
const STREAMS: &str = include_str!("streams.sse");

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
    let outcome = match options::parse(&arguments) {
        Ok(Command::Help) => {
            print(options::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Try(options)) => run(&options),
        Err(message) => Err(message),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Runs all trials at the same time, and returns whether none of them failed.
fn run(options: &Options) -> Result<bool, String> {
    let trial = Arc::new(start(options)?);
    wait_until_ready(&trial)?;
    let time = trial.silence.max(8);
    print(&format!("{}; this takes {time} s\n", describe(&trial)));
    let running = ROWS.map(|(name, attempt)| {
        let trial = Arc::clone(&trial);
        (name, thread::spawn(move || attempt(&trial)))
    });
    let mut failed = 0;
    for (name, thread) in running {
        let (grade, words) = verdict(thread.join());
        failed += usize::from(grade == Grade::Fail);
        print(&table::row(grade, name, &words));
    }
    print(&match failed {
        0 => "a client gets streams as they were sent\n".to_owned(),
        _ => format!(
            "{failed} of {} failed; examples/proxy_trial/README.md says what to look for\n",
            ROWS.len()
        ),
    });
    Ok(failed == 0)
}

fn start(options: &Options) -> Result<Trial, String> {
    let scripts = Script::parse_all("/", STREAMS).map_err(|error| error.to_string())?;
    let server = scripts.into_iter().fold(Server::empty(), Server::script).start(&*options.upstream);
    let server = server.map_err(|error| format!("{}: {error}", options.upstream))?;
    Ok(Trial { server, proxy: options.proxy.clone(), silence: options.silence })
}

/// The two ends of the trial. Without a proxy between them, the table shows what streams are like.
fn describe(trial: &Trial) -> String {
    let address = trial.server.address();
    let is_proxy =
        trial.proxy.to_socket_addrs().map_or(true, |mut proxy| !proxy.any(|other| other == address));
    if is_proxy {
        format!("{address} behind {}", trial.proxy)
    } else {
        format!("{address} without a proxy")
    }
}

fn wait_until_ready(trial: &Trial) -> Result<(), String> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let response = Response::to_request(&trial.proxy, READY, "", READY_WITHIN).map(Response::read_to_end);
        let problem = match response {
            Ok(_) if trial.server.requests().iter().any(|request| request.target == READY) => return Ok(()),
            Ok(response) => response.describe(),
            Err(error) => format!("no connection: {error}"),
        };
        if Instant::now() >= deadline {
            let address = trial.server.address();
            return Err(format!("the proxy {} forwarded no request to {address}: {problem}", trial.proxy));
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
