//! Decodes chunked bodies (RFC 9112, section 7.1): a server decodes the body of a request, an EventSource decodes an
//! event stream.
//!
//! ```text
//! chunked-body    = *chunk last-chunk trailer-section CRLF
//! chunk           = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! last-chunk      = 1*("0") [ chunk-ext ] CRLF
//! trailer-section = *( field-line CRLF )
//! ```

use super::field::{is_token, FieldLine};
use super::Progress;

/// Bytes of chunk extensions and trailer fields in one body. They are ignored, so a few lines are enough for everyone.
const MAX_IGNORED: usize = 16 * 1024;

/// Which rule of the grammar the bytes violate, in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkError(pub &'static str);

/// Decodes chunked bytes that arrive in pieces of any size.
#[derive(Debug, Default)]
pub struct ChunkDecoder {
    state: State,
    /// The size of the current chunk, then how much of its data is still missing.
    size: u64,
    ignored: usize,
    trailer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    SizeStart,
    Size,
    /// White space after the size, which must be followed by an extension.
    BeforeExtension,
    ExtensionStart,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
}

impl ChunkDecoder {
    /// Bytes of the current chunk that are still missing.
    pub fn left_in_chunk(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes and calls `data` with every run of chunk-data in them.
    ///
    /// # Errors
    /// [`ChunkError`] at the first byte the grammar forbids, for a size above 2^64, and for more than 16 KiB of chunk
    /// extensions and trailers.
    pub fn push(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<Progress, ChunkError> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let State::Data = self.state {
                let run = self.size.min((bytes.len() - at) as u64) as usize;
                data(&bytes[at..at + run]);
                at += run;
                self.size -= run as u64;
                if self.size == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            at += 1;
            if let (State::LastLf, b'\n') = (self.state, byte) {
                return Ok(Progress::Done(at));
            }
            self.state = self.step(byte)?;
        }
        Ok(Progress::More)
    }

    /// The state after one byte that is not chunk-data.
    fn step(&mut self, byte: u8) -> Result<State, ChunkError> {
        Ok(match (self.state, byte) {
            (State::SizeStart | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.add_digit(byte)?;
                State::Size
            }
            (State::Size | State::Extension, b'\r') => State::SizeLf,
            (State::Size | State::BeforeExtension, b' ' | b'\t') => {
                self.ignore(byte)?;
                State::BeforeExtension
            }
            (State::Size | State::BeforeExtension, b';') | (State::ExtensionStart, b' ' | b'\t') => {
                self.ignore(byte)?;
                State::ExtensionStart
            }
            (State::ExtensionStart, _) if !is_token(&[byte]) => {
                return Err(ChunkError("a chunk extension has no name"));
            }
            (State::ExtensionStart | State::Extension, _) => {
                self.ignore(byte)?;
                State::Extension
            }
            (State::SizeLf, b'\n') if self.size == 0 => State::TrailerStart,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::SizeStart,
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::TrailerLf, b'\n') => {
                FieldLine::parse(&self.trailer).map_err(ChunkError)?;
                self.trailer.clear();
                State::TrailerStart
            }
            (State::TrailerStart | State::Trailer, _) => {
                self.ignore(byte)?;
                self.trailer.push(byte);
                State::Trailer
            }
            (State::SizeStart | State::Size | State::BeforeExtension, _) => {
                return Err(ChunkError("a chunk-size is not hexadecimal"))
            }
            (State::DataCr | State::DataLf, _) => {
                return Err(ChunkError("chunk-data is longer than its chunk-size"))
            }
            _ => return Err(ChunkError("a line in the chunked body does not end with CR LF")),
        })
    }

    fn add_digit(&mut self, digit: u8) -> Result<(), ChunkError> {
        let value = (digit as char).to_digit(16).unwrap_or(0);
        let size = self.size.checked_mul(16).ok_or(ChunkError("a chunk-size is larger than 2^64"))?;
        self.size = size + u64::from(value);
        // Leading zeros do not change the size, so they could go on forever.
        if self.size == 0 {
            self.ignore(digit)?;
        }
        Ok(())
    }

    fn ignore(&mut self, byte: u8) -> Result<(), ChunkError> {
        self.ignored += 1;
        if byte.is_ascii_control() && byte != b'\t' {
            return Err(ChunkError("a control byte in a chunk extension or a trailer"));
        }
        if self.ignored > MAX_IGNORED {
            return Err(ChunkError("more than 16 KiB of chunk extensions and trailers"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<(Vec<u8>, Progress), ChunkError> {
        let mut out = Vec::new();
        let progress = ChunkDecoder::default().push(bytes, |data| out.extend_from_slice(data))?;
        Ok((out, progress))
    }

    const GOOD: &[u8] = b"4\r\nWiki\r\nB;x=\"y\"\r\npedia in \r\n\r\n000\r\nExpires: never\r\n\r\n";

    #[test]
    fn the_data_of_all_chunks_is_decoded() {
        assert_eq!(decode(GOOD), Ok((b"Wikipedia in \r\n".to_vec(), Progress::Done(GOOD.len()))));
    }

    #[test]
    fn every_prefix_is_incomplete_and_every_cut_gives_the_same_result() {
        for cut in 0..GOOD.len() {
            let (mut out, mut decoder) = (Vec::new(), ChunkDecoder::default());
            assert_eq!(decoder.push(&GOOD[..cut], |data| out.extend_from_slice(data)), Ok(Progress::More));
            let rest = decoder.push(&GOOD[cut..], |data| out.extend_from_slice(data));
            assert_eq!((rest, &out), (Ok(Progress::Done(GOOD.len() - cut)), &decode(GOOD).unwrap().0));
        }
    }

    #[test]
    fn rejects_what_the_grammar_forbids() {
        let bad: [&[u8]; 14] = [
            b"\r\n",
            b"ZZ\r\n",
            b"-1\r\n",
            b"0x4\r\n",
            b"4\nWiki",
            b"4\r\nWikip",
            b"4\r\nWiki\n",
            b"11111111111111111\r\n",
            b"4;\0\r\n",
            b"0\r\nx\ny",
            b"4 x\r\n",
            b"4; =x\r\n",
            b"0\r\nno colon\r\n",
            b"0\r\n folded: x\r\n",
        ];
        for bytes in bad {
            assert!(decode(bytes).is_err(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn endless_extensions_are_an_error() {
        let extension = [&b"4;"[..], &[b'x'; MAX_IGNORED]].concat();
        assert!(decode(&extension).is_err());
    }
}
