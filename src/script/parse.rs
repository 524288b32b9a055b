//! Compiles a script's text to a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it is. The lines before the first `@part` belong to every part, and are parsed once.

mod body;
pub mod directions;
mod encoding;
mod error;
mod part;
mod state;
mod warnings;

pub use error::ParseErrors;

use super::condition::Conditions;
use super::words::{trim_end, word};
use super::{Part, Script};
use directions::PART;
use error::Located;
use part::PartParser;
use state::ScriptState;

impl Script {
    /// Compiles a script. Errors call it `file`. It answers `GET path` unless it says otherwise; `path` begins with `/`
    /// and is not percent-encoded.
    ///
    /// # Errors
    /// All errors in the script, in the order of their lines.
    pub fn compile(file: &str, path: &str, text: &[u8]) -> Result<Script, ParseErrors> {
        let mut script = ScriptState::new(file, path);
        let mut parts = Vec::new();
        match encoding::check(text) {
            Ok(text) => parse(&mut script, &mut parts, &split_lines(text)),
            Err(message) => script.error(1, message),
        }
        script.finish(parts)
    }
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

/// Parses the lines of a file, and adds its parts to `parts`, each with the line of its `@part`.
fn parse(script: &mut ScriptState, parts: &mut Vec<Located<Part>>, lines: &[Line<'_>]) {
    let mut sections = lines.split(|line| conditions_text(line).is_some());
    let mut common = PartParser::new(script);
    parse_lines(&mut common, sections.next().unwrap_or_default());
    let part_lines: Vec<_> =
        lines.iter().filter_map(|line| Some((line.line, conditions_text(line)?))).collect();
    if part_lines.is_empty() {
        let value = common.finish(Conditions::default());
        parts.push(Located { line: 1, value });
        return;
    }
    common.share();
    for ((line, text), section) in part_lines.into_iter().zip(sections) {
        let conditions = part_conditions(text, parts);
        let mut part = common.fork();
        if let Err(message) = part.check_is_reachable() {
            part.error(line, PART.explain(message));
        }
        parse_lines(&mut part, section);
        match conditions {
            Ok(conditions) => {
                let value = part.finish(conditions);
                parts.push(Located { line, value });
            }
            Err(message) => {
                part.error(line, PART.explain(message));
                part.finish(Conditions::default());
            }
        }
    }
}

/// The conditions of an `@part` that follows other parts.
fn part_conditions(text: &[u8], parts: &[Located<Part>]) -> Result<Conditions, String> {
    let conditions = Conditions::parse(text)?;
    if conditions.never_hold() {
        return Err("unreachable: `never` is for `@expect` (remove the part)".to_owned());
    }
    let answers_instead = |part: &Part| part.conditions == conditions || part.conditions.always_hold();
    match parts.iter().find(|part| answers_instead(&part.value)) {
        Some(earlier) => Err(format!(
            "unreachable: the part on line {} answers instead (change the order or the conditions)",
            earlier.line
        )),
        None => Ok(conditions),
    }
}

fn parse_lines(part: &mut PartParser, lines: &[Line<'_>]) {
    for line in lines {
        part.begin_line(line.line);
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
