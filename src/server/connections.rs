//! The list of open connections, through which one thread acts on the others: releases pauses, sends chunks, ends streams,
//! and stops.

use super::stream_control::{Queued, StreamControl};
use crate::text::lock::lock;
use crate::text::shared::SharedBytes;
use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long streams that a test drops may continue, to send what the test has sent before. They end in less than a
/// millisecond unless their clients do not read.
const DROP_TIME: Duration = Duration::from_millis(20);
/// The time between two checks of the streams that are left.
const DROP_POLL: Duration = Duration::from_micros(200);

#[derive(Debug)]
struct OpenConnection {
    stream: Arc<TcpStream>,
    thread: Thread,
    /// `None` between streams: while a request is received, or a short response is sent.
    control: Option<Arc<StreamControl>>,
}

impl OpenConnection {
    /// Ends what the thread waits for. What was written before still arrives at the client. An error means that the
    /// connection has ended already.
    fn interrupt(&self, direction: Shutdown) {
        let _ = self.stream.shutdown(direction);
        self.thread.unpark();
    }
}

/// Connections by their numbers.
type List = HashMap<u64, OpenConnection>;

/// All open connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<List>);

/// A connection in the list. Dropping this removes it.
pub(crate) struct Listed<'a> {
    connections: &'a Connections,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        lock(&self.connections.0).remove(&self.number);
    }
}

/// A stream that other threads can find through its connection, until this is dropped.
pub(crate) struct OpenStream<'a> {
    connections: &'a Connections,
    number: u64,
    /// The commands of other threads for the stream.
    pub control: Arc<StreamControl>,
}

impl Drop for OpenStream<'_> {
    fn drop(&mut self) {
        self.control.close();
        self.connections.set_control(self.number, None);
    }
}

/// The number of streams that a command has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Streams that take it.
    pub streams: usize,
    /// Streams that were dropped instead, because too many commands waited already.
    pub dropped: usize,
}

impl Connections {
    /// Adds a connection that this thread serves.
    pub fn add(&self, number: u64, stream: &Arc<TcpStream>) -> Listed<'_> {
        let (stream, thread) = (Arc::clone(stream), thread::current());
        lock(&self.0).insert(number, OpenConnection { stream, thread, control: None });
        Listed { connections: self, number }
    }

    /// Begins a stream on a connection.
    pub fn open_stream(&self, number: u64, control: StreamControl) -> OpenStream<'_> {
        let control = Arc::new(control);
        self.set_control(number, Some(Arc::clone(&control)));
        OpenStream { connections: self, number, control }
    }

    fn set_control(&self, number: u64, control: Option<Arc<StreamControl>>) {
        if let Some(connection) = lock(&self.0).get_mut(&number) {
            connection.control = control;
        }
    }

    /// Lets each stream whose script has a pause of this name pass it once.
    pub fn release(&self, name: &str) -> Reached {
        self.give_command(|control| control.release(name))
    }

    /// Lets each stream for this path send a chunk.
    pub fn send(&self, path: &[u8], chunk: &SharedBytes) -> Reached {
        self.give_command(|control| if control.is_for(path) { control.send(chunk) } else { Queued::No })
    }

    fn give_command(&self, give: impl Fn(&StreamControl) -> Queued) -> Reached {
        let mut reached = Reached::default();
        for (_, connection, control) in streams(&lock(&self.0)) {
            match give(control) {
                Queued::No => {}
                Queued::Yes => {
                    reached.streams += 1;
                    connection.thread.unpark();
                }
                Queued::Full => {
                    reached.dropped += 1;
                    control.drop_stream();
                    connection.interrupt(Shutdown::Write);
                }
            }
        }
        reached
    }

    /// Ends the streams for this path, or all streams of scripts, after the commands that they were given before.
    /// Returns their number.
    pub fn drop_streams(&self, path: Option<&[u8]>) -> usize {
        let mut open: Vec<(u64, Arc<StreamControl>)> = Vec::new();
        for (number, connection, control) in streams(&lock(&self.0)) {
            if path.map_or(true, |path| control.is_for(path)) && control.drop_stream() {
                connection.thread.unpark();
                open.push((number, Arc::clone(control)));
            }
        }
        let (count, deadline) = (open.len(), Instant::now() + DROP_TIME);
        while !open.is_empty() && Instant::now() < deadline {
            thread::sleep(DROP_POLL);
            open.retain(|(_, control)| !control.is_closed());
        }
        self.interrupt_streams(&open);
        count
    }

    /// Ends streams that take too long to end themselves: they write to clients that do not read. Clients see the end
    /// of the connection, but no reset: the receiving direction stays open, because bytes that arrive after it was shut
    /// down cause one.
    fn interrupt_streams(&self, open: &[(u64, Arc<StreamControl>)]) {
        let list = lock(&self.0);
        for (number, control) in open.iter().filter(|(_, control)| !control.is_closed()) {
            let is_same = |connection: &&OpenConnection| {
                connection.control.as_ref().map_or(false, |current| Arc::ptr_eq(current, control))
            };
            if let Some(connection) = list.get(number).filter(is_same) {
                connection.interrupt(Shutdown::Write);
            }
        }
    }

    /// Interrupts every connection, except the one with this number.
    pub fn interrupt_all(&self, except: Option<u64>) {
        for (number, connection) in lock(&self.0).iter() {
            if Some(*number) != except {
                connection.interrupt(Shutdown::Both);
            }
        }
    }
}

/// The streams of scripts, each with its connection and the number of it.
fn streams(list: &List) -> impl Iterator<Item = (u64, &OpenConnection, &Arc<StreamControl>)> {
    list.iter().filter_map(|(number, connection)| Some((*number, connection, connection.control.as_ref()?)))
}
