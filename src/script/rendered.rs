//! Renders the whole body of a response before its head, whose `content-length` depends on it (`@framing length`).

use super::context::RequestContext;
use super::lines::Lines;
use super::play::clock::{Clock, WaitFor, Woken};
use super::play::Player;
use super::repeat::{Every, Turns};
use super::resume::Position;
use super::step::NextStep;
use super::steps::Steps;
use super::units::Speed;
use super::{BodyFraming, Chunk, Ending, Part, Step};
use crate::http::chunk::{ChunkedWriter, Framing};
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

/// Bytes of the longest body that is rendered in advance. Each client can have one in memory, so the limit is the same
/// as for the body of a request by default.
const MAX_RENDERED: usize = 1 << 20;

impl Part {
    /// Whether the body can be rendered in advance: nothing in it waits, and nothing bypasses its framing.
    pub(super) fn can_be_rendered(&self) -> bool {
        self.resume.is_none()
            && self.steps().all(|step| match step {
                NextStep::Text(_) | NextStep::Flush => true,
                NextStep::Other(Step::Chunk(Chunk::Pieces { every, .. })) => *every == Duration::ZERO,
                NextStep::Other(Step::Chunk(_) | Step::Clock | Step::Gzip(_) | Step::Again) => true,
                NextStep::Other(Step::Repeat { turns, every }) => {
                    *turns != Turns::Endless && **every == Every::Always(Duration::ZERO)
                }
                _ => false,
            })
    }

    /// This part with the values of a request in its body, if the length of its body has to be known and depends on them.
    ///
    /// # Errors
    /// A message, if a value is invalid or the body is too long.
    pub fn rendered(&self, context: RequestContext<'_>) -> Result<Option<Box<Part>>, String> {
        if self.framing != BodyFraming::Length(None) || self.body_length().is_some() {
            return Ok(None);
        }
        self.render(context).map(Some)
    }

    /// Not inlined, and in a box, so that other responses do not need its stack.
    #[inline(never)]
    fn render(&self, context: RequestContext<'_>) -> Result<Box<Part>, String> {
        self.check_waits(context)?;
        let mut body = Limited(Vec::new());
        let writer = ChunkedWriter::new(&mut body, Framing::UntilClose);
        // The response does not end here.
        let context = RequestContext { visit: None, ..context };
        let whole = Part { ending: Ending::End, ..self.clone() };
        Player::new(context, Vec::new(), writer, NoWait, Speed::MAX)
            .play(&whole, Position::default())
            .map_err(|error| error.to_string())?;
        let mut steps = Steps::default();
        steps.push_text(body.0.into(), Lines::NONE);
        Ok(Box::new(self.with_steps(steps)))
    }
}

/// Bytes in memory, up to [`MAX_RENDERED`].
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_RENDERED {
            let message =
                format!("the body is too long for `@framing length` (at most {MAX_RENDERED} bytes)");
            return Err(io::Error::new(io::ErrorKind::Other, message));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The clock of a body in which nothing waits.
struct NoWait;

impl Clock for NoWait {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&mut self, _: WaitFor<'_>) -> io::Result<Woken> {
        Ok(Woken::Due)
    }

    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }
}
