//! Cuts a script's text into chunks, and frames at once what has no placeholder: playing it later allocates nothing.

use super::resume::{EventId, ResumeTable};
use super::{Chunk, Placeholder, Position, Segment, Step};
use crate::http::chunk::Framed;

/// Where a chunk ends by itself (`@chunk`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// After a blank line.
    Event,
    /// After every line.
    Line,
    /// At the next direction that does something.
    Whole,
}

/// Steps under construction.
pub(super) struct Body {
    pub cut: Cut,
    steps: Vec<Step>,
    chunk: ChunkText,
    line: Line,
    /// The id of the event being read, as a client would understand it.
    id: Option<EventId>,
    resume: ResumeTable,
}

/// The text of the chunk under construction.
#[derive(Default)]
struct ChunkText {
    segments: Vec<Segment>,
    /// Octets in all segments, not counting placeholders.
    length: usize,
}

/// The line of the event stream under construction.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    has_placeholder: bool,
    /// Whether a line came before it: only the first can begin with a byte order mark.
    is_later: bool,
}

impl Body {
    pub fn new() -> Body {
        Body {
            cut: Cut::Event,
            steps: Vec::new(),
            chunk: ChunkText::default(),
            line: Line::default(),
            id: None,
            resume: ResumeTable::default(),
        }
    }

    /// Adds text as it stands, but for the placeholders in it.
    pub fn text(&mut self, mut text: &[u8]) {
        while let Some((before, placeholder, after)) = next_placeholder(text) {
            self.literal(before);
            self.chunk.segments.push(Segment::Value(placeholder));
            self.line.has_placeholder = true;
            text = after;
        }
        self.literal(text);
    }

    /// Adds a step; the text so far leaves before it.
    pub fn step(&mut self, step: Step) {
        self.end_chunk();
        self.steps.push(step);
    }

    pub fn finish(mut self) -> (Vec<Step>, ResumeTable) {
        self.end_chunk();
        (self.steps, self.resume)
    }

    fn literal(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let (line, end) = line_at_start(text);
            self.chunk.push(&text[..end]);
            self.line.text.extend_from_slice(line);
            if line.len() < end {
                self.end_line();
            }
            text = &text[end..];
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::replace(&mut self.line, Line { is_later: true, ..Line::default() });
        let is_blank = line.text.is_empty() && !line.has_placeholder;
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
            self.resume.add(id, Position { step: self.steps.len(), skip: self.chunk.length });
        }
    }

    fn end_chunk(&mut self) {
        let text = std::mem::take(&mut self.chunk);
        let chunk = match text.segments.as_slice() {
            [] => return,
            [Segment::Text(only)] => Chunk::Framed(Framed::new(only)),
            _ => Chunk::Template(text.segments),
        };
        self.steps.push(Step::Chunk(chunk));
    }
}

impl ChunkText {
    fn push(&mut self, text: &[u8]) {
        self.length += text.len();
        match self.segments.last_mut() {
            Some(Segment::Text(last)) => last.extend_from_slice(text),
            _ => self.segments.push(Segment::Text(text.to_vec())),
        }
    }
}

impl Line {
    fn without_bom(&self) -> &[u8] {
        match self.text.strip_prefix(b"\xEF\xBB\xBF") {
            Some(text) if !self.is_later => text,
            _ => &self.text,
        }
    }
}

/// The first line of an event stream, without and with its end: LF, CR LF or CR (WHATWG, section 9.2.5).
fn line_at_start(text: &[u8]) -> (&[u8], usize) {
    let length = text.iter().take_while(|byte| !b"\r\n".contains(byte)).count();
    let end = match &text[length..] {
        [] => 0,
        [b'\r', b'\n', ..] => 2,
        _ => 1,
    };
    (&text[..length], length + end)
}

/// The first `{{name}}` with a known name: what stands before it, it, and what stands after it.
fn next_placeholder(text: &[u8]) -> Option<(&[u8], Placeholder, &[u8])> {
    let find = |from: usize, mark: &[u8]| {
        let found = text[from..].windows(2).position(|window| window == mark);
        found.map(|at| from + at)
    };
    let mut from = 0;
    while let Some(open) = find(from, b"{{") {
        let close = find(open + 2, b"}}")?;
        if let Some(placeholder) = Placeholder::named(&text[open + 2..close]) {
            return Some((&text[..open], placeholder, &text[close + 2..]));
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of every chunk, with `*` for a placeholder.
    fn chunks(cut: Cut, text: &[u8]) -> Vec<String> {
        let mut body = Body::new();
        body.cut = cut;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            body.text(line);
        }
        body.finish().0.iter().map(data).collect()
    }

    fn data(step: &Step) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Text(text) => text.escape_ascii().to_string(),
            Segment::Value(_) => "*".to_owned(),
        };
        match step {
            Step::Chunk(Chunk::Framed(chunk)) => chunk.data().escape_ascii().to_string(),
            Step::Chunk(Chunk::Template(segments)) => segments.iter().map(text).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cuts_after_blank_lines_whatever_ends_them() {
        assert_eq!(chunks(Cut::Event, b"a\n\nb\n\n"), [r"a\n\n", r"b\n\n"]);
        assert_eq!(chunks(Cut::Event, b"a\r\n\r\nb\r\n\r\n"), [r"a\r\n\r\n", r"b\r\n\r\n"]);
        assert_eq!(chunks(Cut::Event, b"a\r\rb\r\r"), [r"a\r\r", r"b\r\r"]);
        assert_eq!(chunks(Cut::Event, b"a\n\n\nb"), [r"a\n\n", r"\n", "b"]);
        assert!(chunks(Cut::Event, b"").is_empty());
    }

    #[test]
    fn cuts_after_lines_or_not_at_all() {
        assert_eq!(chunks(Cut::Line, b"a\nb\r\n\r"), [r"a\n", r"b\r\n", r"\r"]);
        assert_eq!(chunks(Cut::Whole, b"a\n\nb\n\nc"), [r"a\n\nb\n\nc"]);
    }

    #[test]
    fn a_line_with_a_placeholder_alone_is_not_blank() {
        assert_eq!(chunks(Cut::Event, b"a\n{{elapsed}}\n\nb"), [r"a\n*\n\n", "b"]);
    }

    #[test]
    fn an_unknown_name_in_braces_is_text() {
        assert_eq!(chunks(Cut::Whole, b"{{x}} {{}} {{elapsed} {{"), ["{{x}} {{}} {{elapsed} {{"]);
        assert_eq!(chunks(Cut::Whole, b"{{{elapsed}}}"), ["{*}"]);
        assert_eq!(chunks(Cut::Whole, b"{{a{{elapsed}}"), ["{{a*"]);
    }

    #[test]
    fn the_place_after_an_id_is_a_step_or_inside_one() {
        let place = |cut, id: &[u8]| {
            let mut body = Body::new();
            body.cut = cut;
            body.text(b"\xEF\xBB\xBFid: 1\n\ndata\nid: 2\n\nid: 3\n\n");
            body.finish().1.after(id)
        };
        assert_eq!(place(Cut::Event, b"1"), Some(Position { step: 1, skip: 0 }));
        assert_eq!(place(Cut::Event, b"2"), Some(Position { step: 2, skip: 0 }));
        assert_eq!(place(Cut::Line, b"2"), Some(Position { step: 5, skip: 0 }));
        assert_eq!(place(Cut::Whole, b"1"), Some(Position { step: 0, skip: 10 }));
        assert_eq!(place(Cut::Whole, b"3"), None);
    }
}
