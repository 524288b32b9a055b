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
//! times as long as accepting a connection, so the `spawn` thread does that. `accept/downtime.rs` closes the port while
//! connections to it are to be refused.

mod downtime;

use super::connection;
use super::overload::Overload;
use super::shared::{Client, ClientSlot, Shared};
use super::threads::Threads;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::thread::{self, Builder};
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

/// Starts the `accept`, `spawn` and `overload` threads. Those that accept end when the server stops, and the others after
/// them, when their channels close. The listeners are those of the server's ports, in their order.
///
/// # Errors
/// The system cannot start another thread.
pub(super) fn start(listeners: Vec<TcpListener>, shared: &Arc<Shared>) -> io::Result<Threads> {
    // Every client in the channel has a slot, so there is always room and sending never blocks.
    let (sender, receiver) = sync_channel(shared.max_clients);
    let (overload, overload_thread) = Overload::start(Arc::clone(shared))?;
    let spawner = Spawner { shared: Arc::clone(shared), overload: overload.clone() };
    let spawn = Builder::new().name("spawn".to_owned()).spawn(move || spawner.run(&receiver))?;
    let start_accepting = |(port, listener)| {
        let shared = Arc::clone(shared);
        let acceptor = Acceptor { port, shared, sender: sender.clone(), overload: overload.clone() };
        Builder::new().name("accept".to_owned()).spawn(move || acceptor.run(listener))
    };
    let accept = listeners.into_iter().enumerate().map(start_accepting).collect::<io::Result<_>>()?;
    Ok(Threads { accept, spawn, overload: overload_thread })
}

/// Accepts the connections of one port.
struct Acceptor {
    /// The index of the port.
    port: usize,
    shared: Arc<Shared>,
    sender: SyncSender<Accepted>,
    overload: Overload,
}

impl Acceptor {
    /// Accepts clients until the server stops. Nothing here may wait for a client, for stdout or for stderr.
    fn run(&self, mut listener: TcpListener) {
        let port = self.shared.ports.get(self.port);
        loop {
            let result = listener.accept();
            // Other threads wake this one by connecting to the port, which disarms the waker. It is armed again before the
            // flags below are read: a thread that finds it disarmed does not connect, but has set its flag by then.
            port.waker.arm_again(&listener);
            if self.shared.is_stopping() {
                port.waker.disarm();
                return;
            }
            if port.downtime.is_due() {
                listener = match self.close_during_downtime(listener, result) {
                    Some(reopened) => reopened,
                    None => return,
                };
            } else {
                self.handle(result);
            }
        }
    }

    /// Handles what `accept` has returned: hands over a client, or pauses after an error that would only come again.
    fn handle(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, address)) => {
                let number = self.shared.accepted.fetch_add(1, Ordering::Relaxed) + 1;
                self.hand_over(stream, Client { number, ip: address.ip(), accepted_at: Instant::now() });
            }
            Err(error) if can_retry_at_once(&error) => {}
            Err(error) => {
                self.shared.warnings.warn("cannot accept a connection, trying again", error);
                thread::sleep(ACCEPT_PAUSE);
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

/// Whether `accept` can be called again at once: it was interrupted, or only this client's connection failed.
fn can_retry_at_once(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

struct Spawner {
    shared: Arc<Shared>,
    overload: Overload,
}

impl Spawner {
    /// Spawns a thread for each client until the `accept` thread has ended.
    fn run(&self, receiver: &Receiver<Accepted>) {
        for Accepted { stream, client, slot } in receiver {
            // If the spawn fails, its closure is lost with everything moved into it; `reject` still needs the stream.
            let stream = Arc::new(stream);
            let client_stream = Arc::clone(&stream);
            let thread = Builder::new().name(format!("client {}", client.number)).stack_size(STACK);
            let spawned = thread.spawn(move || {
                serve(&client_stream, client, slot.shared());
                // In this order, so that a server whose slots are free has no connection open.
                drop(client_stream);
                drop(slot);
            });
            if let Err(error) = spawned {
                self.overload.reject(stream, client);
                self.shared.warnings.warn("cannot start a thread, responding with 503", error);
            }
        }
    }
}

/// Serves a client on the current thread.
fn serve(stream: &Arc<TcpStream>, client: Client, shared: &Shared) {
    let _listed = shared.connections.add(client.number, stream);
    // Checked after the connection was listed: `Shared::stop` interrupts only the listed ones.
    if !shared.is_stopping() {
        // An error is a broken connection, which is an ordinary end: clients come and go.
        let _ = connection::serve(stream, client, shared);
    }
}
