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
        let lines = TextLines { first: 1, text: &text };
        if let Some((line, ..)) = lines.split(argument_of_script).1.first() {
            let message = "this line begins another script, but only one is expected (remove it)";
            return Err(ParseErrors::one(file, *line, SCRIPT.explain(message.to_owned())));
        }
        compile_lines(file, path, &text, lines, &[])
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
        let (first, others) = TextLines { first: 1, text: &text }.split(argument_of_script);
        let mut compiled = Vec::new();
        if others.is_empty() || !first.iter().all(|line| is_blank_or_remark(&line)) {
            compiled.push(compile_lines(file, path, &text, first, &[]));
        }
        for (line, argument, lines) in others {
            compiled.push(match path_of_name(argument) {
                Ok(path) => compile_lines(file, &path, &text, lines, &[]),
                Err(message) => Err(ParseErrors::one(file, line, SCRIPT.explain(message))),
            });
        }
        ParseErrors::collect(compiled)
    }

    /// The same script with some directions replaced by others of the same kind. Its requests are not counted.
    ///
    /// # Errors
    /// The first message about a direction that is invalid, or conflicts with the script.
    pub fn replacing(&self, replacements: &[Replacement]) -> Result<Script, String> {
        let Source { first_line, text } = &*self.source;
        let lines = TextLines { first: *first_line, text };
        let compile = |replacements: &[_]| compile_lines(&self.file, "/", text, lines, replacements);
        compile(replacements).map_err(|errors| {
            // Blame the first parameter that is invalid alone; if there is none, blame all of them together.
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
    lines: TextLines<'_>,
    replacements: &[Replacement],
) -> Result<Script, ParseErrors> {
    let text = text.part(lines.text);
    let mut script = ScriptState::new(file, path, text.clone());
    let mut parts = Vec::new();
    parse(&mut script, &mut parts, lines, replacements);
    script.finish(parts, Source { first_line: lines.first, text })
}

/// A line of the file, with its end. Lines are counted from 1.
type Line<'a> = Located<&'a [u8]>;

/// Lines of the file that follow one another. They are found again each time, because a list of them takes more memory
/// than a script with small events.
#[derive(Clone, Copy)]
struct TextLines<'a> {
    /// The number of the first.
    first: usize,
    text: &'a [u8],
}

impl<'a> TextLines<'a> {
    fn iter(self) -> impl Iterator<Item = Line<'a>> {
        let lines = self.text.split_inclusive(|&byte| byte == b'\n');
        (self.first..).zip(lines).map(|(line, value)| Located { line, value })
    }

    /// The lines above the first one for which `find` returns a value. Then, for each such line, its number, the value, and
    /// the lines below it.
    fn split<T>(
        self,
        mut find: impl FnMut(&Line<'a>) -> Option<T>,
    ) -> (TextLines<'a>, Vec<(usize, T, TextLines<'a>)>) {
        let mut above = self;
        let mut sections = Vec::new();
        let mut rest = self.text;
        for line in self.iter() {
            let below = &rest[line.value.len()..];
            if let Some(value) = find(&line) {
                let last = sections.last_mut().map_or(&mut above, |(_, _, lines)| lines);
                last.text = &last.text[..last.text.len() - rest.len()];
                sections.push((line.line, value, TextLines { first: line.line + 1, text: below }));
            }
            rest = below;
        }
        (above, sections)
    }
}

/// What follows this direction in a line; `None` for any other line.
fn argument_of<'a>(direction: &Direction, line: &Line<'a>) -> Option<&'a [u8]> {
    let (name, argument) = word(trim_end(line.value.strip_prefix(b"@")?));
    (name == direction.name().as_bytes()).then_some(argument)
}

/// What follows the `@script` of a line; `None` for any other line.
fn argument_of_script<'a>(line: &Line<'a>) -> Option<&'a [u8]> {
    argument_of(&SCRIPT, line)
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
    lines: TextLines<'_>,
    replacements: &[Replacement],
) {
    let (common_lines, sections) = lines.split(|line| {
        script.can_resume |= line.value.starts_with(b"@resume");
        conditions_text(line)
    });
    let mut common = PartParser::new(script);
    for replacement in replacements {
        if let Err(message) = replacement.apply(&mut common) {
            common.error(0, message);
        }
    }
    parse_lines(&mut common, common_lines, replacements);
    if sections.is_empty() {
        let value = common.finish(Conditions::default());
        parts.push(Located { line: 1, value });
        return;
    }
    common.body.share();
    for (line, text, lines) in sections {
        let mut part = common.fork();
        if let Err(message) = part.check_is_reachable() {
            part.error(line, PART.explain(message));
        }
        let conditions = part_conditions(text, parts);
        let conditions = conditions.map_err(|message| part.error(line, PART.explain(message))).ok();
        part.body.needs.add(line, conditions.iter().flat_map(Conditions::names));
        parse_lines(&mut part, lines, replacements);
        let is_valid = conditions.is_some();
        let value = part.finish(conditions.unwrap_or_default());
        parts.extend(is_valid.then_some(Located { line, value }));
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

fn parse_lines(part: &mut PartParser, lines: TextLines<'_>, replacements: &[Replacement]) {
    for line in lines.iter() {
        part.body.file_line = line.line;
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
        part.error(part.line(), message);
    }
}

#[cfg(test)]
mod tests;
