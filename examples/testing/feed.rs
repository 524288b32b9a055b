//! Tests of a client, here the library's `EventSource`. The server runs in the process of the tests.

use rust_sse_server::{EventSource, RunningServer, Script, Server};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::Duration;

const FEED: &str = "\
@resume
retry: 200
id: 1
data: one

@pause two
id: 2
data: two

@pause three
id: 3
data: three

@hang
";

/// How long a test waits for an event or a request.
const PATIENCE: Duration = Duration::from_secs(5);

fn start() -> RunningServer {
    Server::empty().script(Script::parse("/feed", FEED).unwrap()).start("127.0.0.1:0").unwrap()
}

/// A client that reads the feed on another thread.
struct Client {
    source: EventSource,
    data: Receiver<String>,
}

impl Client {
    fn open(server: &RunningServer) -> Client {
        let source = EventSource::new(&server.url("/feed")).unwrap();
        let (sender, data) = channel();
        source.on_message(move |event| drop(sender.send(event.data.clone().unwrap_or_default())));
        let running = source.clone();
        thread::spawn(move || running.run());
        Client { source, data }
    }

    /// The data of the next event.
    fn next(&self) -> String {
        self.data.recv_timeout(PATIENCE).expect("an event")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.source.close();
    }
}

#[test]
fn the_test_decides_when_each_event_is_sent() {
    let server = start();
    let client = Client::open(&server);
    assert_eq!(client.next(), "one");
    server.release("two");
    assert_eq!(client.next(), "two");
    server.send("/feed", "data: pushed\n\n");
    assert_eq!(client.next(), "pushed");
}

#[test]
fn a_client_that_loses_its_stream_resumes_it_after_the_reconnection_time() {
    let server = start();
    let client = Client::open(&server);
    assert_eq!(client.next(), "one");
    server.release("two");
    assert_eq!(client.next(), "two");
    server.drop_streams("/feed");
    let end = server.wait_for_end(1, PATIENCE).expect("the end of the first response");
    let request = server.wait_for_request(2, PATIENCE).expect("a second request");
    assert_eq!(request.header("last-event-id"), Some("2"));
    let pause = request.time.duration_since(end.time).unwrap();
    assert!((190..1000).contains(&pause.as_millis()), "reconnected after {pause:?}");
    server.release("three");
    assert_eq!(client.next(), "three");
}

#[test]
fn a_reset_leaves_nothing_of_the_previous_test() {
    let server = start();
    assert_eq!(Client::open(&server).next(), "one");
    server.reset();
    assert_eq!(Client::open(&server).next(), "one");
    let request = server.wait_for_request(1, PATIENCE).expect("a request");
    assert_eq!(request.header("last-event-id"), None);
}
