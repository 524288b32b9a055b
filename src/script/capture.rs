//! Turns a response, as pieces of bytes with the times at which they arrived, into a script that sends the same bytes at
//! the same times.
//!
//! ```text
//! HTTP/1.1 200 OK                    @literal on          `{{ }}` in the response is text, not a placeholder
//! content-type: text/event-stream    @chunk whole         chunks end at directions only
//! x-request-id: 7                    @header x-request-id: 7
//!                                    @sleep 300ms         the time to the first byte
//! data: one                          data: one
//!
//! data: tw          (a pause)        @send data: tw       the beginning of a line
//!                                    @sleep 1200ms
//! o                                  o                    the rest of it
//! ```
//!
//! What no direction can send is sent by `@wire`: a head that is cut off or invalid, and chunks that are cut off or malformed.
//! Chunk extensions are left out, and a chunk with a pause in it becomes two.

mod head;
mod writer;

use crate::http::dechunk::ChunkDecoder;
use crate::http::field::field_lines;
use crate::http::Progress;
use crate::script::head::field_line;
use head::{head_length, is_content_coding, Body, Direction, FinalHead, Head};
use std::mem::take;
use std::time::Duration;
use writer::Writer;

/// What a head begins with.
const HTTP: &[u8] = b"HTTP/";

/// A response that is being captured.
#[derive(Default)]
pub struct Capture {
    writer: Writer,
    state: State,
    /// Bytes that are not in the script yet: of a head, or of the line around the chunks that is being read.
    held: Vec<u8>,
    /// Whether the next bytes can still be the beginning of another head.
    is_after_head: bool,
    decoder: ChunkDecoder,
    /// When the last bytes of the head arrived; `None` when it has been sent, or there is none.
    head_at: Option<Duration>,
    /// Whether the head says that the connection is closed after a complete body.
    closes: bool,
    /// Directions for the head, held back until the first bytes of the body show whether curl has decoded it.
    deferred: Vec<Direction>,
    /// Whether `@framing chunked` is needed, should the body stay empty.
    needs_framing: bool,
}

/// What the next byte belongs to.
#[derive(Default)]
enum State {
    /// The head, or the body of a response that is captured without its head.
    #[default]
    Head,
    /// The first line of a body that was chunked when it was sent, or whose head is missing. It shows whether the body is
    /// chunked.
    FirstLine { has_head: bool },
    /// A body that is not chunked. This much of it is missing, if that is known.
    Plain(Option<u64>),
    /// A chunked body.
    Chunked,
    /// Nothing: the body is complete, or there is none.
    Complete,
    /// A chunked body with an error in its framing, after which no chunk can be found.
    Malformed,
}

impl Capture {
    /// Adds bytes that arrived at this time after the request. Returns the next lines of the script.
    pub fn add(&mut self, at: Duration, bytes: &[u8]) -> Vec<u8> {
        self.after_head(at, bytes);
        if self.is_after_head {
            return Vec::new();
        }
        self.writer.take()
    }

    /// Adds bytes, or begins anew if they are a head after a head: that of a redirect which curl follows, of a proxy, or of a
    /// response that asks for authentication. curl prints no body between them, and the last response is the one that is wanted.
    fn after_head(&mut self, at: Duration, bytes: &[u8]) {
        if !self.is_after_head {
            return self.push(at, bytes);
        }
        self.held.extend_from_slice(bytes);
        let is_head = self.held.starts_with(HTTP);
        if !is_head && HTTP.starts_with(&self.held) {
            return;
        }
        let start = take(&mut self.held);
        if is_head {
            *self = Capture::default();
        }
        self.is_after_head = false;
        self.push(at, &start);
    }

    fn push(&mut self, at: Duration, bytes: &[u8]) {
        match &mut self.state {
            State::Head => self.head(at, bytes),
            State::FirstLine { .. } => self.first_line(at, bytes),
            State::Plain(left) => {
                *left = left.map(|left| left.saturating_sub(bytes.len() as u64));
                self.data(at, bytes);
                self.writer.write_complete_lines();
            }
            State::Chunked => self.chunks(at, bytes),
            State::Complete => {}
            State::Malformed => self.wire(at, bytes),
        }
    }

    /// Ends the response at this time. Returns the last lines of the script.
    pub fn end(mut self, at: Duration) -> Vec<u8> {
        if take(&mut self.is_after_head) {
            let start = take(&mut self.held);
            self.push(at, &start);
        }
        let held = take(&mut self.held);
        self.write_deferred(false);
        match self.state {
            State::Complete => {
                if self.closes {
                    self.writer.direction("close", b"");
                }
            }
            // Nothing but this part of the head is sent, and the connection is closed.
            State::Head if held.starts_with(HTTP) => {
                self.wire(self.head_at.unwrap_or(at), &held);
                self.wait_until(at);
            }
            State::Head | State::FirstLine { has_head: false } | State::Plain(None | Some(0)) => {
                self.data(at, &held);
                self.write_framing();
                self.wait_until(at);
                if self.closes {
                    self.writer.end_piece();
                    self.writer.direction("close", b"");
                }
            }
            State::FirstLine { .. } | State::Plain(_) | State::Chunked | State::Malformed => {
                self.end_unfinished(at, &held);
            }
        }
        self.writer.end()
    }

    /// Ends a response whose body is not complete. `held` is what arrived last and is not data.
    fn end_unfinished(&mut self, at: Duration, held: &[u8]) {
        self.end_unfinished_chunk(at);
        if !held.is_empty() {
            self.wire(at, held);
        }
        self.open();
        self.wait_until(at);
        self.writer.end_piece();
        self.writer.direction("drop", b"");
    }

    /// Adds to the head.
    fn head(&mut self, at: Duration, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.head_at = Some(at);
        let start = &self.held[..self.held.len().min(HTTP.len())];
        if !HTTP.starts_with(start) {
            self.state = State::FirstLine { has_head: false };
            self.head_at = None;
            let held = take(&mut self.held);
            return self.push(at, &held);
        }
        while let Some(length) = head_length(&self.held) {
            let rest = self.held.split_off(length);
            let bytes = std::mem::replace(&mut self.held, rest);
            match head::read(&bytes) {
                Head::Interim(head) => {
                    self.wire(at, &head);
                    continue;
                }
                Head::Final(head) => {
                    self.is_after_head = true;
                    self.write_head(at, head, bytes.starts_with(b"HTTP/1"));
                }
                // After such a head, the server sends the body as it is in the script, with the framing that is there.
                Head::Other => {
                    self.wire(at, &bytes);
                    self.state = State::Plain(None);
                }
            }
            let rest = take(&mut self.held);
            return self.after_head(at, &rest);
        }
    }

    /// Writes the directions for the final head, and sets the state that follows.
    fn write_head(&mut self, at: Duration, head: FinalHead, is_http_1: bool) {
        let has_body = !matches!(head.body, Body::None);
        let is_coded = has_body && head.directions.iter().any(is_content_coding);
        for direction in head.directions {
            if is_coded && (is_content_coding(&direction) || direction.1.starts_with(b"length")) {
                self.deferred.push(direction);
            } else {
                self.writer.direction(direction.0, &direction.1);
            }
        }
        self.head_at = Some(at);
        self.writer.is_head_sent = false;
        self.closes = head.closes;
        (self.state, self.needs_framing) = match head.body {
            Body::Chunked => (State::FirstLine { has_head: true }, true),
            // HTTP/2 has frames in place of chunks.
            Body::Plain(length) => (State::Plain(length), length.is_none() && !is_http_1),
            Body::None => (State::Complete, false),
        };
        if !has_body {
            self.writer.wait_until(at);
        }
    }

    /// Adds to the first line of a body, which is a chunk-size unless the chunks were decoded on the way here.
    fn first_line(&mut self, at: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.held.extend_from_slice(bytes);
        let line = self.held.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        let is_chunk_size = begins_chunk_size(line) && ChunkDecoder::endless().push(line, |_| {}).is_ok();
        if is_chunk_size && !line.ends_with(b"\n") {
            return;
        }
        let held = take(&mut self.held);
        self.decoder = ChunkDecoder::endless();
        self.state = if is_chunk_size { State::Chunked } else { State::Plain(None) };
        self.push(at, &held);
    }

    /// Adds to a chunked body.
    fn chunks(&mut self, at: Duration, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = self.decoder.left_in_chunk();
            let was_at_data_end = self.decoder.is_at_data_end();
            let length = left.clamp(1, bytes.len() as u64) as usize;
            let (next, rest) = bytes.split_at(length);
            let progress = self.decoder.push(next, |_| {});
            if left > 0 {
                self.data(at, next);
            } else {
                self.held.extend_from_slice(next);
            }
            match progress {
                Ok(Progress::More) if self.decoder.left_in_chunk() > 0 => self.held.clear(),
                Ok(Progress::More) if was_at_data_end && !self.decoder.is_at_data_end() => {
                    self.held.clear();
                    self.writer.end_chunk();
                }
                Ok(Progress::More) => {}
                Ok(Progress::Done(_)) => return self.complete(at),
                Err(_) => {
                    self.end_unfinished_chunk(at);
                    self.state = State::Malformed;
                    let line = take(&mut self.held);
                    return self.wire(at, &[&line, rest].concat());
                }
            }
            bytes = rest;
        }
    }

    /// Sends a chunk that is not complete as it is: its chunk-size, and as much of its data as has arrived.
    fn end_unfinished_chunk(&mut self, at: Duration) {
        let decoder = take(&mut self.decoder);
        let left = decoder.left_in_chunk();
        if left == 0 && !decoder.is_at_data_end() {
            return;
        }
        let data = self.writer.take_piece();
        let chunk = [format!("{:x}\r\n", data.len() as u64 + left).as_bytes(), &data].concat();
        if data.is_empty() {
            return self.wire(at, &chunk);
        }
        // The script has already waited for the data. `@open` comes first, because `@wire` does not send the head.
        if !self.writer.is_head_sent {
            self.writer.direction("open", b"");
        }
        self.writer.direction("wire", &writer::escaped(&chunk));
    }

    /// Ends a chunked body. The lines that are held are the last-chunk and the trailer section.
    fn complete(&mut self, at: Duration) {
        self.write_deferred(false);
        self.write_framing();
        self.wait_until(at);
        for line in field_lines(&take(&mut self.held)) {
            let line = [line.name.as_bytes(), b": ", line.value].concat();
            if field_line(&line).is_ok() {
                self.writer.direction("trailer", &line);
            }
        }
        self.state = State::Complete;
    }

    /// Adds to the decoded body.
    fn data(&mut self, at: Duration, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.write_deferred(matches!(self.state, State::Plain(_)) && is_text(bytes));
            self.needs_framing = false;
            self.wait_until(at);
            self.head_at = None;
            self.writer.add(bytes);
        }
    }

    /// Sends bytes outside the framing.
    fn wire(&mut self, at: Duration, bytes: &[u8]) {
        match self.state {
            State::Head => self.head_at = None,
            _ => {
                self.write_deferred(false);
                self.needs_framing = false;
                self.open();
            }
        }
        self.wait_until(at);
        self.writer.end_piece();
        self.writer.direction("wire", &writer::escaped(bytes));
    }

    /// Writes the directions that were held back. If curl has decoded the body (`--compressed`), the length in the head is not
    /// that of the body, and gzip is the one coding in which the server can send the body again.
    fn write_deferred(&mut self, is_decoded: bool) {
        for (name, argument) in take(&mut self.deferred) {
            if !is_decoded {
                self.writer.direction(name, &argument);
                continue;
            }
            self.state = State::Plain(None);
            if argument.to_ascii_lowercase().ends_with(b"gzip") {
                self.writer.direction("gzip", b"event");
            }
        }
    }

    /// Writes the framing of a body that is empty: without it, the server would send `content-length: 0`.
    fn write_framing(&mut self) {
        if take(&mut self.needs_framing) {
            self.writer.direction("framing", b"chunked");
        }
    }

    /// Sends the head, if it was not sent yet.
    fn open(&mut self) {
        if let Some(head_at) = self.head_at.take() {
            self.writer.wait_until(head_at);
            self.writer.direction("open", b"");
        }
    }

    /// Writes the time since the last wait. The head is sent before it, unless it arrived together with what follows.
    fn wait_until(&mut self, at: Duration) {
        if self.head_at.map_or(false, |head_at| writer::is_pause(at.saturating_sub(head_at))) {
            self.open();
        }
        self.writer.wait_until(at);
    }
}

/// Whether a body that begins with these bytes is text. A guess: brotli has no magic number.
fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xef\xbb")
        // The zlib format, which is the coding `deflate`, can begin with `x^`.
        || !bytes.starts_with(b"x^")
            && bytes.iter().take(2).all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

/// Whether a line with a chunk-size can begin with these bytes.
fn begins_chunk_size(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits > 0 && matches!(bytes.get(digits), None | Some(b'\r' | b';' | b' ' | b'\t'))
}
