//! The two directions of a client's TCP connection, each with its time limits. A client may be slow, silent or gone; none
//! of that may hold a thread for longer than the constants here.

use crate::http::status::{bad_request, RequestError, Status};
use crate::http::Progress;
use crate::trace::Tap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// For a whole head, counted from accept or, on a kept connection, from its first byte. People who type into telnet need a
/// few seconds; a client that sends its head byte by byte must not hold a thread for longer.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);
/// For a whole body, which has at most 1 MiB.
pub(super) const BODY_TIME: Duration = Duration::from_secs(10);
/// For the next request to begin on a kept connection. Clients reconnect after 2 or 3 s.
const IDLE_TIME: Duration = Duration::from_secs(10);
/// For a client to take everything that is written up to a flush. The connection of a client that stops reading is closed.
const WRITE_TIME: Duration = Duration::from_secs(10);
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
    stream.set_write_timeout(Some(WRITE_TIME))
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
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => ReceiveError::TimedOut,
            _ => ReceiveError::Io(error),
        }
    }
}

/// The receiving direction. It looks at a request with `peek` and leaves the last part unread until the response is over,
/// so that requests which a client sends ahead stay in the kernel's buffer, which is bounded.
pub(super) struct Incoming<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
    /// Bytes that were looked at and belong to the last request.
    unread: usize,
    /// The client has closed its side.
    ended: bool,
}

impl<'a> Incoming<'a> {
    /// The receiving direction of a stream that was [prepared](prepare).
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Incoming<'a> {
        Incoming { stream, tap, unread: 0, ended: false }
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
                self.unread = used;
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
            self.tap.client_closed();
            return Err(ReceiveError::Closed);
        }
        Ok(length)
    }

    fn discard_unread(&mut self) -> io::Result<()> {
        let mut buffer = [0; 256];
        while self.unread > 0 {
            let length = self.unread.min(buffer.len());
            self.stream.read_exact(&mut buffer[..length])?;
            self.unread -= length;
        }
        Ok(())
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

/// Calls again what a signal has interrupted.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The sending direction. Everything that is written up to a `flush` may take [`WRITE_TIME`] in total, however little the
/// client reads at a time.
pub(super) struct Outgoing<'a> {
    stream: &'a TcpStream,
    tap: &'a Tap<'a>,
    /// When everything up to the next flush must have been taken by the client.
    deadline: Option<Instant>,
}

impl<'a> Outgoing<'a> {
    /// The sending direction of a stream that was [prepared](prepare).
    pub fn new(stream: &'a TcpStream, tap: &'a Tap<'a>) -> Outgoing<'a> {
        Outgoing { stream, tap, deadline: None }
    }

    /// Writes what the socket's buffer had no room for.
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
        self.tap.sends(bytes);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + WRITE_TIME);
        let written = self.write(bytes)?;
        if written == bytes.len() {
            return Ok(());
        }
        self.write_rest(&bytes[written..], deadline)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.deadline = None;
        self.tap.flushed();
        Ok(())
    }
}
