//! Decodes chunked bodies (RFC 9112, section 7.1): a server decodes the body of a request, an EventSource decodes an
//! event stream.
//!
//! ```text
//! chunked-body    = *chunk last-chunk trailer-section CRLF
//! chunk           = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! last-chunk      = 1*("0") [ chunk-ext ] CRLF
//! chunk-ext       = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//! trailer-section = *( field-line CRLF )
//! ```

use super::field::{is_field_value, is_token, trim_ows, FieldLine};
use super::Progress;

/// Bytes of chunk extensions, leading zeros and trailer fields in one body. All of them are ignored, so a few are enough. In
/// an event stream, which may have any number of chunks, the limit applies to each line, and to the trailer section.
const MAX_IGNORED: usize = 16 * 1024;
/// Hexadecimal digits of the largest size.
const MAX_DIGITS: usize = 16;

/// Which rule of the grammar the bytes violate, in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkError(pub &'static str);

/// Decodes a chunked body that arrives in pieces of any size.
#[derive(Debug, Default)]
pub struct ChunkDecoder {
    state: State,
    /// The part of the current line that has arrived.
    line: Vec<u8>,
    ignored: usize,
    /// Whether to accept what browsers accept.
    is_lenient: bool,
    is_endless: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// A line with a chunk-size follows.
    #[default]
    Size,
    /// This much chunk-data follows.
    Data(u64),
    /// The CR LF after chunk-data follows.
    DataEnd,
    /// A field line of the trailer section, or the empty line at the end, follows.
    Trailer,
}

impl ChunkDecoder {
    /// A decoder that accepts what browsers accept: LF alone as a line end, blanks after a chunk-size, and anything as chunk
    /// extensions and trailer fields.
    pub fn lenient() -> ChunkDecoder {
        ChunkDecoder { is_lenient: true, ..ChunkDecoder::default() }
    }

    /// A decoder of a body with any number of chunks: the limit on what is ignored applies to each line.
    pub fn endless() -> ChunkDecoder {
        ChunkDecoder { is_endless: true, ..ChunkDecoder::default() }
    }

    /// Bytes of the current chunk that are still missing.
    pub fn left_in_chunk(&self) -> u64 {
        match self.state {
            State::Data(left) => left,
            _ => 0,
        }
    }

    /// Whether the CR LF after chunk-data is not complete yet.
    pub fn is_at_data_end(&self) -> bool {
        matches!(self.state, State::DataEnd)
    }

    /// Takes the next bytes and calls `data` with every run of chunk-data in them.
    ///
    /// # Errors
    /// [`ChunkError`] for a line that the grammar forbids, a size of 2^64 or more, and more than 16 KiB of chunk extensions
    /// and trailer fields.
    pub fn push(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<Progress, ChunkError> {
        let mut at = 0;
        while at < bytes.len() {
            if let State::Data(left) = self.state {
                let run = left.min((bytes.len() - at) as u64) as usize;
                data(&bytes[at..at + run]);
                at += run;
                let left = left - run as u64;
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                continue;
            }
            if self.push_to_line(bytes[at])? {
                return Ok(Progress::Done(at + 1));
            }
            at += 1;
        }
        Ok(Progress::More)
    }

    /// Takes a byte that is not chunk-data. Returns whether the body ends with it.
    fn push_to_line(&mut self, byte: u8) -> Result<bool, ChunkError> {
        self.line.push(byte);
        let is_lenient_end = self.is_lenient && self.line == b"\n";
        if self.is_at_data_end() && !is_lenient_end {
            check_data_end(&self.line)?;
        }
        if byte == b'\n' && self.end_line()? {
            return Ok(true);
        }
        if self.ignored + self.line.len() > MAX_IGNORED {
            return Err(ChunkError("more than 16 KiB of chunk extensions and trailer fields"));
        }
        Ok(false)
    }

    /// Parses the line that has just ended. Returns whether the body ends with it.
    fn end_line(&mut self) -> Result<bool, ChunkError> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = match line.strip_suffix(b"\r") {
            Some(line) => line,
            None if self.is_lenient => line,
            None => return Err(ChunkError("a line in the chunked body does not end with CR LF")),
        };
        self.state = match self.state {
            State::Size => match self.chunk_size(line)? {
                0 => State::Trailer,
                size => State::Data(size),
            },
            State::Trailer if line.is_empty() => return Ok(true),
            State::Trailer => {
                self.ignored += line.len();
                if !self.is_lenient {
                    FieldLine::parse(line).map_err(ChunkError)?;
                }
                State::Trailer
            }
            State::DataEnd | State::Data(_) => State::Size,
        };
        Ok(false)
    }

    fn chunk_size(&mut self, line: &[u8]) -> Result<u64, ChunkError> {
        if self.is_lenient {
            let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
            return parse_chunk_size(trim_ows(size));
        }
        if !self.is_endless {
            self.ignored += line.len().saturating_sub(MAX_DIGITS);
        }
        parse_chunk_size(line)
    }
}

/// The size in a line `chunk-size [ chunk-ext ]`, without its CR LF.
///
/// # Errors
/// The line has another form, or the size does not fit into 64 bits.
pub fn parse_chunk_size(line: &[u8]) -> Result<u64, ChunkError> {
    let length = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = line.split_at(length);
    let extension = trim_ows(rest).strip_prefix(b";");
    if digits.is_empty() || (!rest.is_empty() && extension.is_none()) {
        return Err(ChunkError("a chunk-size is not hexadecimal"));
    }
    if let Some(extension) = extension {
        if !is_field_value(extension) {
            return Err(ChunkError("a control byte in a chunk extension"));
        }
        if !is_token(trim_ows(extension).get(..1).unwrap_or_default()) {
            return Err(ChunkError("a chunk extension has no name"));
        }
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    u64::from_str_radix(digits, 16).map_err(|_| ChunkError("a chunk-size is 2^64 or more"))
}

/// Checks the beginning of the CR LF after chunk-data at once: a client that sends more data than it announced may not send
/// a line end for a long time.
fn check_data_end(beginning: &[u8]) -> Result<(), ChunkError> {
    if b"\r\n".starts_with(beginning) {
        Ok(())
    } else {
        Err(ChunkError("chunk-data is longer than its chunk-size"))
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
