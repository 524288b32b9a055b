//! Sends what a script sends when it is due: counts due times, waits for them, and meanwhile sends the comments of
//! `@keepalive` and the chunks of a test.
//!
//! Every due time is counted from the one before, never from the moment when a write returned, so nothing drifts.

use super::clock::{Clock, Command, WaitFor, Woken};
use super::output::{Output, Stop};
use super::releases::Releases;
use crate::script::context::unix_milliseconds;
use crate::script::lines::Lines;
use crate::script::units::Speed;
use crate::text::shared::SharedBytes;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The pause after a turn of an endless loop in which nothing was sent and nothing was waited for: `--speed` has taken the
/// waits away, or the values of the request are empty. Without it, such a loop would keep a processor busy.
const REST: Duration = Duration::from_millis(10);

/// How far a response has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// When the current step is due.
    pub due: Instant,
    /// Bytes that were sent.
    pub sent: u64,
}

/// A comment that is sent after a silence (`@keepalive`).
#[derive(Clone, Copy)]
struct Keepalive<'a> {
    every: Duration,
    comment: &'a SharedBytes,
}

/// One response, with the times at which it is sent.
pub(super) struct Stream<'a, W: Write, C: Clock> {
    pub output: Output<W>,
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
    /// Bytes that were sent.
    sent: u64,
    /// The same, at the last wait.
    sent_before_wait: u64,
    releases: Releases,
}

impl<'a, W: Write, C: Clock> Stream<'a, W, C> {
    pub fn new(output: Output<W>, clock: C, speed: Speed) -> Stream<'a, W, C> {
        let now = clock.now();
        let unix_time = unix_milliseconds(clock.system_time());
        Stream {
            output,
            clock,
            speed,
            due: now,
            now,
            unix_time,
            origin: None,
            keepalive: None,
            last_send: now,
            sent: 0,
            sent_before_wait: 0,
            releases: Releases::default(),
        }
    }

    /// How far the response has come.
    pub fn mark(&self) -> Mark {
        Mark { due: self.due, sent: self.sent }
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

    /// Refuses connections to the port of the client for this long.
    pub fn refuse_connections(&mut self, time: Duration) {
        self.clock.refuse_connections(self.speed.scale(time));
    }

    /// Sends `comment` from now on whenever nothing else was sent for this long.
    pub fn keep_alive(&mut self, every: Duration, comment: &'a SharedBytes) {
        self.keepalive = Some(Keepalive { every, comment });
    }

    /// Shows to those who watch which lines of the script are played now.
    pub fn show(&self, lines: impl FnOnce() -> Option<Lines>) {
        if self.clock.is_watched() {
            self.clock.show(lines(), self.output.unsent());
        }
    }

    /// Sends data as one chunk.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Stop> {
        self.send_head()?;
        self.record_send(data, self.due);
        self.output.send(data)
    }

    /// Sends bytes as they are, without framing.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.record_send(bytes, self.due);
        self.output.send_raw(bytes)
    }

    /// Sends the head with what follows, unless it has been sent. `{{elapsed}}` counts from now unless an `@clock` says
    /// otherwise.
    pub fn send_head(&mut self) -> io::Result<()> {
        if self.output.head_is_unsent() {
            self.origin.get_or_insert(self.due);
            self.output.send_head()?;
        }
        Ok(())
    }

    /// Sends the head now, before the body has begun.
    pub fn open(&mut self) -> io::Result<()> {
        self.send_head()?;
        self.output.flush()
    }

    /// Notes that bytes are sent that are due at this time.
    fn record_send(&mut self, bytes: &[u8], due: Instant) {
        self.last_send = due;
        self.sent += bytes.len() as u64;
    }

    /// Makes what follows due later by `time` and waits for it.
    pub fn sleep(&mut self, time: Duration) -> Result<(), Stop> {
        self.wait_until(self.due + self.speed.scale(time))
    }

    /// Begins a turn of a loop at `due`, after a rest if the turn before did nothing.
    pub fn begin_turn(&mut self, due: Instant, rests: bool) -> Result<(), Stop> {
        self.wait_until(due)?;
        self.clock.check()?;
        if rests {
            self.wait(WaitFor::Due(self.now + REST))?;
        }
        self.read_clock();
        Ok(())
    }

    /// Sends nothing but comments until the client disconnects or the time has passed.
    pub fn hang(&mut self, time: Option<Duration>) -> Result<(), Stop> {
        self.output.flush()?;
        let end = time.map(|time| self.due + self.speed.scale(time));
        self.wait(WaitFor::Close(end))
    }

    /// Waits until a test releases the pause with this name, unless it has done so before. What follows is due then.
    pub fn pause(&mut self, name: &str) -> Result<(), Stop> {
        self.output.flush()?;
        if !self.releases.take(name) {
            self.wait(WaitFor::Release(name))?;
        }
        self.read_clock();
        self.due = self.now;
        Ok(())
    }

    /// Executes the commands that a test has given in the meantime.
    pub fn take_commands(&mut self) -> Result<(), Stop> {
        while let Some(command) = self.clock.next_command()? {
            self.execute(command)?;
        }
        Ok(())
    }

    /// Like `take_commands`, at the end of the response, after which no command is accepted.
    pub fn take_last_commands(&mut self) -> Result<(), Stop> {
        self.clock.close_commands();
        self.take_commands()
    }

    fn execute(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Release(name) => self.releases.add(name),
            Command::Send(chunk) => self.send_chunk(&chunk)?,
        }
        Ok(())
    }

    /// Not inlined: the stack of an ordinary stream does not need it.
    #[inline(never)]
    fn send_chunk(&mut self, chunk: &SharedBytes) -> Result<(), Stop> {
        self.send_head()?;
        self.send_between(chunk, self.clock.now())
    }

    /// Sends a chunk that is not part of the script, and is due at this time.
    fn send_between(&mut self, chunk: &[u8], due: Instant) -> Result<(), Stop> {
        self.record_send(chunk, due);
        self.output.send(chunk)?;
        Ok(self.output.flush()?)
    }

    /// Fails if the client has disconnected or the server stops.
    pub fn check(&mut self) -> io::Result<()> {
        self.clock.check()
    }

    /// Makes what follows due at `due` and waits for it. What was due before is sent first.
    fn wait_until(&mut self, due: Instant) -> Result<(), Stop> {
        self.due = due;
        if due > self.now {
            self.read_clock();
        }
        if due <= self.now {
            return Ok(());
        }
        self.output.flush()?;
        // A write since the last wait would have shown that the client has disconnected.
        if self.sent == self.sent_before_wait {
            self.clock.check()?;
        }
        self.sent_before_wait = self.sent;
        self.wait(WaitFor::Due(due))?;
        self.read_clock();
        Ok(())
    }

    /// Waits, and meanwhile sends what is not part of the script: every keep-alive comment that is due before the wait
    /// is over, and the chunks of a test.
    fn wait(&mut self, wait: WaitFor<'_>) -> Result<(), Stop> {
        loop {
            let comment = self.next_comment().filter(|(due, _)| wait.due().map_or(true, |end| *due < end));
            let wake = comment.map_or(wait, |(due, _)| WaitFor::Due(due));
            match (self.clock.wait(wake)?, comment) {
                (Woken::Due, None) => return Ok(()),
                (Woken::Due, Some((due, comment))) => self.send_between(comment, due)?,
                (Woken::Called, _) => {
                    while let Some(command) = self.clock.next_command()? {
                        self.execute(command)?;
                        // Later commands are for what follows the pause.
                        if matches!(wait, WaitFor::Release(name) if self.releases.take(name)) {
                            return Ok(());
                        }
                    }
                }
                (Woken::Closed, _) => return Err(Stop::Close),
            }
        }
    }

    /// The next keep-alive comment, and when it is due, if one can be sent.
    fn next_comment(&self) -> Option<(Instant, &'a SharedBytes)> {
        let Keepalive { every, comment } = self.keepalive.filter(|_| self.output.can_take_comment())?;
        Some((self.last_send + self.speed.scale(every).max(REST), comment))
    }

    fn read_clock(&mut self) {
        self.now = self.clock.now();
        self.unix_time = unix_milliseconds(self.clock.system_time());
    }
}
