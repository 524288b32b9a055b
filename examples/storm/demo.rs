//! A client of the demo: requests it and measures when each of its fifteen numbered events arrives.

use crate::progress::Counts;
use crate::target::{explain, read_head, Body, Head, HeadError, Target, TIMEOUT};
use rust_sse_server::{Event, EventStream};
use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The demo's events that have a type and an ID, 1 to 15. Event n is due n intervals after the first byte of the body.
pub const EVENTS: usize = 15;

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

/// Runs one client until its stream ends. `interval` is the time from one of the demo's events to the next.
pub fn run(target: &Target, interval: Duration, counts: &Counts) -> ClientReport {
    let mut report = ClientReport::default();
    let start = Instant::now();
    let result = target.connect("").and_then(|stream| {
        let _connected = counts.connected();
        read(stream, interval, start, &mut report, counts)
    });
    report.failure = result.err();
    report
}

/// Reads the response; the error says why there was no body, or why it was incomplete.
fn read(
    mut stream: TcpStream,
    interval: Duration,
    start: Instant,
    report: &mut ClientReport,
    counts: &Counts,
) -> Result<(), String> {
    // At a low speed, the next event can be due later than that.
    stream.set_read_timeout(Some(interval + TIMEOUT)).map_err(|error| explain(&error))?;
    let (mut body, mut bytes) = match read_head(&mut stream).map_err(HeadError::into_message)? {
        Head::Stream(body, bytes) => (body, bytes),
        Head::NoContent => return Err("unexpected status \"204 No Content\" (expected 200)".to_owned()),
    };
    if !matches!(body, Body::Chunked(_)) {
        return Err("the response is not chunked, so a missing end would go unnoticed".to_owned());
    }
    let mut events = EventStream::default();
    let last_due = interval * EVENTS as u32;
    let mut buffer = [0; 8 * 1024];
    loop {
        let now = start.elapsed();
        let is_complete = body.push(&bytes, |data| {
            let first_byte = *report.first_byte.get_or_insert(now);
            events.push(data, |_, event| {
                if report.record(&event, now - first_byte, interval) {
                    counts.add_event();
                }
            });
        })?;
        if is_complete {
            return Ok(());
        }
        if now > last_due + TIMEOUT {
            return Err(format!("the stream continued {} s after its end was due", TIMEOUT.as_secs()));
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the stream was cut off: it ended without its last-chunk".to_owned()),
            Ok(length) => bytes = buffer[..length].to_vec(),
            Err(error) => return Err(format!("the stream was cut off: {}", explain(&error))),
        }
    }
}
