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

use rust_sse_server::internals::{field_lines, ChunkDecoder, FieldLine, Progress};
use std::mem::{replace, take};
use std::time::Duration;

/// What a head begins with.
const HTTP: &[u8] = b"HTTP/";
/// Milliseconds. Shorter pauses come from the network, and not from the server.
const SHORTEST_PAUSE: u128 = 5;
/// Bytes of one line that are held back: its end decides how it is written. Longer lines are written in pieces.
const MAX_HELD: usize = 64 * 1024;
/// Field lines that belong to the connection, or that the server writes: the framing and the date.
const NOT_COPIED: [&str; 5] = ["transfer-encoding", "content-length", "connection", "keep-alive", "date"];
/// The field lines that a script's response has without `@header`.
const DEFAULTS: [(&str, &str); 2] = [("cache-control", "no-cache"), ("content-type", "text/event-stream")];

/// A response that is being captured.
pub struct Capture {
    /// The lines of the script that were not taken yet.
    script: Vec<u8>,
    state: State,
    /// Bytes of the response that are not in the script yet: the beginning of the head, or of a line of the body.
    held: Vec<u8>,
    /// The sum of all waits in the script, in milliseconds.
    waited: u128,
    /// When the head was complete; `None` when it is in the script, or there is none.
    head_at: Option<Duration>,
    /// Whether the last line is text, and not a direction, which would end a chunk.
    ends_with_text: bool,
    /// Whether the next byte of the body is the first one of a chunk.
    starts_chunk: bool,
    decoder: ChunkDecoder,
}

/// What the next byte belongs to.
enum State {
    /// The head, or the body of a response that is captured without its head.
    Head,
    /// The first line of a body that was chunked when it was sent. It tells whether it still is.
    FirstLine,
    /// A body that is not chunked. This much of it is missing, if that is known.
    Plain(Option<u64>),
    /// A chunked body.
    Chunked,
    /// Nothing: the chunked body is complete.
    Complete,
    /// Nothing that can be decoded. The script ends where the body does.
    Malformed,
}

impl Default for Capture {
    fn default() -> Capture {
        Capture {
            script: b"@literal on\n@chunk whole\n".to_vec(),
            state: State::Head,
            held: Vec::new(),
            waited: 0,
            head_at: None,
            ends_with_text: false,
            starts_chunk: false,
            decoder: ChunkDecoder::default(),
        }
    }
}

impl Capture {
    /// Adds bytes that arrived at this time after the request. Returns the next lines of the script.
    pub fn add(&mut self, at: Duration, bytes: &[u8]) -> Vec<u8> {
        self.push(at, bytes);
        take(&mut self.script)
    }

    fn push(&mut self, at: Duration, bytes: &[u8]) {
        match &mut self.state {
            State::Head => self.head(at, bytes),
            State::FirstLine => self.first_line(at, bytes),
            State::Plain(left) => {
                *left = left.map(|left| left.saturating_sub(bytes.len() as u64));
                self.data(at, bytes);
            }
            State::Chunked => self.chunks(at, bytes),
            State::Complete | State::Malformed => {}
        }
    }

    /// Ends the response at this time. Returns the last lines of the script.
    pub fn end(mut self, at: Duration) -> Vec<u8> {
        let is_cut_off = matches!(
            self.state,
            State::FirstLine | State::Plain(Some(1..)) | State::Chunked | State::Malformed
        );
        if let State::Head | State::FirstLine = self.state {
            let held = take(&mut self.held);
            self.data(at, &held);
        }
        self.wait_until(at);
        if is_cut_off {
            self.send_held();
            self.direction("drop", b"");
        }
        let last = take(&mut self.held);
        self.line(&last);
        self.script
    }

    /// Adds to the head. Interim responses are left out.
    fn head(&mut self, at: Duration, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        let start = &self.held[..self.held.len().min(HTTP.len())];
        if !HTTP.starts_with(start) {
            self.state = State::Plain(None);
            let held = take(&mut self.held);
            return self.data(at, &held);
        }
        while let Some(length) = head_length(&self.held) {
            let rest = self.held.split_off(length);
            let head = replace(&mut self.held, rest);
            if status(&head).starts_with(b"1") {
                continue;
            }
            self.head_at = Some(at);
            self.state = self.write_head(&head);
            let rest = take(&mut self.held);
            return self.push(at, &rest);
        }
    }

    /// Writes the directions for a head. Returns the state that follows.
    fn write_head(&mut self, head: &[u8]) -> State {
        let status = status(head);
        if !matches!(status, b"200" | b"200 " | b"200 OK") {
            self.head_direction("status", status);
        }
        for (name, _) in DEFAULTS {
            if !field_lines(head).any(|line| line.is(name)) {
                self.direction("header", format!("-{name}").as_bytes());
            }
        }
        let mut names: Vec<String> = Vec::new();
        for FieldLine { name, value, .. } in field_lines(head) {
            let lower = name.to_ascii_lowercase();
            let is_default = DEFAULTS.iter().any(|&(name, usual)| name == lower && usual.as_bytes() == value);
            if !is_default && !NOT_COPIED.contains(&lower.as_str()) {
                let plus = if names.contains(&lower) { "+" } else { "" };
                self.head_direction("header", &[format!("{plus}{name}: ").as_bytes(), value].concat());
            }
            names.push(lower);
        }
        let value = |name: &str| field_lines(head).find(|line| line.is(name)).map(|line| line.value);
        if value("transfer-encoding").map_or(false, |coding| coding.ends_with(b"chunked")) {
            return State::FirstLine;
        }
        let length = value("content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let has_body = ![&b"204"[..], b"304"].contains(&&status[..status.len().min(3)]);
        match length {
            Some(length) => self.direction("framing", format!("length {length}").as_bytes()),
            // HTTP/2 has frames in place of chunks.
            None if has_body && head.starts_with(b"HTTP/1") => self.direction("framing", b"close"),
            None => {}
        }
        State::Plain(length)
    }

    /// Adds to the first line of a body, which is a chunk-size unless the chunks were decoded on the way here.
    fn first_line(&mut self, at: Duration, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        let line = self.held.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        let is_chunk_size = ChunkDecoder::default().push(line, |_| {}).is_ok();
        if is_chunk_size && !line.ends_with(b"\n") {
            return;
        }
        let held = take(&mut self.held);
        if is_chunk_size {
            self.state = State::Chunked;
            self.chunks(at, &held);
        } else {
            self.state = State::Plain(None);
            self.data(at, &held);
        }
    }

    /// Adds to a chunked body. Shortcut: chunk extensions and the trailer section are left out.
    fn chunks(&mut self, at: Duration, bytes: &[u8]) {
        let mut data = Vec::new();
        for &byte in bytes {
            let is_data = self.decoder.left_in_chunk() > 0;
            match self.decoder.push(&[byte], |_| {}) {
                Ok(Progress::More) => {}
                Ok(Progress::Done(_)) => self.state = State::Complete,
                Err(_) => self.state = State::Malformed,
            }
            if !matches!(self.state, State::Chunked) {
                break;
            }
            if is_data {
                data.push(byte);
            } else if self.decoder.left_in_chunk() > 0 {
                self.data(at, &take(&mut data));
                self.starts_chunk = true;
            }
        }
        self.data(at, &data);
    }

    /// Adds to the decoded body.
    fn data(&mut self, at: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.wait_until(at);
        if take(&mut self.starts_chunk) {
            self.end_chunk();
        }
        self.held.extend_from_slice(bytes);
        let end = self.held.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.held.split_off(end);
        for line in replace(&mut self.held, rest).split_inclusive(|&byte| byte == b'\n') {
            self.line(line);
        }
        if self.held.len() > MAX_HELD {
            self.send_held();
        }
    }

    /// Ends the chunk of what was added so far. Shortcut: if it ends in the middle of a line, it is divided before that line.
    fn end_chunk(&mut self) {
        if self.held.is_empty() && self.ends_with_text {
            self.direction("cut", b"");
        }
        self.send_held();
    }

    /// Writes the time since the last wait, unless it is too short.
    fn wait_until(&mut self, at: Duration) {
        if let Some(head_at) = self.head_at.take() {
            // The head is sent with the first byte of the body, unless the script sends it before.
            if at.saturating_sub(head_at).as_millis() >= SHORTEST_PAUSE {
                self.wait_until(head_at);
                self.direction("open", b"");
            }
        }
        let pause = at.as_millis().saturating_sub(self.waited);
        if pause >= SHORTEST_PAUSE {
            self.send_held();
            self.direction("sleep", format!("{pause}ms").as_bytes());
            self.waited += pause;
        }
    }

    /// Sends the beginning of a line now.
    fn send_held(&mut self) {
        let held = take(&mut self.held);
        if !held.is_empty() {
            self.direction("send", &escaped(&held));
        }
    }

    /// Writes a line of the body.
    fn line(&mut self, line: &[u8]) {
        if line.starts_with(b"@") {
            self.script.push(b'@');
        }
        self.script.extend_from_slice(line);
        self.ends_with_text = true;
    }

    fn direction(&mut self, name: &str, argument: &[u8]) {
        let line = [b"@", name.as_bytes(), b" ", argument].concat();
        self.script.extend_from_slice(line.strip_suffix(b" ").unwrap_or(&line));
        self.script.push(b'\n');
        self.ends_with_text = false;
    }

    /// Writes a direction for the head, or, where `{{` in it would be a placeholder, a remark.
    fn head_direction(&mut self, name: &str, argument: &[u8]) {
        if argument.windows(2).any(|pair| pair == b"{{") {
            self.script.extend_from_slice(b"@# left out: ");
        }
        self.direction(name, argument);
    }
}

/// Bytes of a head, with the empty line at its end; `None` if that is missing.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    bytes.split_inclusive(|&byte| byte == b'\n').find_map(|line| {
        length += line.len();
        matches!(line, b"\n" | b"\r\n").then(|| length)
    })
}

/// The status code and the reason phrase of a head.
fn status(head: &[u8]) -> &[u8] {
    let line = head.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    line.splitn(2, |&byte| byte == b' ').nth(1).unwrap_or_default()
}

/// The bytes as TEXT of `@send`.
fn escaped(bytes: &[u8]) -> Vec<u8> {
    let is_utf_8 = std::str::from_utf8(bytes).is_ok();
    let last = bytes.len() - 1;
    let mut text = Vec::new();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            b'\\' => text.extend(b"\\\\"),
            // White space at the ends is not part of TEXT.
            b' ' if at == 0 || at == last => text.extend(b"\\s"),
            b' '..=b'~' => text.push(byte),
            0x80.. if is_utf_8 => text.push(byte),
            _ => text.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    text
}
