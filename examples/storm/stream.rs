//! A client of any event stream: measures when its events arrive, until the client has reached its end condition.

use crate::progress::Counts;
use crate::target::{explain, read_head, Head, HeadError, Target, TIMEOUT};
use rust_sse_server::EventStream;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// How long a client waits before it reconnects, if the stream does not say.
const RECONNECTION_TIME: Duration = Duration::from_secs(3);
/// The most bytes of an event, which are kept until it ends. The library's EventSource has the same limit.
const MAX_EVENT: usize = 16 << 20;

/// When a client is done. Without any of these, it is done at the end of the stream.
#[derive(Clone, Default)]
pub struct EndCondition {
    /// After this many events.
    pub events: Option<usize>,
    /// After this much time since the client started.
    pub time: Option<Duration>,
    /// After an event whose data contains this.
    pub text: Option<String>,
}

impl EndCondition {
    /// Whether the client is done at the end of a stream, and does not reconnect.
    fn ends_with_stream(&self) -> bool {
        self.events.is_none() && self.time.is_none()
    }
}

/// What one client received.
#[derive(Default)]
pub struct StreamReport {
    /// The time from the start of connecting to the first byte of the first body.
    pub first_byte: Option<Duration>,
    /// The same, to the first event.
    pub first_event: Option<Duration>,
    /// The times from one event to the next on the same connection.
    pub gaps: Vec<Duration>,
    pub events: usize,
    /// Bytes of the event streams.
    pub bytes: u64,
    pub reconnections: usize,
    /// Connections that were lost before the response was complete, except the one in `failure`.
    pub lost: usize,
    /// Why there was no stream, or why the end condition was not met.
    pub failure: Option<String>,
    /// From the start of the client to its end.
    pub time: Duration,
}

impl StreamReport {
    /// The report of a client that could not start.
    pub fn failed(failure: String) -> StreamReport {
        StreamReport { failure: Some(failure), ..StreamReport::default() }
    }
}

/// One client while it runs.
struct Client<'a> {
    end_condition: &'a EndCondition,
    counts: &'a Counts,
    start: Instant,
    /// When the last event on this connection arrived.
    last_event: Option<Duration>,
    is_done: bool,
    report: StreamReport,
}

/// How a response ended.
enum End {
    /// It is complete, or the client is done.
    Complete,
    /// With 204.
    NoContent,
    /// The connection was lost.
    Lost(String),
}

/// Runs one client until it is done.
pub fn run(target: &Target, end_condition: &EndCondition, counts: &Counts) -> StreamReport {
    let report = StreamReport::default();
    let mut client =
        Client { end_condition, counts, start: Instant::now(), last_event: None, is_done: false, report };
    let result = client.run(target);
    let is_silent = result.is_ok() && client.report.events == 0;
    client.report.failure = if is_silent { Some("no event arrived".to_owned()) } else { result.err() };
    client.report.time = client.start.elapsed();
    client.report
}

impl Client<'_> {
    fn run(&mut self, target: &Target) -> Result<(), String> {
        let mut last_event_id = String::new();
        let mut reconnection_time = RECONNECTION_TIME;
        loop {
            let mut events = EventStream::with_last_event_id(last_event_id);
            let end = match target.connect(events.last_event_id()) {
                Ok(stream) => self.read(stream, &mut events)?,
                Err(message) => End::Lost(message),
            };
            if self.is_done {
                return Ok(());
            }
            match end {
                End::NoContent => return self.stopped(),
                End::Complete if self.end_condition.ends_with_stream() => return self.end_of_only_stream(),
                // A client whose connections are all lost would reconnect forever.
                End::Lost(message) if self.end_condition.ends_with_stream() || self.report.bytes == 0 => {
                    return Err(message)
                }
                End::Complete => {}
                End::Lost(_) => self.report.lost += 1,
            }
            last_event_id = events.last_event_id().to_owned();
            reconnection_time = events.reconnection_time().unwrap_or(reconnection_time);
            self.wait(reconnection_time);
            if self.is_done {
                return Ok(());
            }
            self.report.reconnections += 1;
        }
    }

    fn end_of_only_stream(&self) -> Result<(), String> {
        match &self.end_condition.text {
            Some(text) => Err(format!("the stream ended without {text:?}")),
            None => Ok(()),
        }
    }

    /// The end of a client that has received 204, after which an EventSource does not reconnect.
    fn stopped(&self) -> Result<(), String> {
        if self.report.bytes == 0 {
            return Err("unexpected status \"204 No Content\" (expected 200)".to_owned());
        }
        if self.end_condition.events.is_some() || self.end_condition.text.is_some() {
            return Err("204 No Content before the end condition was met".to_owned());
        }
        Ok(())
    }

    /// Reads one response to its end, or until the client is done. The error is the reason why the client does not reconnect.
    fn read(&mut self, mut stream: TcpStream, events: &mut EventStream) -> Result<End, String> {
        let _connected = self.counts.connected();
        self.last_event = None;
        stream.set_read_timeout(Some(self.longest_wait())).map_err(|error| explain(&error))?;
        let (mut body, mut bytes) = match read_head(&mut stream) {
            Ok(Head::Stream(body, bytes)) => (body, bytes),
            Ok(Head::NoContent) => return Ok(End::NoContent),
            Err(_) if self.is_time_over() => return self.end_without_response(),
            Err(HeadError::Lost(message)) => return Ok(End::Lost(message)),
            Err(HeadError::Rejected(message)) => return Err(message),
        };
        let mut buffer = [0; 8 * 1024];
        loop {
            let is_complete = match body.push(&bytes, |data| self.take(data, events)) {
                Ok(is_complete) => is_complete,
                Err(message) => return Ok(End::Lost(message)),
            };
            if self.is_done || is_complete {
                return Ok(End::Complete);
            }
            if events.pending_bytes() > MAX_EVENT {
                return Err(format!("an event is larger than {} MiB", MAX_EVENT >> 20));
            }
            stream.set_read_timeout(Some(self.longest_wait())).map_err(|error| explain(&error))?;
            match stream.read(&mut buffer) {
                Ok(0) if body.may_end() => return Ok(End::Complete),
                Ok(0) => return Ok(End::Lost("the stream was cut off: its body is incomplete".to_owned())),
                Ok(length) => bytes = buffer[..length].to_vec(),
                Err(error) if is_timeout(error.kind()) && self.is_time_over() => {
                    self.is_done = true;
                    return Ok(End::Complete);
                }
                Err(error) => return Ok(End::Lost(format!("the stream was cut off: {}", explain(&error)))),
            }
        }
    }

    /// The time of the client is over before the head of a response has arrived: an error, unless there were streams before.
    fn end_without_response(&mut self) -> Result<End, String> {
        if self.report.bytes == 0 {
            return Err("no response in the time of `--for`".to_owned());
        }
        self.is_done = true;
        Ok(End::Complete)
    }

    /// Takes bytes of the event stream.
    fn take(&mut self, data: &[u8], events: &mut EventStream) {
        if data.is_empty() {
            return;
        }
        let now = self.start.elapsed();
        self.report.bytes += data.len() as u64;
        self.report.first_byte.get_or_insert(now);
        events.push(data, |_, event| {
            if self.is_done {
                return;
            }
            self.counts.add_event();
            self.report.events += 1;
            self.report.first_event.get_or_insert(now);
            if let Some(last) = self.last_event.replace(now) {
                self.report.gaps.push(now - last);
            }
            let data = event.data.unwrap_or_default();
            self.is_done = self.end_condition.events.map_or(false, |events| self.report.events >= events)
                || self.end_condition.text.as_ref().map_or(false, |text| data.contains(text));
        });
        self.is_done |= self.is_time_over();
    }

    fn is_time_over(&self) -> bool {
        self.remaining_time() == Some(Duration::ZERO)
    }

    fn remaining_time(&self) -> Option<Duration> {
        Some(self.end_condition.time?.saturating_sub(self.start.elapsed()))
    }

    /// How long to wait for the next byte. A timeout of zero is not allowed.
    fn longest_wait(&self) -> Duration {
        let remaining = self.remaining_time().unwrap_or(TIMEOUT);
        remaining.clamp(Duration::from_millis(1), TIMEOUT)
    }

    /// Waits before the client reconnects.
    fn wait(&mut self, time: Duration) {
        let remaining = self.remaining_time().unwrap_or(time);
        thread::sleep(time.min(remaining));
        self.is_done = self.is_time_over();
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
