//! Sends `503 Service Unavailable` to clients that cannot be served, on one thread, so that neither accepting nor serving
//! waits for them. The same thread prints the warnings about it, because writing to stderr can block.

use super::shared::{Client, Shared};
use super::socket::LINGER_TIME;
use super::warning::RateLimitedWarning;
use crate::http::response::ResponseOptions;
use crate::http::short_response::Response;
use crate::http::status::Status;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Instant;

/// Clients that wait for their 503, and clients that have it but may not have read it yet. Each has an open file, and
/// those are scarce when there are too many clients.
const MAX_REJECTED: usize = 256;
/// The value of `retry-after`, in seconds: about the reconnection time of a browser.
const RETRY_AFTER: &str = "2";

/// Sends problems to the overload thread, which ends when the last of these is dropped. No method blocks.
#[derive(Clone, Debug)]
pub(super) struct Overload {
    problems: SyncSender<Problem>,
    /// A client was closed without a 503, because too many others waited for theirs.
    overflowed: Arc<AtomicBool>,
}

enum Problem {
    Rejected(Arc<TcpStream>, Client),
    AcceptFailed(io::Error),
    SpawnFailed(io::Error),
}

impl Overload {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system cannot start another thread.
    pub fn start(shared: Arc<Shared>) -> io::Result<Overload> {
        let (problems, receiver) = sync_channel(MAX_REJECTED);
        let overflowed = Arc::new(AtomicBool::new(false));
        let sent_overflow = Arc::clone(&overflowed);
        let run = move || handle_problems(&receiver, &sent_overflow, &shared);
        Builder::new().name("overload".to_owned()).spawn(run)?;
        Ok(Overload { problems, overflowed })
    }

    /// Sends a client 503.
    pub fn reject(&self, stream: Arc<TcpStream>, client: Client) {
        self.send(Problem::Rejected(stream, client));
    }

    /// Warns that `accept` failed.
    pub fn accept_failed(&self, error: io::Error) {
        self.send(Problem::AcceptFailed(error));
    }

    /// Warns that a client's thread could not be started.
    pub fn spawn_failed(&self, error: io::Error) {
        self.send(Problem::SpawnFailed(error));
    }

    fn send(&self, problem: Problem) {
        // When the channel is full, a stream in the problem is closed by dropping it, and a warning is lost among others.
        if let Err(TrySendError::Full(Problem::Rejected(..))) = self.problems.try_send(problem) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }
}

/// A client that has its 503 and may not have read it yet.
struct Lingering {
    stream: Arc<TcpStream>,
    close_at: Instant,
}

fn handle_problems(problems: &Receiver<Problem>, overflowed: &AtomicBool, shared: &Shared) {
    let mut lingering = VecDeque::new();
    let mut accept_failed = RateLimitedWarning::default();
    let mut spawn_failed = RateLimitedWarning::default();
    let mut overflow = RateLimitedWarning::default();
    loop {
        match receive(problems, &lingering) {
            Ok(Problem::Rejected(stream, client)) => {
                shared.trace.rejected(&stream, client.number, client.accepted_at);
                lingering.extend(send_503(stream).ok());
            }
            Ok(Problem::AcceptFailed(error)) => {
                accept_failed.print(format_args!("cannot accept a connection, trying again: {error}"));
            }
            Ok(Problem::SpawnFailed(error)) => {
                spawn_failed.print(format_args!("cannot start a thread, responding with 503: {error}"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if overflowed.swap(false, Ordering::Relaxed) {
            overflow.print("too many clients to send each of them a 503: closing some without a response");
        }
        close_oldest(&mut lingering);
    }
}

/// Waits for the next problem, or until the oldest client is to be closed.
fn receive(
    problems: &Receiver<Problem>,
    lingering: &VecDeque<Lingering>,
) -> Result<Problem, RecvTimeoutError> {
    match lingering.front() {
        Some(oldest) => problems.recv_timeout(oldest.close_at.saturating_duration_since(Instant::now())),
        None => problems.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// Sends the response and shuts the writing half down. The socket's send buffer is empty, so this does not block.
fn send_503(stream: Arc<TcpStream>) -> io::Result<Lingering> {
    let error = Status::SERVICE_UNAVAILABLE.error("too many clients, come back later");
    let response = Response::error(&error).field("retry-after", RETRY_AFTER);
    let options = ResponseOptions { close: true, ..ResponseOptions::default() };
    stream.set_nonblocking(true)?;
    (&*stream).write_all(&response.to_bytes(options))?;
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
