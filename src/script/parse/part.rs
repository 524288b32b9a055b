//! Sends nothing: one part of a script under construction, what directions change, and what has to fit in the end.

use super::body::Body;
use crate::http::field::trim_ows;
use crate::script::condition::Conditions;
use crate::script::head::ScriptHead;
use crate::script::route::Route;
use crate::script::words::trim_end;
use crate::script::{BodyFraming, Ending, Part};
use std::time::Duration;

/// What holds for the whole script.
pub(super) struct Settings {
    pub route: Route,
    /// The line of `@on`.
    pub on: Option<usize>,
    /// The line of `@count`.
    pub count: Option<usize>,
    pub about: Option<String>,
}

impl Settings {
    pub fn new(path: &str) -> Settings {
        Settings { route: Route::get(path), on: None, count: None, about: None }
    }
}

/// Reads the lines of one part; directions change it.
pub(super) struct PartParser<'a> {
    pub settings: &'a mut Settings,
    mistakes: &'a mut Vec<(usize, String)>,
    /// The line that is being read.
    pub line: usize,
    pub head: ScriptHead,
    /// With the line of `@framing`.
    pub framing: (BodyFraming, usize),
    pub body: Body,
    pub trailer: Vec<u8>,
    pub trailer_line: Option<usize>,
    pub resume: bool,
    /// The line with which the head leaves.
    head_left: Option<usize>,
    /// The first line that is not blank.
    first_content: Option<usize>,
    /// The lines of the loops that are open.
    loops: Vec<(usize, Option<u64>)>,
    /// With its line.
    pub ending: Option<(usize, Ending)>,
}

impl<'a> PartParser<'a> {
    pub fn new(settings: &'a mut Settings, mistakes: &'a mut Vec<(usize, String)>) -> PartParser<'a> {
        PartParser {
            settings,
            mistakes,
            line: 0,
            head: ScriptHead::default(),
            framing: (BodyFraming::Chunked, 0),
            body: Body::new(),
            trailer: Vec::new(),
            trailer_line: None,
            resume: false,
            head_left: None,
            first_content: None,
            loops: Vec::new(),
            ending: None,
        }
    }

    pub fn remark(&mut self, remark: &[u8]) {
        let text = || String::from_utf8_lossy(trim_ows(trim_end(remark))).into_owned();
        self.settings.about.get_or_insert_with(text);
    }

    pub fn text(&mut self, text: &[u8]) {
        match self.ending {
            // Blank lines between parts are for the eye.
            Some(_) if trim_end(text).is_empty() => {}
            Some((line, _)) => {
                self.mistake(self.line, format!("never reached (line {line} ends the answer)"))
            }
            None => {
                self.head_leaves();
                if !trim_end(text).is_empty() {
                    self.content_follows();
                }
                self.body.line(text);
            }
        }
    }

    pub fn mistake(&mut self, line: usize, what: String) {
        self.mistakes.push((line, what));
    }

    /// Notes that a direction stands here that a script has once.
    pub fn once(&mut self, place: impl Fn(&mut Settings) -> &mut Option<usize>) -> Result<(), String> {
        match place(self.settings) {
            Some(line) if *line != self.line => Err(format!("line {line} says so already (remove one)")),
            place => {
                *place = Some(self.line);
                Ok(())
            }
        }
    }

    pub fn head_is_open(&self) -> Result<(), String> {
        match self.head_left {
            Some(line) => Err(format!("the head has left with line {line} (put this above it)")),
            None => Ok(()),
        }
    }

    /// Notes that something is sent here.
    pub fn content(&mut self) {
        self.head_leaves();
        self.content_follows();
    }

    /// Notes that something is to be sent sooner or later, so that the answer needs a body.
    pub fn content_follows(&mut self) {
        self.first_content.get_or_insert(self.line);
    }

    pub fn head_leaves(&mut self) {
        self.head_left.get_or_insert(self.line);
    }

    pub fn open_loop(&mut self, turns: Option<u64>, every: Option<Duration>) {
        self.loops.push((self.line, turns));
        self.body.repeat(turns, every);
    }

    pub fn close_loop(&mut self) -> Result<(), String> {
        let does_nothing = self.body.loop_does_nothing();
        if let Some((_, None)) = self.loops.pop() {
            self.ending = Some((self.line, Ending::End));
        }
        match self.body.again() {
            true if does_nothing => {
                Err("the loop neither sends nor waits (put something into it)".to_owned())
            }
            true => Ok(()),
            false => Err("there is no loop to go on with (put `@repeat` above it)".to_owned()),
        }
    }

    pub fn ends_with(&mut self, ending: Ending) -> Result<(), String> {
        if let Some((line, _)) = self.loops.last() {
            return Err(format!(
                "it would end the loop of line {line} in its first turn (put it after `@again`)"
            ));
        }
        self.ending = Some((self.line, ending));
        Ok(())
    }

    pub fn finish(mut self, conditions: Conditions) -> Part {
        for (line, _) in std::mem::take(&mut self.loops) {
            self.mistake(
                line,
                "@repeat: the loop is not closed (put `@again` after what is to be repeated)".to_owned(),
            );
        }
        if let (Some(status), Some(line)) = (self.head.bodiless_status(), self.first_content) {
            self.mistake(
                line,
                format!("a {status} has no body (remove the lines, or choose another status)"),
            );
        }
        let (framing, framing_line) = self.framing;
        if let (Some(line), true) = (self.trailer_line, framing != BodyFraming::Chunked) {
            let what =
                format!("@trailer: only chunks have a trailer section (remove line {framing_line} or this)");
            self.mistake(line, what);
        }
        let (steps, table) = self.body.finish();
        let part = Part {
            conditions,
            head: self.head,
            framing,
            steps,
            trailer: self.trailer,
            ending: self.ending.map_or(Ending::End, |(_, ending)| ending),
            resume: self.resume.then_some(table),
        };
        let must_know = framing == BodyFraming::Length(None);
        if must_know && (part.resume.is_some() || part.body_length().is_none()) {
            let what = "@framing: the length is not known in advance (write the number of octets)".to_owned();
            self.mistakes.push((framing_line, what));
        }
        part
    }
}
