//! Writes the lines of a captured script: text, directions and waits.

use std::mem::take;
use std::time::Duration;

/// Shorter pauses come from the network, and not from the server.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// Bytes of a chunk that are held back: its last byte decides how it is written. A longer chunk is divided if it ends
/// in the middle of a line.
const MAX_HELD: usize = 16 * 1024 * 1024;

/// The script so far.
pub(super) struct Writer {
    /// The lines that were not taken yet.
    script: Vec<u8>,
    /// Text that is not in the script yet: what arrived since the last pause, or since the last chunk ended.
    piece: Vec<u8>,
    /// The sum of all waits in the script, in milliseconds.
    waited: u128,
    /// Whether a chunk ended with the last line, which is text. A direction would end it, and `@cut` does nothing else.
    needs_cut: bool,
    /// Whether the script already makes the server send the head.
    pub is_head_sent: bool,
}

impl Default for Writer {
    fn default() -> Writer {
        let script = b"@literal on\n@chunk whole\n".to_vec();
        Writer { script, piece: Vec::new(), waited: 0, needs_cut: false, is_head_sent: false }
    }
}

/// Whether this is a pause of the server.
pub(super) fn is_pause(time: Duration) -> bool {
    time >= SHORTEST_PAUSE
}

impl Writer {
    /// Takes the lines that are complete.
    pub fn take(&mut self) -> Vec<u8> {
        take(&mut self.script)
    }

    /// Ends the script. Returns the lines that are left.
    pub fn end(mut self) -> Vec<u8> {
        let last = take(&mut self.piece);
        self.write(&last);
        self.script
    }

    /// Adds text of the body.
    pub fn add(&mut self, bytes: &[u8]) {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() > MAX_HELD {
            self.write_complete_lines();
        }
        if self.piece.len() > MAX_HELD {
            self.end_piece();
        }
    }

    /// Writes the lines of the piece that are complete.
    pub fn write_complete_lines(&mut self) {
        let end = self.piece.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.piece.split_off(end);
        let lines = std::mem::replace(&mut self.piece, rest);
        self.write(&lines);
    }

    /// Removes the piece without writing it.
    pub fn take_piece(&mut self) -> Vec<u8> {
        take(&mut self.piece)
    }

    /// Writes the piece as it has to be written if a direction follows.
    pub fn end_piece(&mut self) {
        let piece = take(&mut self.piece);
        if piece.is_empty() || piece.ends_with(b"\n") {
            self.write(&piece);
        } else {
            self.direction("send", &escaped(&piece));
        }
    }

    /// Ends a chunk. What follows is not sent together with it.
    pub fn end_chunk(&mut self) {
        let is_text = self.piece.ends_with(b"\n");
        self.end_piece();
        self.needs_cut = is_text;
    }

    /// Writes the time since the last wait, unless it is too short.
    pub fn wait_until(&mut self, at: Duration) {
        let pause = at.as_millis().saturating_sub(self.waited);
        if pause >= SHORTEST_PAUSE.as_millis() {
            self.end_piece();
            self.direction("sleep", format!("{pause}ms").as_bytes());
            self.waited += pause;
        }
    }

    /// Writes a direction.
    pub fn direction(&mut self, name: &str, argument: &[u8]) {
        let line = [b"@", name.as_bytes(), b" ", argument].concat();
        self.script.extend_from_slice(line.strip_suffix(b" ").unwrap_or(&line));
        self.script.push(b'\n');
        self.needs_cut = false;
        self.is_head_sent |= matches!(name, "open" | "send" | "wire");
    }

    /// Writes lines of the body.
    fn write(&mut self, lines: &[u8]) {
        if take(&mut self.needs_cut) && !lines.is_empty() {
            self.direction("cut", b"");
        }
        self.is_head_sent |= !lines.is_empty();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b"@") {
                self.script.push(b'@');
            }
            self.script.extend_from_slice(line);
        }
    }
}

/// The bytes as TEXT of `@send` and `@wire`.
pub(super) fn escaped(bytes: &[u8]) -> Vec<u8> {
    let is_utf_8 = std::str::from_utf8(bytes).is_ok();
    let last = bytes.len().saturating_sub(1);
    let mut text = Vec::new();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => text.extend(b"\\n"),
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
