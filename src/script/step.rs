//! One step of a part: what the server does.

use super::placeholder::Name;
use super::repeat::{Every, Turns};
use super::template::Template;
use crate::http::gzip::GzipFlush;
use crate::text::shared::SharedBytes;
use std::sync::Arc;
use std::time::Duration;

/// A step as it is played.
#[derive(Clone, Copy, Debug)]
pub enum NextStep<'a> {
    /// Sends this text as a chunk.
    Text(&'a [u8]),
    /// Makes what follows due this much later.
    Sleep(Duration),
    /// Writes what was gathered now, apart from what follows (`@cut`, `@send`).
    Flush,
    /// Any other.
    Other(&'a Step),
}

/// One thing that the server does, unless it is played as another variant of [`NextStep`].
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends a chunk.
    Chunk(Chunk),
    /// Sends bytes outside of the framing, and if the head was not sent yet, instead of it (`@wire`).
    Wire(Template),
    /// Sends the head now and not with the first chunk (`@open`).
    Open,
    /// Makes what follows due this much later (`@sleep`, `@pace`).
    Sleep(Wait),
    /// Waits until a test releases it by this name (`@pause`).
    Pause(Arc<str>),
    /// Counts `{{elapsed}}` from now (`@clock`).
    Clock,
    /// Refuses connections to the port of the client for this time (`@down`).
    Down(Duration),
    /// From now on, sends a comment whenever nothing else was sent for this long (`@keepalive`).
    Keepalive {
        /// The time since the last bytes.
        every: Duration,
        /// The comment with its line end.
        comment: Box<SharedBytes>,
    },
    /// Sends the body as gzip (`@gzip`).
    Gzip(GzipFlush),
    /// From now on, closes the connection when the body has this many bytes (`@drop after`).
    DropAfter(u64),
    /// Begins a loop (`@repeat`).
    Repeat {
        /// How often the lines are played.
        turns: Turns,
        /// The time from the beginning of one turn to that of the next.
        every: Box<Every>,
    },
    /// Ends the innermost loop: goes back to the step after its `Repeat`, or on (`@again`).
    Again,
}

impl Step {
    /// The names of all placeholders in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        let templates = match self {
            Step::Chunk(chunk) => [Some(chunk.text()), None],
            Step::Wire(text) | Step::Sleep(Wait::Requested(text)) => [Some(text), None],
            Step::Repeat { turns, every } => [turns.template(), every.template()],
            _ => [None, None],
        };
        templates.into_iter().flatten().flat_map(Template::names)
    }
}

/// How long a `@sleep` takes.
#[derive(Clone, Debug)]
pub enum Wait {
    /// At least the first and at most the second, chosen anew each time.
    Between(Duration, Duration),
    /// The time or range that the request contains.
    Requested(Template),
    /// The pace, if the request sets it (`?-pace=40ms`) or sets how often it applies (`?-cut=line`).
    Pace(Duration),
}

/// Text that is sent as a chunk, if it is not a [`NextStep::Text`].
#[derive(Clone, Debug)]
pub enum Chunk {
    /// Text with placeholders, whose values are inserted each time; or text without any that is too long for
    /// [`Steps`](super::steps::Steps) to copy.
    Rendered(Template),
    /// Text that is cut into chunks, each in a separate write (`@chunk N every T`).
    Pieces {
        /// The whole text.
        text: Box<Template>,
        /// Bytes in a chunk, at least 1.
        size: u32,
        /// The time from one chunk to the next.
        every: Duration,
        /// Whether the request sets this time or the size (`?-cut=1`).
        is_requested: bool,
    },
}

impl Chunk {
    /// The whole text.
    pub fn text(&self) -> &Template {
        match self {
            Chunk::Rendered(text) => text,
            Chunk::Pieces { text, .. } => text,
        }
    }
}
