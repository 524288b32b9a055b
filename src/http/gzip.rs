//! Writes gzip (RFC 1952) without compressing: each block of the compressed data is a stored one (RFC 1951, section 3.2.4),
//! which is its length and the bytes themselves.
//!
//! ```text
//! 1f 8b 08 00 00000000 00 ff     the header: gzip, deflate, no flags, no time
//! 00 LEN ~LEN data               a block
//! 01 LEN ~LEN data               the last block
//! CRC-32 SIZE                    of the uncompressed data
//! ```

/// The header, for an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Bytes of the largest stored block, whose length has 16 bits.
const MAX_BLOCK: usize = 0xFFFF;

/// When a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GzipFlush {
    /// With each piece of data, so that the client can read it.
    Each,
    /// When it is full, and at the end.
    Full,
}

/// A body that is sent as gzip.
#[derive(Debug)]
pub struct Gzip {
    flush: GzipFlush,
    crc: u32,
    size: u32,
    /// Data that is in no block yet.
    held: Vec<u8>,
    has_begun: bool,
}

impl Gzip {
    pub fn new(flush: GzipFlush) -> Gzip {
        Gzip { flush, crc: 0, size: 0, held: Vec::new(), has_begun: false }
    }

    /// Takes data. Returns the bytes that are ready to be sent.
    pub fn write(&mut self, data: &[u8]) -> Vec<u8> {
        self.crc = crc_32(self.crc, data);
        self.size = self.size.wrapping_add(data.len() as u32);
        self.blocks(data)
    }

    /// The blocks that are ready with this data, one at a time, so that the rest of the data, which can be 64 MiB, is
    /// not moved for each block.
    fn blocks(&mut self, mut data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let (taken, rest) = data.split_at(data.len().min(MAX_BLOCK - self.held.len()));
            self.held.extend_from_slice(taken);
            data = rest;
            let is_due = match self.flush {
                GzipFlush::Each => !self.held.is_empty(),
                // The last block is written by `finish`.
                GzipFlush::Full => !data.is_empty(),
            };
            if !is_due {
                return out;
            }
            let block = std::mem::take(&mut self.held);
            self.block(&block, false, &mut out);
        }
    }

    /// Ends the body. Returns the last bytes.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let last = std::mem::take(&mut self.held);
        self.block(&last, true, &mut out);
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out
    }

    fn block(&mut self, data: &[u8], is_last: bool, out: &mut Vec<u8>) {
        if !self.has_begun {
            out.extend_from_slice(&HEADER);
            self.has_begun = true;
        }
        let length = data.len() as u16;
        out.push(u8::from(is_last));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(data);
    }
}

/// The CRC-32 of data that follows other data with the CRC-32 `crc` (RFC 1952, section 8).
fn crc_32(crc: u32, data: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !data.iter().fold(!crc, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc_32(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(crc_32(crc_32(0, b"1234"), b"56789"), 0xCBF4_3926);
        assert_eq!(crc_32(0, b""), 0);
    }

    #[test]
    fn each_piece_is_a_block() {
        let mut gzip = Gzip::new(GzipFlush::Each);
        assert_eq!(gzip.write(b"ab"), [&HEADER[..], b"\0\x02\0\xfd\xffab"].concat());
        assert_eq!(gzip.write(b""), b"");
        assert_eq!(gzip.write(b"c"), b"\0\x01\0\xfe\xffc");
        assert_eq!(gzip.finish(), b"\x01\0\0\xff\xff\xc2\x41\x24\x35\x03\0\0\0");
    }

    #[test]
    fn a_large_piece_becomes_blocks_without_being_moved_for_each() {
        let large = vec![b'x'; 64 * 1024 * 1024];
        let blocks = large.len() / MAX_BLOCK + 1;
        for flush in [GzipFlush::Each, GzipFlush::Full] {
            let mut gzip = Gzip { has_begun: true, ..Gzip::new(flush) };
            // The checksum would take most of the time, and is not checked here.
            let length = gzip.blocks(&large).len() + gzip.finish().len();
            let last = if flush == GzipFlush::Each { 5 } else { 0 };
            assert_eq!(length, large.len() + 5 * blocks + last + 8);
        }
    }

    #[test]
    fn a_block_is_held_until_it_is_full() {
        let mut gzip = Gzip::new(GzipFlush::Full);
        assert_eq!(gzip.write(&[b'x'; MAX_BLOCK]), b"");
        let full = gzip.write(b"y");
        assert_eq!((full.len(), &full[10..15]), (10 + 5 + MAX_BLOCK, &b"\0\xff\xff\0\0"[..]));
        assert_eq!(gzip.finish()[..6], *b"\x01\x01\0\xfe\xffy");
    }
}
