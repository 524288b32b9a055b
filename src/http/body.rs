//! Reads a request's body off the wire, to its end and no byte further (RFC 9112, section 6): an answer may only be
//! ended cleanly when nothing unread is left behind it.

use super::dechunk::ChunkDecoder;
use super::request::{BodyLength, BODY_TOO_LARGE, MAX_BODY};
use super::response::RequestError;
use super::Progress;

/// What is left of a body, fed in pieces of any size.
#[derive(Debug)]
pub enum BodyReader {
    /// So many octets are still to come.
    Known(u64),
    /// Chunks are still to come; so many octets of chunk-data have come.
    Chunked(ChunkDecoder, u64),
}

impl BodyReader {
    /// A reader for a body whose end is marked in this way.
    pub fn new(length: BodyLength) -> BodyReader {
        match length {
            BodyLength::Known(octets) => BodyReader::Known(octets),
            BodyLength::Chunked => BodyReader::Chunked(ChunkDecoder::default(), 0),
        }
    }

    /// Whether there is nothing to read at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, BodyReader::Known(0))
    }

    /// Takes the next bytes of the body and calls `data` with those that are its content.
    ///
    /// # Errors
    /// [`RequestError`] with 400 for chunks that break the grammar, 413 for more than [`MAX_BODY`] octets of them.
    pub fn push(&mut self, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> Result<Progress, RequestError> {
        match self {
            BodyReader::Known(left) if *left <= bytes.len() as u64 => {
                data(&bytes[..*left as usize]);
                Ok(Progress::Done(*left as usize))
            }
            BodyReader::Known(left) => {
                *left -= bytes.len() as u64;
                data(bytes);
                Ok(Progress::More)
            }
            BodyReader::Chunked(decoder, size) => {
                let progress = decoder.push(bytes, |piece| {
                    *size += piece.len() as u64;
                    data(piece);
                });
                if size.saturating_add(decoder.left_in_chunk()) > MAX_BODY {
                    return Err(BODY_TOO_LARGE);
                }
                progress.map_err(|error| RequestError::bad(error.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_length_ends_at_its_last_octet() {
        let mut body = BodyReader::new(BodyLength::Known(5));
        assert_eq!(body.push(b"abc", &mut |_| {}), Ok(Progress::More));
        assert_eq!(body.push(b"deGET /", &mut |_| {}), Ok(Progress::Done(2)));
    }

    #[test]
    fn chunks_end_after_the_trailer_section() {
        let mut body = BodyReader::new(BodyLength::Chunked);
        assert_eq!(body.push(b"3\r\nabc\r\n0\r\n", &mut |_| {}), Ok(Progress::More));
        assert_eq!(body.push(b"\r\nGET /", &mut |_| {}), Ok(Progress::Done(2)));
    }

    #[test]
    fn more_than_a_mebibyte_in_chunks_is_413() {
        let mut body = BodyReader::new(BodyLength::Chunked);
        let chunk = [&b"20000\r\n"[..], &[b'x'; 0x20000], b"\r\n"].concat();
        for _ in 0..8 {
            assert_eq!(body.push(&chunk, &mut |_| {}), Ok(Progress::More));
        }
        assert_eq!(body.push(b"1\r\n", &mut |_| {}), Err(BODY_TOO_LARGE));
    }
}
