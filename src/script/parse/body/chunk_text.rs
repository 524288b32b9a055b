//! Gathers the text of a chunk, with the lines of the file that it comes from.

use crate::script::lines::Lines;
use crate::script::placeholder::Value;
use crate::script::template::Segment;
use crate::text::shared::SharedBytes;

/// The text of the current chunk.
#[derive(Clone, Default)]
pub(super) struct ChunkText {
    pub segments: Vec<Segment>,
    /// Bytes in all segments, placeholders not included.
    pub length: u64,
    /// The lines that it comes from; `None` while there is no text.
    pub lines: Option<Lines>,
}

impl ChunkText {
    /// Notes that text comes from this line.
    fn note_line(&mut self, line: usize) {
        let line = Lines::one(line);
        self.lines = Some(Lines { first: self.lines.unwrap_or(line).first, ..line });
    }

    /// Adds a placeholder in this line.
    pub fn push_value(&mut self, value: Value, line: usize) {
        self.note_line(line);
        self.segments.push(Segment::Value(value));
    }

    /// Adds text without placeholders in this line, which is not empty. It usually is a part of the script, whose text is
    /// not copied.
    pub fn push(&mut self, text: &[u8], script: &SharedBytes, line: usize) {
        self.note_line(line);
        self.length += text.len() as u64;
        match self.segments.last_mut() {
            Some(Segment::Text(last)) => last.push(text),
            _ => self.segments.push(Segment::Text(script.part(text))),
        }
    }
}
