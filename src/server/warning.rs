//! Prints warnings on stderr about problems that can occur a hundred times a second.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// The time between two warnings about the same problem.
const PAUSE: Duration = Duration::from_secs(60);
/// Warnings that wait to be printed. There are few kinds, so further ones are most likely the same again.
const MAX_QUEUED: usize = 16;

/// Passes warnings to the thread that prints them. Writing to stderr can block; nothing else waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Warnings(SyncSender<Warning>);

#[derive(Debug)]
struct Warning {
    problem: &'static str,
    cause: String,
}

impl Warnings {
    /// Starts the thread. It ends when the last of these is dropped.
    ///
    /// # Errors
    /// The system cannot start another thread.
    pub fn start() -> io::Result<Warnings> {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        Builder::new().name("warnings".to_owned()).spawn(move || print(&receiver))?;
        Ok(Warnings(sender))
    }

    /// Prints `problem: cause`, unless the same problem was printed in the last minute. Never blocks.
    pub fn warn(&self, problem: &'static str, cause: impl Display) {
        let _ = self.0.try_send(Warning { problem, cause: cause.to_string() });
    }
}

fn print(warnings: &Receiver<Warning>) {
    let mut printed: HashMap<&str, Instant> = HashMap::new();
    for Warning { problem, cause } in warnings {
        if printed.get(problem).map_or(true, |time| time.elapsed() > PAUSE) {
            printed.insert(problem, Instant::now());
            // When stderr is closed, nobody can be warned.
            let _ = io::stderr().write_all(format!("rust_sse_server: {problem}: {cause}\n").as_bytes());
        }
    }
}
