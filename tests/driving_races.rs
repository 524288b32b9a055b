//! Four threads drive one server at once, two of them over HTTP: they connect, set scripts, release pauses, send, drop
//! and reset. No release and no event is lost, no event arrives twice, and nothing is left behind. `ROUNDS=1000` makes
//! it run longer.
#![cfg(target_os = "linux")]

mod support;

use rust_sse_server::{RunningServer, Script, Server};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use support::{eventually, field, Client, PATIENCE};

/// Rounds of each thread, unless the environment says otherwise.
const ROUNDS: usize = 40;
/// Rounds after which the first thread resets the server.
const ROUNDS_TO_RESET: usize = 4;

/// How a thread drives the server.
enum Driver<'a> {
    Rust(&'a RunningServer),
    Http(Client),
}

impl Driver<'_> {
    /// Sends a request; returns the number of streams in the response, or 0.
    fn request(client: &mut Client, method: &str, path: &str, body: &str) -> usize {
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        let (head, body) = client.send(head + body).read_answer();
        assert!(head.starts_with("HTTP/1.1 20") && field(&head, "connection").is_none(), "{path}: {head}");
        let number: String = body.chars().filter(char::is_ascii_digit).collect();
        number.parse().unwrap_or(0)
    }

    fn set_script(&mut self, path: &str, text: &str) {
        match self {
            Driver::Rust(server) => server.set_script(Script::parse(path, text).unwrap()).unwrap(),
            Driver::Http(client) => drop(Driver::request(client, "PUT", &format!("/-/scripts{path}"), text)),
        }
    }

    fn release(&mut self, name: &str) -> usize {
        match self {
            Driver::Rust(server) => server.release(name),
            Driver::Http(client) => Driver::request(client, "POST", &format!("/-/go/{name}"), ""),
        }
    }

    fn send(&mut self, path: &str, text: &str) -> usize {
        match self {
            Driver::Rust(server) => server.send(path, text),
            Driver::Http(client) => Driver::request(client, "POST", &format!("/-/send{path}"), text),
        }
    }

    fn drop_streams(&mut self, path: &str) -> usize {
        match self {
            Driver::Rust(server) => server.drop_streams(path),
            Driver::Http(client) => Driver::request(client, "POST", &format!("/-/drop{path}"), ""),
        }
    }
}

/// A client of a stream that may end at any time.
struct Stream {
    socket: TcpStream,
    received: String,
}

impl Stream {
    fn open(address: SocketAddr, path: &str) -> Stream {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
            .write_all(
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .unwrap();
        Stream { socket, received: String::new() }
    }

    /// Reads until this text or the end of the connection.
    fn read_until(&mut self, text: &str) {
        let mut buffer = [0; 1024];
        while !self.received.contains(text) {
            match self.socket.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => self.received += std::str::from_utf8(&buffer[..length]).unwrap(),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("{text:?} did not arrive: {error}: {:?}", self.received),
            }
        }
    }

    fn body(&self) -> &str {
        self.received.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Counted before and after each reset.
static RESETS: AtomicUsize = AtomicUsize::new(0);

/// Plays a round with the script of this thread, and returns whether no other thread has reset the server meanwhile.
fn play_round(address: SocketAddr, driver: &mut Driver, thread: usize, round: usize) -> bool {
    let (path, pause) = (format!("/thread-{thread}"), format!("pause-{thread}"));
    let (event, released) = (format!("data: sent {round}\n\n"), format!("data: released {round}\n\n"));
    let resets = RESETS.load(Ordering::SeqCst);
    driver.set_script(&path, &format!("data: start\n\n@pause {pause}\n{released}@pause again\n"));
    // This one leaves at once.
    drop(Stream::open(address, &path));
    let mut streams = [(); 2].map(|()| Stream::open(address, &path));
    streams.iter_mut().for_each(|stream| stream.read_until("data: start\n\n"));
    let counts = [driver.release(&pause), driver.send(&path, &event)];
    if round % 2 == 0 {
        streams.iter_mut().for_each(|stream| stream.read_until(&event));
    }
    let dropped = driver.drop_streams(&path);
    streams.iter_mut().for_each(|stream| stream.read_until("the end"));

    let is_undisturbed = resets % 2 == 0 && RESETS.load(Ordering::SeqCst) == resets;
    for stream in &streams {
        let body = stream.body();
        if is_undisturbed {
            let chunks =
                ["data: start\n\n", &released, &event].map(|text| format!("{:x}\r\n{text}\r\n", text.len()));
            assert_eq!(body, chunks.concat(), "{thread}, {round}");
        }
        assert!(body.matches(&event).count() <= 1 && body.matches(&released).count() <= 1, "{body:?}");
    }
    if is_undisturbed {
        // The one that has left may or may not be counted.
        assert!(counts.iter().chain([&dropped]).all(|count| [2, 3].contains(count)), "{counts:?} {dropped}");
    }
    is_undisturbed
}

fn descriptors_and_threads() -> [usize; 2] {
    ["/proc/self/fd", "/proc/self/task"].map(|folder| fs::read_dir(folder).unwrap().count())
}

#[test]
fn nothing_is_lost_or_duplicated_when_four_threads_drive_a_server() {
    let rounds = std::env::var("ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let before = descriptors_and_threads();
    let server = Server::new().control().start("127.0.0.1:0").unwrap();
    let undisturbed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (server, undisturbed) = (&server, &undisturbed);
            scope.spawn(move || {
                let address = server.address();
                let mut driver =
                    if thread < 2 { Driver::Rust(server) } else { Driver::Http(Client::connect(address)) };
                for round in 0..rounds {
                    let is_undisturbed = play_round(address, &mut driver, thread, round);
                    undisturbed.fetch_add(usize::from(is_undisturbed), Ordering::Relaxed);
                    if thread == 0 && round % ROUNDS_TO_RESET == 0 {
                        RESETS.fetch_add(1, Ordering::SeqCst);
                        server.reset();
                        RESETS.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let undisturbed = undisturbed.into_inner();
    assert!(undisturbed > rounds, "{undisturbed} of {} rounds were without a reset", 4 * rounds);
    // Lingering connections of clients that have left are closed within a second.
    let clients = || descriptors_and_threads()[0] - before[0];
    eventually(clients, |descriptors| *descriptors < 10);
    drop(server);
    eventually(descriptors_and_threads, |now| *now == before);
}
