//! Cuts a script's text into chunks, and frames at once what has no placeholder: playing it later allocates nothing.

use crate::http::chunk::{Framed, MAX_SHORT};
use crate::script::resume::{EventId, Position, ResumeTable};
use crate::script::template::{next_value, Segment, Template};
use crate::script::{Chunk, Step, Wait};
use std::time::Duration;

/// Octets of filler above which it is no longer written out when the script is loaded.
const MAX_WRITTEN_OUT: u64 = 1024;

/// Where a chunk ends by itself (`@chunk`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// After a blank line.
    Event,
    /// After every line.
    Line,
    /// At the next direction that does something.
    Whole,
    /// After so many octets, this long after the one before.
    Octets(u64, Duration),
}

/// Steps under construction.
pub(super) struct Body {
    cut: Cut,
    /// What lines end with, if not as in the file (`@eol`).
    pub line_end: Option<&'static [u8]>,
    /// Whether `{{` is text like any other (`@literal`).
    pub literal: bool,
    /// A wait before every event (`@pace`).
    pub pace: Option<Duration>,
    steps: Vec<Step>,
    chunk: ChunkText,
    line: Line,
    /// The id of the event being read, as a client would understand it.
    id: Option<EventId>,
    resume: ResumeTable,
    /// The loops that are open: the place of their first step, and whether they have one turn only.
    loops: Vec<(usize, bool)>,
}

/// The text of the chunk under construction.
#[derive(Default)]
struct ChunkText {
    segments: Vec<Segment>,
    /// Octets in all segments, not counting placeholders.
    length: u64,
}

/// The line of the event stream under construction.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    /// It holds something that is not known yet, or filler.
    has_placeholder: bool,
    /// Whether a line came before it: only the first can begin with a byte order mark.
    is_later: bool,
    /// The line before ended with CR: an LF now would be the rest of its end.
    after_cr: bool,
    /// The line before was not blank: this one belongs to the same event.
    in_event: bool,
}

impl Body {
    pub fn new() -> Body {
        Body {
            cut: Cut::Event,
            line_end: None,
            literal: false,
            pace: None,
            steps: Vec::new(),
            chunk: ChunkText::default(),
            line: Line::default(),
            id: None,
            resume: ResumeTable::default(),
            loops: Vec::new(),
        }
    }

    /// Ends a chunk that goes on to the next direction.
    pub fn end_whole_chunk(&mut self) {
        if self.cut == Cut::Whole {
            self.end_chunk();
        }
    }

    /// Sets where chunks end from here on.
    pub fn set_cut(&mut self, cut: Cut) {
        self.end_chunk();
        self.cut = cut;
    }

    /// Adds a line of the file, with its end.
    pub fn line(&mut self, line: &[u8]) {
        let bare = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        match (bare, self.line_end) {
            (Some(bare), Some(line_end)) => {
                self.text(bare);
                self.written(line_end);
            }
            _ => self.text(line),
        }
    }

    /// Adds filler, joined to the text around it.
    pub fn fill(&mut self, byte: u8, count: u64) {
        if count == 0 {
            return;
        }
        self.begin_event();
        self.line.has_placeholder = true;
        if count <= MAX_WRITTEN_OUT {
            return self.chunk.push(&vec![byte; count as usize]);
        }
        self.chunk.segments.push(Segment::Fill(byte, count));
        self.chunk.length += count;
    }

    /// Adds text that is a chunk of its own and leaves in a write of its own.
    pub fn send(&mut self, text: Template) {
        self.end_chunk();
        self.steps.push(Step::Flush);
        let cut = std::mem::replace(&mut self.cut, Cut::Whole);
        for segment in text.0 {
            match segment {
                Segment::Text(text) => self.written(&text),
                other => self.value(other),
            }
        }
        self.end_chunk();
        self.cut = cut;
        self.steps.push(Step::Flush);
    }

    /// Adds a step; the text so far leaves before it.
    pub fn step(&mut self, step: Step) {
        self.end_chunk();
        self.steps.push(step);
    }

    /// Begins a loop.
    pub fn repeat(&mut self, turns: Option<u64>, every: Option<Duration>) {
        self.step(Step::Repeat { turns, every });
        self.loops.push((self.steps.len(), turns == Some(1)));
    }

    /// Ends the innermost loop; `false` when there is none.
    pub fn again(&mut self) -> bool {
        self.end_chunk();
        match self.loops.pop() {
            Some((body, _)) => {
                self.steps.push(Step::Again { body });
                true
            }
            None => false,
        }
    }

    /// Whether the innermost loop would turn without sending or waiting.
    pub fn loop_does_nothing(&self) -> bool {
        let body = self.loops.last().map_or(0, |(body, _)| *body);
        let does = |step: &Step| matches!(step, Step::Chunk(_) | Step::Wire(_) | Step::Sleep(_));
        self.chunk.segments.is_empty() && !self.steps[body..].iter().any(does)
    }

    pub fn finish(mut self) -> (Vec<Step>, ResumeTable) {
        self.end_chunk();
        (self.steps, self.resume)
    }

    /// Adds text as it stands, but for the placeholders in it.
    fn text(&mut self, mut text: &[u8]) {
        while let (false, Some((before, value, after))) = (self.literal, next_value(text)) {
            self.written(before);
            self.value(Segment::Value(value));
            text = after;
        }
        self.written(text);
    }

    fn value(&mut self, segment: Segment) {
        self.begin_event();
        self.line.has_placeholder = true;
        self.chunk.segments.push(segment);
    }

    /// Adds text without placeholders.
    fn written(&mut self, mut text: &[u8]) {
        if self.line.after_cr && text.starts_with(b"\n") {
            self.line.after_cr = false;
            self.chunk.push(b"\n");
            text = &text[1..];
        }
        while !text.is_empty() {
            let (line, end) = line_at_start(text);
            if !line.is_empty() {
                self.begin_event();
            }
            self.chunk.push(&text[..end]);
            self.line.text.extend_from_slice(line);
            if line.len() < end {
                self.end_line(text[end - 1] == b'\r');
            }
            text = &text[end..];
        }
    }

    /// Waits before an event that begins here, if there is a pace.
    fn begin_event(&mut self) {
        let begins = !self.line.in_event && self.line.is_blank();
        if let (true, Some(pace)) = (begins, self.pace) {
            self.step(Step::Sleep(Wait::Between(pace, pace)));
        }
        self.line.in_event = true;
        self.line.after_cr = false;
    }

    fn end_line(&mut self, after_cr: bool) {
        let line = std::mem::take(&mut self.line);
        let is_blank = line.is_blank();
        self.line = Line { is_later: true, after_cr, in_event: !is_blank, ..Line::default() };
        if self.cut == Cut::Line || (self.cut == Cut::Event && is_blank) {
            self.end_chunk();
        }
        if is_blank {
            self.end_event();
        } else if let Some(id) = EventId::of_line(line.without_bom(), line.has_placeholder) {
            self.id = Some(id);
        }
    }

    fn end_event(&mut self) {
        if let Some(id) = self.id.take() {
            let in_loop = self.loops.iter().any(|(_, once)| !once);
            self.resume.add(id, Position { step: self.steps.len(), skip: self.chunk.length }, in_loop);
        }
    }

    fn end_chunk(&mut self) {
        let segments = std::mem::take(&mut self.chunk).segments;
        let pieces = match self.cut {
            Cut::Octets(size, every) => Some((size, every)),
            _ => None,
        };
        let chunk = match (segments.as_slice(), pieces) {
            ([], _) => return,
            ([Segment::Text(only)], None) => Chunk::Framed(Framed::new(only)),
            _ => {
                let at_most = segments.iter().map(Segment::at_most).sum::<Option<usize>>();
                let at_most = at_most.filter(|octets| pieces.is_none() && *octets <= MAX_SHORT);
                Chunk::Template { segments, pieces, at_most }
            }
        };
        self.steps.push(Step::Chunk(chunk));
    }
}

impl ChunkText {
    fn push(&mut self, text: &[u8]) {
        self.length += text.len() as u64;
        match self.segments.last_mut() {
            Some(Segment::Text(last)) => last.extend_from_slice(text),
            _ if text.is_empty() => {}
            _ => self.segments.push(Segment::Text(text.to_vec())),
        }
    }
}

impl Line {
    fn is_blank(&self) -> bool {
        self.text.is_empty() && !self.has_placeholder
    }

    fn without_bom(&self) -> &[u8] {
        match self.text.strip_prefix(b"\xEF\xBB\xBF") {
            Some(text) if !self.is_later => text,
            _ => &self.text,
        }
    }
}

/// The first line of an event stream, without and with its end: LF, CR LF or CR (WHATWG, section 9.2.5).
fn line_at_start(text: &[u8]) -> (&[u8], usize) {
    let length = text.iter().take_while(|&&byte| byte != b'\n' && byte != b'\r').count();
    let end = match &text[length..] {
        [] => 0,
        [b'\r', b'\n', ..] => 2,
        _ => 1,
    };
    (&text[..length], length + end)
}

#[cfg(test)]
mod tests;
