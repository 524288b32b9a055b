//! A request and all that comes back, with the times at which it came.

use super::{find, serve, without_date, Client, PATIENCE};
use rust_sse_server::internals::{ChunkDecoder, Progress};
use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A whole exchange on a connection of its own.
pub struct Exchange {
    /// With the value of its date replaced by `*`; empty when there was none.
    pub head: String,
    /// Everything after the head, framing included.
    pub wire: Vec<u8>,
    /// Whether the server closed the connection, rather than reset it.
    pub clean: bool,
    /// When each piece of all that arrived came.
    pub arrivals: Vec<(Duration, Vec<u8>)>,
}

impl Exchange {
    /// Sends a request and reads until the connection ends, for `limit` at most.
    pub fn new(address: SocketAddr, request: impl AsRef<[u8]>, limit: Duration) -> Exchange {
        let mut client = Client::connect(address);
        client.send(request);
        let start = Instant::now();
        let mut arrivals: Vec<(Duration, Vec<u8>)> = Vec::new();
        let mut buffer = vec![0; 1 << 20];
        let clean = loop {
            let left = limit.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
            client.stream.set_read_timeout(Some(left)).unwrap();
            match client.stream.read(&mut buffer) {
                Ok(0) => break true,
                Ok(length) => arrivals.push((start.elapsed(), buffer[..length].to_vec())),
                Err(_) => break false,
            }
        };
        let bytes: Vec<u8> = arrivals.iter().flat_map(|(_, piece)| piece.clone()).collect();
        let end = find(&bytes, b"\r\n\r\n").map_or(0, |end| end + 4);
        let (head, wire) = match bytes.starts_with(b"HTTP/1.1 ") {
            true => (without_date(&String::from_utf8_lossy(&bytes[..end])), bytes[end..].to_vec()),
            false => (String::new(), bytes),
        };
        Exchange { head, wire, clean, arrivals }
    }

    /// The body with its chunks undone, and whether it was complete.
    pub fn data(&self) -> (Vec<u8>, bool) {
        let mut data = Vec::new();
        let progress = ChunkDecoder::default().push(&self.wire, |piece| data.extend_from_slice(piece));
        (data, matches!(progress, Ok(Progress::Done(used)) if used == self.wire.len()))
    }

    /// The data of each chunk, the last-chunk included.
    pub fn chunks(&self) -> Vec<String> {
        let mut chunks = Vec::new();
        let mut rest = self.wire.as_slice();
        while let Some(end) = find(rest, b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            chunks.push(String::from_utf8_lossy(&rest[end + 2..end + 2 + size]).into_owned());
            rest = &rest[end + 2 + size + 2..];
        }
        chunks
    }

    /// When the first piece came that holds this.
    pub fn when(&self, part: &str) -> Duration {
        let arrival = self.arrivals.iter().find(|(_, piece)| find(piece, part.as_bytes()).is_some());
        arrival.unwrap_or_else(|| panic!("{part:?} never came")).0
    }
}

/// A request with these further field lines, after which the connection is closed.
pub fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}\r\n")
}

/// What GET gets from a script at this speed.
pub fn play(script: impl AsRef<[u8]>, speed: &str) -> Exchange {
    let server = serve(speed, &[("/script", script.as_ref())]);
    Exchange::new(server.address(), request("GET", "/script", ""), PATIENCE)
}
