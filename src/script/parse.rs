//! Compiles a script's text to a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it is. The lines before the first `@part` belong to every part, and are parsed once. A line
//! `@script` begins another script in the same file.

mod body;
pub mod directions;
mod encoding;
mod error;
mod part;
pub mod replacement;
mod sections;
mod state;
mod warnings;

pub use error::ParseErrors;

use super::condition::Conditions;
use super::words::{invalid, trim_end, word};
use super::{Part, Script, Source};
use crate::text::shared::SharedBytes;
use directions::{PART, SCRIPT};
use error::Located;
use part::PartParser;
use replacement::Replacement;
use sections::{Section, TextLines};
use state::ScriptState;
use std::slice;
use std::sync::Arc;

impl Script {
    /// Compiles a script. Errors call it `file`. It answers `GET path` unless it says otherwise; `path` begins with `/`
    /// and is not percent-encoded.
    ///
    /// # Errors
    /// All errors in the script, in the order of their lines.
    pub fn compile(file: &str, path: &str, text: impl Into<SharedBytes>) -> Result<Script, ParseErrors> {
        let source = source_of_file(file, text.into())?;
        if let Some(other) = source.lines().split(&SCRIPT).1.first() {
            let message = "this line begins another script, but only one is expected (remove it)";
            return Err(ParseErrors::one(file, other.line, SCRIPT.explain(message.to_owned())));
        }
        compile_source(file, path, Arc::new(source), &[])
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
        let source = source_of_file(file, text.into())?;
        let (first, others) = source.lines().split(&SCRIPT);
        let mut compiled = Vec::new();
        if others.is_empty() || !first.iter().all(|line| is_blank_or_remark(line.value)) {
            compiled.push(compile_source(file, path, source.part(first), &[]));
        }
        for Section { line, argument, lines } in others {
            compiled.push(match path_of_name(argument) {
                Ok(path) => compile_source(file, &path, source.part(lines), &[]),
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
        let compile =
            |replacements: &[_]| compile_source(&self.file, "/", Arc::clone(&self.source), replacements);
        compile(replacements).map_err(|errors| {
            // Blame the first parameter that is invalid alone; if there is none, blame all of them together.
            let is_invalid = |replacement: &&Replacement| compile(slice::from_ref(*replacement)).is_err();
            let blamed = replacements.iter().find(is_invalid).map_or(replacements, slice::from_ref);
            let parameters: Vec<String> = blamed.iter().map(Replacement::to_string).collect();
            errors.first_because_of(&parameters.join("&"))
        })
    }
}

impl Source {
    fn lines(&self) -> TextLines<'_> {
        TextLines { first: self.first_line, text: &self.text }
    }

    /// The source that consists of these lines of it.
    fn part(&self, lines: TextLines<'_>) -> Arc<Source> {
        Arc::new(Source { first_line: lines.first, text: self.text.part(lines.text) })
    }
}

fn source_of_file(file: &str, text: SharedBytes) -> Result<Source, ParseErrors> {
    let checked = encoding::check(&text).map_err(|message| ParseErrors::one(file, 1, message))?;
    Ok(Source { first_line: 1, text: text.part(checked) })
}

/// The path of a script that begins with `@script NAME`: that of a file with this name.
fn path_of_name(name: &[u8]) -> Result<String, String> {
    let is_valid = !name.is_empty() && !name.starts_with(b"/") && !name.iter().any(u8::is_ascii_whitespace);
    match std::str::from_utf8(name) {
        Ok(name) if is_valid => Ok(format!("/{name}")),
        _ => Err(invalid("name", name, "one such as `chat`, without spaces, for the path `/chat`")),
    }
}

fn is_blank_or_remark(line: &[u8]) -> bool {
    line.starts_with(b"@#") || trim_end(line).is_empty()
}

fn compile_source(
    file: &str,
    path: &str,
    source: Arc<Source>,
    replacements: &[Replacement],
) -> Result<Script, ParseErrors> {
    let mut script = ScriptState::new(file, path, Arc::clone(&source));
    let parts = parse_parts(&mut script, source.lines(), replacements);
    script.finish(parts)
}

/// The parts of a script, each with the line of its `@part`.
fn parse_parts(
    script: &mut ScriptState,
    lines: TextLines<'_>,
    replacements: &[Replacement],
) -> Vec<Located<Part>> {
    let (common_lines, sections) = lines.split(&PART);
    let mut common = PartParser::new(script);
    for replacement in replacements {
        if let Err(message) = replacement.apply(&mut common) {
            common.error(0, message);
        }
    }
    parse_lines(&mut common, common_lines, replacements);
    if sections.is_empty() {
        return vec![Located { line: 1, value: common.finish(Conditions::default()) }];
    }
    common.body.share();
    let mut parts = Vec::new();
    for Section { line, argument, lines } in sections {
        let mut part = common.fork();
        if let Err(message) = part.check_is_reachable() {
            part.error(line, PART.explain(message));
        }
        match part_conditions(argument, &parts) {
            Ok(conditions) => {
                part.body.needs.add(line, conditions.names());
                parse_lines(&mut part, lines, replacements);
                parts.push(Located { line, value: part.finish(conditions) });
            }
            // Its lines are parsed for their errors. Not added, because it must not make later parts unreachable.
            Err(message) => {
                part.error(line, PART.explain(message));
                parse_lines(&mut part, lines, replacements);
                part.finish(Conditions::default());
            }
        }
    }
    parts
}

/// The conditions of an `@part` that follows other parts.
fn part_conditions(text: &[u8], parts: &[Located<Part>]) -> Result<Conditions, String> {
    let conditions = Conditions::parse(text)?;
    if conditions.never_hold() {
        return Err("unreachable: `never` is for `@expect` (remove the part)".to_owned());
    }
    if conditions.report().is_some() {
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
