//! Shows what goes over the wire in both directions: on a terminal (`--trace`), in a log (`--log`), and to observers
//! (`/-/wire`).
//!
//! A [`Tap`](tap::Tap) is attached to each connection and sees every byte that the system accepted or delivered. While nobody
//! watches, it costs one look at an atomic number for each request.
//!
//! | module | what it does |
//! |---|---|
//! | [`exchange`] | what is known of a connection, a request and its response |
//! | [`log`] | a line for each request and one for each end |
//! | [`observers`] | events for clients that watch over HTTP |
//! | [`playing`] | which lines of a script bytes come from |
//! | [`recording`] | what goes over the connections of one test case |
//! | [`secrets`] | what observers and the log do not show |
//! | [`tap`] | sees the bytes of one connection, and what else happens there |
//! | [`terminal`] | a line for each line on the wire |
//! | [`wire_parser`] | names the pieces of a message |

pub mod exchange;
pub mod log;
pub mod observers;
pub mod playing;
pub mod recording;
pub mod secrets;
pub mod tap;
pub mod terminal;
pub mod wire_parser;

use crate::http::field::FieldLine;
use exchange::Exchange;
use log::Log;
use observers::Observers;
use secrets::without_secrets;
use terminal::Terminal;
use wire_parser::PieceKind;

/// Everything that shows the traffic of a server.
#[derive(Debug, Default)]
pub struct Trace {
    /// Shows every byte.
    pub terminal: Option<Terminal>,
    /// Has a line for each request and one for each end.
    pub log: Option<Log>,
    /// Clients that watch over HTTP.
    pub observers: Observers,
    /// Whether `/` is the server's page.
    pub has_page: bool,
    /// Whether [`Tap::ended`](tap::Tap::ended) has to report how responses end.
    pub reports_ends: bool,
}

impl Trace {
    /// Shows a piece of a request.
    fn request_piece(&self, exchange: &mut Exchange, kind: PieceKind, bytes: &[u8]) {
        if let Some(value) = value_in(kind, bytes, "last-event-id") {
            exchange.last_event_id = Some(value.to_vec());
        }
        if kind == PieceKind::RequestLine {
            exchange.is_internal = self.is_internal(exchange.request.path());
        }
        if let Some(terminal) = self.terminal.as_ref().filter(|_| !exchange.is_internal) {
            terminal.piece(&exchange.connection, &exchange.request, kind, bytes);
        }
        if let Some(bytes) = without_secrets(kind, bytes) {
            self.observers.piece(exchange, "client", kind, &bytes);
        }
    }

    /// Shows a piece of a response.
    fn response_piece(&self, exchange: &mut Exchange, kind: PieceKind, bytes: &[u8]) {
        let Exchange { connection, response, events, chunks, is_internal, .. } = exchange;
        let terminal = self.terminal.as_ref().filter(|_| !*is_internal);
        if kind == PieceKind::ChunkSize && bytes.ends_with(b"\n") {
            *chunks += 1;
        }
        if kind.is_data() && response.is_event_stream {
            for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                match terminal {
                    Some(terminal) => {
                        let remark = events.push_line(line);
                        terminal.event_stream_line(connection, kind, line, &remark);
                    }
                    None => events.count_line(line),
                }
            }
        } else if let Some(terminal) = terminal {
            terminal.piece(connection, response, kind, bytes);
        }
        exchange.playing.see(bytes);
        self.observers.piece(exchange, "server", kind, bytes);
        if let Some(location) = value_in(kind, bytes, "location") {
            self.observers.follow(exchange, location);
        }
    }

    /// Shows the end of a response.
    fn end(&self, exchange: &Exchange, how: &str) {
        match &self.terminal {
            Some(terminal) if exchange.is_internal => terminal.internal(exchange, how),
            Some(terminal) => terminal.end(exchange, how),
            None => {}
        }
        if let Some(log) = &self.log {
            log.end(exchange, how);
        }
        self.observers.end(exchange, how);
    }

    /// Whether this path is one of the server's own. The terminal does not show their bytes: with the page open, there
    /// would be little else.
    fn is_internal(&self, path: &[u8]) -> bool {
        path.starts_with(b"/-/") || (path == b"/" && self.has_page)
    }

    fn is_watched(&self) -> bool {
        self.terminal.is_some() || self.log.is_some() || self.reports_ends || self.observers.are_present()
    }
}

/// The value of a piece that is a field line with this name.
fn value_in<'a>(kind: PieceKind, line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    if kind != PieceKind::FieldLine {
        return None;
    }
    let field = FieldLine::parse(line.strip_suffix(b"\r\n")?).ok()?;
    field.is(name).then_some(field.value)
}
