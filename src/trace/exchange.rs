//! What the trace knows of a connection, and of a request and its response on it.

use super::playing::Playing;
use super::wire_parser::WireParser;
use crate::event_source::stream::{Event, EventStream};
use crate::text::escape::escape;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The most bytes of a line, and of an event's data, that are kept to tell where events end.
const STREAM_LIMIT: usize = 1024;
/// Characters of a remark on an empty line. With them, the line of the trace has at most 80.
const MAX_REMARK: usize = 45;

/// A connection that is traced, and the time of the request on it.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Its number, from 1.
    pub number: u64,
    /// The client's address.
    pub address: SocketAddr,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// When the first byte of the current request arrived.
    pub request_began: Instant,
}

impl Connection {
    /// How long it has been open.
    pub fn age(&self) -> Duration {
        self.accepted_at.elapsed()
    }
}

/// A request and its response.
#[derive(Debug)]
pub struct Exchange {
    /// The connection.
    pub connection: Connection,
    /// The request so far.
    pub request: WireParser,
    /// The response so far.
    pub response: WireParser,
    /// The value of `Last-Event-ID` in the request.
    pub last_event_id: Option<Vec<u8>>,
    /// Why the server rejected the request, if it did.
    pub rejection: Option<String>,
    /// Whether the response is one of the server's own pages, or a file.
    pub is_internal: bool,
    /// Chunks so far, without the last-chunk.
    pub chunks: u64,
    /// The events of the response so far.
    pub events: Events,
    /// Where the script is that the response is made from.
    pub playing: Playing,
}

impl Exchange {
    /// An exchange of which nothing is known yet.
    pub fn new(connection: Connection) -> Exchange {
        Exchange {
            connection,
            request: WireParser::for_requests(),
            response: WireParser::for_responses(),
            last_event_id: None,
            rejection: None,
            is_internal: false,
            chunks: 0,
            events: Events { count: 0, stream: EventStream::with_limit(STREAM_LIMIT) },
            playing: Playing::default(),
        }
    }

    /// The method of the request; empty before its request line is complete.
    pub fn method(&self) -> &[u8] {
        self.request.start_line().next().unwrap_or_default()
    }

    /// The target of the request; empty before its request line is complete.
    pub fn target(&self) -> &[u8] {
        self.request.start_line().nth(1).unwrap_or_default()
    }

    /// The status code of the response.
    pub fn status(&self) -> &[u8] {
        self.response.start_line().nth(1).unwrap_or_default()
    }
}

/// Who closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The client closed or reset it.
    Client,
    /// The server, as the script or the request says, because of an error, or because it stops.
    Server,
    /// A test that dropped the stream.
    Test,
}

/// How a response ended.
#[derive(Debug)]
pub struct End {
    /// The status code; 0 if none was sent.
    pub status: u16,
    /// Whether the whole response was sent.
    pub is_complete: bool,
    /// Who closed the connection; `None` if another request can follow.
    pub closed_by: Option<ClosedBy>,
    /// How it ended, in a few words.
    pub how: String,
    /// Bytes of the body that were sent, without the framing.
    pub bytes: u64,
    /// Events that were sent completely.
    pub events: u64,
}

/// The events in the event stream of a response.
#[derive(Debug)]
pub struct Events {
    /// Events so far.
    pub count: u64,
    stream: EventStream,
}

impl Events {
    /// Takes a line of the stream, or as much of it as was sent.
    pub fn count_line(&mut self, line: &[u8]) {
        self.stream.push(line, |_, _| self.count += 1);
    }

    /// Takes a line of the stream, or as much of it as was sent, and describes what it does at a client; an empty text
    /// if that shows only later.
    pub fn push_line(&mut self, line: &[u8]) -> String {
        let is_comment = self.stream.is_at_line_start() && line.starts_with(b":");
        let mut description = String::new();
        // A line that ends with LF can hold further lines that end with CR, and so several events.
        self.stream.push(line, |stream, event| {
            self.count += 1;
            description += if description.is_empty() { "dispatches " } else { ", " };
            description += &describe_event(&event, stream.last_event_id());
        });
        if is_comment && description.is_empty() {
            description += "a comment: ignored by clients";
        }
        shorten(description)
    }
}

fn describe_event(event: &Event, last_event_id: &str) -> String {
    let event_type = escape(event.event.as_deref().unwrap_or_default());
    if last_event_id.is_empty() {
        format!("`{event_type}`")
    } else {
        format!("`{event_type}`, last ID `{}`", escape(last_event_id))
    }
}

/// The text, its end replaced by an ellipsis if it is longer than [`MAX_REMARK`].
fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_REMARK) {
        Some(_) => text.chars().take(MAX_REMARK - 1).chain(['…']).collect(),
        None => text,
    }
}
