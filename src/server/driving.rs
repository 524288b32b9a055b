//! What a test can do to a running server: release pauses, send, and drop streams.

use super::RunningServer;

/// The methods with which a test drives the server. With [`control`](super::Server::control), clients can do the same over HTTP.
impl RunningServer {
    /// Lets every open stream whose script has `@pause name` pass it once, also if it has not come to it yet. A stream that is
    /// opened later pauses again. Returns how many streams these are.
    ///
    /// ```
    /// use rust_sse_server::{Script, Server};
    /// use std::io::{Read, Write};
    ///
    /// let script = Script::parse("/two", "data: 1\n\n@pause second\ndata: 2\n\n")?;
    /// let server = Server::new().script(script).start("127.0.0.1:0")?;
    /// let mut client = std::net::TcpStream::connect(server.address())?;
    /// client.write_all(b"GET /two HTTP/1.0\r\n\r\n")?;
    /// let (mut buffer, mut response) = ([0; 1024], String::new());
    /// while !response.ends_with("data: 1\n\n") {
    ///     let length = client.read(&mut buffer)?;
    ///     response += std::str::from_utf8(&buffer[..length])?;
    /// }
    ///
    /// assert_eq!(server.release("second"), 1);
    /// client.read_to_string(&mut response)?;
    /// assert!(response.ends_with("data: 1\n\ndata: 2\n\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(&self, name: &str) -> usize {
        self.shared.release(name)
    }

    /// Sends bytes as one chunk to every open stream that answers a request for `path`, which begins with `/` and is not
    /// percent-encoded: at once where the script waits, and otherwise after its current step. Returns how many streams these are.
    ///
    /// A stream whose client does not read is dropped when 256 chunks, or more than one with 1 MiB together, wait to be sent.
    pub fn send(&self, path: &str, bytes: impl AsRef<[u8]>) -> usize {
        self.shared.send(path.as_bytes(), bytes.as_ref())
    }

    /// Drops every open stream that answers a request for `path`, as [`drop_all`](RunningServer::drop_all) does. Returns how
    /// many these are.
    pub fn drop_streams(&self, path: &str) -> usize {
        self.shared.connections.drop_streams(Some(path.as_bytes()))
    }

    /// Drops all streams that are playing, at once, as `@drop` does: what was sent before arrives, and the body stays
    /// unfinished. Returns how many these are.
    pub fn drop_all(&self) -> usize {
        self.shared.connections.drop_streams(None)
    }
}
