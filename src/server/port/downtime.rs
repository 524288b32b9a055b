//! Periods in which the server refuses connections, like one that is being restarted: its port is closed.

use crate::script::MAX_DOWNTIME;
use crate::text::lock::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait until the port is closed. The accepting thread does that within a millisecond, unless it could not
/// be woken.
const CLOSE_TIME: Duration = Duration::from_millis(50);

/// Tells the accepting thread of a port when to refuse connections.
#[derive(Debug, Default)]
pub(crate) struct Downtime {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When connections are to be accepted again.
    until: Option<Instant>,
    is_closed: bool,
}

impl State {
    fn is_due(&self) -> bool {
        self.until.map_or(false, |until| until > Instant::now())
    }
}

impl Downtime {
    /// Begins now. The caller then has to wake the accepting thread.
    pub fn begin(&self, time: Duration) {
        lock(&self.state).until = Some(Instant::now() + time.min(MAX_DOWNTIME));
        self.changed.notify_all();
    }

    /// Ends now.
    pub fn end(&self) {
        lock(&self.state).until = None;
        self.changed.notify_all();
    }

    /// Waits until the port is closed, or no longer has to be.
    pub fn wait_until_closed(&self) {
        let is_open = |state: &mut State| state.until.is_some() && !state.is_closed;
        drop(self.changed.wait_timeout_while(lock(&self.state), CLOSE_TIME, is_open));
    }

    /// Whether the port has to be closed.
    pub fn is_due(&self) -> bool {
        lock(&self.state).is_due()
    }

    /// Waits, with the port closed, until connections are to be accepted again.
    pub fn wait(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        self.changed.notify_all();
        loop {
            let left =
                state.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            if left == Duration::ZERO {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Notes that connections are accepted again. `false` if the port has to stay closed, because another period has
    /// begun.
    pub fn open(&self) -> bool {
        let mut state = lock(&self.state);
        state.is_closed = state.is_due();
        !state.is_closed
    }
}
