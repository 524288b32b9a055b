//! A script is what one path puts on the wire: a head, then steps. The law: a captured event stream is a script. Every
//! line is sent as it stands; only a line that begins with `@` speaks to the server.
//!
//! `Script` and [`Step`] are this project's own words; everything else here is named as in RFC 9112 and the WHATWG
//! standard "Server-sent events".
//!
//! | module | what it does |
//! |---|---|
//! | `load` | scripts from text and from files |
//! | [`parse`] | text to [`Script`] |
//! | [`play`] | [`Script`] to bytes and waits |
//! | [`catalogue`] | all scripts of a server |
//! | [`route`] | which requests a script answers: `@on`, `@count` |
//! | [`condition`] | when a part of it answers: `@part` |
//! | [`head`] | status and field lines of the answer |
//! | [`template`] | placeholders, and the escapes of TEXT |
//! | [`context`] | what placeholders and conditions can use |
//! | `respond` | the head of the response to a request |
//! | [`resume`] | where to go on for a client that comes back with `Last-Event-ID` |
//! | [`units`] | `80ms`, `5M`, and `--speed` |
//! | `words` | splits lines into words, and quotes them in messages |

pub mod catalogue;
pub mod condition;
pub mod context;
pub mod head;
mod load;
pub mod parse;
pub mod play;
mod respond;
pub mod resume;
pub mod route;
pub mod template;
pub mod units;
mod words;

use crate::http::chunk::Framed;
use condition::Conditions;
use context::{RenderContext, RequestContext};
use head::ScriptHead;
use resume::{Position, ResumeTable};
use route::Route;
use std::time::Duration;
use template::{Segment, Template};

/// The answers to one kind of request, compiled: whatever can be framed in advance is.
#[derive(Debug)]
pub struct Script {
    /// What mistakes call it: usually the path of its file.
    pub(crate) file: String,
    /// The text of its first remark.
    pub(crate) about: String,
    /// Which requests it answers.
    pub(crate) route: Route,
    parts: Vec<Part>,
}

impl Script {
    /// The part that answers a request: the first whose conditions hold.
    pub fn part(&self, context: RequestContext<'_>) -> Option<&Part> {
        self.parts.iter().find(|part| part.conditions.hold(context))
    }

    /// The event types that stand in it, each once, as far as no placeholder is part of them.
    pub fn event_types(&self) -> Vec<String> {
        let mut types = Vec::new();
        for step in self.parts.iter().flat_map(|part| &part.steps) {
            match step {
                Step::Chunk(Chunk::Framed(chunk)) => add_event_types(chunk.data(), &mut types),
                Step::Chunk(Chunk::Template { segments, .. }) => {
                    let texts = segments.iter().filter_map(Segment::as_text);
                    texts.for_each(|text| add_event_types(text, &mut types));
                }
                _ => {}
            }
        }
        types
    }

    /// Whether a condition or a placeholder asks for the request's body.
    pub fn wants_body(&self) -> bool {
        self.parts.iter().any(Part::wants_body)
    }
}

/// Adds the event types in a piece of an event stream that are not among `types` yet.
fn add_event_types(text: &[u8], types: &mut Vec<String>) {
    for line in text.split(|byte| matches!(byte, b'\r' | b'\n')) {
        if let Some(value) = line.strip_prefix(b"event:") {
            let name = String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value)).into_owned();
            if !name.is_empty() && !types.contains(&name) {
                types.push(name);
            }
        }
    }
}

/// The longest wait that a request can decide. A client that has gone without a reset is noticed at the next write only,
/// and holds its place until then.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(10 * 60);

/// One answer of a script.
#[derive(Debug)]
pub struct Part {
    conditions: Conditions,
    /// Status and field lines.
    pub head: ScriptHead,
    /// How the end of the body is marked.
    pub framing: BodyFraming,
    steps: Vec<Step>,
    /// Field lines of the trailer section, each with its CR LF.
    trailer: Vec<u8>,
    /// What happens at the end.
    pub ending: Ending,
    resume: Option<ResumeTable>,
}

impl Part {
    /// Whether anything is sent after the head, or could be: a body that stays unfinished is one as well.
    pub fn has_body(&self) -> bool {
        let sends = |step: &Step| matches!(step, Step::Chunk(_) | Step::Wire(_) | Step::Keepalive(..));
        let stays_unfinished = !matches!(self.ending, Ending::End | Ending::Close);
        stays_unfinished || !self.trailer.is_empty() || self.steps.iter().any(sends)
    }

    /// Where a client starts; `None` when it has everything, which is answered with 204.
    ///
    /// Without `@resume` in the script, or without a last event ID, that is the beginning.
    pub fn start(&self, context: RequestContext<'_>) -> Option<Position> {
        match (&self.resume, context.last_event_id()) {
            (Some(table), Some(id)) => table.after(&id),
            _ => Some(Position::default()),
        }
    }

    /// Octets of the body from the beginning, when they are known in advance.
    pub fn body_length(&self) -> Option<u64> {
        let mut length: u64 = 0;
        // Of every loop that is open: its turns, and the length before it.
        let mut loops = Vec::new();
        for step in &self.steps {
            match step {
                Step::Chunk(chunk) => length = length.checked_add(chunk.length()?)?,
                Step::Wire(_) | Step::Keepalive(..) => return None,
                Step::Repeat { turns, .. } => loops.push(((*turns)?, std::mem::take(&mut length))),
                Step::Again { .. } => {
                    let (turns, before) = loops.pop()?;
                    length = length.checked_mul(turns)?.checked_add(before)?;
                }
                _ => {}
            }
        }
        Some(length)
    }

    /// Looks whether every wait that the request decides is a time.
    ///
    /// # Errors
    /// A message about the first that is none.
    pub fn check_waits(&self, context: RequestContext<'_>) -> Result<(), String> {
        for step in &self.steps {
            if let Step::Sleep(Wait::Requested(template)) = step {
                let context = RenderContext { turn: 1, ..RenderContext::of_head(context) };
                let (_, most) = units::parse_wait(&template.render(&context))?;
                if most > MAX_REQUESTED_WAIT {
                    return Err("a request can ask for a wait of 10 minutes at most (10m)".to_owned());
                }
            }
        }
        Ok(())
    }

    fn wants_body(&self) -> bool {
        let in_template = |template: &Template| template.0.iter().any(Segment::wants_body);
        let in_step = |step: &Step| match step {
            Step::Chunk(Chunk::Template { segments, .. }) => segments.iter().any(Segment::wants_body),
            Step::Wire(template) => in_template(template),
            Step::Sleep(Wait::Requested(template)) => in_template(template),
            _ => false,
        };
        self.conditions.want_body()
            || self.head.templates().any(in_template)
            || self.steps.iter().any(in_step)
    }
}

/// How the end of a body is marked (`@framing`; RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// In chunks.
    Chunked,
    /// By `content-length`: the true one, or any other.
    Length(Option<u64>),
    /// By the end of the connection.
    Close,
}

/// What happens when all steps are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The body ends and the connection is kept (`@end`).
    End,
    /// The body ends and the connection with it (`@close`).
    Close,
    /// The connection ends (FIN) with the body unfinished (`@drop`).
    Drop,
    /// The connection ends with a TCP reset (`@reset`).
    Reset,
    /// Nothing more happens until the client leaves, or this time has passed; then as `Drop` (`@hang`).
    Hang(Option<Duration>),
}

/// One thing the server does, in order.
#[derive(Debug)]
pub enum Step {
    /// Sends a chunk.
    Chunk(Chunk),
    /// Sends bytes outside of any framing; before the head, instead of it (`@wire`).
    Wire(Template),
    /// Sends the head now (`@open`).
    Open,
    /// What was sent so far leaves in a write of its own (`@cut`, `@send`).
    Flush,
    /// What follows is due this much later than what came before (`@sleep`, `@pace`).
    Sleep(Wait),
    /// `{{elapsed}}` counts from when this is due (`@clock`).
    Clock,
    /// From here on, a comment is sent whenever nothing else was for this time (`@keepalive`).
    Keepalive(Duration, Framed),
    /// From here on, the connection ends when the body has this many octets (`@drop after`).
    DropAfter(u64),
    /// A loop begins, with so many turns or without end, one every so often (`@repeat`).
    Repeat {
        /// `None` for ever.
        turns: Option<u64>,
        /// From the beginning of one turn to that of the next.
        every: Option<Duration>,
    },
    /// A loop ends; its first step is `body` (`@again`).
    Again {
        /// The place of the step after the `Repeat`.
        body: usize,
    },
}

/// How long a `@sleep` takes.
#[derive(Debug)]
pub enum Wait {
    /// From the first to the second, chosen afresh each time; always the same when they are equal.
    Between(Duration, Duration),
    /// What the request says.
    Requested(Template),
}

/// What is sent as one chunk, or cut into several.
#[derive(Debug)]
pub enum Chunk {
    /// Always the same bytes, framed when the script was loaded.
    Framed(Framed),
    /// Bytes with placeholders among them, or to be cut; framed each time.
    Template {
        /// What is sent.
        segments: Vec<Segment>,
        /// Octets to a chunk, and the time from one chunk to the next (`@chunk N every T`).
        pieces: Option<(u64, Duration)>,
        /// Octets at most, when that is known, they are few, and they are not to be cut.
        at_most: Option<usize>,
    },
}

impl Chunk {
    /// Octets of data, when they are known in advance.
    fn length(&self) -> Option<u64> {
        match self {
            Chunk::Framed(chunk) => Some(chunk.data().len() as u64),
            Chunk::Template { segments, .. } => segments.iter().map(Segment::length).sum(),
        }
    }
}
