//! Decides when a player sends: where its time comes from, and how fast it passes.

use crate::script::units::Speed;
use std::io;
use std::time::{Instant, SystemTime};

/// Where time comes from, and what is to be known of the client meanwhile: a client's thread sleeps, a test remembers.
pub trait Clock {
    /// The present moment.
    fn now(&self) -> Instant;

    /// The present moment, as the world counts.
    fn system_time(&self) -> SystemTime;

    /// Returns at `due`, or at once when that has passed. Whoever writes nothing between two waits has to
    /// [`check`](Clock::check) between them: a write would show that the client is gone.
    ///
    /// # Errors
    /// The waiting has lost its sense: the client is gone, or the server stops.
    fn wait_until(&mut self, due: Instant) -> io::Result<()>;

    /// Looks whether going on has lost its sense.
    ///
    /// # Errors
    /// As [`Clock::wait_until`].
    fn check(&mut self) -> io::Result<()>;

    /// Returns when the client has closed its side, or at `due` if that comes first.
    ///
    /// # Errors
    /// As [`Clock::wait_until`].
    fn wait_for_close(&mut self, due: Option<Instant>) -> io::Result<()>;
}

/// What is the same for all playings of a server.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How fast scripts play.
    pub speed: Speed,
    /// What random waits are made of.
    pub seed: u64,
}
