//! What a test can do to a running server, and wait for.

use super::journal_entry::{JournalEntry, RecordedEnd};
use super::recorded_request::RecordedRequest;
use super::RunningServer;
use std::time::Duration;

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

    /// The entries of the journal from this one on, the first of which is 1: the requests and the ends of their responses so far.
    /// At most 20,000 are kept, and at most 16 MiB or else the last one.
    pub fn journal(&self, from: usize) -> Vec<JournalEntry> {
        self.shared.journal.entries(from).map(|entry| JournalEntry::clone(&entry)).collect()
    }

    /// Waits until the `number`-th request has come, for `time` at most, and returns it. If a script answers it, its stream
    /// is open then, unless it has ended already. Requests are counted from 1.
    ///
    /// ```
    /// use rust_sse_server::{EventSource, Script, Server};
    /// use std::{thread, time::Duration};
    ///
    /// let script = Script::parse("/x", "retry: 50\nid: 7\ndata: x\n\n@hang\n")?;
    /// let server = Server::new().script(script).start("127.0.0.1:0")?;
    /// let mut client = EventSource::new(&server.url("/x"))?;
    /// thread::spawn(move || client.run());
    ///
    /// let time = Duration::from_secs(5);
    /// server.wait_for_request(1, time).expect("a request");
    /// server.send("/x", "id: 8\ndata: y\n\n");
    /// server.drop_streams("/x");
    /// let end = server.wait_for_end(1, time).expect("the end of its response");
    /// assert_eq!((end.events, end.is_complete), (2, false));
    /// let request = server.wait_for_request(2, time).expect("another request");
    /// assert_eq!(request.header("last-event-id"), Some("8"));
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    pub fn wait_for_request(&self, number: usize, time: Duration) -> Option<RecordedRequest> {
        match JournalEntry::clone(&*self.shared.journal.wait_for(time, |entries| entries.request(number))?) {
            JournalEntry::Request(request) => Some(request),
            JournalEntry::End(_) => None,
        }
    }

    /// Waits until the response to the `number`-th request has ended, for `time` at most, and returns how it ended.
    pub fn wait_for_end(&self, number: usize, time: Duration) -> Option<RecordedEnd> {
        match JournalEntry::clone(&*self.shared.journal.wait_for(time, |entries| entries.end(number))?) {
            JournalEntry::End(end) => Some(end),
            JournalEntry::Request(_) => None,
        }
    }
}
