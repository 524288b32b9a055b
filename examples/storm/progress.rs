//! Prints a line once a second that says how far the test is.

use std::fs;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The sums over all clients.
#[derive(Default)]
pub struct Counts {
    connected: AtomicUsize,
    events: AtomicUsize,
}

/// Counts as one connected client until it is dropped.
pub struct Connected<'a>(&'a Counts);

impl Counts {
    pub fn connected(&self) -> Connected<'_> {
        self.connected.fetch_add(1, Ordering::Relaxed);
        Connected(self)
    }

    pub fn add_event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A thread that prints the line on stderr.
pub struct Progress {
    counts: Arc<Counts>,
    running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Starts the thread; `expected` is the number of events that all clients together should receive, if that is known.
    pub fn start(expected: Option<usize>) -> Progress {
        let counts = Arc::new(Counts::default());
        let (running, ended) = channel();
        let shared = Arc::clone(&counts);
        let thread = thread::spawn(move || print_every_second(&shared, expected, &ended));
        Progress { counts, running, thread }
    }

    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Ends the thread.
    pub fn end(self) {
        drop(self.running);
        // A panic of the thread would have cost the line alone.
        let _ = self.thread.join();
    }
}

fn print_every_second(counts: &Counts, expected: Option<usize>, ended: &Receiver<()>) {
    let start = Instant::now();
    // On a terminal each line replaces the one before.
    let (before, after) = if stderr_is_a_terminal() { ("\r", "  ") } else { ("", "\n") };
    let of_expected = expected.map_or_else(String::new, |expected| format!(" of {expected}"));
    let mut has_printed = false;
    while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        let seconds = start.elapsed().as_secs();
        let connected = counts.connected.load(Ordering::Relaxed);
        let events = counts.events.load(Ordering::Relaxed);
        // A closed stderr is no reason to end the test.
        let _ = write!(
            io::stderr(),
            "{before}{seconds} s  {connected} connected  {events}{of_expected} events{after}"
        );
        has_printed = true;
    }
    if has_printed && before == "\r" {
        let _ = writeln!(io::stderr());
    }
}

/// `std::io::IsTerminal` is newer than Rust 1.63. On systems without `/proc` the answer is no.
fn stderr_is_a_terminal() -> bool {
    let path = fs::read_link("/proc/self/fd/2").unwrap_or_default();
    path.starts_with("/dev/pts") || path.to_string_lossy().starts_with("/dev/tty")
}
