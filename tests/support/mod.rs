//! Shared by the tests: servers on free ports, in this process or as a child process, and a client that sends and reads
//! bytes. Every socket has a read timeout.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod exchange;
pub mod judge;
mod program;
mod proxy;
mod random;
pub mod reference_client;

pub use exchange::{play, request, Exchange};
pub use program::{program, program_path, Program};
pub use proxy::{free_address, Proxy};
pub use random::Random;
use rust_sse_server::{RunningServer, Script, Server};
use std::fmt::Debug;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a test waits: longer than any response takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The program's threads that do not serve a client: the main thread and those that accept connections, spawn threads,
/// reject clients under overload, and print warnings.
pub const OWN_THREADS: usize = 5;

/// The data of the first chunk of `GET /events`.
pub const GREETING: &str = "data: YHOO\ndata: +2\ndata: 10\n\n: test stream\n\ndata: first event\nid: 1\n\n\
    data:second event\nid\n\ndata:  third event\n\ndata\n\ndata\ndata\n\ndata:\n\ndata:test\n\ndata: test\n\n";

/// The demo's response head, its date replaced by `*`.
pub const DEMO_HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncache-control: no-cache\r\n\
    content-type: text/event-stream\r\ndate: *\r\n\r\n";

/// The data of the demo's chunk for step `n`, with this timestamp.
pub fn step(n: u32, timestamp: &str) -> String {
    let event = if n % 2 == 1 { "notification" } else { "update" };
    let mut text = format!(
        "id: {n}\nevent: {event}\nretry: 2000\n\
         data: {{\"message\": \"Hello from Rust! Event {n}\", \"timestamp\": \"{timestamp}\"}}\n\n"
    );
    if n % 3 == 0 {
        text += &format!("data: Just a simple data message at {timestamp}\n\n");
    }
    text
}

/// Asserts that this is the data of the demo's chunk for step `n` and returns its timestamp in milliseconds.
pub fn timestamp_of(n: u32, data: &str) -> u64 {
    let timestamp =
        data.split("\"timestamp\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    assert_eq!(data, step(n, timestamp));
    timestamp.parse().unwrap()
}

/// A chunk around `data`.
pub fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// A server in this process with the built-in scripts, at this speed.
pub fn demo(speed: &str) -> RunningServer {
    serve(speed, &[])
}

/// A server in this process with the built-in scripts and these: `(path, text)`.
pub fn serve(speed: &str, scripts: &[(&str, &[u8])]) -> RunningServer {
    let server = Server::new().speed(speed.parse().unwrap());
    let add =
        |server: Server, (path, text): &(&str, &[u8])| server.script(Script::parse(path, text).unwrap());
    scripts.iter().fold(server, add).start("127.0.0.1:0").unwrap()
}

/// A client that sends and reads bytes.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// Bytes that were read from the socket and not yet returned.
    ahead: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, ahead: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends a GET request with these additional field lines.
    pub fn get(&mut self, path: &str, fields: &str) -> &mut Client {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
    }

    /// Reads up to and including `end`.
    pub fn read_until(&mut self, end: &str) -> String {
        self.read_while(|bytes| find(bytes, end.as_bytes()).map(|at| at + end.len()))
    }

    /// Reads this many bytes.
    pub fn read_exactly(&mut self, length: usize) -> String {
        self.read_while(|bytes| (bytes.len() >= length).then_some(length))
    }

    /// Reads a response head and replaces the value of its date by `*`.
    pub fn read_head(&mut self) -> String {
        without_date(&self.read_until("\r\n\r\n"))
    }

    /// Reads a chunk and returns its data, which is empty for the last-chunk; the CR LF that ends the body is read with it.
    pub fn read_chunk(&mut self) -> String {
        let size = self.read_until("\r\n");
        let size =
            usize::from_str_radix(size.trim_end(), 16).unwrap_or_else(|_| panic!("chunk-size {size:?}"));
        let data = self.read_exactly(size);
        assert_eq!(self.read_exactly(2), "\r\n");
        data
    }

    /// Reads a response with a `content-length` and returns its head and its body.
    pub fn read_answer(&mut self) -> (String, String) {
        let head = self.read_head();
        let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let body = self.read_exactly(length);
        (head, body)
    }

    /// Reads until the server closes.
    pub fn read_to_end(&mut self) -> String {
        let mut bytes = std::mem::take(&mut self.ahead);
        self.stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Reads until the connection is closed or reset: the bytes, and whether it was closed.
    pub fn read_to_any_end(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = std::mem::take(&mut self.ahead);
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => (bytes, true),
            Err(error) if is_timeout(&error) => panic!("still open after {} bytes", bytes.len()),
            Err(_) => (bytes, false),
        }
    }

    /// Reads what has arrived, at most `most` bytes, and returns how many; 0 when the connection has ended.
    pub fn read_some(&mut self, most: usize) -> usize {
        let mut buffer = vec![0; most];
        self.stream.read(&mut buffer).unwrap_or(0)
    }

    /// Asserts that the server closes without another byte.
    pub fn assert_closed(&mut self) {
        assert_eq!(self.read_to_end(), "");
    }

    /// Asserts that nothing arrives for this long.
    pub fn assert_silent_for(&mut self, time: Duration) {
        assert!(self.ahead.is_empty());
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut buffer = [0; 64];
        match self.stream.read(&mut buffer) {
            Ok(length) => panic!("arrived: {}", buffer[..length].escape_ascii()),
            Err(error) => assert!(is_timeout(&error), "{error}"),
        }
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Closes the client's side of the connection for sending.
    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Resets the connection as soon as something has arrived: closing a socket with unread bytes sends a TCP reset.
    pub fn reset(self) {
        let mut buffer = [0; 1];
        self.stream.peek(&mut buffer).unwrap();
        drop(self);
    }

    fn read_while(&mut self, complete: impl Fn(&[u8]) -> Option<usize>) -> String {
        loop {
            if let Some(length) = complete(&self.ahead) {
                let rest = self.ahead.split_off(length);
                return String::from_utf8(std::mem::replace(&mut self.ahead, rest)).unwrap();
            }
            let mut buffer = [0; 4096];
            let length = match self.stream.read(&mut buffer) {
                // A child process that ends interrupts system calls.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                length => length.unwrap(),
            };
            assert!(length > 0, "the server closed after {}", self.ahead.escape_ascii());
            self.ahead.extend_from_slice(&buffer[..length]);
        }
    }
}

/// Whether a read ended because nothing arrived in time. (The systems do not agree on the kind of that error.)
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A response's text with the value of its date replaced by `*`.
pub fn without_date(text: &str) -> String {
    let line =
        |line: &str| if line.starts_with("date: ") { "date: *\r\n".to_owned() } else { line.to_owned() };
    text.split_inclusive('\n').map(line).collect()
}

/// The value of a field line.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// The path of an example. `cargo test` builds the examples, `cargo test --test NAME` does not.
pub fn example(name: &str) -> PathBuf {
    let path = program_path().with_file_name("examples").join(name);
    assert!(path.exists(), "run `cargo build --examples` first: there is no {}", path.display());
    path
}

/// Whether a tool that a test needs is installed. If it is not, the test is skipped; see [`skip`].
pub fn has_tool(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        skip(&format!("{tool} is not installed"));
    }
    found
}

/// Prints why a test is skipped. If the environment variable `REQUIRE_TOOLS` is set, the test fails instead.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("REQUIRE_TOOLS").is_none(), "{reason}");
    // The test harness shows what a test prints with `eprintln!` only when the test fails.
    let _ = writeln!(io::stderr(), "skipped: {reason}");
}

/// Calls `measure` until `wanted` accepts what it returns, for [`PATIENCE`] at most.
pub fn eventually<T: Debug>(measure: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    eventually_within(PATIENCE, measure, wanted)
}

/// Calls `measure` until `wanted` accepts what it returns, for `time` at most.
pub fn eventually_within<T: Debug>(
    time: Duration,
    mut measure: impl FnMut() -> T,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + time;
    loop {
        let value = measure();
        if wanted(&value) {
            return value;
        }
        assert!(Instant::now() < deadline, "still {value:?}");
        sleep(Duration::from_millis(20));
    }
}

/// Asserts that a time that is measured from before a request is in this range of milliseconds. It must never be shorter, and
/// not be longer in one of three attempts: a busy machine can delay the others.
pub fn assert_takes(milliseconds: Range<u128>, mut measure: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.len() < 3 {
        let time = measure();
        assert!(time.as_millis() >= milliseconds.start, "{time:?} is shorter than {milliseconds:?} ms");
        if time.as_millis() < milliseconds.end {
            return;
        }
        times.push(time);
    }
    panic!("all of {times:?} are longer than {milliseconds:?} ms");
}

/// Asserts that the time between the arrivals of two parts of a response is in this range of milliseconds, in one of three
/// attempts: a busy machine can delay the arrival of either. `last` must never arrive sooner than that after the request.
pub fn assert_pause(
    milliseconds: Range<u128>,
    first: &str,
    last: &str,
    mut exchange: impl FnMut() -> Exchange,
) {
    let mut pauses = Vec::new();
    while pauses.len() < 3 {
        let exchange = exchange();
        let (first, last) = (exchange.when(first), exchange.when(last));
        assert!(last.as_millis() >= milliseconds.start, "it arrived after {last:?}");
        let pause = last - first;
        if milliseconds.contains(&pause.as_millis()) {
            return;
        }
        pauses.push(pause);
    }
    panic!("none of {pauses:?} is in {milliseconds:?} ms");
}

/// A folder for one test, removed when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("rust_sse_server-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
