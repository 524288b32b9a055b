//! What a chunk's text consists of at the moment it is sent, and the pieces it is cut into.

use crate::script::context::RenderContext;
use crate::script::template::{Segment, Shown, MAX_DIGITS};
use std::time::Duration;

/// How a text is cut while it is sent.
pub(super) struct Pieces {
    pub size: u64,
    pub every: Duration,
    /// Octets still to be sent.
    pub left: u64,
    pub left_in_piece: u64,
    pub begun: bool,
}

impl Pieces {
    pub fn new(pieces: Option<(u64, Duration)>, length: u64) -> Pieces {
        let (size, every) = pieces.unwrap_or((u64::MAX, Duration::ZERO));
        Pieces { size, every, left: length, left_in_piece: 0, begun: false }
    }

    /// Whether each piece leaves in a write of its own.
    pub fn leave_alone(&self) -> bool {
        self.size != u64::MAX
    }
}

/// Bytes to be sent, wherever they come from.
pub(super) enum Run<'t> {
    Text(&'t [u8]),
    Fill(u8, u64),
    Value(Shown<'t>),
}

impl Run<'_> {
    pub fn length(&self) -> u64 {
        match self {
            Run::Text(text) => text.len() as u64,
            Run::Fill(_, count) => *count,
            Run::Value(value) => value.as_bytes(&mut [0; MAX_DIGITS]).len() as u64,
        }
    }
}

/// What `segments` stand for, without the first `skip` octets of their text and the values among those.
pub(super) fn runs<'t>(
    segments: &'t [Segment],
    mut skip: u64,
    context: &'t RenderContext<'t>,
) -> impl Iterator<Item = Run<'t>> {
    segments.iter().filter_map(move |segment| match segment {
        Segment::Text(text) => {
            let skipped = skip.min(text.len() as u64);
            skip -= skipped;
            Some(Run::Text(&text[skipped as usize..]))
        }
        Segment::Fill(byte, count) => {
            let skipped = skip.min(*count);
            skip -= skipped;
            Some(Run::Fill(*byte, count - skipped))
        }
        Segment::Value(_) if skip > 0 => None,
        Segment::Value(value) => Some(Run::Value(value.shown(context))),
    })
}
