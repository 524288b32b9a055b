//! Sees the bytes of one connection, and what else happens there.

use super::exchange::{ClosedBy, Connection, End, Exchange};
use super::playing::Lines;
use super::recording::{Recorder, Recording};
use super::wire_parser::PieceKind;
use super::Trace;
use crate::http::AfterResponse;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// Sees the bytes of one connection.
pub struct Tap<'a> {
    trace: &'a Trace,
    stream: &'a TcpStream,
    number: u64,
    accepted_at: Instant,
    /// Whether the client closed the connection, not the server.
    closed_by_client: Cell<bool>,
    /// Whether a test dropped the current response.
    is_dropped: Cell<bool>,
    /// Whether a byte of the current request has arrived.
    in_request: Cell<bool>,
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
            is_dropped: Cell::new(false),
            in_request: Cell::new(false),
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
        let request_began = Instant::now();
        Connection { number: self.number, address, accepted_at: self.accepted_at, request_began }
    }

    /// Reports that the client is rejected because there are too many. Its request is never read.
    pub fn rejects_client(&self) {
        if self.trace.terminal.is_some() || self.trace.log.is_some() {
            let mut exchange = Exchange::new(self.connection());
            exchange.response.next_piece(&mut &b"HTTP/1.1 503 Service Unavailable\r\n"[..]);
            self.trace.end(&exchange, "rejected: too many clients");
        }
    }

    /// Reports bytes of a request. It is shown from its first byte on, or not at all.
    pub fn received(&self, bytes: &[u8]) {
        let is_first = !self.in_request.replace(true);
        if self.exchange.borrow().is_some() || (is_first && self.trace.is_watched()) {
            self.show_received(bytes);
        }
    }

    /// Not inlined: otherwise every client's thread would need this function's stack, even while nobody watches.
    #[inline(never)]
    fn show_received(&self, mut bytes: &[u8]) {
        let mut exchange = self.exchange.borrow_mut();
        let exchange = exchange.get_or_insert_with(|| Box::new(Exchange::new(self.connection())));
        let had_head = exchange.request.has_head();
        while let Some((kind, piece)) = exchange.request.next_piece(&mut bytes) {
            self.trace.request_piece(exchange, kind, &piece);
        }
        if exchange.request.has_head() && !had_head {
            if let Some(log) = &self.trace.log {
                log.request(exchange);
            }
        }
    }

    /// Reports that the response begins, and whether it has no body because the method is HEAD.
    pub fn responds(&self, head_only: bool) {
        self.with_exchange(|exchange| {
            exchange.response.head_only = head_only;
            let incomplete = exchange.request.take_incomplete_line();
            if let Some(terminal) = &self.trace.terminal {
                terminal.piece(&exchange.connection, &exchange.request, PieceKind::Malformed, &incomplete);
            }
        });
    }

    /// Reports that the response is an error, and why.
    pub fn rejected(&self, reason: &str) {
        self.with_exchange(|exchange| exchange.rejection = Some(reason.to_owned()));
    }

    /// Reports that the response is a file. The terminal shows it in one line, as it does the server's own pages.
    pub fn sends_file(&self) {
        self.with_exchange(|exchange| exchange.is_internal = true);
    }

    /// Reports that the client closed its side.
    pub fn client_closed(&self) {
        self.closed_by_client.set(true);
    }

    /// Reports that a test drops the response.
    pub fn dropped(&self) {
        self.is_dropped.set(true);
    }

    /// Records the response that follows, to a request with this head.
    pub fn record(&self, recording: &Arc<Recording>, head: &[u8]) {
        *self.recorder.borrow_mut() = Some(Box::new(Recorder::new(Arc::clone(recording), head)));
    }

    /// Records bytes of a response for the judge, before they are sent.
    pub fn sends(&self, bytes: &[u8]) {
        if let Some(recorder) = &mut *self.recorder.borrow_mut() {
            recorder.sends(bytes);
        }
    }

    /// Records that they all were sent.
    pub fn flushed(&self) {
        if let Some(recorder) = &*self.recorder.borrow() {
            recorder.sent();
        }
    }

    /// Reports bytes of a response.
    pub fn sent(&self, bytes: &[u8]) {
        if self.exchange.borrow().is_some() {
            self.show_sent(bytes);
        }
    }

    /// Not inlined, as above.
    #[inline(never)]
    fn show_sent(&self, mut bytes: &[u8]) {
        self.with_exchange(|exchange| {
            exchange.playing.send(bytes);
            while let Some((kind, piece)) = exchange.response.next_piece(&mut bytes) {
                self.trace.response_piece(exchange, kind, &piece);
            }
        });
    }

    /// Reports the outcome of an expectation of the script. The log gets it without the values of the request, which
    /// can be secret.
    pub fn expectation(&self, outcome: &str, without_secrets: impl FnOnce() -> String) {
        self.with_exchange(|exchange| {
            if let Some(terminal) = &self.trace.terminal {
                terminal.expectation(&exchange.connection, outcome);
            }
            if let Some(log) = &self.trace.log {
                log.expectation(exchange, &without_secrets());
            }
        });
    }

    /// Whether what is played should be reported.
    pub fn is_watched(&self) -> bool {
        self.trace.observers.are_present() && self.exchange.borrow().is_some()
    }

    /// Reports that the response is made from the script with this name, which has `lines_before` lines before it in its
    /// file.
    pub fn begins(&self, script: &str, lines_before: u32) {
        self.with_exchange(|exchange| exchange.playing.begin(script, lines_before));
    }

    /// Reports the lines of the script that are played from now on, while `unsent` bytes from lines before wait.
    #[inline(never)]
    pub fn plays(&self, lines: Option<Lines>, unsent: usize) {
        self.with_exchange(|exchange| exchange.playing.play(lines, unsent));
    }

    /// Reports that the script waits: until `due`, or until the client disconnects.
    pub fn waits(&self, due: Option<Instant>) {
        self.with_exchange(|exchange| {
            let time = due.map(|due| due.saturating_duration_since(Instant::now()));
            if let Some(terminal) = &self.trace.terminal {
                terminal.wait(&exchange.connection, time);
            }
            self.trace.observers.wait(exchange, time);
        });
    }

    /// Reports that the script waits until a test releases the pause with this name.
    pub fn pauses(&self, name: &str) {
        self.with_exchange(|exchange| {
            if let Some(terminal) = &self.trace.terminal {
                terminal.pause(&exchange.connection, name);
            }
            self.trace.observers.wait(exchange, None);
        });
    }

    /// Calls `show` with the current request and response, if somebody watches.
    fn with_exchange(&self, show: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = &mut *self.exchange.borrow_mut() {
            show(exchange);
        }
    }

    /// Reports the end of a response. Returns how it ended, if anything needs that.
    pub fn ended(&self, end: &io::Result<AfterResponse>) -> Option<End> {
        if matches!(end, Err(error) if is_disconnect(error)) {
            self.client_closed();
        }
        if let (Some(recorder), Ok(after)) = (self.recorder.borrow_mut().take(), end) {
            recorder.ended(*after);
        }
        self.in_request.set(false);
        let exchange = self.exchange.borrow_mut().take()?;
        let how = self.describe_end(end, &exchange).into_owned();
        self.trace.end(&exchange, &how);
        let status = std::str::from_utf8(exchange.status()).unwrap_or_default();
        Some(End {
            status: status.parse().unwrap_or_default(),
            is_complete: exchange.response.is_complete(),
            closed_by: self.closed_by(end),
            how,
            bytes: exchange.response.body_bytes,
            events: exchange.events.count,
        })
    }

    fn closed_by(&self, end: &io::Result<AfterResponse>) -> Option<ClosedBy> {
        match end {
            Ok(AfterResponse::KeepAlive) => None,
            _ if self.is_dropped.get() => Some(ClosedBy::Test),
            _ if self.closed_by_client.get() => Some(ClosedBy::Client),
            _ => Some(ClosedBy::Server),
        }
    }

    /// How a response ended, in a few words.
    fn describe_end(&self, end: &io::Result<AfterResponse>, exchange: &Exchange) -> Cow<'static, str> {
        let response = &exchange.response;
        if let (Ok(_), Some(reason)) = (end, &exchange.rejection) {
            return format!("rejected: {reason}").into();
        }
        let words = match end {
            Ok(AfterResponse::KeepAlive) => "complete, connection kept open",
            Ok(AfterResponse::Close) if response.is_complete() => "complete, connection closed",
            Ok(AfterResponse::Close) if self.is_dropped.get() => "dropped by a test",
            Ok(AfterResponse::Close) if self.closed_by_client.get() => "client disconnected",
            Ok(AfterResponse::Close) if response.ends_with_connection() => "ended by closing the connection",
            Ok(AfterResponse::Close) => "connection closed before the body was complete",
            Ok(AfterResponse::Reset) => "connection reset by the server",
            Err(error) if error.kind() == ErrorKind::TimedOut => "client read nothing for 10 s",
            Err(error) if is_disconnect(error) => "client disconnected",
            Err(error) => return error.to_string().into(),
        };
        words.into()
    }
}

impl Drop for Tap<'_> {
    fn drop(&mut self) {
        if let Some(terminal) = &self.trace.terminal {
            terminal.closed(&self.connection(), self.closed_by_client.get());
        }
    }
}

fn is_disconnect(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
