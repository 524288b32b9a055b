//! Accepts connections and spawns a thread for each client.
//!
//! Every box is a thread:
//!
//! ```text
//! accept ──channel──▶ spawn ──▶ client 1   (connection::serve)
//!    │                  │  └──▶ client 2
//!    └──────────────────┴─────▶ overload   (503 for clients that cannot be served)
//! ```
//!
//! The `accept` thread only accepts. The kernel queues at most 128 connections for a listener of the standard library;
//! in a burst of thousands, clients that find the queue full try again a second later. Spawning a thread takes several
//! times as long as accepting a connection, so the `spawn` thread does that.

use super::connection;
use super::overload::Overload;
use super::shared::{Client, ClientSlot, Shared};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes of stack for a client's thread. 16 KiB is too little to print the backtrace of a panic; pages that are never
/// touched cost nothing.
const STACK: usize = 64 * 1024;
/// How long to wait after `accept` has failed. The usual cause is too many open files in this process. That
/// takes a while to change, and trying again at once would keep a processor busy.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A client that was accepted and has a slot, but no thread yet. The slot is one of `max_clients`, and is free again when
/// it is dropped.
struct Accepted {
    stream: TcpStream,
    client: Client,
    slot: ClientSlot,
}

/// Starts the `accept`, `spawn` and `overload` threads and returns the first, which ends when the server stops. The other
/// two end after it, when their channels close.
///
/// # Errors
/// The system cannot start another thread.
pub(super) fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let overload = Overload::start(Arc::clone(&shared))?;
    // Every client in the channel has a slot, so there is always room and sending never blocks.
    let (sender, receiver) = sync_channel(shared.max_clients);
    let spawn_overload = overload.clone();
    Builder::new().name("spawn".to_owned()).spawn(move || spawn_clients(&receiver, &spawn_overload))?;
    let acceptor = Acceptor { listener, shared, sender, overload };
    Builder::new().name("accept".to_owned()).spawn(move || acceptor.run())
}

struct Acceptor {
    listener: TcpListener,
    shared: Arc<Shared>,
    sender: SyncSender<Accepted>,
    overload: Overload,
}

impl Acceptor {
    /// Accepts clients until the server stops. Nothing here may wait for a client, for stdout or for stderr.
    fn run(&self) {
        let mut number = 0;
        loop {
            let result = self.listener.accept();
            // To stop, the server connects to itself, so that `accept` returns.
            if self.shared.is_stopping() {
                return;
            }
            match result {
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

    /// Passes the client to the `spawn` thread if a slot is free, and to the `overload` thread if not.
    fn hand_over(&self, stream: TcpStream, client: Client) {
        match ClientSlot::take(&self.shared) {
            Some(slot) => {
                // Fails only if the `spawn` thread has panicked. The error owns the stream, and closes it here.
                let _ = self.sender.send(Accepted { stream, client, slot });
            }
            None => self.overload.reject(Arc::new(stream), client),
        }
    }
}

/// Whether `accept` failed because of one client. The next one may be fine.
fn is_about_the_client(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Spawns a thread for each client until the `accept` thread has ended.
fn spawn_clients(receiver: &Receiver<Accepted>, overload: &Overload) {
    for Accepted { stream, client, slot } in receiver {
        // If the spawn fails, its closure is lost with everything moved into it; `reject` still needs the stream.
        let stream = Arc::new(stream);
        let client_stream = Arc::clone(&stream);
        let thread = Builder::new().name(format!("client {}", client.number)).stack_size(STACK);
        let spawned = thread.spawn(move || {
            // An error is a broken connection, which is an ordinary end: clients come and go.
            let _ = connection::serve(&client_stream, client, slot.shared());
        });
        if let Err(error) = spawned {
            overload.reject(stream, client);
            overload.spawn_failed(error);
        }
    }
}
