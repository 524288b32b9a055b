//! Decides when things are sent: counts due times, waits for them, and sends the comments of `@keepalive` and the
//! chunks of a test while it waits.
//!
//! Every due time is counted from the one before, never from the moment when a write returned, so nothing drifts.

use super::clock::{Clock, Command, Timing, WaitFor, Woken};
use super::output::{Output, Stop};
use super::releases::Releases;
use crate::script::context::unix_milliseconds;
use crate::script::lines::Lines;
use crate::script::units::Speed;
use crate::text::shared::SharedBytes;
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
    comment: &'a SharedBytes,
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
    releases: Releases,
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
            releases: Releases::default(),
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
    fn start_elapsed(&mut self) {
        self.origin.get_or_insert(self.due);
    }

    /// Refuses connections to the port of the client for this long.
    pub fn refuse_connections(&mut self, time: Duration) {
        self.clock.refuse_connections(self.speed.scale(time));
    }

    /// Sends `comment` from now on whenever nothing else was sent for this long.
    pub fn keep_alive(&mut self, every: Duration, comment: &'a SharedBytes) {
        self.keepalive = Some(Keepalive { every, comment });
    }

    /// Notes that the current step sends something.
    pub fn record_send(&mut self) {
        self.last_send = self.due;
        self.sends += 1;
    }

    /// Shows to those who watch which lines of the script are played now.
    pub fn show<W: Write>(&self, lines: impl FnOnce() -> Option<Lines>, output: &Output<W>) {
        if self.clock.is_watched() {
            self.clock.show(lines(), output.unsent());
        }
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
            self.wait(WaitFor::Due(self.now + REST), output)?;
        }
        self.read_clock();
        Ok(())
    }

    /// Sends nothing but comments until the client disconnects or the time has passed.
    pub fn hang<W: Write>(&mut self, time: Option<Duration>, output: &mut Output<W>) -> Result<(), Stop> {
        output.flush()?;
        let end = time.map(|time| self.due + self.speed.scale(time));
        self.wait(WaitFor::Close(end), output)
    }

    /// Waits until a test releases the pause with this name, unless it has done so before. What follows is due then.
    pub fn pause<W: Write>(&mut self, name: &str, output: &mut Output<W>) -> Result<(), Stop> {
        output.flush()?;
        if !self.releases.take(name) {
            self.wait(WaitFor::Release(name), output)?;
        }
        self.read_clock();
        self.due = self.now;
        Ok(())
    }

    /// Executes the commands that a test has given in the meantime.
    pub fn take_commands<W: Write>(&mut self, output: &mut Output<W>) -> Result<(), Stop> {
        while let Some(command) = self.clock.next_command()? {
            self.execute(command, output)?;
        }
        Ok(())
    }

    /// Like `take_commands`, at the end of the response, after which no command is accepted.
    pub fn take_last_commands<W: Write>(&mut self, output: &mut Output<W>) -> Result<(), Stop> {
        while let Some(command) = self.clock.last_command()? {
            self.execute(command, output)?;
        }
        Ok(())
    }

    fn execute<W: Write>(&mut self, command: Command, output: &mut Output<W>) -> Result<(), Stop> {
        match command {
            Command::Release(name) => self.releases.add(name),
            Command::Send(chunk) => self.send_chunk(&chunk, output)?,
        }
        Ok(())
    }

    /// Not inlined: the stack of an ordinary stream does not need it.
    #[inline(never)]
    fn send_chunk<W: Write>(&mut self, chunk: &SharedBytes, output: &mut Output<W>) -> Result<(), Stop> {
        self.send_head(output)?;
        self.last_send = self.clock.now();
        self.sends += 1;
        output.send(chunk)?;
        Ok(output.flush()?)
    }

    /// Gathers the head, unless that has been done. `{{elapsed}}` counts from now unless an `@clock` says otherwise.
    pub fn send_head<W: Write>(&mut self, output: &mut Output<W>) -> io::Result<()> {
        if output.head_is_unsent() {
            self.start_elapsed();
            output.send_head()?;
        }
        Ok(())
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
        // A write since the last wait would have shown that the client has disconnected.
        if self.sends == self.sends_before_wait {
            self.clock.check()?;
        }
        self.sends_before_wait = self.sends;
        self.wait(WaitFor::Due(due), output)?;
        self.read_clock();
        Ok(())
    }

    /// Waits, and meanwhile sends what is not part of the script: every keep-alive comment that is due before the wait
    /// is over, and the chunks of a test.
    fn wait<W: Write>(&mut self, wait: WaitFor<'_>, output: &mut Output<W>) -> Result<(), Stop> {
        loop {
            let comment_due =
                self.comment_due(output).filter(|due| wait.due().map_or(true, |end| *due < end));
            match (self.clock.wait(comment_due.map_or(wait, WaitFor::Due))?, comment_due) {
                (Woken::Due, None) => return Ok(()),
                (Woken::Due, Some(due)) => self.send_comment(due, output)?,
                (Woken::Called, _) => {
                    while let Some(command) = self.clock.next_command()? {
                        self.execute(command, output)?;
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

    /// When the next keep-alive comment is due, if one can be sent.
    fn comment_due<W: Write>(&self, output: &Output<W>) -> Option<Instant> {
        let Keepalive { every, .. } = self.keepalive.filter(|_| output.can_take_comment())?;
        Some(self.last_send + self.speed.scale(every).max(REST))
    }

    fn send_comment<W: Write>(&mut self, due: Instant, output: &mut Output<W>) -> Result<(), Stop> {
        if let Some(Keepalive { comment, .. }) = self.keepalive {
            self.last_send = due;
            self.sends += 1;
            output.send(comment)?;
            output.flush()?;
        }
        Ok(())
    }

    fn read_clock(&mut self) {
        self.now = self.clock.now();
        self.unix_time = unix_milliseconds(self.clock.system_time());
    }
}
