//! Writes a trace for people to read: a line for each line on the wire, `>` from the client and `<` from the server, with
//! the standard's name for it, and `*` for everything else that happens.

use super::exchange::{Connection, Exchange};
use super::wire_parser::{PieceKind, WireParser};
use crate::text::escape::{escape, ARROW};
use crate::text::lock::lock;
use std::fmt;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

const FROM_CLIENT: char = '>';
const FROM_SERVER: char = '<';

const CYAN: &str = "\x1b[36m";
/// Unlike yellow, it can be read on light and on dark terminals.
const MAGENTA: &str = "\x1b[35m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const DEFAULT: &str = "";
const RESET: &str = "\x1b[0m";

/// A trace.
pub struct Terminal {
    color: bool,
    output: Mutex<Output>,
}

struct Output {
    writer: Box<dyn Write + Send>,
    /// The connection that the last line belongs to, if that line was data. A line of data after it continues it and
    /// does not repeat the name.
    data_of: Option<u64>,
}

impl Terminal {
    /// A trace that goes to `writer`, each line in one write, with ANSI colors or without.
    pub fn new(writer: impl Write + Send + 'static, color: bool) -> Terminal {
        Terminal { color, output: Mutex::new(Output { writer: Box::new(writer), data_of: None }) }
    }

    /// Shows that a connection was opened.
    pub fn opened(&self, connection: &Connection) {
        let text = format!("connection from {}", connection.address);
        self.note(connection, "open", &text);
    }

    /// Shows that a connection was closed.
    pub fn closed(&self, connection: &Connection, by_client: bool) {
        self.note(connection, "closed", if by_client { "by the client" } else { "by the server" });
    }

    /// Shows a piece of a message; `message` is in the state after it.
    pub fn piece(&self, connection: &Connection, message: &WireParser, kind: PieceKind, bytes: &[u8]) {
        let arrow = if message.is_response { FROM_SERVER } else { FROM_CLIENT };
        let size;
        let remark = match kind {
            PieceKind::ChunkSize if bytes.ends_with(b"\n") => {
                size = format!("{0:#x} = {0} bytes of chunk-data follow", message.chunk_size);
                &size
            }
            PieceKind::Crlf if message.is_complete() => "the body is complete",
            PieceKind::Crlf => "the chunk ends",
            PieceKind::LastChunk => "no more chunks follow",
            PieceKind::Malformed if message.is_response => "clients cannot parse what follows",
            PieceKind::Malformed => "invalid syntax",
            _ => "",
        };
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.write(connection, arrow, kind, line, remark);
        }
    }

    /// Shows that the script waits: for `time`, or until the client disconnects.
    pub fn wait(&self, connection: &Connection, time: Option<Duration>) {
        let text = match time {
            Some(time) => {
                let milliseconds = (time.as_micros() + 500) / 1_000;
                format!("{}.{:03} s until the script continues", milliseconds / 1_000, milliseconds % 1_000)
            }
            None => "until the client disconnects".to_owned(),
        };
        self.note(connection, "wait", &text);
    }

    /// Shows that the script waits in a pause.
    pub fn pause(&self, connection: &Connection, name: &str) {
        self.note(connection, "wait", &format!("until the pause `{name}` is released"));
    }

    /// Shows the outcome of an expectation of the script.
    pub fn expectation(&self, connection: &Connection, outcome: &str) {
        self.note(connection, "expect", &escape(outcome));
    }

    /// Shows how a response ended, after what was sent of it.
    pub fn end(&self, exchange: &Exchange, how: &str) {
        let Exchange { connection, response, chunks, events, .. } = exchange;
        let mut text = String::new();
        for (count, unit) in [(response.body_bytes, "byte"), (*chunks, "chunk"), (events.count, "event")] {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                text += &format!("{count} {unit}{plural}, ");
            }
        }
        self.note(connection, "end", &(text + how));
    }

    /// Shows an exchange whose response is one of the server's own pages or a file, in one line.
    pub fn internal(&self, exchange: &Exchange, how: &str) {
        let Exchange { connection, response, .. } = exchange;
        let [method, target, status] = [exchange.method(), exchange.target(), exchange.status()].map(escape);
        let text = format!("{method} {target}: {status}, {} bytes, {how}", response.body_bytes);
        self.note(connection, "internal", &text);
    }

    /// Shows a line of an event stream, or as much of it as was sent, with a remark on what it does.
    pub fn event_stream_line(&self, connection: &Connection, kind: PieceKind, line: &[u8], remark: &str) {
        self.write(connection, FROM_SERVER, kind, line, remark);
    }

    fn write(&self, connection: &Connection, arrow: char, kind: PieceKind, line: &[u8], remark: &str) {
        // Locked until the line is written, so that no other line can come between.
        let mut output = lock(&self.output);
        let continues = kind.is_data() && output.data_of == Some(connection.number);
        output.data_of = kind.is_data().then_some(connection.number);
        let mut text = self.paint(color_of(arrow, kind), &escape(line));
        if !remark.is_empty() {
            text += &self.paint(GREEN, &format!(" {ARROW} {remark}"));
        }
        output.write(connection, arrow, if continues { "" } else { kind.as_str() }, &text);
    }

    fn note(&self, connection: &Connection, name: &str, text: &str) {
        let mut output = lock(&self.output);
        output.data_of = None;
        output.write(connection, '*', name, &self.paint(GREEN, text));
    }

    fn paint(&self, color: &str, text: &str) -> String {
        if self.color && !color.is_empty() {
            format!("{color}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

impl Output {
    /// Writes a line in one write, so that lines do not mix with what others write to the same terminal.
    fn write(&mut self, connection: &Connection, arrow: char, name: &str, text: &str) {
        let (number, age) = (connection.number, connection.age());
        let number = format!("#{number}");
        let age = format!("{}.{:03}", age.as_secs(), age.subsec_millis());
        // The two share 11 columns, so that what follows them is aligned for up to 9,999 connections.
        let width = 11_usize.saturating_sub(number.len() + 1);
        let line = format!("{number} {age:>width$} {arrow} {name:<13} {text}");
        let line = format!("{}\n", line.trim_end_matches(' '));
        // An error is ignored: clients are served even when nobody reads the trace any more.
        let _ = self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.flush());
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("color", &self.color).finish_non_exhaustive()
    }
}

fn color_of(arrow: char, kind: PieceKind) -> &'static str {
    if kind == PieceKind::Malformed {
        RED
    } else if arrow == FROM_CLIENT {
        CYAN
    } else if kind.is_data() {
        DEFAULT
    } else {
        MAGENTA
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::mpsc::{channel, Sender};
    use std::time::Instant;

    struct Writes(Sender<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.write(b"(flushed)").map(drop)
        }
    }

    #[test]
    fn a_line_is_one_write_and_flushed() {
        let (sender, writes) = channel();
        let terminal = Terminal::new(Writes(sender), true);
        let address = "127.0.0.1:9".parse().unwrap();
        let now = Instant::now();
        let connection = Connection { number: 7, address, accepted_at: now, request_began: now };
        let request = WireParser::for_requests();
        terminal.piece(&connection, &request, PieceKind::RequestLine, b"GET / HTTP/1.1\r\n");
        drop(terminal);
        let writes: Vec<Vec<u8>> = writes.iter().collect();
        assert_eq!(writes.len(), 2);
        let line = String::from_utf8_lossy(&writes[0]);
        assert!(line.starts_with("#7    0.0"), "{line}");
        assert!(line.ends_with(" > request line  \x1b[36mGET / HTTP/1.1\\r\\n\x1b[0m\n"), "{line}");
        assert_eq!(writes[1], b"(flushed)");
    }
}
