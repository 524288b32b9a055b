//! Decides when a client is sent what is due: real time for its player, which sleeps until then, and looks whether
//! going on makes sense.

use crate::script::play::clock::Clock;
use crate::trace::Tap;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long a thread sleeps without a look whether its client has reset the connection.
const SLICE: Duration = Duration::from_secs(1);
/// What is due within so many nanoseconds for each client is done at once: 1 ms at 10,000 clients, which takes a quarter
/// off the work of waking threads, and nothing to speak of where there are few.
const TOGETHER: u64 = 100;

/// What a server's state means for those who wait.
#[derive(Debug)]
pub struct ServerState {
    started: Instant,
    /// Clients that have a place at this moment.
    pub open: AtomicUsize,
    /// Set when the server stops.
    pub stop: AtomicBool,
    /// Counted up to break all streams that play.
    pub breaks: AtomicUsize,
    /// Connections so far.
    connections: AtomicU64,
}

impl ServerState {
    /// That of a server which has no client yet.
    pub fn new() -> ServerState {
        ServerState {
            started: Instant::now(),
            open: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            breaks: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
        }
    }

    /// The number of the next connection, from 1.
    pub fn next_number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// When to do what is due: never earlier, and at the same time as what is due soon after for others.
    fn together(&self, due: Instant) -> Instant {
        let step = self.open.load(Ordering::Relaxed) as u64 * TOGETHER;
        let since_start = due.saturating_duration_since(self.started).as_nanos() as u64;
        match since_start.checked_rem(step) {
            None | Some(0) => due,
            Some(past) => due + Duration::from_nanos(step - past),
        }
    }
}

impl Default for ServerState {
    fn default() -> ServerState {
        ServerState::new()
    }
}

/// The clock of one playing.
pub struct ClientClock<'a> {
    stream: &'a TcpStream,
    server: &'a ServerState,
    tap: &'a Tap<'a>,
    /// `breaks` when the playing began.
    breaks_before: usize,
}

impl<'a> ClientClock<'a> {
    /// A clock whose waits end within a second when the client resets `stream`, or the server stops or breaks all
    /// streams; the error is `ConnectionAborted` for the last two.
    pub fn new(stream: &'a TcpStream, server: &'a ServerState, tap: &'a Tap<'a>) -> ClientClock<'a> {
        ClientClock { stream, server, tap, breaks_before: server.breaks.load(Ordering::Relaxed) }
    }

    /// Whether the server wants to go on; unlike a look at the connection, this is no system call.
    fn check_server(&self) -> io::Result<()> {
        let has_broken = self.server.breaks.load(Ordering::Relaxed) != self.breaks_before;
        match has_broken || self.server.stop.load(Ordering::Relaxed) {
            true => Err(ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }
}

impl Clock for ClientClock<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Sleeps in slices of a second at most, with a look at the connection between them. A socket timeout would do both at
    /// once, but is 20 to 40 ms late where `thread::sleep` is 0.1 ms.
    fn wait_until(&mut self, due: Instant) -> io::Result<()> {
        let due = self.server.together(due);
        self.tap.waits(Some(due));
        loop {
            let left = due.saturating_duration_since(Instant::now());
            thread::sleep(left.min(SLICE));
            if left <= SLICE {
                return self.check_server();
            }
            self.check()?;
        }
    }

    /// `take_error` shows a reset even while request bytes lie unread. A client that only closed its sending half is not
    /// gone: it may still be reading.
    fn check(&mut self) -> io::Result<()> {
        self.check_server()?;
        match self.stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Nothing more will be written, so a client that has closed its sending half is as good as gone.
    fn wait_for_close(&mut self, due: Option<Instant>) -> io::Result<()> {
        self.tap.waits(due);
        let mut buffer = [0; 256];
        loop {
            let left = due.map_or(SLICE, |due| due.saturating_duration_since(Instant::now()));
            if left == Duration::ZERO {
                return Ok(());
            }
            self.check()?;
            self.stream.set_read_timeout(Some(left.min(SLICE)))?;
            match (&mut &*self.stream).read(&mut buffer) {
                Ok(0) => {
                    self.tap.client_closed();
                    return Ok(());
                }
                Err(error)
                    if !matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) =>
                {
                    return Err(error)
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_clients_there_are_the_more_is_done_together_and_nothing_is_early() {
        let server = ServerState::new();
        let due = |nanoseconds| server.started + Duration::from_nanos(nanoseconds);
        assert_eq!(server.together(due(1_234_567)), due(1_234_567));
        server.open.store(10_000, Ordering::Relaxed);
        assert_eq!(server.together(due(1_234_567)), due(2_000_000));
        assert_eq!(server.together(due(2_000_000)), due(2_000_000));
    }
}
