//! A script: what the server sends in response to one kind of request, and when. The law of its language is that a
//! captured event stream is a script: every line is sent as it is, and only a line that begins with `@` is a direction to
//! the server.
//!
//! This file has the types that [`parse`] makes and [`play`] follows. Their names are those of RFC 9112 and of the WHATWG
//! standard "Server-sent events", except for script, part and step, which are this project's.
//!
//! | module | what it does |
//! |---|---|
//! | [`lines`] | lines of a file |
//! | [`load`] | loads scripts from text and from files |
//! | [`parse`] | turns text into a [`Script`] |
//! | [`play`] | turns a [`Script`] into bytes and waits |
//! | [`case`] | what makes a script a test case, and how its clients start: `@case`, `@start` |
//! | [`catalogue`] | all scripts of a server |
//! | [`route`] | which requests a script answers: `@on`, `@count` |
//! | [`condition`] | which part of it answers: `@part` |
//! | [`expectation`] | what a request has to be: `@expect` |
//! | `capture` | turns a captured response into a script |
//! | `cut` | cuts the streams of test cases into pieces |
//! | [`head`] | status and field lines of the response |
//! | [`template`] | text with placeholders, and the escapes of TEXT |
//! | [`path_pattern`] | the path of `@on`, with `*` for a segment |
//! | [`placeholder`] | the table of placeholders |
//! | `needs` | what the placeholders and conditions of a script need |
//! | [`context`] | what placeholders and conditions can use |
//! | `respond` | makes the head of the response to a request |
//! | [`random`] | random waits, numbers and decisions |
//! | `rendered` | renders a body before its head |
//! | [`repeat`] | how often loops are played, and how fast |
//! | `requested` | checks the waits and turns that a request sets |
//! | [`resume`] | where a client continues that sends `Last-Event-ID` |
//! | [`step`] | one step of a part |
//! | `steps` | the steps of a part, in little memory |
//! | [`units`] | `80ms`, `5M`, and `--speed` |
//! | `visits` | counts requests, and remembers when responses ended |
//! | `words` | splits lines into words, and quotes them in messages |

pub mod capture;
pub mod case;
pub mod catalogue;
pub mod condition;
pub mod context;
mod cut;
pub mod expectation;
pub mod head;
pub mod lines;
pub mod load;
mod needs;
pub mod parse;
pub mod path_pattern;
pub mod placeholder;
pub mod play;
pub mod random;
mod rendered;
pub mod repeat;
mod requested;
mod respond;
pub mod resume;
pub mod route;
pub mod step;
mod steps;
pub mod template;
pub mod units;
mod visits;
mod words;

pub use step::{Chunk, Step, Wait};

use crate::http::response::is_interim_response;
use crate::text::shared::SharedBytes;
use case::{Case, Start};
use condition::Conditions;
use context::RequestContext;
use expectation::{Expectation, Skip};
use head::ScriptHead;
use lines::Lines;
use needs::Needs;
use repeat::Turns;
use resume::{IdSource, Position, ResumeTable};
use route::Route;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use step::NextStep;
use steps::{Iter, Steps};
use words::trim_end;

/// The longest time for which connections can be refused. That is meant for tests, which do not wait longer.
pub const MAX_DOWNTIME: Duration = Duration::from_secs(10 * 60);

/// A compiled script: one or more responses to one kind of request.
#[derive(Debug)]
pub struct Script {
    /// Its name in error messages, usually the path of its file.
    pub(crate) file: String,
    /// The path that it answers unless it contains `@on`.
    pub(crate) name: String,
    /// The text of its first remark.
    pub(crate) about: String,
    /// The requests that it answers.
    pub(crate) route: Route,
    parts: Vec<Part>,
    /// What its placeholders and conditions need.
    needs: Needs,
    event_types: BTreeSet<String>,
    warnings: Vec<String>,
    /// What makes it a test case for clients (`@case`).
    pub(crate) case: Option<Case>,
    /// How a client begins the case (`@start`).
    pub(crate) start: Start,
    /// What it was compiled from.
    source: Arc<Source>,
}

/// The text of a script.
#[derive(Debug)]
pub struct Source {
    /// The number of its first line in the file.
    first_line: usize,
    text: SharedBytes,
}

impl Script {
    /// The method and target that the script answers, as it is written in `@on`; without a method for GET.
    pub fn route(&self) -> String {
        self.route.to_string()
    }

    /// Its name, by which [`set_script`](crate::RunningServer::set_script) and
    /// [`remove_script`](crate::RunningServer::remove_script) find it: the path that it answers unless it contains `@on`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is valid in an event stream but rarely intended, as lines `FILE:LINE: warning: message`: an event that no client
    /// dispatches, a field that clients ignore, a placeholder that does not exist.
    ///
    /// ```
    /// # use rust_sse_server::Script;
    /// let script = Script::parse("/chat", "data: 1\n\ndaat: 2\n\n")?;
    /// assert_eq!(script.warnings(), ["/chat:3: warning: unknown field `daat` (did you mean `data`?)"]);
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The text of the script's first remark (`@# …`); empty when it has none.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The part that answers a request: the first whose conditions hold.
    pub fn part(&self, context: RequestContext<'_>) -> Option<&Part> {
        self.parts.iter().find(|part| part.conditions.hold(context))
    }

    /// What it expects of requests, in the order of its lines.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.parts.iter().flat_map(|part| &part.expectations)
    }

    /// What it was compiled from.
    pub fn text(&self) -> &[u8] {
        &self.source.text
    }

    /// The number of lines before it in its file.
    pub fn lines_before(&self) -> u32 {
        u32::try_from(self.source.first_line - 1).unwrap_or(u32::MAX)
    }

    /// The text of the remarks that it begins with, one per line.
    pub fn introduction(&self) -> String {
        let remarks = self.text().split(|&byte| byte == b'\n').map_while(|line| line.strip_prefix(b"@#"));
        let lines = remarks.map(|remark| trim_end(remark.strip_prefix(b" ").unwrap_or(remark)));
        String::from_utf8_lossy(&lines.collect::<Vec<_>>().join(&b'\n')).into_owned()
    }

    /// The event types that it can send. Those with a placeholder in them are left out.
    pub fn event_types(&self) -> &BTreeSet<String> {
        &self.event_types
    }

    /// Whether clients request it from another port of the server if it is a test case.
    pub fn begins_elsewhere(&self) -> bool {
        self.start != Start::Server || self.refuses_connections()
    }

    /// Whether it refuses connections, so that clients in other cases need another port.
    pub fn refuses_connections(&self) -> bool {
        let goes_down = |part: &Part| part.steps().any(|step| matches!(step, NextStep::Other(Step::Down(_))));
        matches!(self.start, Start::Down(_)) || self.parts.iter().any(goes_down)
    }

    /// Whether a condition or a placeholder needs the body of the request.
    pub fn uses_body(&self) -> bool {
        self.needs.body
    }
}

/// One response of a script.
#[derive(Clone, Debug)]
pub struct Part {
    conditions: Conditions,
    /// What the request has to meet, otherwise than to select the part.
    pub expectations: Vec<Expectation>,
    /// Whether such a request shows that the test case cannot judge the client, and why.
    pub skip: Option<Skip>,
    /// Status and field lines.
    pub head: Arc<ScriptHead>,
    /// How the end of the body is marked.
    pub framing: BodyFraming,
    /// The steps of the lines above the first `@part`, which all parts share.
    common: Arc<Steps>,
    /// The steps that follow those.
    steps: Steps,
    /// Field lines of the trailer section, each with its CR LF.
    trailer: Arc<Vec<u8>>,
    /// What happens after the last step.
    pub ending: Ending,
    /// The lines of that; `None` if it is the end of the file.
    ending_lines: Option<Lines>,
    resume: Option<ResumeTable>,
    /// Where `@resume` finds the last event ID.
    id_source: IdSource,
}

impl Part {
    /// The steps, in order.
    fn steps(&self) -> Iter<'_> {
        self.common.chain(&self.steps)
    }

    /// Whether the response has a body: something can follow the head, or the body stays unfinished.
    pub fn has_body(&self) -> bool {
        let sends = |step: NextStep<'_>| match step {
            NextStep::Text(_) => true,
            // In a pause, a test can send something.
            NextStep::Other(Step::Chunk(_) | Step::Wire(_) | Step::Keepalive { .. } | Step::Pause(_)) => true,
            _ => false,
        };
        let stays_unfinished = !matches!(self.ending, Ending::End | Ending::Close);
        stays_unfinished || !self.trailer.is_empty() || self.steps().any(sends)
    }

    /// The same response with other steps.
    fn with_steps(&self, steps: Steps) -> Part {
        Part { common: Arc::default(), steps, ending_lines: None, resume: None, ..self.clone() }
    }

    /// The name of each of its pauses, including repetitions.
    pub fn pauses(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        self.steps().filter_map(|step| match step {
            NextStep::Other(Step::Pause(name)) => Some(Arc::clone(name)),
            _ => None,
        })
    }

    /// Where a client starts: at the beginning, or after its last event ID if the script has `@resume`. `None` for a
    /// client that has every event, which gets 204.
    pub fn start(&self, context: RequestContext<'_>) -> Option<Position> {
        match (&self.resume, self.id_source.id(context)) {
            (Some(table), Some(id)) => table.after(&id, context),
            _ => Some(Position::default()),
        }
    }

    /// Bytes of the whole body, when they are known in advance.
    pub fn body_length(&self) -> Option<u64> {
        let mut length: u64 = 0;
        // Of each loop around the step: its turns, and the length before it.
        let mut loops = Vec::new();
        for step in self.steps() {
            match step {
                NextStep::Text(text) => length = length.checked_add(text.len() as u64)?,
                NextStep::Other(Step::Chunk(chunk)) => length = length.checked_add(chunk.text().length()?)?,
                NextStep::Other(Step::Wire(text)) if text.as_plain().map_or(false, is_interim_response) => {}
                NextStep::Other(Step::Repeat { turns: Turns::Times(turns), .. }) => {
                    loops.push((*turns, std::mem::take(&mut length)));
                }
                NextStep::Other(Step::Again) => {
                    let (turns, length_before) = loops.pop()?;
                    length = length.checked_mul(turns)?.checked_add(length_before)?;
                }
                NextStep::Other(
                    Step::Wire(_) | Step::Keepalive { .. } | Step::Repeat { .. } | Step::Gzip(_),
                ) => return None,
                _ => {}
            }
        }
        Some(length)
    }
}

/// How the end of a body is marked (`@framing`; RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// By the last-chunk, or if nothing is sent, by `content-length: 0`.
    Default,
    /// By the last-chunk, even if nothing is sent before it.
    Chunked,
    /// By `content-length`: the true one, or any other.
    Length(Option<u64>),
    /// By the end of the connection.
    Close,
}

/// What happens after the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The body ends and the connection is kept (`@end`).
    End,
    /// The body ends and the connection is closed (`@close`).
    Close,
    /// The connection is closed (FIN) with the body unfinished (`@drop`).
    Drop,
    /// The connection is reset (TCP RST) with the body unfinished (`@reset`).
    Reset,
    /// Nothing is sent until the client disconnects or this time has passed; then as `Drop` (`@hang`).
    Hang(Option<Duration>),
}
