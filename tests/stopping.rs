//! Stopping a server, and dropping its streams, takes effect at once, whatever the clients and the threads that serve them
//! are doing, and leaves nothing behind.
#![cfg(target_os = "linux")]

mod support;

use rust_sse_server::{RunningServer, Script, Server};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, request, Client, Exchange, PATIENCE};

/// The longest that it may take until a client sees the end. It takes a millisecond; but the machine may be busy, so one of
/// [`TRIES`] is enough.
const AT_ONCE: Duration = Duration::from_millis(100);
const TRIES: usize = 10;

const SCRIPTS: [(&str, &str); 4] = [
    ("/sleeping", "data: 1\n\n@sleep 1h\ndata: 2\n\n"),
    ("/hanging", "data: 1\n\n@hang\n"),
    ("/silent", "@sleep 1h\ndata: 1\n\n"),
    // More than the buffers of both sockets hold.
    ("/writing", "data: 1\n\n@fill 24M x\n"),
];

fn server() -> Server {
    let script =
        |server: Server, (path, text): &(&str, &str)| server.script(Script::parse(path, text).unwrap());
    SCRIPTS.iter().fold(Server::new(), script)
}

fn start() -> RunningServer {
    server().start("127.0.0.1:0").unwrap()
}

/// Clients with streams in every state.
fn streaming_clients(address: SocketAddr) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..SCRIPTS.len()).map(|_| Client::connect(address)).collect();
    for (client, (path, _)) in clients.iter_mut().zip(SCRIPTS) {
        client.get(path, "");
        if path != "/silent" {
            client.read_until("data: 1\n\n\r\n");
        }
    }
    // Until the last one has filled its buffers.
    thread::sleep(Duration::from_millis(300));
    clients
}

/// Clients without a stream: one that has sent nothing, one in the middle of a request, and one whose connection is idle.
fn idle_clients(address: SocketAddr) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(address)).collect();
    clients[1].send("GET /events HTTP/1.1\r\nHo");
    clients[2].send("HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n").read_head();
    clients
}

/// Asserts that all streams are closed, without a reset and without a last-chunk.
fn assert_dropped(clients: &mut [Client]) {
    for (client, (path, _)) in clients.iter_mut().zip(SCRIPTS) {
        let (bytes, is_clean) = client.read_to_any_end();
        assert!(is_clean, "{path}");
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{path}: a stream that was dropped must not look complete");
        if path == "/writing" {
            assert!(bytes.starts_with(b"1800000\r\nxxx") && bytes.len() > 100_000, "what was sent arrives");
        }
    }
}

/// Asserts that what `act` measures is at most [`AT_ONCE`] in one of some tries.
fn assert_at_once(act: fn() -> Duration) {
    let mut times = (0..TRIES).map(|_| act());
    assert!(times.any(|time| time < AT_ONCE), "longer than {AT_ONCE:?} in each of {TRIES} tries");
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// One test, because it counts the threads and the descriptors of this process.
#[test]
fn drop_all_and_dropping_the_handle_act_at_once_and_leave_nothing_behind() {
    let before = (threads(), descriptors());
    assert_at_once(time_to_drop_the_streams);
    assert_at_once(time_to_drop_the_server);
    // The threads have given back everything that they had; the system needs some microseconds to remove them.
    eventually(|| (threads(), descriptors()), |now| *now == before);
    a_program_without_descriptors_can_close_the_port();
    after_the_server_was_stopped_nothing_connects_to_its_address();
}

fn time_to_drop_the_streams() -> Duration {
    let server = start();
    let (mut streaming, mut idle) = (streaming_clients(server.address()), idle_clients(server.address()));
    let begin = Instant::now();
    server.drop_all();
    assert_dropped(&mut streaming);
    let time = begin.elapsed();
    assert!(idle[0].get("/events", "").read_head().starts_with("HTTP/1.1 200 "), "only streams are dropped");
    assert!(idle[1].send("st: x\r\n\r\n").read_head().starts_with("HTTP/1.1 200 "));
    time
}

fn time_to_drop_the_server() -> Duration {
    let server = start();
    let address = server.address();
    let (mut streaming, mut idle) = (streaming_clients(address), idle_clients(address));
    let begin = Instant::now();
    drop(server);
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
    assert_dropped(&mut streaming);
    for client in &mut idle {
        // What has arrived of a request may be unread, which resets the connection.
        assert_eq!(client.read_to_any_end().0, b"");
    }
    begin.elapsed()
}

/// Uses up the descriptors of this process, which has at most 20,000 open for a moment.
fn a_program_without_descriptors_can_close_the_port() {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let limit: usize = limit.split_whitespace().nth(3).unwrap().parse().unwrap();
    if limit > 20_000 {
        return support::skip("the limit of open files is too high to reach it");
    }
    let server = start();
    let address = server.address();
    let files: Vec<File> = (0..limit).map_while(|_| File::open("/dev/null").ok()).collect();
    assert!(File::open("/dev/null").is_err());
    drop(server);
    drop(files);
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
}

fn after_the_server_was_stopped_nothing_connects_to_its_address() {
    for _ in 0..20 {
        let server = server().control().start("127.0.0.1:0").unwrap();
        let address = server.address();
        let waiting = thread::spawn(|| server.wait());
        Exchange::new(address, request("POST", "/-/stop", ""), PATIENCE);
        let stranger = eventually(|| TcpListener::bind(address).ok(), Option::is_some).unwrap();
        waiting.join().unwrap();
        stranger.set_nonblocking(true).unwrap();
        assert!(stranger.accept().is_err(), "the server connected to a port that is another program's");
    }
}
