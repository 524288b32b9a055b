//! Decodes gzip with stored blocks only, as far as it has arrived: RFC 1952 and section 3.2.4 of RFC 1951.

/// A body, from its first byte.
#[derive(Default)]
pub struct Gunzip {
    body: Vec<u8>,
    /// Bytes of the data that were returned.
    returned: usize,
}

impl Gunzip {
    /// Takes the next bytes of the body and returns the data that they add.
    pub fn piece(&mut self, piece: &[u8]) -> Vec<u8> {
        self.body.extend(piece);
        let data = decode(self.body.get(10..).unwrap_or_default());
        let new = data[self.returned..].to_vec();
        self.returned = data.len();
        new
    }
}

fn decode(mut blocks: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let [kind, low, high, _, _, rest @ ..] = blocks {
        assert!(*kind < 2, "a block that is not stored");
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (block, after) = rest.split_at(length.min(rest.len()));
        data.extend(block);
        if *kind == 1 {
            break;
        }
        blocks = after;
    }
    data
}
