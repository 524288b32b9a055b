//! Sends the bytes of a response: the head together with the first bytes of the body, then chunks, up to the place where
//! `@drop after` cuts the body.

use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::gzip::{Gzip, GzipFlush};
use crate::http::response::is_interim_response;
use std::io::{self, Write};

/// Why a script is not played to its end.
pub(super) enum Stop {
    /// `@drop after` has cut the body, or the client has closed its side while the script could wait for ever.
    Close,
    /// The connection is broken, or the server stops.
    Error(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Error(error)
    }
}

/// A response on its way to the client.
pub(super) struct Output<W: Write> {
    /// Empty when it has been sent.
    head: Vec<u8>,
    body: ChunkedWriter<W>,
    /// `@wire` sent something instead of the head.
    is_headless: bool,
    /// Bytes of the body after which it is cut.
    drop_after: Option<u64>,
    /// Encodes the body as gzip.
    gzip: Option<Gzip>,
    /// The last two bytes of the body, before gzip.
    last: [u8; 2],
}

impl<W: Write> Output<W> {
    pub fn new(head: Vec<u8>, body: ChunkedWriter<W>) -> Output<W> {
        Output { head, body, is_headless: false, drop_after: None, gzip: None, last: *b"\n\n" }
    }

    /// Whether the head is still to be sent.
    pub fn head_is_unsent(&self) -> bool {
        !self.head.is_empty()
    }

    /// Bytes that were gathered and not sent yet.
    pub fn unsent(&self) -> usize {
        self.body.unsent()
    }

    /// Whether there is no body, whatever the script says: the status is 204 or 304.
    pub fn has_no_body(&self) -> bool {
        self.body.framing() == Framing::Empty
    }

    /// Whether a comment can be sent: in the body, and not in the middle of a line. A CR may be half of a line end.
    pub fn can_take_comment(&self) -> bool {
        let ends_a_line = self.last[1] == b'\n' || self.last == *b"\r\r";
        ends_a_line && !self.head_is_unsent() && !self.is_headless && !self.has_no_body()
    }

    /// Sends the head with the next flush, unless it has been sent.
    pub fn send_head(&mut self) -> io::Result<()> {
        if !self.head_is_unsent() {
            return Ok(());
        }
        self.body.write_head(std::mem::take(&mut self.head))
    }

    /// Sends the body as gzip.
    pub fn gzip(&mut self, flush: GzipFlush) {
        self.gzip = Some(Gzip::new(flush));
    }

    /// Sends data as one chunk, encoded as gzip if that is set.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Stop> {
        self.note_last(data);
        match &mut self.gzip {
            Some(gzip) => {
                let bytes = gzip.write(data);
                self.send_bytes(&bytes)
            }
            None => self.send_bytes(data),
        }
    }

    fn send_bytes(&mut self, data: &[u8]) -> Result<(), Stop> {
        if let Some(limit) = self.drop_after {
            let left = limit.saturating_sub(self.body.length());
            if data.len() as u64 >= left {
                self.body.write_cut(data, left as usize)?;
                self.body.flush()?;
                return Err(Stop::Close);
            }
        }
        Ok(self.body.write_all(data)?)
    }

    /// Sends bytes outside of the framing. If the head was not sent yet, they are in its place, unless they are an interim
    /// response: that precedes the head.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.head_is_unsent() && !is_interim_response(bytes) {
            self.head.clear();
            self.is_headless = true;
            self.body.stop_framing();
        }
        self.body.write_raw(bytes)?;
        self.body.flush()
    }

    /// Cuts the body after this many bytes: at once if it has as many already.
    pub fn drop_after(&mut self, bytes: u64) -> Result<(), Stop> {
        self.drop_after = Some(bytes);
        if self.body.length() < bytes {
            return Ok(());
        }
        self.send_head()?;
        self.body.flush()?;
        Err(Stop::Close)
    }

    /// Writes everything that is due, in one write.
    pub fn flush(&mut self) -> io::Result<()> {
        self.body.flush()
    }

    /// Ends the body. `true` if the client sees that it is complete, so that another response can follow.
    pub fn finish(&mut self, trailer: &[u8]) -> Result<bool, Stop> {
        if let Some(mut gzip) = self.gzip.take().filter(|_| !self.has_no_body()) {
            self.send_bytes(&gzip.finish())?;
        }
        self.body.finish(trailer)?;
        let is_complete = match self.body.framing() {
            Framing::Length(length) => length == self.body.length(),
            _ => true,
        };
        Ok(is_complete && !self.is_headless)
    }

    fn note_last(&mut self, data: &[u8]) {
        for &byte in &data[data.len().saturating_sub(2)..] {
            self.last = [self.last[1], byte];
        }
    }
}
