//! Decides when things are sent: counts due times, waits for them, and sends the comments of `@keepalive` while it waits.
//!
//! Every due time is counted from the one before, never from the moment when a write returned, so nothing drifts.

use super::clock::{Clock, Timing};
use super::output::{Output, Stop};
use crate::http::chunk::Framed;
use crate::script::context::unix_milliseconds;
use crate::script::units::Speed;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The pause after a turn of an endless loop in which nothing was sent and nothing was waited for, because `--speed` has
/// taken the waits away. Without it, such a loop would keep a processor busy.
const REST: Duration = Duration::from_millis(10);

/// How far a response has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// When the current step is due.
    pub due: Instant,
    /// How often something was sent.
    pub sends: u64,
}

#[derive(Clone, Copy)]
struct Keepalive<'a> {
    every: Duration,
    comment: &'a Framed,
}

/// The times of one response.
pub(super) struct Timer<'a, C: Clock> {
    clock: C,
    speed: Speed,
    /// When the current step is due.
    due: Instant,
    /// The clock when it was last read. Everything that is sent in one write shows the same time.
    now: Instant,
    /// The same in milliseconds since 1970.
    unix_time: u64,
    /// `{{elapsed}}` counts from here.
    origin: Option<Instant>,
    keepalive: Option<Keepalive<'a>>,
    /// When the last bytes were due.
    last_send: Instant,
    /// How often something was sent.
    sends: u64,
    sends_before_wait: u64,
}

impl<'a, C: Clock> Timer<'a, C> {
    pub fn new(clock: C, timing: Timing) -> Timer<'a, C> {
        let now = clock.now();
        let unix_time = unix_milliseconds(clock.system_time());
        Timer {
            clock,
            speed: timing.speed,
            due: now,
            now,
            unix_time,
            origin: None,
            keepalive: None,
            last_send: now,
            sends: 0,
            sends_before_wait: 0,
        }
    }

    /// How far the response has come.
    pub fn mark(&self) -> Mark {
        Mark { due: self.due, sends: self.sends }
    }

    /// How long this time of a script takes.
    pub fn scale(&self, time: Duration) -> Duration {
        self.speed.scale(time)
    }

    /// Milliseconds since 1970.
    pub fn unix_time(&self) -> u64 {
        self.unix_time
    }

    /// Milliseconds since `{{elapsed}}` was 0; 0 before.
    pub fn elapsed(&self) -> u64 {
        let origin = self.origin.unwrap_or(self.now);
        self.now.saturating_duration_since(origin).as_millis() as u64
    }

    /// Counts `{{elapsed}}` from the due time of the current step.
    pub fn restart_elapsed(&mut self) {
        self.origin = Some(self.due);
    }

    /// The same, unless it is counted from an earlier step.
    pub fn start_elapsed(&mut self) {
        self.origin.get_or_insert(self.due);
    }

    /// Sends `comment` from now on whenever nothing else was sent for this long.
    pub fn keep_alive(&mut self, every: Duration, comment: &'a Framed) {
        self.keepalive = Some(Keepalive { every, comment });
    }

    /// Notes that the current step sends something.
    pub fn record_send(&mut self) {
        self.last_send = self.due;
        self.sends += 1;
    }

    /// Makes what follows due later by `time` and waits for it.
    pub fn sleep<W: Write>(&mut self, time: Duration, output: &mut Output<W>) -> Result<(), Stop> {
        self.wait_until(self.due + self.speed.scale(time), output)
    }

    /// Begins a turn of a loop at `due`, after a rest if the turn before did nothing.
    pub fn begin_turn<W: Write>(
        &mut self,
        due: Instant,
        rests: bool,
        output: &mut Output<W>,
    ) -> Result<(), Stop> {
        self.wait_until(due, output)?;
        self.clock.check()?;
        if rests {
            self.clock.wait_until(self.now + REST)?;
        }
        self.read_clock();
        Ok(())
    }

    /// Sends nothing but comments until the client disconnects or the time has passed.
    pub fn hang<W: Write>(&mut self, time: Option<Duration>, output: &mut Output<W>) -> Result<(), Stop> {
        output.flush()?;
        let end = time.map(|time| self.due + self.speed.scale(time));
        self.send_comments(end, output)?;
        Ok(self.clock.wait_for_close(end)?)
    }

    /// Fails if the client has disconnected or the server stops.
    pub fn check(&mut self) -> io::Result<()> {
        self.clock.check()
    }

    /// Makes what follows due at `due` and waits for it. What was due before is sent first.
    fn wait_until<W: Write>(&mut self, due: Instant, output: &mut Output<W>) -> Result<(), Stop> {
        self.due = due;
        if due > self.now {
            self.read_clock();
        }
        if due <= self.now {
            return Ok(());
        }
        output.flush()?;
        self.send_comments(Some(due), output)?;
        // A write since the last wait would have shown that the client has disconnected.
        if self.sends == self.sends_before_wait {
            self.clock.check()?;
        }
        self.sends_before_wait = self.sends;
        self.clock.wait_until(due)?;
        self.read_clock();
        Ok(())
    }

    /// Sends every keep-alive comment that is due before `end`.
    fn send_comments<W: Write>(&mut self, end: Option<Instant>, output: &mut Output<W>) -> Result<(), Stop> {
        while let Some(Keepalive { every, comment }) = self.keepalive {
            let due = self.last_send + self.speed.scale(every).max(REST);
            if !output.can_take_comment() || end.map_or(false, |end| due >= end) {
                break;
            }
            self.clock.wait_until(due)?;
            self.last_send = due;
            self.sends += 1;
            output.send_framed(comment, 0)?;
            output.flush()?;
        }
        Ok(())
    }

    fn read_clock(&mut self) {
        self.now = self.clock.now();
        self.unix_time = unix_milliseconds(self.clock.system_time());
    }
}
