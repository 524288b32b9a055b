//! Cuts the text of a script into chunks. A chunk without placeholders is framed here, so that playing it later allocates
//! nothing.

use crate::http::chunk::Framed;
use crate::script::placeholder::Value;
use crate::script::resume::{EventId, Position, ResumeTable};
use crate::script::template::{next_value, Segment, Template};
use crate::script::units::MIB;
use crate::script::{Chunk, Step, Wait};
use std::time::Duration;

/// Bytes that one `@fill` can ask for. The filler is held in memory as long as the script is.
pub(super) const MAX_FILL: u64 = 64 * MIB;

/// Where chunks end (`@chunk`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// After a blank line.
    Event,
    /// After every line.
    Line,
    /// At the next direction that does something.
    Whole,
    /// After `size` bytes, one chunk every `every`, or as `@pace` says.
    Pieces { size: u64, every: Option<Duration> },
}

/// The steps of a part, while it is parsed.
pub(super) struct Body {
    cut: Cut,
    /// The end of every line, if it is not the one in the file (`@eol`).
    pub line_end: Option<&'static [u8]>,
    /// Whether `{{` is ordinary text (`@literal`).
    pub literal: bool,
    /// The wait before every event, and between the chunks that `cut` makes of it (`@pace`).
    pace: Option<Duration>,
    steps: Vec<Step>,
    chunk: ChunkText,
    line: Line,
    /// The id of the current event, as a client would read it.
    id: Option<EventId>,
    resume: ResumeTable,
    /// The loops that are not closed yet.
    loops: Vec<OpenLoop>,
}

struct OpenLoop {
    /// The index of its first step.
    first_step: usize,
    /// Whether it has more than one turn.
    repeats: bool,
}

/// The text of the current chunk.
#[derive(Default)]
struct ChunkText {
    segments: Vec<Segment>,
    /// Bytes in all segments, placeholders not included.
    length: u64,
}

/// The current line of the event stream.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    /// It has a placeholder or filler, so its text is not all of it.
    is_opaque: bool,
    /// Whether a line came before it: only the first can begin with a byte order mark.
    is_later: bool,
    /// The line before ended with CR, so an LF now belongs to that line end.
    after_cr: bool,
    /// The line before was not blank, so this one belongs to the same event.
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

    /// Ends a chunk that ends at the next direction.
    pub fn end_whole_chunk(&mut self) {
        if self.cut == Cut::Whole {
            self.end_chunk();
        }
    }

    /// Sets where chunks end from now on.
    pub fn set_cut(&mut self, cut: Cut) {
        self.end_chunk();
        self.cut = cut;
    }

    /// Sets the wait before every event from now on.
    pub fn set_pace(&mut self, pace: Option<Duration>) {
        if let Cut::Pieces { every: None, .. } = self.cut {
            self.end_chunk();
        }
        self.pace = pace;
    }

    /// Adds a line of the file, with its end.
    pub fn line(&mut self, line: &[u8]) {
        let bare = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        match (bare, self.line_end) {
            (Some(bare), Some(line_end)) => {
                self.text(bare);
                self.plain(line_end);
            }
            _ => self.text(line),
        }
    }

    /// Adds filler, which has no line end, to the text around it.
    pub fn fill(&mut self, byte: u8, count: usize) {
        if count == 0 {
            return;
        }
        self.begin_event();
        self.line.is_opaque = true;
        self.chunk.push(&vec![byte; count]);
    }

    /// Adds text that is one chunk in one write.
    pub fn send(&mut self, text: Template) {
        self.end_chunk();
        self.pace();
        self.steps.push(Step::Flush);
        let (cut, pace) = (std::mem::replace(&mut self.cut, Cut::Whole), self.pace.take());
        for segment in text.0 {
            match segment {
                Segment::Text(text) => self.plain(&text),
                Segment::Value(value) => self.value(value),
            }
        }
        self.end_chunk();
        (self.cut, self.pace) = (cut, pace);
        self.steps.push(Step::Flush);
    }

    /// Adds a step after the text so far.
    pub fn step(&mut self, step: Step) {
        self.end_chunk();
        self.steps.push(step);
    }

    /// Begins a loop.
    pub fn repeat(&mut self, turns: Option<u64>, every: Duration) {
        self.step(Step::Repeat { turns, every });
        self.loops.push(OpenLoop { first_step: self.steps.len(), repeats: turns != Some(1) });
    }

    /// Ends the innermost loop.
    pub fn again(&mut self) {
        self.step(Step::Again);
        self.loops.pop();
    }

    /// Whether the innermost loop neither sends nor waits.
    pub fn loop_does_nothing(&self) -> bool {
        let first_step = self.loops.last().map_or(0, |open| open.first_step);
        let does = |step: &Step| matches!(step, Step::Chunk(_) | Step::Wire(_) | Step::Sleep(_));
        self.chunk.segments.is_empty() && !self.steps[first_step..].iter().any(does)
    }

    pub fn finish(mut self) -> (Vec<Step>, ResumeTable) {
        self.end_chunk();
        (self.steps, self.resume)
    }

    /// Adds text that may have placeholders.
    fn text(&mut self, mut text: &[u8]) {
        if !self.literal {
            while let Some((before, value, after)) = next_value(text) {
                self.plain(before);
                self.value(value);
                text = after;
            }
        }
        self.plain(text);
    }

    fn value(&mut self, value: Value) {
        self.begin_event();
        self.line.is_opaque = true;
        self.chunk.segments.push(Segment::Value(value));
    }

    /// Adds text without placeholders.
    fn plain(&mut self, mut text: &[u8]) {
        if self.line.after_cr && text.starts_with(b"\n") {
            self.line.after_cr = false;
            self.chunk.push(b"\n");
            text = &text[1..];
        }
        while !text.is_empty() {
            let (line, end) = line_at_start(text);
            if !line.is_empty() {
                self.begin_event();
            } else if self.cut == Cut::Line {
                self.pace();
            }
            self.chunk.push(&text[..end]);
            self.line.text.extend_from_slice(line);
            if line.len() < end {
                self.end_line(text[end - 1] == b'\r');
            }
            text = &text[end..];
        }
    }

    /// Notes that the current line is not blank.
    fn begin_event(&mut self) {
        self.pace();
        self.line.in_event = true;
        self.line.after_cr = false;
    }

    /// Waits as `@pace` says, if an event begins here, or a line that is a chunk.
    fn pace(&mut self) {
        let begins = self.line.is_blank() && (self.cut == Cut::Line || !self.line.in_event);
        if let Some(pace) = self.pace.filter(|_| begins) {
            self.step(Step::Sleep(Wait::Between(pace, pace)));
        }
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
        } else if let Some(id) = EventId::of_line(line.without_bom(), line.is_opaque) {
            self.id = Some(id);
        }
    }

    fn end_event(&mut self) {
        if let Some(id) = self.id.take() {
            let in_loop = self.loops.iter().any(|open| open.repeats);
            self.resume.add(id, Position { step: self.steps.len(), skip: self.chunk.length }, in_loop);
        }
    }

    fn end_chunk(&mut self) {
        let text = Template(std::mem::take(&mut self.chunk).segments);
        if text.0.is_empty() {
            return;
        }
        let chunk = match (self.cut, text.as_plain()) {
            (Cut::Pieces { size, every }, _) => Chunk::Pieces {
                text,
                size: usize::try_from(size).unwrap_or(usize::MAX),
                every: every.or(self.pace).unwrap_or_default(),
            },
            (_, Some(plain)) => Chunk::Framed(Framed::new(plain)),
            (_, None) => Chunk::Rendered(text),
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
        self.text.is_empty() && !self.is_opaque
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
