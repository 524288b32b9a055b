//! What a test can do to a running server, and wait for.

use super::journal::entry::{JournalEntry, RecordedEnd};
use super::journal::recorded_request::RecordedRequest;
use super::RunningServer;
use crate::judge::verdicts::Verdict;
use crate::script::Script;
use crate::text::error::Error;
use std::time::Duration;

/// The methods with which a test drives the server. With [`control`](super::Server::control), clients can do the same
/// over HTTP.
impl RunningServer {
    /// Lets every open stream whose script has `@pause name` pass that pause once, even if the stream has not reached
    /// it yet. A stream that is opened later pauses again. Returns the number of streams.
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

    /// Sends bytes as one chunk to every open stream that answers a request for `path`, which begins with `/` and is
    /// not percent-encoded: at once where the script waits, and otherwise after its current step. Returns the number of
    /// streams.
    ///
    /// A stream whose client does not read is dropped when 256 chunks, or more than one with 1 MiB together, wait to be
    /// sent.
    pub fn send(&self, path: &str, bytes: impl AsRef<[u8]>) -> usize {
        self.shared.send(path.as_bytes(), bytes.as_ref())
    }

    /// Drops every open stream that answers a request for `path`, as [`drop_all`](RunningServer::drop_all) does.
    /// Returns the number of streams.
    pub fn drop_streams(&self, path: &str) -> usize {
        self.shared.connections.drop_streams(Some(path.as_bytes()))
    }

    /// Drops all streams that are playing, at once, as `@drop` does: what was sent before arrives, and the body stays
    /// unfinished. Returns the number of streams.
    pub fn drop_all(&self) -> usize {
        self.shared.connections.drop_streams(None)
    }

    /// The entries of the journal from number `from` on, counted from 1: the requests and the ends of their responses
    /// so far. At most 20,000 are kept, and at most 16 MiB or else the last one.
    pub fn journal(&self, from: usize) -> Vec<JournalEntry> {
        self.shared.journal.entries(from).map(|entry| JournalEntry::clone(&entry)).collect()
    }

    /// Waits until the `number`-th request has arrived, for `time` at most, and returns it. If a script answers it, its
    /// stream is open then, unless it has ended already. Requests are counted from 1.
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
        let entry = self.shared.journal.wait_for(time, |entries| entries.request(number))?;
        JournalEntry::clone(&entry).into_request()
    }

    /// Waits until the response to the `number`-th request has ended, for `time` at most, and returns how it ended.
    pub fn wait_for_end(&self, number: usize, time: Duration) -> Option<RecordedEnd> {
        let entry = self.shared.journal.wait_for(time, |entries| entries.end(number))?;
        JournalEntry::clone(&entry).into_end()
    }

    /// The requests so far, the oldest first: about 10,000, and at most 16 MiB. Those that were rejected have no body, and
    /// those for paths under `/-/` are not among them.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::net::TcpStream;
    ///
    /// let server = rust_sse_server::Server::new().start("127.0.0.1:0")?;
    /// let mut client = TcpStream::connect(server.address())?;
    /// client.write_all(b"GET /stop HTTP/1.0\r\nLast-Event-ID: 2\r\n\r\n")?;
    /// client.read_to_end(&mut Vec::new())?;
    ///
    /// assert_eq!(server.requests()[0].target, "/stop");
    /// assert_eq!(server.requests()[0].header("last-event-id"), Some("2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.journal(1).into_iter().filter_map(JournalEntry::into_request).collect()
    }

    /// The outcomes of the expectations of scripts so far (`@expect`).
    ///
    /// ```
    /// use rust_sse_server::{EventSource, Script, Server};
    ///
    /// let text = "@part connection 1\nretry: 50\nid: 7\ndata: x\n\n@drop\n\
    ///     @part connection 2\n@expect last-event-id 7 and after 50ms..500ms\n@status 204\n\
    ///     @part otherwise\n@expect never\n";
    /// let server = Server::new().script(Script::parse("/x", text)?).start("127.0.0.1:0")?;
    /// EventSource::new(&server.url("/x"))?.run();
    ///
    /// let verdict = server.verdict();
    /// assert!(verdict.passed(), "{verdict}");
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    pub fn verdict(&self) -> Verdict {
        self.shared.verdicts.verdict(&self.shared.scripts.current())
    }

    /// Sets the script with this [name](Script::name): from now on, it replaces the one that had the name, and built-in
    /// scripts that answer one of its requests. Open streams continue with the script they began with.
    ///
    /// ```
    /// use rust_sse_server::{Script, Server};
    ///
    /// let server = Server::new().start("127.0.0.1:0")?;
    /// server.set_script(Script::parse("/chat", "data: first\n\n")?)?;
    /// server.set_script(Script::parse("/chat", "data: second\n\n")?)?;
    /// assert!(server.remove_script("/chat"));
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::DuplicateRoute`](crate::ErrorKind::DuplicateRoute): a script of another name answers one of its
    /// requests, or its path begins with `/-/`. Nothing has changed then.
    pub fn set_script(&self, script: Script) -> Result<(), Error> {
        self.shared.set_script(script)
    }

    /// Removes the script with this [name](Script::name), whether it is built in, was added, or was set by a test.
    /// `false` if there is none.
    pub fn remove_script(&self, name: &str) -> bool {
        self.shared.scripts.remove(name)
    }

    /// Restores the state after the start: the scripts that the server had then, which count requests from 1 again, no
    /// open streams, an empty journal, and no outcomes of expectations. Streams are dropped as by
    /// [`drop_all`](RunningServer::drop_all); their ends are not in the journal.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Refuses connections for `time`, 10 minutes at most, like a server that is being restarted. Then they are
    /// accepted again on the same port. Returns when the port is closed. Open connections stay open: see
    /// [`drop_all`](RunningServer::drop_all).
    ///
    /// ```
    /// use std::{net::TcpStream, thread, time::Duration};
    ///
    /// let server = rust_sse_server::Server::new().start("127.0.0.1:0")?;
    /// server.pause_listening(Duration::from_millis(100));
    /// assert!(TcpStream::connect(server.address()).is_err());
    /// thread::sleep(Duration::from_millis(200));
    /// assert!(TcpStream::connect(server.address()).is_ok());
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    pub fn pause_listening(&self, time: Duration) {
        if let Some(port) = self.shared.ports.own() {
            port.pause_listening(time);
        }
    }
}
