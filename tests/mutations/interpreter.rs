//! A deliberately simple interpreter of a part of the script language: it follows the reference of the language byte by
//! byte, and has nothing in common with the compiler and the player.

mod player;

use std::time::Duration;

/// What the server sends.
#[derive(Debug, Default, PartialEq)]
pub struct Response {
    pub head: String,
    /// The bytes of each write, and when it happens.
    pub writes: Vec<(Duration, Vec<u8>)>,
    /// What becomes of the connection, in the words of `AfterResponse`.
    pub after: String,
    /// Whether there is more than was interpreted.
    pub is_cut_off: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Event,
    Line,
    Whole,
    Pieces(usize, Duration),
}

#[derive(Clone, Copy, PartialEq)]
enum Framing {
    Default,
    Chunked,
    Length(Option<usize>),
    Close,
}

#[derive(Clone)]
enum Op {
    Byte(u8),
    /// `{{i}}`
    Turn,
    EndChunk(Cut),
    Flush,
    Open,
    Wire(Vec<u8>),
    Sleep(Duration),
    DropAfter(usize),
    /// The turns, `None` for an endless loop; the time between them; and what is repeated.
    Repeat(Option<u64>, Duration, Vec<Op>),
}

/// The settings at a line, and what came before it.
struct Reader {
    ops: Vec<Op>,
    /// The loops that are open: the operations before each, its turns, and its interval.
    loops: Vec<(Vec<Op>, Option<u64>, Duration)>,
    cut: Cut,
    line_end: Option<&'static str>,
    is_literal: bool,
    framing: Framing,
    is_head_sent: bool,
    line_is_blank: bool,
    after_cr: bool,
    ending: Option<&'static str>,
}

/// What the server sends for `GET`; `None` for a script with a mistake, or with anything that is not understood here.
pub fn interpret(script: &[u8]) -> Option<Response> {
    // A byte order mark has a meaning.
    if script.starts_with(b"\xEF\xBB\xBF")
        || script.starts_with(b"\xFF\xFE")
        || script.starts_with(b"\xFE\xFF")
    {
        return None;
    }
    let mut reader = Reader {
        ops: Vec::new(),
        loops: Vec::new(),
        cut: Cut::Event,
        line_end: None,
        is_literal: false,
        framing: Framing::Default,
        is_head_sent: false,
        line_is_blank: true,
        after_cr: false,
        ending: None,
    };
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        reader.line(line)?;
    }
    if !reader.loops.is_empty() {
        return None;
    }
    reader.end_chunk();
    player::play(&reader)
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Option<()> {
        if line.starts_with(b"@#") {
            return Some(());
        }
        if line.starts_with(b"@") && !line.starts_with(b"@@") {
            let text = std::str::from_utf8(&line[1..]).ok()?.trim_end_matches(|c| " \t\r\n\x0C".contains(c));
            let name = text.split([' ', '\t']).next()?;
            let argument = text[name.len()..].trim_start_matches([' ', '\t']);
            return if self.ending.is_some() { None } else { self.direction(name, argument) };
        }
        let line = if line.starts_with(b"@") { &line[1..] } else { line };
        if self.ending.is_some() {
            return line.iter().all(u8::is_ascii_whitespace).then_some(());
        }
        self.is_head_sent = true;
        match self.line_end {
            Some(line_end) if line.ends_with(b"\n") => {
                let length = line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 };
                self.text(&line[..length])?;
                self.bytes(line_end.as_bytes());
            }
            _ => self.text(line)?,
        }
        Some(())
    }

    fn direction(&mut self, name: &str, argument: &str) -> Option<()> {
        if argument.contains("{{") && !(self.is_literal && ["send", "wire"].contains(&name)) {
            return None;
        }
        if self.cut == Cut::Whole && name != "fill" {
            self.end_chunk();
        }
        let words: Vec<&str> = argument.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match (name, words.as_slice()) {
            ("send", [_, ..]) => {
                let text = unescape(argument)?;
                self.is_head_sent = true;
                self.end_chunk();
                self.ops.push(Op::Flush);
                let cut = std::mem::replace(&mut self.cut, Cut::Whole);
                self.bytes(&text);
                self.end_chunk();
                self.cut = cut;
                self.ops.push(Op::Flush);
            }
            ("wire", [_, ..]) => {
                self.is_head_sent = true;
                self.step(Op::Wire(unescape(argument)?));
            }
            ("fill", [size, filler @ ..]) => {
                let size = parse_digits(size).filter(|size| *size < 3_000)?;
                let byte = match filler {
                    [] => b'x',
                    [filler] if filler.len() == 1 && *filler != "\\" => filler.as_bytes()[0],
                    _ => return None,
                };
                self.is_head_sent = true;
                self.bytes(&vec![byte; size as usize]);
            }
            ("sleep", [time]) => self.step(Op::Sleep(parse_time(time)?)),
            ("cut", []) => self.step(Op::Flush),
            ("clock", []) => self.end_chunk(),
            ("open", []) if self.is_head_sent => return None,
            ("open", []) => {
                self.is_head_sent = true;
                self.step(Op::Open);
            }
            ("chunk", _) => {
                self.end_chunk();
                self.cut = match words.as_slice() {
                    ["event"] => Cut::Event,
                    ["line"] => Cut::Line,
                    ["whole"] => Cut::Whole,
                    [size, rest @ ..] => {
                        let size = parse_digits(size).filter(|size| (1..1_000_000).contains(size))?;
                        Cut::Pieces(size as usize, parse_every(rest)?)
                    }
                    [] => return None,
                };
            }
            ("eol", [line_end]) => {
                self.line_end = match *line_end {
                    "keep" => None,
                    "lf" => Some("\n"),
                    "crlf" => Some("\r\n"),
                    "cr" => Some("\r"),
                    _ => return None,
                };
            }
            ("literal", ["on"]) => self.is_literal = true,
            ("literal", ["off"]) => self.is_literal = false,
            ("framing", _) if self.is_head_sent => return None,
            ("framing", ["chunked"]) => self.framing = Framing::Chunked,
            ("framing", ["close"]) => self.framing = Framing::Close,
            ("framing", ["length"]) => self.framing = Framing::Length(None),
            ("framing", ["length", length]) => {
                self.framing = Framing::Length(Some(parse_digits(length)? as usize));
            }
            ("repeat", [turns, rest @ ..]) => {
                let turns = match *turns {
                    "forever" => None,
                    turns => Some(parse_digits(turns).filter(|turns| *turns > 0)?),
                };
                let every = parse_every(rest)?;
                self.end_chunk();
                self.loops.push((std::mem::take(&mut self.ops), turns, every));
            }
            ("again", []) => {
                self.end_chunk();
                let (ops, turns, every) = self.loops.pop()?;
                let repeated = std::mem::replace(&mut self.ops, ops);
                if !repeated.iter().any(does_something) {
                    return None;
                }
                if turns.is_none() {
                    self.ending = Some("end");
                }
                self.ops.push(Op::Repeat(turns, every, repeated));
            }
            ("drop", ["after", size]) => self.step(Op::DropAfter(parse_digits(size)? as usize)),
            ("end" | "close" | "drop" | "reset" | "hang", []) if self.loops.is_empty() => {
                self.ending =
                    ["end", "close", "drop", "reset", "hang"].into_iter().find(|ending| *ending == name);
            }
            _ => return None,
        }
        Some(())
    }

    fn step(&mut self, op: Op) {
        self.end_chunk();
        self.ops.push(op);
    }

    fn end_chunk(&mut self) {
        self.ops.push(Op::EndChunk(self.cut));
    }

    /// Text with placeholders; `{{i}}` in a loop is the only one that is understood.
    fn text(&mut self, text: &[u8]) -> Option<()> {
        let has = |part: &[u8]| text.windows(part.len()).position(|window| window == part);
        match has(b"{{") {
            Some(at) if !self.is_literal => {
                if has(b"{{i}}") != Some(at) || self.loops.is_empty() {
                    return None;
                }
                self.bytes(&text[..at]);
                self.ops.push(Op::Turn);
                self.line_is_blank = false;
                self.after_cr = false;
                self.text(&text[at + 5..])
            }
            _ => {
                self.bytes(text);
                Some(())
            }
        }
    }

    /// Text without placeholders. Lines end with LF, CR LF or CR; a CR LF may be split between two texts.
    fn bytes(&mut self, text: &[u8]) {
        for (at, byte) in text.iter().enumerate() {
            self.ops.push(Op::Byte(*byte));
            let ends_split_pair = *byte == b'\n' && self.after_cr && at == 0;
            let is_half_of_pair = *byte == b'\r' && text.get(at + 1) == Some(&b'\n');
            self.after_cr = *byte == b'\r';
            if !b"\r\n".contains(byte) {
                self.line_is_blank = false;
            } else if !ends_split_pair && !is_half_of_pair {
                if self.cut == Cut::Line || (self.cut == Cut::Event && self.line_is_blank) {
                    self.end_chunk();
                }
                self.line_is_blank = true;
            }
        }
    }
}

/// Whether a loop may repeat this.
fn does_something(op: &Op) -> bool {
    match op {
        Op::Byte(_) | Op::Turn | Op::Wire(_) | Op::Sleep(_) => true,
        Op::Repeat(_, _, repeated) => repeated.iter().any(does_something),
        _ => false,
    }
}

fn parse_digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn parse_time(text: &str) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let (digits, unit) = units.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number = parse_digits(digits).filter(|number| *number < 10_000)?;
    (unit < 3_600_000 || number <= 8_760).then(|| Duration::from_millis(number * unit))
}

fn parse_every(words: &[&str]) -> Option<Duration> {
    match words {
        [] => Some(Duration::ZERO),
        ["every", time] => parse_time(time),
        _ => None,
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, if byte == b'\\' { rest.next()? } else { 0 }) {
            (b'\\', b'n') => b'\n',
            (b'\\', b'r') => b'\r',
            (b'\\', b't') => b'\t',
            (b'\\', b'0') => b'\0',
            (b'\\', b's') => b' ',
            (b'\\', b'\\') => b'\\',
            (b'\\', b'"') => b'"',
            (b'\\', b'x') => {
                let digits = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                (digits[0]? * 16 + digits[1]?) as u8
            }
            (b'\\', _) => return None,
            _ => byte,
        });
    }
    Some(bytes)
}
