//! Checks the waits and the turns that a request sets, before the response begins.

use super::context::{RenderContext, RequestContext};
use super::repeat::{Turns, MAX_REQUESTED_TURNS};
use super::step::NextStep;
use super::units::parse_wait;
use super::{Chunk, Part, Step, Wait};
use std::time::Duration;

/// The longest time that the waits which a request decides can take together, in one response or in one turn of an endless
/// loop. A client that disconnected without a reset is noticed only at the next write, and counts as connected until then.
pub(super) const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(10 * 60);

/// How often the steps in a loop are played.
#[derive(Clone, Copy)]
struct InLoop {
    /// In all loops inside each other.
    times: f64,
    /// In those of them whose turns the request sets. If there is such a loop, the request sets all waits in it.
    requested_times: Option<f64>,
}

/// The same, outside of all loops.
const OUTSIDE: InLoop = InLoop { times: 1.0, requested_times: None };

impl Part {
    /// Checks the turns and waits that the request decides, as they are in the first turn of each loop. If later turns
    /// decide on longer waits, the player shortens them.
    ///
    /// # Errors
    /// A message about the first that is not a number or a time, or if they are too many or take more than 10 minutes
    /// together.
    pub fn check_waits(&self, request: RequestContext<'_>) -> Result<(), String> {
        let mut context = RenderContext::of_head(request);
        let mut seconds = 0.0;
        let mut loops = Vec::new();
        for step in self.steps() {
            let now = *loops.last().unwrap_or(&OUTSIDE);
            context.turn = if loops.is_empty() { 0 } else { 1 };
            match step {
                NextStep::Other(Step::Repeat { turns, every }) => {
                    let inside = now.and(turns, &context)?;
                    if every.is_requested() || inside.requested_times.is_some() {
                        seconds += inside.times * every.time(&context)?.as_secs_f64();
                    }
                    loops.push(inside);
                }
                NextStep::Other(Step::Again) => {
                    loops.pop();
                }
                step => {
                    let (waits, time) = requested_waits(step, now.requested_times.is_some(), &context)?;
                    seconds += now.times * (f64::from(waits) * time.as_secs_f64());
                }
            }
        }
        if seconds > MAX_REQUESTED_WAIT.as_secs_f64() {
            return Err("the requested waits are too long (at most 10m together)".to_owned());
        }
        Ok(())
    }
}

/// The waits of this step that the request decides, or all of its waits if `all` is true: their number, and the longest
/// time that each takes.
fn requested_waits(
    step: NextStep<'_>,
    all: bool,
    context: &RenderContext<'_>,
) -> Result<(u32, Duration), String> {
    match step {
        NextStep::Sleep(time) if all => Ok((1, time)),
        NextStep::Other(Step::Sleep(Wait::Between(_, most))) if all => Ok((1, *most)),
        NextStep::Other(Step::Sleep(Wait::Pace(time))) => Ok((1, *time)),
        NextStep::Other(Step::Sleep(Wait::Requested(template))) => {
            let wait = parse_wait(&template.render(context));
            wait.map(|(_, most)| (1, most)).map_err(|message| template.explain(&message))
        }
        NextStep::Other(Step::Chunk(Chunk::Pieces { text, size, every, is_requested }))
            if *every > Duration::ZERO =>
        {
            let length = text.render(context).len();
            let mut waits = waits_between_pieces(length, *size);
            if !is_requested && !all {
                // Only the waits within values of the request count.
                let own_length = length.saturating_sub(text.requested_bytes(context));
                waits -= waits_between_pieces(own_length, *size);
            }
            Ok((waits, *every))
        }
        _ => Ok((0, Duration::ZERO)),
    }
}

impl InLoop {
    /// How often the steps are played in a loop with these turns inside this one.
    fn and(self, turns: &Turns, context: &RenderContext<'_>) -> Result<InLoop, String> {
        let number = turns.number(context)?.map_or(1.0, |turns| turns as f64);
        // Finite: infinity times a wait of zero is NaN, which is above no limit.
        let times = (self.times * number).min(f64::MAX);
        if !matches!(turns, Turns::Requested(_)) {
            return Ok(InLoop { times, ..self });
        }
        let requested_times = self.requested_times.unwrap_or(1.0) * number;
        if requested_times > MAX_REQUESTED_TURNS as f64 {
            return Err(format!("the requested turns are too many (at most {MAX_REQUESTED_TURNS} together)"));
        }
        Ok(InLoop { times, requested_times: Some(requested_times) })
    }
}

/// The number of waits between the pieces of a text of this length.
pub(super) fn waits_between_pieces(length: usize, size: u32) -> u32 {
    u32::try_from(length.saturating_sub(1) / size as usize).unwrap_or(u32::MAX)
}
