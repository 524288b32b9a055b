//! The library's EventSource against real servers: what is dispatched, when it comes back, and when it stays away.

mod support;

use rust_sse_server::{Event, EventSource, ReadyState};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use support::{demo, serve, Program, PATIENCE};

/// Runs a source on a thread of its own and gives what it dispatches: every type named, and `open` and `error`.
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

/// Answers one connection after another with these bytes and gives the requests that came.
fn answering(answers: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/stream", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            sender.send(String::from_utf8(request).unwrap()).unwrap();
            stream.write_all(&answer).unwrap();
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
fn the_demo_dispatches_29_events_then_comes_back_and_stays_closed_after_204() {
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
    assert_eq!(next(&events), pair("error", "the server answered 204"));
    assert!(start.elapsed() >= Duration::from_secs(2), "it did not wait: {:?}", start.elapsed());
    assert_eq!(source.state(), ReadyState::Closed);
}

#[test]
fn it_asks_as_an_event_source_and_comes_back_with_the_last_event_id() {
    let (url, requests) = answering(vec![
        ok("retry: 10\nid: caf\u{e9}\n\ndata: 1\n\nid: lost\ndata: unfinished"),
        ok("id\ndata: 2\n\n"),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
    ]);
    let (_source, events) = run(&url, &[]);
    let host = url.trim_start_matches("http://").trim_end_matches("/stream");
    let request = format!(
        "GET /stream HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\n"
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
            pair("error", "the server answered 204"),
        ]
    );
}

#[test]
fn a_stream_cut_in_mid_chunk_is_lost_and_tried_again() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        16\r\nretry: 1\ndata: whole\n\n\r\n20\r\ndata: half";
    let (url, _requests) = answering(vec![cut.to_vec(), ok("data: again\n\n")]);
    let (_source, events) = run(&url, &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "whole"));
    assert_eq!(next(&events), pair("error", "connection lost: the body ended in the middle"));
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "again"));
}

#[test]
fn a_wrong_status_or_content_type_closes_it() {
    let server = serve(
        "max",
        &[("/500", b"@status 500\ndata: x\n\n"), ("/html", b"@header Content-Type: text/html\ndata: x\n\n")],
    );
    for (path, why) in [
        ("/500", "the server answered 500"),
        ("/nothing", "the server answered 404"),
        ("/html", "the content type is \"text/html\", not text/event-stream"),
    ] {
        let (source, events) = run(&server.url(path), &[]);
        assert_eq!(next(&events), pair("error", why));
        assert_eq!(source.state(), ReadyState::Closed);
    }
}

#[test]
fn redirects_are_followed_and_endless_ones_given_up() {
    let server = serve(
        "max",
        &[
            ("/old", b"@status 307\n@header Location: /new\n"),
            ("/new", b"@header Content-Type: text/event-stream; charset=utf-8\ndata: new\n\n"),
            ("/loop", b"@status 302\n@header Location: loop\n"),
            ("/tls", b"@status 301\n@header Location: https://localhost/\n"),
        ],
    );
    let (_source, events) = run(&server.url("/old"), &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "new"));
    let (_source, events) = run(&server.url("/loop"), &[]);
    assert_eq!(next(&events), pair("error", "more than 20 redirects"));
    let (_source, events) = run(&server.url("/tls"), &[]);
    assert!(next(&events).1.starts_with("cannot follow the redirect to \"https://localhost/\": "));
}

#[test]
fn closing_from_another_thread_ends_a_silent_stream_at_once() {
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
fn closing_from_a_listener_ends_it_and_nothing_more_is_dispatched() {
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
fn the_client_example_prints_29_events_and_the_error_and_exits_with_1() {
    let program = Program::start(&["--speed", "100"]);
    let example = support::example("client");
    let output = Command::new(example).arg(program.url("/events")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 30, "{printed}");
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
}
