//! Waits for the threads of a server that stops.

use super::shared::Shared;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long to wait for the threads when the server stops. They are interrupted and end within a millisecond or two, except
/// one that is writing a trace or a log to a pipe that nobody reads.
const END_TIME: Duration = Duration::from_millis(100);
/// The time between two checks whether they have ended.
const END_POLL: Duration = Duration::from_micros(500);

/// The threads of a server that outlive every client.
#[derive(Debug)]
pub(crate) struct Threads {
    /// One for each port, the server's own first.
    pub accept: Vec<JoinHandle<()>>,
    pub spawn: JoinHandle<()>,
    pub overload: JoinHandle<()>,
}

impl Threads {
    /// Waits until a client has stopped the server and its threads have ended.
    pub fn join(mut self, shared: &Shared) {
        // The thread of the server's own port. This fails only when it has panicked; then there is nothing to wait for.
        let _ = self.accept.remove(0).join();
        self.wait_for_end(shared);
    }

    /// Waits until all threads of a stopping server have ended, but no longer than [`END_TIME`].
    pub fn wait_for_end(&self, shared: &Shared) {
        let deadline = Instant::now() + END_TIME;
        while Instant::now() < deadline && (shared.has_clients() || !self.have_ended()) {
            thread::sleep(END_POLL);
        }
    }

    fn have_ended(&self) -> bool {
        self.accept.iter().chain([&self.spawn, &self.overload]).all(JoinHandle::is_finished)
    }
}
