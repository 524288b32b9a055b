//! A test waits for what clients do: for requests, and for the ends of their responses.
#![cfg(target_os = "linux")]

mod support;

use rust_sse_server::{ClosedBy, JournalEntry, RecordedEnd, RunningServer};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually_within, field, request, serve, Client, Exchange, Program, PATIENCE};

/// The end of the response to the `number`-th request.
fn end(server: &RunningServer, number: usize) -> RecordedEnd {
    server.wait_for_end(number, PATIENCE).unwrap()
}

#[test]
fn ends_say_how_much_was_sent_and_who_closed_the_connection() {
    let scripts: [(&str, &[u8]); 5] = [
        ("/complete", b"data: 1\n\ndata: 2\n\n"),
        ("/drop", b"data: 1\n\ndata: cut"),
        ("/hang", b"data: 1\n\n@hang\n"),
        ("/pause", b"data: 1\n\n@pause go\n"),
        ("/error", b"@status 503\n@close\n"),
    ];
    let server = serve("1", &scripts);
    let open = |path: &str, until: &str| {
        let mut client = Client::connect(server.address());
        client.get(path, "").read_until(until);
        client
    };
    let facts = |number: usize| {
        let RecordedEnd { status, is_complete, closed_by, bytes, events, .. } = end(&server, number);
        (status, is_complete, closed_by, bytes, events)
    };
    let kept = open("/complete", "0\r\n\r\n");
    assert_eq!(facts(1), (200, true, None, 18, 2));
    drop(kept);
    open("/error", "\r\n\r\n");
    assert_eq!(facts(2), (503, true, Some(ClosedBy::Server), 0, 0));
    for (number, path) in [(3, "/hang"), (4, "/pause")] {
        drop(open(path, "1\n\n\r\n"));
        assert_eq!(facts(number), (200, false, Some(ClosedBy::Client), 9, 1), "{path}");
    }
    let _dropped = open("/hang", "1\n\n\r\n");
    server.drop_all();
    assert_eq!(facts(5), (200, false, Some(ClosedBy::Test), 9, 1));
    assert_eq!(end(&server, 5).how, "dropped by a test");
    open("/none", "\r\n\r\n");
    assert_eq!(facts(6).0, 404);
    let times: Vec<_> = (1..=6).map(|number| end(&server, number).time).collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[test]
fn a_wait_ends_as_soon_as_the_request_has_arrived_or_its_time_is_over() {
    let server = serve("1", &[("/a", b"@hang\n")]);
    assert_eq!(server.wait_for_request(1, Duration::from_millis(30)), None);
    assert_eq!(server.wait_for_end(1, Duration::ZERO), None);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.wait_for_request(2, PATIENCE).map(|request| request.target));
        let mut clients = ["/a?1", "/a?2"].map(|target| {
            let mut client = Client::connect(server.address());
            client.get(target, "");
            server.wait_for_request(if target == "/a?1" { 1 } else { 2 }, PATIENCE).unwrap();
            client
        });
        assert_eq!(waiting.join().unwrap().as_deref(), Some("/a?2"));
        // A stream is open as soon as its request is in the journal.
        assert_eq!(server.send("/a", "x"), 2);
        clients.iter_mut().for_each(|client| drop(client.read_until("1\r\nx\r\n")));
    });
    let entries = server.journal(2);
    assert!(
        matches!(&entries[..], [JournalEntry::Request(request)] if (request.entry, request.number) == (2, 2))
    );
}

/// The response to a GET request for a path.
fn get(program: &Program, path: &str) -> Exchange {
    Exchange::new(program.address, request("GET", path, ""), PATIENCE)
}

#[test]
fn clients_can_wait_over_http() {
    let program = Program::start(&["--control", "tests/scripts/pause.sse"]);
    let text = |path: &str| String::from_utf8(get(&program, path).data().0).unwrap();
    assert_eq!(text("/-/journal?from=1&wait=20ms"), "");
    let missing = get(&program, "/-/journal?request=1&wait=20ms");
    assert!(missing.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert_eq!(missing.wire, b"404 Not Found: no request 1 in the journal\n");

    let mut waiting = Client::connect(program.address);
    waiting.get("/-/journal?end=1&wait=20s", "");
    let mut client = Client::connect(program.address);
    client.get("/pause", "Accept: text/event-stream\r\nACCEPT: b\r\n").read_until("1\n\n\r\n");
    let line = String::from_utf8(get(&program, "/-/journal?request=1&wait=5s").wire).unwrap();
    assert!(line.starts_with("{\"entry\":1,\"request\":1,\"time\":1"), "{line}");
    assert!(
        line.ends_with(
            "\"method\":\"GET\",\"target\":\"/pause\",\"headers\":{\"host\":[\"localhost\"],\
             \"accept\":[\"text/event-stream\",\"b\"]},\"body\":\"\"}\n"
        ),
        "{line}"
    );
    drop(client);
    let start = Instant::now();
    let (head, line) = waiting.read_answer();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(field(&head, "content-type"), Some("application/x-ndjson"));
    assert!(line.starts_with("{\"entry\":2,\"end\":1,\"time\":1"), "{line}");
    assert!(
        line.ends_with(
            ",\"status\":200,\"complete\":false,\"closed_by\":\"client\",\"how\":\"client disconnected\",\
             \"bytes\":9,\"events\":1}\n"
        ),
        "{line}"
    );
    assert_eq!(text("/-/journal?from=2&wait=5s"), line);
    assert_eq!(text("/-/journal").lines().count(), 2);
}

#[test]
fn invalid_queries_get_400_with_what_is_expected() {
    let program = Program::start(&["--control"]);
    for (query, message) in [
        ("from=0", "invalid number `0` (expected 1 or more)"),
        ("request=x", "invalid number `x` (expected 1 or more)"),
        ("wait=61s", "the wait is too long (at most 60s)"),
        ("since=1", "unknown parameter `since` (expected from, request, end or wait)"),
    ] {
        let response = get(&program, &format!("/-/journal?{query}"));
        assert!(response.head.starts_with("HTTP/1.1 400 "), "{query}: {}", response.head);
        assert_eq!(response.wire, format!("400 Bad Request: {message}\n").into_bytes());
    }
    assert!(get(&program, "/-/journal?wait=5").head.starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_client_that_waits_does_not_delay_the_end_of_the_server() {
    let program = Program::start(&["--control"]);
    let mut client = Client::connect(program.address);
    client.get("/-/journal?request=1&wait=20s", "");
    thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    Exchange::new(program.address, request("POST", "/-/stop", ""), PATIENCE);
    assert_eq!(program.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn a_client_that_leaves_while_it_waits_makes_room_for_another() {
    let program = Program::start(&["--control", "--max-clients", "1"]);
    let mut waiting = Client::connect(program.address);
    waiting.get("/-/journal?request=1&wait=60s", "");
    // Most likely it waits by then; if it does not, the test checks less.
    thread::sleep(Duration::from_millis(100));
    drop(waiting);
    let status = || Client::connect(program.address).get("/nothing", "").read_until("\r\n");
    eventually_within(PATIENCE, status, |status| status == "HTTP/1.1 404 Not Found\r\n");
}
