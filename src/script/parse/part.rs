//! Builds one part of a script, changed by one direction after the other, and checks that they fit together.

use super::body::Body;
use super::error::Located;
use super::state::{check_is_new, ScriptState};
use crate::http::field::{put_field_line, trim_ows};
use crate::http::status::Status;
use crate::http::uri::split_at_first;
use crate::script::condition::Conditions;
use crate::script::expectation::{Expectation, Skip};
use crate::script::head::ScriptHead;
use crate::script::lines::Lines;
use crate::script::repeat::Turns;
use crate::script::resume::IdSource;
use crate::script::step::NextStep;
use crate::script::template::Template;
use crate::script::words::trim_end;
use crate::script::{BodyFraming, Ending, Part, Step};
use crate::text::escape::escape;
use std::collections::HashMap;
use std::sync::Arc;

/// The part that is being parsed.
pub(super) struct PartParser<'a> {
    pub script: &'a mut ScriptState,
    head: Arc<ScriptHead>,
    /// The lines of directions and field lines that a part sets once, by their names.
    single: HashMap<String, usize>,
    framing: Located<BodyFraming>,
    pub body: Body,
    /// Field lines, with the line of the last `@trailer`.
    trailer: Located<Arc<Vec<u8>>>,
    /// The line of `@resume`.
    pub resume_line: Option<usize>,
    pub id_source: IdSource,
    pub expectations: Vec<Expectation>,
    pub skip: Option<Skip>,
    /// The line at which the head is sent.
    head_sent: Option<usize>,
    /// The first line that needs a body to be sent in.
    first_content: Option<usize>,
    ending: Option<Located<Ending>>,
}

impl<'a> PartParser<'a> {
    pub fn new(script: &'a mut ScriptState) -> PartParser<'a> {
        let body = Body::new(script.source.text.clone(), script.can_resume);
        PartParser {
            script,
            head: Arc::default(),
            single: HashMap::new(),
            framing: Located { line: 0, value: BodyFraming::Default },
            body,
            trailer: Located { line: 0, value: Arc::default() },
            resume_line: None,
            id_source: IdSource::default(),
            expectations: Vec::new(),
            skip: None,
            head_sent: None,
            first_content: None,
            ending: None,
        }
    }

    /// A part that begins with everything so far. The body so far has to be [shared](Body::share) first.
    pub fn fork(&mut self) -> PartParser<'_> {
        PartParser {
            script: self.script,
            head: Arc::clone(&self.head),
            single: HashMap::new(),
            framing: self.framing.clone(),
            body: self.body.clone(),
            trailer: self.trailer.clone(),
            resume_line: self.resume_line,
            id_source: self.id_source.clone(),
            expectations: self.expectations.clone(),
            skip: self.skip.clone(),
            head_sent: self.head_sent,
            first_content: self.first_content,
            ending: self.ending.clone(),
        }
    }

    /// The line of the file that is being parsed.
    pub fn line(&self) -> usize {
        self.body.file_line
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
            Err(message) => self.error(self.line(), message),
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
    pub fn check_is_single(&mut self, name: &str) -> Result<(), String> {
        check_is_new(&mut self.script.single, name, self.body.file_line)
    }

    /// Checks that the direction of this name occurs once in the part: a second one would replace the first.
    pub fn check_is_single_in_part(&mut self, name: &str) -> Result<(), String> {
        check_is_new(&mut self.single, name, self.body.file_line)
    }

    /// Checks that the field line `Name: value` is the first of its name in the part, because it would replace the other.
    pub fn check_field_is_single(&mut self, field_line: &[u8]) -> Result<(), String> {
        let name = String::from_utf8_lossy(split_at_first(field_line, b':').0);
        // The colon tells it from the names of directions.
        match self.single.insert(name.to_ascii_lowercase() + ":", self.line()) {
            Some(first) => Err(format!(
                "`{0}` is set on line {first} (write `@header +{0}: …` to add another)",
                escape(&*name)
            )),
            None => Ok(()),
        }
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
        self.first_content.get_or_insert(self.body.file_line);
    }

    /// Notes that the head is sent at this line at the latest.
    pub fn mark_head_sent(&mut self) {
        self.head_sent.get_or_insert(self.body.file_line);
    }

    /// Changes the head as the argument of a direction says, and notes what its placeholders need.
    pub fn change_head(
        &mut self,
        apply: fn(&mut ScriptHead, &[u8], bool) -> Result<(), String>,
        argument: &[u8],
    ) -> Result<(), String> {
        apply(Arc::make_mut(&mut self.head), argument, self.body.literal)?;
        self.body.needs.add(self.body.file_line, self.head.templates().flat_map(Template::names));
        Ok(())
    }

    /// Sets how the end of the body is marked.
    pub fn set_framing(&mut self, framing: BodyFraming) {
        self.framing = Located { line: self.line(), value: framing };
    }

    /// Adds a field line to the trailer section.
    pub fn add_trailer(&mut self, name: &str, value: &[u8]) {
        self.mark_body_needed();
        self.trailer.line = self.line();
        put_field_line(Arc::make_mut(&mut self.trailer.value), name, value);
    }

    /// Ends the innermost loop.
    pub fn close_loop(&mut self) -> Result<(), String> {
        let closed = self.body.again().ok_or("no loop is open (put `@repeat` above this line)")?;
        if closed.turns == Turns::Endless {
            self.ending = Some(Located { line: self.line(), value: Ending::End });
        }
        if closed.is_idle {
            return Err("the loop neither sends nor waits (add an event or a `@sleep`)".to_owned());
        }
        Ok(())
    }

    /// Ends the part.
    pub fn end(&mut self, ending: Ending) -> Result<(), String> {
        if let Some(open) = self.body.loops.last() {
            return Err(format!(
                "would end the loop of line {} in its first turn (move it below `@again`)",
                open.file_line
            ));
        }
        self.ending = Some(Located { line: self.line(), value: ending });
        Ok(())
    }

    /// Makes the part, and reports what does not fit together in it.
    pub fn finish(mut self, conditions: Conditions) -> Part {
        self.check_loops_are_closed();
        self.check_status_allows_body();
        self.check_trailer_is_chunked();
        self.body.end();
        self.script.event_types.append(&mut self.body.event_types);
        self.script.needs.append(std::mem::take(&mut self.body.needs));
        self.add_warnings();
        self.body.steps.shrink();
        let ending_lines = self.ending.as_ref().map(|ending| Lines::one(ending.line));
        let part = Part {
            conditions,
            expectations: self.expectations,
            skip: self.skip,
            head: self.head,
            framing: self.framing.value,
            common: self.body.common,
            steps: self.body.steps,
            trailer: self.trailer.value,
            ending: self.ending.map_or(Ending::End, |ending| ending.value),
            ending_lines,
            resume: self.resume_line.map(|_| self.body.resume),
            id_source: self.id_source,
        };
        if needs_length(&part) {
            let message = "@framing: the length is not known in advance \
                           (write `@framing length N`, or remove `@resume`, `@keepalive` and all waits)";
            self.script.error(self.framing.line, message.to_owned());
        }
        part
    }

    /// Adds the warnings about this part if it is not a test case: all for an event stream, else only those about misspelled
    /// placeholders.
    fn add_warnings(&mut self) {
        // A test case for clients often is about such a line.
        if self.script.case.is_some() {
            return;
        }
        let mut warnings = std::mem::take(&mut self.body.warnings);
        if self.head.is_event_stream() {
            if let Some(line) = self.resume_line {
                warnings.finish_resume();
                self.script.resume_line.get_or_insert(line);
                self.script.has_ids |= !self.body.resume.is_empty();
            }
            if !self.is_cut_on_purpose() {
                warnings.finish_event();
            }
            self.script.warnings.extend(warnings.found);
        }
        self.script.warnings.extend(warnings.misspelled);
    }

    /// Whether the last event can be incomplete because the script says so.
    fn is_cut_on_purpose(&self) -> bool {
        let ends = |ending: &Located<Ending>| matches!(ending.value, Ending::End | Ending::Close);
        let cuts = |step| matches!(step, NextStep::Other(Step::Wire(_) | Step::DropAfter(_)));
        matches!(self.framing.value, BodyFraming::Length(Some(_)))
            || !self.ending.as_ref().map_or(true, ends)
            || self.body.common.chain(&self.body.steps).any(cuts)
    }

    fn check_loops_are_closed(&mut self) {
        for open in &self.body.loops {
            let message = "@repeat: the loop is not closed (add `@again` below its last line)";
            self.script.error(open.file_line, message.to_owned());
        }
    }

    fn check_status_allows_body(&mut self) {
        let bodiless = self.head.status().filter(|status| status.allows_no_content());
        if let (Some(Status(status)), Some(line)) = (bodiless, self.first_content) {
            self.error(
                line,
                format!("status {status} allows no body (remove the body or change the status)"),
            );
        }
    }

    fn check_trailer_is_chunked(&mut self) {
        let has_trailer = !self.trailer.value.is_empty();
        let is_chunked = matches!(self.framing.value, BodyFraming::Default | BodyFraming::Chunked);
        if has_trailer && !is_chunked {
            let message = format!(
                "@trailer: only a chunked body has a trailer section (remove it or the `@framing` of line {})",
                self.framing.line
            );
            self.error(self.trailer.line, message);
        }
    }
}

/// Whether the script has to say how long the body is, but does not.
fn needs_length(part: &Part) -> bool {
    let is_known = part.resume.is_none() && part.body_length().is_some();
    part.framing == BodyFraming::Length(None) && !is_known && !part.can_be_rendered()
}
