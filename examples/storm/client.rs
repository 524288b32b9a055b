//! One client: requests the demo and measures when each of its fifteen numbered events arrives.

use crate::progress::Counts;
use rust_sse_server::internals::{field_lines, ChunkDecoder, HttpUrl, Progress};
use rust_sse_server::{Event, EventStream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The demo's events that have a type and an ID, 1 to 15. Event n is due n intervals after the first byte of the body.
pub const EVENTS: usize = 15;
/// How late anything may be before the client gives up.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a response's head. A head that is longer is an error.
const MAX_HEAD: usize = 16 * 1024;
/// "Too many open files" on Linux, macOS and the BSDs.
const EMFILE: i32 = 24;

/// What to request, and when the events are due.
pub struct Target {
    addresses: Vec<SocketAddr>,
    request: String,
    interval: Duration,
}

impl Target {
    /// Resolves the host's name, once for all clients.
    pub fn new(url: &str, interval: Duration) -> Result<Target, String> {
        let url = HttpUrl::parse(url).map_err(|error| error.to_string())?;
        let addresses = (url.host.as_str(), url.port).to_socket_addrs();
        let addresses = addresses.map_err(|error| format!("cannot resolve {:?}: {error}", url.host))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
            url.target,
            url.authority()
        );
        Ok(Target { addresses: addresses.collect(), request, interval })
    }
}

/// What one client received.
#[derive(Default)]
pub struct ClientReport {
    /// The time from the start of connecting to the first byte of the body.
    pub first_byte: Option<Duration>,
    /// How late each event was, without duplicates.
    pub lateness: Vec<Duration>,
    pub duplicates: usize,
    pub out_of_order: usize,
    /// Why there was no stream, or how it ended if not with its last-chunk.
    pub failure: Option<String>,
    /// Which events have been received; the index is the ID less one.
    received: [bool; EVENTS],
}

impl ClientReport {
    /// The report of a client that could not start.
    pub fn failed(failure: String) -> ClientReport {
        ClientReport { failure: Some(failure), ..ClientReport::default() }
    }

    /// Records an event and returns whether it is a numbered one that was received for the first time.
    fn record(&mut self, event: &Event, since_first_byte: Duration, interval: Duration) -> bool {
        let id = match numbered_id(event) {
            Some(id) => id,
            None => return false,
        };
        if self.received[id - 1] {
            self.duplicates += 1;
            return false;
        }
        self.out_of_order += usize::from(self.received[id..].contains(&true));
        self.received[id - 1] = true;
        self.lateness.push(since_first_byte.saturating_sub(interval * id as u32));
        true
    }
}

/// The ID of an event that is due at a known time, 1 to 15. The others have the default type.
fn numbered_id(event: &Event) -> Option<usize> {
    let id = event.id.as_ref()?.parse().ok()?;
    let is_numbered = event.event.as_deref() != Some("message") && (1..=EVENTS).contains(&id);
    is_numbered.then_some(id)
}

/// Runs one client until its stream ends.
pub fn run(target: &Target, counts: &Counts) -> ClientReport {
    let mut report = ClientReport::default();
    let start = Instant::now();
    report.failure = match connect(target) {
        Ok(stream) => {
            let _connected = counts.connected();
            read(stream, target, start, &mut report, counts).err()
        }
        Err(error) => Some(explain(&error)),
    };
    report
}

/// Connects and sends the request.
fn connect(target: &Target) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(target.addresses.as_slice())?;
    stream.set_read_timeout(Some(target.interval + TIMEOUT))?;
    stream.set_nodelay(true)?;
    stream.write_all(target.request.as_bytes())?;
    Ok(stream)
}

/// Reads the response; the error says why there was no body, or why it was incomplete.
fn read(
    mut stream: TcpStream,
    target: &Target,
    start: Instant,
    report: &mut ClientReport,
    counts: &Counts,
) -> Result<(), String> {
    let mut bytes = read_head(&mut stream)?;
    let (mut decoder, mut events) = (ChunkDecoder::default(), EventStream::default());
    let last_due = target.interval * EVENTS as u32;
    let mut buffer = [0; 8 * 1024];
    loop {
        let now = start.elapsed();
        let progress = decoder.push(&bytes, |data| {
            let first_byte = *report.first_byte.get_or_insert(now);
            events.push(data, |_, event| {
                if report.record(&event, now - first_byte, target.interval) {
                    counts.add_event();
                }
            });
        });
        match progress {
            Ok(Progress::Done(_)) => return Ok(()),
            Ok(Progress::More) if now > last_due + TIMEOUT => {
                return Err(format!("the stream continued {} s after its end was due", TIMEOUT.as_secs()))
            }
            Ok(Progress::More) => {}
            Err(error) => return Err(error.0.to_owned()),
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the stream was cut off: it ended without its last-chunk".to_owned()),
            Ok(length) => bytes = buffer[..length].to_vec(),
            Err(error) => return Err(format!("the stream was cut off: {}", explain(&error))),
        }
    }
}

/// Reads the head of a response, which must be a chunked 200, and returns the bytes that came after it.
fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4 * 1024];
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the connection was closed without a response".to_owned()),
            Ok(_) if head.len() > MAX_HEAD => return Err("the response's head is too long".to_owned()),
            Ok(length) => head.extend_from_slice(&buffer[..length]),
            Err(error) => return Err(format!("no response: {}", explain(&error))),
        }
    };
    let body = head.split_off(end);
    let text = String::from_utf8_lossy(&head);
    let status = text.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, status)| status);
    if !status.starts_with("200") {
        return Err(format!("unexpected status {status:?} (expected 200)"));
    }
    let is_chunked = |value: &[u8]| value.eq_ignore_ascii_case(b"chunked");
    if !field_lines(&head).any(|line| line.is("transfer-encoding") && is_chunked(line.value)) {
        return Err("the response is not chunked, so a missing end would go unnoticed".to_owned());
    }
    Ok(body)
}

/// Why something failed, and what to do where that is known.
fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("nothing arrived for {} s", TIMEOUT.as_secs())
        }
        _ if error.raw_os_error() == Some(EMFILE) => {
            format!("{error}: raise `ulimit -n` above the number of clients")
        }
        _ => error.to_string(),
    }
}
