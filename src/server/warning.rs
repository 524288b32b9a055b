//! Warnings on stderr about problems that can occur a hundred times a second.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The time between two warnings about the same problem.
const PAUSE: Duration = Duration::from_secs(60);

/// A warning that is printed at most once a minute.
#[derive(Debug, Default)]
pub(super) struct RateLimitedWarning {
    printed_at: Option<Instant>,
}

impl RateLimitedWarning {
    /// Prints a message to stderr, unless one was printed in the last minute.
    pub fn print(&mut self, message: impl Display) {
        if self.printed_at.map_or(true, |printed_at| printed_at.elapsed() > PAUSE) {
            self.printed_at = Some(Instant::now());
            let line = format!("rust_sse_server: {message}\n");
            // When stderr is closed, nobody can be warned.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}
