//! What a player has to know about time and about its client meanwhile. A client's thread really waits; a test only
//! records the waits.

use crate::script::lines::Lines;
use crate::text::shared::SharedBytes;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What a player waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor<'a> {
    /// A time.
    Due(Instant),
    /// The release of the pause with this name, or the end of the client's side.
    Release(&'a str),
    /// The end of the client's side, or a time if that comes first. Nothing will be sent to the client.
    Close(Option<Instant>),
}

impl WaitFor<'_> {
    /// The time at which the wait is over; `None` if it has no such time.
    pub fn due(&self) -> Option<Instant> {
        match self {
            WaitFor::Due(due) => Some(*due),
            WaitFor::Release(_) => None,
            WaitFor::Close(due) => *due,
        }
    }
}

/// A command of a test for a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To pass the pause with this name once.
    Release(Arc<str>),
    /// To send a chunk.
    Send(SharedBytes),
}

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time has come.
    Due,
    /// There may be a command.
    Called,
    /// The client has closed its side.
    Closed,
}

/// The clock of a player.
pub trait Clock {
    /// The current time, to wait by.
    fn now(&self) -> Instant;

    /// The current time of day, to show.
    fn system_time(&self) -> SystemTime;

    /// Waits. Returns at once if the time has passed. A caller that writes nothing between two waits has to
    /// [`check`](Clock::check) too, because only a write shows that the client has disconnected.
    ///
    /// # Errors
    /// The client has disconnected, or the stream ends because the server stops or a test drops it.
    fn wait(&mut self, wait: WaitFor<'_>) -> io::Result<Woken>;

    /// Checks that the response can go on.
    ///
    /// # Errors
    /// The client has disconnected, or the stream ends because the server stops or a test drops it.
    fn check(&mut self) -> io::Result<()>;

    /// Whether somebody watches what is played.
    fn is_watched(&self) -> bool {
        false
    }

    /// Shows which lines of the script are played from now on. `_unsent` bytes from lines before are still to be sent.
    fn show(&self, _lines: Option<Lines>, _unsent: usize) {}

    /// Refuses connections to the port of the client for this time.
    fn refuse_connections(&mut self, _time: Duration) {}

    /// The next command of a test.
    ///
    /// # Errors
    /// The stream ends because a test drops it.
    fn next_command(&mut self) -> io::Result<Option<Command>> {
        Ok(None)
    }

    /// Accepts no further commands, because the response ends. [`next_command`](Clock::next_command) still returns those that
    /// were given before.
    fn close_commands(&mut self) {}
}
