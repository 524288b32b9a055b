//! The commands of a test for an open stream: to pass a pause, to send a chunk, to end.

use crate::script::play::clock::Command;
use crate::text::lock::lock;
use crate::text::shared::SharedBytes;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Commands that wait for one stream, and the bytes of their chunks; at least one chunk may wait, however large it is.
/// A stream takes its commands after the step that it is in, so they wait for long only if its client does not read.
const MAX_QUEUED: usize = 256;
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// The commands for one stream. Other threads give them; the thread of the stream takes them in the same order.
#[derive(Debug)]
pub(crate) struct StreamControl {
    /// The path of the request, percent-decoded; empty for a stream that no script sends.
    path: Vec<u8>,
    /// The pauses in the script.
    pauses: Vec<Arc<str>>,
    /// Whether the response has a body to send chunks in.
    has_body: bool,
    /// Whether there may be a command. The thread of the stream looks only at this after each step of the script.
    is_signaled: AtomicBool,
    commands: Mutex<Commands>,
}

#[derive(Debug, Default)]
struct Commands {
    /// The oldest first.
    queue: VecDeque<Command>,
    /// Bytes of the chunks in the queue.
    bytes: usize,
    /// The response ends, and takes no command.
    is_closed: bool,
    is_dropped: bool,
}

/// What happened to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// The stream will take it.
    Yes,
    /// It does not concern the stream, or comes too late.
    No,
    /// Too many commands wait already.
    Full,
}

impl StreamControl {
    /// The commands for a stream in response to a request for `path`, whose script has these pauses.
    pub fn new(path: Vec<u8>, pauses: Vec<Arc<str>>, has_body: bool) -> StreamControl {
        StreamControl {
            path,
            pauses,
            has_body,
            is_signaled: AtomicBool::new(false),
            commands: Mutex::default(),
        }
    }

    /// The commands for a stream that no script sends: there are none.
    pub fn internal() -> StreamControl {
        StreamControl::new(Vec::new(), Vec::new(), false)
    }

    /// Whether the stream answers a request for this path.
    pub fn is_for(&self, path: &[u8]) -> bool {
        self.path == path
    }

    /// Lets the stream pass the pause of this name once, if its script has one.
    pub fn release(&self, name: &str) -> Queued {
        match self.pauses.iter().find(|pause| ***pause == *name) {
            Some(pause) => self.add(Command::Release(Arc::clone(pause)), 0),
            None => Queued::No,
        }
    }

    /// Lets the stream send a chunk, if it has a body.
    pub fn send(&self, chunk: &SharedBytes) -> Queued {
        if !self.has_body {
            return Queued::No;
        }
        self.add(Command::Send(chunk.clone()), chunk.len())
    }

    fn add(&self, command: Command, bytes: usize) -> Queued {
        let mut commands = lock(&self.commands);
        if commands.is_closed || commands.is_dropped {
            return Queued::No;
        }
        let has_many_bytes = commands.bytes > 0 && commands.bytes + bytes > MAX_QUEUED_BYTES;
        if has_many_bytes || commands.queue.len() == MAX_QUEUED {
            return Queued::Full;
        }
        commands.queue.push_back(command);
        commands.bytes += bytes;
        self.is_signaled.store(true, Ordering::Release);
        Queued::Yes
    }

    /// Ends the stream after the commands so far. `false` if that was done before.
    pub fn drop_stream(&self) -> bool {
        let was_dropped = std::mem::replace(&mut lock(&self.commands).is_dropped, true);
        self.is_signaled.store(true, Ordering::Release);
        !was_dropped
    }

    /// Whether there may be a command. This takes no lock.
    pub fn is_signaled(&self) -> bool {
        self.is_signaled.load(Ordering::Acquire)
    }

    /// Whether a test has ended the stream.
    pub fn is_dropped(&self) -> bool {
        self.is_signaled() && lock(&self.commands).is_dropped
    }

    /// Takes the next command.
    ///
    /// # Errors
    /// `ConnectionAborted` when there is no other and the stream was dropped.
    pub fn next_command(&self) -> io::Result<Option<Command>> {
        if !self.is_signaled() {
            return Ok(None);
        }
        let mut commands = lock(&self.commands);
        let command = commands.take();
        if command.is_none() {
            if commands.is_dropped {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            self.is_signaled.store(false, Ordering::Release);
        }
        Ok(command)
    }

    /// Accepts no further commands.
    pub fn close(&self) {
        lock(&self.commands).is_closed = true;
    }

    /// Whether the response ends, or has ended.
    pub fn is_closed(&self) -> bool {
        lock(&self.commands).is_closed
    }
}

impl Commands {
    fn take(&mut self) -> Option<Command> {
        let command = self.queue.pop_front();
        if let Some(Command::Send(chunk)) = &command {
            self.bytes -= chunk.len();
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> StreamControl {
        StreamControl::new(b"/a".to_vec(), vec!["x".into()], true)
    }

    fn chunk(length: usize) -> SharedBytes {
        vec![b'x'; length].into()
    }

    #[test]
    fn commands_are_taken_in_order_before_the_stream_ends() {
        let control = control();
        assert_eq!(control.next_command().unwrap(), None);
        assert_eq!(
            [control.send(&chunk(1)), control.release("x"), control.release("y")],
            [Queued::Yes, Queued::Yes, Queued::No]
        );
        assert_eq!([control.drop_stream(), control.drop_stream()], [true, false]);
        assert_eq!(control.send(&chunk(2)), Queued::No);
        assert_eq!(control.next_command().unwrap(), Some(Command::Send(chunk(1))));
        assert!(control.is_dropped());
        assert_eq!(control.next_command().unwrap(), Some(Command::Release("x".into())));
        assert_eq!(control.next_command().unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }

    #[test]
    fn a_response_that_ends_takes_no_further_commands() {
        let control = control();
        control.send(&chunk(1));
        control.close();
        assert_eq!(control.send(&chunk(2)), Queued::No);
        assert_eq!(control.next_command().unwrap(), Some(Command::Send(chunk(1))));
        assert_eq!(control.next_command().unwrap(), None);
        let without_body = StreamControl::new(b"/a".to_vec(), vec!["x".into()], false);
        assert_eq!([without_body.send(&chunk(1)), without_body.release("x")], [Queued::No, Queued::Yes]);
    }

    #[test]
    fn the_queue_is_bounded_but_one_chunk_of_any_size_may_wait() {
        let control = control();
        assert_eq!(control.send(&chunk(2 * MAX_QUEUED_BYTES)), Queued::Yes);
        assert_eq!(control.send(&chunk(1)), Queued::Full);
        control.next_command().unwrap();
        let queued = (0..MAX_QUEUED).filter(|_| control.send(&chunk(1)) == Queued::Yes).count();
        assert_eq!((queued, control.release("x")), (MAX_QUEUED, Queued::Full));
    }
}
