//! Writes a body in chunks, so that the response can begin before anybody knows how long it will be (RFC 9112,
//! section 7.1):
//!
//! ```text
//! chunked-body    = *chunk last-chunk trailer-section CRLF
//! chunk           = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! chunk-size      = 1*HEXDIG
//! last-chunk      = 1*("0") [ chunk-ext ] CRLF
//! trailer-section = *( field-line CRLF )
//! ```
//!
//! The event `data: 1\n\n` of 9 bytes is `9\r\ndata: 1\n\n\r\n` on the wire; a chunk-size counts the chunk-data alone and
//! is hexadecimal. The last-chunk, `0\r\n\r\n`, tells the client that the body is complete and the connection is free for
//! another request. If the connection closes before that, the client knows that the body is incomplete.
//!
//! [`ChunkedWriter`] also writes bodies that are not chunked: HTTP/1.0 has no chunks, and scripts can choose another
//! framing.

use std::io::{self, Write};

/// The most bytes that wait for a flush; beyond that they are written early. What a script sends at one instant is nearly
/// always less, and so leaves in one write.
const GATHER: usize = 4 * 1024;

/// How the end of a body is marked (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By the last-chunk.
    Chunked,
    /// By a `content-length` of this many bytes. Scripts may send more or fewer.
    Length(u64),
    /// By the end of the connection, which is all that HTTP/1.0 has for a stream.
    UntilClose,
    /// There is no body: what is written to it is discarded.
    Empty,
}

/// Wraps a writer and encodes every write as a chunk. Chunks are gathered until the next flush, so that everything that is
/// due at the same instant leaves in one write of the inner writer, up to `GATHER` bytes.
///
/// All errors come from the inner writer. After an error, this writer must not be used again, because it does not know how
/// much was written.
#[derive(Debug)]
pub struct ChunkedWriter<W: Write> {
    inner: W,
    framing: Framing,
    gathered: Vec<u8>,
    /// Bytes of data so far.
    length: u64,
}

impl<W: Write> Write for ChunkedWriter<W> {
    /// Writes `data` as one chunk. An empty write writes nothing, because an empty chunk would end the body.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        self.begin_chunk(data.len(), data)?;
        if self.framing == Framing::Chunked {
            self.gather(b"\r\n")?;
        }
        Ok(data.len())
    }

    /// Writes everything that was gathered, in one write.
    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.inner.write_all(&self.gathered)?;
        self.gathered.clear();
        self.inner.flush()
    }
}

impl<W: Write> ChunkedWriter<W> {
    /// Starts a body.
    pub fn new(inner: W, framing: Framing) -> ChunkedWriter<W> {
        ChunkedWriter { inner, framing, gathered: Vec::new(), length: 0 }
    }

    /// Writes the size of a chunk, and `data`: all of its data, or the first bytes of it.
    fn begin_chunk(&mut self, size: usize, data: &[u8]) -> io::Result<()> {
        self.length += data.len() as u64;
        if self.framing == Framing::Empty {
            return Ok(());
        }
        if self.framing == Framing::Chunked {
            write!(self.gathered, "{size:x}\r\n")?;
        }
        self.gather(data)
    }

    /// Adds bytes to those that wait for a flush. If they would be more than `GATHER`, the waiting ones are written first;
    /// a piece larger than that is written directly, without a copy.
    fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.len() + bytes.len() > GATHER {
            self.flush()?;
        }
        if bytes.len() > GATHER {
            self.inner.write_all(bytes)?;
            return self.inner.flush();
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends the body: writes the last-chunk, the trailer section (field lines with their CR LF) and everything that was
    /// gathered.
    pub fn finish(&mut self, trailer: &[u8]) -> io::Result<()> {
        if self.framing == Framing::Chunked {
            self.gather(b"0\r\n")?;
            self.gather(trailer)?;
            self.gather(b"\r\n")?;
        }
        self.flush()
    }

    /// Sends a response head with the next flush. Chunks are gathered in the head's own buffer, which saves each client a
    /// second one.
    pub fn write_head(&mut self, head: Vec<u8>) -> io::Result<()> {
        self.flush()?;
        self.gathered = head;
        Ok(())
    }

    /// Writes bytes that are not part of the body.
    pub fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gather(bytes)
    }

    /// Announces a chunk of all of `data` and writes only its first `length` bytes, like a server that dies in the middle
    /// of a chunk. Nothing valid can follow.
    pub fn write_cut(&mut self, data: &[u8], length: usize) -> io::Result<()> {
        self.begin_chunk(data.len(), &data[..length])
    }

    /// Turns the framing off: what is written from now on is sent as it is, and the body ends with the connection.
    pub fn stop_framing(&mut self) {
        self.framing = Framing::UntilClose;
    }

    /// How the end of the body is marked.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes of data so far, without the framing. Data that `Framing::Empty` discards counts too.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that wait for a flush.
    pub fn unsent(&self) -> usize {
        self.gathered.len()
    }
}

#[cfg(test)]
mod tests;
