//! Turns a script's text into a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it stands. What stands before the first `@part` belongs to every part.

use super::body::Body;
use super::condition::Conditions;
use super::directions::{self, word, PART};
use super::head::ScriptHead;
use super::route::Route;
use super::{BodyFraming, Ending, Part, Script};
use std::fmt;
use std::time::Duration;

/// Something in a script that cannot be meant, where it stands, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The script's name: usually the path of its file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and in brackets what would be right.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Every mistake of a script, in the order of their lines; printed one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Mistake::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl Script {
    /// Compiles a script. `file` is what mistakes call it; it answers `GET path` unless it says otherwise; `path` begins
    /// with `/` and is not percent-encoded.
    ///
    /// # Errors
    /// Every mistake there is, in the order of their lines.
    pub fn parse(file: &str, path: &str, text: &[u8]) -> Result<Script, Mistakes> {
        let mut parser = Parser { settings: Settings::new(path), parts: Vec::new(), mistakes: Vec::new() };
        parser.read(text);
        parser.finish(file)
    }
}

/// What holds for the whole script.
pub(super) struct Settings {
    pub route: Route,
    /// The line of `@on`.
    pub on: Option<usize>,
    /// The line of `@count`.
    pub count: Option<usize>,
    about: Option<String>,
}

impl Settings {
    fn new(path: &str) -> Settings {
        Settings { route: Route::get(path), on: None, count: None, about: None }
    }
}

struct Parser {
    settings: Settings,
    /// Each with the line of its `@part`.
    parts: Vec<(usize, Part)>,
    mistakes: Vec<(usize, String)>,
}

/// A line of the file and its number.
type Line<'a> = (usize, &'a [u8]);

impl Parser {
    fn read(&mut self, text: &[u8]) {
        let lines: Vec<Line<'_>> = (1..).zip(text.split_inclusive(|&byte| byte == b'\n')).collect();
        let is_part =
            |line: &Line<'_>| direction(line.1).map_or(false, |line| word(line).0 == PART.as_bytes());
        let starts: Vec<usize> = (0..lines.len()).filter(|&at| is_part(&lines[at])).collect();
        let common = &lines[..starts.first().copied().unwrap_or(lines.len())];
        if starts.is_empty() {
            self.part(Conditions::default(), 1, common, &[]);
        }
        for (n, &start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(lines.len());
            let (number, line) = lines[start];
            let conditions = self.conditions(number, line);
            self.part(conditions, number, common, &lines[start + 1..end]);
        }
    }

    fn conditions(&mut self, number: usize, line: &[u8]) -> Conditions {
        let text = direction(line).map_or(&b""[..], |line| word(line).1);
        let conditions = Conditions::parse(text).unwrap_or_else(|what| {
            let what = directions::find(PART.as_bytes()).map_or_else(|what| what, |part| part.explain(what));
            self.mistakes.push((number, what));
            Conditions::default()
        });
        let earlier = self
            .parts
            .iter()
            .find(|(_, part)| part.conditions == conditions || part.conditions.always_hold());
        if let (Some((earlier, _)), true) = (earlier, self.mistakes.is_empty()) {
            self.mistakes
                .push((number, format!("@part: never reached (the part in line {earlier} answers instead)")));
        }
        conditions
    }

    fn part(&mut self, conditions: Conditions, number: usize, common: &[Line<'_>], own: &[Line<'_>]) {
        let mut part = PartParser::new(&mut self.settings, &mut self.mistakes);
        for (number, line) in common {
            part.read_line(*number, line);
        }
        if let (Some((line, _)), true) = (part.ending, number > 1) {
            part.mistake(number, format!("@part: never reached (line {line} ends every answer)"));
        }
        for (number, line) in own {
            part.read_line(*number, line);
        }
        let part = part.finish(conditions);
        self.parts.push((number, part));
    }

    fn finish(mut self, file: &str) -> Result<Script, Mistakes> {
        let file = file.to_owned();
        if self.mistakes.is_empty() {
            let parts = self.parts.into_iter().map(|(_, part)| part).collect();
            return Ok(Script {
                file,
                about: self.settings.about.unwrap_or_default(),
                route: self.settings.route,
                parts,
            });
        }
        // What is common to all parts was read once for each.
        self.mistakes.sort();
        self.mistakes.dedup();
        let mistake = |(line, what)| Mistake { file: file.clone(), line, what };
        Err(Mistakes(self.mistakes.into_iter().map(mistake).collect()))
    }
}

/// What follows the `@` of a direction, without blanks at its end; `None` for text.
fn direction(line: &[u8]) -> Option<&[u8]> {
    match line {
        [b'@', b'@' | b'#', ..] => None,
        [b'@', rest @ ..] => Some(trim_end(rest)),
        _ => None,
    }
}

fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[..text.len() - blanks]
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
    loops: Vec<usize>,
    ending: Option<(usize, Ending)>,
}

impl<'a> PartParser<'a> {
    fn new(settings: &'a mut Settings, mistakes: &'a mut Vec<(usize, String)>) -> PartParser<'a> {
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

    fn read_line(&mut self, number: usize, line: &[u8]) {
        self.line = number;
        match (direction(line), line) {
            (Some(line), _) => self.direction(line),
            (None, [b'@', b'#', remark @ ..]) => self.remark(remark),
            (None, [b'@', text @ ..]) => self.text(text),
            (None, text) => self.text(text),
        }
    }

    fn remark(&mut self, remark: &[u8]) {
        let text = || String::from_utf8_lossy(remark).trim().to_owned();
        self.settings.about.get_or_insert_with(text);
    }

    fn text(&mut self, text: &[u8]) {
        match self.ending {
            // Blank lines between parts are for the eye.
            Some(_) if trim_end(text).is_empty() => {}
            Some((line, _)) => {
                self.mistake(self.line, format!("never reached (line {line} ends the answer)"))
            }
            None => {
                self.head_leaves();
                if !trim_end(text).is_empty() {
                    self.first_content.get_or_insert(self.line);
                }
                self.body.line(text);
            }
        }
    }

    fn direction(&mut self, line: &[u8]) {
        let (name, argument) = word(line);
        let outcome = directions::find(name).and_then(|direction| match self.ending {
            Some((line, _)) => {
                Err(format!("@{}: never reached (line {line} ends the answer)", direction.name))
            }
            None => {
                self.body.direction(direction.joins_text);
                (direction.apply)(self, argument).map_err(|what| direction.explain(what))
            }
        });
        if let Err(what) = outcome {
            self.mistake(self.line, what);
        }
    }

    fn mistake(&mut self, line: usize, what: String) {
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

    pub fn head_leaves(&mut self) {
        self.head_left.get_or_insert(self.line);
    }

    pub fn open_loop(&mut self, turns: Option<u64>, every: Option<Duration>) -> Result<(), String> {
        self.loops.push(self.line);
        self.body.repeat(turns, every);
        Ok(())
    }

    pub fn close_loop(&mut self) -> Result<(), String> {
        let does_nothing = self.body.loop_does_nothing();
        self.loops.pop();
        match self.body.again() {
            true if does_nothing => {
                Err("the loop neither sends nor waits (put something into it)".to_owned())
            }
            true => Ok(()),
            false => Err("there is no loop to go on with (put `@repeat` above it)".to_owned()),
        }
    }

    pub fn ends_with(&mut self, ending: Ending) -> Result<(), String> {
        if let Some(line) = self.loops.last() {
            return Err(format!(
                "it would end the loop of line {line} in its first turn (put it after `@again`)"
            ));
        }
        self.ending = Some((self.line, ending));
        Ok(())
    }

    fn finish(mut self, conditions: Conditions) -> Part {
        for line in std::mem::take(&mut self.loops) {
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

#[cfg(test)]
mod tests;
