//! The line that tells, once a second, how far the test has come.

use std::fs;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What all clients count together.
#[derive(Default)]
pub struct Counts {
    connected: AtomicUsize,
    events: AtomicUsize,
}

/// A client that is connected, until it is dropped.
pub struct Connected<'a>(&'a Counts);

impl Counts {
    pub fn connected(&self) -> Connected<'_> {
        self.connected.fetch_add(1, Ordering::Relaxed);
        Connected(self)
    }

    /// Counts an event, if it is one to be counted.
    pub fn event(&self, counts: bool) {
        self.events.fetch_add(usize::from(counts), Ordering::Relaxed);
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The line, on stderr, written by a thread of its own.
pub struct Progress {
    counts: Arc<Counts>,
    running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Begins to tell how many of so many events have come.
    pub fn start(expected: usize) -> Progress {
        let counts = Arc::new(Counts::default());
        let (running, ended) = channel();
        let told = Arc::clone(&counts);
        let thread = thread::spawn(move || tell(&told, expected, &ended));
        Progress { counts, running, thread }
    }

    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Ends the line.
    pub fn end(self) {
        drop(self.running);
        // Had the thread panicked, only the line would be missing.
        let _ = self.thread.join();
    }
}

fn tell(counts: &Counts, expected: usize, ended: &Receiver<()>) {
    let start = Instant::now();
    let (before, after) = if is_terminal() { ("\r", "  ") } else { ("", "\n") };
    let mut told = false;
    while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        let seconds = start.elapsed().as_secs();
        let (connected, events) =
            (counts.connected.load(Ordering::Relaxed), counts.events.load(Ordering::Relaxed));
        // Without stderr there is nobody to tell.
        let _ = write!(
            io::stderr(),
            "{before}{seconds} s  {connected} connected  {events} of {expected} events{after}"
        );
        told = true;
    }
    if told && before == "\r" {
        let _ = writeln!(io::stderr());
    }
}

/// Whether stderr can rewrite a line. `std::io::IsTerminal` is younger than Rust 1.63; where this file is missing, the
/// lines stand below each other.
fn is_terminal() -> bool {
    let path = fs::read_link("/proc/self/fd/2").unwrap_or_default();
    path.starts_with("/dev/pts") || path.to_string_lossy().starts_with("/dev/tty")
}
