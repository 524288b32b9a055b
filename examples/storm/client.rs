//! One client: asks for the demo, and notes of each of its fifteen numbered events when it came.

use crate::progress::Counts;
use rust_sse_server::internals::{field_lines, ChunkDecoder, HttpUrl, Progress};
use rust_sse_server::{Event, EventStream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The demo's events that have a type and an id, 1 to 15; the first is due an interval after the body's first byte.
pub const EVENTS: usize = 15;
/// How much later than it should anything may come before the client gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets of a head, above which it is given up.
const MAX_HEAD: usize = 16 * 1024;
/// "Too many open files" on Linux, macOS and the BSDs.
const EMFILE: i32 = 24;

/// What to ask, and when the events are due.
pub struct Target {
    addresses: Vec<SocketAddr>,
    request: String,
    interval: Duration,
}

impl Target {
    /// Looks the host up, once for all clients.
    pub fn new(url: &str, interval: Duration) -> Result<Target, String> {
        let url = HttpUrl::parse(url).map_err(|error| error.to_string())?;
        let addresses = (url.host.as_str(), url.port).to_socket_addrs();
        let addresses = addresses.map_err(|error| format!("cannot find {:?}: {error}", url.host))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
            url.target,
            url.authority()
        );
        Ok(Target { addresses: addresses.collect(), request, interval })
    }
}

/// What a client heard.
#[derive(Default)]
pub struct Heard {
    /// From the start of connecting to the first byte of the body.
    pub first_byte: Option<Duration>,
    /// How late each event came that came for the first time.
    pub lateness: Vec<Duration>,
    pub doubled: usize,
    pub reordered: usize,
    /// Why there was no stream, or how it ended, if not with its last-chunk.
    pub trouble: Option<String>,
    /// Which events came, by their ids less one.
    came: [bool; EVENTS],
}

impl Heard {
    /// What a client heard that could not so much as ask.
    pub fn nothing(trouble: String) -> Heard {
        Heard { trouble: Some(trouble), ..Heard::default() }
    }

    /// Notes an event. The unnumbered ones, which have no type, are there to look at only.
    fn note(&mut self, event: &Event, since_first_byte: Duration, interval: Duration) -> bool {
        let id = event.id.as_ref().and_then(|id| id.parse::<usize>().ok());
        let is_numbered = event.event.as_deref() != Some("message");
        let id = match id {
            Some(id) if is_numbered && (1..=EVENTS).contains(&id) => id,
            _ => return false,
        };
        if self.came[id - 1] {
            self.doubled += 1;
            return false;
        }
        self.reordered += usize::from(self.came[id..].contains(&true));
        self.came[id - 1] = true;
        self.lateness.push(since_first_byte.saturating_sub(interval * id as u32));
        true
    }
}

/// Plays one client from its start to its end.
pub fn listen(target: &Target, counts: &Counts) -> Heard {
    let mut heard = Heard::default();
    let start = Instant::now();
    heard.trouble = match connect(target) {
        Ok(stream) => {
            let _open = counts.connected();
            read(stream, target, start, &mut heard, counts).err()
        }
        Err(error) => Some(reason(&error)),
    };
    heard
}

/// Connects and asks.
fn connect(target: &Target) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(target.addresses.as_slice())?;
    stream.set_read_timeout(Some(target.interval + PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(target.request.as_bytes())?;
    Ok(stream)
}

/// Reads head and body; the error says why the body did not come, or not to its end.
fn read(
    mut stream: TcpStream,
    target: &Target,
    start: Instant,
    heard: &mut Heard,
    counts: &Counts,
) -> Result<(), String> {
    let mut bytes = read_body_start(&mut stream)?;
    let (mut decoder, mut events) = (ChunkDecoder::default(), EventStream::default());
    let last_due = target.interval * EVENTS as u32;
    let mut buffer = [0; 8 * 1024];
    loop {
        let now = start.elapsed();
        let progress = decoder.push(&bytes, |data| {
            let first_byte = *heard.first_byte.get_or_insert(now);
            events.push(data, |_, event| {
                let is_new = heard.note(&event, now - first_byte, target.interval);
                counts.event(is_new);
            });
        });
        match progress {
            Ok(Progress::Done(_)) => return Ok(()),
            Ok(Progress::More) if now > last_due + PATIENCE => {
                return Err(format!("the stream went on {} s after its end was due", PATIENCE.as_secs()))
            }
            Ok(Progress::More) => {}
            Err(error) => return Err(error.0.to_owned()),
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the stream was cut: it ended without its last-chunk".to_owned()),
            Ok(length) => bytes = buffer[..length].to_vec(),
            Err(error) => return Err(format!("the stream was cut: {}", reason(&error))),
        }
    }
}

/// Reads the head of a chunked 200 and gives what came after it.
fn read_body_start(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4 * 1024];
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the connection ended without an answer".to_owned()),
            Ok(_) if head.len() > MAX_HEAD => return Err("the answer's head does not end".to_owned()),
            Ok(length) => head.extend_from_slice(&buffer[..length]),
            Err(error) => return Err(format!("no answer: {}", reason(&error))),
        }
    };
    let body = head.split_off(end);
    let text = String::from_utf8_lossy(&head);
    let status = text.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, status)| status);
    let is_chunked = |value: &[u8]| value.eq_ignore_ascii_case(b"chunked");
    if !status.starts_with("200") {
        return Err(format!("answered {:?}", status));
    }
    if !field_lines(&head).any(|line| line.is("transfer-encoding") && is_chunked(line.value)) {
        return Err("the answer is not chunked, so nobody could tell whether it was cut".to_owned());
    }
    Ok(body)
}

/// Why something failed, and what to do where that is known.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("nothing came for {} s", PATIENCE.as_secs())
        }
        _ if error.raw_os_error() == Some(EMFILE) => {
            format!("{error}: raise `ulimit -n` above the number of clients")
        }
        _ => error.to_string(),
    }
}
