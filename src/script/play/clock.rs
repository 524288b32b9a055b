//! What a player has to know about time and about its client meanwhile. A client's thread really waits; a test only
//! records the waits.

use crate::script::units::Speed;
use std::io;
use std::time::{Instant, SystemTime};

/// The clock of a player.
pub trait Clock {
    /// The current time, to wait by.
    fn now(&self) -> Instant;

    /// The current time of day, to show.
    fn system_time(&self) -> SystemTime;

    /// Returns at `due`, or at once if that has passed. A caller that writes nothing between two waits has to
    /// [`check`](Clock::check) instead, because only a write shows that the client has disconnected.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    fn wait_until(&mut self, due: Instant) -> io::Result<()>;

    /// Checks that the response can go on.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    fn check(&mut self) -> io::Result<()>;

    /// Returns when the client has closed its side, or at `due` if that comes first.
    ///
    /// # Errors
    /// The client has reset the connection, or the server stops.
    fn wait_for_close(&mut self, due: Option<Instant>) -> io::Result<()>;
}

/// How a server plays all of its scripts.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// By how much waits are divided.
    pub speed: Speed,
    /// The seed of random waits.
    pub seed: u64,
}
