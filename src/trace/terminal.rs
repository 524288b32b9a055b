//! Sends nothing: a trace for people to read, on stderr. A line for each line on the wire, `>` from the client and `<`
//! from the server, with the standard's word for it, and `*` for what happens beside.

use super::{Connection, Exchange, Side};
use crate::text::escape::escape;
use crate::trace::wire_parser::{Name, WireParser};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A trace on stderr.
#[derive(Debug)]
pub struct Terminal {
    coloured: bool,
    /// The name of the last line of each kind, so that one that goes on can be told from one that begins.
    last: Mutex<Option<(u64, Name)>>,
}

/// Stands before a remark of ours, and is escaped where it comes over the wire.
const REMARK: char = crate::text::escape::ARROW;
const REQUEST: &str = "\x1b[36m";
const FRAMING: &str = "\x1b[33m";
const NOTE: &str = "\x1b[32m";
const FAULT: &str = "\x1b[31m";
const PLAIN: &str = "";
const RESET: &str = "\x1b[0m";

impl Terminal {
    /// A trace with colours or without.
    pub fn new(coloured: bool) -> Terminal {
        Terminal { coloured, last: Mutex::default() }
    }

    /// A connection has been opened.
    pub fn opened(&self, connection: &Connection) {
        self.note(
            connection.client,
            connection.age(),
            "open",
            &format!("connection from {}", connection.address),
        );
    }

    /// A connection has been closed.
    pub fn closed(&self, client: u64, age: Duration, by_client: bool) {
        self.note(client, age, "closed", if by_client { "by the client" } else { "by the server" });
    }

    /// A piece of a head, or of the framing; `message` as it is with it.
    pub fn piece(&self, connection: &Connection, message: &WireParser, name: Name, bytes: &[u8]) {
        let side = if message.is_response { Side::Server } else { Side::Client };
        let size;
        let remark = match name {
            Name::ChunkSize if bytes.ends_with(b"\n") => {
                size = format!("{0:#x} = {0} bytes of chunk-data follow", message.chunk_size);
                &size
            }
            Name::Crlf if message.is_complete() => "the body is complete",
            Name::Crlf => "the chunk ends",
            Name::LastChunk => "there are no more",
            Name::Malformed if message.is_response => "no client can read on from here",
            Name::Malformed => "against the grammar",
            _ => "",
        };
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.write(connection, side, name, part, remark);
        }
    }

    /// Data of an event stream, a line of it at most, with the types and last event IDs of the events it completes.
    pub fn data(
        &self,
        connection: &Connection,
        name: Name,
        bytes: &[u8],
        is_comment: bool,
        dispatched: &[(String, String)],
    ) {
        let mut remark = String::new();
        for (kind, id) in dispatched {
            remark += if remark.is_empty() { "an empty line: " } else { ", " };
            remark += &dispatches(kind, id);
        }
        // Where lines end with CR, one piece can hold both.
        if is_comment && remark.is_empty() {
            remark += "a comment, for nobody";
        }
        self.write(connection, Side::Server, name, bytes, &remark);
    }

    /// A wait begins.
    pub fn wait(&self, connection: &Connection, time: Option<Duration>) {
        let time = time.map_or("until the client leaves".to_owned(), |time| {
            let milliseconds = (time.as_micros() as u64 + 500) / 1_000;
            format!("{}.{:03} s until the script goes on", milliseconds / 1_000, milliseconds % 1_000)
        });
        self.note(connection.client, connection.age(), "wait", &time);
    }

    /// An answer has ended.
    pub fn end(&self, exchange: &Exchange, how: &str) {
        let Exchange { connection, response, chunks, events, .. } = exchange;
        let mut text = String::new();
        for (count, what) in [(response.octets, "byte"), (*chunks, "chunk"), (*events, "event")] {
            if count > 0 {
                text += &format!("{count} {what}{}, ", if count == 1 { "" } else { "s" });
            }
        }
        self.note(connection.client, connection.age(), "end", &(text + how));
    }

    fn write(&self, connection: &Connection, side: Side, name: Name, bytes: &[u8], remark: &str) {
        // Held until the line is written, so that none can come between.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_data = matches!(name, Name::ChunkData | Name::Content);
        let before = last.replace((connection.client, name));
        let goes_on = is_data && before == Some((connection.client, name));
        let (arrow, colour) = match (side, name) {
            (_, Name::Malformed) => (arrow(side), FAULT),
            (Side::Client, _) => ('>', REQUEST),
            (_, Name::ChunkData | Name::Content) => ('<', PLAIN),
            _ => ('<', FRAMING),
        };
        let word = if goes_on { "" } else { name.as_str() };
        let remark = if remark.is_empty() { String::new() } else { format!(" {REMARK} {remark}") };
        let text = escape(bytes);
        let parts = [(colour, text.as_str()), (NOTE, &remark)];
        self.line(connection.client, connection.age(), arrow, word, &parts);
    }

    fn note(&self, client: u64, age: Duration, word: &str, text: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = None;
        self.line(client, age, '*', word, &[(NOTE, text)]);
    }

    /// One line in one write, so that those of many clients do not mix. Every byte of its parts, each with its colour, is
    /// ours or made visible.
    fn line(&self, client: u64, age: Duration, arrow: char, word: &str, parts: &[(&str, &str)]) {
        let (seconds, milliseconds) = (age.as_secs(), age.subsec_millis());
        let mut line = format!("#{client} {seconds:>3}.{milliseconds:03} {arrow} {word:<13} ");
        for (colour, text) in parts {
            match self.coloured && !colour.is_empty() && !text.is_empty() {
                true => line.extend([colour, text, RESET]),
                false => line.push_str(text),
            }
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        // Without stderr there is nobody to show it to.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

fn dispatches(kind: &str, id: &str) -> String {
    let kind = escape(kind.as_bytes());
    match escape(id.as_bytes()) {
        id if id.is_empty() => format!("event `{kind}` is dispatched, no last event ID"),
        id => format!("event `{kind}` is dispatched, last event ID `{id}`"),
    }
}

fn arrow(side: Side) -> char {
    match side {
        Side::Client => '>',
        Side::Server => '<',
    }
}
