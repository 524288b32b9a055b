//! A load test: plays the demo to many clients at once, and reports how late each event was and whether any was lost.
//!
//! ```text
//! cargo run --release --example storm -- --clients 1000
//! cargo run --release --example storm -- --clients 5000 http://127.0.0.1:8080/events
//! ```

mod client;
mod histogram;
mod options;
mod progress;
mod report;
mod server_process;

use client::{ClientReport, Target, EVENTS};
use options::{Command, Options};
use progress::Progress;
use report::Report;
use server_process::ServerProcess;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Bytes of stack for a client's thread, the same as in the server.
const STACK: usize = 64 * 1024;

fn main() -> ExitCode {
    let outcome = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print(options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => server_process::serve(&options).map(|()| true),
        Ok(Command::Test(options)) => test(&options),
        Err(message) => Err(format!("{message}; see --help")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("storm: {message}");
            ExitCode::from(2)
        }
    }
}

/// Tests the server at the URL, or one that is started for the test, and returns whether the report is flawless.
fn test(options: &Options) -> Result<bool, String> {
    if let Some(url) = &options.url {
        return test_url(url, options);
    }
    let server = ServerProcess::start(options)?;
    test_url(server.url(), options)
}

fn test_url(url: &str, options: &Options) -> Result<bool, String> {
    let target = Arc::new(Target::new(url, options.interval())?);
    let progress = Progress::start(options.clients * EVENTS);
    let report = Report::new(run_clients(options, &target, &progress));
    progress.end();
    print(&format!("{} clients of {url}\n{report}", options.clients));
    Ok(report.is_flawless())
}

/// Prints, also when the reader of a pipe has closed it, as `head` does: the exit status is still of use.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Starts the clients, spread over the ramp, and waits for all of them.
fn run_clients(options: &Options, target: &Arc<Target>, progress: &Progress) -> Vec<ClientReport> {
    let start = Instant::now();
    let mut running = Vec::with_capacity(options.clients);
    let mut reports = Vec::with_capacity(options.clients);
    for n in 0..options.clients {
        let due = options.ramp * n as u32 / options.clients as u32;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let (target, counts) = (Arc::clone(target), progress.counts());
        let run = move || client::run(&target, &counts);
        match thread::Builder::new().stack_size(STACK).spawn(run) {
            Ok(client) => running.push(client),
            Err(error) => reports.push(ClientReport::failed(format!("cannot start a thread: {error}"))),
        }
    }
    let panicked = |_| ClientReport::failed("the client's thread panicked".to_owned());
    reports.extend(running.into_iter().map(|client| client.join().unwrap_or_else(panicked)));
    reports
}
