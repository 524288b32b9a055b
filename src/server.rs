//! Listens, and sends nothing itself: accepts clients, gives each a seat and hands it on to a thread of its own, or
//! turns it away.

pub mod clock;
pub mod connection;
pub mod crew;
pub mod internal;
pub mod journal;
pub mod overload;
pub mod shared;
pub mod socket;
pub mod threads;
pub mod trouble;

use crate::script::catalogue::Catalogue;
use crate::script::play::clock::Timing;
use crate::script::play::random::random_seed;
use crate::script::units::{parse_number, Speed};
use crate::server::clock::ServerState;
use crate::server::crew::{Accepted, Crew, Seat};
use crate::server::journal::{Journal, RecordedRequest};
use crate::server::overload::TurnAway;
use crate::server::shared::Shared;
use crate::server::trouble::Trouble;
use crate::trace::log::Log;
use crate::trace::terminal::Terminal;
use crate::trace::Trace;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Clients served at one time unless told otherwise: under the usual limit of 1,024 open files.
pub const DEFAULT_MAX_CLIENTS: usize = 1_000;
/// Memory mappings of one thread on Linux: its stack, the guard below it, and the same for signals.
const MAPPINGS_PER_THREAD: usize = 4;
/// Memory mappings left for everything that is no client's thread: the program, its libraries, and the allocator's arenas,
/// some hundreds in all.
const OTHER_MAPPINGS: usize = 1_000;
/// Open files a process may usually have.
const DEFAULT_OPEN_FILES: usize = 1_024;
/// Open files that are no clients: stdin, stdout, stderr, the listener, and a few inherited from whoever started us.
const OWN_DESCRIPTORS: usize = 8;
/// How long to leave `accept` alone after it failed: nothing gets better in less, and failing in a circle is a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Clients come in a rush when `accept` waits less than this for the next one: starting a thread takes as long.
const RUSH: Duration = Duration::from_micros(100);

/// A server that is bound to its port and not yet running.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    max_clients: usize,
    site: Shared,
}

impl Server {
    /// Binds to the first of the addresses that can be had. Port 0 takes a free one.
    ///
    /// # Errors
    /// The address is unknown, not this machine's, not permitted, or in use.
    pub fn bind(address: impl ToSocketAddrs, catalogue: Catalogue) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        let seed = random_seed();
        let site = Shared {
            catalogue,
            timing: Timing { speed: Speed::NORMAL, seed },
            state: ServerState::new(),
            journal: None,
            trace: Trace::default(),
            control: false,
        };
        Ok(Server { listener, max_clients: DEFAULT_MAX_CLIENTS, site })
    }

    /// Sets how fast scripts play.
    pub fn speed(mut self, speed: Speed) -> Server {
        self.site.timing.speed = speed;
        self
    }

    /// Makes random waits the same every time: those of a script's n-th request, whenever it comes.
    pub fn seed(mut self, seed: u64) -> Server {
        self.site.timing.seed = seed;
        self
    }

    /// Remembers every request: see [`RunningServer::requests`].
    pub fn journal(mut self, journal: Journal) -> Server {
        self.site.journal = Some(journal);
        self
    }

    /// Shows every byte that goes over the wire on stderr, with colours or without.
    pub fn trace(mut self, coloured: bool) -> Server {
        self.site.trace.terminal = Some(Terminal::new(io::stderr(), coloured));
        self
    }

    /// Prints a line for each request and one for each end on stdout.
    pub fn log(mut self) -> Server {
        self.site.trace.log = Some(Log::new(io::stdout()));
        self
    }

    /// Lets any client steer the server: `GET /-/requests` gives the journal, `POST /-/drop` breaks all streams,
    /// `POST /-/stop` stops the server.
    pub fn control(mut self) -> Server {
        self.site.control = true;
        self
    }

    /// Sets how many clients are served at one time, 1 at least; the next one gets 503.
    ///
    /// # Errors
    /// So many threads would run into `vm.max_map_count`, where starting one can abort the whole process. The error
    /// says how many can be had.
    pub fn max_clients(mut self, max_clients: usize) -> io::Result<Server> {
        let limit = thread_limit().unwrap_or(usize::MAX);
        if max_clients > limit {
            let message = format!("{max_clients} clients are more than this machine can carry: {limit} at most (vm.max_map_count)");
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
        self.max_clients = max_clients.max(1);
        Ok(self)
    }

    /// The address really bound.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves on threads of its own until the [`RunningServer`] is dropped.
    ///
    /// # Errors
    /// The threads cannot be started, or the system does not say which port is bound.
    pub fn start(self) -> io::Result<RunningServer> {
        let address = self.local_addr()?;
        let site = Arc::new(self.site);
        let turn_away = TurnAway::start(Arc::clone(&site), spare_descriptors(self.max_clients))?;
        let accepting = Accepting {
            listener: self.listener,
            site: Arc::clone(&site),
            max_clients: self.max_clients,
            crew: Crew::start(turn_away.clone())?,
            turn_away,
        };
        let accept = threads::start(threads::named("accept"), Arc::new(move || accepting.run()))?;
        Ok(RunningServer { address, site, accept: Some(accept) })
    }
}

/// A server that runs beside its owner, as in a test; dropping it stops it.
///
/// ```
/// use rust_sse_server::{Catalogue, Server};
///
/// let server = Server::bind("127.0.0.1:0", Catalogue::built_in()?)?.start()?;
/// println!("connect to {}", server.url("/events"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    site: Arc<Shared>,
    accept: Option<JoinHandle<()>>,
}

impl RunningServer {
    /// The address really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on this server. The path begins with `/` and is percent-encoded.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, the oldest first; none without [`Server::journal`].
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.site.journal.as_ref().map(Journal::requests).unwrap_or_default()
    }

    /// Breaks all streams that play, as `@drop` does: each at its next wait, after a second at most.
    pub fn drop_all(&self) {
        self.site.state.breaks.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until the server has ended: a client told it to, with [`Server::control`].
    pub fn wait(mut self) {
        if let Some(accept) = self.accept.take() {
            // It would be an error if the thread had panicked; then there is nothing left to wait for.
            let _ = accept.join();
        }
    }
}

impl Drop for RunningServer {
    /// Closes the port at once. Streams end at their next wait, after a second at most.
    fn drop(&mut self) {
        let awake = self.site.stop(self.address);
        if let (Ok(_), Some(accept)) = (awake, self.accept.take()) {
            let _ = accept.join();
        }
    }
}

/// The accepting thread. In a rush it does nothing else: the kernel queues 128 clients only, and in a burst of thousands
/// the rest would have to try again after a second.
struct Accepting {
    listener: TcpListener,
    site: Arc<Shared>,
    max_clients: usize,
    crew: Crew,
    turn_away: TurnAway,
}

impl Accepting {
    fn run(&self) {
        let mut trouble = Trouble::default();
        loop {
            let since = Instant::now();
            let accepted = self.listener.accept();
            if self.site.state.stop.load(Ordering::Relaxed) {
                return;
            }
            match accepted {
                Ok((stream, _)) => self.hand_on(stream, since),
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    trouble.tell(format_args!("cannot accept a client, trying again: {error}"));
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    }

    /// Hands on a client for which `accept`, called at `since`, has waited.
    fn hand_on(&self, stream: TcpStream, since: Instant) {
        let at = Instant::now();
        let in_rush = at.saturating_duration_since(since) < RUSH;
        match Seat::take(&self.site, self.max_clients) {
            Some(seat) => self.crew.serve(Accepted { stream, at, seat }, in_rush),
            None => self.turn_away.client(stream),
        }
    }
}

/// Whether `accept` failed because of the client it was to return: the next one may be fine.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// How many client threads this machine can carry; `None` where that is not known.
fn thread_limit() -> Option<usize> {
    let text = fs::read("/proc/sys/vm/max_map_count").ok()?;
    let mappings = parse_number(String::from_utf8_lossy(&text).trim_end())?;
    Some(usize::try_from(mappings).ok()?.saturating_sub(OTHER_MAPPINGS) / MAPPINGS_PER_THREAD)
}

/// How many descriptors are left beside those of the clients and the server's own.
fn spare_descriptors(max_clients: usize) -> usize {
    let limits = fs::read("/proc/self/limits").unwrap_or_default();
    let limits = String::from_utf8_lossy(&limits);
    let line = limits.split_once("Max open files").map(|(_, line)| line);
    let limit = line.and_then(|line| line.split_whitespace().next()).and_then(parse_number);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_OPEN_FILES);
    limit.saturating_sub(max_clients.saturating_add(OWN_DESCRIPTORS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_given_out_once_and_come_back() {
        let site = Arc::new(Shared {
            catalogue: Catalogue::default(),
            timing: Timing { speed: Speed::NORMAL, seed: 0 },
            trace: Trace::default(),
            state: ServerState::new(),
            journal: None,
            control: false,
        });
        let first = Seat::take(&site, 2);
        let second = Seat::take(&site, 2);
        assert!(first.is_some() && second.is_some());
        assert!(Seat::take(&site, 2).is_none());
        drop(first);
        assert!(Seat::take(&site, 2).is_some());
    }
}
