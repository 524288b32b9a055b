//! Plays a script to one client: goes through the steps of a part, sends what is due, and waits for what is not.
//!
//! A script has one part, or several for different requests (`@part`). Each was compiled to steps and an ending when it
//! was loaded; the data of a chunk ends at an empty line or at a direction:
//!
//! ```text
//! data: hello            NextStep::Text                  the chunk is ready to be sent
//!
//! @sleep 1s              NextStep::Sleep
//! data: {{elapsed}}      Step::Chunk(Chunk::Rendered)    the chunk is made for each client
//!
//!                        Ending::End                     the last-chunk
//! ```
//!
//! Sending only gathers bytes: they are written at the next wait that takes time, or at a flush, so that everything
//! due at the same time leaves in one write. The head leaves with the first chunk. An event without placeholders
//! costs a copy of its bytes, one write and one sleep.
//!
//! | module | what it does |
//! |---|---|
//! | [`clock`] | what a player has to know about time; real for clients, recorded in tests |
//! | `stream` | sends what is due: due times, waits and keep-alive comments |
//! | `output` | sends head and chunks |
//! | `loops` | turns of loops |
//! | `releases` | releases of pauses that are not reached yet |

pub mod clock;
mod loops;
mod output;
mod releases;
mod stream;

use super::context::{RenderContext, RequestContext};
use super::repeat::{Every, Turns};
use super::requested::{waits_between_pieces, MAX_REQUESTED_WAIT};
use super::resume::Position;
use super::step::NextStep;
use super::steps::Iter;
use super::units::{parse_wait, Speed};
use super::{Chunk, Ending, Part, Step, Wait};
use crate::http::chunk::ChunkedWriter;
use crate::http::AfterResponse;
use clock::Clock;
use loops::Loops;
use output::{Output, Stop};
use std::io::{self, Write};
use std::time::Duration;
use stream::Stream;

/// One response to one client.
pub struct Player<'a, W: Write, C: Clock> {
    request: RequestContext<'a>,
    stream: Stream<'a, W, C>,
    loops: Loops<'a>,
    /// How much of [`MAX_REQUESTED_WAIT`] is left for waits that the request sets. Each turn of an endless loop starts anew.
    requested_wait_left: Duration,
}

impl<'a, W: Write, C: Clock> Player<'a, W, C> {
    /// A player that sends `head` together with the first bytes of the body.
    pub fn new(
        request: RequestContext<'a>,
        head: Vec<u8>,
        body: ChunkedWriter<W>,
        clock: C,
        speed: Speed,
    ) -> Player<'a, W, C> {
        Player {
            request,
            stream: Stream::new(Output::new(head, body), clock, speed),
            loops: Loops::default(),
            requested_wait_left: MAX_REQUESTED_WAIT,
        }
    }

    /// Plays `part` from `start` to its end.
    ///
    /// # Errors
    /// The connection is broken or the server stops. The body is unfinished then, and nothing more can be sent.
    pub fn play(mut self, part: &'a Part, start: Position) -> io::Result<AfterResponse> {
        match self.play_steps(part, start).and_then(|()| self.end(part)) {
            Ok(after) => Ok(after),
            Err(Stop::Close) => Ok(AfterResponse::Close),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn play_steps(&mut self, part: &'a Part, start: Position) -> Result<(), Stop> {
        let mut steps = part.steps();
        for _ in 0..start.step {
            self.pass_over(&mut steps)?;
        }
        self.loops.skip_to(start.turn);
        let mut skip = start.skip as usize;
        while let Some(step) = steps.next() {
            self.stream.show(|| steps.lines());
            match step {
                NextStep::Text(text) => self.stream.send(&text[skip..])?,
                // Flushes first if the wait takes time.
                NextStep::Sleep(time) => self.stream.sleep(time)?,
                NextStep::Flush => self.stream.output.flush()?,
                NextStep::Other(step) => self.play_step(step, skip, &mut steps)?,
            }
            // Only the first step can be resumed in its middle.
            skip = 0;
            // After a pause, commands wait for one more step: what a test sends once it has released the pause must not
            // overtake what follows the pause.
            if !matches!(step, NextStep::Other(Step::Pause(_))) {
                self.stream.take_commands()?;
            }
        }
        Ok(())
    }

    /// Plays a step, and skips the first bytes of its text. `steps` are those that follow.
    fn play_step(&mut self, step: &'a Step, skip: usize, steps: &mut Iter<'a>) -> Result<(), Stop> {
        match step {
            Step::Chunk(chunk) => self.send(chunk, skip)?,
            // Raw bytes, which can also precede the head or come between chunks.
            Step::Wire(text) => self.stream.send_raw(&text.render(&self.context()))?,
            Step::Open => self.stream.open()?,
            Step::Sleep(wait) => {
                let time = self.choose_time(wait);
                self.stream.sleep(time)?;
            }
            Step::Pause(name) => self.stream.pause(name)?,
            Step::Clock => self.stream.restart_elapsed(),
            Step::Down(time) => self.stream.refuse_connections(*time),
            Step::Keepalive { every, comment } => self.stream.keep_alive(*every, comment),
            Step::Gzip(flush) => self.stream.output.gzip(*flush),
            Step::DropAfter(bytes) => self.stream.output.drop_after(*bytes)?,
            Step::Repeat { turns, every } => self.begin_loop(steps, turns, every),
            Step::Again => self.next_turn(steps)?,
        }
        Ok(())
    }

    /// Applies a step before the start without sending its data: settings and loops stay in force. An `@open` still sends the
    /// head at once, so that the client knows that it is connected again.
    fn pass_over(&mut self, steps: &mut Iter<'a>) -> Result<(), Stop> {
        let step = match steps.next() {
            Some(NextStep::Other(step)) => step,
            _ => return Ok(()),
        };
        match step {
            Step::Open => self.stream.open()?,
            Step::Keepalive { every, comment } => self.stream.keep_alive(*every, comment),
            Step::Gzip(flush) => self.stream.output.gzip(*flush),
            Step::DropAfter(bytes) => self.stream.output.drop_after(*bytes)?,
            Step::Repeat { turns, every } => self.begin_loop(steps, turns, every),
            Step::Again => self.loops.end(),
            _ => {}
        }
        Ok(())
    }

    /// Ends the response as the part says.
    fn end(&mut self, part: &Part) -> Result<AfterResponse, Stop> {
        self.stream.show(|| part.ending_lines);
        if let Ending::Hang(time) = part.ending {
            self.stream.hang(time)?;
        }
        self.stream.take_last_commands()?;
        if let Ending::End | Ending::Close = part.ending {
            return self.end_body(part);
        }
        // A head that has not been sent by now is not sent at all.
        self.stream.output.flush()?;
        Ok(if part.ending == Ending::Reset { AfterResponse::Reset } else { AfterResponse::Close })
    }

    /// Ends the body, and with it the response.
    fn end_body(&mut self, part: &Part) -> Result<AfterResponse, Stop> {
        self.stream.send_head()?;
        // Before the last write: the client's next request can be counted before this thread runs again.
        if let Some(visit) = self.request.visit {
            visit.end();
        }
        let is_complete = self.stream.output.finish(&part.trailer)?;
        // After an incomplete body (a wrong length, say) the client cannot find the next response.
        let persists = is_complete && part.ending == Ending::End;
        Ok(if persists { AfterResponse::KeepAlive } else { AfterResponse::Close })
    }

    /// Sends a chunk, or what follows the first `skip` bytes of its text.
    fn send(&mut self, chunk: &Chunk, skip: usize) -> Result<(), Stop> {
        match chunk {
            Chunk::Rendered(text) => {
                // Before its values are read: `{{elapsed}}` counts from when the head is sent.
                self.stream.send_head()?;
                let data = text.render_after(skip, &self.context());
                self.stream.send(&data)
            }
            Chunk::Pieces { text, size, every, is_requested } => {
                self.stream.output.flush()?;
                self.stream.send_head()?;
                let data = text.render_after(skip, &self.context());
                let mut every = *every;
                if *is_requested {
                    every = self.shorten(every, waits_between_pieces(data.len(), *size));
                }
                self.send_pieces(&data, *size, every)
            }
        }
    }

    /// Sends data as chunks of `size` bytes, each in a separate write and `every` after the one before.
    fn send_pieces(&mut self, data: &[u8], size: u32, every: Duration) -> Result<(), Stop> {
        for (number, piece) in data.chunks(size as usize).enumerate() {
            if number > 0 {
                // `sleep` flushes and checks only if it waits, which it need not at a high speed or when late.
                self.stream.output.flush()?;
                self.stream.sleep(every)?;
                self.stream.check()?;
            }
            self.stream.send(piece)?;
        }
        self.stream.output.flush()?;
        Ok(())
    }

    fn choose_time(&mut self, wait: &Wait) -> Duration {
        match wait {
            Wait::Between(least, most) => self.request.random.between(*least, *most),
            Wait::Requested(text) => {
                // `Part::check_waits` has checked that it is a time.
                let (least, most) = parse_wait(&text.render(&self.context())).unwrap_or_default();
                self.shorten(self.request.random.between(least, most), 1)
            }
            Wait::Pace(time) => self.shorten(*time, 1),
        }
    }

    /// Shortens a time that the request sets, so that `times` such waits fit into what is left.
    fn shorten(&mut self, time: Duration, times: u32) -> Duration {
        let time = time.min(self.requested_wait_left / times.max(1));
        self.requested_wait_left -= time * times;
        time
    }

    /// Not inlined, so that other steps do not need its stack.
    #[inline(never)]
    fn begin_loop(&mut self, first_step: &Iter<'a>, turns: &Turns, every: &Every) {
        // `Part::check_waits` has checked both for the first turn of every loop around this one. What is invalid in a later
        // turn counts as one turn, without a wait.
        let number = turns.number(&self.context()).unwrap_or(Some(1));
        let mut time = every.time(&self.context()).unwrap_or_default();
        if every.is_requested() {
            // Shares what is left among the turns.
            let number = number.map_or(1, |number| u32::try_from(number).unwrap_or(u32::MAX));
            time = self.shorten(time, number);
        }
        self.loops.begin(*first_step, number, self.stream.scale(time), self.stream.mark());
    }

    /// Waits for the next turn of the innermost loop and goes back to its first step, or on after the last turn.
    fn next_turn(&mut self, steps: &mut Iter<'a>) -> Result<(), Stop> {
        let turn = match self.loops.next_turn(self.stream.mark(), self.stream.output.has_no_body(), steps) {
            Some(turn) => turn,
            None => return Ok(()),
        };
        if turn.is_endless {
            self.requested_wait_left = MAX_REQUESTED_WAIT;
        }
        self.stream.begin_turn(turn.due, turn.rests)
    }

    fn context(&self) -> RenderContext<'a> {
        RenderContext {
            request: self.request,
            elapsed: self.stream.elapsed(),
            time: self.stream.unix_time(),
            turn: self.loops.turn(),
        }
    }
}

#[cfg(test)]
mod tests;
