//! Reads a body in gzip format, in whatever pieces it comes, if it consists of stored blocks, as [`gzip`](super::gzip) writes
//! it.

/// Bytes of the header without optional fields.
const HEADER: usize = 10;
/// Bytes before the data of a stored block, which begin on a byte because the blocks before them end on one.
const BLOCK_HEAD: usize = 5;

/// What comes next.
#[derive(Debug)]
enum State {
    Header,
    BlockHead,
    Data {
        left: usize,
        is_last: bool,
    },
    /// The checksum and the size, which are ignored.
    End,
}

/// A decoder of one body. It reads nothing after a block that is not stored.
#[derive(Debug)]
pub struct Gunzip {
    state: State,
    /// The start of a header that is not complete.
    incomplete: Vec<u8>,
}

impl Gunzip {
    pub fn new() -> Gunzip {
        Gunzip { state: State::Header, incomplete: Vec::new() }
    }

    /// Takes the next bytes. Returns the data in them.
    pub fn read(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        while !bytes.is_empty() {
            match self.state {
                State::Header => {
                    if self.take(HEADER, &mut bytes).is_some() {
                        self.state = State::BlockHead;
                    }
                }
                State::BlockHead => {
                    if let Some(head) = self.take(BLOCK_HEAD, &mut bytes) {
                        self.state = State::of_block(&head);
                    }
                }
                State::Data { left, is_last } => {
                    let (piece, rest) = bytes.split_at(left.min(bytes.len()));
                    data.extend_from_slice(piece);
                    bytes = rest;
                    self.state = State::of_data(left - piece.len(), is_last);
                }
                State::End => break,
            }
        }
        data
    }

    /// Takes `length` bytes once that many have arrived.
    fn take(&mut self, length: usize, bytes: &mut &[u8]) -> Option<Vec<u8>> {
        let missing = length - self.incomplete.len();
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        self.incomplete.extend_from_slice(taken);
        *bytes = rest;
        (self.incomplete.len() == length).then(|| std::mem::take(&mut self.incomplete))
    }
}

impl State {
    /// After the head of a block: a bit that says whether it is the last, two for its type, and its length twice.
    fn of_block(head: &[u8]) -> State {
        match head {
            [first, low, high, ..] if first >> 1 == 0 => {
                State::of_data(usize::from(u16::from_le_bytes([*low, *high])), first & 1 == 1)
            }
            _ => State::End,
        }
    }

    fn of_data(left: usize, is_last: bool) -> State {
        match left {
            0 if is_last => State::End,
            0 => State::BlockHead,
            _ => State::Data { left, is_last },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::gzip::{Gzip, GzipFlush};

    #[test]
    fn what_gzip_writes_is_read_in_pieces_of_any_size() {
        let mut gzip = Gzip::new(GzipFlush::Each);
        let written =
            [gzip.write(b"ab"), gzip.write(&[b'x'; 70_000]), gzip.write(b"c"), gzip.finish()].concat();
        let data = [&b"ab"[..], &[b'x'; 70_000], b"c"].concat();
        for size in [1, 2, 7, written.len()] {
            let mut gunzip = Gunzip::new();
            let read: Vec<u8> = written.chunks(size).flat_map(|piece| gunzip.read(piece)).collect();
            assert!(read == data, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn an_event_is_read_with_the_last_byte_of_its_block() {
        let mut gzip = Gzip::new(GzipFlush::Each);
        let written = gzip.write(b"data: x\n\n");
        assert_eq!(Gunzip::new().read(&written), b"data: x\n\n");
    }

    #[test]
    fn a_block_that_is_not_stored_ends_the_data() {
        let mut gunzip = Gunzip::new();
        assert_eq!(gunzip.read(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0"), b"");
        assert_eq!(gunzip.read(b"\0\x01\0\xfe\xffc"), b"");
    }
}
