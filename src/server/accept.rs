//! Accepts connections and spawns a thread for each client.
//!
//! Two threads share the work:
//!
//! ```text
//! accept ──channel──▶ spawn ──▶ client 1   (connection::serve)
//!    │                  │  └──▶ client 2
//!    └──────────────────┴─────▶ overload   (503 for clients that cannot be served)
//! ```
//!
//! The accepting thread does nothing else, because the kernel queues only 128 connections for a listener of the standard
//! library: in a burst of thousands, the others would have to try again after a second. Spawning a thread takes several
//! times longer than accepting a connection, so another thread does it.

use super::connection::{self, Client};
use super::overload::Overload;
use super::shared::{ClientSlot, Shared};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes of stack for a client's thread. A panic with a backtrace needs more than 16 KiB. Pages of a stack that are never
/// touched cost nothing.
const STACK: usize = 64 * 1024;
/// How long to wait after `accept` has failed. The usual cause is that the process has too many open files, which does
/// not change any faster, and trying again at once would keep a processor busy.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A client that was accepted and has a slot, but no thread yet.
struct Accepted {
    stream: TcpStream,
    client: Client,
    slot: ClientSlot,
}

/// Starts to accept clients. The thread that is returned ends when the server stops.
///
/// # Errors
/// The system cannot start another thread.
pub(super) fn start(
    listener: TcpListener,
    shared: &Arc<Shared>,
    max_clients: usize,
) -> io::Result<JoinHandle<()>> {
    let overload = Overload::start(Arc::clone(shared))?;
    // Every client in the channel has a slot, so there is always room and sending never blocks.
    let (sender, accepted) = sync_channel(max_clients);
    let spawn_overload = overload.clone();
    Builder::new().name("spawn".to_owned()).spawn(move || spawn_clients(&accepted, &spawn_overload))?;
    let shared = Arc::clone(shared);
    let acceptor = Acceptor { listener, shared, max_clients, accepted: sender, overload };
    Builder::new().name("accept".to_owned()).spawn(move || acceptor.run())
}

struct Acceptor {
    listener: TcpListener,
    shared: Arc<Shared>,
    max_clients: usize,
    accepted: SyncSender<Accepted>,
    overload: Overload,
}

impl Acceptor {
    /// Accepts clients until the server stops. Nothing here may wait for a client, for stdout or for stderr.
    fn run(&self) {
        let mut number = 0;
        loop {
            let accepted = self.listener.accept();
            if self.shared.is_stopping() {
                return;
            }
            match accepted {
                Ok((stream, _)) => {
                    number += 1;
                    self.hand_over(stream, Client { number, accepted_at: Instant::now() });
                }
                Err(error) if is_about_the_client(&error) => {}
                Err(error) => {
                    self.overload.accept_failed(error);
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    }

    fn hand_over(&self, stream: TcpStream, client: Client) {
        match ClientSlot::take(&self.shared, self.max_clients) {
            // This fails only when the spawning thread has panicked; then the connection is closed.
            Some(slot) => drop(self.accepted.send(Accepted { stream, client, slot })),
            None => self.overload.reject(Arc::new(stream), client),
        }
    }
}

/// Whether `accept` failed because of the client that it was about to return: the next one may be fine.
fn is_about_the_client(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Spawns a thread for each client until the accepting thread has ended.
fn spawn_clients(accepted: &Receiver<Accepted>, overload: &Overload) {
    for Accepted { stream, client, slot } in accepted {
        // Shared, because a closure that cannot be spawned is lost together with all that was moved into it.
        let stream = Arc::new(stream);
        let client_stream = Arc::clone(&stream);
        let thread = Builder::new().name(format!("client {}", client.number)).stack_size(STACK);
        let spawned = thread.spawn(move || {
            // A broken connection is an ordinary end: clients come and go.
            let _ = connection::serve(&client_stream, client, slot.shared());
        });
        if let Err(error) = spawned {
            overload.reject(stream, client);
            overload.spawn_failed(error);
        }
    }
}
