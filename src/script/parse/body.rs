//! Cuts the text of a script into chunks. A chunk without placeholders is a part of that text, so that it takes no further
//! memory, and playing it allocates nothing.

mod chunk_text;
mod stream_line;

use super::warnings::Warnings;
use crate::script::lines::Lines;
use crate::script::needs::Needs;
use crate::script::placeholder::Value;
use crate::script::repeat::{Every, Turns};
use crate::script::resume::{EventId, Position, ResumeTable};
use crate::script::steps::Steps;
use crate::script::template::{next_value, Segment, Template};
use crate::script::units::MIB;
use crate::script::{Chunk, Step, Wait};
use crate::text::shared::SharedBytes;
use chunk_text::ChunkText;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use stream_line::{line_at_start, StreamLine};

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
#[derive(Clone)]
pub(super) struct Body {
    /// The text of the script, which its chunks share.
    script: SharedBytes,
    /// Whether clients can resume after an event, so that its ID is needed.
    can_resume: bool,
    cut: Cut,
    /// The end of every line, if it is not the one in the file (`@eol`).
    pub line_end: Option<&'static [u8]>,
    /// Whether `{{` is ordinary text (`@literal`).
    pub literal: bool,
    /// The wait before every event, and between the chunks that `cut` makes of it (`@pace`).
    pace: Option<Duration>,
    /// Whether the request sets the pace or where chunks end, and so decides how long that takes.
    pub waits_are_requested: bool,
    /// The line of the file that is parsed.
    pub file_line: usize,
    /// The steps that all parts share.
    pub common: Arc<Steps>,
    /// The steps that follow those.
    pub steps: Steps,
    /// The event types so far.
    pub event_types: BTreeSet<String>,
    /// What the placeholders so far need.
    pub needs: Needs,
    pub warnings: Warnings,
    chunk: ChunkText,
    stream_line: StreamLine,
    /// The id of the current event, as a client would read it, and the innermost loop that its line is in.
    id: Option<(EventId, Option<usize>)>,
    pub resume: ResumeTable,
    /// The loops that are not closed yet, each inside the one before.
    pub loops: Vec<OpenLoop>,
}

/// A loop that is not closed yet.
#[derive(Clone)]
pub(super) struct OpenLoop {
    /// The line of its `@repeat`.
    pub file_line: usize,
    /// The index of its first step.
    first_step: usize,
    pub turns: Turns,
    /// Whether it neither sends nor waits.
    pub is_idle: bool,
    /// Whether an event ends in it.
    ends_event: bool,
}

impl Body {
    pub fn new(script: SharedBytes, can_resume: bool) -> Body {
        Body {
            steps: Steps::new(script.clone()),
            script,
            can_resume,
            cut: Cut::Event,
            line_end: None,
            literal: false,
            pace: None,
            waits_are_requested: false,
            file_line: 0,
            common: Arc::default(),
            event_types: BTreeSet::new(),
            needs: Needs::default(),
            warnings: Warnings::default(),
            chunk: ChunkText::default(),
            stream_line: StreamLine::default(),
            id: None,
            resume: ResumeTable::default(),
            loops: Vec::new(),
        }
    }

    /// Moves the steps so far to where clones share them.
    pub fn share(&mut self) {
        self.end_chunk();
        self.common = Arc::new(std::mem::replace(&mut self.steps, Steps::new(self.script.clone())));
        self.resume.share();
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
        self.stream_line.end_known(None);
        self.chunk.push(&vec![byte; count], &self.script, self.file_line);
    }

    /// Adds text that is one chunk in one write.
    pub fn send(&mut self, text: Template) {
        self.end_chunk();
        self.pace();
        self.push_flush();
        let (cut, pace) = (std::mem::replace(&mut self.cut, Cut::Whole), self.pace.take());
        for segment in text.0 {
            match segment {
                Segment::Text(text) => self.plain(&text),
                Segment::Value(value) => self.value(value),
            }
        }
        self.end_chunk();
        (self.cut, self.pace) = (cut, pace);
        self.push_flush();
    }

    /// Adds a step after the text so far.
    pub fn step(&mut self, step: Step) {
        self.end_chunk();
        self.push(step);
    }

    /// Adds a step that the current line stands for.
    fn push(&mut self, step: Step) {
        if matches!(step, Step::Wire(_) | Step::Sleep(_) | Step::Pause(_)) {
            self.note_activity();
        }
        self.needs.add(self.file_line, step.names());
        self.steps.push(step, Lines::one(self.file_line));
    }

    /// Ends the chunk here, and sends it apart from what follows.
    pub fn flush(&mut self) {
        self.end_chunk();
        self.push_flush();
    }

    fn push_flush(&mut self) {
        self.steps.push_flush(Lines::one(self.file_line));
    }

    /// Notes that the open loops send something or wait.
    fn note_activity(&mut self) {
        self.loops.iter_mut().for_each(|open| open.is_idle = false);
    }

    /// Begins a loop.
    pub fn repeat(&mut self, turns: Turns, every: Every) {
        self.step(Step::Repeat { turns: turns.clone(), every: Box::new(every) });
        let (file_line, first_step) = (self.file_line, self.next_step());
        self.loops.push(OpenLoop { file_line, first_step, turns, is_idle: true, ends_event: false });
    }

    /// Ends the innermost loop and returns it; `None` if no loop is open.
    pub fn again(&mut self) -> Option<OpenLoop> {
        self.end_chunk();
        let closed = self.loops.pop()?;
        if closed.turns.repeats() && closed.ends_event {
            self.end_event_in_next_turn(&closed);
        }
        self.push(Step::Again);
        Some(closed)
    }

    /// Ends an event that the next turn of this loop ends. A client that continues after it begins with the first turn,
    /// which may send the event again but loses nothing.
    fn end_event_in_next_turn(&mut self, closed: &OpenLoop) {
        if let Some((id, _)) = self.id.take() {
            self.resume.add(id, Position { step: closed.first_step, skip: 0, turn: None }, true);
        }
        if closed.turns == Turns::Endless {
            self.warnings.end_event();
        }
    }

    /// Ends the body.
    pub fn end(&mut self) {
        self.end_chunk();
        if !self.stream_line.is_blank() {
            let line = std::mem::take(&mut self.stream_line);
            self.read_line(&line);
        }
    }

    /// The index of the next step.
    fn next_step(&self) -> usize {
        self.common.len() + self.steps.len()
    }

    /// Adds text that may have placeholders.
    fn text(&mut self, mut text: &[u8]) {
        if !self.literal {
            while let Some((before, value, after)) = next_value(text) {
                self.warnings.add_text(self.file_line, before);
                self.warnings.add_text_before_value(self.file_line, before);
                self.plain(before);
                self.value(value);
                text = after;
            }
            self.warnings.add_text(self.file_line, text);
        }
        self.plain(text);
    }

    fn value(&mut self, value: Value) {
        self.begin_event();
        self.needs.add(self.file_line, value.names());
        self.stream_line.end_known(value.added_to_turn());
        self.chunk.push_value(value, self.file_line);
    }

    /// Adds text without placeholders.
    fn plain(&mut self, mut text: &[u8]) {
        if self.stream_line.after_cr && text.starts_with(b"\n") {
            self.stream_line.after_cr = false;
            self.chunk.push(b"\n", &self.script, self.file_line);
            text = &text[1..];
        }
        while !text.is_empty() {
            let (line, end) = line_at_start(text);
            if !line.is_empty() {
                self.begin_event();
            } else if self.cut == Cut::Line {
                self.pace();
            }
            self.chunk.push(&text[..end], &self.script, self.file_line);
            self.stream_line.text.extend_from_slice(line);
            if line.len() < end {
                self.end_line(text[end - 1] == b'\r');
            }
            text = &text[end..];
        }
    }

    /// Notes that the current line is not blank.
    fn begin_event(&mut self) {
        self.pace();
        self.stream_line.in_event = true;
        self.stream_line.after_cr = false;
    }

    /// Waits as `@pace` says, if an event begins here, or a line that is a chunk.
    fn pace(&mut self) {
        let begins = self.stream_line.is_blank() && (self.cut == Cut::Line || !self.stream_line.in_event);
        if let Some(pace) = self.pace.filter(|_| begins) {
            let is_requested = self.waits_are_requested;
            self.step(Step::Sleep(if is_requested { Wait::Pace(pace) } else { Wait::Between(pace, pace) }));
        }
    }

    fn end_line(&mut self, after_cr: bool) {
        let next = self.stream_line.next_line(after_cr);
        let line = std::mem::replace(&mut self.stream_line, next);
        let is_blank = line.is_blank();
        if self.cut == Cut::Line || (self.cut == Cut::Event && is_blank) {
            self.end_chunk();
        }
        if is_blank {
            self.end_event();
        } else {
            self.read_line(&line);
        }
    }

    /// Takes from a line of the event stream what a client takes from it.
    fn read_line(&mut self, line: &StreamLine) {
        let text = line.known_text();
        let id = if self.can_resume { line.id(self.loops.last().map(|open| &open.turns)) } else { None };
        if let Some(id) = id {
            if id == EventId::Placeholder {
                self.warnings.add_unknown_id(self.file_line);
            }
            self.id = Some((id, self.innermost_loop()));
        }
        if let Some(event_type) = text.strip_prefix(b"event:").filter(|_| line.is_whole()) {
            let event_type = event_type.strip_prefix(b" ").unwrap_or(event_type);
            if !event_type.is_empty() {
                self.event_types.insert(String::from_utf8_lossy(event_type).into_owned());
            }
        }
        if !self.literal && (line.is_whole() || text.contains(&b':')) {
            self.warnings.add_line(self.file_line, text);
        }
    }

    fn end_event(&mut self) {
        self.warnings.end_event();
        self.loops.iter_mut().for_each(|open| open.ends_event = true);
        let position = Position { step: self.next_step(), skip: self.chunk.length, turn: None };
        match self.id.take() {
            Some((EventId::Turn(id), id_loop)) if id_loop == self.innermost_loop() => {
                let in_loop = self.loops.iter().rev().skip(1).any(|open| open.turns.repeats());
                self.resume.add(EventId::Turn(id), position, in_loop);
            }
            // The turn is that of another loop, so it does not say where this event is.
            Some((EventId::Turn(_), _)) => {
                self.warnings.add_unknown_id(self.file_line);
                self.resume.add(EventId::Placeholder, position, true);
            }
            Some((id, _)) => {
                let in_loop = self.loops.iter().any(|open| open.turns.repeats());
                self.resume.add(id, position, in_loop);
            }
            None => {}
        }
    }

    /// The index of the first step of the innermost loop.
    fn innermost_loop(&self) -> Option<usize> {
        self.loops.last().map(|open| open.first_step)
    }

    fn end_chunk(&mut self) {
        let ChunkText { segments, lines, .. } = std::mem::take(&mut self.chunk);
        let (text, lines) = match lines {
            Some(lines) => (Template(segments), lines),
            None => return,
        };
        self.note_activity();
        let chunk = match (self.cut, text.0.as_slice()) {
            (Cut::Pieces { size, every }, _) => Chunk::Pieces {
                text: Box::new(text),
                size: u32::try_from(size).unwrap_or(u32::MAX),
                every: every.or(self.pace).unwrap_or_default(),
                is_requested: self.waits_are_requested,
            },
            (_, [Segment::Text(plain)]) => return self.steps.push_text(plain.clone(), lines),
            _ => Chunk::Rendered(text),
        };
        self.steps.push(Step::Chunk(chunk), lines);
    }
}

#[cfg(test)]
mod tests;
