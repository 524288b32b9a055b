//! A load test: plays the demo to many clients at once, and says how late each event came and whether any was lost.
//!
//! ```text
//! cargo run --release --example storm -- --clients 1000
//! cargo run --release --example storm -- --clients 5000 http://127.0.0.1:8080/events
//! ```

mod client;
mod histogram;
mod options;
mod own_server;
mod progress;
mod report;

use client::{Heard, Target, EVENTS};
use options::{Command, Options};
use own_server::OwnServer;
use progress::Progress;
use report::Report;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Octets of stack for a client's thread, as many as the server gives to its own.
const STACK: usize = 64 * 1024;

fn main() -> ExitCode {
    let outcome = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print(options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => own_server::serve(&options).map(|()| true),
        Ok(Command::Storm(options)) => storm(&options),
        Err(message) => Err(format!("{message} (--help shows all options)")),
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

/// Sends the clients and prints what they heard; `false` when anything was lost.
fn storm(options: &Options) -> Result<bool, String> {
    let (_own, url) = match &options.url {
        Some(url) => (None, url.clone()),
        None => {
            let own = OwnServer::start(options)?;
            let url = own.url().to_owned();
            (Some(own), url)
        }
    };
    let target = Arc::new(Target::new(&url, options.interval())?);
    let progress = Progress::start(options.clients * EVENTS);
    let report = Report::of(send_clients(options, &target, &progress));
    progress.end();
    print(&format!("{} clients of {url}\n{report}", options.clients));
    Ok(report.is_flawless())
}

/// Whoever closed the pipe has read enough, and the exit status still tells.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Starts the clients, spread over the ramp, and waits for all of them.
fn send_clients(options: &Options, target: &Arc<Target>, progress: &Progress) -> Vec<Heard> {
    let start = Instant::now();
    let mut running = Vec::with_capacity(options.clients);
    let mut heard = Vec::with_capacity(options.clients);
    for n in 0..options.clients {
        let due = options.ramp * n as u32 / options.clients as u32;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let (target, counts) = (Arc::clone(target), progress.counts());
        let listen = move || client::listen(&target, &counts);
        match thread::Builder::new().stack_size(STACK).spawn(listen) {
            Ok(client) => running.push(client),
            Err(error) => heard.push(Heard::nothing(format!("cannot start a thread: {error}"))),
        }
    }
    let panicked = |_| Heard::nothing("the client's thread panicked".to_owned());
    heard.extend(running.into_iter().map(|client| client.join().unwrap_or_else(panicked)));
    heard
}
