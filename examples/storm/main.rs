//! A load test: requests an event stream with many clients at once, and reports when its events arrived. For the demo,
//! it also checks whether any event was lost.
//!
//! ```text
//! cargo run --release --example storm -- --clients 1000
//! cargo run --release --example storm -- --clients 5000 --demo http://127.0.0.1:8080/events
//! cargo run --release --example storm -- --clients 50 --for 10s http://127.0.0.1:8080/clock
//! ```

mod demo;
mod demo_report;
mod histogram;
mod options;
mod progress;
mod server_process;
mod stream;
mod stream_report;
mod target;

use demo::{ClientReport, EVENTS};
use options::{Command, Options};
use progress::{Counts, Progress};
use server_process::ServerProcess;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use stream::StreamReport;
use target::Target;

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
    match &options.url {
        Some(url) if options.demo => test_demo(url, options),
        Some(url) => test_stream(url, options),
        None => {
            let server = ServerProcess::start(options)?;
            test_demo(server.url(), options)
        }
    }
}

fn test_demo(url: &str, options: &Options) -> Result<bool, String> {
    let (target, interval) = (Target::new(url, &options.request)?, options.interval());
    let progress = Progress::start(Some(options.clients * EVENTS));
    let run = move |target: &Target, counts: &Counts| demo::run(target, interval, counts);
    let report = demo_report::Report::new(run_clients(options, target, &progress, run, ClientReport::failed));
    progress.end();
    print(&format!("{} of {url}\n{report}", clients(options.clients)));
    Ok(report.is_flawless())
}

fn test_stream(url: &str, options: &Options) -> Result<bool, String> {
    let (target, end_condition) = (Target::new(url, &options.request)?, options.end_condition.clone());
    let progress = Progress::start(end_condition.events.map(|events| options.clients * events));
    let run = move |target: &Target, counts: &Counts| stream::run(target, &end_condition, counts);
    let reports = run_clients(options, target, &progress, run, StreamReport::failed);
    let report = stream_report::Report::new(reports);
    progress.end();
    if options.json {
        print(&report.to_json());
    } else {
        print(&format!("{} of {url}\n{report}", clients(options.clients)));
    }
    Ok(report.is_flawless())
}

fn clients(count: usize) -> String {
    format!("{count} {}", if count == 1 { "client" } else { "clients" })
}

/// Prints, also when the reader of a pipe has closed it, as `head` does: the exit status is still of use.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Starts the clients, spread over the ramp, and waits for all of them. `failed` creates the report of a client that
/// did not run.
fn run_clients<Report: Send + 'static>(
    options: &Options,
    target: Target,
    progress: &Progress,
    run: impl Fn(&Target, &Counts) -> Report + Send + Sync + 'static,
    failed: fn(String) -> Report,
) -> Vec<Report> {
    let shared = Arc::new((target, run));
    let start = Instant::now();
    let mut running = Vec::with_capacity(options.clients);
    let mut reports = Vec::with_capacity(options.clients);
    for n in 0..options.clients {
        let due = options.ramp * n as u32 / options.clients as u32;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let (shared, counts) = (Arc::clone(&shared), progress.counts());
        let run = move || (shared.1)(&shared.0, &counts);
        match thread::Builder::new().stack_size(STACK).spawn(run) {
            Ok(client) => running.push(client),
            Err(error) => reports.push(failed(format!("cannot start a thread: {error}"))),
        }
    }
    let panicked = |_| failed("the client's thread panicked".to_owned());
    reports.extend(running.into_iter().map(|client| client.join().unwrap_or_else(panicked)));
    reports
}
