//! Puts chunks on the wire: `6\r\ndata: \r\n`, chunk-size in hexadecimal, chunk-data, and at the end the last-chunk
//! `0\r\n\r\n` (RFC 9112, section 7.1).

use std::io::{self, Write};
use std::ops::Range;

/// Octets gathered before they are written without being asked to. What a script sends at one instant is nearly always
/// less, and leaves in one write.
const GATHER: usize = 4 * 1024;

/// Octets of data that a short chunk has at most, so that it fits where chunks are gathered.
pub const MAX_SHORT: usize = GATHER / 2;

/// How the end of a body is marked (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In chunks, the last one empty.
    Chunked,
    /// By `content-length`, which says so many octets; as many as there are get written.
    Length(u64),
    /// By the end of the connection: all that HTTP/1.0 has for a stream.
    UntilClose,
    /// There is no body: what is written to it is dropped.
    Empty,
}

/// A chunk framed in advance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    bytes: Box<[u8]>,
    data: Range<usize>,
}

impl Framed {
    /// Frames `data`. Without data there are no bytes at all, for an empty chunk would end the body.
    pub fn new(data: &[u8]) -> Framed {
        if data.is_empty() {
            return Framed { bytes: Box::default(), data: 0..0 };
        }
        let mut buffer = [0; SIZE_LINE];
        let size = size_line(data.len() as u64, &mut buffer);
        let bytes = [size, data, b"\r\n"].concat();
        Framed { data: size.len()..size.len() + data.len(), bytes: bytes.into() }
    }

    /// The chunk-data alone.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.data.clone()]
    }
}

/// Octets of the longest `chunk-size CRLF`: 16 digits and the line end.
const SIZE_LINE: usize = 18;

/// Octets of `chunk-size CRLF`: a digit for every four bits.
fn size_line_length(size: usize) -> usize {
    (usize::BITS - size.leading_zeros() + 3) as usize / 4 + 2
}

/// Writes `chunk-size CRLF` at the end of the buffer, which has room for it, and says where it begins.
fn put_size_line(mut size: u64, buffer: &mut [u8]) -> usize {
    let mut start = buffer.len() - 2;
    buffer[start..].copy_from_slice(b"\r\n");
    loop {
        start -= 1;
        buffer[start] = b"0123456789abcdef"[(size % 16) as usize];
        size /= 16;
        if size == 0 {
            return start;
        }
    }
}

/// `chunk-size CRLF`, written into the buffer.
fn size_line(size: u64, buffer: &mut [u8; SIZE_LINE]) -> &[u8] {
    let start = put_size_line(size, buffer);
    &buffer[start..]
}

/// The last two octets of what ended with `before` and goes on with `data`.
fn last_two(before: [u8; 2], data: &[u8]) -> [u8; 2] {
    match data {
        [] => before,
        [only] => [before[1], *only],
        [.., second, last] => [*second, *last],
    }
}

/// A writer over a writer that makes every write a chunk and gathers chunks until it is flushed. What any of its methods
/// returns as an error is the inner writer's.
#[derive(Debug)]
pub struct ChunkedWriter<W: Write> {
    inner: W,
    framing: Framing,
    gathered: Vec<u8>,
    octets: u64,
    /// The last two octets of data.
    last: [u8; 2],
    /// A chunk was begun and not yet ended.
    in_chunk: bool,
}

impl<W: Write> ChunkedWriter<W> {
    /// A writer of one body, framed in this way.
    pub fn new(inner: W, framing: Framing) -> ChunkedWriter<W> {
        ChunkedWriter { inner, framing, gathered: Vec::new(), octets: 0, last: [b'\n'; 2], in_chunk: false }
    }

    /// Octets of data so far, framing not counted.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether the data so far ends with a line end, or there is none. A single CR may be the first half of one.
    pub fn ends_a_line(&self) -> bool {
        self.last == [b'\r'; 2] || self.last[1] == b'\n'
    }

    /// Whether what is written to the body goes nowhere.
    pub fn drops_data(&self) -> bool {
        self.framing == Framing::Empty
    }

    /// Whether the client can tell where the body ends, if it ends here.
    pub fn is_complete(&self) -> bool {
        match self.framing {
            Framing::Length(length) => self.octets == length,
            _ => true,
        }
    }

    /// Goes on without framing, until the connection ends.
    pub fn without_framing(&mut self) {
        self.framing = Framing::UntilClose;
    }

    /// Writes the head. Its buffer is the one to gather in from now on, so that a client costs one buffer and not two.
    pub fn head(&mut self, head: Vec<u8>) -> io::Result<()> {
        if !self.gathered.is_empty() {
            return self.gather(&head);
        }
        self.gathered = head;
        Ok(())
    }

    /// Writes bytes that are no part of the body.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gather(bytes)
    }

    /// Writes a chunk that was framed in advance.
    pub fn framed(&mut self, chunk: &Framed) -> io::Result<()> {
        self.count(chunk.data());
        match self.framing {
            Framing::Chunked => self.gather(&chunk.bytes),
            Framing::Length(_) | Framing::UntilClose => self.gather(chunk.data()),
            Framing::Empty => Ok(()),
        }
    }

    /// Writes a chunk whose data `append` appends to the buffer: `at_most` octets, which are [`MAX_SHORT`] at most.
    pub fn short_chunk(&mut self, at_most: usize, append: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        if self.gathered.len() + at_most + SIZE_LINE + 2 > GATHER {
            self.write_gathered()?;
        }
        let start = self.gathered.len();
        // Room for the size, which is known when the data is there: nearly always as many digits as the largest has.
        if self.framing == Framing::Chunked {
            self.gathered.extend_from_slice(&[0; SIZE_LINE][..size_line_length(at_most)]);
        }
        let data = self.gathered.len();
        append(&mut self.gathered);
        let size = self.gathered.len() - data;
        assert!(size <= at_most, "a short chunk is longer than it was to be");
        self.octets += size as u64;
        self.last = last_two(self.last, &self.gathered[data..]);
        match self.framing {
            Framing::Chunked if size > 0 => {
                let surplus = put_size_line(size as u64, &mut self.gathered[start..data]);
                self.gathered.drain(start..start + surplus);
                self.gathered.extend_from_slice(b"\r\n");
            }
            Framing::Chunked | Framing::Empty => self.gathered.truncate(start),
            _ => {}
        }
        Ok(())
    }

    /// Begins a chunk of so many octets, which `data` and `end_chunk` must follow. 0 is not for this: an empty chunk
    /// would end the body.
    pub fn begin_chunk(&mut self, size: u64) -> io::Result<()> {
        self.in_chunk = true;
        match self.framing {
            Framing::Chunked => self.gather(size_line(size, &mut [0; SIZE_LINE])),
            _ => Ok(()),
        }
    }

    /// Writes data of the chunk that was begun.
    pub fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.count(bytes);
        match self.framing {
            Framing::Empty => Ok(()),
            _ => self.gather(bytes),
        }
    }

    /// Ends the chunk that was begun.
    pub fn end_chunk(&mut self) -> io::Result<()> {
        self.in_chunk = false;
        match self.framing {
            Framing::Chunked => self.gather(b"\r\n"),
            _ => Ok(()),
        }
    }

    /// Ends the body: the last-chunk, the trailer section (field lines with their CR LF), and all that was gathered is
    /// written.
    pub fn finish(&mut self, trailer: &[u8]) -> io::Result<()> {
        if self.framing == Framing::Chunked {
            for piece in [b"0\r\n", trailer, b"\r\n"] {
                self.gather(piece)?;
            }
        }
        self.flush()
    }

    fn count(&mut self, data: &[u8]) {
        self.octets += data.len() as u64;
        self.last = last_two(self.last, data);
    }

    fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.len() + bytes.len() > GATHER {
            self.write_gathered()?;
        }
        if bytes.len() <= GATHER {
            self.gathered.extend_from_slice(bytes);
            return Ok(());
        }
        self.inner.write_all(bytes)?;
        self.pause()
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let written = self.inner.write_all(&self.gathered);
        self.gathered.clear();
        written.and_then(|()| self.pause())
    }

    /// Tells the inner writer that what was written so far is a whole, unless it ends inside a chunk.
    fn pause(&mut self) -> io::Result<()> {
        match self.in_chunk {
            true => Ok(()),
            false => self.inner.flush(),
        }
    }
}

impl<W: Write> Write for ChunkedWriter<W> {
    /// Writes `data` as one chunk; none when it is empty, for an empty chunk would end the body.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if !data.is_empty() {
            self.begin_chunk(data.len() as u64)?;
            self.data(data)?;
            self.end_chunk()?;
        }
        Ok(data.len())
    }

    /// Hands all that was gathered to the inner writer, in one write.
    fn flush(&mut self) -> io::Result<()> {
        self.write_gathered()
    }
}

#[cfg(test)]
mod tests;
