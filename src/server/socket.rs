//! Receives and sends over one client's TCP connection, each direction with its limit in time. A client may be slow,
//! silent or gone; none of that may hold a thread for longer than the constants here.

use crate::http::response::RequestError;
use crate::http::Progress;
use crate::trace::Tap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// For a whole head, counted from accept or, on a kept connection, from its first byte. People typing into telnet need a few seconds; a client
/// that dribbles its head must not keep a thread for longer.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// For a whole body, which is 1 MiB at most.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// For the next request to begin on a kept connection. Clients reconnect after 2 or 3 s.
pub const IDLE_TIME: Duration = Duration::from_secs(10);
/// For a client to take what is written to it, in total: one that reads nothing is given up.
pub const WRITE_TIME: Duration = Duration::from_secs(10);
/// For a client to close its side after we closed ours. Until then its bytes are read and thrown away, for closing a
/// socket with unread bytes sends a TCP reset, which can destroy the answer on its way (RFC 9112, section 9.6).
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// Octets looked at in one go: a usual head. On the stack, so it is part of what a client costs.
const PEEK: usize = 1024;
/// A timeout on the socket this much off is not worth a system call.
const TIMEOUT_SLACK: Duration = Duration::from_millis(50);

/// Sets the options that both directions of a connection rely on.
///
/// # Errors
/// The socket takes no options: the connection is gone already.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Without this, a second small write waits for the acknowledgement of the first: 40 ms.
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HEAD_TIME))?;
    stream.set_write_timeout(Some(WRITE_TIME))
}

/// Why no request, or no whole one, was received.
#[derive(Debug)]
pub enum ReceiveError {
    /// It breaks a rule.
    Refused(RequestError),
    /// It took too long.
    TimedOut,
    /// The client closed its side before the end.
    Closed,
    /// The connection broke.
    Io(io::Error),
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> ReceiveError {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => ReceiveError::TimedOut,
            _ => ReceiveError::Io(error),
        }
    }
}

/// Until when something has to come.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// All of it until then.
    Whole(Instant),
    /// Its first byte within one time, and the rest within another after that.
    Begin {
        /// For the first byte.
        first: Duration,
        /// For the rest.
        rest: Duration,
    },
}

impl Due {
    /// What is left of the time for the next byte.
    fn left(self) -> Duration {
        match self {
            Due::Whole(deadline) => deadline.saturating_duration_since(Instant::now()),
            Due::Begin { first, .. } => first,
        }
    }
}

/// Takes bytes, and says whether what it reads is complete.
pub type Take<'t> = dyn FnMut(&[u8]) -> Result<Progress, RequestError> + 't;

/// What a client sends. A request is looked at with `peek` and its last part stays unread until the answer is over, so
/// that what the client sends ahead stays in the kernel's buffer, which is bounded, and never in ours.
pub struct Incoming<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
    unread: usize,
    timeout: Duration,
    /// The client has closed its side.
    ended: bool,
}

impl<'a> Incoming<'a> {
    /// The receiving direction of a stream that went through [`prepare`].
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Incoming<'a> {
        Incoming { stream, tap, unread: 0, timeout: HEAD_TIME, ended: false }
    }

    /// Feeds bytes to `take` until it says that what it reads is complete, and leaves its last part unread.
    ///
    /// # Errors
    /// [`ReceiveError`]; what arrived before it is lost.
    pub fn receive(&mut self, mut due: Due, take: &mut Take<'_>) -> Result<(), ReceiveError> {
        let mut buffer = [0; PEEK];
        self.discard_unread(&mut buffer)?;
        loop {
            let length = self.peek(&mut buffer, due.left())?;
            let progress = take(&buffer[..length]);
            self.tap.received(&buffer[..part_of(&progress, length)]);
            match progress.map_err(ReceiveError::Refused)? {
                Progress::Done(used) => {
                    self.unread = used;
                    return Ok(());
                }
                Progress::More => self.stream.read_exact(&mut buffer[..length])?,
            }
            if let Due::Begin { rest, .. } = due {
                due = Due::Whole(Instant::now() + rest);
            }
        }
    }

    fn peek(&mut self, buffer: &mut [u8], left: Duration) -> Result<usize, ReceiveError> {
        if left == Duration::ZERO {
            return Err(ReceiveError::TimedOut);
        }
        if left + TIMEOUT_SLACK < self.timeout || left > self.timeout + TIMEOUT_SLACK {
            self.stream.set_read_timeout(Some(left))?;
            self.timeout = left;
        }
        let length = retry(|| self.stream.peek(buffer))?;
        if length == 0 {
            self.ended = true;
            self.tap.client_closed();
            return Err(ReceiveError::Closed);
        }
        Ok(length)
    }

    fn discard_unread(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        while self.unread > 0 {
            let length = self.unread.min(buffer.len());
            self.stream.read_exact(&mut buffer[..length])?;
            self.unread -= length;
        }
        Ok(())
    }

    /// Ends the connection so that all that was written arrives.
    pub fn close(self) {
        if !self.ended {
            linger(self.stream);
        }
    }
}

/// How many of the bytes that were looked at belong to what is being read.
fn part_of(progress: &Result<Progress, RequestError>, length: usize) -> usize {
    match progress {
        Ok(Progress::Done(used)) => *used,
        Ok(Progress::More) | Err(_) => length,
    }
}

/// Shuts the writing half down, then throws away what still comes, until the client closes or [`LINGER_TIME`] is over.
fn linger(mut stream: &TcpStream) {
    let deadline = Instant::now() + LINGER_TIME;
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let mut buffer = [0; 256];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match retry(|| stream.read(&mut buffer)) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn retry<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match act() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// What is sent to a client. All that is written up to a `flush` takes [`WRITE_TIME`] at most, however little the client
/// reads at a time.
pub struct Outgoing<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
    /// When what is being written has to be taken.
    deadline: Option<Instant>,
}

impl<'a> Outgoing<'a> {
    /// The sending direction of a stream that went through [`prepare`].
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Outgoing<'a> {
        Outgoing { stream, tap, deadline: None }
    }

    #[cold]
    #[inline(never)]
    fn write_rest(&mut self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_write_timeout(Some(left))?;
            let written = self.write(bytes)?;
            bytes = &bytes[written..];
        }
        self.stream.set_write_timeout(Some(WRITE_TIME))
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match retry(|| self.stream.write(bytes)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
            Ok(0) if !bytes.is_empty() => Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.tap.sent(&bytes[..written]);
                Ok(written)
            }
            Err(error) => Err(error),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + WRITE_TIME);
        match self.write(bytes)? {
            written if written == bytes.len() => Ok(()),
            written => self.write_rest(&bytes[written..], deadline),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.deadline = None;
        Ok(())
    }
}
