//! Plays a script to one client: goes through the steps of a part, sends what is due, and waits for what is not.
//!
//! A step that sends only gathers bytes. They leave in one write before the next wait, so everything that is due at the
//! same time leaves together. An event without placeholders costs a copy of the bytes that were framed when the script was
//! loaded, one write and one sleep.
//!
//! | module | what it does |
//! |---|---|
//! | [`clock`] | what a player has to know about time; real for clients, recorded in tests |
//! | `output` | sends head and chunks |
//! | `timer` | due times, waits and keep-alive comments |
//! | `loops` | turns of loops |
//! | [`random`] | random waits |

pub mod clock;
mod loops;
mod output;
pub mod random;
mod timer;

use super::context::{RenderContext, RequestContext};
use super::resume::Position;
use super::units::parse_wait;
use super::{Chunk, Ending, Part, Step, Wait};
use crate::http::chunk::ChunkedWriter;
use crate::http::AfterResponse;
use clock::{Clock, Timing};
use loops::Loops;
use output::{Output, Stop};
use random::Random;
use std::io::{self, Write};
use std::time::Duration;
use timer::Timer;

/// One response to one client.
pub struct Player<'a, W: Write, C: Clock> {
    request: RequestContext<'a>,
    output: Output<W>,
    timer: Timer<'a, C>,
    loops: Loops,
    random: Random,
}

impl<'a, W: Write, C: Clock> Player<'a, W, C> {
    /// A player that sends `head` together with the first bytes of the body.
    pub fn new(
        request: RequestContext<'a>,
        head: Vec<u8>,
        body: ChunkedWriter<W>,
        clock: C,
        timing: Timing,
    ) -> Player<'a, W, C> {
        Player {
            request,
            output: Output::new(head, body),
            timer: Timer::new(clock, timing),
            loops: Loops::default(),
            random: Random::new(timing.seed, request.connection),
        }
    }

    /// Plays `part` from `start` to its end.
    ///
    /// # Errors
    /// The connection is broken or the server stops. The body is unfinished then, and nothing more can be sent.
    pub fn play(mut self, part: &'a Part, start: Position) -> io::Result<AfterResponse> {
        match self.play_steps(&part.steps, start).and_then(|()| self.end(part)) {
            Ok(after) => Ok(after),
            Err(Stop::Dropped) => Ok(AfterResponse::Close),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn play_steps(&mut self, steps: &'a [Step], start: Position) -> Result<(), Stop> {
        for (index, step) in steps[..start.step].iter().enumerate() {
            self.pass_over(step, index)?;
        }
        let mut skip = start.skip as usize;
        let mut next = start.step;
        while let Some(step) = steps.get(next) {
            next += 1;
            match step {
                Step::Chunk(chunk) => self.send(chunk, skip)?,
                Step::Wire(text) => {
                    self.timer.note_send();
                    self.output.send_raw(&text.render(&self.context()))?;
                }
                Step::Open => {
                    self.send_head()?;
                    self.output.flush()?;
                }
                Step::Flush => self.output.flush()?,
                Step::Sleep(wait) => {
                    let time = self.choose_time(wait);
                    self.timer.sleep(time, &mut self.output)?;
                }
                Step::Clock => self.timer.restart_elapsed(),
                Step::Keepalive { every, comment } => self.timer.keep_alive(*every, comment),
                Step::DropAfter(bytes) => self.output.drop_after(*bytes)?,
                Step::Repeat { turns, every } => self.begin_loop(next, *turns, *every),
                Step::Again => {
                    if let Some(first_step) = self.next_turn()? {
                        next = first_step;
                    }
                }
            }
            // Only the first step can be resumed in its middle.
            skip = 0;
        }
        Ok(())
    }

    /// Does what a step before the start leaves behind for the steps after it.
    fn pass_over(&mut self, step: &'a Step, index: usize) -> Result<(), Stop> {
        match step {
            Step::Keepalive { every, comment } => self.timer.keep_alive(*every, comment),
            Step::DropAfter(bytes) => self.output.drop_after(*bytes)?,
            Step::Repeat { turns, every } => self.begin_loop(index + 1, *turns, *every),
            Step::Again => self.loops.end(),
            _ => {}
        }
        Ok(())
    }

    /// Ends the response as the part says.
    fn end(&mut self, part: &Part) -> Result<AfterResponse, Stop> {
        match part.ending {
            Ending::End | Ending::Close => {
                self.send_head()?;
                let is_complete = self.output.finish(&part.trailer)?;
                if is_complete && part.ending == Ending::End {
                    return Ok(AfterResponse::KeepAlive);
                }
            }
            Ending::Hang(time) => self.timer.hang(time, &mut self.output)?,
            Ending::Drop => self.output.flush()?,
            Ending::Reset => {
                self.output.flush()?;
                return Ok(AfterResponse::Reset);
            }
        }
        Ok(AfterResponse::Close)
    }

    /// Sends a chunk, or what follows the first `skip` bytes of its text.
    fn send(&mut self, chunk: &Chunk, skip: usize) -> Result<(), Stop> {
        match chunk {
            Chunk::Framed(chunk) => {
                self.start_sending()?;
                self.output.send_framed(chunk, skip)
            }
            Chunk::Rendered(text) => {
                self.start_sending()?;
                let data = text.render_after(skip, &self.context());
                self.output.send(&data)
            }
            Chunk::Pieces { text, size, every } => {
                self.output.flush()?;
                self.start_sending()?;
                let data = text.render_after(skip, &self.context());
                self.send_pieces(&data, *size, *every)
            }
        }
    }

    /// Sends data as chunks of `size` bytes, each in a separate write and `every` after the one before.
    fn send_pieces(&mut self, data: &[u8], size: usize, every: Duration) -> Result<(), Stop> {
        for (number, piece) in data.chunks(size).enumerate() {
            if number > 0 {
                self.output.flush()?;
                self.timer.sleep(every, &mut self.output)?;
                self.timer.check()?;
                self.timer.note_send();
            }
            self.output.send(piece)?;
        }
        Ok(self.output.flush()?)
    }

    fn start_sending(&mut self) -> io::Result<()> {
        self.timer.note_send();
        self.send_head()
    }

    /// Sends the head with the next flush, unless it has been sent. `{{elapsed}}` counts from then if there is no `@clock`.
    fn send_head(&mut self) -> io::Result<()> {
        if self.output.has_head() {
            self.timer.start_elapsed();
            self.output.send_head()?;
        }
        Ok(())
    }

    fn choose_time(&mut self, wait: &Wait) -> Duration {
        let (least, most) = match wait {
            Wait::Between(least, most) => (*least, *most),
            // `Part::check_waits` has checked that it is a time.
            Wait::Requested(text) => parse_wait(&text.render(&self.context())).unwrap_or_default(),
        };
        self.random.between(least, most)
    }

    fn begin_loop(&mut self, first_step: usize, turns: Option<u64>, every: Duration) {
        let every = self.timer.scale(every);
        self.loops.begin(first_step, turns, every, self.timer.mark());
    }

    /// Waits for the next turn of the innermost loop and returns the index of its first step; `None` after the last turn.
    fn next_turn(&mut self) -> Result<Option<usize>, Stop> {
        let turn = match self.loops.next_turn(self.timer.mark(), self.output.has_no_body()) {
            Some(turn) => turn,
            None => return Ok(None),
        };
        self.timer.begin_turn(turn.due, turn.rests, &mut self.output)?;
        Ok(Some(turn.first_step))
    }

    fn context(&self) -> RenderContext<'a> {
        RenderContext {
            request: self.request,
            elapsed: self.timer.elapsed(),
            time: self.timer.unix_time(),
            turn: self.loops.turn(),
        }
    }
}

#[cfg(test)]
mod tests;
