//! Shows what goes over the wire, both ways, to whoever watches: a terminal (`--trace`), a log (`--log`), and pages
//! (`/-/wire`). Where nobody watches, this is one look at an atomic number for each request.
//!
//! `Tap` is this project's own word: it stands beside a connection and sees every byte that the system took or gave.
//!
//! | module | what it does |
//! |---|---|
//! | [`terminal`] | a line for each line on the wire |
//! | [`log`] | a line for each request and each end |
//! | [`observers`] | events for those who look on over HTTP |
//! | [`wire_parser`] | names the pieces of a message |

pub mod log;
pub mod observers;
pub mod terminal;
pub mod wire_parser;

use crate::event_source::stream::EventStream;
use crate::http::field::FieldLine;
use crate::http::AfterResponse;
use crate::trace::wire_parser::{Name, WireParser};
use log::Log;
use observers::Observers;
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use terminal::Terminal;

/// Octets of a line, and of an event's data, that are kept to tell events apart.
const OUTLINE: usize = 1024;

/// Who sent a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// This server.
    Server,
}

/// All who watch a server's connections.
#[derive(Debug, Default)]
pub struct Watchers {
    /// Shows every byte.
    pub terminal: Option<Terminal>,
    /// Tells of requests and ends.
    pub log: Option<Log>,
    /// Clients that look on.
    pub observers: Observers,
    connections: AtomicU64,
}

impl Watchers {
    /// Sees a client turned away, whose request nobody reads.
    pub fn turned_away(&self, stream: &TcpStream) {
        if self.terminal.is_none() && self.log.is_none() {
            return;
        }
        let tap = Tap::new(self, stream, Instant::now());
        let mut exchange = begun(tap.connection(stream));
        exchange.response.push(b"HTTP/1.1 503 Service Unavailable\r\n", &mut |_, _, _| {});
        self.end(&exchange, "turned away: too many clients");
    }

    fn end(&self, exchange: &Exchange, how: &str) {
        if let Some(terminal) = &self.terminal {
            terminal.end(exchange, how);
        }
        if let Some(log) = &self.log {
            log.end(exchange, how);
        }
        self.observers.end(&exchange.connection, &exchange.request, how);
    }

    fn see_bytes(&self) -> bool {
        self.terminal.is_some() || self.log.is_some() || self.observers.are_there()
    }
}

/// What is known of a connection that is watched.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its number, from 1.
    pub client: u64,
    /// The client's address.
    pub address: SocketAddr,
    opened: Instant,
}

impl Connection {
    /// A connection that opens now.
    pub fn new(client: u64, address: SocketAddr) -> Connection {
        Connection { client, address, opened: Instant::now() }
    }

    /// How long it has been open.
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }
}

/// Sees the bytes of one connection.
pub struct Tap<'a> {
    watchers: &'a Watchers,
    client: u64,
    opened: Instant,
    /// Whether it was the client that closed the connection.
    client_left: Cell<bool>,
    /// Only while somebody watches.
    exchange: RefCell<Option<Box<Exchange>>>,
}

/// A request and its answer, as they are watched.
#[derive(Debug)]
pub struct Exchange {
    /// The connection.
    pub connection: Connection,
    /// The request.
    pub request: WireParser,
    /// The answer.
    pub response: WireParser,
    /// Of the request, if it has one.
    pub last_event_id: Option<Vec<u8>>,
    /// When its first byte came.
    pub began: Instant,
    /// Chunks so far, the last one not counted.
    pub chunks: u64,
    /// Events so far.
    pub events: u64,
    stream: EventStream,
}

impl Exchange {
    /// The method of the request.
    pub fn method(&self) -> &[u8] {
        self.request.start_line().next().unwrap_or_default()
    }

    /// The target of the request.
    pub fn target(&self) -> &[u8] {
        self.request.start_line().nth(1).unwrap_or_default()
    }

    /// The status of the answer.
    pub fn status(&self) -> &[u8] {
        self.response.start_line().nth(1).unwrap_or_default()
    }
}

impl<'a> Tap<'a> {
    /// A tap at a connection that was opened at `opened`.
    pub fn new(watchers: &'a Watchers, stream: &TcpStream, opened: Instant) -> Tap<'a> {
        let client = watchers.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let tap =
            Tap { watchers, client, opened, client_left: Cell::default(), exchange: RefCell::default() };
        if let Some(terminal) = &watchers.terminal {
            terminal.opened(&tap.connection(stream));
        }
        tap
    }

    fn connection(&self, stream: &TcpStream) -> Connection {
        let address = stream.peer_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        Connection { client: self.client, address, opened: self.opened }
    }

    /// Sees bytes of a request.
    pub fn received(&self, stream: &TcpStream, bytes: &[u8]) {
        if self.exchange.borrow().is_some() || self.watchers.see_bytes() {
            self.show_received(stream, bytes);
        }
    }

    /// Not inlined, so that it takes its part of the stack only where somebody watches.
    #[inline(never)]
    fn show_received(&self, stream: &TcpStream, bytes: &[u8]) {
        let mut exchange = self.exchange.borrow_mut();
        let exchange = exchange.get_or_insert_with(|| Box::new(begun(self.connection(stream))));
        let Exchange { connection, request, last_event_id, .. } = &mut **exchange;
        let had_head = request.has_head();
        request.push(bytes, &mut |request, name, bytes| {
            if name == Name::FieldLine {
                note_id(bytes, last_event_id);
            }
            if let Some(terminal) = &self.watchers.terminal {
                terminal.piece(connection, request, name, bytes);
            }
            match name {
                // What others look at holds no secrets of those they look at.
                Name::Content => {}
                Name::FieldLine if is_secret(bytes) => {
                    let mut hidden = field_name(bytes).to_vec();
                    hidden.extend_from_slice(b": (not shown)\r\n");
                    self.watchers.observers.piece(connection, request, Side::Client, name, &hidden);
                }
                _ => self.watchers.observers.piece(connection, request, Side::Client, name, bytes),
            }
        });
        if request.has_head() && !had_head {
            exchange.response.head_only = exchange.method() == b"HEAD";
            if let Some(log) = &self.watchers.log {
                log.request(exchange);
            }
        }
    }

    /// Sees the client close its side.
    pub fn client_leaves(&self) {
        self.client_left.set(true);
    }

    /// Sees bytes of an answer.
    pub fn sent(&self, bytes: &[u8]) {
        let mut exchange = self.exchange.borrow_mut();
        let Exchange { connection, request, response, stream, events, chunks, .. } = match &mut *exchange {
            Some(exchange) => &mut **exchange,
            None => return,
        };
        response.push(bytes, &mut |response, name, bytes| {
            *chunks += u64::from(name == Name::ChunkSize && bytes.ends_with(b"\n"));
            let is_data = matches!(name, Name::ChunkData | Name::Content) && response.is_event_stream;
            match &self.watchers.terminal {
                Some(terminal) if is_data => {
                    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
                        let is_comment = stream.begins_a_line() && part.starts_with(b":");
                        let dispatched = dispatched(stream, part);
                        *events += dispatched.len() as u64;
                        terminal.data(connection, name, part, is_comment, &dispatched);
                    }
                }
                Some(terminal) => terminal.piece(connection, response, name, bytes),
                None if is_data => *events += dispatched(stream, bytes).len() as u64,
                None => {}
            }
            self.watchers.observers.piece(connection, request, Side::Server, name, bytes);
        });
    }

    /// Sees a wait begin, for ever or until something is due.
    pub fn waits(&self, due: Option<Instant>) {
        if let Some(exchange) = &*self.exchange.borrow() {
            let time = due.map(|due| due.saturating_duration_since(Instant::now()));
            if let Some(terminal) = &self.watchers.terminal {
                terminal.wait(&exchange.connection, time);
            }
            self.watchers.observers.wait(&exchange.connection, &exchange.request, time);
        }
    }

    /// Sees an answer end.
    pub fn ended(&self, end: &io::Result<AfterResponse>) {
        if matches!(end, Err(error) if is_gone(error)) {
            self.client_leaves();
        }
        if let Some(mut exchange) = self.exchange.borrow_mut().take() {
            let rest = exchange.request.rest();
            if let (false, Some(terminal)) = (rest.is_empty(), &self.watchers.terminal) {
                terminal.piece(&exchange.connection, &exchange.request, Name::Malformed, &rest);
            }
            self.watchers.end(&exchange, &how_it_ended(end, &exchange.response));
        }
    }
}

impl Drop for Tap<'_> {
    fn drop(&mut self) {
        if let Some(terminal) = &self.watchers.terminal {
            terminal.closed(self.client, self.opened.elapsed(), self.client_left.get());
        }
    }
}

/// The end in a few words.
fn how_it_ended(end: &io::Result<AfterResponse>, response: &WireParser) -> String {
    let how = match end {
        Ok(AfterResponse::KeepAlive) => "complete, connection kept",
        Ok(AfterResponse::Close) if response.is_complete() => "complete, connection closed",
        Ok(AfterResponse::Close) if response.ends_with_connection() => "ended by closing the connection",
        Ok(AfterResponse::Close) => "connection closed before the body was complete",
        Ok(AfterResponse::Reset) => "reset by the server",
        Err(error) => match error.kind() {
            ErrorKind::TimedOut => "given up: the client does not read",
            _ if is_gone(error) => "the client has gone",
            _ => return error.to_string(),
        },
    };
    how.to_owned()
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

fn begun(connection: Connection) -> Exchange {
    Exchange {
        connection,
        request: WireParser::of_request(),
        response: WireParser::of_response(),
        last_event_id: None,
        began: Instant::now(),
        chunks: 0,
        events: 0,
        stream: EventStream::outline(OUTLINE),
    }
}

/// Whether a field line of a request holds what its sender tells nobody else.
fn is_secret(line: &[u8]) -> bool {
    let name = field_name(line);
    let names = ["authorization", "proxy-authorization", "cookie"];
    names.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// What stands before the colon, if there is one.
fn field_name(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b':').next().unwrap_or_default()
}

fn note_id(line: &[u8], last_event_id: &mut Option<Vec<u8>>) {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    match FieldLine::parse(line) {
        Ok(field) if field.is("last-event-id") => *last_event_id = Some(field.value.to_vec()),
        _ => {}
    }
}

/// The type and the last event ID of each event that these bytes complete.
fn dispatched(stream: &mut EventStream, bytes: &[u8]) -> Vec<(String, String)> {
    let mut events = Vec::new();
    stream.push(bytes, |stream, event| {
        events.push((event.event.unwrap_or_default(), stream.last_event_id().to_owned()));
    });
    events
}
