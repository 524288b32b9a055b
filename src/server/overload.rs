//! Sends `503 Service Unavailable` with `retry-after` to clients that no thread can be had for, all of them on one thread
//! of its own, so that neither accepting nor serving waits for them.

use crate::http::response::{Answer, RequestError, ResponseOptions, Status};
use crate::server::shared::Shared;
use crate::server::socket::LINGER_TIME;
use crate::server::threads;
use crate::server::trouble::Trouble;
use crate::text::queue::{Nothing, Queue};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Clients being turned away at one time, however many descriptors there are: somebody who opens more does not read.
const MAX_TURNED_AWAY: usize = 1_024;
/// And at least so many, for a client that is turned away is seldom alone.
const MIN_TURNED_AWAY: usize = 8;
/// Between two looks at what clients still send: most have read their answer and closed by then.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between two looks when nobody is being turned away: whoever comes ends the wait.
const NOBODY_THERE: Duration = Duration::from_secs(3600);
/// Seconds, for `retry-after`: as long as an EventSource waits by itself.
const RETRY_AFTER: &[u8] = b"2";

/// The way to the thread that turns clients away.
#[derive(Clone, Debug)]
pub struct TurnAway(Arc<Closing>);

/// Closes the queue when the last way to it is gone.
#[derive(Debug)]
struct Closing {
    queue: Arc<Queue<TcpStream>>,
    /// More clients came than can be told.
    overflow: Mutex<Trouble>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl TurnAway {
    /// Starts the thread. It ends when the last `TurnAway` is dropped. Each client holds one of `descriptors` for a second
    /// at most; when all are held, the next one is closed without a word.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(site: Arc<Shared>, descriptors: usize) -> io::Result<TurnAway> {
        // Half of them for clients that wait to be told, half for those that were.
        let most = (descriptors / 2).clamp(MIN_TURNED_AWAY, MAX_TURNED_AWAY);
        let queue = Arc::new(Queue::new(most));
        let arriving = Arc::clone(&queue);
        threads::start(threads::named("turn away"), Arc::new(move || turn_away(&arriving, most, &site)))?;
        Ok(TurnAway(Arc::new(Closing { queue, overflow: Mutex::default() })))
    }

    /// Has a client turned away; never waits.
    pub fn client(&self, stream: TcpStream) {
        // When the queue is full, the stream comes back in the error and is closed.
        if self.0.queue.offer(stream).is_err() {
            let mut overflow = self.0.overflow.lock().unwrap_or_else(PoisonError::into_inner);
            overflow.tell("so many clients come that some are turned away without a word");
        }
    }
}

/// A client that has its answer and may not have read it yet.
struct Leaving {
    stream: TcpStream,
    deadline: Instant,
}

fn turn_away(arriving: &Queue<TcpStream>, most: usize, site: &Shared) {
    let mut leaving = Vec::new();
    let mut looked = Instant::now();
    loop {
        let time = if leaving.is_empty() { NOBODY_THERE } else { LOOK_EVERY };
        match arriving.take(time) {
            Ok(stream) => {
                site.trace.rejected(&stream, site.state.next_number());
                leaving.extend(say_so(stream));
            }
            Err(Nothing::Yet) => {}
            Err(Nothing::EverMore) => return,
        }
        if looked.elapsed() >= LOOK_EVERY || leaving.len() > most {
            leaving.retain(is_still_there);
            looked = Instant::now();
        }
        leaving.truncate(most);
    }
}

/// Answers and shuts the writing half down. The socket's buffer is empty, so the answer fits or the client is gone.
fn say_so(stream: TcpStream) -> Option<Leaving> {
    let error = RequestError::new(Status::SERVICE_UNAVAILABLE, "too many clients, come back later");
    let answer = Answer::error(&error).with("retry-after", RETRY_AFTER);
    let options = ResponseOptions { close: true, ..ResponseOptions::default() };
    stream.set_nonblocking(true).ok()?;
    (&stream).write_all(&answer.to_bytes(options)).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    Some(Leaving { stream, deadline: Instant::now() + LINGER_TIME })
}

/// Throws away what the client sends, so that closing the socket sends no reset that would destroy the answer.
fn is_still_there(client: &Leaving) -> bool {
    let mut buffer = [0; 1024];
    match (&client.stream).read(&mut buffer) {
        Ok(0) => false,
        Ok(_) => Instant::now() < client.deadline,
        Err(error) => error.kind() == ErrorKind::WouldBlock && Instant::now() < client.deadline,
    }
}
