//! Counts the turns of loops, and decides when the next one is due.

use super::stream::Mark;
use crate::script::steps::Iter;
use std::time::{Duration, Instant};

/// The loops that are open, the innermost last.
#[derive(Default)]
pub(super) struct Loops<'a>(Vec<OpenLoop<'a>>);

struct OpenLoop<'a> {
    /// From the step after its `Repeat`.
    first_step: Iter<'a>,
    /// `None` for an endless loop.
    turns: Option<u64>,
    every: Duration,
    /// The current turn, from 1.
    turn: u64,
    /// Where this turn began.
    start: Mark,
}

/// A turn that follows another.
pub(super) struct NextTurn {
    pub due: Instant,
    pub is_endless: bool,
    /// The turn before neither sent nor waited, and there is no end to the turns.
    pub rests: bool,
}

impl<'a> Loops<'a> {
    /// Begins a loop at this step.
    pub fn begin(&mut self, first_step: Iter<'a>, turns: Option<u64>, every: Duration, start: Mark) {
        self.0.push(OpenLoop { first_step, turns, every, turn: 1, start });
    }

    /// Makes this the current turn of the innermost loop.
    pub fn skip_to(&mut self, turn: Option<u64>) {
        if let (Some(open), Some(turn)) = (self.0.last_mut(), turn) {
            open.turn = turn;
        }
    }

    /// Leaves the innermost loop.
    pub fn end(&mut self) {
        self.0.pop();
    }

    /// The current turn of the innermost loop; 0 outside of loops.
    pub fn turn(&self) -> u64 {
        self.0.last().map_or(0, |open| open.turn)
    }

    /// Goes back to the first step of the innermost loop for its next turn. `None` after its last turn, which ends the loop.
    /// Without a body, an endless loop is over after one turn, because no write would ever show that the client has
    /// disconnected.
    pub fn next_turn(&mut self, now: Mark, has_no_body: bool, steps: &mut Iter<'a>) -> Option<NextTurn> {
        let open = self.0.last_mut()?;
        let is_last = open.turns.map_or(has_no_body, |turns| open.turn >= turns);
        if is_last {
            self.0.pop();
            return None;
        }
        let next = Mark { due: now.due.max(open.start.due + open.every), ..now };
        let is_endless = open.turns.is_none();
        let rests = is_endless && open.start == next;
        open.turn += 1;
        open.start = next;
        *steps = open.first_step;
        Some(NextTurn { due: next.due, is_endless, rests })
    }
}
