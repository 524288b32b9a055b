//! Sends `503 Service Unavailable` to clients that cannot be served, on one thread, so that neither accepting nor serving
//! waits for them.

use super::shared::{Client, Shared};
use super::socket::LINGER_TIME;
use crate::http::response::ResponseOptions;
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::trace::tap::Tap;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// Clients that wait for their 503, and clients that have it but may not have read it yet. Each has an open file, and
/// those are scarce when there are too many clients.
const MAX_REJECTED: usize = 256;

/// Passes clients to the overload thread, which ends when the last of these is dropped.
#[derive(Clone)]
pub(super) struct Overload {
    queue: SyncSender<Rejected>,
    shared: Arc<Shared>,
}

struct Rejected {
    stream: Arc<TcpStream>,
    client: Client,
}

impl Overload {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system cannot start another thread.
    pub fn start(shared: Arc<Shared>) -> io::Result<(Overload, JoinHandle<()>)> {
        let (queue, receiver) = sync_channel(MAX_REJECTED);
        let overload = Overload { queue, shared: Arc::clone(&shared) };
        let thread = Builder::new().name("overload".to_owned());
        Ok((overload, thread.spawn(move || send_responses(&receiver, &shared))?))
    }

    /// Sends a client 503. Never blocks.
    pub fn reject(&self, stream: Arc<TcpStream>, client: Client) {
        self.shared.rejections.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(Rejected { stream, client }).is_err() {
            // The error had the stream, which is closed now.
            let cause = "too many to send each of them a 503";
            self.shared.warnings.warn("closing some clients without a response", cause);
        }
    }
}

/// A client that has its 503 and may not have read it yet.
struct Lingering {
    stream: Arc<TcpStream>,
    close_at: Instant,
}

fn send_responses(queue: &Receiver<Rejected>, shared: &Shared) {
    let mut lingering = VecDeque::new();
    loop {
        match receive(queue, &lingering) {
            Ok(Rejected { stream, client }) => {
                Tap::new(&shared.trace, &stream, client.number, client.accepted_at).rejects_client();
                lingering.extend(send_503(stream).ok());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        close_oldest(&mut lingering);
    }
}

/// Waits for the next client, or until the oldest one is to be closed.
fn receive(
    queue: &Receiver<Rejected>,
    lingering: &VecDeque<Lingering>,
) -> Result<Rejected, RecvTimeoutError> {
    match lingering.front() {
        Some(oldest) => queue.recv_timeout(oldest.close_at.saturating_duration_since(Instant::now())),
        None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// Sends the response and shuts the writing half down. The socket's send buffer is empty, so this does not block.
fn send_503(stream: Arc<TcpStream>) -> io::Result<Lingering> {
    let error = Status::SERVICE_UNAVAILABLE.error("too many clients, come back later");
    let options = ResponseOptions { close: true, ..ResponseOptions::default() };
    stream.set_nonblocking(true)?;
    (&*stream).write_all(&Response::error(&error).to_bytes(options))?;
    stream.shutdown(Shutdown::Write)?;
    Ok(Lingering { stream, close_at: Instant::now() + LINGER_TIME })
}

/// Closes clients that had time to read their response, and the oldest ones when there are too many.
fn close_oldest(lingering: &mut VecDeque<Lingering>) {
    let now = Instant::now();
    while lingering.front().map_or(false, |oldest| oldest.close_at <= now) || lingering.len() > MAX_REJECTED {
        if let Some(oldest) = lingering.pop_front() {
            // Closing a socket that has unread bytes sends a reset, which can overtake the response.
            let _ = (&*oldest.stream).read(&mut [0; 4096]);
        }
    }
}
