//! Shows what goes over the wire in both directions: on a terminal (`--trace`), in a log (`--log`), and to observers
//! (`/-/wire`).
//!
//! A [`Tap`] is attached to each connection and sees every byte that the system accepted or delivered. While nobody
//! watches, it costs one look at an atomic number for each request.
//!
//! | module | what it does |
//! |---|---|
//! | [`exchange`] | what is known of a connection, a request and its response |
//! | [`log`] | a line for each request and one for each end |
//! | [`observers`] | events for clients that watch over HTTP |
//! | [`recording`] | what goes over the connections of one test case |
//! | [`terminal`] | a line for each line on the wire |
//! | [`wire_parser`] | names the pieces of a message |

pub mod exchange;
pub mod log;
pub mod observers;
pub mod recording;
pub mod terminal;
pub mod wire_parser;

use crate::http::field::FieldLine;
use crate::http::AfterResponse;
use exchange::{Connection, Exchange};
use log::Log;
use observers::Observers;
use recording::{Recorder, Recording};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use terminal::Terminal;
use wire_parser::{PieceKind, WireParser};

/// Fields of a request whose values observers do not see: they identify a user.
const SECRET_FIELDS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
/// What observers see in their place.
const NOT_SHOWN: &[u8] = b"(not shown)\r\n";

/// Everything that shows the traffic of a server.
#[derive(Debug, Default)]
pub struct Trace {
    /// Shows every byte.
    pub terminal: Option<Terminal>,
    /// Has a line for each request and one for each end.
    pub log: Option<Log>,
    /// Clients that watch over HTTP.
    pub observers: Observers,
}

impl Trace {
    /// Reports a client that is rejected because there are too many. Its request is never read.
    pub fn rejected(&self, stream: &TcpStream, number: u64, accepted_at: Instant) {
        if self.terminal.is_none() && self.log.is_none() {
            return;
        }
        let tap = Tap::new(self, stream, number, accepted_at);
        let mut exchange = Exchange::new(tap.connection());
        exchange.response.push(b"HTTP/1.1 503 Service Unavailable\r\n", &mut |_, _, _| {});
        self.end(&exchange, "rejected: too many clients");
    }

    fn end(&self, exchange: &Exchange, how: &str) {
        if let Some(terminal) = &self.terminal {
            terminal.end(exchange, how);
        }
        if let Some(log) = &self.log {
            log.end(exchange, how);
        }
        self.observers.end(exchange, how);
    }

    fn is_watched(&self) -> bool {
        self.terminal.is_some() || self.log.is_some() || self.observers.are_present()
    }
}

/// Sees the bytes of one connection.
pub struct Tap<'a> {
    trace: &'a Trace,
    stream: &'a TcpStream,
    number: u64,
    accepted_at: Instant,
    /// Whether the client closed the connection, not the server.
    closed_by_client: Cell<bool>,
    /// The current request and response. In a box, so that it takes memory only while somebody watches.
    exchange: RefCell<Option<Box<Exchange>>>,
    /// Records the response for the judge, if the request belongs to a test case.
    recorder: RefCell<Option<Box<Recorder>>>,
}

impl<'a> Tap<'a> {
    /// A tap at the connection with this number, counted from 1.
    pub fn new(trace: &'a Trace, stream: &'a TcpStream, number: u64, accepted_at: Instant) -> Tap<'a> {
        let tap = Tap {
            trace,
            stream,
            number,
            accepted_at,
            closed_by_client: Cell::new(false),
            exchange: RefCell::new(None),
            recorder: RefCell::new(None),
        };
        if let Some(terminal) = &trace.terminal {
            terminal.opened(&tap.connection());
        }
        tap
    }

    fn connection(&self) -> Connection {
        let address = self.stream.peer_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        Connection { number: self.number, address, accepted_at: self.accepted_at }
    }

    /// Reports bytes of a request.
    pub fn received(&self, bytes: &[u8]) {
        if self.exchange.borrow().is_some() || self.trace.is_watched() {
            self.show_received(bytes);
        }
    }

    /// Not inlined: otherwise every client's thread would need this function's stack, even while nobody watches.
    #[inline(never)]
    fn show_received(&self, bytes: &[u8]) {
        let mut exchange = self.exchange.borrow_mut();
        let exchange = exchange.get_or_insert_with(|| Box::new(Exchange::new(self.connection())));
        let Exchange { connection, request, last_event_id, .. } = &mut **exchange;
        let had_head = request.has_head();
        request.push(bytes, &mut |request, kind, bytes| {
            if kind == PieceKind::FieldLine {
                if let Some(value) = last_event_id_in(bytes) {
                    *last_event_id = Some(value.to_vec());
                }
            }
            if let Some(terminal) = &self.trace.terminal {
                terminal.piece(connection, request, kind, bytes);
            }
            if let Some(bytes) = without_secrets(kind, bytes) {
                self.trace.observers.piece(connection, request, "client", kind, &bytes);
            }
        });
        if request.has_head() && !had_head {
            exchange.response.head_only = exchange.method() == b"HEAD";
            if let Some(log) = &self.trace.log {
                log.request(exchange);
            }
        }
    }

    /// Reports that the client closed its side.
    pub fn client_closed(&self) {
        self.closed_by_client.set(true);
    }

    /// Records the response that follows, to a request with this head.
    pub fn record(&self, recording: &Arc<Recording>, head: &[u8]) {
        *self.recorder.borrow_mut() = Some(Box::new(Recorder::new(Arc::clone(recording), head)));
    }

    /// Reports bytes of a response.
    pub fn sent(&self, bytes: &[u8]) {
        if let Some(recorder) = &mut *self.recorder.borrow_mut() {
            recorder.sent(bytes);
        }
        let mut exchange = self.exchange.borrow_mut();
        let Exchange { connection, request, response, events, chunks, .. } = match &mut *exchange {
            Some(exchange) => &mut **exchange,
            None => return,
        };
        let terminal = self.trace.terminal.as_ref();
        response.push(bytes, &mut |response, kind, bytes| {
            if kind == PieceKind::ChunkSize && bytes.ends_with(b"\n") {
                *chunks += 1;
            }
            if kind.is_data() && response.is_event_stream {
                for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                    let remark = events.push_line(line);
                    if let Some(terminal) = terminal {
                        terminal.event_stream_line(connection, kind, line, &remark);
                    }
                }
            } else if let Some(terminal) = terminal {
                terminal.piece(connection, response, kind, bytes);
            }
            self.trace.observers.piece(connection, request, "server", kind, bytes);
        });
    }

    /// Reports what came of an expectation of the script.
    pub fn expectation(&self, outcome: &str) {
        if let Some(exchange) = &*self.exchange.borrow() {
            if let Some(terminal) = &self.trace.terminal {
                terminal.expectation(&exchange.connection, outcome);
            }
            if let Some(log) = &self.trace.log {
                log.expectation(exchange, outcome);
            }
        }
    }

    /// Reports that the script waits: until `due`, or until the client disconnects.
    pub fn waits(&self, due: Option<Instant>) {
        if let Some(exchange) = &*self.exchange.borrow() {
            let time = due.map(|due| due.saturating_duration_since(Instant::now()));
            if let Some(terminal) = &self.trace.terminal {
                terminal.wait(&exchange.connection, time);
            }
            self.trace.observers.wait(exchange, time);
        }
    }

    /// Reports the end of a response.
    pub fn ended(&self, end: &io::Result<AfterResponse>) {
        if matches!(end, Err(error) if is_disconnect(error)) {
            self.client_closed();
        }
        if let (Some(recorder), Ok(after)) = (self.recorder.borrow_mut().take(), end) {
            recorder.ended(*after);
        }
        let mut exchange = match self.exchange.borrow_mut().take() {
            Some(exchange) => exchange,
            None => return,
        };
        let incomplete = exchange.request.take_incomplete_line();
        if let Some(terminal) = &self.trace.terminal {
            terminal.piece(&exchange.connection, &exchange.request, PieceKind::Malformed, &incomplete);
        }
        self.trace.end(&exchange, &describe_end(end, &exchange.response));
    }
}

impl Drop for Tap<'_> {
    fn drop(&mut self) {
        if let Some(terminal) = &self.trace.terminal {
            terminal.closed(&self.connection(), self.closed_by_client.get());
        }
    }
}

/// How a response ended, in a few words.
fn describe_end(end: &io::Result<AfterResponse>, response: &WireParser) -> Cow<'static, str> {
    let words = match end {
        Ok(AfterResponse::KeepAlive) => "complete, connection kept open",
        Ok(AfterResponse::Close) if response.is_complete() => "complete, connection closed",
        Ok(AfterResponse::Close) if response.ends_with_connection() => "ended by closing the connection",
        Ok(AfterResponse::Close) => "connection closed before the body was complete",
        Ok(AfterResponse::Reset) => "connection reset by the server",
        Err(error) if error.kind() == ErrorKind::TimedOut => "client stopped reading",
        Err(error) if is_disconnect(error) => "client disconnected",
        Err(error) => return error.to_string().into(),
    };
    words.into()
}

fn is_disconnect(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// The value of a `Last-Event-ID` field line.
fn last_event_id_in(line: &[u8]) -> Option<&[u8]> {
    let field = FieldLine::parse(line.strip_suffix(b"\r\n")?).ok()?;
    field.is("last-event-id").then_some(field.value)
}

/// What observers may see of a piece of a request. They see no body, nor what could be a part of one or of a secret
/// field.
fn without_secrets(kind: PieceKind, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    match kind {
        PieceKind::Content | PieceKind::ChunkData => None,
        PieceKind::Malformed => Some(NOT_SHOWN.into()),
        PieceKind::FieldLine | PieceKind::TrailerField => Some(without_secret_value(bytes)),
        _ => Some(bytes.into()),
    }
}

fn without_secret_value(line: &[u8]) -> Cow<'_, [u8]> {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    if SECRET_FIELDS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes())) {
        [name, b": ", NOT_SHOWN].concat().into()
    } else {
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observers_see_no_secret_and_no_body_of_a_request() {
        let request = b"POST / HTTP/1.1\r\nHost: a\r\nCOOKIE: s3cret\r\nCookie : s3cret\r\n s3cret\r\n\
            authorization:s3cret\r\ntransfer-encoding: chunked\r\n\r\n6\r\ns3cret\r\ns3cret\r\n";
        let mut seen = Vec::new();
        WireParser::for_requests().push(request, &mut |_, kind, bytes| {
            seen.extend_from_slice(&without_secrets(kind, bytes).unwrap_or_default());
        });
        assert_eq!(
            String::from_utf8(seen).unwrap(),
            "POST / HTTP/1.1\r\nHost: a\r\nCOOKIE: (not shown)\r\n(not shown)\r\n(not shown)\r\n\
             authorization: (not shown)\r\ntransfer-encoding: chunked\r\n\r\n6\r\n\r\n(not shown)\r\n"
        );
    }
}
