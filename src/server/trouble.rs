//! Sends nothing: tells on stderr of something that goes wrong again and again, a hundred times a second perhaps, and
//! is worth one line a minute.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Time between two lines about the same trouble.
const PAUSE: Duration = Duration::from_secs(60);

/// One kind of trouble, and when it was last written about.
#[derive(Debug, Default)]
pub struct Trouble {
    written: Option<Instant>,
}

impl Trouble {
    /// Writes `what` to stderr, unless there was a line about it in the last minute.
    pub fn tell(&mut self, what: impl Display) {
        if self.written.map_or(true, |written| written.elapsed() > PAUSE) {
            self.written = Some(Instant::now());
            let line = format!("rust_sse_server: {what}\n");
            // Without stderr there is nobody to tell.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}
