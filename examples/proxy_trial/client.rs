//! A client that keeps a response as it arrives: its head, its chunks, its data, and the time of each byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime};

/// How long a connection can take.
const CONNECT: Duration = Duration::from_secs(10);

/// A response, so far.
pub struct Response {
    stream: TcpStream,
    deadline: Instant,
    bytes: Vec<u8>,
    /// The status line and the field lines, and when the last of them arrived.
    pub head: Option<(String, SystemTime)>,
    /// The data of the body, without the framing.
    pub data: Vec<u8>,
    /// How much data there was at which time.
    arrivals: Vec<(usize, SystemTime)>,
    /// The sizes of the chunks that are complete; `None` if the body is not chunked.
    pub chunks: Option<Vec<usize>>,
    /// How it ended.
    pub end: Option<End>,
}

/// How a response ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// A client considers the body complete.
    Complete,
    /// The connection ended in the middle of the body, or of the head.
    Cut,
    /// Time ran out.
    Late,
}

impl Response {
    /// Sends a request for `target` to `host`, which is a name or an address with a port. `fields` are further field lines,
    /// each with its end.
    ///
    /// # Errors
    /// There is no connection.
    pub fn to_request(host: &str, target: &str, fields: &str, patience: Duration) -> io::Result<Response> {
        let address = host.to_socket_addrs()?.next().ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
        let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_write_timeout(Some(CONNECT))?;
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{fields}\r\n");
        stream.write_all(request.as_bytes())?;
        Ok(Response {
            stream,
            deadline: Instant::now() + patience,
            bytes: Vec::new(),
            head: None,
            data: Vec::new(),
            arrivals: Vec::new(),
            chunks: None,
            end: None,
        })
    }

    /// Reads to the end, for the patience of the request at most.
    pub fn read_to_end(mut self) -> Response {
        self.read_until(|_| false);
        self
    }

    /// Reads until this holds, or to the end.
    pub fn read_until(&mut self, holds: impl Fn(&Response) -> bool) {
        let mut buffer = [0; 16 * 1024];
        while self.end.is_none() && !holds(self) {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.end = Some(End::Late);
                return;
            }
            let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(0) => self.end_of_connection(),
                Ok(length) => self.take(&buffer[..length]),
                Err(error) if is_temporary(error.kind()) => {}
                Err(_) => self.end = Some(End::Cut),
            }
        }
    }

    /// The status code; 0 without a head.
    pub fn status(&self) -> u16 {
        let code = self.head.as_ref().and_then(|(head, _)| head.split(' ').nth(1)?.parse().ok());
        code.unwrap_or(0)
    }

    /// The value of a field, if the response has it.
    pub fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.as_ref()?.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// When this many bytes of data had arrived.
    pub fn arrival(&self, length: usize) -> Option<SystemTime> {
        self.arrivals.iter().find(|(so_far, _)| *so_far >= length).map(|(_, time)| *time)
    }

    /// What arrived, and how it ended.
    pub fn describe(&self) -> String {
        match (&self.head, &self.end) {
            (None, Some(End::Cut)) => "the connection is closed without a response".to_owned(),
            (None, _) => "there is no response".to_owned(),
            (Some(_), end) => {
                let end = match end {
                    Some(End::Complete) => "complete",
                    Some(End::Cut) => "cut off",
                    Some(End::Late) | None => "not complete in time",
                };
                format!(
                    "the response has status {} and {} bytes, and is {end}",
                    self.status(),
                    self.data.len()
                )
            }
        }
    }

    /// How often data arrived after a pause of this length.
    pub fn arrivals_after(&self, pause: Duration) -> usize {
        let is_after = |pair: &&[(usize, SystemTime)]| {
            pair[0].0 < pair[1].0 && pair[1].1.duration_since(pair[0].1).unwrap_or_default() >= pause
        };
        self.arrivals.windows(2).filter(is_after).count()
    }

    fn take(&mut self, bytes: &[u8]) {
        let now = SystemTime::now();
        self.bytes.extend_from_slice(bytes);
        let head_length = match self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(length) => length,
            None => return,
        };
        if self.head.is_none() {
            self.head = Some((String::from_utf8_lossy(&self.bytes[..head_length]).into_owned(), now));
        }
        // Shortcut: everything is decoded again after each read. The bodies are small.
        let body = &self.bytes[head_length + 4..];
        if self.field("transfer-encoding").is_some() {
            let (chunks, data, is_complete) = decode(body);
            (self.chunks, self.data) = (Some(chunks), data);
            self.end = is_complete.then_some(End::Complete);
        } else {
            self.data = body.to_vec();
            let length = self.field("content-length").and_then(|length| length.parse().ok());
            let length = if self.status() == 204 { Some(0) } else { length };
            self.end = length.filter(|length| self.data.len() >= *length).map(|_| End::Complete);
        }
        self.arrivals.push((self.data.len(), now));
    }

    /// A body without chunks and without a length ends with the connection, so a client takes it for complete.
    fn end_of_connection(&mut self) {
        let ends_with_connection =
            self.head.is_some() && self.chunks.is_none() && self.field("content-length").is_none();
        self.end = Some(if ends_with_connection { End::Complete } else { End::Cut });
    }
}

/// Whether to read again. (Linux reports a timeout as `WouldBlock`, other systems as `TimedOut`.)
fn is_temporary(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The sizes of the complete chunks, all data, and whether the last-chunk is there.
fn decode(mut body: &[u8]) -> (Vec<usize>, Vec<u8>, bool) {
    let (mut chunks, mut data) = (Vec::new(), Vec::new());
    while let Some(line_end) = body.windows(2).position(|window| window == b"\r\n") {
        let line = String::from_utf8_lossy(&body[..line_end]);
        let size = match usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16) {
            Ok(0) => return (chunks, data, true),
            Ok(size) => size,
            Err(_) => break,
        };
        body = &body[line_end + 2..];
        data.extend_from_slice(&body[..size.min(body.len())]);
        if body.len().saturating_sub(2) < size {
            break;
        }
        chunks.push(size);
        body = &body[size + 2..];
    }
    (chunks, data, false)
}
