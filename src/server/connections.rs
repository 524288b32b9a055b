//! The list of open connections, through which one thread interrupts the others: to drop all streams, and to stop.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// What the thread of a connection does, as far as it matters for interrupting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It receives a request, or sends a short response.
    BetweenStreams,
    /// It sends a stream: it writes or waits.
    Streaming,
    /// It waits until the client closes the connection: it reads.
    Hanging,
}

#[derive(Debug)]
struct OpenConnection {
    stream: Arc<TcpStream>,
    thread: Thread,
    activity: Activity,
}

impl OpenConnection {
    /// Ends what the thread waits for. What was written before still arrives at the client. An error means that the
    /// connection has ended already.
    fn interrupt(&self, direction: Shutdown) {
        let _ = self.stream.shutdown(direction);
        self.thread.unpark();
    }
}

/// All open connections of a server, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    list: Mutex<HashMap<u64, OpenConnection>>,
    /// How many times all streams were dropped.
    drops: AtomicUsize,
}

/// A connection in the list. Dropping this removes it.
pub(crate) struct Listed<'a> {
    connections: &'a Connections,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.number);
    }
}

impl Connections {
    /// Adds a connection that this thread serves.
    pub fn add(&self, number: u64, stream: &Arc<TcpStream>) -> Listed<'_> {
        let (stream, thread) = (Arc::clone(stream), thread::current());
        let connection = OpenConnection { stream, thread, activity: Activity::BetweenStreams };
        self.lock().insert(number, connection);
        Listed { connections: self, number }
    }

    /// Notes what a connection does from now on. Returns the number of drops so far: if there are more later, and a stream
    /// began at this moment, it was dropped.
    pub fn set_activity(&self, number: u64, activity: Activity) -> usize {
        let mut list = self.lock();
        if let Some(connection) = list.get_mut(&number) {
            connection.activity = activity;
        }
        self.drops()
    }

    /// How many times all streams were dropped.
    pub fn drops(&self) -> usize {
        self.drops.load(Ordering::Relaxed)
    }

    /// Interrupts every stream. Clients see the end of the connection, but no reset: the receiving direction stays open
    /// where the thread does not wait for it, because bytes that arrive after it was shut down cause one.
    pub fn drop_streams(&self) {
        let list = self.lock();
        self.drops.fetch_add(1, Ordering::Relaxed);
        for connection in list.values() {
            match connection.activity {
                Activity::BetweenStreams => {}
                Activity::Streaming => connection.interrupt(Shutdown::Write),
                Activity::Hanging => connection.interrupt(Shutdown::Both),
            }
        }
    }

    /// Interrupts every connection, except the one with this number.
    pub fn interrupt_all(&self, except: Option<u64>) {
        for (number, connection) in self.lock().iter() {
            if Some(*number) != except {
                connection.interrupt(Shutdown::Both);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, OpenConnection>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
