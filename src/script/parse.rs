//! Compiles a script's text to a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it is. The lines before the first `@part` belong to every part.

mod body;
pub mod directions;
mod error;
mod part;

pub use error::ParseErrors;

use super::condition::Conditions;
use super::words::{trim_end, word};
use super::{Part, Script};
use directions::PART;
use part::{Located, PartParser, ScriptState};

impl Script {
    /// Compiles a script. Errors call it `file`. It answers `GET path` unless it says otherwise; `path` begins with `/`
    /// and is not percent-encoded.
    ///
    /// # Errors
    /// All errors in the script, in the order of their lines.
    pub fn compile(file: &str, path: &str, text: &[u8]) -> Result<Script, ParseErrors> {
        let mut parser = Parser { script: ScriptState::new(file, path), parts: Vec::new() };
        parser.parse(&split_lines(text));
        parser.finish()
    }
}

struct Parser {
    script: ScriptState,
    /// The parts so far, each with the line of its `@part`.
    parts: Vec<Located<Part>>,
}

/// A line of the file, with its end. Lines are counted from 1.
type Line<'a> = Located<&'a [u8]>;

fn split_lines(text: &[u8]) -> Vec<Line<'_>> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    (1..).zip(lines).map(|(line, value)| Located { line, value }).collect()
}

/// What follows the `@part` of a line; `None` for any other line.
fn conditions_text<'a>(line: &Line<'a>) -> Option<&'a [u8]> {
    let (name, argument) = word(trim_end(line.value.strip_prefix(b"@")?));
    (name == PART.name().as_bytes()).then_some(argument)
}

impl Parser {
    fn parse(&mut self, lines: &[Line<'_>]) {
        let mut sections = lines.split(|line| conditions_text(line).is_some());
        let common = sections.next().unwrap_or_default();
        if common.len() == lines.len() {
            return self.part(1, Ok(Conditions::default()), &[], lines);
        }
        let part_lines = lines.iter().filter_map(|line| Some((line.line, conditions_text(line)?)));
        for ((line, text), section) in part_lines.zip(sections) {
            let conditions = self.conditions(text);
            self.part(line, conditions, common, section);
        }
    }

    /// Parses a part that begins on `line`: the lines that all parts have in common, then its section of the file.
    fn part(
        &mut self,
        line: usize,
        conditions: Result<Conditions, String>,
        common: &[Line<'_>],
        section: &[Line<'_>],
    ) {
        let mut part = PartParser::new(&mut self.script);
        parse_lines(&mut part, common);
        if let Err(message) = part.check_is_reachable() {
            part.error(line, PART.explain(message));
        }
        parse_lines(&mut part, section);
        match conditions {
            Ok(conditions) => {
                let value = part.finish(conditions);
                self.parts.push(Located { line, value });
            }
            Err(message) => {
                part.error(line, PART.explain(message));
                part.finish(Conditions::default());
            }
        }
    }

    fn conditions(&self, text: &[u8]) -> Result<Conditions, String> {
        let conditions = Conditions::parse(text)?;
        if conditions.never_hold() {
            return Err("unreachable: `never` is for `@expect` (remove the part)".to_owned());
        }
        let answers_instead = |part: &Part| part.conditions == conditions || part.conditions.always_hold();
        match self.parts.iter().find(|part| answers_instead(&part.value)) {
            Some(earlier) => Err(format!(
                "unreachable: the part on line {} answers instead (change the order or the conditions)",
                earlier.line
            )),
            None => Ok(conditions),
        }
    }

    fn finish(mut self) -> Result<Script, ParseErrors> {
        self.check_case();
        if !self.script.errors.0.is_empty() {
            return Err(self.script.errors);
        }
        Ok(Script {
            file: self.script.file,
            about: self.script.about.unwrap_or_default(),
            route: self.script.route,
            parts: self.parts.into_iter().map(|part| part.value).collect(),
            case: self.script.case.map(|case| case.value),
        })
    }

    fn check_case(&mut self) {
        let has_expectations = self.parts.iter().any(|part| !part.value.expectations.is_empty());
        if let (Some(case), false) = (&self.script.case, has_expectations) {
            let message = "@case: nothing decides the case (add an `@expect`)".to_owned();
            self.script.error(case.line, message);
        }
    }
}

fn parse_lines(part: &mut PartParser, lines: &[Line<'_>]) {
    for line in lines {
        part.line = line.line;
        match line.value {
            [b'@', b'#', remark @ ..] => part.remark(remark),
            [b'@', text @ ..] if text.starts_with(b"@") => part.text(text),
            [b'@', direction @ ..] => parse_direction(part, trim_end(direction)),
            text => part.text(text),
        }
    }
}

fn parse_direction(part: &mut PartParser, text: &[u8]) {
    let (name, argument) = word(text);
    let applied = directions::find(name).and_then(|direction| direction.apply(part, argument));
    if let Err(message) = applied {
        part.error(part.line, message);
    }
}

#[cfg(test)]
mod tests;
