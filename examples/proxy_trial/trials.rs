//! What is tried: for each row of the table, the stream that is sent through the proxy, and what its outcome means.

use crate::client::{End, Response};
use rust_sse_server::internals::is_event_stream;
use rust_sse_server::{EventSource, EventStream, RunningServer};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much later than without a proxy something may arrive. Proxies that pass data on add less than 1 ms, those that wait
/// for more data add at least the time to the next event.
const PROMPT: Duration = Duration::from_millis(80);
/// The events of `/trial/events`, which are 250 ms apart.
const EVENTS: usize = 8;
/// A pause of at least this length is one between two events.
const PAUSE: Duration = Duration::from_millis(125);
/// How long a response can take that has no silence in it.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a client that is about to leave waits for the first event.
const FIRST_EVENT: Duration = Duration::from_secs(2);
/// How soon a server should notice that a client has left.
const LEAVING: Duration = Duration::from_secs(5);

/// The two ends of the trial.
pub struct Trial {
    /// The server behind the proxy.
    pub server: RunningServer,
    /// The host and port of the proxy.
    pub proxy: String,
    /// How long the stream of `silence` is silent, in seconds.
    pub silence: u64,
}

/// What the outcome of a trial means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The proxy does not change what a client sees.
    Pass,
    /// It does, in a way that HTTP allows and that clients have to expect.
    Info,
    /// It breaks streams.
    Fail,
}

/// A grade, and why.
pub type Verdict = (Grade, String);

/// One row of the table: its name, and what is tried.
pub type Row = (&'static str, fn(&Trial) -> Result<Verdict, String>);

/// The rows of the table.
pub const ROWS: [Row; 13] = [
    ("head at once", head),
    ("delay per event", events),
    ("delay per token", tokens),
    ("compression", compression),
    ("chunk borders", chunks),
    ("comments and bytes", bytes),
    ("silence", silence),
    ("cut (FIN)", drop_is_seen),
    ("cut (RST)", reset_is_seen),
    ("Last-Event-ID", last_event_id),
    ("204", no_content),
    ("client leaves", leave_events),
    ("client leaves silence", leave_silence),
];

impl Trial {
    /// Reads a stream to its end. A stream that a client does not get or cannot read is a failure in
    /// every row.
    fn read(&self, target: &str) -> Result<Response, String> {
        self.read_within(target, PATIENCE)
    }

    fn read_within(&self, target: &str, patience: Duration) -> Result<Response, String> {
        let response = self.request_with(target, "", patience)?.read_to_end();
        match response.field("content-encoding") {
            _ if response.status() != 200 => {
                Err(format!("a client does not get the stream: {}", response.describe()))
            }
            Some(coding) => Err(format!("compressed ({coding}) for a client that does not accept it")),
            None => Ok(response),
        }
    }

    fn request_with(&self, target: &str, fields: &str, patience: Duration) -> Result<Response, String> {
        Response::to_request(&self.proxy, target, fields, patience)
            .map_err(|error| format!("no connection: {error}"))
    }

    /// The same response without the proxy.
    fn direct(&self, target: &str) -> Result<Response, String> {
        let response = Response::to_request(&self.server.address().to_string(), target, "", PATIENCE);
        response.map(Response::read_to_end).map_err(|error| format!("no connection to the server: {error}"))
    }
}

fn pass(words: impl Into<String>) -> Result<Verdict, String> {
    Ok((Grade::Pass, words.into()))
}

fn info(words: impl Into<String>) -> Result<Verdict, String> {
    Ok((Grade::Info, words.into()))
}

fn fail(words: impl Into<String>) -> Result<Verdict, String> {
    Ok((Grade::Fail, words.into()))
}

fn head(trial: &Trial) -> Result<Verdict, String> {
    let response = trial.read("/trial/head")?;
    let content_type = response.field("content-type").unwrap_or("absent");
    if !is_event_stream(content_type.as_bytes()) {
        return fail(format!("the content type becomes {content_type}: an EventSource rejects the response"));
    }
    let head = response.head.as_ref().map(|(_, time)| *time);
    match (head, response.arrival(1)) {
        (Some(head), Some(data)) => {
            let before = data.duration_since(head).unwrap_or_default();
            if before < Duration::from_secs(1) {
                return fail("is held back until the first event: a client cannot tell that it is connected");
            }
            pass(format!("arrives {} before the first event, as sent", seconds(before)))
        }
        _ => fail(response.describe()),
    }
}

fn events(trial: &Trial) -> Result<Verdict, String> {
    delay(trial, "/trial/events", EVENTS, "each event is held back")
}

fn tokens(trial: &Trial) -> Result<Verdict, String> {
    delay(trial, "/trial/tokens", 60, "events that follow each other quickly arrive in groups")
}

/// The delay of events that contain the time at which they were sent.
fn delay(trial: &Trial, target: &str, count: usize, meaning: &str) -> Result<Verdict, String> {
    let response = trial.read(target)?;
    let mut delays = delays(&response);
    if delays.len() != count {
        return fail(format!("{} of {count} events arrived; {}", delays.len(), response.describe()));
    }
    delays.sort();
    let (median, longest) = (delays[count / 2], delays[count - 1]);
    let words = format!("median {}, longest {}", milliseconds(median), milliseconds(longest));
    if median > PROMPT {
        return fail(format!("{words}: {meaning}"));
    }
    pass(words)
}

fn delays(response: &Response) -> Vec<Duration> {
    let (mut stream, mut delays) = (EventStream::default(), Vec::new());
    for (place, byte) in response.data.iter().enumerate() {
        stream.push(&[*byte], |_, event| {
            let sent = event.data.and_then(|data| data.parse().ok()).map(Duration::from_millis);
            let arrival = response.arrival(place + 1).unwrap_or(UNIX_EPOCH);
            let arrival = arrival.duration_since(UNIX_EPOCH).unwrap_or_default();
            delays.push(arrival.saturating_sub(sent.unwrap_or_default()));
        });
    }
    delays
}

/// Requests events as a browser does, accepting compressed responses. The body is not decompressed: only the times of
/// its arrival matter.
fn compression(trial: &Trial) -> Result<Verdict, String> {
    let response = trial.request_with("/trial/events", "Accept-Encoding: gzip, deflate, br\r\n", PATIENCE)?;
    let response = response.read_to_end();
    let coding = match response.field("content-encoding") {
        _ if response.status() != 200 => return fail(response.describe()),
        None => return pass("not compressed, even if a client accepts it"),
        Some(coding) => coding,
    };
    // There is one pause fewer than there are events.
    if response.arrivals_after(PAUSE) < EVENTS - 1 {
        return fail(format!("compressed ({coding}) for a client that accepts it, and held back"));
    }
    info(format!("compressed ({coding}) for a client that accepts it, with each event sent at once"))
}

fn chunks(trial: &Trial) -> Result<Verdict, String> {
    let response = trial.read("/trial/chunks")?;
    let direct = trial.direct("/trial/chunks")?;
    if response.data != direct.data {
        return fail(response.describe());
    }
    let sent = direct.chunks.unwrap_or_default();
    match response.chunks {
        Some(arrived) if arrived == sent => pass(format!("{} chunks arrive as they were sent", sent.len())),
        Some(arrived) => info(format!(
            "{} chunks become {}: allowed by HTTP, but a client that takes each chunk for an event fails",
            sent.len(),
            arrived.len()
        )),
        None => fail("the body arrives without chunks, so its end looks like a lost connection"),
    }
}

fn bytes(trial: &Trial) -> Result<Verdict, String> {
    let response = trial.read("/trial/bytes")?;
    let sent = trial.direct("/trial/bytes")?.data;
    let comments =
        |data: &[u8]| data.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b":")).count();
    if response.data == sent {
        return pass(format!("all {} bytes arrive, comments included", sent.len()));
    }
    if response.end == Some(End::Complete) && comments(&response.data) < comments(&sent) {
        return fail("comments are removed, so they do not keep a connection open");
    }
    fail(format!(
        "the body differs: {} bytes of {} arrive; {}",
        response.data.len(),
        sent.len(),
        response.describe()
    ))
}

fn silence(trial: &Trial) -> Result<Verdict, String> {
    let patience = Duration::from_secs(trial.silence) + PATIENCE;
    let start = SystemTime::now();
    let target = format!("/trial/silence?seconds={}", trial.silence);
    let response = trial.read_within(&target, patience)?;
    if response.data.ends_with(b"data: after\n\n") {
        return pass(format!("a stream that is silent for {} s goes on", trial.silence));
    }
    let time = start.elapsed().unwrap_or_default();
    match response.end {
        Some(End::Late) => fail("the event after it never arrives"),
        end => fail(format!(
            "the stream {} after {}: send a comment more often (`@keepalive`), or raise a timeout",
            if end == Some(End::Complete) { "ends" } else { "is cut off" },
            seconds(time)
        )),
    }
}

fn drop_is_seen(trial: &Trial) -> Result<Verdict, String> {
    cut_is_seen(trial, "/trial/drop")
}

fn reset_is_seen(trial: &Trial) -> Result<Verdict, String> {
    cut_is_seen(trial, "/trial/reset")
}

fn cut_is_seen(trial: &Trial, target: &str) -> Result<Verdict, String> {
    let response = trial.read(target)?;
    match response.end {
        Some(End::Cut) if response.data.starts_with(b"data: complete\n\n") => {
            pass("a client sees that the body is incomplete")
        }
        Some(End::Cut) => fail("a client sees it, but loses what was sent before"),
        Some(End::Complete) => fail("the body looks complete, although it was cut off"),
        _ => fail("a client does not see it: its connection stays open"),
    }
}

/// The most events of a client that reconnects; if the proxy passes everything on, there are 7.
const MAX_EVENTS: usize = 12;

/// The library's client reconnects twice, each time with the ID of the last event, and stops at 204.
fn last_event_id(trial: &Trial) -> Result<Verdict, String> {
    let source = EventSource::new(&format!("http://{}/trial/reconnect", trial.proxy))
        .map_err(|error| error.to_string())?;
    source.set_idle_timeout(Some(PATIENCE));
    let (mut ids, mut reason) = (Vec::new(), String::new());
    // A proxy that hides cuts and IDs, or fails, could let the client reconnect forever.
    for event in source.events().map_err(|error| error.to_string())?.take(MAX_EVENTS) {
        match event.id {
            Some(id) => ids.push(id),
            None => reason = event.data.unwrap_or_default(),
        }
    }
    match ids.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["1", "2"] if reason.starts_with("status 204") => {
            pass("the client continues after it, and stops at 204")
        }
        ["1", "2"] => fail(format!("the client gets every event, but not 204 after them: {reason}")),
        [] if reason.starts_with("status 204") => fail("events do not arrive if their stream is cut off"),
        [] => fail(format!("the client gets no event: {reason}")),
        ["1", "1", ..] => fail("does not reach the server: the client gets the same events again"),
        _ => fail(format!("after the events {ids:?}, the client stops: {reason}")),
    }
}

fn no_content(trial: &Trial) -> Result<Verdict, String> {
    let response = trial.request_with("/trial/ready", "", PATIENCE)?.read_to_end();
    match response.status() {
        204 => pass("reaches the client"),
        0 => fail(response.describe()),
        status => fail(format!("becomes {status}: a client does not stop reconnecting")),
    }
}

fn leave_events(trial: &Trial) -> Result<Verdict, String> {
    match leave(trial, "/trial/leave-events")? {
        Some(time) => pass(format!("the server notices after {}", seconds(time))),
        None => fail(format!("the server goes on sending for more than {}", seconds(LEAVING))),
    }
}

fn leave_silence(trial: &Trial) -> Result<Verdict, String> {
    match leave(trial, "/trial/leave-silence")? {
        Some(time) => pass(format!("the server notices after {}", seconds(time))),
        None => info(format!(
            "the server does not notice within {}: streams of clients that have left stay open",
            seconds(LEAVING)
        )),
    }
}

/// Reads the first event and leaves: how long it takes until the server has ended the stream.
fn leave(trial: &Trial, target: &str) -> Result<Option<Duration>, String> {
    // A proxy that holds back the first event is no reason not to leave.
    let mut response = trial.request_with(target, "", FIRST_EVENT)?;
    response.read_until(|response| response.data.ends_with(b"\n\n"));
    drop(response);
    let left = SystemTime::now();
    let number =
        trial.server.requests().iter().find(|request| request.target == target).map(|request| request.number);
    let end = number.and_then(|number| trial.server.wait_for_end(number, LEAVING));
    Ok(end.map(|end| end.time.duration_since(left).unwrap_or_default()))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
