//! Sends `503 Service Unavailable` with `retry-after` to clients that no thread can be had for, all of them on one thread
//! of its own, so that neither accepting nor serving waits for them.

use crate::http::response::{Answer, Manners, Refusal, Status};
use crate::socket::LINGER_TIME;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Clients being turned away at one time. Each holds a descriptor for a second at most; beyond this number they are
/// closed without a word, for somebody who opens so many does not read.
const MAX_TURNED_AWAY: usize = 256;
/// Between two looks at what clients still send.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Seconds, for `retry-after`.
const RETRY_AFTER: &str = "2";

/// The way to the thread that turns clients away.
#[derive(Clone, Debug)]
pub struct TurnAway(SyncSender<Arc<TcpStream>>);

impl TurnAway {
    /// Starts the thread. It ends when the last `TurnAway` is dropped.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start() -> io::Result<TurnAway> {
        let (sender, receiver) = sync_channel(MAX_TURNED_AWAY);
        thread::Builder::new().name("turn away".to_owned()).spawn(move || turn_away(&receiver))?;
        Ok(TurnAway(sender))
    }

    /// Has a client turned away; never waits.
    pub fn client(&self, stream: Arc<TcpStream>) {
        // When the queue is full, the stream comes back in the error and is closed.
        let _ = self.0.try_send(stream);
    }
}

/// A client that has its answer and may not have read it yet.
struct Leaving {
    stream: Arc<TcpStream>,
    deadline: Instant,
}

fn turn_away(arriving: &Receiver<Arc<TcpStream>>) {
    let mut leaving: VecDeque<Leaving> = VecDeque::new();
    loop {
        let next = match leaving.is_empty() {
            true => arriving.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => arriving.recv_timeout(LOOK_EVERY),
        };
        match next {
            Ok(stream) => leaving.extend(say_so(stream)),
            Err(RecvTimeoutError::Timeout) => leaving.retain(is_still_sending),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if leaving.len() > MAX_TURNED_AWAY {
            leaving.pop_front();
        }
    }
}

/// Answers and shuts the writing half down. The socket's buffer is empty, so the answer fits or the client is gone.
fn say_so(stream: Arc<TcpStream>) -> Option<Leaving> {
    let refusal = Refusal::new(Status::SERVICE_UNAVAILABLE, "too many clients, come back later");
    let answer = Answer::refusal(&refusal).with("retry-after", RETRY_AFTER);
    let manners = Manners { close: true, ..Manners::default() };
    stream.set_nonblocking(true).ok()?;
    (&*stream).write_all(&answer.to_bytes(manners)).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    Some(Leaving { stream, deadline: Instant::now() + LINGER_TIME })
}

/// Throws away what the client sends, so that closing the socket sends no reset that would destroy the answer.
fn is_still_sending(client: &Leaving) -> bool {
    let mut buffer = [0; 1024];
    match (&*client.stream).read(&mut buffer) {
        Ok(0) => false,
        Ok(_) => Instant::now() < client.deadline,
        Err(error) => error.kind() == ErrorKind::WouldBlock && Instant::now() < client.deadline,
    }
}
