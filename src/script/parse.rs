//! Compiles a script's text to a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it is. The lines before the first `@part` belong to every part, and are parsed once. A line
//! `@script` begins another script in the same file.

mod body;
pub mod directions;
mod encoding;
mod error;
mod part;
pub mod replacement;
mod state;
mod warnings;

pub use error::ParseErrors;

use super::condition::Conditions;
use super::words::{invalid, trim_end, word};
use super::{Part, Script, Source};
use crate::text::shared::SharedBytes;
use directions::{Direction, PART, SCRIPT};
use error::Located;
use part::PartParser;
use replacement::Replacement;
use state::ScriptState;
use std::slice;

impl Script {
    /// Compiles a script. Errors call it `file`. It answers `GET path` unless it says otherwise; `path` begins with `/`
    /// and is not percent-encoded.
    ///
    /// # Errors
    /// All errors in the script, in the order of their lines.
    pub fn compile(file: &str, path: &str, text: impl Into<SharedBytes>) -> Result<Script, ParseErrors> {
        let text = text_of_file(file, text.into())?;
        let lines = split_lines(&text, 1);
        if let Some((line, _)) = lines.iter().find_map(argument_of_script) {
            let message = "this line begins another script, but only one is expected (remove it)";
            return Err(ParseErrors::one(file, line, SCRIPT.explain(message.to_owned())));
        }
        compile_lines(file, path, &text, &lines, &[])
    }

    /// Compiles all scripts of a file: the first consists of the lines above the first `@script`, unless they are only
    /// remarks.
    ///
    /// # Errors
    /// All errors in the scripts, in the order of their lines.
    pub fn compile_all(
        file: &str,
        path: &str,
        text: impl Into<SharedBytes>,
    ) -> Result<Vec<Script>, ParseErrors> {
        let text = text_of_file(file, text.into())?;
        let lines = split_lines(&text, 1);
        let mut sections = lines.split(|line| argument_of_script(line).is_some());
        let first = sections.next().unwrap_or_default();
        let mut compiled = Vec::new();
        if first.len() == lines.len() || !first.iter().all(is_blank_or_remark) {
            compiled.push(compile_lines(file, path, &text, first, &[]));
        }
        for ((line, argument), section) in lines.iter().filter_map(argument_of_script).zip(sections) {
            compiled.push(match path_of_name(argument) {
                Ok(path) => compile_lines(file, &path, &text, section, &[]),
                Err(message) => Err(ParseErrors::one(file, line, SCRIPT.explain(message))),
            });
        }
        ParseErrors::collect(compiled)
    }

    /// The same script with some directions replaced by others of the same kind. Its requests are not counted.
    ///
    /// # Errors
    /// The first message about a direction that is invalid, or does not fit the script.
    pub fn replacing(&self, replacements: &[Replacement]) -> Result<Script, String> {
        let Source { first_line, text } = &*self.source;
        let lines = split_lines(text, *first_line);
        let compile = |replacements: &[_]| compile_lines(&self.file, "/", text, &lines, replacements);
        compile(replacements).map_err(|errors| {
            // One is enough to make the script invalid, or all of them together.
            let is_invalid = |replacement: &&Replacement| compile(slice::from_ref(*replacement)).is_err();
            let blamed = replacements.iter().find(is_invalid).map_or(replacements, slice::from_ref);
            let parameters: Vec<String> = blamed.iter().map(Replacement::to_string).collect();
            errors.first_because_of(&parameters.join("&"))
        })
    }
}

fn text_of_file(file: &str, text: SharedBytes) -> Result<SharedBytes, ParseErrors> {
    let checked = encoding::check(&text).map_err(|message| ParseErrors::one(file, 1, message))?;
    Ok(text.part(checked))
}

fn compile_lines(
    file: &str,
    path: &str,
    text: &SharedBytes,
    lines: &[Line<'_>],
    replacements: &[Replacement],
) -> Result<Script, ParseErrors> {
    let mut text_of_lines = text.part(lines.first().map_or(&[], |line| line.value));
    lines.iter().skip(1).for_each(|line| text_of_lines.push(line.value));
    let mut script = ScriptState::new(file, path, text_of_lines.clone());
    let mut parts = Vec::new();
    parse(&mut script, &mut parts, lines, replacements);
    let first_line = lines.first().map_or(1, |line| line.line);
    script.finish(parts, Source { first_line, text: text_of_lines })
}

/// A line of the file, with its end. Lines are counted from 1.
type Line<'a> = Located<&'a [u8]>;

fn split_lines(text: &[u8], first_line: usize) -> Vec<Line<'_>> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    (first_line..).zip(lines).map(|(line, value)| Located { line, value }).collect()
}

/// What follows this direction in a line; `None` for any other line.
fn argument_of<'a>(direction: &Direction, line: &Line<'a>) -> Option<&'a [u8]> {
    let (name, argument) = word(trim_end(line.value.strip_prefix(b"@")?));
    (name == direction.name().as_bytes()).then_some(argument)
}

/// The number of a line that begins a script, and what follows the `@script` in it; `None` for any other line.
fn argument_of_script<'a>(line: &Line<'a>) -> Option<(usize, &'a [u8])> {
    Some((line.line, argument_of(&SCRIPT, line)?))
}

/// The path of a script that begins with `@script NAME`: that of a file with this name.
fn path_of_name(name: &[u8]) -> Result<String, String> {
    let is_valid = !name.is_empty() && !name.starts_with(b"/") && !name.iter().any(u8::is_ascii_whitespace);
    match std::str::from_utf8(name) {
        Ok(name) if is_valid => Ok(format!("/{name}")),
        _ => Err(invalid("name", name, "one such as `chat`, without spaces, for the path `/chat`")),
    }
}

fn is_blank_or_remark(line: &Line<'_>) -> bool {
    line.value.starts_with(b"@#") || trim_end(line.value).is_empty()
}

/// What follows the `@part` of a line; `None` for any other line.
fn conditions_text<'a>(line: &Line<'a>) -> Option<&'a [u8]> {
    argument_of(&PART, line)
}

/// Parses the lines of a file, and adds its parts to `parts`, each with the line of its `@part`.
fn parse(
    script: &mut ScriptState,
    parts: &mut Vec<Located<Part>>,
    lines: &[Line<'_>],
    replacements: &[Replacement],
) {
    let mut sections = lines.split(|line| conditions_text(line).is_some());
    script.can_resume = lines.iter().any(|line| line.value.starts_with(b"@resume"));
    let mut common = PartParser::new(script);
    for replacement in replacements {
        if let Err(message) = replacement.apply(&mut common) {
            common.error(0, message);
        }
    }
    parse_lines(&mut common, sections.next().unwrap_or_default(), replacements);
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
        parse_lines(&mut part, section, replacements);
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
    if conditions.are_about_reports() {
        return Err("unreachable: `events`, `reported` and `disconnect` are for `@expect` (remove the part)"
            .to_owned());
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

fn parse_lines(part: &mut PartParser, lines: &[Line<'_>], replacements: &[Replacement]) {
    for line in lines {
        part.begin_line(line.line);
        match line.value {
            [b'@', b'#', remark @ ..] => part.remark(remark),
            [b'@', text @ ..] if text.starts_with(b"@") => part.text(text),
            [b'@', direction @ ..] => parse_direction(part, trim_end(direction), replacements),
            text => part.text(text),
        }
    }
}

fn parse_direction(part: &mut PartParser, text: &[u8], replacements: &[Replacement]) {
    let (name, argument) = word(text);
    if replacements.iter().any(|replacement| replacement.replaces(name, argument)) {
        return;
    }
    let applied = directions::find(name).and_then(|direction| direction.apply(part, argument));
    if let Err(message) = applied {
        part.error(part.line, message);
    }
}

#[cfg(test)]
mod tests;
