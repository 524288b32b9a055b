//! Sends nothing itself: the threads that serve clients, one each. A thread whose client has left takes the next one;
//! where none is free, a new one is started, in a rush by a thread that does nothing else.

use crate::server::connection;
use crate::server::overload::TurnAway;
use crate::server::shared::Shared;
use crate::server::threads::{self, Run};
use crate::server::trouble::Trouble;
use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Octets of stack for a client's thread. A panic with a backtrace needs more than 16 KiB; what is not touched costs
/// nothing.
const STACK: usize = 64 * 1024;
/// How long a thread waits for its next client: somewhat longer than the 2 s after which those of the demo come back.
const REST: Duration = Duration::from_secs(3);

/// A client that has a place and no thread yet.
#[derive(Debug)]
pub struct Accepted {
    /// Its connection.
    pub stream: TcpStream,
    /// When it came.
    pub at: Instant,
    /// Its place.
    pub seat: Seat,
}

/// A client's place, free again when dropped: at the end of its connection, however that comes.
#[derive(Debug)]
pub struct Seat(Arc<Shared>);

impl Seat {
    /// A place, unless `max_clients` are taken.
    pub fn take(site: &Arc<Shared>, max_clients: usize) -> Option<Seat> {
        // Taken before it is compared: a seat too many is given back by dropping it.
        let others = site.state.open.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(Arc::clone(site));
        (others < max_clients).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.state.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The way to the threads. When it is dropped, those without a client end.
pub struct Crew {
    lobby: Arc<Lobby>,
    /// What each thread does.
    serve: Run,
}

impl Crew {
    /// Starts the thread that starts the others in a rush.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(turn_away: TurnAway) -> io::Result<Crew> {
        let lobby = Arc::new(Lobby::default());
        let own = Arc::clone(&lobby);
        let crew = Crew { serve: Arc::new(move || serve_clients(&own)), lobby: Arc::clone(&lobby) };
        let serve = Arc::clone(&crew.serve);
        let start = move || start_threads(&lobby, &serve, &turn_away);
        threads::start(threads::named("start"), Arc::new(start))?;
        Ok(crew)
    }

    /// Has a client served, and waits for nothing but the start of a thread; in a rush not even for that.
    pub fn serve(&self, client: Accepted, in_rush: bool) {
        let mut inside = self.lobby.lock();
        inside.clients.push_back(client);
        let is_missing = inside.clients.len() > inside.free_threads;
        if is_missing && !in_rush {
            // Counted before there is one, or the thread that starts threads in a rush might start another.
            inside.free_threads += 1;
        }
        // Whoever is woken wants the lock at once.
        drop(inside);
        match (is_missing, in_rush) {
            (false, _) => self.lobby.client_came.notify_one(),
            (true, true) => self.lobby.thread_is_missing.notify_one(),
            // Waking another thread to do it would cost a tenth of what a client costs at its beginning.
            (true, false) => self.start_or_leave(),
        }
    }

    /// Starts a thread that counts as free already. If that fails, it is left to the thread that can wait and complain.
    fn start_or_leave(&self) {
        if start_thread(&self.serve).is_err() {
            self.lobby.lock().free_threads -= 1;
            self.lobby.thread_is_missing.notify_one();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.lobby.lock().closed = true;
        self.lobby.client_came.notify_all();
        self.lobby.thread_is_missing.notify_all();
    }
}

/// Where clients and threads find each other.
#[derive(Debug, Default)]
struct Lobby {
    inside: Mutex<Inside>,
    client_came: Condvar,
    thread_is_missing: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    clients: VecDeque<Accepted>,
    /// Threads, running or just being started, that take a client before they do anything else.
    free_threads: usize,
    closed: bool,
}

impl Lobby {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next client for a thread that counts as free; `None` when it has rested long enough.
    fn next_client(&self) -> Option<Accepted> {
        let nobody = |inside: &mut Inside| inside.clients.is_empty() && !inside.closed;
        let waited = self.client_came.wait_timeout_while(self.lock(), REST, nobody);
        let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inside.free_threads -= 1;
        inside.clients.pop_front()
    }

    /// Gives a seat back and counts its thread as free in one step, so that there are never more threads than seats.
    fn set_free(&self, seat: Seat) {
        let mut inside = self.lock();
        inside.free_threads += 1;
        drop(seat);
    }

    /// Waits until a client has no thread to hope for, and counts a free one more; `false` when the lobby has closed.
    fn wait_until_missing(&self) -> bool {
        let enough = |inside: &mut Inside| inside.clients.len() <= inside.free_threads && !inside.closed;
        let waited = self.thread_is_missing.wait_while(self.lock(), enough);
        let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
        inside.free_threads += 1;
        !inside.closed
    }

    /// Takes back that there would be a thread more, and gives out the client that has none to hope for now.
    fn give_up(&self) -> Option<Accepted> {
        let mut inside = self.lock();
        inside.free_threads -= 1;
        match inside.clients.len() > inside.free_threads {
            true => inside.clients.pop_back(),
            false => None,
        }
    }
}

fn start_thread(serve: &Run) -> io::Result<()> {
    threads::start(Builder::new().stack_size(STACK), Arc::clone(serve)).map(drop)
}

/// Starts the threads that are missing, until the lobby closes.
fn start_threads(lobby: &Lobby, serve: &Run, turn_away: &TurnAway) {
    let mut trouble = Trouble::default();
    while lobby.wait_until_missing() {
        if let Err(error) = start_thread(serve) {
            if let Some(client) = lobby.give_up() {
                turn_away.client(client.stream);
            }
            // Last, for stderr may be a pipe that is full.
            trouble.tell(format_args!("cannot start a thread, answering 503: {error}"));
        }
    }
}

fn serve_clients(lobby: &Lobby) {
    while let Some(Accepted { stream, at, seat }) = lobby.next_client() {
        // A broken connection is an ordinary end: clients come and go.
        let _ = connection::serve(&stream, at, &seat.0);
        drop(stream);
        lobby.set_free(seat);
    }
}
