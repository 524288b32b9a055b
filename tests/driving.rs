//! A test drives the server while it runs: it releases pauses, sends chunks, and drops streams. Each takes effect at
//! once, whatever the stream is doing.
#![cfg(target_os = "linux")]

mod support;

use rust_sse_server::RunningServer;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, request, serve, Client, Exchange, Program, PATIENCE};

/// The longest that anything may take. It takes less than a millisecond, but the machine may be busy. A thread that nothing
/// wakes would take up to a second.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Runs `act`, and asserts that it takes no longer than [`AT_ONCE`].
fn at_once<T>(act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    result
}

fn connect(server: &RunningServer, path: &str, until: &str) -> Client {
    let mut client = Client::connect(server.address());
    client.get(path, "").read_until(until);
    client
}

/// The body of the response to a POST request.
fn post(address: SocketAddr, path: &str, body: &str) -> String {
    let length = format!("Content-Length: {}\r\n", body.len());
    let response = Exchange::new(address, request("POST", path, &length) + body, PATIENCE);
    assert!(response.head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {}", response.head);
    String::from_utf8(response.wire).unwrap()
}

#[test]
fn a_pause_lasts_until_it_is_released_for_the_streams_that_are_open() {
    let script = b"data: 1\n\n@pause second\ndata: 2\n\n@pause third\ndata: 3\n\n";
    let server = serve("max", &[("/a", script)]);
    let mut clients = [(); 2].map(|()| connect(&server, "/a", "data: 1\n\n\r\n"));
    assert_eq!(server.release("fourth"), 0);
    clients[0].assert_silent_for(Duration::from_millis(50));
    // The last pause is released before the streams have reached it.
    assert_eq!(server.release("third"), 2);
    clients[1].assert_silent_for(Duration::from_millis(50));
    at_once(|| {
        assert_eq!(server.release("second"), 2);
        for client in &mut clients {
            assert_eq!([(); 3].map(|()| client.read_chunk()), ["data: 2\n\n", "data: 3\n\n", ""]);
        }
    });
    // A stream that is opened later pauses again.
    let mut later = connect(&server, "/a", "data: 1\n\n\r\n");
    later.assert_silent_for(Duration::from_millis(50));
    assert_eq!(server.release("second"), 1);
    assert_eq!(later.read_chunk(), "data: 2\n\n");
}

#[test]
fn each_release_allows_one_turn_of_a_loop() {
    let server = serve("max", &[("/a", b"@open\n@repeat forever\n@pause tick\ndata: {{i}}\n\n@again\n")]);
    let mut client = connect(&server, "/a", "\r\n\r\n");
    assert_eq!([(); 3].map(|()| server.release("tick")), [1; 3]);
    let turns = [(); 3].map(|()| client.read_chunk());
    assert_eq!(turns, ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]);
    client.assert_silent_for(Duration::from_millis(50));
}

#[test]
fn a_pause_can_hold_back_the_head_and_sends_comments_of_keepalive() {
    let scripts: [(&str, &[u8]); 2] = [
        ("/held", b"@status 503\n@pause go\n"),
        ("/alive", b"@keepalive 20ms : still here\ndata: 1\n\n@pause go\ndata: 2\n\n"),
    ];
    let server = serve("1", &scripts);
    let mut held = Client::connect(server.address());
    held.get("/held", "").assert_silent_for(Duration::from_millis(50));
    let mut alive = connect(&server, "/alive", ": still here\n\r\n");
    assert_eq!(server.release("go"), 2);
    assert!(held.read_head().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    alive.read_until("data: 2\n\n\r\n0\r\n\r\n");
}

#[test]
fn a_client_that_leaves_during_a_pause_is_noticed() {
    let program = Program::start(&["tests/scripts/pause.sse"]);
    let mut client = Client::connect(program.address);
    client.get("/pause", "").read_until("data: 1\n\n\r\n");
    client.half_close();
    let start = Instant::now();
    client.assert_closed();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn a_part_can_expect_something_and_pause() {
    let text = "@part connection 1\nretry: 50\nid: 7\ndata: 1\n\n@pause break\n@drop\n\
        @part connection 2\n@expect last-event-id 7\n@pause go\ndata: 2\n\n";
    let server = serve("1", &[("/a", text.as_bytes())]);
    let mut client = connect(&server, "/a", "data: 1\n\n\r\n");
    assert_eq!(server.release("break"), 1);
    client.assert_closed();
    let mut client = Client::connect(server.address());
    client.get("/a", "Last-Event-ID: 7\r\n");
    server.wait_for_request(2, PATIENCE).unwrap();
    assert_eq!((server.release("go"), server.release("break")), (1, 0));
    client.read_until("data: 2\n\n\r\n0\r\n\r\n");
    assert!(server.verdict().passed(), "{}", server.verdict());
}

#[test]
fn commands_are_executed_in_the_order_in_which_they_were_given() {
    let server = serve("1", &[("/a", b"data: 1\n\n@pause go\ndata: 2\n\n@pause go\ndata: 3\n\n")]);
    for _ in 0..50 {
        let mut client = connect(&server, "/a", "data: 1\n\n\r\n");
        server.send("/a", "before\n\n");
        server.release("go");
        server.send("/a", "after\n\n");
        server.drop_streams("/a");
        let sent = ["before\n\n", "data: 2\n\n", "after\n\n"].map(support::chunk).concat();
        assert_eq!(client.read_to_end(), sent, "and not the end of the body");
    }
}

/// Streams in every state in which a chunk can be sent at once, by path.
const WAITING: [(&str, &[u8]); 4] = [
    ("/sleeping", b"data: 1\n\n@sleep 1h\ndata: 2\n\n"),
    ("/pausing", b"data: 1\n\n@pause go\ndata: 2\n\n"),
    ("/hanging", b"data: 1\n\n@hang\n"),
    ("/pieces", b"@chunk 9 every 1h\ndata: 1\n\ndata: 2\n\n"),
];

#[test]
fn a_chunk_is_sent_at_once_to_the_streams_of_a_path_while_they_wait() {
    let server = serve("1", &WAITING);
    for (path, _) in WAITING {
        let mut clients = [(); 2].map(|()| connect(&server, path, "data: 1\n\n\r\n"));
        let mut other =
            connect(&server, if path == "/hanging" { "/pausing" } else { "/hanging" }, "1\n\n\r\n");
        // Longer than the first checks of whether the client has left.
        thread::sleep(Duration::from_millis(100));
        at_once(|| {
            assert_eq!([server.send(path, "data: x\n\n"), server.send(path, "y")], [2; 2], "{path}");
            for client in &mut clients {
                assert_eq!([(); 2].map(|()| client.read_chunk()), ["data: x\n\n", "y"], "{path}");
            }
        });
        other.assert_silent_for(Duration::from_millis(20));
    }
    assert_eq!([server.send("/none", "x"), server.send("/stop", "x")], [0; 2]);
}

#[test]
fn a_chunk_before_the_body_is_sent_with_the_head() {
    let server = serve("1", &[("/silent", b"@sleep 1h\ndata: 1\n\n"), ("/empty", b"@pause end\n")]);
    let mut silent = Client::connect(server.address());
    let mut empty = Client::connect(server.address());
    silent.get("/silent", "");
    empty.get("/empty", "");
    for (path, client) in [("/silent", &mut silent), ("/empty", &mut empty)] {
        eventually(|| server.send(path, "data: x\n\n"), |streams| *streams == 1);
        assert!(client.read_head().starts_with("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"));
        assert_eq!(client.read_chunk(), "data: x\n\n");
    }
    server.release("end");
    assert_eq!(empty.read_chunk(), "");
    assert_eq!(server.send("/empty", "x"), 0, "the stream has ended");
}

#[test]
fn a_chunk_is_sent_between_two_steps_of_a_stream_that_never_waits() {
    let server = serve("max", &[("/busy", b"@repeat forever\n@fill 1k x\n@cut\n@again\n")]);
    let mut client = connect(&server, "/busy", "xxx");
    assert_eq!(server.send("/busy", "data: here\n\n"), 1);
    client.read_until("x\r\nc\r\ndata: here\n\n\r\n400\r\nx");
}

#[test]
fn chunks_keep_to_the_framing_and_are_not_sent_without_a_body() {
    let server =
        serve("1", &[("/no-body", b"@status 204\n@sleep 1h\n"), ("/cut", b"@drop after 5\na\n@hang\n")]);
    let mut client = Client::connect(server.address());
    client.get("/no-body", "");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(server.send("/no-body", "x"), 0);
    let mut cut = connect(&server, "/cut", "2\r\na\n\r\n");
    assert_eq!(server.send("/cut", "123456"), 1);
    assert_eq!(cut.read_to_end(), "6\r\n123", "`@drop after` counts these bytes too");
    // HTTP/1.0 has no chunks.
    let server = serve("1", &WAITING);
    let mut client = Client::connect(server.address());
    client.send("GET /hanging HTTP/1.0\r\n\r\n").read_until("data: 1\n\n");
    server.send("/hanging", "data: x\n\n");
    server.drop_streams("/hanging");
    assert_eq!(client.read_to_end(), "data: x\n\n");
}

#[test]
fn a_client_that_does_not_read_delays_no_other_and_loses_its_stream() {
    let program = Program::start(&["--control", "tests/scripts/pause.sse"]);
    let mut silent = Client::connect(program.address);
    silent.get("/pause", "").read_until("data: 1\n\n\r\n");
    let mut other = Client::connect(program.address);
    other.get("/pause", "").read_until("data: 1\n\n\r\n");
    let event = format!("data: {}\n\n", "x".repeat(10_000));
    let mut answers = Vec::new();
    // Until the buffers of the silent client and its queue are full, which are some megabytes.
    while answers.last().map_or(true, |answer| answer != "{\"streams\":1}\n") {
        let start = Instant::now();
        answers.push(post(program.address, "/-/send/pause", &event));
        other.read_until("x\n\n\r\n");
        // A client that does not read would delay it by seconds.
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        assert!(answers.len() < 3_000);
    }
    let (last, others) = answers.split_last().unwrap();
    assert!(others.len() > 100 && others.iter().all(|answer| answer == "{\"streams\":2}\n"), "{last}");
    assert!(!silent.read_to_any_end().0.ends_with(b"0\r\n\r\n"));
    let errors = program.end();
    assert!(
        errors
            .ends_with(": dropping a stream: too much waits to be sent, because its client does not read\n"),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn streams_of_a_path_are_dropped_and_others_continue() {
    let server = serve("1", &WAITING);
    let mut clients: Vec<Client> =
        WAITING.iter().map(|(path, _)| connect(&server, path, "data: 1\n\n\r\n")).collect();
    let mut last = clients.pop().unwrap();
    for ((path, _), client) in WAITING.iter().zip(&mut clients) {
        at_once(|| {
            assert_eq!(server.drop_streams(path), 1, "{path}");
            client.assert_closed();
        });
        assert_eq!(server.drop_streams(path), 0, "{path}: dropped once");
    }
    assert_eq!(server.drop_streams("/none"), 0);
    last.assert_silent_for(Duration::from_millis(20));
    assert_eq!(server.drop_all(), 1);
    last.assert_closed();
}

#[test]
fn the_same_is_possible_over_http() {
    let program = Program::start(&["--control", "tests/scripts/pause.sse"]);
    let mut clients = [(); 2].map(|()| Client::connect(program.address));
    for client in &mut clients {
        client.get("/pause", "").read_until("data: 1\n\n\r\n");
    }
    assert_eq!(post(program.address, "/-/send/pause", "data: {\"x\": 1}\n\n"), "{\"streams\":2}\n");
    assert_eq!(clients[0].read_chunk(), "data: {\"x\": 1}\n\n");
    assert_eq!(post(program.address, "/-/send/%70ause", ""), "{\"streams\":2}\n");
    assert_eq!(post(program.address, "/-/go/none", ""), "{\"streams\":0}\n");
    assert_eq!(post(program.address, "/-/go/go", ""), "{\"streams\":2}\n");
    assert_eq!([(); 2].map(|()| clients[0].read_chunk()), ["data: 2\n\n", ""]);
    clients[0].get("/pause", "").read_until("data: 1\n\n\r\n");
    assert_eq!(post(program.address, "/-/drop/other", ""), "{\"streams\":0}\n");
    assert_eq!(post(program.address, "/-/drop/pause", ""), "{\"streams\":1}\n");
    clients[0].assert_closed();
}
