//! Counts the turns of loops, and decides when the next one is due.

use std::time::{Duration, Instant};

/// The loops that are open, the innermost last.
#[derive(Default)]
pub(super) struct Loops(Vec<OpenLoop>);

struct OpenLoop {
    /// The index of the step after its `Repeat`.
    first_step: usize,
    turns: Option<u64>,
    every: Duration,
    /// The current turn, from 1.
    turn: u64,
    /// When this turn was due.
    began: Instant,
    /// How often something had been sent before this turn.
    sends: u64,
}

/// A turn that follows another.
pub(super) struct NextTurn {
    pub first_step: usize,
    pub due: Instant,
    /// The turn before neither sent nor waited, and there is no end to the turns.
    pub rests: bool,
}

impl Loops {
    /// Begins a loop at the step with this index.
    pub fn begin(
        &mut self,
        first_step: usize,
        turns: Option<u64>,
        every: Duration,
        began: Instant,
        sends: u64,
    ) {
        self.0.push(OpenLoop { first_step, turns, every, turn: 1, began, sends });
    }

    /// Leaves the innermost loop.
    pub fn end(&mut self) {
        self.0.pop();
    }

    /// The current turn of the innermost loop; 0 outside of loops.
    pub fn turn(&self) -> u64 {
        self.0.last().map_or(0, |open| open.turn)
    }

    /// The next turn of the innermost loop. `None` after its last turn, which ends the loop. An endless loop is over after
    /// one turn if there is no body, because nothing that it sends would show that the client has disconnected.
    pub fn next_turn(&mut self, due: Instant, sends: u64, has_no_body: bool) -> Option<NextTurn> {
        let open = self.0.last_mut()?;
        let is_last = open.turns.map_or(has_no_body, |turns| open.turn == turns);
        if is_last {
            self.0.pop();
            return None;
        }
        let due = due.max(open.began + open.every);
        let rests = open.turns.is_none() && open.sends == sends && open.began == due;
        open.turn += 1;
        open.began = due;
        open.sends = sends;
        Some(NextTurn { first_step: open.first_step, due, rests })
    }
}
