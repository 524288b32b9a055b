//! The clock of a playing script: waits in real time until the next step is due, and checks meanwhile whether the client
//! is still connected and the server still wants to go on.

use super::shared::Shared;
use super::socket;
use super::stream_control::StreamControl;
use crate::script::lines::Lines;
use crate::script::play::clock::{Clock, Command, WaitFor, Woken};
use crate::trace::tap::Tap;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long a thread waits without checking whether its client has disconnected.
const SLICE: Duration = Duration::from_secs(1);
/// The shortest time between two such checks in a wait that can end because the client closes its side. The longer the
/// wait has lasted, the rarer they are: a test sees the end soon, and a stream that hangs for hours costs little.
const FIRST_SLICE: Duration = Duration::from_millis(5);
/// Nanoseconds, for each client, by which a step may be late so that steps of several clients are done together: 0.1 ms
/// with 1,000 clients and 1 ms with 10,000, where it saves a quarter of the processor time (26 µs instead of 37 µs for an
/// event), because threads that wake together wake more cheaply.
const GROUPING_PER_CLIENT: u64 = 100;

/// The clock for one stream.
pub(crate) struct ClientClock<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    tap: &'a Tap<'a>,
    /// The commands of a test for the stream.
    control: &'a StreamControl,
    /// When it was last checked whether the client has closed its side.
    checked_at: Instant,
    /// How many clients had been rejected then.
    rejections: usize,
    /// The client has closed its side, and is not counted as open.
    has_closed: bool,
}

impl<'a> ClientClock<'a> {
    /// A clock whose waits end early when the server stops or `control` has a command, and within a second when the
    /// client resets `stream`.
    pub fn new(
        stream: &'a TcpStream,
        control: &'a StreamControl,
        shared: &'a Shared,
        tap: &'a Tap<'a>,
    ) -> ClientClock<'a> {
        ClientClock {
            stream,
            shared,
            tap,
            control,
            checked_at: Instant::now(),
            rejections: shared.rejections.load(Ordering::Relaxed),
            has_closed: false,
        }
    }

    /// Notices that the client has closed its side. Only a write could tell whether it has left, or has only shut down its
    /// sending half and still reads, as `nc -N` does. So it keeps its stream, until there is no room for another client.
    fn check_for_close(&mut self) -> io::Result<()> {
        if !self.has_closed && socket::has_ended(self.stream)? {
            self.has_closed = true;
            self.shared.open_clients.fetch_sub(1, Ordering::Relaxed);
        }
        let rejections = self.shared.rejections.load(Ordering::Relaxed);
        if self.has_closed && rejections != self.rejections {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.rejections = rejections;
        Ok(())
    }

    /// Waits for at most a second at a time and checks the connection in between. A read timeout would do both at once,
    /// but it is 20 to 40 ms late, where `park_timeout` is as good as `sleep`: both were 0.085 ms late at the median of
    /// 1,000 threads. And another thread can end it.
    fn wait_until(&mut self, due: Instant) -> io::Result<Woken> {
        let due = self.round_up(due);
        self.tap.waits(Some(due));
        loop {
            if self.must_look()? {
                return Ok(Woken::Called);
            }
            let left = due.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Ok(Woken::Due);
            }
            thread::park_timeout(left.min(SLICE));
            if left > SLICE {
                self.check()?;
            }
        }
    }

    /// Like `wait_until`, and checks with `has_ended` whether the client has closed its side. A client that has only
    /// shut down its sending half counts as gone, because there may never be a write that would show the difference.
    #[inline(never)]
    fn wait_for_close(
        &mut self,
        due: Option<Instant>,
        has_ended: fn(&TcpStream) -> io::Result<bool>,
    ) -> io::Result<Woken> {
        let start = Instant::now();
        loop {
            if self.must_look()? {
                return Ok(Woken::Called);
            }
            self.check()?;
            if has_ended(self.stream)? {
                self.tap.client_closed();
                return Ok(Woken::Closed);
            }
            let slice = (start.elapsed() / 4).clamp(FIRST_SLICE, SLICE);
            let left = due.map_or(slice, |due| due.saturating_duration_since(Instant::now()));
            if left == Duration::ZERO {
                return Ok(Woken::Due);
            }
            thread::park_timeout(left.min(slice));
        }
    }

    /// Whether there may be a command, including one to end. This takes no system call.
    fn must_look(&self) -> io::Result<bool> {
        self.shared.check_is_running()?;
        Ok(self.control.is_signaled())
    }

    /// Rounds a due time up to the grid of all clients, which is coarser the more clients there are. Nothing is ever early.
    fn round_up(&self, due: Instant) -> Instant {
        let clients = self.shared.open_clients.load(Ordering::Relaxed) as u64;
        round_up(due, self.shared.started_at, clients)
    }
}

fn round_up(due: Instant, origin: Instant, clients: u64) -> Instant {
    let step = clients * GROUPING_PER_CLIENT;
    let since_origin = due.saturating_duration_since(origin).as_nanos() as u64;
    match since_origin.checked_rem(step) {
        None | Some(0) => due,
        Some(past) => due + Duration::from_nanos(step - past),
    }
}

impl Clock for ClientClock<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&mut self, wait: WaitFor<'_>) -> io::Result<Woken> {
        match wait {
            WaitFor::Due(due) => self.wait_until(due),
            WaitFor::Release(name) => {
                self.tap.pauses(name);
                self.wait_for_close(None, socket::has_ended)
            }
            WaitFor::Close(due) => {
                self.tap.waits(due);
                self.wait_for_close(due, socket::discard_until_end)
            }
        }
    }

    /// `take_error` reports a reset even when bytes of a request are unread.
    fn check(&mut self) -> io::Result<()> {
        self.shared.check_is_running()?;
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        // Scripts that wait for a short time only, in a loop, come here often.
        if self.checked_at.elapsed() < SLICE {
            return Ok(());
        }
        self.checked_at = Instant::now();
        self.check_for_close()
    }

    fn is_watched(&self) -> bool {
        self.tap.is_watched()
    }

    fn show(&self, lines: Option<Lines>, unsent: usize) {
        self.tap.plays(lines.map(|Lines { first, last }| [first, last]), unsent);
    }

    fn refuse_connections(&mut self, time: Duration) {
        let address = self.stream.local_addr().ok();
        if let Some(port) = address.and_then(|address| self.shared.ports.find(address.port())) {
            port.pause_listening(time);
        }
    }

    fn next_command(&mut self) -> io::Result<Option<Command>> {
        self.control.next_command()
    }

    fn close_commands(&mut self) {
        self.control.close();
    }
}

impl Drop for ClientClock<'_> {
    fn drop(&mut self) {
        if self.has_closed {
            self.shared.open_clients.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_many_clients_are_grouped_and_never_early() {
        let origin = Instant::now();
        let due = |nanoseconds| origin + Duration::from_nanos(nanoseconds);
        assert_eq!(round_up(due(1_234_567), origin, 0), due(1_234_567));
        assert_eq!(round_up(due(1_234_567), origin, 10_000), due(2_000_000));
        assert_eq!(round_up(due(2_000_000), origin, 10_000), due(2_000_000));
    }
}
