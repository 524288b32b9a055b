//! Puts chunks on the wire: `6\r\ndata: \r\n`, chunk-size in hexadecimal, chunk-data, and at the end the last-chunk
//! `0\r\n\r\n` (RFC 9112, section 7.1).

use std::io::{self, Write};
use std::ops::Range;

/// Octets gathered before they are written without being asked to. What a script sends at one instant is nearly always
/// less, and leaves in one write.
const GATHER: usize = 4 * 1024;

/// How the end of a body is marked (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In chunks, the last one empty.
    Chunked,
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
        let mut bytes = data.to_vec();
        frame_tail(&mut bytes, 0);
        let start = bytes.len().saturating_sub(data.len() + 2);
        Framed { data: start..start + data.len(), bytes: bytes.into() }
    }

    /// The chunk-data alone.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.data.clone()]
    }
}

/// Makes one chunk of `bytes[start..]`, in place.
fn frame_tail(bytes: &mut Vec<u8>, start: usize) {
    let length = bytes.len() - start;
    if length == 0 {
        return;
    }
    let mut digits = [0; 18];
    let mut unused = &mut digits[..];
    // 16 hexadecimal digits and CR LF always fit.
    let _ = write!(unused, "{length:x}\r\n");
    let used = 18 - unused.len();
    bytes.splice(start..start, digits[..used].iter().copied());
    bytes.extend_from_slice(b"\r\n");
}

/// A writer over a writer that makes every write a chunk and gathers chunks until it is flushed.
#[derive(Debug)]
pub struct ChunkedWriter<W: Write> {
    inner: W,
    framing: Framing,
    gathered: Vec<u8>,
}

impl<W: Write> ChunkedWriter<W> {
    /// A writer of one body, framed in this way.
    pub fn new(inner: W, framing: Framing) -> ChunkedWriter<W> {
        ChunkedWriter { inner, framing, gathered: Vec::new() }
    }

    /// Writes bytes that are no part of the body, such as the head.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gather(bytes)
    }

    /// Writes a chunk that was framed in advance.
    pub fn framed(&mut self, chunk: &Framed) -> io::Result<()> {
        match self.framing {
            Framing::Chunked => self.gather(&chunk.bytes),
            Framing::UntilClose => self.gather(chunk.data()),
            Framing::Empty => Ok(()),
        }
    }

    /// Writes one chunk of what `fill` appends to the buffer it is given.
    pub fn chunk(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let start = self.gathered.len();
        fill(&mut self.gathered);
        match self.framing {
            Framing::Chunked => frame_tail(&mut self.gathered, start),
            Framing::UntilClose => {}
            Framing::Empty => self.gathered.truncate(start),
        }
        self.flush_if_full()
    }

    /// Ends the body: the last-chunk and an empty trailer section, and all that was gathered is written.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.framing == Framing::Chunked {
            self.gathered.extend_from_slice(b"0\r\n\r\n");
        }
        self.flush()
    }

    fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.len() + bytes.len() > GATHER {
            self.flush()?;
        }
        if bytes.len() > GATHER {
            return self.inner.write_all(bytes);
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.gathered.len() > GATHER {
            self.flush()?;
        }
        Ok(())
    }
}

impl<W: Write> Write for ChunkedWriter<W> {
    /// Writes `data` as one chunk; none when it is empty, for an empty chunk would end the body.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.chunk(|buffer| buffer.extend_from_slice(data))?;
        Ok(data.len())
    }

    /// Hands all that was gathered to the inner writer, in one write.
    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let written = self.inner.write_all(&self.gathered);
        self.gathered.clear();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers every write by itself.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writes(
        framing: Framing,
        act: impl FnOnce(&mut ChunkedWriter<&mut Writes>) -> io::Result<()>,
    ) -> Vec<Vec<u8>> {
        let mut writes = Writes::default();
        act(&mut ChunkedWriter::new(&mut writes, framing)).unwrap();
        writes.0
    }

    #[test]
    fn a_write_is_a_chunk_and_an_empty_one_is_none() {
        let all = writes(Framing::Chunked, |body| {
            body.write_all(b"Wiki")?;
            assert_eq!(body.write(b"")?, 0);
            body.write_all(b"pedia in chunks.")?;
            body.finish()
        });
        assert_eq!(all, [b"4\r\nWiki\r\n10\r\npedia in chunks.\r\n0\r\n\r\n"]);
    }

    #[test]
    fn what_is_gathered_leaves_in_one_write_at_a_flush() {
        let chunk = Framed::new(b"data: 1\n\n");
        let all = writes(Framing::Chunked, |body| {
            body.raw(b"HTTP/1.1 200 OK\r\n\r\n")?;
            body.framed(&chunk)?;
            body.flush()?;
            body.chunk(|buffer| buffer.extend_from_slice(b"data: 2\n\n"))?;
            body.finish()
        });
        let first = b"HTTP/1.1 200 OK\r\n\r\n9\r\ndata: 1\n\n\r\n".to_vec();
        assert_eq!(all, [first, b"9\r\ndata: 2\n\n\r\n0\r\n\r\n".to_vec()]);
    }

    #[test]
    fn a_body_until_close_has_no_framing() {
        let all = writes(Framing::UntilClose, |body| {
            body.framed(&Framed::new(b"a"))?;
            body.write_all(b"b")?;
            body.finish()
        });
        assert_eq!(all, [b"ab"]);
    }

    #[test]
    fn an_empty_body_stays_empty() {
        let all = writes(Framing::Empty, |body| {
            body.framed(&Framed::new(b"a"))?;
            body.write_all(b"b")?;
            body.finish()
        });
        assert!(all.is_empty());
    }

    #[test]
    fn large_chunks_are_written_without_being_copied() {
        let large = Framed::new(&[b'x'; 0x2000]);
        let all = writes(Framing::Chunked, |body| {
            body.raw(b"head")?;
            body.framed(&large)?;
            body.finish()
        });
        assert_eq!(all[0], b"head");
        assert_eq!(all[1], [&b"2000\r\n"[..], &[b'x'; 0x2000], b"\r\n"].concat());
        assert_eq!(all[2], b"0\r\n\r\n");
    }

    #[test]
    fn a_framed_chunk_knows_its_data() {
        assert_eq!(Framed::new(b"data: x\n").data(), b"data: x\n");
        assert_eq!(Framed::new(b"").data(), b"");
    }
}
