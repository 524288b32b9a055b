//! The table of directions: how each is written, and how it changes the part that is being parsed.

mod case;
mod hints;

use super::body::{Cut, MAX_FILL};
use super::part::PartParser;
use crate::http::gzip::GzipFlush;
use crate::http::response::is_interim_response;
use crate::script::head::{field_line, ScriptHead};
use crate::script::repeat::{Every, Turns};
use crate::script::resume::IdSource;
use crate::script::template::{unescape, Template};
use crate::script::units::{parse_number, parse_size, parse_time, parse_wait, MIB};
use crate::script::words::{invalid, invalid_argument, word, word_with_placeholders};
use crate::script::{BodyFraming, Ending, Step, Wait};
use crate::text::escape::escape;
use case::{case, downtime, expect, skip, start};
use hints::instead_of;
use std::time::Duration;

/// The largest size for `@drop after`: 1 GiB. A larger one is a typing error.
const MAX_DROP_AFTER: u64 = 1024 * MIB;

/// The shortest interval of `@keepalive`: at shorter ones, comments would keep a processor busy.
const MIN_KEEPALIVE: Duration = Duration::from_millis(1);

/// One row of the table of directions.
pub(super) struct Direction {
    /// How it is written, for messages and for the documents; the first word is its name.
    pub usage: &'static str,
    apply: fn(&mut PartParser, &[u8]) -> Result<(), String>,
}

/// All directions, in the order of the reference.
const DIRECTIONS: &[Direction] = &[
    Direction { usage: "@on METHOD[,METHOD] TARGET", apply: on },
    Direction { usage: "@status 503 [Reason]", apply: status },
    Direction { usage: "@header Name: v | +Name: v | -Name", apply: header },
    Direction { usage: "@framing chunked | length [N] | close", apply: framing },
    Direction { usage: "@gzip event | end", apply: gzip },
    Direction { usage: "@open", apply: open },
    Direction { usage: "@eol keep | lf | crlf | cr", apply: eol },
    Direction { usage: "@literal on | off", apply: literal },
    Direction { usage: "@send TEXT", apply: send },
    Direction { usage: "@fill SIZE [c]", apply: fill },
    Direction { usage: "@chunk event | line | whole | N [every T]", apply: chunk },
    Direction { usage: "@cut", apply: cut },
    Direction { usage: "@wire TEXT", apply: wire },
    Direction { usage: "@trailer Name: v", apply: trailer },
    Direction { usage: "@sleep T[..T]", apply: sleep },
    Direction { usage: "@pause NAME", apply: pause },
    Direction { usage: "@pace T", apply: pace },
    Direction { usage: "@keepalive T [: text]", apply: keepalive },
    Direction { usage: "@repeat N | forever [every T]", apply: repeat },
    Direction { usage: "@again", apply: |part, _| part.close_loop() },
    Direction { usage: "@clock", apply: |part, _| step(part, Step::Clock) },
    Direction { usage: "@resume [by query:K | header:K | cookie:K | json:PATH]", apply: resume },
    PART,
    Direction { usage: "@expect COND [and COND]", apply: expect },
    Direction { usage: "@skip TEXT", apply: skip },
    Direction { usage: "@case must | may | differs | info SECTION TEXT", apply: case },
    Direction { usage: "@start other-origin [with-credentials] | down T", apply: start },
    Direction {
        usage: "@count [by ip | path | query:K | header:K | cookie:K | json:PATH] [when COND and COND]",
        apply: count,
    },
    Direction { usage: "@end", apply: |part, _| part.end(Ending::End) },
    Direction { usage: "@close", apply: |part, _| part.end(Ending::Close) },
    Direction { usage: "@drop [after SIZE]", apply: drop },
    Direction { usage: "@reset", apply: |part, _| part.end(Ending::Reset) },
    Direction { usage: "@hang [T]", apply: hang },
    Direction { usage: "@down T", apply: |part, argument| step(part, Step::Down(downtime(argument)?)) },
    SCRIPT,
];

/// The row of `@part`. It is applied to no part: the parser looks for it first, because it divides the file.
pub(super) const PART: Direction = Direction { usage: "@part COND [and COND]", apply: |_, _| Ok(()) };

/// The row of `@script`. It is applied to no part either, because it divides the file into scripts.
pub(super) const SCRIPT: Direction = Direction { usage: "@script NAME", apply: |_, _| Ok(()) };

/// How every direction is written, in the order of the reference.
pub fn usages() -> impl Iterator<Item = &'static str> {
    DIRECTIONS.iter().map(|direction| direction.usage)
}

/// The direction of this name.
///
/// # Errors
/// A message that says what to write instead.
pub(super) fn find(name: &[u8]) -> Result<&'static Direction, String> {
    let found = DIRECTIONS.iter().find(|direction| direction.name().as_bytes() == name);
    let names = DIRECTIONS.iter().map(Direction::name);
    found.ok_or_else(|| {
        format!("unknown direction `@{}` ({})", escape(name), instead_of(&escape(name), names))
    })
}

impl Direction {
    /// The name, without its `@`.
    pub fn name(&self) -> &'static str {
        let name = self.usage.split(' ').next().unwrap_or_default();
        &name[1..]
    }

    /// Changes the part as the direction says.
    ///
    /// # Errors
    /// A message that names the direction, what is wrong and the way out.
    pub fn apply(&self, part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
        self.try_apply(part, argument).map_err(|message| self.explain(message))
    }

    fn try_apply(&self, part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
        part.check_is_reachable()?;
        let takes_argument = self.usage.contains(' ');
        if !takes_argument && !argument.is_empty() {
            return Err(format!("unexpected argument `{}` (takes no argument)", escape(argument)));
        }
        // Filler joins the text around it, even in a chunk that ends at the next direction.
        if self.name() != "fill" {
            part.body.end_whole_chunk();
        }
        (self.apply)(part, argument)
    }

    /// Puts the direction's name before a message, and behind it how the direction is written, unless the message ends
    /// with a way out in parentheses.
    pub fn explain(&self, message: String) -> String {
        if message.ends_with(')') {
            format!("@{}: {message}", self.name())
        } else {
            format!("@{}: {message} (expected `{}`)", self.name(), self.usage)
        }
    }
}

fn on(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_single("on")?;
    part.script.route.apply_on(argument)
}

fn status(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_above_body()?;
    part.check_is_single_in_part("status")?;
    part.change_head(ScriptHead::apply_status, argument)
}

fn header(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_above_body()?;
    if !argument.starts_with(b"+") && !argument.starts_with(b"-") {
        part.check_field_is_single(argument)?;
    }
    part.change_head(ScriptHead::apply_header, argument)
}

fn framing(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_above_body()?;
    part.check_is_single_in_part("framing")?;
    part.set_framing(match word(argument) {
        (b"chunked", b"") => BodyFraming::Chunked,
        (b"close", b"") => BodyFraming::Close,
        (b"length", b"") => BodyFraming::Length(None),
        (b"length", length) => {
            let length = parse_number(length).ok_or_else(|| invalid_argument(argument))?;
            BodyFraming::Length(Some(length))
        }
        _ => return Err(invalid_argument(argument)),
    });
    Ok(())
}

fn gzip(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_above_body()?;
    part.check_is_single_in_part("gzip")?;
    let flush = match argument {
        b"event" => GzipFlush::Each,
        b"end" => GzipFlush::Full,
        _ => return Err(invalid_argument(argument)),
    };
    header(part, b"content-encoding: gzip")?;
    step(part, Step::Gzip(flush))
}

fn open(part: &mut PartParser, _: &[u8]) -> Result<(), String> {
    part.check_is_above_body()?;
    part.mark_head_sent();
    step(part, Step::Open)
}

fn eol(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.body.line_end = match argument {
        b"keep" => None,
        b"lf" => Some(b"\n"),
        b"crlf" => Some(b"\r\n"),
        b"cr" => Some(b"\r"),
        _ => return Err(invalid_argument(argument)),
    };
    Ok(())
}

fn literal(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.body.literal = match argument {
        b"on" => true,
        b"off" => false,
        _ => return Err(invalid_argument(argument)),
    };
    Ok(())
}

fn send(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let text = text(part, argument)?;
    part.mark_content();
    part.body.send(text);
    Ok(())
}

fn fill(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (size, filler) = word(argument);
    let size = parse_size(size, MAX_FILL)?;
    let byte = match unescape(filler)?.as_slice() {
        [] => b'x',
        [byte] if !b"\r\n".contains(byte) => *byte,
        _ => return Err(invalid("filler", filler, "one byte that does not end a line")),
    };
    part.mark_content();
    part.body.fill(byte, size as usize);
    Ok(())
}

fn chunk(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.body.set_cut(match argument {
        b"event" => Cut::Event,
        b"line" => Cut::Line,
        b"whole" => Cut::Whole,
        _ => {
            let (size, rest) = word(argument);
            let size = parse_number(size).filter(|size| *size > 0);
            let size = size.ok_or_else(|| invalid_argument(argument))?;
            let every = match word(rest) {
                (b"", _) => None,
                (b"every", time) => Some(parse_time(time)?),
                _ => return Err(invalid_argument(rest)),
            };
            Cut::Pieces { size, every }
        }
    });
    Ok(())
}

fn cut(part: &mut PartParser, _: &[u8]) -> Result<(), String> {
    part.body.flush();
    Ok(())
}

fn wire(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let text = text(part, argument)?;
    let plain = text.as_plain().unwrap_or_default();
    if !is_interim_response(plain) {
        if plain.starts_with(b"HTTP/1.1 1") {
            part.body.warnings.add_incomplete_head(part.line());
        }
        part.mark_content();
    }
    step(part, Step::Wire(text))
}

fn trailer(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let line = if part.body.literal { argument } else { without_placeholders(argument)? };
    let (name, value) = field_line(line)?;
    part.add_trailer(name, value);
    Ok(())
}

fn sleep(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let template = Template::parse(argument)?;
    let default = template.default_text().map(|text| parse_wait(&text)).transpose()?;
    let is_plain = template.as_plain().is_some();
    let wait = match default {
        Some((shortest, longest)) if is_plain => Wait::Between(shortest, longest),
        _ => Wait::Requested(template),
    };
    step(part, Step::Sleep(wait))
}

fn pause(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    // The name is a segment of a path, without percent-encoding.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    if argument.is_empty() || !argument.iter().all(is_name) {
        return Err(invalid("name", argument, "letters, digits, `-`, `_` and `.`"));
    }
    step(part, Step::Pause((*String::from_utf8_lossy(argument)).into()))
}

fn pace(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.body.set_pace(Some(parse_time(argument)?).filter(|pace| *pace > Duration::ZERO));
    Ok(())
}

fn keepalive(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (time, text) = word(without_placeholders(argument)?);
    let every = parse_time(time)?;
    if every < MIN_KEEPALIVE {
        return Err(invalid("time", time, "at least 1ms"));
    }
    let mut comment = if text.is_empty() { b":".to_vec() } else { unescape(text)? };
    if !comment.starts_with(b":") || comment.iter().any(|byte| b"\r\n".contains(byte)) {
        return Err(invalid("comment", text, "one line that begins with `:`"));
    }
    comment.push(b'\n');
    part.mark_body_needed();
    step(part, Step::Keepalive { every, comment: Box::new(comment.into()) })
}

fn repeat(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (number, rest) = word_with_placeholders(argument);
    let turns = Turns::parse(number)?;
    let every = match word(rest) {
        (b"", _) => Every::Always(Duration::ZERO),
        (b"every", time) => Every::parse(time)?,
        _ => return Err(invalid_argument(rest)),
    };
    part.body.repeat(turns, every);
    Ok(())
}

fn resume(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.id_source = IdSource::parse(argument).ok_or_else(|| invalid_argument(argument))?;
    part.body.needs.add(part.line(), part.id_source.names());
    part.resume_line = Some(part.line());
    Ok(())
}

fn count(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_single("count")?;
    part.script.route.apply_count(argument)?;
    part.body.needs.add(part.line(), part.script.route.names());
    Ok(())
}

fn drop(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    match word(argument) {
        (b"", _) => part.end(Ending::Drop),
        (b"after", size) => step(part, Step::DropAfter(parse_size(size, MAX_DROP_AFTER)?)),
        _ => Err(invalid_argument(argument)),
    }
}

fn hang(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let time = if argument.is_empty() { None } else { Some(parse_time(argument)?) };
    part.end(Ending::Hang(time))
}

fn step(part: &mut PartParser, step: Step) -> Result<(), String> {
    part.body.step(step);
    Ok(())
}

/// TEXT, with its placeholders unless they are switched off.
fn text(part: &PartParser, argument: &[u8]) -> Result<Template, String> {
    if argument.is_empty() {
        return Err(invalid_argument(argument));
    }
    if part.body.literal {
        return Ok(Template::literal(&unescape(argument)?));
    }
    Template::parse_escaped(argument)
}

fn without_placeholders(argument: &[u8]) -> Result<&[u8], String> {
    match Template::parse(argument)?.as_plain() {
        Some(_) => Ok(argument),
        None => Err("placeholders are not allowed here (write the value itself)".to_owned()),
    }
}
