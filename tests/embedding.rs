//! The server inside another program: it runs on a free port until its handle is dropped.

mod support;

use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::{demo, serve, Client};

#[test]
fn dropping_the_handle_closes_the_port_at_once() {
    let server = demo("1");
    let address = server.address();
    Client::connect(address).get("/events", "").read_head();
    let start = Instant::now();
    drop(server);
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err());
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn dropping_the_handle_ends_streams_within_two_seconds() {
    let server = serve("1", &[("/hour", b"data: 1\n\n@sleep 1h\ndata: 2\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/hour", "").read_head();
    let start = Instant::now();
    drop(server);
    let (bytes, _) = client.read_to_any_end();
    assert!(!bytes.ends_with(b"0\r\n\r\n"), "a stream that was broken off must not look complete");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn dropping_the_handle_ends_the_demo_at_its_next_event_and_leaves_later_requests_unanswered() {
    let server = demo("1");
    let mut playing = Client::connect(server.address());
    playing.get("/events", "").read_head();
    let mut kept = Client::connect(server.address());
    kept.send("HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n").read_head();
    let start = Instant::now();
    drop(server);
    kept.get("/events", "");
    assert!(kept.read_to_any_end().0.is_empty());
    assert!(!playing.read_to_any_end().0.ends_with(b"0\r\n\r\n"));
    assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
}
