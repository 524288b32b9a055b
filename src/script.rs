//! A script is what one path puts on the wire: a head, then steps. The law: a captured event stream is a script. Every
//! line is sent as it stands; only a line that begins with `@` speaks to the server.
//!
//! `Script` and [`Step`] are this project's own words; everything else here is named as in RFC 9112 and the WHATWG
//! standard "Server-sent events".
//!
//! | module | what it does |
//! |---|---|
//! | [`parse`] | text to [`Script`]: the table of directions, mistakes with their lines |
//! | [`head`] | status and field lines of the answer |
//! | `body` | cuts text into chunks and frames them once, when the script is loaded |
//! | [`resume`] | where to go on for a client that comes back with `Last-Event-ID` |
//! | [`play`] | [`Script`] to bytes and waits |
//! | [`time`] | `80ms`, `1.5s`, `2m`, and `--speed` |
//! | [`catalogue`] | all scripts of a server, by path |

mod body;
pub mod catalogue;
pub mod head;
pub mod parse;
pub mod play;
pub mod resume;
pub mod time;

use crate::http::chunk::Framed;
use head::ScriptHead;
use resume::ResumeTable;
use std::time::Duration;

/// One path's answer, compiled: whatever can be framed in advance is.
#[derive(Debug)]
pub struct Script {
    /// What mistakes call it: usually the path of its file.
    pub file: String,
    /// The path it answers, percent-decoded, with its leading `/`.
    pub path: Vec<u8>,
    /// Status and field lines.
    pub head: ScriptHead,
    steps: Vec<Step>,
    resume: Option<ResumeTable>,
}

impl Script {
    /// Whether anything is sent after the head.
    pub fn has_body(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Chunk(_)))
    }

    /// Where a client starts that sent `last_event_id`; `None` when it has everything, which is answered with 204.
    ///
    /// Without `@resume` in the script, or without an id, that is the beginning.
    pub fn start(&self, last_event_id: Option<&[u8]>) -> Option<Position> {
        match (&self.resume, last_event_id) {
            (Some(table), Some(id)) => table.after(id),
            _ => Some(Position::default()),
        }
    }
}

/// One thing the server does, in order.
#[derive(Debug)]
pub enum Step {
    /// Sends a chunk.
    Chunk(Chunk),
    /// What follows is due this much later than what came before.
    Sleep(Duration),
    /// `{{elapsed}}` counts from when this is due.
    Clock,
}

/// A place in a script to play from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    step: usize,
    /// Octets of the text of that step, not counting placeholders, that are passed over.
    skip: usize,
}

/// What is sent as one chunk.
#[derive(Debug)]
pub enum Chunk {
    /// Always the same bytes, framed when the script was loaded.
    Framed(Framed),
    /// Bytes with placeholders among them, framed each time.
    Template(Vec<Segment>),
}

/// A part of a [`Chunk::Template`].
#[derive(Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes as they stand in the script.
    Text(Vec<u8>),
    /// A value that is known when the chunk is sent.
    Value(Placeholder),
}

/// What `{{ }}` can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{{elapsed}}`: whole milliseconds since `@clock` was due, or since the request.
    Elapsed,
}

impl Placeholder {
    /// The placeholder of this name.
    pub fn named(name: &[u8]) -> Option<Placeholder> {
        match name {
            b"elapsed" => Some(Placeholder::Elapsed),
            _ => None,
        }
    }
}
