//! Keeps what goes over the connections of one test case: a line for each line on the wire, and the events that a client
//! has to dispatch.

use super::secrets::without_secrets;
use super::wire_parser::WireParser;
use crate::event_source::stream::{Event, EventStream};
use crate::http::gunzip::Gunzip;
use crate::http::AfterResponse;
use crate::text::escape::escape;
use crate::text::lock::lock;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The most bytes of text that are kept for a person to read.
const MAX_TEXT: usize = 64 * 1024;
/// The most bytes of a line in it.
const MAX_LINE: usize = 1024;

/// An event that a client has to dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// The event type.
    pub event_type: String,
    /// The data.
    pub data: String,
    /// The last event ID when it is dispatched.
    pub last_event_id: String,
}

/// What went over the wire so far.
#[derive(Debug)]
pub struct Recording {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    responses: u64,
    events: Vec<TimedEvent>,
    last_event_id: String,
    reconnection_time: Option<Duration>,
    head_sent_at: Option<Instant>,
}

/// An event, and when its last byte was sent.
#[derive(Clone, Debug)]
pub struct TimedEvent {
    /// The event.
    pub event: Dispatched,
    /// When its last byte was sent; `None` while it is being sent.
    pub sent_at: Option<Instant>,
    /// The number of the response that it was in.
    pub response: u64,
}

impl Recording {
    /// A recording that begins now.
    pub fn new() -> Recording {
        Recording { began: Instant::now(), state: Mutex::default() }
    }

    /// The lines so far: the time in seconds, `>` from the client or `<` from the server, and the escaped bytes.
    pub fn text(&self) -> String {
        lock(&self.state).text.clone()
    }

    /// Passes on the events that a client has to dispatch, in their order. They can be large.
    pub fn with_events<T>(&self, look: impl FnOnce(&[TimedEvent]) -> T) -> T {
        look(&lock(&self.state).events)
    }

    /// Discards the data of large events, which is not needed once the case is decided.
    pub fn discard_large_data(&self) {
        for sent in &mut lock(&self.state).events {
            if sent.event.data.len() > MAX_TEXT {
                sent.event.data = String::new();
            }
        }
    }

    /// The reconnection time that a client has to use, if a stream has set one.
    pub fn reconnection_time(&self) -> Option<Duration> {
        lock(&self.state).reconnection_time
    }

    /// When the head of the last response was sent; `None` before that.
    pub fn head_sent_at(&self) -> Option<Instant> {
        lock(&self.state).head_sent_at
    }

    /// Adds a line about what the client has said elsewhere.
    pub fn add_remark(&self, remark: &str) {
        self.add_line('*', remark.as_bytes());
    }

    fn add_line(&self, arrow: char, line: &[u8]) {
        let age = self.began.elapsed();
        let mut state = lock(&self.state);
        if state.text.len() < MAX_TEXT {
            let (seconds, milliseconds) = (age.as_secs(), age.subsec_millis());
            state.text += &format!(
                "{seconds:>3}.{milliseconds:03} {arrow} {}\n",
                escape(&line[..line.len().min(MAX_LINE)])
            );
        }
    }

    fn add_event(&self, event: Event, last_event_id: &str) {
        let event = Dispatched {
            event_type: event.event.unwrap_or_default(),
            data: event.data.unwrap_or_default(),
            last_event_id: last_event_id.to_owned(),
        };
        let mut state = lock(&self.state);
        let response = state.responses;
        state.events.push(TimedEvent { event, sent_at: None, response });
    }

    fn remember(&self, stream: &EventStream) {
        let mut state = lock(&self.state);
        state.last_event_id = stream.last_event_id().to_owned();
        if let Some(time) = stream.reconnection_time() {
            state.reconnection_time = Some(time);
        }
    }
}

/// Records one request and its response.
#[derive(Debug)]
pub struct Recorder {
    recording: Arc<Recording>,
    response: WireParser,
    gunzip: Gunzip,
    stream: EventStream,
}

impl Recorder {
    /// A recorder for the response to a request with this head.
    pub fn new(recording: Arc<Recording>, mut head: &[u8]) -> Recorder {
        let mut request = WireParser::for_requests();
        while let Some((kind, line)) = request.next_piece(&mut head) {
            recording.add_line('>', &without_secrets(kind, &line).unwrap_or_default());
        }
        let stream = {
            let mut state = lock(&recording.state);
            state.responses += 1;
            state.head_sent_at = None;
            EventStream::with_last_event_id(state.last_event_id.clone())
        };
        Recorder { recording, response: WireParser::for_responses(), gunzip: Gunzip::new(), stream }
    }

    /// Records bytes of the response that will be sent now. The client can have read them before this thread runs again.
    pub fn sends(&mut self, mut bytes: &[u8]) {
        let Recorder { recording, response, gunzip, stream } = self;
        while let Some((kind, piece)) = response.next_piece(&mut bytes) {
            for line in piece.split_inclusive(|&byte| byte == b'\n') {
                recording.add_line('<', line);
            }
            if kind.is_data() && response.is_event_stream {
                let data = if response.is_gzip { gunzip.read(&piece).into() } else { piece };
                stream.push(&data, |stream, event| recording.add_event(event, stream.last_event_id()));
                recording.remember(stream);
            }
        }
    }

    /// Records that the bytes were sent.
    pub fn sent(&self) {
        let mut state = lock(&self.recording.state);
        let now = Instant::now();
        state.head_sent_at.get_or_insert(now);
        let events = state.events.iter_mut().rev().take_while(|event| event.sent_at.is_none());
        events.for_each(|event| event.sent_at = Some(now));
    }

    /// Records that the response has ended.
    pub fn ended(&self, after: AfterResponse) {
        let what: &[u8] = match after {
            AfterResponse::KeepAlive => return,
            AfterResponse::Close => b"connection closed",
            AfterResponse::Reset => b"connection reset",
        };
        self.recording.add_line('*', what);
    }
}
