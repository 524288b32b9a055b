//! The table of directions: how each is written, and what it adds to what the part that is being read will send.

use super::body::{Cut, MAX_FILL};
use super::part::PartParser;
use crate::http::chunk::Framed;
use crate::script::head::field_line;
use crate::script::template::{unescape, Segment, Template};
use crate::script::units::{parse_number, parse_size, parse_time, parse_wait};
use crate::script::words::{shown, word, wrong};
use crate::script::{BodyFraming, Ending, Step, Wait};
use crate::text::suggest;
use std::time::Duration;

/// One row of the table of directions.
pub(super) struct Direction {
    /// How it is written, for messages and for the README; the first word is its name.
    pub usage: &'static str,
    apply: fn(&mut PartParser, &[u8]) -> Result<(), String>,
}

/// All directions but `@part`, which is no direction in a part.
const DIRECTIONS: &[Direction] = &[
    Direction { usage: "@on METHOD[,METHOD] TARGET", apply: on },
    Direction { usage: "@status 503 [Reason]", apply: status },
    Direction { usage: "@header Name: v | +Name: v | -Name", apply: header },
    Direction { usage: "@framing chunked | length [N] | close", apply: framing },
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
    Direction { usage: "@pace T", apply: pace },
    Direction { usage: "@keepalive T [: text]", apply: keepalive },
    Direction { usage: "@repeat N | forever [every T]", apply: repeat },
    Direction { usage: "@again", apply: again },
    Direction { usage: "@clock", apply: clock },
    Direction { usage: "@resume", apply: resume },
    PART_ROW,
    Direction { usage: "@count by ip | query:K | header:K | cookie:K", apply: count },
    Direction { usage: "@end", apply: end },
    Direction { usage: "@close", apply: close },
    Direction { usage: "@drop [after SIZE]", apply: drop },
    Direction { usage: "@reset", apply: reset },
    Direction { usage: "@hang [T]", apply: hang },
];

/// The direction that begins a part. The parser looks for it first, for it divides the file.
pub(super) const PART: &str = "part";

pub(super) const PART_ROW: Direction = Direction { usage: "@part COND [and COND]", apply: part };

/// The direction whose text joins that around it, even under `@chunk whole`.
const FILL: &str = "fill";

/// How every direction is written, in the order of the README's table.
pub fn usages() -> impl Iterator<Item = &'static str> {
    DIRECTIONS.iter().map(|direction| direction.usage)
}

/// The direction of this name.
///
/// # Errors
/// A message that suggests another.
pub(super) fn find(name: &[u8]) -> Result<&'static Direction, String> {
    let found = DIRECTIONS.iter().find(|direction| direction.name().as_bytes() == name);
    found.ok_or_else(|| {
        let name = shown(name);
        let hint = match suggest::nearest(&name, DIRECTIONS.iter().map(|direction| direction.name())) {
            Some(near) => format!("did you mean `@{near}`?"),
            None => format!("write `@@{name}` to send a line that begins with `@`"),
        };
        format!("unknown direction `@{name}` ({hint})")
    })
}

impl Direction {
    /// The name, without its `@`.
    pub fn name(&self) -> &'static str {
        let name = self.usage.split(' ').next().unwrap_or_default();
        &name[1..]
    }

    /// Whether a chunk that has no other end ends here.
    pub fn ends_chunk(&self) -> bool {
        self.name() != FILL
    }

    /// Does what the direction says.
    ///
    /// # Errors
    /// A message that names what is wrong.
    pub fn apply(&self, parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
        let takes_nothing = !self.usage.contains(' ');
        match takes_nothing && !argument.is_empty() {
            true => Err(too_much(argument)),
            false => (self.apply)(parser, argument),
        }
    }

    /// A mistake's message, with how the direction is written unless the message says so itself.
    pub fn explain(&self, what: String) -> String {
        match what.ends_with(')') {
            true => format!("@{}: {what}", self.name()),
            false => format!("@{}: {what} (write `{}`)", self.name(), self.usage),
        }
    }
}

fn on(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.once(|settings| &mut settings.on)?;
    parser.settings.route.apply_on(argument)
}

fn count(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.once(|settings| &mut settings.count)?;
    parser.settings.route.apply_count(argument)
}

fn part(_: &mut PartParser, _: &[u8]) -> Result<(), String> {
    Ok(())
}

fn status(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.head_is_open()?;
    parser.head.apply_status(argument)
}

fn header(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.head_is_open()?;
    parser.head.apply_header(argument)
}

fn framing(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.head_is_open()?;
    let (kind, length) = word(argument);
    let framing = match (kind, length) {
        (b"chunked", b"") => BodyFraming::Chunked,
        (b"close", b"") => BodyFraming::Close,
        (b"length", b"") => BodyFraming::Length(None),
        (b"length", length) => BodyFraming::Length(Some(number(length)?)),
        _ => return Err(wrong(argument, "is no framing")),
    };
    parser.framing = (framing, parser.line);
    Ok(())
}

fn open(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.head_leaves();
    parser.body.step(Step::Open);
    Ok(())
}

fn eol(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.body.line_end = match argument {
        b"keep" => None,
        b"lf" => Some(b"\n"),
        b"crlf" => Some(b"\r\n"),
        b"cr" => Some(b"\r"),
        _ => return Err(wrong(argument, "is no line end")),
    };
    Ok(())
}

fn literal(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.body.literal = match argument {
        b"on" => true,
        b"off" => false,
        _ => return Err(wrong(argument, "is neither on nor off")),
    };
    Ok(())
}

fn send(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let text = text(parser, argument)?;
    parser.content();
    parser.body.send(text);
    Ok(())
}

fn fill(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (size, filler) = word(argument);
    let size = match parse_size(&shown(size))? {
        count if count > MAX_FILL => return Err(wrong(size, "is too large (at most 64M)")),
        count => count as usize,
    };
    let byte = match unescape(filler)?.as_slice() {
        [] => b'x',
        [b'\n' | b'\r'] => return Err("filler is no line end".to_owned()),
        [byte] => *byte,
        _ => return Err(format!("filler is one byte, not `{}`", filler.escape_ascii())),
    };
    parser.content();
    parser.body.fill(byte, size);
    Ok(())
}

fn chunk(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let cut = match argument {
        b"event" => Cut::Event,
        b"line" => Cut::Line,
        b"whole" => Cut::Whole,
        _ => {
            let (size, rest) = word(argument);
            match number(size) {
                Ok(size) if size > 0 => Cut::Pieces { size, every: every(rest)?.unwrap_or(Duration::ZERO) },
                _ => return Err(wrong(argument, "is no way to cut chunks")),
            }
        }
    };
    parser.body.set_cut(cut);
    Ok(())
}

fn cut(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.body.step(Step::Flush);
    Ok(())
}

fn wire(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let text = text(parser, argument)?;
    parser.content();
    parser.body.step(Step::Wire(text));
    Ok(())
}

fn trailer(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (name, value) = field_line(plain(argument)?)?;
    parser.content_follows();
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        parser.trailer.extend_from_slice(piece);
    }
    parser.trailer_line = Some(parser.line);
    Ok(())
}

fn sleep(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let template = Template::parse(argument)?;
    let wait = match template.as_plain() {
        Some(plain) => {
            let (least, most) = parse_wait(plain)?;
            Wait::Between(least, most)
        }
        None => Wait::Requested(template),
    };
    parser.body.step(Step::Sleep(wait));
    Ok(())
}

fn pace(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    parser.body.pace = Some(time(argument)?).filter(|pace| *pace > Duration::ZERO);
    Ok(())
}

fn keepalive(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (every, comment) = word(plain(argument)?);
    let every = time(every)?;
    if every < Duration::from_millis(1) {
        return Err("a keep-alive needs a millisecond at least".to_owned());
    }
    let mut comment = match comment {
        b"" => b":".to_vec(),
        [b':', ..] => unescape(comment)?,
        _ => return Err(wrong(comment, "does not begin with a colon")),
    };
    if comment.contains(&b'\r') || comment.contains(&b'\n') {
        return Err("a comment is one line".to_owned());
    }
    comment.push(b'\n');
    parser.content_follows();
    parser.body.step(Step::Keepalive { every, comment: Framed::new(&comment) });
    Ok(())
}

fn repeat(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let (turns, rest) = word(argument);
    let turns = match turns {
        b"forever" => None,
        _ => Some(number(turns)?),
    };
    if turns == Some(0) {
        return Err("`0` turns are none (write 1 or more)".to_owned());
    }
    parser.open_loop(turns, every(rest)?);
    Ok(())
}

fn again(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.close_loop()
}

fn clock(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.body.step(Step::Clock);
    Ok(())
}

fn resume(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.resume = true;
    Ok(())
}

fn end(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.ends_with(Ending::End)
}

fn close(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.ends_with(Ending::Close)
}

fn drop(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    match word(argument) {
        (b"", _) => parser.ends_with(Ending::Drop),
        (b"after", size) => {
            let size = parse_size(&shown(size))?;
            parser.body.step(Step::DropAfter(size));
            Ok(())
        }
        _ => Err(too_much(argument)),
    }
}

fn reset(parser: &mut PartParser, _: &[u8]) -> Result<(), String> {
    parser.ends_with(Ending::Reset)
}

fn hang(parser: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let time = match argument {
        b"" => None,
        argument => Some(time(argument)?),
    };
    parser.ends_with(Ending::Hang(time))
}

fn too_much(argument: &[u8]) -> String {
    wrong(argument, "is too much here")
}

/// Text in which no placeholder may stand.
fn plain(argument: &[u8]) -> Result<&[u8], String> {
    match Template::parse(argument)?.as_plain() {
        Some(_) => Ok(argument),
        None => Err("placeholders have no value here (write it out)".to_owned()),
    }
}

fn text(parser: &PartParser, argument: &[u8]) -> Result<Template, String> {
    match argument {
        [] => Err("there is nothing to send".to_owned()),
        _ if parser.body.literal => unescape(argument).map(|text| Template(vec![Segment::Text(text)])),
        _ => Template::parse_escaped(argument),
    }
}

fn time(argument: &[u8]) -> Result<Duration, String> {
    parse_time(&shown(argument))
}

fn number(argument: &[u8]) -> Result<u64, String> {
    let text = shown(argument);
    parse_number(&text).ok_or_else(|| format!("`{text}` is no number"))
}

/// `every T`, or nothing.
fn every(argument: &[u8]) -> Result<Option<Duration>, String> {
    match word(argument) {
        (b"", _) => Ok(None),
        (b"every", b"") => Err("`every` needs a time (write 80ms, 1.5s, 2m or 1h)".to_owned()),
        (b"every", every) => time(every).map(Some),
        _ => Err(too_much(argument)),
    }
}
