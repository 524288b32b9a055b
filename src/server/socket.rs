//! The two directions of a client's TCP connection, each with its time limits. A client may be slow, silent or gone; none
//! of that may hold a thread for longer than the constants here.

use crate::http::status::{bad_request, RequestError, Status};
use crate::http::Progress;
use crate::trace::tap::Tap;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// For a whole head, counted from accept or, on a kept connection, from its first byte. People who type into telnet need a
/// few seconds; a client that sends its head byte by byte must not hold a thread for longer.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);
/// For a whole body. On one machine, 10 s are enough for gigabytes.
pub(super) const BODY_TIME: Duration = Duration::from_secs(10);
/// For the next request to begin on a kept connection. Clients reconnect after 2 or 3 s.
const IDLE_TIME: Duration = Duration::from_secs(10);
/// For a client to take something of what is being written. The connection of a client that stops reading is closed; one
/// that reads slowly is served to the end. What counts is that the client's system takes bytes from this one: over
/// loopback, in steps of up to 64 KiB, so a client that reads less than that in 10 s may count as one that reads nothing.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Attempts to write during `WRITE_TIME`. While a write waits, Linux lets it go on only when a third of the send buffer
/// is free, which is megabytes; a new attempt needs only some room. On Windows, a socket must not be used after an
/// attempt that timed out.
const WRITE_ATTEMPTS: u32 = if cfg!(windows) { 1 } else { 40 };
/// For a client to close its side after the server has closed its own. Until then its bytes are read and ignored, because
/// closing a socket with unread bytes sends a TCP reset, which can overtake the response (RFC 9112, section 9.6).
pub(super) const LINGER_TIME: Duration = Duration::from_secs(1);
/// Bytes looked at in one call: a usual head. The buffer is on the stack, so it is part of what a client costs.
const PEEK: usize = 1024;

/// Sets the options that both directions rely on.
///
/// # Errors
/// The connection is gone already.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Without this, a second small write waits for the acknowledgement of the first: 40 ms.
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIME / WRITE_ATTEMPTS))
}

/// Why no complete request was received.
#[derive(Debug)]
pub(super) enum ReceiveError {
    /// It is not acceptable.
    Invalid(RequestError),
    /// It took too long.
    TimedOut,
    /// The client closed its side before the end.
    Closed,
    /// The connection broke.
    Io(io::Error),
}

impl ReceiveError {
    /// What to tell the client.
    ///
    /// # Errors
    /// The connection broke, so nothing can be told.
    pub fn into_request_error(self) -> io::Result<RequestError> {
        match self {
            ReceiveError::Invalid(error) => Ok(error),
            ReceiveError::TimedOut => Ok(Status::REQUEST_TIMEOUT.error("the request took longer than 10 s")),
            ReceiveError::Closed => Ok(bad_request("the request ended in the middle")),
            ReceiveError::Io(error) => Err(error),
        }
    }
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> ReceiveError {
        if is_timeout(&error) {
            ReceiveError::TimedOut
        } else {
            ReceiveError::Io(error)
        }
    }
}

/// The receiving direction. It looks at a request with `peek` and reads no further than its end, so that requests which a
/// client sends ahead stay in the kernel's buffer, which is bounded. The last part of a request is left unread until the
/// response begins: `@reset` needs it.
pub(super) struct Incoming<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
    /// Bytes that were looked at and belong to the last request.
    unread: Cell<usize>,
    /// The client has closed its side, or the server stops.
    ended: bool,
}

impl<'a> Incoming<'a> {
    /// The receiving direction of a stream that was [prepared](prepare).
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Incoming<'a> {
        Incoming { stream, tap, unread: Cell::new(0), ended: false }
    }

    /// Waits until the next request begins. Returns `false` when none does within [`IDLE_TIME`], or the client closes its
    /// side.
    ///
    /// # Errors
    /// The connection broke.
    pub fn wait_for_request(&mut self) -> io::Result<bool> {
        self.discard_unread()?;
        match self.peek(&mut [0; 1], Instant::now() + IDLE_TIME) {
            Ok(_) => Ok(true),
            Err(ReceiveError::Io(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Passes bytes to `take` until it reports that it has everything.
    ///
    /// # Errors
    /// [`ReceiveError`]. What arrived before it is lost.
    pub fn receive(
        &mut self,
        deadline: Instant,
        take: &mut dyn FnMut(&[u8]) -> Result<Progress, RequestError>,
    ) -> Result<(), ReceiveError> {
        self.discard_unread()?;
        let mut buffer = [0; PEEK];
        loop {
            let length = self.peek(&mut buffer, deadline)?;
            let progress = take(&buffer[..length]);
            let used = if let Ok(Progress::Done(used)) = progress { used } else { length };
            self.tap.received(&buffer[..used]);
            if let Progress::Done(used) = progress.map_err(ReceiveError::Invalid)? {
                self.unread.set(used);
                return Ok(());
            }
            self.stream.read_exact(&mut buffer[..length])?;
        }
    }

    fn peek(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, ReceiveError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO {
            return Err(ReceiveError::TimedOut);
        }
        self.stream.set_read_timeout(Some(left))?;
        let length = retry(|| self.stream.peek(buffer))?;
        if length == 0 {
            self.ended = true;
            return Err(ReceiveError::Closed);
        }
        Ok(length)
    }

    /// Reads what is left of the last request.
    ///
    /// # Errors
    /// The connection broke.
    pub fn discard_unread(&self) -> io::Result<()> {
        let (mut stream, mut buffer) = (self.stream, [0; 256]);
        while self.unread.get() > 0 {
            let length = self.unread.get().min(buffer.len());
            stream.read_exact(&mut buffer[..length])?;
            self.unread.set(self.unread.get() - length);
        }
        Ok(())
    }

    /// Whether the client has closed its side, or the server stops.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Closes the server's side, so that everything that was written arrives, and waits for the client to close its own.
    pub fn close(self) {
        if !self.ended {
            linger(self.stream);
        }
    }
}

/// Shuts down the writing half and reads what still arrives, until the client closes or [`LINGER_TIME`] has passed.
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

/// Whether a read or a write took too long. (The systems do not agree on the kind of this error.)
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Whether the client has closed its side, and everything that it sent before was read. Returns at once.
///
/// # Errors
/// The connection broke.
pub(super) fn has_ended(stream: &TcpStream) -> io::Result<bool> {
    let peeked = at_once(stream, || retry(|| stream.peek(&mut [0; 1])))?;
    Ok(peeked == Some(0))
}

/// The same, but reads and ignores everything that arrives.
///
/// # Errors
/// The connection broke.
pub(super) fn discard_until_end(stream: &TcpStream) -> io::Result<bool> {
    let read_to_end = || {
        let (mut stream, mut buffer) = (stream, [0; 256]);
        while retry(|| stream.read(&mut buffer))? > 0 {}
        Ok(())
    };
    Ok(at_once(stream, read_to_end)?.is_some())
}

/// Reads from a stream without waiting. `None` when there is nothing to read yet.
fn at_once<T>(stream: &TcpStream, read: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    stream.set_nonblocking(true)?;
    let result = read();
    stream.set_nonblocking(false)?;
    match result {
        Err(error) if is_timeout(&error) => Ok(None),
        result => result.map(Some),
    }
}

/// Calls again what a signal has interrupted.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The sending direction. Each write waits until the client takes something, for [`WRITE_TIME`] at most.
pub(crate) struct Outgoing<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
}

impl<'a> Outgoing<'a> {
    /// The sending direction of a stream that was [prepared](prepare).
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Outgoing<'a> {
        Outgoing { stream, tap }
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for _ in 0..WRITE_ATTEMPTS {
            match retry(|| self.stream.write(bytes)) {
                Ok(written) => {
                    self.tap.sent(&bytes[..written]);
                    return Ok(written);
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::TimedOut.into())
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.tap.sends(bytes);
        while !bytes.is_empty() {
            match self.write(bytes)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tap.flushed();
        Ok(())
    }
}
