//! Builds one part of a script, changed by one direction after the other, and checks that they fit together.

use super::body::Body;
use super::error::{ParseError, ParseErrors};
use crate::http::field::{put_field_line, trim_ows};
use crate::http::status::Status;
use crate::script::condition::Conditions;
use crate::script::expectation::Expectation;
use crate::script::head::ScriptHead;
use crate::script::resume::IdSource;
use crate::script::route::Route;
use crate::script::words::trim_end;
use crate::script::{BodyFraming, Case, Ending, Part};
use std::collections::HashMap;
use std::time::Duration;

/// A value, and the line of the script that it comes from.
pub(super) struct Located<T> {
    pub line: usize,
    pub value: T,
}

/// What all parts of a script have in common.
pub(super) struct ScriptState {
    pub file: String,
    pub route: Route,
    /// The lines of directions that a script has once, by their names.
    single: HashMap<&'static str, usize>,
    pub about: Option<String>,
    pub case: Option<Located<Case>>,
    pub errors: ParseErrors,
}

impl ScriptState {
    pub fn new(file: &str, path: &str) -> ScriptState {
        ScriptState {
            file: file.to_owned(),
            route: Route::get(path),
            single: HashMap::new(),
            about: None,
            case: None,
            errors: ParseErrors::default(),
        }
    }

    pub fn error(&mut self, line: usize, message: String) {
        self.errors.0.insert(ParseError { file: self.file.clone(), line, message });
    }
}

/// A loop that is not closed yet.
struct OpenLoop {
    line: usize,
    is_endless: bool,
}

/// The part that is being parsed.
pub(super) struct PartParser<'a> {
    pub script: &'a mut ScriptState,
    /// The line that is being parsed.
    pub line: usize,
    pub head: ScriptHead,
    framing: Located<BodyFraming>,
    pub body: Body,
    /// Field lines, with the line of the last `@trailer`.
    trailer: Located<Vec<u8>>,
    pub resume: bool,
    pub id_source: IdSource,
    pub expectations: Vec<Expectation>,
    /// The line at which the head is sent.
    head_sent: Option<usize>,
    /// The first line that needs a body to be sent in.
    first_content: Option<usize>,
    loops: Vec<OpenLoop>,
    ending: Option<Located<Ending>>,
}

impl<'a> PartParser<'a> {
    pub fn new(script: &'a mut ScriptState) -> PartParser<'a> {
        PartParser {
            script,
            line: 0,
            head: ScriptHead::default(),
            framing: Located { line: 0, value: BodyFraming::Chunked },
            body: Body::new(),
            trailer: Located { line: 0, value: Vec::new() },
            resume: false,
            id_source: IdSource::default(),
            expectations: Vec::new(),
            head_sent: None,
            first_content: None,
            loops: Vec::new(),
            ending: None,
        }
    }

    /// Reports an error on a line, which need not be the current one.
    pub fn error(&mut self, line: usize, message: String) {
        self.script.error(line, message);
    }

    /// Takes the first remark of a script as its description.
    pub fn remark(&mut self, remark: &[u8]) {
        let text = || String::from_utf8_lossy(trim_ows(trim_end(remark))).into_owned();
        self.script.about.get_or_insert_with(text);
    }

    /// Adds a line that is sent as it is.
    pub fn text(&mut self, text: &[u8]) {
        let is_blank = trim_end(text).is_empty();
        match self.check_is_reachable() {
            Ok(()) => {
                self.mark_head_sent();
                if !is_blank {
                    self.mark_body_needed();
                }
                self.body.line(text);
            }
            // A blank line after the end of a part is there for the reader.
            Err(_) if is_blank => {}
            Err(message) => self.error(self.line, message),
        }
    }

    /// Checks that nothing above has ended the response.
    pub fn check_is_reachable(&self) -> Result<(), String> {
        match &self.ending {
            Some(ending) => {
                Err(format!("unreachable: line {} ends the response (remove one of the two)", ending.line))
            }
            None => Ok(()),
        }
    }

    /// Checks that the direction of this name occurs once in the script.
    pub fn check_is_single(&mut self, name: &'static str) -> Result<(), String> {
        // The lines that all parts share are parsed once for each part, so this one can be the first one again.
        let first = *self.script.single.entry(name).or_insert(self.line);
        if first != self.line {
            return Err(format!("duplicate direction (first on line {first})"));
        }
        Ok(())
    }

    /// Checks that the head is not sent yet.
    pub fn check_is_above_body(&self) -> Result<(), String> {
        match self.head_sent {
            Some(line) => Err(format!("must come before the body (move it above line {line})")),
            None => Ok(()),
        }
    }

    /// Notes that this line sends something.
    pub fn mark_content(&mut self) {
        self.mark_head_sent();
        self.mark_body_needed();
    }

    /// Notes that the response needs a body because of this line.
    pub fn mark_body_needed(&mut self) {
        self.first_content.get_or_insert(self.line);
    }

    /// Notes that the head is sent at this line at the latest.
    pub fn mark_head_sent(&mut self) {
        self.head_sent.get_or_insert(self.line);
    }

    /// Sets how the end of the body is marked.
    pub fn set_framing(&mut self, framing: BodyFraming) {
        self.framing = Located { line: self.line, value: framing };
    }

    /// Adds a field line to the trailer section.
    pub fn add_trailer(&mut self, name: &str, value: &[u8]) {
        self.mark_body_needed();
        self.trailer.line = self.line;
        put_field_line(&mut self.trailer.value, name, value);
    }

    /// Begins a loop; without `turns` it is endless.
    pub fn open_loop(&mut self, turns: Option<u64>, every: Duration) {
        self.loops.push(OpenLoop { line: self.line, is_endless: turns.is_none() });
        self.body.repeat(turns, every);
    }

    /// Ends the innermost loop.
    pub fn close_loop(&mut self) -> Result<(), String> {
        let closed = self.loops.pop().ok_or("no loop is open (put `@repeat` above this line)")?;
        let does_nothing = self.body.loop_does_nothing();
        self.body.again();
        if closed.is_endless {
            self.ending = Some(Located { line: self.line, value: Ending::End });
        }
        if does_nothing {
            return Err("the loop neither sends nor waits (add an event or a `@sleep`)".to_owned());
        }
        Ok(())
    }

    /// Ends the part.
    pub fn end(&mut self, ending: Ending) -> Result<(), String> {
        if let Some(open) = self.loops.last() {
            return Err(format!(
                "would end the loop of line {} in its first turn (move it below `@again`)",
                open.line
            ));
        }
        self.ending = Some(Located { line: self.line, value: ending });
        Ok(())
    }

    /// Makes the part, and reports what does not fit together in it.
    pub fn finish(mut self, conditions: Conditions) -> Part {
        self.check_loops_are_closed();
        self.check_status_allows_body();
        self.check_trailer_is_chunked();
        let (steps, table) = self.body.finish();
        let part = Part {
            conditions,
            expectations: self.expectations,
            head: self.head,
            framing: self.framing.value,
            steps,
            trailer: self.trailer.value,
            ending: self.ending.map_or(Ending::End, |ending| ending.value),
            resume: self.resume.then_some(table),
            id_source: self.id_source,
        };
        let is_known = part.resume.is_none() && part.body_length().is_some();
        if part.framing == BodyFraming::Length(None) && !is_known {
            let message = "@framing: the length is not known in advance (write `@framing length N`)";
            self.script.error(self.framing.line, message.to_owned());
        }
        part
    }

    fn check_loops_are_closed(&mut self) {
        for open in &self.loops {
            let message = "@repeat: the loop is not closed (add `@again` below its last line)";
            self.script.error(open.line, message.to_owned());
        }
    }

    fn check_status_allows_body(&mut self) {
        if let (Some(Status(status)), Some(line)) = (self.head.bodiless_status(), self.first_content) {
            self.error(
                line,
                format!("status {status} allows no body (remove the body or change the status)"),
            );
        }
    }

    fn check_trailer_is_chunked(&mut self) {
        let has_trailer = !self.trailer.value.is_empty();
        if has_trailer && self.framing.value != BodyFraming::Chunked {
            let message = format!(
                "@trailer: only a chunked body has a trailer section (remove it or the `@framing` of line {})",
                self.framing.line
            );
            self.error(self.trailer.line, message);
        }
    }
}
