//! What the trace knows of a connection, and of a request and its response on it.

use super::wire_parser::WireParser;
use crate::event_source::stream::EventStream;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The most bytes of a line, and of an event's data, that are kept to tell where events end.
const STREAM_LIMIT: usize = 1024;

/// Who sent a piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// This server.
    Server,
}

/// A connection that is traced.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Its number, from 1.
    pub number: u64,
    /// The client's address.
    pub address: SocketAddr,
    /// When it was accepted.
    pub accepted_at: Instant,
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
    /// When its first byte arrived.
    pub began: Instant,
    /// Chunks so far, without the last-chunk.
    pub chunks: u64,
    /// Counts the events of the response.
    pub events: EventCounter,
}

impl Exchange {
    /// An exchange that begins now.
    pub fn new(connection: Connection) -> Exchange {
        Exchange {
            connection,
            request: WireParser::for_requests(),
            response: WireParser::for_responses(),
            last_event_id: None,
            began: Instant::now(),
            chunks: 0,
            events: EventCounter { count: 0, stream: EventStream::with_limit(STREAM_LIMIT) },
        }
    }

    /// The method of the request.
    pub fn method(&self) -> &[u8] {
        self.request.start_line().next().unwrap_or_default()
    }

    /// The target of the request.
    pub fn target(&self) -> &[u8] {
        self.request.start_line().nth(1).unwrap_or_default()
    }

    /// The status code of the response.
    pub fn status(&self) -> &[u8] {
        self.response.start_line().nth(1).unwrap_or_default()
    }
}

/// Finds the events in an event stream.
#[derive(Debug)]
pub struct EventCounter {
    /// Events so far.
    pub count: u64,
    stream: EventStream,
}

/// What a line of an event stream does at a client.
#[derive(Debug)]
pub struct LineEffect {
    /// Whether the line is a comment.
    pub is_comment: bool,
    /// The events that it completes. A line that ends with LF can hold several that end with CR.
    pub dispatched: Vec<Dispatched>,
}

/// An event that a client dispatches.
#[derive(Debug)]
pub struct Dispatched {
    /// The event type.
    pub event_type: String,
    /// The last event ID after it.
    pub last_event_id: String,
}

impl EventCounter {
    /// Takes a line of the stream, or as much of it as was sent.
    pub fn push_line(&mut self, line: &[u8]) -> LineEffect {
        let is_comment = self.stream.is_at_line_start() && line.starts_with(b":");
        let mut dispatched = Vec::new();
        self.stream.push(line, |stream, event| {
            dispatched.push(Dispatched {
                event_type: event.event.unwrap_or_default(),
                last_event_id: stream.last_event_id().to_owned(),
            });
        });
        self.count += dispatched.len() as u64;
        LineEffect { is_comment, dispatched }
    }
}
