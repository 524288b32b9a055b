//! A request and everything that the server sends for it, with arrival times.

use super::{find, is_timeout, serve, without_date, Client, PATIENCE};
use rust_sse_server::internals::{ChunkDecoder, Progress};
use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Everything that arrived on a connection after one request was sent.
pub struct Exchange {
    /// The response head, the value of its date replaced by `*`; empty if no head arrived.
    pub head: String,
    /// Everything after the head, framing included.
    pub wire: Vec<u8>,
    /// Whether the server closed the connection, rather than reset it or left it open.
    pub clean: bool,
    /// Whether the connection was still open when the time was over.
    pub is_open: bool,
    /// Each piece that was read, head included, with the time since the client began to send the request.
    pub arrivals: Vec<(Duration, Vec<u8>)>,
}

impl Exchange {
    /// Sends a request and reads until the connection ends, for `limit` at most.
    pub fn new(address: SocketAddr, request: impl AsRef<[u8]>, limit: Duration) -> Exchange {
        let mut client = Client::connect(address);
        let start = Instant::now();
        client.send(request);
        let mut arrivals: Vec<(Duration, Vec<u8>)> = Vec::new();
        let mut buffer = vec![0; 1 << 20];
        let end = loop {
            let left = limit.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
            client.stream.set_read_timeout(Some(left)).unwrap();
            match client.stream.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(length) => arrivals.push((start.elapsed(), buffer[..length].to_vec())),
                Err(error) => break Err(error),
            }
        };
        let clean = end.is_ok();
        let is_open = end.map_or_else(|error| is_timeout(&error), |()| false);
        let bytes: Vec<u8> = arrivals.iter().flat_map(|(_, piece)| piece.clone()).collect();
        let head_length = find(&bytes, b"\r\n\r\n").map_or(0, |end| end + 4);
        if bytes.starts_with(b"HTTP/1.1 ") {
            let head = without_date(&String::from_utf8_lossy(&bytes[..head_length]));
            Exchange { head, wire: bytes[head_length..].to_vec(), clean, is_open, arrivals }
        } else {
            Exchange { head: String::new(), wire: bytes, clean, is_open, arrivals }
        }
    }

    /// The decoded data of a chunked body, and whether the body was complete.
    pub fn data(&self) -> (Vec<u8>, bool) {
        let mut data = Vec::new();
        let progress = ChunkDecoder::default().push(&self.wire, |piece| data.extend_from_slice(piece));
        (data, matches!(progress, Ok(Progress::Done(used)) if used == self.wire.len()))
    }

    /// The data of each chunk, including the empty last-chunk.
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

    /// When the first piece that contains `part` arrived.
    pub fn when(&self, part: &str) -> Duration {
        let arrival = self.arrivals.iter().find(|(_, piece)| find(piece, part.as_bytes()).is_some());
        arrival.unwrap_or_else(|| panic!("{part:?} did not arrive")).0
    }
}

/// A request with `Connection: close` and these additional field lines.
pub fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n")
}

/// Serves a script at this speed and requests it with GET.
pub fn play(script: impl AsRef<[u8]>, speed: &str) -> Exchange {
    let server = serve(speed, &[("/script", script.as_ref())]);
    Exchange::new(server.address(), request("GET", "/script", ""), PATIENCE)
}
