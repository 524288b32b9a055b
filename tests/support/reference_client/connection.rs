//! A connection of the reference client: reads a response, in the pieces in which its bytes arrive.

use super::Fault;
use rust_sse_server::CaseRun;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Instant;

/// What the client does after a connection.
pub enum Next {
    Reconnect,
    /// The response does not allow reconnecting.
    Fail,
    /// The client was told to close, or has what it wanted.
    Close,
}

/// How the end of a body is marked.
pub enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

/// The head of a response.
pub struct Head(pub String);

impl Head {
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.trim().parse().ok()).unwrap_or(0)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn is_event_stream(&self, fault: Option<Fault>) -> bool {
        let content_type = self.field("content-type").unwrap_or("");
        let essence = content_type.split(';').next().unwrap_or("").trim();
        match fault {
            Some(Fault::ComparesContentTypeWithCase) => essence == "text/event-stream",
            Some(Fault::AllowsNoContentTypeParameters) => content_type == "text/event-stream",
            Some(Fault::ComparesStartOfContentType) => content_type.starts_with("text/event-stream"),
            Some(Fault::AcceptsEveryContentType) => true,
            _ => essence.eq_ignore_ascii_case("text/event-stream"),
        }
    }

    pub fn framing(&self) -> Framing {
        if self.field("transfer-encoding").is_some() {
            Framing::Chunked
        } else {
            match self.field("content-length").and_then(|length| length.parse().ok()) {
                Some(length) => Framing::Length(length),
                None => Framing::UntilClose,
            }
        }
    }
}

/// A connection, read in the pieces in which the bytes arrive.
pub struct Connection<'a> {
    pub stream: TcpStream,
    pub unread: Vec<u8>,
    pub run: &'a CaseRun,
    /// When the connection is closed.
    pub end: Instant,
}

impl Connection<'_> {
    /// Reads what has arrived, or the next bytes to arrive. Empty at the end of the connection.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        if !self.unread.is_empty() {
            return Ok(std::mem::take(&mut self.unread));
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(length) => return Ok(buffer[..length].to_vec()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.run.result().is_some() || Instant::now() > self.end {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the head of the response, after any interim responses.
    pub fn read_head(&mut self, takes_interim: bool) -> io::Result<Head> {
        loop {
            let line_end = b"\r\n\r\n";
            let mut bytes = Vec::new();
            let end = loop {
                if let Some(at) = bytes.windows(4).position(|window| window == line_end) {
                    break at;
                }
                bytes.extend(self.some_piece()?);
            };
            self.unread = bytes.split_off(end + line_end.len());
            let head = Head(String::from_utf8_lossy(&bytes[..end]).into_owned());
            if !head.0.starts_with("HTTP/1.") {
                return Err(ErrorKind::InvalidData.into());
            }
            if takes_interim || !(100..200).contains(&head.status()) {
                return Ok(head);
            }
        }
    }

    /// Reads the body, and passes on its data until that says to stop.
    pub fn read_body(
        &mut self,
        framing: &Framing,
        allows_extensions: bool,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        match framing {
            Framing::Chunked => self.read_chunks(allows_extensions, data),
            Framing::Length(length) => self.read_data(*length, data),
            Framing::UntilClose => loop {
                let piece = self.piece()?;
                if piece.is_empty() {
                    return Ok(Next::Reconnect);
                }
                match data(&piece)? {
                    Next::Reconnect => {}
                    next => return Ok(next),
                }
            },
        }
    }

    fn read_chunks(
        &mut self,
        allows_extensions: bool,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        loop {
            let line = self.line()?;
            let size = if allows_extensions { line.split(';').next().unwrap_or("").trim() } else { &line };
            let size =
                usize::from_str_radix(size, 16).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            if size == 0 {
                return Ok(Next::Reconnect);
            }
            match self.read_data(size, data)? {
                Next::Reconnect => {}
                next => return Ok(next),
            }
            if !self.line()?.is_empty() {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    /// Reads this many bytes and passes them on, in the pieces in which they arrive.
    fn read_data(
        &mut self,
        mut length: usize,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        while length > 0 {
            let mut piece = self.some_piece()?;
            self.unread = piece.split_off(length.min(piece.len()));
            length -= piece.len();
            match data(&piece)? {
                Next::Reconnect => {}
                next => return Ok(next),
            }
        }
        Ok(Next::Reconnect)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let piece = self.some_piece()?;
            match piece.iter().position(|&byte| byte == b'\n') {
                Some(end) => {
                    line.extend(&piece[..end]);
                    self.unread = piece[end + 1..].to_vec();
                    return Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
                }
                None => line.extend(piece),
            }
        }
    }

    fn some_piece(&mut self) -> io::Result<Vec<u8>> {
        let piece = self.piece()?;
        if piece.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(piece)
    }
}
