//! Gathers a line of the event stream from the lines and directions of a script.

use crate::script::placeholder::Addend;
use crate::script::repeat::Turns;
use crate::script::resume::{EventId, TurnId};

/// The current line of the event stream.
#[derive(Clone, Default)]
pub(super) struct StreamLine {
    pub text: Vec<u8>,
    /// Bytes of text before the first placeholder or filler, after which its text is not all of it.
    known: Option<usize>,
    /// What is added to the turn of a loop in it, if that is its only placeholder.
    added_to_turn: Option<Addend>,
    /// Whether a line came before it: only the first can begin with a byte order mark.
    is_later: bool,
    /// The line before ended with CR, so an LF now belongs to that line end.
    pub after_cr: bool,
    /// The line before was not blank, so this one belongs to the same event.
    pub in_event: bool,
}

impl StreamLine {
    pub fn is_blank(&self) -> bool {
        self.text.is_empty() && self.is_whole()
    }

    /// The line that follows this one.
    pub fn next_line(&self, after_cr: bool) -> StreamLine {
        StreamLine { is_later: true, after_cr, in_event: !self.is_blank(), ..StreamLine::default() }
    }

    /// Notes that a placeholder or filler follows.
    pub fn end_known(&mut self, added_to_turn: Option<Addend>) {
        self.added_to_turn = added_to_turn.filter(|_| self.known.is_none());
        self.known.get_or_insert(self.text.len());
    }

    /// Whether the text is the whole line.
    pub fn is_whole(&self) -> bool {
        self.known.is_none()
    }

    /// The text before the first placeholder or filler, without a byte order mark at the beginning of the stream.
    pub fn known_text(&self) -> &[u8] {
        let text = &self.text[..self.known.unwrap_or(self.text.len())];
        match text.strip_prefix(b"\xEF\xBB\xBF") {
            Some(text) if !self.is_later => text,
            _ => text,
        }
    }

    /// The id that it gives its event. `turns` is those of the innermost loop, if there is one.
    pub fn id(&self, turns: Option<&Turns>) -> Option<EventId> {
        let value = EventId::value(self.known_text())?;
        match self.added_to_turn.clone().zip(turns.cloned()) {
            Some((plus, turns)) => {
                let (before, after) = (value.to_vec(), self.text[self.known.unwrap_or(0)..].to_vec());
                Some(EventId::Turn(TurnId { before, plus, after, turns }))
            }
            None => EventId::of_line(self.known_text(), !self.is_whole()),
        }
    }
}

/// The first line of an event stream, without and with its end: LF, CR LF or CR (WHATWG, section 9.2.5).
pub(super) fn line_at_start(text: &[u8]) -> (&[u8], usize) {
    let length = text.iter().take_while(|&&byte| byte != b'\n' && byte != b'\r').count();
    let end = match &text[length..] {
        [] => 0,
        [b'\r', b'\n', ..] => 2,
        _ => 1,
    };
    (&text[..length], length + end)
}
