//! Reads the body of a request to its end and not one byte further (RFC 9112, section 6): a response can only be ended
//! cleanly when nothing of its request is left unread.

use super::dechunk::ChunkDecoder;
use super::field::{field_values, list_members};
use super::request_line::Version;
use super::status::{bad_request, RequestError, Status};
use super::Progress;

const BODY_TOO_LARGE: RequestError =
    Status::CONTENT_TOO_LARGE.error("the body is larger than --max-body allows");

/// How the end of a request's body is marked (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// By `Content-Length`: this many bytes. 0 when there is no body.
    Known(u64),
    /// By the last-chunk: `Transfer-Encoding: chunked`.
    Chunked,
}

impl BodyLength {
    /// The length of the body that follows a head.
    ///
    /// # Errors
    /// 400 when the field lines could be understood in two ways, 413 for a length that does not fit into 64 bits, 501 for a
    /// transfer coding other than chunked.
    pub fn of(head: &[u8], version: Version) -> Result<BodyLength, RequestError> {
        let has = |name| field_values(head, name).next().is_some();
        if !has("transfer-encoding") {
            return content_length(head).map(BodyLength::Known);
        }
        if has("content-length") {
            return Err(bad_request("both Transfer-Encoding and Content-Length"));
        }
        if version == Version::Http10 {
            return Err(bad_request("Transfer-Encoding in an HTTP/1.0 request"));
        }
        check_transfer_coding(head).map(|()| BodyLength::Chunked)
    }
}

fn check_transfer_coding(head: &[u8]) -> Result<(), RequestError> {
    let codings = || field_values(head, "transfer-encoding").flat_map(list_members);
    if codings().any(|coding| !coding.eq_ignore_ascii_case(b"chunked")) {
        return Err(Status::NOT_IMPLEMENTED.error("the only transfer coding supported is chunked"));
    }
    if codings().count() != 1 {
        return Err(bad_request("Transfer-Encoding must name chunked exactly once"));
    }
    Ok(())
}

/// `Content-Length = 1*DIGIT` (RFC 9110, section 8.6), in one field line; 0 without one.
fn content_length(head: &[u8]) -> Result<u64, RequestError> {
    let mut values = field_values(head, "content-length");
    let value = match values.next() {
        Some(value) => value,
        None => return Ok(0),
    };
    if values.next().is_some() {
        return Err(bad_request("more than one Content-Length"));
    }
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(bad_request("Content-Length is not a number"));
    }
    std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or(BODY_TOO_LARGE)
}

/// Reads a body, fed in pieces of any size.
#[derive(Debug)]
pub struct BodyReader {
    rest: Rest,
    /// Bytes in the body at most.
    limit: u64,
}

/// What is missing of a body.
#[derive(Debug)]
enum Rest {
    /// This many bytes.
    Known(u64),
    /// Chunks; this many bytes of chunk-data have arrived.
    Chunked(ChunkDecoder, u64),
}

impl BodyReader {
    /// A reader of a body whose end is marked in this way and which has at most `limit` bytes.
    ///
    /// # Errors
    /// 413 for a length above the limit.
    pub fn new(length: BodyLength, limit: u64) -> Result<BodyReader, RequestError> {
        let rest = match length {
            BodyLength::Known(length) if length > limit => return Err(BODY_TOO_LARGE),
            BodyLength::Known(length) => Rest::Known(length),
            BodyLength::Chunked => Rest::Chunked(ChunkDecoder::default(), 0),
        };
        Ok(BodyReader { rest, limit })
    }

    /// Whether there is no body.
    pub fn is_empty(&self) -> bool {
        matches!(self.rest, Rest::Known(0))
    }

    /// Takes the next bytes and calls `data` with those that are content.
    ///
    /// # Errors
    /// 400 for chunks that violate the grammar, 413 for more bytes of chunk-data than the limit.
    pub fn push(&mut self, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> Result<Progress, RequestError> {
        match &mut self.rest {
            Rest::Known(left) => {
                let used = bytes.len().min(*left as usize);
                data(&bytes[..used]);
                *left -= used as u64;
                Ok(if *left == 0 { Progress::Done(used) } else { Progress::More })
            }
            Rest::Chunked(decoder, size) => {
                let progress = decoder.push(bytes, |piece| {
                    *size += piece.len() as u64;
                    data(piece);
                });
                if size.saturating_add(decoder.left_in_chunk()) > self.limit {
                    return Err(BODY_TOO_LARGE);
                }
                progress.map_err(|error| bad_request(error.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(length: BodyLength) -> BodyReader {
        BodyReader::new(length, 1024 * 1024).unwrap()
    }

    #[test]
    fn a_known_length_ends_at_its_last_byte() {
        let mut body = reader(BodyLength::Known(5));
        assert_eq!(body.push(b"abc", &mut |_| {}), Ok(Progress::More));
        assert_eq!(body.push(b"deGET /", &mut |_| {}), Ok(Progress::Done(2)));
    }

    #[test]
    fn chunks_end_after_the_trailer_section() {
        let mut body = reader(BodyLength::Chunked);
        assert_eq!(body.push(b"3\r\nabc\r\n0\r\n", &mut |_| {}), Ok(Progress::More));
        assert_eq!(body.push(b"\r\nGET /", &mut |_| {}), Ok(Progress::Done(2)));
    }

    #[test]
    fn a_byte_more_than_the_limit_is_413() {
        assert_eq!(
            BodyReader::new(BodyLength::Known(1024 * 1024 + 1), 1024 * 1024).unwrap_err(),
            BODY_TOO_LARGE
        );
        let mut body = reader(BodyLength::Chunked);
        let chunk = [&b"20000\r\n"[..], &[b'x'; 0x20000], b"\r\n"].concat();
        for _ in 0..8 {
            assert_eq!(body.push(&chunk, &mut |_| {}), Ok(Progress::More));
        }
        assert_eq!(body.push(b"1\r\n", &mut |_| {}), Err(BODY_TOO_LARGE));
    }
}
