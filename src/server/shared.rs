//! The state that all threads of a server share.

use super::journal::Journal;
use crate::judge::verdicts::Verdicts;
use crate::judge::Judge;
use crate::script::catalogue::Catalogue;
use crate::script::play::clock::Timing;
use crate::script::play::random::random_seed;
use crate::script::units::Speed;
use crate::trace::Trace;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to try to connect to the server's own port: it is on this machine, so this is long.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// The state that all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The scripts.
    pub catalogue: Catalogue,
    /// How fast scripts play, and the seed of random waits.
    pub timing: Timing,
    /// The trace, the log, and the observers at `/-/wire`.
    pub trace: Trace,
    /// Records requests.
    pub journal: Journal,
    /// What came of the expectations of scripts.
    pub verdicts: Verdicts,
    /// The test cases, and the clients that are judged.
    pub judge: Judge,
    /// Whether paths under `/-/` control the server.
    pub control: bool,
    /// Names that `Host` may have in requests under `/-/`, besides `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Clients served at the same time.
    pub max_clients: usize,
    /// When the server was created.
    pub started_at: Instant,
    /// Clients that have a slot now.
    pub open_clients: AtomicUsize,
    /// Set once, when the server stops.
    stopping: AtomicBool,
    /// How many times all streams were dropped. A stream that began under a lower number ends at its next wait.
    drops: AtomicUsize,
}

impl Shared {
    /// The state of a server with these scripts, before it is configured.
    pub fn new(catalogue: Catalogue, max_clients: usize) -> Shared {
        Shared {
            catalogue,
            timing: Timing { speed: Speed::NORMAL, seed: random_seed() },
            trace: Trace::default(),
            journal: Journal::new(),
            verdicts: Verdicts::default(),
            judge: Judge::default(),
            control: false,
            allowed_hosts: Vec::new(),
            max_clients,
            started_at: Instant::now(),
            open_clients: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            drops: AtomicUsize::new(0),
        }
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Stops the server that accepts at `address`. Its streams end at their next wait.
    ///
    /// # Errors
    /// The accepting thread could not be woken; it ends when the next client connects.
    pub fn stop(&self, address: SocketAddr) -> io::Result<()> {
        self.stopping.store(true, Ordering::Relaxed);
        // `accept` only returns when a client connects, so become one.
        TcpStream::connect_timeout(&reachable(address), WAKE_TIMEOUT).map(drop)
    }

    /// Ends all streams as `@drop` does: each at its next wait.
    pub fn drop_streams(&self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }

    /// The number to pass to [`Shared::check_stream`] later, for a stream that begins now.
    pub fn drops(&self) -> usize {
        self.drops.load(Ordering::Relaxed)
    }

    /// Whether a stream that began under this number of drops may go on. This is no system call.
    ///
    /// # Errors
    /// `ConnectionAborted` when the server stops, or all streams were dropped.
    pub fn check_stream(&self, drops_at_start: usize) -> io::Result<()> {
        if self.is_stopping() || self.drops() != drops_at_start {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

/// Which client this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The number of its connection, from 1.
    pub number: u64,
    /// When its connection was accepted.
    pub accepted_at: Instant,
}

/// A place among the clients that are served at the same time, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct ClientSlot(Arc<Shared>);

impl ClientSlot {
    /// Takes a slot, unless all are taken.
    pub fn take(shared: &Arc<Shared>) -> Option<ClientSlot> {
        // Counted before the comparison: a slot too many is given back by dropping it.
        let others = shared.open_clients.fetch_add(1, Ordering::Relaxed);
        let slot = ClientSlot(Arc::clone(shared));
        (others < shared.max_clients).then_some(slot)
    }

    /// The server.
    pub fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        self.0.open_clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An address at which a server bound to `address` can be reached from this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let shared = Arc::new(Shared::new(Catalogue::default(), 2));
        let first = ClientSlot::take(&shared);
        let second = ClientSlot::take(&shared);
        assert!(first.is_some() && second.is_some());
        assert!(ClientSlot::take(&shared).is_none());
        drop(first);
        assert!(ClientSlot::take(&shared).is_some());
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_loopback() {
        let reach = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(reach("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(reach("[::]:80"), "[::1]:80");
        assert_eq!(reach("127.0.0.2:80"), "127.0.0.2:80");
    }
}
