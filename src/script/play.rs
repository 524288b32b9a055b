//! Plays a part of a script: what is due leaves, chunk by chunk, and what is not yet due is waited for. Every due time is
//! counted from the one before, never from when the writing was done, so nothing drifts.

pub mod clock;
mod pieces;
pub mod random;
mod send;

use super::context::{unix_milliseconds, RenderContext, RequestContext};
use super::resume::Position;
use super::units::parse_wait;
use super::units::Speed;
use super::{Ending, Part, Step, Wait};
use crate::http::chunk::{ChunkedWriter, Framed};
use crate::http::AfterResponse as End;
use clock::{Clock, Timing};
use random::Random;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How long an endless loop rests in a turn in which it neither sent nor waited, lest it keep a processor busy when
/// `--speed` takes its waits away.
const REST: Duration = Duration::from_millis(10);

/// One playing of one part to one client.
pub struct Player<'a, W: Write, C: Clock> {
    body: ChunkedWriter<W>,
    /// The head, until it leaves together with the first byte of the body.
    head: Vec<u8>,
    /// `@wire` took the place of the head.
    headless: bool,
    clock: C,
    speed: Speed,
    random: Random,
    due: Instant,
    /// The present moment, as it was when last looked at: what leaves in one write was made at one moment.
    now: Instant,
    /// What placeholders show of it, and of the request.
    context: RenderContext<'a>,
    /// `{{elapsed}}` counts from here: the head, unless `@clock` came before it.
    origin: Option<Instant>,
    /// When something was last sent.
    sent: Instant,
    /// How often something was.
    sends: u64,
    /// How often before the last wait.
    sends_before_wait: u64,
    keepalive: Option<(Duration, &'a Framed)>,
    drop_after: Option<u64>,
    loops: Vec<Loop>,
}

/// A loop that is being played.
#[derive(Clone, Copy, Debug)]
struct Loop {
    turn: u64,
    /// When this turn was due.
    began: Instant,
    /// What was sent before this turn.
    sends: u64,
}

/// Why playing goes no further.
enum Stop {
    /// Something broke.
    Broken(io::Error),
    /// The script says so.
    End(End),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Broken(error)
    }
}

impl<'a, W: Write, C: Clock> Player<'a, W, C> {
    /// A player that sends `head` in front of the first byte of the body.
    pub fn new(
        request: RequestContext<'a>,
        head: Vec<u8>,
        body: ChunkedWriter<W>,
        clock: C,
        timing: Timing,
    ) -> Player<'a, W, C> {
        let now = clock.now();
        let time = unix_milliseconds(clock.system_time());
        Player {
            body,
            head,
            headless: false,
            clock,
            speed: timing.speed,
            random: Random::new(timing.seed, request.connection),
            due: now,
            now,
            context: RenderContext { request, elapsed: 0, time, turn: 0 },
            origin: None,
            sent: now,
            sends: 0,
            sends_before_wait: 0,
            keepalive: None,
            drop_after: None,
            loops: Vec::new(),
        }
    }

    /// Plays `part` from `start` to its end.
    ///
    /// # Errors
    /// What the writer or the clock said. The body is unfinished then, and nothing more can be sent.
    pub fn play(mut self, part: &'a Part, start: Position) -> io::Result<End> {
        match self.steps(&part.steps, start).and_then(|()| self.end(part)) {
            Ok(end) | Err(Stop::End(end)) => Ok(end),
            Err(Stop::Broken(error)) => Err(error),
        }
    }

    fn steps(&mut self, steps: &'a [Step], start: Position) -> Result<(), Stop> {
        for step in &steps[..start.step] {
            self.pass_over(step);
        }
        let mut skip = start.skip;
        let mut at = start.step;
        while let Some(step) = steps.get(at) {
            at += 1;
            match step {
                Step::Chunk(chunk) => self.send(chunk, skip)?,
                Step::Wire(template) => match template.as_plain() {
                    Some(bytes) => self.wire(bytes)?,
                    None => self.wire(&template.render(&self.context()))?,
                },
                Step::Open => self.send_head().and_then(|()| self.body.flush())?,
                Step::Flush => self.body.flush()?,
                Step::Sleep(wait) => {
                    let time = self.time_of(wait);
                    self.sleep(time)?;
                }
                Step::Clock => {
                    self.origin = Some(self.due);
                    self.count_elapsed();
                }
                Step::Keepalive(every, comment) => self.keepalive = Some((*every, comment)),
                Step::DropAfter(octets) => self.drop_after(*octets)?,
                Step::Repeat { .. } => self.begin_loop(),
                Step::Again { body } => at = self.next_turn(&steps[body - 1], *body, at)?,
            }
            skip = 0;
        }
        Ok(())
    }

    /// Does what a step before the start leaves behind.
    fn pass_over(&mut self, step: &'a Step) {
        match step {
            Step::Keepalive(every, comment) => self.keepalive = Some((*every, comment)),
            Step::DropAfter(octets) => self.drop_after = Some(*octets),
            Step::Repeat { .. } => self.begin_loop(),
            Step::Again { .. } => drop(self.loops.pop()),
            _ => {}
        }
    }

    fn end(&mut self, part: &Part) -> Result<End, Stop> {
        match part.ending {
            Ending::End | Ending::Close => {
                self.send_head()?;
                self.body.finish(&part.trailer)?;
                let closes = part.ending == Ending::Close || self.headless || !self.body.is_complete();
                return Ok(if closes { End::Close } else { End::KeepAlive });
            }
            Ending::Hang(time) => self.hang(time)?,
            Ending::Drop | Ending::Reset => {}
        }
        self.body.flush()?;
        Ok(if part.ending == Ending::Reset { End::Reset } else { End::Close })
    }

    /// Sends bytes outside of any framing; before the head has left, instead of it.
    fn wire(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if !self.head.is_empty() {
            self.head.clear();
            self.headless = true;
            self.body.without_framing();
        }
        self.note_sending();
        self.body.raw(bytes)?;
        Ok(self.body.flush()?)
    }

    fn note_sending(&mut self) {
        self.sent = self.due;
        self.sends += 1;
    }

    fn send_head(&mut self) -> io::Result<()> {
        if self.head.is_empty() {
            return Ok(());
        }
        if self.origin.is_none() {
            self.origin = Some(self.due);
            self.count_elapsed();
        }
        self.body.head(std::mem::take(&mut self.head))
    }

    fn drop_after(&mut self, octets: u64) -> Result<(), Stop> {
        self.drop_after = Some(octets);
        if self.body.octets() < octets {
            return Ok(());
        }
        self.send_head()?;
        self.body.flush()?;
        Err(Stop::End(End::Close))
    }

    fn time_of(&mut self, wait: &Wait) -> Duration {
        let (least, most) = match wait {
            Wait::Between(least, most) => (*least, *most),
            // Whether it is a time was checked before the head was made.
            Wait::Requested(template) => parse_wait(&template.render(&self.context())).unwrap_or_default(),
        };
        self.random.between(least, most)
    }

    /// Makes what follows due later by `time`, and waits for it. What is being played was due already, so without a time
    /// there is nothing to wait for.
    fn sleep(&mut self, time: Duration) -> Result<(), Stop> {
        match self.speed.scale(time) {
            Duration::ZERO => Ok(()),
            time => {
                self.due += time;
                self.wait()
            }
        }
    }

    /// Whether the next thing is due. Only where it was not is the clock asked again.
    fn is_due(&mut self) -> bool {
        if self.due > self.now {
            self.look();
        }
        self.due <= self.now
    }

    fn look(&mut self) {
        self.now = self.clock.now();
        self.context.time = unix_milliseconds(self.clock.system_time());
        self.count_elapsed();
    }

    fn count_elapsed(&mut self) {
        let elapsed = self.now.saturating_duration_since(self.origin.unwrap_or(self.now));
        self.context.elapsed = elapsed.as_millis() as u64;
    }

    /// Waits until the next thing is due; what was due before leaves first.
    fn wait(&mut self) -> Result<(), Stop> {
        if self.is_due() {
            return Ok(());
        }
        self.body.flush()?;
        while let Some((due, comment)) = self.next_keepalive().filter(|(due, _)| *due < self.due) {
            self.send_keepalive(due, comment)?;
        }
        if self.sends == self.sends_before_wait {
            self.clock.check()?;
        }
        self.sends_before_wait = self.sends;
        self.clock.wait_until(self.due)?;
        self.look();
        Ok(())
    }

    /// When the next keep-alive comment is due; none before the head has left, and none in the middle of a line.
    fn next_keepalive(&self) -> Option<(Instant, &'a Framed)> {
        let (every, comment) = self.keepalive?;
        let is_body = self.head.is_empty() && !self.headless && !self.body.drops_data();
        let fits = is_body && self.body.ends_a_line();
        fits.then(|| (self.sent + self.speed.scale(every).max(REST), comment))
    }

    fn send_keepalive(&mut self, due: Instant, comment: &Framed) -> Result<(), Stop> {
        self.clock.wait_until(due)?;
        self.send_framed(comment, 0)?;
        self.sent = due;
        Ok(self.body.flush()?)
    }

    /// Stays silent, or keeps alive, until the client leaves or the time has passed.
    fn hang(&mut self, time: Option<Duration>) -> Result<(), Stop> {
        self.body.flush()?;
        let end = time.map(|time| self.due + self.speed.scale(time));
        while let Some((due, comment)) =
            self.next_keepalive().filter(|(due, _)| end.map_or(true, |end| *due < end))
        {
            self.send_keepalive(due, comment)?;
        }
        Ok(self.clock.wait_for_close(end)?)
    }

    fn begin_loop(&mut self) {
        self.loops.push(Loop { turn: 1, began: self.due, sends: self.sends });
    }

    /// The place of the step that follows an `@again`: `body` for another turn, `after` when there is none.
    fn next_turn(&mut self, repeat: &Step, body: usize, after: usize) -> Result<usize, Stop> {
        let (turns, every) = match repeat {
            Step::Repeat { turns, every } => (*turns, *every),
            _ => return Ok(after),
        };
        let (sends, due) = (self.sends, self.due);
        let current = match self.loops.last_mut() {
            // What sends nothing would turn without end, and never notice that the client is gone.
            Some(current) if turns.map_or(!self.body.drops_data(), |turns| current.turn < turns) => current,
            _ => {
                self.loops.pop();
                return Ok(after);
            }
        };
        let next_due = current.began + every.map_or(Duration::ZERO, |every| self.speed.scale(every));
        let is_idle = turns.is_none() && current.sends == sends && due.max(next_due) == current.began;
        *current = Loop { turn: current.turn + 1, began: due.max(next_due), sends };
        self.due = current.began;
        self.wait()?;
        self.clock.check()?;
        if is_idle {
            self.clock.wait_until(self.now + REST)?;
        }
        self.look();
        Ok(body)
    }

    fn context(&self) -> RenderContext<'a> {
        RenderContext { turn: self.loops.last().map_or(0, |current| current.turn), ..self.context }
    }
}

#[cfg(test)]
mod tests;
