//! Turns a script's text into a [`Script`]. A file is bytes, split at LF; a line that begins with `@` is a direction,
//! every other line is sent as it stands.

use super::body::{Body, Cut};
use super::head::ScriptHead;
use super::time::parse_time;
use super::{Script, Step};
use crate::suggest;
use std::fmt;

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

/// One row of the table of directions.
struct Direction {
    name: &'static str,
    /// How it is written, for messages and for the README.
    usage: &'static str,
    apply: fn(&mut Parser, &[u8]) -> Result<(), String>,
}

/// All directions there are.
const DIRECTIONS: &[Direction] = &[
    Direction { name: "status", usage: "@status 503 [Reason]", apply: status },
    Direction { name: "header", usage: "@header Name: v | +Name: v | -Name", apply: header },
    Direction { name: "chunk", usage: "@chunk event | line | whole", apply: chunk },
    Direction { name: "sleep", usage: "@sleep T", apply: sleep },
    Direction { name: "clock", usage: "@clock", apply: clock },
    Direction { name: "resume", usage: "@resume", apply: resume },
];

/// How every direction is written, in the order of the README's table.
pub fn directions() -> impl Iterator<Item = &'static str> {
    DIRECTIONS.iter().map(|direction| direction.usage)
}

fn status(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    parser.head_is_open()?;
    parser.head.apply_status(argument)
}

fn header(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    parser.head_is_open()?;
    parser.head.apply_header(argument)
}

fn chunk(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    parser.body.cut = match argument {
        b"event" => Cut::Event,
        b"line" => Cut::Line,
        b"whole" => Cut::Whole,
        _ => return Err(format!("`{}` is no way to cut chunks", argument.escape_ascii())),
    };
    Ok(())
}

fn sleep(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    let time = parse_time(&argument.escape_ascii().to_string())?;
    parser.body.step(Step::Sleep(time));
    Ok(())
}

fn clock(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    nothing(argument)?;
    parser.body.step(Step::Clock);
    Ok(())
}

fn resume(parser: &mut Parser, argument: &[u8]) -> Result<(), String> {
    nothing(argument)?;
    parser.resume = true;
    Ok(())
}

fn nothing(argument: &[u8]) -> Result<(), String> {
    match argument {
        [] => Ok(()),
        _ => Err(format!("`{}` is too much here", argument.escape_ascii())),
    }
}

impl Script {
    /// Compiles the script that answers `GET path`. `file` is what mistakes call it; `path` begins with `/` and is not
    /// percent-encoded.
    ///
    /// # Errors
    /// Every mistake there is, in the order of their lines.
    pub fn parse(file: &str, path: &str, text: &[u8]) -> Result<Script, Mistakes> {
        let mut parser = Parser::new(file);
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            parser.line += 1;
            parser.read_line(line);
        }
        parser.finish(path)
    }
}

struct Parser<'a> {
    file: &'a str,
    line: usize,
    head: ScriptHead,
    body: Body,
    resume: bool,
    /// The first line that is sent.
    first_text: Option<usize>,
    mistakes: Vec<Mistake>,
}

impl Parser<'_> {
    fn new(file: &str) -> Parser<'_> {
        Parser {
            file,
            line: 0,
            head: ScriptHead::default(),
            body: Body::new(),
            resume: false,
            first_text: None,
            mistakes: Vec::new(),
        }
    }

    fn read_line(&mut self, line: &[u8]) {
        match line {
            [b'@', b'#', ..] => {}
            [b'@', rest @ ..] if !rest.starts_with(b"@") => self.direction(trim_end(rest)),
            [b'@', text @ ..] => self.text(text),
            text => self.text(text),
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.first_text.get_or_insert(self.line);
        self.body.text(text);
    }

    fn direction(&mut self, line: &[u8]) {
        let name_length = line.iter().take_while(|byte| !b" \t".contains(byte)).count();
        let (name, argument) = (&line[..name_length], trim_start(&line[name_length..]));
        let outcome = match DIRECTIONS.iter().find(|direction| direction.name.as_bytes() == name) {
            Some(direction) => (direction.apply)(self, argument).map_err(|what| explain(direction, what)),
            None => Err(unknown(name)),
        };
        if let Err(what) = outcome {
            self.mistake(self.line, what);
        }
    }

    fn head_is_open(&self) -> Result<(), String> {
        match self.first_text {
            Some(line) => Err(format!("the head has left with line {line} (put this above it)")),
            None => Ok(()),
        }
    }

    fn mistake(&mut self, line: usize, what: String) {
        self.mistakes.push(Mistake { file: self.file.to_owned(), line, what });
    }

    fn finish(mut self, path: &str) -> Result<Script, Mistakes> {
        if let (true, Some(line)) = (self.head.has_no_body(), self.first_text) {
            let status = self.head.status;
            self.mistake(
                line,
                format!("a {status} has no body (remove the lines, or choose another status)"),
            );
        }
        if !self.mistakes.is_empty() {
            return Err(Mistakes(self.mistakes));
        }
        let (steps, table) = self.body.finish();
        let resume = self.resume.then_some(table);
        Ok(Script {
            file: self.file.to_owned(),
            path: path.as_bytes().to_vec(),
            head: self.head,
            steps,
            resume,
        })
    }
}

/// A mistake's message, with how the direction is written unless the message says so itself.
fn explain(direction: &Direction, what: String) -> String {
    match what.ends_with(')') {
        true => format!("@{}: {what}", direction.name),
        false => format!("@{}: {what} (write `{}`)", direction.name, direction.usage),
    }
}

fn unknown(name: &[u8]) -> String {
    let name = name.escape_ascii().to_string();
    let hint = match suggest::nearest(&name, DIRECTIONS.iter().map(|direction| direction.name)) {
        Some(near) => format!("did you mean `@{near}`?"),
        None => format!("write `@@{name}` to send a line that begins with `@`"),
    };
    format!("unknown direction `@{name}` ({hint})")
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[blanks..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[..text.len() - blanks]
}

#[cfg(test)]
mod tests {
    use super::super::{Chunk, Position};
    use super::*;
    use std::time::Duration;

    fn parse(text: &str) -> Result<Script, Vec<String>> {
        let script = Script::parse("chat.sse", "/chat", text.as_bytes());
        script.map_err(|mistakes| mistakes.0.iter().map(Mistake::to_string).collect())
    }

    #[test]
    fn text_is_text_and_directions_are_steps() {
        let script = parse("data: 1\n\n@sleep 80ms\n@# a remark\n@@data\n").unwrap();
        match script.steps.as_slice() {
            [Step::Chunk(Chunk::Framed(first)), Step::Sleep(time), Step::Chunk(Chunk::Framed(second))] => {
                assert_eq!(first.data(), b"data: 1\n\n");
                assert_eq!(*time, Duration::from_millis(80));
                assert_eq!(second.data(), b"@data\n");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_script_written_with_cr_lf_has_directions_all_the_same() {
        let script = parse("@status 410 Gone\r\n@resume\r\ndata: 1\r\n").unwrap();
        assert_eq!((script.head.status, script.head.reason.as_deref()), (410, Some(&b"Gone"[..])));
        assert!(script.resume.is_some());
    }

    #[test]
    fn a_remark_cuts_no_chunk() {
        let script = parse("data: 1\n@# remark\ndata: 2\n").unwrap();
        assert_eq!(script.steps.len(), 1);
    }

    #[test]
    fn all_mistakes_are_reported_at_once_with_their_lines() {
        let text = "@slep 1s\n@sleep soon\n@wait\n\n@status 503\n@chunk some\n@clock now\n@header X\n";
        assert_eq!(
            parse(text).unwrap_err(),
            [
                "chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)",
                "chat.sse:2: @sleep: `soon` is no time (write 80ms, 1.5s, 2m or 1h)",
                "chat.sse:3: unknown direction `@wait` (write `@@wait` to send a line that begins with `@`)",
                "chat.sse:5: @status: the head has left with line 4 (put this above it)",
                "chat.sse:6: @chunk: `some` is no way to cut chunks (write `@chunk event | line | whole`)",
                "chat.sse:7: @clock: `now` is too much here (write `@clock`)",
                "chat.sse:8: @header: the head has left with line 4 (put this above it)",
            ]
        );
    }

    #[test]
    fn a_status_without_body_has_no_lines() {
        assert_eq!(
            parse("@status 204\n\ndata\n").unwrap_err(),
            ["chat.sse:2: a 204 has no body (remove the lines, or choose another status)"]
        );
        assert!(!parse("@status 204\n").unwrap().has_body());
    }

    #[test]
    fn ids_count_only_with_resume() {
        let start = |text, id: &str| parse(text).unwrap().start(Some(id.as_bytes()));
        assert_eq!(start("id: 1\n\nid: 2\n\n", "1"), Some(Position::default()));
        assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "1"), Some(Position { step: 1, skip: 0 }));
        assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "2"), None);
        assert_eq!(start("id: 1\n\n@resume\n", ""), Some(Position::default()));
    }
}
