//! The library's `EventSource` with real servers: which events it dispatches, when it reconnects, and when it closes.

#[path = "../support/mod.rs"]
mod support;

mod responses;

use rust_sse_server::{Event, EventSource, ReadyState};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use support::{demo, serve, Program, PATIENCE};

/// Runs a source on a thread and returns the events that it dispatches: `open`, `message`, `error` and these types.
fn run(url: &str, types: &[&str]) -> (EventSource, Receiver<Event>) {
    let source = EventSource::new(url).unwrap();
    let (sender, receiver) = channel();
    for event in ["open", "message", "error"].iter().chain(types) {
        let sender = sender.clone();
        source.add_event_listener(event, move |event| drop(sender.send(event.clone())));
    }
    let running = source.clone();
    thread::spawn(move || running.run());
    (source, receiver)
}

fn next(receiver: &Receiver<Event>) -> (String, String) {
    let event = receiver.recv_timeout(PATIENCE).unwrap();
    (event.event.unwrap_or_default(), event.data.unwrap_or_default())
}

fn pair(event: &str, data: &str) -> (String, String) {
    (event.to_owned(), data.to_owned())
}

/// A server that sends one of these responses on each connection, and the requests that it receives.
fn respond(responses: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/stream", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            sender.send(String::from_utf8(request).unwrap()).unwrap();
            // A client that has read enough closes the connection.
            let _ = stream.write_all(&response);
        }
    });
    (url, requests)
}

fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn the_demo_dispatches_29_events_and_204_closes_the_source() {
    let server = demo("100");
    let start = Instant::now();
    let (source, events) = run(&server.url("/events"), &["update", "notification"]);
    assert_eq!(next(&events), pair("open", ""));
    for data in ["YHOO\n+2\n10", "first event", "second event", " third event", "", "\n", "", "test", "test"]
    {
        assert_eq!(next(&events), pair("message", data));
    }
    for n in 1..=15 {
        let event = events.recv_timeout(PATIENCE).unwrap();
        assert_eq!(event.id, Some(n.to_string()));
        assert_eq!(event.retry.as_deref(), Some("2000"));
        assert_eq!(event.event.as_deref(), Some(if n % 2 == 1 { "notification" } else { "update" }));
        assert!(event.data.unwrap().starts_with(&format!("{{\"message\": \"Hello from Rust! Event {n}\", ")));
        if n % 3 == 0 {
            let (event, data) = next(&events);
            assert!(event == "message" && data.starts_with("Just a simple data message at "), "{data}");
        }
    }
    assert_eq!(next(&events), pair("error", "connection closed by server"));
    assert_eq!(source.state(), ReadyState::Connecting);
    assert_eq!(source.last_event_id(), "15");
    assert_eq!(next(&events), pair("error", "status 204: the server has no more events"));
    assert!(start.elapsed() >= Duration::from_secs(2), "it reconnected after {:?}", start.elapsed());
    assert_eq!(source.state(), ReadyState::Closed);
}

#[test]
fn a_reconnect_sends_the_last_event_id() {
    let (url, requests) = respond(vec![
        ok("retry: 10\nid: caf\u{e9}\n\ndata: 1\n\nid: lost\ndata: unfinished"),
        ok("id\ndata: 2\n\n"),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
    ]);
    let (_source, events) = run(&url, &[]);
    let host = url.trim_start_matches("http://").trim_end_matches("/stream");
    let request = format!(
        "GET /stream HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nAccept-Encoding: identity\r\n\
         Cache-Control: no-cache\r\n"
    );
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap(), format!("{request}\r\n"));
    assert_eq!(
        requests.recv_timeout(PATIENCE).unwrap(),
        format!("{request}Last-Event-ID: caf\u{e9}\r\n\r\n")
    );
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap(), format!("{request}\r\n"));
    let dispatched: Vec<_> = (0..7).map(|_| next(&events)).collect();
    assert_eq!(
        dispatched,
        [
            pair("open", ""),
            pair("message", "1"),
            pair("error", "connection closed by server"),
            pair("open", ""),
            pair("message", "2"),
            pair("error", "connection closed by server"),
            pair("error", "status 204: the server has no more events"),
        ]
    );
}

#[test]
fn a_source_reconnects_when_a_stream_is_cut_inside_a_chunk() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        16\r\nretry: 1\ndata: whole\n\n\r\n20\r\ndata: half";
    let (url, _requests) = respond(vec![cut.to_vec(), ok("data: again\n\n")]);
    let (_source, events) = run(&url, &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "whole"));
    assert_eq!(next(&events), pair("error", "connection lost: the response body is incomplete"));
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "again"));
}

#[test]
fn a_wrong_status_or_content_type_closes_the_source() {
    let server = serve(
        "max",
        &[("/500", b"@status 500\ndata: x\n\n"), ("/html", b"@header Content-Type: text/html\ndata: x\n\n")],
    );
    for (path, reason) in [
        ("/500", "unexpected status 500 (expected 200)"),
        ("/nothing", "unexpected status 404 (expected 200)"),
        ("/html", "unexpected content type `text/html` (expected text/event-stream)"),
    ] {
        let (source, events) = run(&server.url(path), &[]);
        assert_eq!(next(&events), pair("error", reason));
        assert_eq!(source.state(), ReadyState::Closed);
    }
}

#[test]
fn at_most_20_redirects_are_followed() {
    let server = serve(
        "max",
        &[
            ("/old", b"@status 307\n@header Location: /new\n"),
            ("/new", b"@header Content-Type: text/event-stream; charset=utf-8\ndata: new\n\n"),
            ("/loop", b"@status 302\n@header Location: loop\n"),
            ("/nowhere", b"@status 302\n@header Location:\n"),
            ("/tls", b"@status 301\n@header Location: https://localhost/\n"),
        ],
    );
    let (_source, events) = run(&server.url("/old"), &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "new"));
    let (_source, events) = run(&server.url("/loop"), &[]);
    assert_eq!(next(&events), pair("error", "more than 20 redirects"));
    let (_source, events) = run(&server.url("/nowhere"), &[]);
    assert_eq!(next(&events), pair("error", "status 302 without a location"));
    let (_source, events) = run(&server.url("/tls"), &[]);
    let reason = "cannot follow the redirect: invalid URL `https://localhost/` (expected http://, as TLS is not supported)";
    assert_eq!(next(&events), pair("error", reason));
}

#[test]
fn close_on_another_thread_ends_a_silent_stream_at_once() {
    let server = serve("1", &[("/hour", b"data: 1\n\n@sleep 1h\ndata: 2\n\n")]);
    let source = EventSource::new(&server.url("/hour")).unwrap();
    let (sender, opened) = channel();
    source.on_message(move |_| sender.send(()).unwrap());
    let running = source.clone();
    let runner = thread::spawn(move || running.run());
    opened.recv_timeout(PATIENCE).unwrap();
    assert_eq!(source.state(), ReadyState::Open);
    let start = Instant::now();
    source.close();
    runner.join().unwrap();
    assert!(start.elapsed() < Duration::from_millis(500));
    assert_eq!(source.state(), ReadyState::Closed);
}

#[test]
fn after_close_in_a_listener_no_event_is_dispatched() {
    let server = serve("max", &[("/two", b"data: 1\n\ndata: 2\n\n")]);
    let source = EventSource::new(&server.url("/two")).unwrap();
    let (sender, events) = channel();
    let handle = source.clone();
    source.on_message(move |event| {
        sender.send(event.data.clone()).unwrap();
        handle.close();
    });
    source.run();
    assert_eq!(events.try_iter().collect::<Vec<_>>(), [Some("1".to_owned())]);
}

#[test]
fn an_iterator_yields_events_of_every_type_until_the_source_is_closed() {
    let (url, _requests) = respond(vec![
        ok("retry: 10\ndata: 1\n\nevent: two\ndata: 2\n\n"),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
    ]);
    let source = EventSource::new(&url).unwrap();
    let events: Vec<_> = source.events().unwrap().map(|event| (event.event, event.data)).collect();
    let event = |event: &str, data: Option<&str>| (Some(event.to_owned()), data.map(str::to_owned));
    assert_eq!(
        events,
        [
            event("open", None),
            event("message", Some("1")),
            event("two", Some("2")),
            event("error", Some("connection closed by server")),
            event("error", Some("status 204: the server has no more events")),
        ]
    );
    assert_eq!(source.state(), ReadyState::Closed);
    assert_eq!(source.events().unwrap().count(), 0);
    source.run();
}

#[test]
fn dropping_the_iterator_closes_the_source_and_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = EventSource::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let mut events = source.events().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // More events than are taken, so the thread waits with one of them.
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    stream.write_all(format!("{head}{}", "data: 1\n\n".repeat(9)).as_bytes()).unwrap();
    assert_eq!(events.next().unwrap().event.as_deref(), Some("open"));
    assert_eq!(events.next().unwrap().data.as_deref(), Some("1"));
    drop(events);
    assert_eq!(source.state(), ReadyState::Closed);
    let mut request = Vec::new();
    // The connection may also end with a reset.
    let end = stream.read_to_end(&mut request).map_err(|error| error.kind());
    assert!(matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)), "{end:?}");
}

#[test]
fn close_on_another_thread_ends_an_iterator() {
    let server = serve("1", &[("/hour", b"data: 1\n\n@sleep 1h\n")]);
    let source = EventSource::new(&server.url("/hour")).unwrap();
    let mut events = source.events().unwrap();
    assert_eq!(events.by_ref().take(2).last().unwrap().data.as_deref(), Some("1"));
    thread::spawn(move || source.close());
    assert_eq!(events.next(), None);
}

#[test]
fn a_silent_connection_is_lost_after_the_idle_timeout() {
    let server = serve("1", &[("/hour", b"retry: 10\ndata: 1\n\n@sleep 1h\n")]);
    let source = EventSource::new(&server.url("/hour")).unwrap();
    source.set_idle_timeout(Some(Duration::from_millis(200)));
    let mut events = source.events().unwrap();
    let mut next = || {
        let event = events.next().unwrap();
        (event.event.unwrap_or_default(), event.data.unwrap_or_default())
    };
    assert_eq!([next(), next()], [pair("open", ""), pair("message", "1")]);
    let silent_since = Instant::now();
    assert_eq!(next(), pair("error", "connection lost: timed out waiting for the server"));
    assert!(silent_since.elapsed() >= Duration::from_millis(150), "{:?}", silent_since.elapsed());
    assert_eq!([next(), next()], [pair("open", ""), pair("message", "1")]);
}

#[test]
fn a_connection_with_comments_is_not_idle() {
    let script = ": not idle\n\n@sleep 100ms\n".repeat(12) + "data: 1\n\n";
    let server = serve("1", &[("/comments", script.as_bytes())]);
    let source = EventSource::new(&server.url("/comments")).unwrap();
    source.set_idle_timeout(Some(Duration::from_secs(1)));
    let events: Vec<Event> = source.events().unwrap().take(2).collect();
    assert_eq!(events[1].data.as_deref(), Some("1"));
}

#[test]
fn the_idle_timeout_applies_before_the_response() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = EventSource::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    source.set_idle_timeout(Some(Duration::from_millis(50)));
    let event = source.events().unwrap().next().unwrap();
    assert_eq!(event.data.as_deref(), Some("no response: timed out waiting for the server"));
}

#[test]
fn the_client_example_prints_29_events_reconnects_and_stops_at_204() {
    let program = Program::start(&["--speed", "100"]);
    let example = support::example("client");
    let output = Command::new(example).arg(program.url("/events")).output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 31, "{printed}");
    assert_eq!(
        lines[0],
        r#"Message event Event { event: Some("message"), data: Some("YHOO\n+2\n10"), id: None, retry: None }"#
    );
    assert_eq!(
        lines[2],
        r#"Message event Event { event: Some("message"), data: Some("second event"), id: Some(""), retry: None }"#
    );
    assert!(lines[9].starts_with(
        r#"notification event Event { event: Some("notification"), data: Some("{\"message\": \"Hello from Rust! Event 1\", "#
    ));
    assert!(lines[9].ends_with(r#", id: Some("1"), retry: Some("2000") }"#));
    assert_eq!(
        lines[29],
        r#"Error Event { event: Some("error"), data: Some("connection closed by server"), id: None, retry: None }"#
    );
    assert_eq!(
        lines[30],
        r#"Error Event { event: Some("error"), data: Some("status 204: the server has no more events"), id: None, retry: None }"#
    );
}
