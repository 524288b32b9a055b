//! Sends nothing: turns a script's text into a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is
//! a direction, every other line is sent as it stands. What stands before the first `@part` belongs to every part.

mod body;
pub mod directions;
mod part;

use super::condition::Conditions;
use super::words::{trim_end, word};
use super::{Part, Script};
use directions::PART;
use part::{PartParser, Settings};
use std::fmt;

/// Something in a script that cannot be meant, where it stands, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParseError {
    /// The script's name: usually the path of its file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and in brackets what would be right.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Every mistake of a script, in the order of their lines; printed one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors(pub Vec<ParseError>);

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, mistake) in self.0.iter().enumerate() {
            write!(f, "{}{mistake}", if n > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}

impl Script {
    /// Compiles a script. `file` is what mistakes call it; it answers `GET path` unless it says otherwise; `path` begins
    /// with `/` and is not percent-encoded.
    ///
    /// # Errors
    /// Every mistake there is, in the order of their lines.
    pub fn compile(file: &str, path: &str, text: &[u8]) -> Result<Script, ParseErrors> {
        let mut parser = Parser {
            settings: Settings::new(path),
            parts: Vec::new(),
            lines: Vec::new(),
            mistakes: Vec::new(),
        };
        parser.read(text);
        parser.finish(file)
    }
}

struct Parser {
    settings: Settings,
    parts: Vec<Part>,
    /// The line of the `@part` of each.
    lines: Vec<usize>,
    mistakes: Vec<(usize, String)>,
}

/// A line of the file and its number.
type Line<'a> = (usize, &'a [u8]);

impl Parser {
    fn read(&mut self, text: &[u8]) {
        let lines: Vec<Line<'_>> = (1..).zip(text.split_inclusive(|&byte| byte == b'\n')).collect();
        let is_part =
            |line: &Line<'_>| direction(line.1).map_or(false, |line| word(line).0 == PART.as_bytes());
        let up_to_part = |lines: &[Line<'_>]| lines.iter().take_while(|line| !is_part(line)).count();
        let (common, mut rest) = lines.split_at(up_to_part(&lines));
        if rest.is_empty() {
            self.part(Some(Conditions::default()), 1, common, &[]);
        }
        while let Some((&(number, line), after)) = rest.split_first() {
            let (own, next) = after.split_at(up_to_part(after));
            let conditions = self.conditions(number, line);
            self.part(conditions, number, common, own);
            rest = next;
        }
    }

    /// The conditions of a part; `None` when they are a mistake.
    fn conditions(&mut self, number: usize, line: &[u8]) -> Option<Conditions> {
        let text = direction(line).map_or(&b""[..], |line| word(line).1);
        let conditions = match Conditions::parse(text) {
            Ok(conditions) => conditions,
            Err(what) => {
                self.mistakes.push((number, directions::PART_ROW.explain(what)));
                return None;
            }
        };
        let takes_all = |part: &Part| part.conditions == conditions || part.conditions.always_hold();
        if let Some((earlier, _)) = self.lines.iter().zip(&self.parts).find(|(_, part)| takes_all(part)) {
            let what = format!("@part: never reached (the part in line {earlier} answers instead)");
            self.mistakes.push((number, what));
        }
        Some(conditions)
    }

    fn part(&mut self, conditions: Option<Conditions>, number: usize, common: &[Line<'_>], own: &[Line<'_>]) {
        let mut part = PartParser::new(&mut self.settings, &mut self.mistakes);
        for (number, line) in common {
            read_line(&mut part, *number, line);
        }
        if let (Some((line, _)), true) = (part.ending, number > 1) {
            part.mistake(number, format!("@part: never reached (line {line} ends every answer)"));
        }
        for (number, line) in own {
            read_line(&mut part, *number, line);
        }
        let is_known = conditions.is_some();
        let part = part.finish(conditions.unwrap_or_default());
        if is_known {
            self.parts.push(part);
            self.lines.push(number);
        }
    }

    fn finish(self, file: &str) -> Result<Script, ParseErrors> {
        if !self.mistakes.is_empty() {
            return Err(ParseErrors(in_order(file, self.mistakes)));
        }
        Ok(Script {
            file: file.to_owned(),
            about: self.settings.about.unwrap_or_default(),
            route: self.settings.route,
            parts: self.parts,
        })
    }
}

/// ParseErrors by line, each once, though what is common to all parts was read once for each.
fn in_order(file: &str, mistakes: Vec<(usize, String)>) -> Vec<ParseError> {
    let mut ordered: Vec<ParseError> = Vec::new();
    for (line, what) in mistakes {
        let mistake = ParseError { file: file.to_owned(), line, what };
        let place = ordered.partition_point(|other| *other < mistake);
        if ordered.get(place) != Some(&mistake) {
            ordered.insert(place, mistake);
        }
    }
    ordered
}

fn read_line(part: &mut PartParser, number: usize, line: &[u8]) {
    part.line = number;
    match (direction(line), line) {
        (Some(line), _) => read_direction(part, line),
        (None, [b'@', b'#', remark @ ..]) => part.remark(remark),
        (None, [b'@', text @ ..]) => part.text(text),
        (None, text) => part.text(text),
    }
}

fn read_direction(part: &mut PartParser, line: &[u8]) {
    let (name, argument) = word(line);
    let outcome = directions::find(name).and_then(|direction| {
        if let Some((line, _)) = part.ending {
            return Err(format!("@{}: never reached (line {line} ends the answer)", direction.name()));
        }
        if direction.ends_chunk() {
            part.body.end_whole_chunk();
        }
        direction.apply(part, argument).map_err(|what| direction.explain(what))
    });
    if let Err(what) = outcome {
        part.mistake(part.line, what);
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

#[cfg(test)]
mod tests;
